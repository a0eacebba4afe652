"""A broker that writes its buffers only after the copy was made (`make late-flush`): refused, backed out of, nothing lost.

Whole drills: too long for `make test`.
"""

import pytest

from tests.drill.runs import whole_drill

pytestmark = [pytest.mark.drill]

REFUSED = "late flush: A copy that lacks records which were flushed late is refused, and exporting not resumed"


@pytest.mark.parametrize("lost", ["1", "0"])
def test_exporting_does_not_go_on_with_a_gap_and_a_failback_begun_again_loses_nothing(
    lost: str,
) -> None:
    document = whole_drill("--late-flush", "--lost", lost)
    assert document["lateFlush"]
    assert REFUSED in [check["name"] for check in document["checks"]]
