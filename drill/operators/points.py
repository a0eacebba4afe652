"""The points at which a `pulumi up` is killed in an interrupted drill: read off its events, and named beforehand.

All of it is pure: what an event means, which points there must be, and whether each of them was hit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from drill.check import Check, check_of
from drill.observation.events import CREATIONS, Event, Moment
from drill.procedure.model import Part
from drill.procedure.subjects import DNS_RECORD, RECORD
from drill.procedure.versions import VERSIONS
from drill.settings import DrillSettings

_WORKS = {
    "create": "install",
    "create-replacement": "install",
    "update": "update",
    "delete": "removal",
    "delete-replaced": "removal",
}
"""What Helm does in an operation on a release."""
_RIGHTS, _DNS = "rights", "DNS"
"""What stands before the messages of the hooks of a binding and of the DNS chain's record."""


@dataclass(frozen=True)
class Point:
    """A moment of an `up`: in the work on something, or just after it.

    `subject` is such as `gate B2` or `the update of release normal`.
    """

    subject: str
    after: bool

    @property
    def resource(self) -> str:
        """What is worked on: `gate B2`, `release normal`, `binding failover`."""
        return " ".join(self.subject.split()[-2:])

    @property
    def twin(self) -> "Point":
        """The other moment of the same work."""
        return Point(self.subject, not self.after)

    @property
    def is_removal(self) -> bool:
        """Whether the work takes something away."""
        return self.subject.startswith("the removal")

    @property
    def is_in_helm(self) -> bool:
        """Whether Helm works then: its own record has when that has begun."""
        return not self.after and self.resource.startswith("release")

    def __str__(self) -> str:
        return f"{'just after' if self.after else 'in the work of'} {self.subject}"


_STEPS = frozenset(step for each in VERSIONS.values() for step in each.procedure.every_step)
"""Every step of any procedure that has a gate, and so two points."""


@dataclass(frozen=True)
class Interruption:
    """A `pulumi up` that was killed: where, when (seconds since the drill began), the how many-th of its turn."""

    point: Point
    at: float
    number: int


@dataclass
class Turn:
    """One turn of a stack: an `up`, killed and run again until one went through.

    `there` has, for each `up` by its number, what that one found done already.
    """

    incident: int
    phase: str
    stack: str
    interruptions: list[Interruption] = field(default_factory=list)
    there: dict[int, set[str]] = field(default_factory=dict)

    @property
    def points(self) -> list[Point]:
        """The points at which it was killed."""
        return [each.point for each in self.interruptions]

    @property
    def not_reachable(self) -> list[Point]:
        """The points that no later `up` came by, as their work was done already when it was run again."""
        hit = self.points
        return [
            each.point.twin
            for each in self.interruptions
            if each.point.twin not in hit and self._found_there(each)
        ]

    def _found_there(self, interruption: Interruption) -> bool:
        """Whether a later `up` found the work done; of what was removed it finds nothing."""
        point = interruption.point
        return any(
            number > interruption.number and (point.is_removal or point.resource in found)
            for number, found in self.there.items()
        )


class PointReader:
    """Reads which points a run comes by, off its events in their order."""

    def __init__(self) -> None:
        self._binding: str | None = None
        """The last one that was begun: its hook waits until its rights are effective."""

    def point_of(self, event: Event) -> Point | None:
        """Return the point that an event means, or None.

        The work of a hook begins with its first message, that on a release or namespace with Pulumi's own event.
        """
        if event.moment is Moment.MESSAGE:
            subject = self._subject_of(event.text.partition(": ")[0])
            return Point(subject, after=False) if subject else None
        resource = resource_of(event)
        if resource is None or event.moment is Moment.FAILED:
            return None
        is_done = event.moment is Moment.DONE
        kind, work = resource.split()[0], _WORKS.get(event.operation)
        if work and (kind == "release" or (kind, work) == ("namespace", "removal")):
            return Point(f"the {work} of {resource}", after=is_done)
        if kind == "namespace" or event.operation not in CREATIONS:
            return None
        if kind == "binding":
            self._binding = resource
        return Point(resource, after=True) if is_done else None

    def _subject_of(self, prefix: str) -> str | None:
        """Return what the hook works on whose messages have a prefix."""
        if prefix in _STEPS:
            return f"gate {prefix}"
        return {_DNS: RECORD, _RIGHTS: self._binding}.get(prefix)


