"""Each quirk's check fails when the rehearsal broker leaves the quirk out: so it checks the quirk, and not something else."""

import pytest

from tests.contract.expectations import Expectation
from tests.contract.sections import all_expectations
from tests.contract.target import Target

pytestmark = pytest.mark.contract

QUIRKS = [each for each in all_expectations() if each.quirk]
ALL = {
    "refusal-behind-200",
    "pause-persists",
    "flush-after-pause",
    "position-moves-past-commands",
    "dead-connection",
    "member-timeout",
    "ready-before-commands",
    "independent-exporters",
    "unanswered-still-carried-out",
    "followers-lag",
    "no-mixed-pause",
    "quorum-readiness",
}


def test_every_quirk_has_a_check() -> None:
    assert {each.quirk for each in QUIRKS} == ALL


@pytest.mark.parametrize("expectation", QUIRKS, ids=lambda each: each.quirk)
def test_the_check_fails_without_the_quirk(
    request: pytest.FixtureRequest, expectation: Expectation
) -> None:
    if request.config.getoption("--at"):
        pytest.skip("only the rehearsal broker can leave out what real ones do")
    target: Target = request.getfixturevalue("target")
    target.ours.faults(quirksOff=[expectation.quirk, *expectation.switch_off])
    with pytest.raises(AssertionError):
        expectation.check(target)
