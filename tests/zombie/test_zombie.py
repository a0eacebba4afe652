"""A lost region that lives (`make zombie`): the isolation keeps it out, and without it it gets in; two operators.

Whole drills, of either region: too long for `make test`.
"""

from typing import Any

import pytest

from tests.drill.runs import drill, everything_left, finish, report, whole_drill

pytestmark = [pytest.mark.drill]

NONE_BACK = "failover: No broker of paris gets back into the survivor's cluster"


def failed(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [check for check in document["checks"] if not check["ok"]]


@pytest.mark.parametrize(("version", "lost"), [("8.5", "1"), ("8.5", "0"), ("8.8", "1")])
def test_a_zombie_is_kept_out_retired_and_failed_back_to(version: str, lost: str) -> None:
    document = whole_drill("--zombie", "--lost", lost, "--camunda", version)
    assert document["zombie"]
    # It is not recreated: step R left its cluster clean.
    assert not any(stage["name"].startswith("Recreating") for stage in document["stages"])


@pytest.mark.parametrize("version", ["8.5", "8.8"])
def test_of_two_operators_one_is_refused_and_nothing_is_lost(version: str) -> None:
    document = whole_drill("--two-operators", "--camunda", version)
    assert document["twoOperators"]
    assert any("one is refused" in check["name"] for check in document["checks"])


@pytest.mark.parametrize("lost", ["1", "0"])
def test_by_cluster_api_removed_brokers_leave_by_themselves(lost: str) -> None:
    document = whole_drill("--zombie", "--without-isolation", "--lost", lost, "--camunda", "8.8")
    assert any("that lives ends with status 3" in check["name"] for check in document["checks"])


def test_without_the_isolation_it_gets_back_in_and_the_drill_says_so() -> None:
    process = drill("--zombie", "--without-isolation", "--until", "failover")
    finish(process)
    document = report()
    assert process.returncode == 1
    assert document["result"] == "failed"
    (check,) = [each for each in failed(document) if each["name"] == NONE_BACK]
    assert "camunda-paris.svc" in check["detail"]
    assert "got back" in check["detail"]
    assert document["reason"].startswith("the survivor was not left alone")
    # Up to there nothing is amiss: it is the zombie that fails the drill.
    first = document["checks"].index(check)
    assert all(each["ok"] for each in document["checks"][:first])
    assert everything_left() == []
