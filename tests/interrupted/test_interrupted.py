"""The whole drill with every `pulumi up` killed at every point and run again (`make interrupted`).

Whatever the procedure proves undisturbed, it proves so, too. It takes longer than all other tests, so
`make test` leaves it out.
"""

import pytest

from drill.procedure.model import Part
from drill.procedure.versions import VERSIONS
from tests.drill.runs import whole_drill

pytestmark = [pytest.mark.drill]


@pytest.mark.parametrize("version", ["8.5", "8.8"])
def test_every_gate_and_release_was_interrupted_and_every_check_holds(version: str) -> None:
    document = whole_drill("--interrupt", "--camunda", version)
    procedure, stacks = VERSIONS[version].procedure, {Part.SURVIVOR: 0, Part.RECREATED: 1}
    killed = {(each["stack"], each["point"]) for each in document["interruptions"]}
    passed = {(each["stack"], each["point"]) for each in document["notReachable"]}
    for stack, part in (("region0", Part.SURVIVOR), ("region1", Part.RECREATED)):
        for step in procedure.whole(part):
            points = {(stack, f"{when} gate {step}") for when in ("in the work of", "just after")}
            assert points <= killed | passed, step
            assert points & killed, step
    for (phase, part), subjects in procedure.points.items():
        stack = f"region{stacks[part]}"
        for subject in subjects:
            if not subject.startswith(("gate", "the update")):
                assert (stack, f"in the work of {subject}") in killed
        releases = {
            each["point"].removeprefix("in the work of ")
            for each in document["interruptions"]
            if (each["phase"], each["stack"]) == (phase, stack)
            and each["point"].startswith("in the work of the")
            and "release" in each["point"]
        }
        assert releases == {subject for subject in subjects if "of release" in subject}
    # Nothing is killed where there is nothing to go on with.
    assert not any(each["phase"] == "normal" for each in document["interruptions"])
