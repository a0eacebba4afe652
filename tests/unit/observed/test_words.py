"""An engine's own reasons: its errors repeat themselves, and arrive cut short."""

import pytest

from dualregion.observed.words import error_reason

NO_ACCESS = (
    '{"error":{"root_cause":[{"type":"repository_verification_exception","reason":"[camunda_backup] path '
    '[backups] is not accessible on master node"}],"type":"repository_verification_exception","reason":'
    '"[camunda_backup] path [backups] is not accessible on master node","caused_by":{"type":"i_o_exception",'
    '"reason":"Unable to upload object [backups/x]","caused_by":{"type":"amazon_s3_exception","reason":'
    '"Access Denied (\\"s3\\")"}}},"status":500}'
)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(
            NO_ACCESS,
            "[camunda_backup] path [backups] is not accessible on master node: "
            'Unable to upload object [backups/x]: Access Denied ("s3")',
            id="the whole chain, each reason once",
        ),
        pytest.param(
            NO_ACCESS[:250],
            "[camunda_backup] path [backups] is not accessible on master node",
            id="cut short in the repetition",
        ),
        pytest.param(
            '{"error":{"root_cause":[],"reason":"","caused_by":{"reason":"Search rejected due to missing',
            "Search rejected due to missing",
            id="no root cause, cut short",
        ),
        pytest.param("Bad gateway", "Bad gateway", id="no document"),
    ],
)
def test_an_engine_s_own_reason_is_said(body: str, told: str) -> None:
    assert error_reason(body) == told