def already_there(event: Event) -> str | None:
    """Return the gate, record, binding or release that an event leaves as it is, or None."""
    resource = resource_of(event)
    is_same = event.moment is Moment.DONE and event.operation == "same"
    return resource if is_same and resource and not resource.startswith("namespace") else None


def resource_of(event: Event) -> str | None:
    """Return what an event is about, such as `gate B2` or `release normal`; None for all that has no points."""
    installation = event.name.partition("-")[0]
    match event.type.rpartition("/")[2], event.name:
        case "v1:ConfigMap", name if name in _STEPS:
            return f"gate {name}"
        case "v1:ConfigMap", name if name == DNS_RECORD:
            return RECORD
        case "v3:Release", "normal" | "failover":
            return f"release {installation}"
        case "v1:Namespace", "normal-namespace" | "failover-namespace":
            return f"namespace {installation}"
        case "v1:RoleBinding", name if name.startswith(("normal-", "failover-")):
            return f"binding {installation}"
    return None


def named_points(
    settings: DrillSettings, parts: Mapping[Part, str]
) -> list[tuple[str, str, Point]]:
    """Return phase, stack and point of all that must be interrupted in one incident.

    :param settings: how far the drill goes, and what its stacks declare.
    :param parts: what each stack's region is in the incident -> the stack's name.
    """
    undeclared = _undeclared(settings)
    return [
        (phase, parts[part], Point(subject, after))
        for (phase, part), subjects in settings.procedure.points.items()
        if settings.until.reaches(phase)
        for subject in subjects
        if not subject.startswith(undeclared)
        for after in (False, True)
    ]


def _undeclared(settings: DrillSettings) -> tuple[str, ...]:
    """Return what the subjects of points begin with that the drill's stacks have nothing of.

    On clusters of the user's, rights and DNS are the user's own settings, and what is adopted finds each other by itself.
    """
    if settings.on:
        return ("binding", "record")
    return ("record",) if settings.adopt else ()


def every_point_was_hit(
    turns: Sequence[Turn], named: Iterable[tuple[str, str, Point]], incident: int
) -> Check:
    """Every named point was interrupted, or was passed for good by the run that was killed at its twin."""
    mine = [turn for turn in turns if turn.incident == incident]
    hit = Counter((turn.phase, turn.stack, point) for turn in mine for point in turn.points)
    passed = Counter(
        (turn.phase, turn.stack, point) for turn in mine for point in turn.not_reachable
    )
    wanted = Counter(named)
    problems = [
        f"{stack} in phase {phase} was never killed {point}"
        for (phase, stack, point), count in (wanted - hit - passed).items()
        for _ in range(count)
    ]
    if not hit:
        problems.append("nothing was interrupted")
    by = "".join(f"; {stack}, {phase}: {point} not reachable" for phase, stack, point in passed)
    return check_of(
        "Every named point of `pulumi up` was interrupted, and the same `up` went on from there",
        problems,
        f"{hit.total()} interruptions{by}",
    )


def no_release_is_pending(pending: Mapping[str, Iterable[str]]) -> Check:
    """No release is left in the middle of an operation: namespace -> uids of Helm's pending records."""
    problems = [
        f"a release in {namespace} is still pending"
        for namespace in pending
        if set(pending[namespace])
    ]
    return check_of(
        "No interrupted install or update of a release was left unfinished",
        problems,
        f"none pending in {' and '.join(pending)}",
    )
