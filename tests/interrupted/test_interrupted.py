"""The whole drill with every `pulumi up` killed at every point and run again (`make interrupted`).

Whatever the procedure proves undisturbed, it proves so, too. It takes longer than all other tests, so
`make test` leaves it out.
"""

import pytest

from drill.procedure.camunda_8_5 import CAMUNDA_8_5
from drill.procedure.model import Part
from drill.procedure.subjects import RECORD, REMOVAL_NAMESPACE
from tests.drill.runs import whole_drill

pytestmark = [pytest.mark.drill]


def test_every_gate_and_release_was_interrupted_and_every_check_holds() -> None:
    document = whole_drill("--until", "restored", "--lost", "1", "--interrupt")
    killed = {(each["stack"], each["point"]) for each in document["interruptions"]}
    passed = {(each["stack"], each["point"]) for each in document["notReachable"]}
    for stack, part in (("region0", Part.SURVIVOR), ("region1", Part.RECREATED)):
        for step in CAMUNDA_8_5.whole(part):
            points = {(stack, f"{when} gate {step}") for when in ("in the work of", "just after")}
            assert points <= killed | passed, step
            assert points & killed, step
    for stack, subject in (
        ("region0", "binding failover"),
        ("region1", "binding normal"),
        ("region1", RECORD),
        ("region0", REMOVAL_NAMESPACE),
    ):
        assert (stack, f"in the work of {subject}") in killed
    releases = [
        (each["phase"], each["stack"])
        for each in document["interruptions"]
        if each["point"].startswith("in the work of the") and "release" in each["point"]
    ]
    assert set(releases) == {
        ("failover", "region0"),
        ("failback-pending", "region0"),
        ("failback-pending", "region1"),
        ("restored", "region0"),
        ("restored", "region1"),
    }
    # Nothing is killed where there is nothing to go on with.
    assert not any(each["phase"] == "normal" for each in document["interruptions"])
