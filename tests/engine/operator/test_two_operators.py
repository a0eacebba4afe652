"""Two operators at the same moment, each calling the other's region lost: the real engine, and a backend both can read."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest

from drill.operators.stacks import Run
from tests.engine.project import Project

pytestmark = pytest.mark.engine


def _both_at_once(project: Project, apart: float) -> tuple[Run, Run]:
    """Run `pulumi up` on both stacks, the second one so many seconds after the first."""
    for region in (0, 1):
        project.config(f"region{region}", phase="failover", lostRegion=1 - region)

    def second() -> Run:
        sleep(apart)
        return project.up("region1")

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(project.up, "region0"), pool.submit(second)]
        return runs[0].result(), runs[1].result()


@pytest.mark.parametrize("apart", [0.0, 1.5])
def test_exactly_one_gets_past_its_claim(project: Project, apart: float) -> None:
    """Nothing runs here, so F1 of the winner cannot be proved; the loser never gets there."""
    for region in (0, 1):
        assert project.up(f"region{region}").exit_status in (0, 1)
    project.both(deadlineSeconds=15)
    runs = _both_at_once(project, apart)
    refused = [each for each in runs if "two clusters would accept commands" in each.output]
    (loser,) = refused
    (winner,) = (each for each in runs if each is not loser)
    assert "F1: timed out" in winner.output, winner.output
    assert "F1: timed out" not in loser.output
    assert "Traceback" not in winner.output + loser.output
    lost = 0 if loser is runs[0] else 1
    held = "".join(project.state(f"region{lost}"))
    assert "Policy" not in held, "who is refused has isolated nothing"
    assert "failover-claim" in "".join(project.state(f"region{1 - lost}"))
    if apart:
        _agree(project, lost)


def _agree(project: Project, lost: int) -> None:
    """The refused one calls its own region lost: it withdraws its claim."""
    project.config(f"region{lost}", lostRegion=lost)
    agreed = project.up(f"region{lost}")
    assert agreed.exit_status == 0, agreed.output
    assert "failover-claim" not in "".join(project.state(f"region{lost}"))
