"""What it all means: health, what is wrong, and the next step with who must take it. Pure.

The invariant: nothing is called healthy that could not be seen, and whatever may corrupt data is called
unsafe, whatever else is true.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cli.stacks.read import Both
from cli.stacks.region_steps import RegionStep, ahead, incident
from cli.status.expectation import best_view, expected_brokers, exported_to, sleeping_brokers
from cli.status.failover_standing import FailoverStanding, without
from cli.status.next_step import Next, next_step, phase_of
from cli.status.observe import InstallationStatus, RegionStatuses, Workload
from cli.status.partitions import (
    Partition,
    duplicates,
    exporting,
    installations,
    partitions_of,
    records,
    silent_brokers,
)
from cli.status.results import Result
from dualregion import brokers
from dualregion.decision import guards
from dualregion.messages import exporting as messages
from dualregion.names import ReleaseNames
from dualregion.observed import zeebe_answers
from dualregion.observed.zeebe_answers import ClusterView
from dualregion.procedure import B1, B5, Phase
from dualregion.procedure.topology import Kind
from dualregion.state.progress import Incident


class Health(StrEnum):
    """How it stands, overall."""

    HEALTHY = "healthy"
    MID_PROCEDURE = "mid-procedure"
    DEGRADED = "degraded"
    CANNOT_TELL = "cannot tell"
    UNSAFE = "unsafe"


_GRAVITY = tuple(Health)
"""The later one outweighs the earlier."""


@dataclass(frozen=True)
class Finding:
    """Something that the operator must know, and what health it amounts to."""

    health: Health
    sentence: str


@dataclass(frozen=True)
class Status:
    """Both regions, judged.

    :ivar phase: the phase wanted; the one further on if the stacks differ.
    :ivar engines: the namespaces of the two search engines that are exported to.
    :ivar stacks: without proofs of which it was seen that they do not stand any more.
    """

    health: Health
    findings: tuple[Finding, ...]
    phase: Phase
    lost: int | None
    incident: Incident | None
    ahead: tuple[RegionStep, ...]
    next: Next | None
    view: Result[ClusterView]
    partitions: tuple[Partition, ...]
    engines: tuple[str, str]
    stacks: Both
    region_statuses: RegionStatuses


def judge(stacks: Both, region_statuses: RegionStatuses) -> Status:
    """Judge what the stacks and the regions say."""
    case = _Case.of(stacks, region_statuses)
    findings = tuple(case.findings())
    health = max((each.health for each in findings), key=_GRAVITY.index, default=Health.HEALTHY)
    return Status(
        health,
        findings,
        case.phase,
        case.lost,
        case.incident,
        case.ahead,
        next_step(case.phase, case.lost, case.stacks, case.ahead),
        case.view,
        case.partitions,
        case.engines,
        case.stacks,
        region_statuses,
    )


@dataclass(frozen=True)
class _Case:
    stacks: Both
    region_statuses: RegionStatuses
    standing: FailoverStanding
    phase: Phase
    lost: int | None
    incident: Incident | None
    ahead: tuple[RegionStep, ...]
    view: Result[ClusterView]
    expected: frozenset[int]
    asleep: frozenset[int]
    engines: tuple[str, str]
    partitions: tuple[Partition, ...]

    @classmethod
    def of(cls, stacks: Both, region_statuses: RegionStatuses) -> "_Case":
        phase, lost = phase_of(stacks)
        standing = FailoverStanding.of(stacks, region_statuses)
        stacks = without(stacks, standing.gone)
        settings = stacks[0].settings.model_copy(update={"phase": phase})
        present = incident(phase, lost, stacks)
        expected = expected_brokers(settings, lost, stacks, present)
        asleep = sleeping_brokers(settings, lost, stacks, present)
        view = best_view(region_statuses, lost)
        engines = exported_to(settings, lost, stacks, present)
        partitions = partitions_of(
            settings,
            view.value,
            expected,
            exporting(region_statuses),
            (records(region_statuses, engines[0]), records(region_statuses, engines[1])),
        )
        left = ahead(phase, lost, stacks)
        return cls(
            stacks,
            region_statuses,
            standing,
            phase,
            lost,
            present,
            left,
            view,
            expected,
            asleep,
            engines,
            partitions,
        )

    def findings(self) -> Iterator[Finding]:
        yield from self._contradictions()
        yield from self._duplicates()
        yield from self._pause()
        yield from self._silence()
        yield from self._standing()
        yield from self._service()
        yield from self._procedure()

    def _contradictions(self) -> Iterator[Finding]:
        for own, peer in (self.stacks, self.stacks[::-1]):
            mine, theirs = own.state.held, peer.state.held
            problem = guards.disagreement(own.settings, theirs) or guards.unsafe_change(
                own.settings, mine, theirs
            )
            if problem:
                yield Finding(Health.UNSAFE, f"stack {own.name}: {problem}")

    def _duplicates(self) -> Iterator[Finding]:
        for broker, places in duplicates(self.region_statuses).items():
            yield Finding(
                Health.UNSAFE,
                f"broker {broker} is at work in {' and in '.join(places)}: two brokers with one id corrupt data. "
                "Keep the network between the regions cut, and take the lost region's away (docs/runbook.md)",
            )

    def _pause(self) -> Iterator[Finding]:
        paused = zeebe_answers.paused_anywhere(exporting(self.region_statuses))
        if paused:
            health = Health.MID_PROCEDURE if self._is_frozen() else Health.UNSAFE
            yield Finding(health, messages.exporters_paused(paused))

    def _is_frozen(self) -> bool:
        """Whether exporters are to stand still: from B2 until the survivor's B5."""
        if self.lost is None or not self.phase.is_failback:
            return False
        survivor, recreated = self.stacks[brokers.other(self.lost)], self.stacks[self.lost]
        reopened = B5.id in survivor.state.held.proved(self.incident)
        return B1.id in recreated.state.held.proved(self.incident) and not reopened

    def _silence(self) -> Iterator[Finding]:
        silent = [region_status for region_status in self.region_statuses if region_status.error]
        for region_status in silent:
            known = region_status.region == self.lost and len(silent) == 1
            health = Health.MID_PROCEDURE if known else Health.DEGRADED
            yield Finding(
                health, f"region {region_status.name} cannot be seen: {region_status.error}"
            )
        if len(silent) == len(self.region_statuses):
            yield Finding(Health.CANNOT_TELL, "neither region can be seen")
        for region_status in self.region_statuses:
            for kind, told in region_status.installations.items():
                if told.error:
                    yield Finding(
                        Health.CANNOT_TELL,
                        f"region {region_status.name}, {kind} installation: {told.error}",
                    )
                elif told.value is not None:
                    for error in _silences(told.value):
                        yield Finding(self._unseen, error)
                elif kind in self.stacks[region_status.region].state.held.nodes:
                    yield Finding(
                        self._incomplete,
                        f"region {region_status.name}: no {kind} installation is there, though its stack holds one",
                    )

    def _standing(self) -> Iterator[Finding]:
        steps, gone = ", ".join(self.standing.stood_on), self.standing.gone
        if self.standing.error:
            what = f"whether what {steps} proved is still there is unknown: {self.standing.error}"
            yield Finding(self._unseen, what)
        if gone:
            listed = ", ".join(sorted({name for names in gone.values() for name in names}))
            yield Finding(
                Health.DEGRADED,
                f"what {', '.join(gone)} proved does not stand any more: gone or recreated is {listed}",
            )

    def _service(self) -> Iterator[Finding]:
        if self.view.value is None:
            installed = any(stack.state.held.nodes for stack in self.stacks)
            if installed and any(not region_status.error for region_status in self.region_statuses):
                yield Finding(
                    Health.DEGRADED, f"no gateway tells of the brokers: {self.view.error}"
                )
            return
        leaderless = [str(each.number) for each in self.partitions if each.leader is None]
        if leaderless:
            yield Finding(
                Health.DEGRADED,
                f"partition {', '.join(leaderless)} has no leader: its commands are refused",
            )
        thin = [each for each in self.partitions if each.missing or each.unhealthy]
        if thin:
            listed = "; ".join(
                f"{each.number} lacks broker {', '.join(map(str, (*each.missing, *each.unhealthy)))}"
                for each in thin
            )
            yield Finding(self._incomplete, f"incomplete partitions: {listed}")
        for installation in installations(self.region_statuses):
            for each in installation.workloads:
                if each.ready < each.wanted - self._sleepers(installation, each):
                    yield Finding(
                        self._incomplete,
                        f"{each.ready} of {each.wanted} pods of {each.name} in {installation.namespace} ready",
                    )

    def _sleepers(self, installation: InstallationStatus, workload: Workload) -> int:
        """Return how many pods of a workload are asleep, as they should be: they are never ready."""
        settings = self.stacks[0].settings
        recreated = self.lost is not None and settings.regions[self.lost].namespace
        brokers_name = ReleaseNames(settings.release).brokers
        if installation.namespace != recreated or workload.name != brokers_name:
            return 0
        return sum(pod.broker in self.asleep and not pod.ready for pod in installation.brokers)

    @property
    def _unseen(self) -> Health:
        """What it amounts to if a part cannot be seen: in the middle of the procedure parts are being started."""
        return Health.MID_PROCEDURE if self.ahead else Health.CANNOT_TELL

    @property
    def _incomplete(self) -> Health:
        """What it amounts to if something is missing: in the middle of the procedure that is usual."""
        return Health.MID_PROCEDURE if self.ahead else Health.DEGRADED

    def _procedure(self) -> Iterator[Finding]:
        if self.ahead:
            step = self.ahead[0]
            yield Finding(
                Health.MID_PROCEDURE,
                f"{len(self.ahead)} steps of phase {self.phase} are ahead, the next is {step.id}",
            )
        elif self.phase is not Phase.NORMAL:
            yield Finding(Health.MID_PROCEDURE, f"phase {self.phase} is complete")
        for stack in self.stacks:
            for lock in stack.locks or ():
                yield Finding(Health.MID_PROCEDURE, f"stack {stack.name} is locked by {lock}")
            if stack.state.pending:
                yield Finding(
                    Health.MID_PROCEDURE,
                    f"stack {stack.name}: a killed run has left {', '.join(stack.state.pending)} pending; "
                    "the next `pulumi up` looks and goes on",
                )


def _silences(installation: InstallationStatus) -> Iterator[str]:
    """Yield what of an installation could not be seen: its gateway's view, its records, its brokers' exporters."""
    place = installation.namespace
    if installation.kind is Kind.NORMAL and installation.view.error:
        yield f"what the gateway of {place} sees is unknown: {installation.view.error}"
    if installation.records.error:
        yield f"what the search engine of {place} holds is unknown: {installation.records.error}"
    for pod in silent_brokers(installation):
        yield f"whether {pod.name} in {place} exports is unknown: {pod.exporting.error}"
