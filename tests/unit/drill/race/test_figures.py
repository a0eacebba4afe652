"""The race's reckoning, pinned on small timelines: it must be able to come out against either racer."""

import pytest

from drill.race.figures import (
    BETWEEN,
    MEASURES,
    HeatFigures,
    bare_seconds,
    beyond_bare,
    compared,
    done_meanwhile,
    own_seconds,
    stretches_of,
)

LOSS, END = 100.0, 130.0


def steady(start: float, end: float) -> list[float]:
    return [start + 0.1 * number for number in range(round((end - start) * 10))]


def heat(racer: str, unavailable: float | None = 10.0, **others: object) -> HeatFigures:
    known = {"lost_region": 1, "delay": 0.0, "result": "passed", "failover": 30.0}
    return HeatFigures.model_validate(known | {"racer": racer, "unavailable": unavailable} | others)


CUTS = [(108.0, "F2"), (LOSS, "preview"), (104.0, "F1"), (107.0, BETWEEN), (120.0, BETWEEN)]


def test_stretches_follow_each_other_from_the_loss_to_the_end() -> None:
    found = stretches_of(CUTS, [], LOSS, END)
    assert [(each.name, each.start, each.seconds) for each in found] == [
        ("preview", 0.0, 4.0),
        ("F1", 4.0, 3.0),
        (BETWEEN, 7.0, 1.0),
        ("F2", 8.0, 12.0),
        (BETWEEN, 20.0, 10.0),
    ]
    assert sum(each.seconds for each in found) == END - LOSS


def test_what_began_before_the_loss_counts_from_it_and_what_begins_after_the_end_not_at_all() -> (
    None
):
    found = stretches_of([(90.0, "before"), (140.0, "after")], [], LOSS, END)
    assert [(each.name, each.start, each.seconds) for each in found] == [("before", 0.0, 30.0)]


def test_each_stretch_has_its_own_seconds_without_commands() -> None:
    acks = [*steady(90, 101), *steady(115, 130)]
    silent = {each.name: each.silent for each in stretches_of(CUTS[:3], acks, LOSS, END)}
    assert silent == pytest.approx({"preview": 3.1, "F1": 4.0, "F2": 7.0}, abs=0.11)


def test_what_is_served_is_silent_nowhere() -> None:
    assert [each.silent for each in stretches_of(CUTS, steady(90, 140), LOSS, END)] == [0.0] * 5


STEPS = [(95.0, 104.0, "B2"), (106.0, 112.0, "B4"), (110.0, 120.0, "B5")]
RUNS = [(90.0, 108.0, "up on region0"), (108.0, 124.0, "up on region1")]


def test_a_stretch_of_time_is_named_after_its_steps_and_where_there_is_none_after_the_run() -> None:
    found = done_meanwhile(STEPS, RUNS, steady(90, 106), LOSS, END)
    assert [(each.name, each.start, each.seconds) for each in found] == [
        ("B2", 0.0, 4.0),
        ("up on region0", 4.0, 2.0),
        ("B4", 6.0, 4.0),
        ("B4, B5", 10.0, 2.0),
        ("B5", 12.0, 8.0),
        ("up on region1", 20.0, 4.0),
        (BETWEEN, 24.0, 6.0),
    ]
    assert [each.silent for each in found] == pytest.approx([0, 0, 4, 2, 8, 4, 6], abs=0.11)


def test_steps_of_one_name_that_follow_each_other_are_one_stretch() -> None:
    found = done_meanwhile([(90.0, 110.0, "B5"), (110.0, 140.0, "B5")], [], [], LOSS, END)
    assert [(each.name, each.seconds) for each in found] == [("B5", 30.0)]


def test_waiting_for_brokers_is_not_the_racers_own() -> None:
    assert own_seconds(stretches_of(CUTS, [], LOSS, END)) == 18.0


@pytest.mark.parametrize(
    ("acks", "installed", "bare"),
    [
        ([110.0, 116.5, 120.0], 114.0, 2.5),
        ([110.0], 114.0, None),
        ([110.0, 135.0], 114.0, None),
        ([110.0, 116.0], None, None),
    ],
    ids=["next command", "none after", "none until the end", "not seen made"],
)
def test_brokers_alone_take_from_their_installation_to_the_next_command(
    acks: list[float], installed: float | None, bare: float | None
) -> None:
    assert bare_seconds(acks, installed, END) == bare


class TestComparing:
    UNAVAILABLE = MEASURES[0]

    def found(self, *heats: HeatFigures, delay: float = 0.0) -> tuple[object, ...]:
        first = compared(heats, "pulumi", "script", delay)[0]
        return first.script, first.program, first.ratio, first.holds

    def test_the_goal_is_met_at_six_tenths(self) -> None:
        assert self.found(heat("script"), heat("pulumi", 6.0)) == (10.0, 6.0, 0.6, True)

    def test_the_program_may_be_the_slower_one(self) -> None:
        assert self.found(heat("script"), heat("pulumi", 24.0)) == (10.0, 24.0, 2.4, False)

    def test_several_heats_count_by_their_mean(self) -> None:
        heats = (heat("script"), heat("script", 20.0), heat("pulumi", 3.0), heat("pulumi", 9.0))
        assert self.found(*heats) == (15.0, 6.0, 0.4, True)

    def test_brokers_of_another_delay_are_another_course(self) -> None:
        heats = (heat("script"), heat("pulumi", 6.0, delay=10.0))
        assert self.found(*heats) == (10.0, None, None, None)
        assert self.found(*heats, delay=10.0) == (None, 6.0, None, None)

    def test_a_heat_that_stopped_on_the_way_is_no_time_to_compare_with(self) -> None:
        heats = (heat("script"), heat("pulumi", 1.0, failover=None, result="failed"))
        assert self.found(*heats) == (10.0, None, None, None)

    def test_against_nothing_there_is_no_ratio(self) -> None:
        assert self.found(heat("script", 0.0), heat("pulumi", 6.0)) == (0.0, 6.0, None, None)

    def test_a_measure_without_a_goal_holds_nothing(self) -> None:
        outage = compared(
            (heat("script", outage=5.0), heat("pulumi", outage=9.0)), "pulumi", "script", 0.0
        )[1]
        assert (outage.ratio, outage.holds) == (1.8, None)


def test_the_bare_critical_path_is_of_each_heats_own() -> None:
    heats = (
        heat("pulumi", 6.0, bare=5.0),
        heat("pulumi", 12.0, bare=6.0),
        heat("script", bare=1.0),
    )
    assert beyond_bare(heats, "pulumi", 0.0) == pytest.approx(1.6)
    assert beyond_bare((heat("pulumi", 6.0),), "pulumi", 0.0) is None
