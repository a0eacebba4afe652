"""What a procedure is to the drill: what each phase proves, and what must be seen at its end. Data only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from drill.regions import ExpectedBrokers, Region


class Until(StrEnum):
    """The phases of the whole procedure, in their order; a drill runs up to one of them."""

    NORMAL = "normal"
    FAILOVER = "failover"
    FAILBACK_PENDING = "failback-pending"
    RESTORED = "restored"

    def reaches(self, phase: "Until") -> bool:
        """Whether a drill that runs so far comes by a phase."""
        order = list(Until)
        return order.index(phase) <= order.index(self)


class Part(StrEnum):
    """What a region is in an incident, as its stack says."""

    SURVIVOR = "survivor"
    LOST = "lost"
    RECREATED = "recreated"


class Place(StrEnum):
    """An installation with brokers, by what it is in an incident.

    LOST is the lost region's own, before the loss and once it is recreated; FAILOVER is the survivor's second one.
    """

    SURVIVOR = "survivor"
    FAILOVER = "failover"
    LOST = "lost"

    def of(self, lost: Region) -> tuple[Region, str]:
        """Return in which region's cluster and in which namespace it is, by the region that is lost."""
        match self:
            case Place.SURVIVOR:
                return lost.other, lost.other.namespace
            case Place.FAILOVER:
                return lost.other, lost.other.failover_namespace
            case Place.LOST:
                return lost, lost.namespace


@dataclass(frozen=True)
class Membership:
    """What the cluster's configuration must hold, where it is changed while the cluster runs.

    :ivar replication_factor: members of each partition.
    :ivar lost_exporter: the status of the exporter to the lost region's engine; that of the survivor's is enabled.
    """

    replication_factor: int
    lost_exporter: str


@dataclass(frozen=True)
class Situation:
    """What must be seen at the end of a phase.

    :ivar brokers: which brokers the gateway sees, and where, by cluster size and lost region.
    :ivar healthy: so many members of each partition are healthy, at least.
    :ivar at: where the brokers run that hold partitions.
    :ivar outside: where brokers run that are no members of the cluster.
    :ivar engine: the place whose search engine gets the lost region's records.
    :ivar membership: what the cluster's configuration holds; None where nothing can change it.
    """

    brokers: Callable[[int, int], ExpectedBrokers]
    healthy: int
    at: tuple[Place, ...]
    engine: Place
    outside: tuple[Place, ...] = ()
    membership: Membership | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        """Where brokers run at all."""
        return (*self.at, *self.outside)

    def members(self, cluster_size: int, lost: Region) -> list[int]:
        """Return the ids of the brokers that hold partitions."""
        return self._at(self.at, cluster_size, lost)

    def outsiders(self, cluster_size: int, lost: Region) -> list[int]:
        """Return the ids of the brokers that are no members."""
        return self._at(self.outside, cluster_size, lost)

    def _at(self, places: Sequence[Place], cluster_size: int, lost: Region) -> list[int]:
        namespaces = [place.of(lost)[1] for place in places]
        expected = self.brokers(cluster_size, lost.index)
        return [id_ for id_ in expected.ids if expected.namespace_of[id_] in namespaces]


@dataclass(frozen=True)
class Kept:
    """Brokers that a phase leaves alone, unless web applications are a part of them.

    :ivar places: where they run.
    :ivar by: what leaves them alone, for people.
    :ivar none: how people are told that it restarts none of them.
    """

    places: tuple[Place, ...]
    by: str
    none: str = "none of the survivor's brokers"


@dataclass(frozen=True)
class Announced:
    """A change that a preview must show.

    :ivar what: for people; `{failover}` is the survivor's failover namespace here and in `text`.
    :ivar type: how the resource's type ends.
    :ivar operation: such as `create`.
    :ivar text: what comes with it and was not there before; empty for anything.
    """

    what: str
    type: str
    operation: str
    text: str = ""


@dataclass(frozen=True)
class Procedure:
    """One way through failover and failback.

    :ivar steps: phase -> part -> the steps that a stack of this part proves in it, beyond those of earlier phases.
    :ivar situations: what must be seen at the end of each phase but `normal`.
    :ivar announced: what a preview of the failover shows besides its gates.
    :ivar preview_sentence: the statement that it shows all of it.
    :ivar kept: the brokers that a phase leaves alone; of the failover it is the survivor's release, too.
    :ivar points: phase and part -> what a `pulumi up` works on, in its order: each of it is two points at which it is
        killed in an interrupted drill (`drill.operators.points`).
    :ivar stopped_in: the step in whose midst Ctrl-C is hit: of the failover the one with the most to go on with. What it
        has begun goes on in the cluster meanwhile, so little is lost by it; how much, the report has.
    :ivar stopped_after: for how many seconds that step is seen running before.
    :ivar opens_first: whose turn comes first in phase `restored`.
    :ivar questions: what the runbook command asks at least, by the phase that it goes to.
    :ivar last_steps: the step with which `dualregion failback` reaches a phase.
    :ivar size_step: cluster sizes are multiples of it.
    :ivar has_failover_installation: whether brokers in a second installation take the place of lost ones.
    :ivar fences: whether lost brokers that live leave the cluster by themselves, whatever isolates them.
    """

    steps: Mapping[Until, Mapping[Part, tuple[str, ...]]]
    situations: Mapping[Until, Situation]
    announced: tuple[Announced, ...]
    preview_sentence: str
    kept: Mapping[Until, Kept]
    points: Mapping[tuple[Until, Part], tuple[str, ...]]
    stopped_in: str
    stopped_after: float
    opens_first: Part
    questions: Mapping[str, tuple[str, ...]]
    last_steps: Mapping[str, str]
    size_step: int
    has_failover_installation: bool
    fences: bool

    @property
    def failover(self) -> tuple[str, ...]:
        """The survivor's steps of the failover."""
        return self.steps[Until.FAILOVER][Part.SURVIVOR]

    def proved(self, phase: Until, part: Part) -> tuple[str, ...]:
        """Return all steps of the failback that a stack has proved at the end of one of its phases."""
        return tuple(
            step
            for each in (Until.FAILBACK_PENDING, Until.RESTORED)
            if phase.reaches(each)
            for step in self.steps[each].get(part, ())
        )

    def whole(self, part: Part) -> tuple[str, ...]:
        """Return all steps that a stack takes in an incident, those without a gate left out."""
        failover = self.failover if part is Part.SURVIVOR else ()
        return (*failover, *self.proved(Until.RESTORED, part))

    @property
    def every_step(self) -> tuple[str, ...]:
        """All steps that both stacks take in an incident."""
        return (*self.whole(Part.SURVIVOR), *self.whole(Part.RECREATED))

    def namespaces(self, region: Region) -> tuple[str, ...]:
        """Return the namespaces that a region's stack may have an installation in."""
        own = (region.namespace,)
        return (*own, region.failover_namespace) if self.has_failover_installation else own
