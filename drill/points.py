"""The points at which a `pulumi up` is killed in an interrupted drill: read off its lines, and named beforehand.

All of it is pure: what a line says, which points there must be, and whether each of them was hit.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from drill.check import Check, judged
from drill.livelines import said_by_program
from drill.settings import Until

_STEP = r"F[1-3]|B[0-7]"
_SAID = re.compile(rf"^(?P<step>{_STEP}): ")
_GATE = re.compile(rf"^ *\S{{0,2}} +kubernetes:core/v1:ConfigMap (?P<name>{_STEP}) (?P<rest>.*)$")
_RELEASE = re.compile(
    r"^ *\S{0,2} +kubernetes:helm\.sh/v3:Release (?P<name>normal|failover) (?P<rest>.*)$"
)
_WORK = re.compile(r"^(?P<verb>creat|updat|delet)(?:(?P<begun>ing)|ed)\b")
_WORKS = {"creat": "install", "updat": "update", "delet": "removal"}


@dataclass(frozen=True)
class Point:
    """A moment of an `up`: in the work on something, or just after it.

    `subject` is such as `gate B2` or `the update of release normal`.
    """

    subject: str
    after: bool

    @property
    def resource(self) -> str:
        """What is worked on: `gate B2`, `release normal`."""
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
        """Whether Helm is at work then: its own record says when that has begun."""
        return not self.after and self.resource.startswith("release")

    def __str__(self) -> str:
        return f"{'just after' if self.after else 'in the work of'} {self.subject}"


UPDATE, UPDATE_FAILOVER, INSTALL, INSTALL_FAILOVER, _, REMOVAL_FAILOVER = (
    f"the {work} of release {release}"
    for work in ("update", "install", "removal")
    for release in ("normal", "failover")
)


def _gates(*steps: str) -> tuple[str, ...]:
    return tuple(f"gate {step}" for step in steps)


NAMED: Mapping[tuple[Until, str], tuple[str, ...]] = {
    (Until.FAILOVER, "survivor"): (
        "gate F1",
        UPDATE,
        INSTALL_FAILOVER,
        *_gates("F2", "F3"),
    ),
    (Until.FAILBACK_PENDING, "survivor"): (
        *_gates("B0", "B2", "B3"),
        UPDATE,
        UPDATE_FAILOVER,
        "gate B4",
    ),
    (Until.FAILBACK_PENDING, "recreated"): (INSTALL, "gate B1", UPDATE, "gate B4"),
    (Until.RESTORED, "recreated"): (UPDATE, *_gates("B5", "B6"), UPDATE, "gate B7"),
    (Until.RESTORED, "survivor"): (UPDATE, "gate B5", REMOVAL_FAILOVER),
}
"""All work of the failover and of the failback, by phase and by what the region is; each of it is two points.

In `restored` the recreated region's release is updated in two turns: its web applications open, its brokers wake.
"""


@dataclass(frozen=True)
class Interruption:
    """A `pulumi up` that was killed: where, when (seconds since the drill began), the how many-th of its turn."""

    point: Point
    at: float
    number: int


@dataclass
class Turn:
    """One turn of a stack: an `up`, killed and said again until one went through.

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
        """The points that no later `up` came by, as their work was done already when it was said again."""
        hit = self.points
        return [
            each.point.twin
            for each in self.interruptions
            if each.point.twin not in hit and self._found_there(each)
        ]

    def _found_there(self, interruption: Interruption) -> bool:
        """Whether a later `up` found the work done; of what was removed it finds, and says, nothing."""
        point = interruption.point
        return any(
            number > interruption.number and (point.is_removal or point.resource in found)
            for number, found in self.there.items()
        )


def point_of(line: str) -> Point | None:
    """Return which point a line of `pulumi up` tells, or None.

    The work of a gate begins with the first thing it says, that of a release with Pulumi's own word.
    """
    said = _SAID.match(said_by_program(line) or "")
    if said:
        return Point(f"gate {said['step']}", after=False)
    gate = _GATE.match(line)
    if gate:
        return Point(f"gate {gate['name']}", True) if gate["rest"].startswith("created") else None
    release = _RELEASE.match(line)
    work = _WORK.match(release["rest"]) if release else None
    if release is None or work is None:
        return None
    subject = f"the {_WORKS[work['verb']]} of release {release['name']}"
    return Point(subject, after=not work["begun"])


def already_there(line: str) -> str | None:
    """Return the gate or release that a line tells to be left as it is, or None."""
    for kind, pattern in (("gate", _GATE), ("release", _RELEASE)):
        found = pattern.match(line)
        if found and not found["rest"].strip():
            return f"{kind} {found['name']}"
    return None


def named_points(until: Until, parts: Mapping[str, str]) -> list[tuple[str, str, Point]]:
    """Return phase, stack and point of all that must be interrupted in one incident.

    Args:
        until: how far the drill goes.
        parts: what each stack's region is in the incident: `survivor`, `recreated` -> the stack's name.
    """
    phases = list(Until)
    return [
        (phase, parts[part], Point(subject, after))
        for (phase, part), subjects in NAMED.items()
        if phases.index(phase) <= phases.index(until)
        for subject in subjects
        for after in (False, True)
    ]


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
    return judged(
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
    return judged(
        "No interrupted install or update of a release was left unfinished",
        problems,
        f"none pending in {' and '.join(pending)}",
    )
