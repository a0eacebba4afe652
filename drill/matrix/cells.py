"""The matrix as one table: faults, the moments at which they come, and all cells of both. Pure.

A cell is a drill with one fault.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, product
from typing import Any

from drill.procedure.model import Part, Procedure, Until
from drill.procedure.subjects import INSTALL, INSTALL_FAILOVER, UPDATE, UPDATE_FAILOVER
from drill.procedure.versions import VERSIONS

SIZES = (4, 8, 12)
"""Brokers of both regions together."""
LOST = (1, 0)
"""The region that is lost."""
MATRIX_VERSIONS = tuple(VERSIONS)
"""All that the program carries out."""


class Way(StrEnum):
    """How a fault is made."""

    OPTION = "option"
    """By an option of the drill: the whole of it is made so."""
    MOMENT = "moment"
    """At a moment of an `up`, and taken away again."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    :ivar name: in results, such as `gateway-restarted`; it never changes.
    :ivar title: for people.
    :ivar way: how it is made.
    :ivar options: of the drill: those that make it, or without which it cannot be made.
    :ivar at: the steps in whose midst it comes, of those that a procedure has; empty for all.
    :ivar not_at: steps at which it cannot come, or means nothing.
    :ivar then: what the same `up` works on next, after a step at which it can come; empty for anything.
    :ivar only: the versions that have it.
    :ivar turns_back: the same `up` does not overcome it: the operator goes back to phase `failover`.
    :ivar times: how many times as long its drill takes as a plain one.
    :ivar ends_with_up: it is over when its `up` has gone through: whatever the operator runs next needs the same.
    :ivar shares: its options leave the drill's course as it is, so that others' faults can come in it.
    :ivar at_once: it comes as soon as its step begins, as what it waits for can be over within a second.
    """

    name: str
    title: str
    way: Way
    options: Mapping[str, Any] | None = None
    at: tuple[str, ...] = ()
    not_at: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    only: tuple[str, ...] = MATRIX_VERSIONS
    times: float = 1.0
    turns_back: bool = False
    ends_with_up: bool = False
    shares: bool = False
    at_once: bool = False


def _option(
    name: str,
    title: str,
    times: float = 1.0,
    only: tuple[str, ...] = MATRIX_VERSIONS,
    shares: bool = False,
    **options: Any,
) -> Fault:
    return Fault(name, title, Way.OPTION, options=options, only=only, times=times, shares=shares)


def _moment(
    name: str,
    title: str,
    *at: str,
    not_at: tuple[str, ...] = (),
    then: tuple[str, ...] = (),
    only: tuple[str, ...] = MATRIX_VERSIONS,
    times: float = 1.0,
    turns_back: bool = False,
    ends_with_up: bool = False,
    at_once: bool = False,
    **options: Any,
) -> Fault:
    return Fault(
        name,
        title,
        Way.MOMENT,
        options=options,
        at=at,
        not_at=not_at,
        then=then,
        only=only,
        times=times,
        turns_back=turns_back,
        ends_with_up=ends_with_up,
        at_once=at_once,
    )


_APART = ("8.5", "8.6", "8.7")
"""Versions whose gateways are apart from brokers: in the others each broker is one, and several are there anyway."""
_CHARTS_ENGINE = (*_APART, "8.8")
"""Versions whose chart brings the search engine."""
_MINUTES_APART = 420.0
_AS_REAL_SECONDS = 10.0
_FAILOVER = ("F0", "F1", "F2", "F3")
_BOTH_LIVE = (*_FAILOVER, "B0")
"""The steps in which the other region is lost, or nothing runs in it."""
_NO_ENGINE_YET = ("F0", "F1")
_NO_LEADER_YET = ("F0", "F1", "F2")

_API_SERVERS = {
    "restarted": "is killed, and starts again",
    "frozen": "answers nothing, for 8 s",
    "flapping": "answers every other second, for 12 s",
    "slow": "takes 2 s an answer, for 20 s",
    "throttles": "answers 429, for 10 s",
}
"""What goes wrong with an API server, by the end of the fault's name."""
_RELEASES = (INSTALL, INSTALL_FAILOVER, UPDATE, UPDATE_FAILOVER)
"""What Helm works at."""

