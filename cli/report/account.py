"""All that a report tells of an incident, put together out of what both stacks keep: one model for every form. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cli.report import records_lost
from cli.report.record import Entry, IncidentRecord
from cli.report.records_lost import RecordsLost
from cli.report.runs import Run, answers_of
from cli.report.timeline import Span
from cli.stacks.run_message import Answer
from dualregion import brokers
from dualregion.procedure import B5, FAILOVER_STEPS

FIGURES = (
    ("outage", "No service, at most"),
    ("gap", "No exporting, at most"),
    ("failover", "Failover, first step to last"),
    ("failback", "Failback, first step to last"),
    ("paused", "Exporters paused"),
)
"""The times that count: the kind of the spans, and its name."""
VERSIONS = {
    "program": "this program",
    "pulumi": "Pulumi",
    "provider": "Pulumi's Kubernetes provider",
    "chart": "Helm chart",
    "camunda": "Camunda",
}
"""What has a version, and what it is called."""
NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Figure:
    """How long something took, from its first span to its last."""

    kind: str
    name: str
    seconds: float


@dataclass(frozen=True)
class Account:
    """An incident.

    :ivar names: what the operator calls the regions.
    :ivar made: when the report is made.
    :ivar lost_at: when the region was lost, if that is known; the stacks do not know.
    :ivar given_ticket: the ticket that was named for the report.
    :ivar runs: its runs of Pulumi, the first one first.
    :ivar versions: of what made each stack's state, by the stack's name; they are those of now.
    """

    record: IncidentRecord
    names: Mapping[int, str]
    made: datetime
    lost_at: datetime | None = None
    given_ticket: str = ""
    runs: tuple[Run, ...] = ()
    versions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def records_lost(self) -> RecordsLost:
        """Whether records were lost."""
        return records_lost.judge(self.record, self.names)

    @property
    def operators(self) -> tuple[str, ...]:
        """Who ran it, in the order in which they came; plain `pulumi` does not record it."""
        return tuple(dict.fromkeys(run.operator for run in self.runs if run.operator))

    @property
    def tickets(self) -> tuple[str, ...]:
        """The tickets: the one that was named for the report, or else those of the runs."""
        said = (run.update.said.ticket for run in self.runs if run.update.said)
        return (
            (self.given_ticket,) if self.given_ticket else tuple(dict.fromkeys(filter(None, said)))
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was given with `--message`."""
        said = (run.update.said.note for run in self.runs if run.update.said)
        return tuple(dict.fromkeys(filter(None, said)))

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers that were given, the first one first."""
        return answers_of(self.runs)

    @property
    def began(self) -> datetime | None:
        """When the first run or step began."""
        starts = [run.update.start for run in self.runs] + [
            each.start for each in self.record.entries
        ]
        return min(starts, default=None)

    @property
    def ended(self) -> datetime | None:
        """When the last run or step ended."""
        ends = [run.update.end for run in self.runs if run.update.end]
        return max(ends + [each.end for each in self.record.entries], default=None)

    @property
    def opening(self) -> str:
        """The incident in a sentence."""
        record, parts = self.record, []
        lost = record.lost_region
        if lost is not None:
            survivor = self.names[brokers.other(lost)]
            parts.append(f"Region {lost} ({self.names[lost]}) was lost, {survivor} carried on")
        parts.append(f"{len(record.entries)} steps proved")
        failed = sum(run.has_failed for run in self.runs)
        if self.runs:
            parts.append(
                f"{len(self.runs)} runs of Pulumi, {failed or 'none'} of them failed or stopped"
            )
        return "; ".join(parts) + "."

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Who, when and what for: each with its name."""
        return (
            ("Operators", ", ".join(self.operators) or NOT_RECORDED),
            ("Ticket", ", ".join(self.tickets) or NOT_RECORDED),
            ("Note", "; ".join(self.notes) or NOT_RECORDED),
            ("Region lost at", moment(self.lost_at)),
            ("Began", moment(self.began)),
            ("Ended", moment(self.ended)),
        )

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """What the timeline shows: outage, export gap, each step, the pause."""
        return tuple(self._spans())

    def _spans(self) -> Iterator[Span]:
        for kind, step, label in (
            ("outage", "F2", "no service, at most"),
            ("gap", "F3", "no exporting, at most"),
        ):
            back = self.record.proved_at(step)
            if self.lost_at is not None and back is not None and self.lost_at < back:
                yield Span(
                    label, kind, self.lost_at, back, f"from the loss until {step} was proved"
                )
        for each in self.record.entries:
            label = f"{each.step} {self.names[each.region]}"
            yield Span(label, kind_of(each), each.start, each.end, self.title_of(each))
        paused = self.record.paused
        if paused is not None and paused[1] is not None:
            yield Span("exporters paused", "paused", paused[0], paused[1])

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The times that count, as far as they are known."""
        return tuple(
            Figure(kind, name, _whole(found))
            for kind, name in FIGURES
            if (found := [each for each in self.spans if each.kind == kind])
        )

    def title_of(self, entry: Entry) -> str:
        """Return what a step proved in its region."""
        if entry.step == B5.id and "webApps" in entry.evidence:
            return _RESUMED if "resumedAt" in entry.evidence else _WEB_APPS_UP
        return entry.title


_WEB_APPS_UP = "web apps are up again in this region"
_RESUMED = f"{_WEB_APPS_UP}, and exporting is resumed"
"""What B5 of Camunda 8.5 proves in each region; the procedure has one title for both."""


def kind_of(entry: Entry) -> str:
    """Return whether a step is the failover's or the failback's."""
    return "failover" if entry.step in FAILOVER_STEPS else "failback"


def moment(at: datetime | None) -> str:
    """Return a moment as a report shows it."""
    return NOT_RECORDED if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def versions_shown(account: Account) -> Iterator[tuple[str, str]]:
    """Yield each thing that has a version, and its versions in both stacks; one if they are the same."""
    for key, name in VERSIONS.items():
        found = {stack: each[key] for stack, each in account.versions.items() if key in each}
        if len(set(found.values())) == 1 and len(found) == len(account.versions):
            yield name, next(iter(found.values()))
        elif found:
            yield name, ", ".join(f"{version} (stack {stack})" for stack, version in found.items())
        else:
            yield name, NOT_RECORDED
    ran = dict.fromkeys(run.update.pulumi for run in account.runs if run.update.pulumi)
    if ran:
        yield "Pulumi of these runs", ", ".join(ran)


def _whole(spans: Sequence[Span]) -> float:
    return (max(each.end for each in spans) - min(each.start for each in spans)).total_seconds()
