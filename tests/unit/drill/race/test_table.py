"""The race's result as people read it: goals that are not met are told as loudly as those that are."""

from drill.race.figures import Stretch
from drill.race.table import markdown
from drill.report.report import Gap
from tests.unit.drill.race.test_figures import heat

MACHINE = {"cpus": 2, "memoryGiB": 23.5, "kernel": "6.1", "loadAverageAtStart": 0.4}


def test_the_comparison_says_what_is_met_and_what_not() -> None:
    heats = [heat("script", 10.0, paused=100.0), heat("pulumi", 24.0, paused=40.0)]
    lines = markdown(heats, MACHINE, "2026-11-30").splitlines()
    assert (
        "| without any accepted command until the end of the failover | 10.0 | 24.0 | 2.40 | 0.6: NOT met |"
        in lines
    )
    assert "| exporters paused in the failback | 100.0 | 40.0 | 0.40 | 0.5: met |" in lines
    assert any(line.startswith("2026-11-30; 2 cores, 23.5 GiB") for line in lines)


def test_each_heat_is_shown_also_one_that_failed() -> None:
    gaps = (Gap(start=0, end=5, seconds=5), Gap(start=8, end=10, seconds=2))
    failed = heat(
        "script", 7.0, gaps=gaps, result="failed", reason="helm failed\nmore", records_missing=3
    )
    text = markdown([failed], MACHINE, "2026-11-30")
    assert "| script, region 1 | failed | 7.0 | 5.0, 2.0 | ? | 30.0 | ? | ? | ? | 3 |" in text
    assert "script, region 1: helm failed\n" in text
    assert "ratio" not in text


def test_what_was_not_measured_is_unknown_and_no_zero() -> None:
    text = markdown([heat("script", None), heat("pulumi", 3.0)], MACHINE, "2026-11-30")
    assert (
        "| without any accepted command until the end of the failover | ? | 3.0 |  | 0.6: not known |"
        in text
    )


def test_the_time_of_each_failover_is_drawn() -> None:
    parts = (
        Stretch(name="preview", start=0.0, seconds=10.0, silent=9.5),
        Stretch(name="F2", start=10.0, seconds=10.0, silent=0.0),
    )
    text = markdown([heat("pulumi", parts=parts)], MACHINE, "2026-11-30")
    assert "| 10.0 | 10.0 | 0.0 | F2 | `····················████████████████████` |" in text


def test_the_pause_of_exporters_is_drawn_where_there_was_one() -> None:
    pause = (Stretch(name="B3", start=0.0, seconds=4.0, silent=0.0),)
    text = markdown([heat("script"), heat("pulumi", pause=pause)], MACHINE, "2026-11-30")
    drawn = text.partition("## Where the pause of exporters went")[2]
    assert "### pulumi, region 1 lost" in drawn
    assert "| 0.0 | 4.0 | 0.0 | B3 | `████████████████████████████████████████` |" in drawn
    assert "### script" not in drawn
    assert "pause" not in markdown([heat("script")], MACHINE, "2026-11-30").partition("Where")[2]