FAULTS = (
    # --- made by an option of the drill
    _option(
        "engine-killed-everywhere", "SIGKILL of the engine at every point", 4.0, interrupt=True
    ),
    _option("zombie", "the lost region lives, and comes back after the failover", 1.5, zombie=True),
    _option("two-operators", "both regions are called lost", zombie=True, two_operators=True),
    _option(
        "late-flush", "a broker writes its buffers after the copy", 1.5, ("8.5",), late_flush=True
    ),
    _option("backed-out", "the failback is backed out of, and begun again", back_out=True),
    _option("lost-again", "the recreated region is lost again, after its failback", again=True),
    _option("other-lost-next", "the other region is lost, after the failback", other=True),
    _option(
        "brokers-late", "every broker takes ten seconds to start", start_delay=_AS_REAL_SECONDS
    ),
    _option(
        "clock-skew",
        "the operator's clock is seven minutes ahead",
        shares=True,
        clock_skew=_MINUTES_APART,
    ),
    _option(
        "clock-behind",
        "the operator's clock is seven minutes behind",
        shares=True,
        clock_skew=-_MINUTES_APART,
    ),
    # --- made at a moment
    _moment("engine-killed", "SIGKILL of the engine"),
    _moment("gateway-restarted", "the survivor's gateway is killed"),
    _moment(
        "gateway-stale", "the survivor's gateway goes on with the topology it sees", not_at=("F1",)
    ),
    _moment(
        "second-gateway-stale",
        "one of the survivor's two gateways goes on with the topology it sees",
        not_at=("F1",),
        only=_APART,
        gateways=2,
    ),
    _moment("broker-killed", "a broker of the survivor is killed"),
    _moment("broker-slow", "a broker of the survivor gets a twentieth of a core, for 15 s"),
    _moment(
        "leaders-change",
        "the survivor's leaders give their partitions to others, three times in 9 s",
        not_at=_NO_LEADER_YET,
    ),
    _moment("management-hangs", "a broker's management port never answers, for 10 s"),
    _moment(
        "exporter-stuck", "a broker's exporters reach no engine, for 10 s", not_at=_NO_ENGINE_YET
    ),
    _moment("engine-restarted", "the survivor's search engine is killed"),
    _moment(
        "engine-node-lost",
        "one of two nodes of the survivor's search engine is killed",
        only=_CHARTS_ENGINE,
        times=1.2,
        engine_nodes=2,
    ),
    _moment("engine-slow", "the survivor's search engine gets a tenth of a core, for 15 s"),
    _moment("engine-read-only", "the survivor's search engine is read-only, for 10 s"),
    *(
        _moment(f"api-server-{name}", f"the survivor's API server {what}")
        for name, what in _API_SERVERS.items()
    ),
    *(
        _moment(
            f"recreated-api-server-{name}",
            f"the recreated region's API server {what}",
            not_at=_BOTH_LIVE,
        )
        for name, what in _API_SERVERS.items()
    ),
    _moment("dns-stale", "the survivor's DNS answers with former addresses, for 20 s"),
    _moment("repository-unreachable", "the snapshot repository cannot be reached, for 10 s", "B3"),
    _moment(
        "snapshot-partial",
        "a shard cannot be written, so a snapshot is PARTIAL",
        "B3",
        at_once=True,
    ),
    _moment(
        "restore-shards-failed",
        "a shard cannot be read, so a restore fails",
        "B3",
        at_once=True,
    ),
    _moment(
        "backend-unreachable", "the state backend cannot be reached, for 5 s", ends_with_up=True
    ),
    _moment(
        "state-older",
        "after an `up` the stack's state is that of before, out of a backup",
        *("F0", "B0", "B1", "B3", "B5", "B7"),
    ),
    # After B1 the other stack has its turn first.
    _moment(
        "helm-pending", "SIGKILL of the engine while Helm works", not_at=("B1",), then=_RELEASES
    ),
    _moment("link-lossy", "a fifth of the packets between the regions is lost", not_at=_BOTH_LIVE),
    _moment("link-slow", "100 ms between the regions, there and back", not_at=_BOTH_LIVE),
    _moment("link-one-way", "packets pass one way only, for 8 s", not_at=_BOTH_LIVE),
    _moment("link-flapping", "the link is cut every other second, for 10 s", not_at=_BOTH_LIVE),
    _moment("disk-full", "a broker's disk is full, for 15 s"),
    _moment("survivor-power", "the survivor is restarted whole, its disks kept", times=1.3),
    _moment(
        "zombie-each-step",
        "the lost region lives, and is back in the midst of a step",
        # Before F1's isolation it is only waited until it is cut off again.
        *("F2", "F3", "B0"),
        times=1.5,
        zombie=True,
        # Real brokers take as long before they listen; by then the network plug-in knows their pods.
        start_delay=_AS_REAL_SECONDS,
    ),
    _moment(
        "recreated-lost-midway",
        "the recreated region is lost again in a turn of the failback",
        not_at=_FAILOVER,
        times=2.0,
        turns_back=True,
    ),
)

