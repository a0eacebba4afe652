"""The runs of Pulumi that belong to an incident, out of both stacks' histories. Pure.

Failed and stopped ones are among them: they leave no gate, and a report without them shows a gap that nothing explains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cli.report.record import IncidentRecord
from cli.stacks.read import Update
from cli.stacks.run_message import Answer
from dualregion.procedure import FAILBACK_STEPS, Phase


@dataclass(frozen=True)
class Run:
    """A run of Pulumi on one of the stacks."""

    stack: str
    update: Update

    @property
    def operator(self) -> str:
        """Who typed it; empty if plain `pulumi` was used, which does not record it."""
        return self.update.said.operator if self.update.said else ""

    @property
    def command(self) -> str:
        """What was typed."""
        said = self.update.said
        return (
            f"dualregion {said.command}"
            if said
            else f"pulumi {_VERBS.get(self.update.kind, self.update.kind)}"
        )

    @property
    def seconds(self) -> float | None:
        """How long it ran; None if that is not known."""
        end = self.update.end
        return None if end is None else (end - self.update.start).total_seconds()

    @property
    def has_failed(self) -> bool:
        """Whether it failed, or was stopped, which Pulumi does not tell apart."""
        return self.update.result != "succeeded"


_VERBS = {"update": "up"}
"""What Pulumi calls a kind of run, and how it is typed."""


def runs_of(
    record: IncidentRecord, known: Sequence[IncidentRecord], runs: Mapping[str, Sequence[Update]]
) -> tuple[Run, ...]:
    """Return an incident's runs, the first one first.

    :param known: all incidents, the first one first.
    :param runs: all runs of each stack.
    """
    every = [Run(stack, each) for stack, some in runs.items() for each in some]
    mine = (run for run in every if _incident_of(run.update, known) == record.name)
    return tuple(sorted(mine, key=lambda run: run.update.start))


def answers_of(runs: Sequence[Run]) -> tuple[Answer, ...]:
    """Return every answer that these runs tell of, once, the first one first."""
    told = {each for run in runs if run.update.said for each in run.update.said.answers}
    return tuple(sorted(told, key=lambda each: each.at))


def _incident_of(update: Update, known: Sequence[IncidentRecord]) -> str | None:
    """Return the incident that a run belongs to; None if it is none that is on record."""
    if update.phase in ("", Phase.NORMAL):
        return _closed_by(update, known)
    of_region = [
        each for each in known if each.entries and update.lost_region in (None, each.lost_region)
    ]
    during = (each for each in of_region if each.entries[-1].end >= update.start)
    still_open = (each for each in of_region[-1:] if not _is_over(each))
    return next((each.name for each in (*during, *still_open)), None)


def _closed_by(update: Update, known: Sequence[IncidentRecord]) -> str | None:
    """Return the incident that a run in phase normal closes: the last turns of `dualregion failback` are in it."""
    if update.said is None or not update.said.command.startswith("failback"):
        return None
    before = [each for each in known if each.entries and each.entries[-1].end <= update.start]
    return before[-1].name if before else None


def _is_over(record: IncidentRecord) -> bool:
    """Whether the last step of the failback is on record, which is the recreated region's."""
    return any(
        (each.region, each.step) == (record.lost_region, FAILBACK_STEPS[-1])
        for each in record.entries
    )
