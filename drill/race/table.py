"""The race's result for people, as Markdown: how racers compare, each heat, and where each failover's time went. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drill.race.course import Racer
from drill.race.figures import TO_BARE, Compared, HeatFigures, Stretch, beyond_bare, compared
from drill.report.waterfall import bar

_MET = {True: "met", False: "NOT met", None: "not known"}


def markdown(heats: Sequence[HeatFigures], machine: Mapping[str, Any], when: str) -> str:
    """Return the whole result.

    :param machine: as a drill's report has it.
    :param when: the date.
    """
    lines = [
        "# The race",
        "",
        f"{when}; {machine.get('cpus', '?')} cores, {machine.get('memoryGiB', '?')} GiB, Linux "
        f"{machine.get('kernel', '?')}, load average at the last start {machine.get('loadAverageAtStart', '?')}.",
        "",
    ]
    for delay in sorted({heat.delay for heat in heats}):
        lines += [f"## Brokers {_late(delay)}", ""]
        for program in (Racer.PULUMI, Racer.COMMAND):
            if any(heat.racer == program and heat.delay == delay for heat in heats):
                lines += [*_comparison(heats, program, delay), ""]
        lines += [*_heats([each for each in heats if each.delay == delay]), ""]
    lines += ["## Where the time went", ""]
    for heat in heats:
        lines += [*_waterfall(heat, heat.parts), ""]
    paused = [heat for heat in heats if heat.pause]
    if paused:
        lines += ["## Where the pause of exporters went", ""]
    for heat in paused:
        lines += [*_waterfall(heat, heat.pause), ""]
    return "\n".join(lines)


def _late(delay: float) -> str:
    return f"that take {delay:g} s longer to start" if delay else "that start at once"


def _comparison(heats: Sequence[HeatFigures], program: str, delay: float) -> Iterator[str]:
    yield f"| mean, seconds | {Racer.SCRIPT} | {program} | ratio | goal |"
    yield "|---|---|---|---|---|"
    for each in compared(heats, program, Racer.SCRIPT, delay):
        if each.script is not None or each.program is not None:
            yield _row(each)
    if (times := beyond_bare(heats, program, delay)) is not None:
        met = _MET[times <= TO_BARE]
        yield f"| without commands, of the bare critical path | | {times:.2f} times | | {TO_BARE:g}: {met} |"


def _row(each: Compared) -> str:
    ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
    goal = "" if each.measure.at_most is None else f"{each.measure.at_most:g}: {_MET[each.holds]}"
    return f"| {each.measure.title} | {_shown(each.script)} | {_shown(each.program)} | {ratio} | {goal} |"


def _heats(heats: Sequence[HeatFigures]) -> Iterator[str]:
    yield (
        "| heat | result | without commands | gaps | exporting | failover done | paused | failback | "
        "instances lost | records missing |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for heat in heats:
        gaps = ", ".join(f"{gap.seconds:.1f}" for gap in heat.gaps)
        cells = (
            f"{heat.racer}, region {heat.lost_region}",
            heat.result,
            _shown(heat.unavailable),
            gaps,
            _shown(heat.exporting),
            _shown(heat.failover),
            _shown(heat.paused),
            _shown(heat.failback),
            "?" if heat.instances_lost is None else str(heat.instances_lost),
            "?" if heat.records_missing is None else str(heat.records_missing),
        )
        yield f"| {' | '.join(cells)} |"
    for heat in heats:
        if heat.reason:
            yield f"\n{heat.racer}, region {heat.lost_region}: {heat.reason.splitlines()[0]}"


def _waterfall(heat: HeatFigures, stretches: Sequence[Stretch]) -> Iterator[str]:
    late = f", brokers {heat.delay:g} s late" if heat.delay else ""
    yield f"### {heat.racer}, region {heat.lost_region} lost{late}"
    yield ""
    yield "| from | seconds | without commands | part | |"
    yield "|---|---|---|---|---|"
    whole = sum(each.seconds for each in stretches)
    for each in stretches:
        drawn = bar(each.start, each.seconds, whole)
        yield f"| {each.start:.1f} | {each.seconds:.1f} | {each.silent:.1f} | {each.name} | `{drawn}` |"


def _shown(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"