EVERYWHERE = "whole drill"
"""The moment of a fault that is made by an option."""


@dataclass(frozen=True, order=True)
class Cell:
    """One cell.

    :ivar moment: the step in whose midst the fault comes, with the part of the stack: `F2@survivor`.
    """

    fault: str
    moment: str
    lost: int
    size: int
    version: str

    @property
    def key(self) -> str:
        """What it is called in results; it never changes."""
        return f"{self.fault} {self.moment} lost{self.lost} size{self.size} {self.version}"

    @property
    def place(self) -> tuple[str, Part]:
        """The step and the stack's part of a fault that comes at a moment."""
        step, _, part = self.moment.partition("@")
        return step, Part(part)

    @property
    def is_of_the_whole(self) -> bool:
        """Whether the whole drill is made with its fault."""
        return self.moment == EVERYWHERE

    @property
    def is_alone(self) -> bool:
        """Whether its drill is another one than those of other faults, so that no other cell can share it."""
        fault = fault_of(self)
        return not fault.shares and (bool(fault.options) or fault.turns_back)

    @property
    def phase(self) -> Until:
        """How far its drill goes: a failover where that is all that the fault concerns."""
        if self.is_of_the_whole or not self.moment.startswith("F"):
            return Until.RESTORED
        return Until.FAILOVER

    @property
    def turn(self) -> tuple[Until, Part] | None:
        """The phase and the stack's part of a fault that comes at a moment: an `up`, or a few of them in turn.

        None of a fault of the whole drill.

        :raises ValueError: no phase of the version's procedure has the step.
        """
        if self.is_of_the_whole:
            return None
        step, part = self.place
        for phase, steps in VERSIONS[self.version].procedure.steps.items():
            if step in steps.get(part, ()):
                return phase, part
        raise ValueError(f"{self.key}: Camunda {self.version} has no such moment")


def furthest(cells: Iterable[Cell]) -> Until:
    """Return how far a drill of some cells goes."""
    return max((cell.phase for cell in cells), key=list(Until).index)


def fault_of(cell: Cell) -> Fault:
    """Return what goes wrong in a cell."""
    return BY_NAME[cell.fault]


BY_NAME = {fault.name: fault for fault in FAULTS}


def moments(procedure: Procedure, fault: Fault) -> Iterator[str]:
    """Yield the moments of a procedure at which a fault comes, in their order."""
    if fault.way is not Way.MOMENT:
        yield EVERYWHERE
        return
    for phase in (Until.FAILOVER, Until.FAILBACK_PENDING, Until.RESTORED):
        for part, steps in procedure.steps[phase].items():
            for step in steps:
                if (
                    part is not Part.LOST
                    and step not in fault.not_at
                    and (not fault.at or step in fault.at)
                    and (not fault.then or _next(procedure, phase, part, step) in fault.then)
                ):
                    yield f"{step}@{part}"


def _next(procedure: Procedure, phase: Until, part: Part, step: str) -> str:
    """Return what a stack works on in a phase after a step, or nothing."""
    works = procedure.points[phase, part]
    return dict(pairwise(works)).get(f"gate {step}", "")


def all_cells() -> Iterator[Cell]:
    """Yield the cells of all faults, in the table's order: what is cheap and usual first."""
    for size, version, lost in product(SIZES, MATRIX_VERSIONS, LOST):
        procedure = VERSIONS[version].procedure
        if size % procedure.size_step:
            continue
        for fault in FAULTS:
            if version in fault.only:
                for moment in moments(procedure, fault):
                    yield Cell(fault.name, moment, lost, size, version)
