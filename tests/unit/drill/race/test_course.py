"""The race's order favours no racer, and each heat is the drill that it says."""

import pytest

from drill.errors import DrillError
from drill.procedure.model import Until
from drill.race.course import Heat, Racer, heats, listed

BOTH = (Racer.SCRIPT, Racer.PULUMI)


def test_racers_take_turns_on_each_course_and_in_beginning() -> None:
    assert [
        (each.racer, each.lost, each.delay) for each in heats(BOTH, (1, 0), (0.0, 10.0), 1)
    ] == [
        (Racer.SCRIPT, 1, 0.0),
        (Racer.PULUMI, 1, 0.0),
        (Racer.PULUMI, 0, 0.0),
        (Racer.SCRIPT, 0, 0.0),
        (Racer.SCRIPT, 1, 10.0),
        (Racer.PULUMI, 1, 10.0),
        (Racer.PULUMI, 0, 10.0),
        (Racer.SCRIPT, 0, 10.0),
    ]


def test_each_round_has_every_course_for_every_racer() -> None:
    found = heats(tuple(Racer), (0, 1), (0.0,), 3)
    assert len(found) == 18
    for racer in Racer:
        assert sorted(each.lost for each in found if each.racer is racer) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("racers", "lost", "delays", "rounds"),
    [((), (0,), (0.0,), 1), (BOTH, (), (0.0,), 1), (BOTH, (0,), (), 1), (BOTH, (0,), (0.0,), 0)],
)
def test_a_race_of_nothing_is_refused(
    racers: tuple[Racer, ...], lost: tuple[int, ...], delays: tuple[float, ...], rounds: int
) -> None:
    with pytest.raises(DrillError):
        heats(racers, lost, delays, rounds)


@pytest.mark.parametrize(
    ("racer", "by"),
    [
        (Racer.SCRIPT, (True, False, False)),
        (Racer.PULUMI, (False, True, False)),
        (Racer.COMMAND, (False, False, True)),
    ],
)
def test_a_heat_is_a_drill_by_its_racer(racer: Racer, by: tuple[bool, bool, bool]) -> None:
    found = Heat(racer, 0, 10.0).settings(8, Until.FAILOVER, 20.0)
    assert (found.by_script, found.by_pulumi, found.by_command) == by
    assert (found.lost, found.cluster_size, found.until, found.rate) == ((0,), 8, "failover", 20.0)
    assert found.start_delay == 10.0


def test_options_hold_several_words() -> None:
    assert listed(" 0, 10 ,", "--start-delay") == ("0", "10")
    with pytest.raises(DrillError):
        listed(" , ", "--start-delay")
