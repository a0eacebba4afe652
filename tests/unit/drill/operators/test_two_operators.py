"""The checks of two operators hold on output as the program gives it, and fail on anything else."""

from typing import Any

import pytest

from drill.regions import REGIONS
from drill.scenario.two_operators import nothing_was_begun, second_is_refused

LONDON, PARIS = REGIONS
REFUSAL = (
    "error: nothing was changed:\nlostRegion is 0 here, but stack region0 has begun to fail over for this region, paris "
    "(incident 1-region1-lost): if both did, two clusters would accept commands. `pulumi config set lostRegion 1`"
)


class Cluster:
    """A view of a cluster that holds these things."""

    def __init__(self, installed: list[str], policies: list[str]) -> None:
        self._installed, self._policies = installed, policies

    def installed(self, namespace: str) -> list[str]:
        return self._installed if namespace == PARIS.failover_namespace else []

    def call(self, method: str, path: str) -> Any:
        assert (method, path.rsplit("/", 2)[1]) == ("GET", PARIS.namespace)
        return {"items": [{"metadata": {"name": name}} for name in self._policies]}


@pytest.mark.parametrize(
    ("status", "output", "ok"),
    [
        (255, REFUSAL, True),
        (0, REFUSAL, False),
        (255, "error: F1: waited 900 s", False),
        (255, REFUSAL + "\nTraceback (most recent call last)", False),
    ],
)
def test_the_second_operator_is_refused(status: int, output: str, ok: bool) -> None:
    assert second_is_refused(status, output, LONDON).ok is ok


@pytest.mark.parametrize(
    ("installed", "policies", "ok"),
    [
        (["secrets/elasticsearch-env-secret"], ["camunda-elasticsearch"], True),
        (["secrets/sh.helm.release.v1.camunda.v1"], [], False),
        (["StatefulSet camunda-zeebe"], [], False),
        ([], ["isolate-lost-region"], False),
    ],
)
def test_nothing_of_a_second_failover_was_begun(
    installed: list[str], policies: list[str], ok: bool
) -> None:
    view: Any = Cluster(installed, policies)
    assert nothing_was_begun(view, PARIS).ok is ok
