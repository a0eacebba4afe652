"""The matrix as one table: faults, the moments at which they come, and all cells of both. Pure.

A cell is a drill with one fault.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
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
    way: Way = Way.MOMENT
    options: Mapping[str, Any] = field(default_factory=dict)
    at: tuple[str, ...] = ()
    not_at: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    only: tuple[str, ...] = MATRIX_VERSIONS
    times: float = 1.0
    turns_back: bool = False
    ends_with_up: bool = False
    shares: bool = False
    at_once: bool = False


_APART = ("8.5", "8.6", "8.7")
"""Versions whose gateways are apart from brokers: in the others each broker is one, and several are there anyway."""
_CHARTS_ENGINE = (*_APART, "8.8")
"""Versions whose chart brings the search engine."""
_CLOCK_SKEW_SECONDS = 420.0
_AS_REAL_SECONDS = 10.0
_FAILOVER = ("F0", "F1", "F2", "F3")
_OTHER_IS_AWAY = (*_FAILOVER, "B0")
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
    Fault(
        "engine-killed-everywhere",
        "SIGKILL of the engine at every point",
        Way.OPTION,
        {"interrupt": True},
        times=4.0,
    ),
    Fault(
        "zombie",
        "the lost region lives, and comes back after the failover",
        Way.OPTION,
        {"zombie": True},
        times=1.5,
    ),
    Fault(
        "two-operators",
        "both regions are called lost",
        Way.OPTION,
        {"zombie": True, "two_operators": True},
    ),
    Fault(
        "late-flush",
        "a broker writes its buffers after the copy",
        Way.OPTION,
        {"late_flush": True},
        only=("8.5",),
        times=1.5,
    ),
    Fault(
        "backed-out",
        "the failback is backed out of, and begun again",
        Way.OPTION,
        {"back_out": True},
    ),
    Fault(
        "lost-again",
        "the recreated region is lost again, after its failback",
        Way.OPTION,
        {"again": True},
    ),
    Fault(
        "other-lost-next",
        "the other region is lost, after the failback",
        Way.OPTION,
        {"other": True},
    ),
    Fault(
        "brokers-late",
        "every broker takes ten seconds to start",
        Way.OPTION,
        {"start_delay": _AS_REAL_SECONDS},
    ),
    Fault(
        "clock-skew",
        "the operator's clock is seven minutes ahead",
        Way.OPTION,
        {"clock_skew": _CLOCK_SKEW_SECONDS},
        shares=True,
    ),
    Fault(
        "clock-behind",
        "the operator's clock is seven minutes behind",
        Way.OPTION,
        {"clock_skew": -_CLOCK_SKEW_SECONDS},
        shares=True,
    ),
    # --- made at a moment
    Fault("engine-killed", "SIGKILL of the engine"),
    Fault("gateway-restarted", "the survivor's gateway is killed"),
    Fault(
        "gateway-stale", "the survivor's gateway goes on with the topology it sees", not_at=("F1",)
    ),
    Fault(
        "second-gateway-stale",
        "one of the survivor's two gateways goes on with the topology it sees",
        not_at=("F1",),
        only=_APART,
        options={"gateways": 2},
    ),
    Fault("broker-killed", "a broker of the survivor is killed"),
    Fault("broker-slow", "a broker of the survivor gets a twentieth of a core, for 15 s"),
    Fault(
        "leaders-change",
        "the survivor's leaders give their partitions to others, three times in 9 s",
        not_at=_NO_LEADER_YET,
    ),
    Fault("management-hangs", "a broker's management port never answers, for 10 s"),
    Fault(
        "exporter-stuck", "a broker's exporters reach no engine, for 10 s", not_at=_NO_ENGINE_YET
    ),
    Fault("engine-restarted", "the survivor's search engine is killed"),
    Fault(
        "engine-node-lost",
        "one of two nodes of the survivor's search engine is killed",
        only=_CHARTS_ENGINE,
        times=1.2,
        options={"engine_nodes": 2},
    ),
    Fault("engine-slow", "the survivor's search engine gets a tenth of a core, for 15 s"),
    Fault("engine-read-only", "the survivor's search engine is read-only, for 10 s"),
    *(
        Fault(f"api-server-{name}", f"the survivor's API server {what}")
        for name, what in _API_SERVERS.items()
    ),
    *(
        Fault(
            f"recreated-api-server-{name}",
            f"the recreated region's API server {what}",
            not_at=_OTHER_IS_AWAY,
        )
        for name, what in _API_SERVERS.items()
    ),
    Fault("dns-stale", "the survivor's DNS answers with former addresses, for 20 s"),
    Fault(
        "repository-unreachable", "the snapshot repository cannot be reached, for 10 s", at=("B3",)
    ),
    Fault(
        "snapshot-partial",
        "a shard cannot be written, so a snapshot is PARTIAL",
        at=("B3",),
        at_once=True,
    ),
    Fault(
        "restore-shards-failed",
        "a shard cannot be read, so a restore fails",
        at=("B3",),
        at_once=True,
    ),
    Fault("backend-unreachable", "the state backend cannot be reached, for 5 s", ends_with_up=True),
    Fault(
        "state-older",
        "after an `up` the stack's state is that of before, out of a backup",
        at=("F0", "B0", "B1", "B3", "B5", "B7"),
    ),
    # After B1 the other stack has its turn first.
    Fault("helm-pending", "SIGKILL of the engine while Helm works", not_at=("B1",), then=_RELEASES),
    Fault(
        "link-lossy", "a fifth of the packets between the regions is lost", not_at=_OTHER_IS_AWAY
    ),
    Fault("link-slow", "100 ms between the regions, there and back", not_at=_OTHER_IS_AWAY),
    Fault("link-one-way", "packets pass one way only, for 8 s", not_at=_OTHER_IS_AWAY),
    Fault("link-flapping", "the link is cut every other second, for 10 s", not_at=_OTHER_IS_AWAY),
    Fault("disk-full", "a broker's disk is full, for 15 s"),
    Fault("survivor-power", "the survivor is restarted whole, its disks kept", times=1.3),
    Fault(
        "zombie-each-step",
        "the lost region lives, and is back in the midst of a step",
        # Real brokers take as long before they listen; by then the network plug-in knows their pods.
        options={"zombie": True, "start_delay": _AS_REAL_SECONDS},
        # Before F1's isolation it is only waited until it is cut off again.
        at=("F2", "F3", "B0"),
        times=1.5,
    ),
    Fault(
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


def named(words: str) -> tuple[Cell, ...]:
    """Return the cells whose keys have all of these words; one alone if they are its whole key.

    Others' keys can have all words of a cell's key: `second-gateway-stale` has `gateway-stale`.
    """
    wanted, keys = words.split(), _by_key()
    if found := keys.get(" ".join(wanted)):
        return (found,)
    return tuple(cell for key, cell in keys.items() if all(word in key for word in wanted))


@cache
def _by_key() -> Mapping[str, Cell]:
    return {cell.key: cell for cell in all_cells()}


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
