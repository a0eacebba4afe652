"""Derive health, findings and the next step from what was observed. Pure.

The invariant: nothing is called healthy that could not be observed, and whatever may corrupt data is called unsafe,
whatever else is true.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cli.stacks.read import Both
from cli.stacks.region_steps import RegionStep, ahead, incident
from cli.status.failover_standing import FailoverStanding, without
from cli.status.guidance.advice import advised, bring_up_to_date, look_at_unready
from cli.status.guidance.checkout import Behind, in_effect, refusals
from cli.status.guidance.next_step import Next, next_step, phase_of
from cli.status.observed.expectation import (
    best_view,
    expected_brokers,
    exported_to,
    sleeping_brokers,
)
from cli.status.observed.observe import InstallationStatus, RegionStatuses, Workload
from cli.status.observed.partitions import (
    Partition,
    brokers_without_answer,
    duplicates,
    exporting,
    partitions_of,
    records,
)
from cli.status.observed.results import Result
from cli.status.service import Service, service_of
from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.names import ReleaseNames
from dualregion.observed.zeebe_answers import ClusterView, has_quorum
from dualregion.procedure import B1, B5, Phase
from dualregion.procedure.topology import Kind
from dualregion.state.progress import Incident
from messages import Message
from messages.command import status as messages
from messages.command.driving import of_stack
from messages.steps.exporting import exporters_paused


class Health(StrEnum):
    """The state of both regions, overall."""

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
    message: Message


@dataclass(frozen=True)
class Status:
    """Both regions, judged.

    :ivar findings: the gravest first.
    :ivar phase: the phase that is in effect: the one further on, if the stacks or configuration and states differ.
    :ivar engines: the namespaces of the two search engines that are exported to.
    :ivar stacks: set to the phase that is in effect, and without proofs that were seen not to stand any more.
    :ivar behind: what of the configuration here is behind the states.
    :ivar paused_in_backup: that exporters are paused, though by no failback; None if they are not.
    """

    health: Health
    findings: tuple[Finding, ...]
    phase: Phase
    lost: int | None
    incident: Incident | None
    ahead: tuple[RegionStep, ...]
    next: Next | None
    service: Service
    view: Result[ClusterView]
    partitions: tuple[Partition, ...]
    engines: tuple[str, str]
    stacks: Both
    region_statuses: RegionStatuses
    paused_in_backup: Message | None
    behind: Behind | None


def judge(stacks: Both, region_statuses: RegionStatuses) -> Status:
    """Judge what the stacks hold and the regions show."""
    case = _Case.of(stacks, region_statuses)
    findings = tuple(
        sorted(case.findings(), key=lambda each: _GRAVITY.index(each.health), reverse=True)
    )
    settings = stacks[0].settings
    return Status(
        findings[0].health if findings else Health.HEALTHY,
        findings,
        case.phase,
        case.lost,
        case.incident,
        case.ahead,
        case.next(),
        service_of(case.view, case.partitions, region_statuses, settings.release),
        case.view,
        case.partitions,
        case.engines,
        case.stacks,
        region_statuses,
        case.paused_in_backup(),
        case.behind,
    )


@dataclass(frozen=True)
class _Case:
    stacks: Both
    behind: Behind | None
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
        stacks, behind = in_effect(stacks, is_whole=_is_whole(stacks[0].settings, region_statuses))
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
            behind,
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
        yield from self._checkout()
        yield from self._duplicates()
        yield from self._pause()
        yield from self._regions()
        yield from self._installations()
        yield from self._proofs()
        yield from self._service()
        yield from self._procedure()

    def _contradictions(self) -> Iterator[Finding]:
        for stack, problem in refusals(self.stacks):
            yield Finding(Health.UNSAFE, of_stack(stack.name, problem))

    def _checkout(self) -> Iterator[Finding]:
        """Yield that the configuration here is behind; it is no finding about the regions themselves."""
        if self.behind is None:
            return
        last = [each.last for each in self.stacks if each.last and each.last.by_command]
        latest = max(last, key=lambda each: each.start, default=None)
        found = messages.checkout_behind(
            stacks=self.behind.stacks,
            phase=self.behind.phase,
            reached=self.behind.reached,
            region=None
            if self.behind.lost is None
            else self.stacks[self.behind.lost].settings.own.name,
            last=f"{latest.start:%Y-%m-%d %H:%M} UTC, {latest.message}" if latest else "",
            may_be=self.behind.failover_of is not None,
        )
        yield Finding(Health.MID_PROCEDURE, found)

    def _duplicates(self) -> Iterator[Finding]:
        for broker, namespaces in duplicates(self.region_statuses).items():
            yield Finding(Health.UNSAFE, messages.broker_id_twice(broker, namespaces))

    def next(self) -> Next | None:
        """Return what is to be done next: about what was observed, or else by the steps."""
        found = (
            advised(
                self.phase,
                self.lost,
                self.stacks,
                self.region_statuses,
                self.partitions,
                is_settled=not self.ahead,
                is_seen=self.view.value is not None,
                is_paused=self.paused_in_backup() is not None,
                twice=duplicates(self.region_statuses),
            )
            or self._by_steps()
        )
        concerned = () if found or self.phase is not Phase.NORMAL else self._not_ready()
        return look_at_unready(self.stacks[0].settings, concerned) if concerned else found

    def _by_steps(self) -> Next | None:
        """Return the next step; from a folder that is behind plain `pulumi up` is never it."""
        found = next_step(self.phase, self.lost, self.stacks, self.ahead)
        return found if self.behind is None else bring_up_to_date(self.behind, self.stacks, found)

    def _pause(self) -> Iterator[Finding]:
        where, in_backup = self._paused(), self.paused_in_backup()
        if in_backup is not None:
            yield Finding(Health.DEGRADED, in_backup)
        elif where is not None:
            health = Health.MID_PROCEDURE if self._is_frozen() else Health.UNSAFE
            procedure = self.stacks[0].settings.procedure
            yield Finding(health, exporters_paused(where, procedure.no_return.id))

    def _paused(self) -> Message | None:
        """Return where exporters are paused, or None."""
        states = exporting(self.region_statuses)
        paused = {each.pod for each in states if each.is_paused}
        return (
            messages.paused_on(len(paused), len({each.pod for each in states})) if paused else None
        )

    def paused_in_backup(self) -> Message | None:
        """Return that exporters are paused, and not by a failback; None if they are not, or by one.

        A failback never pauses softly, and in phase normal there is none to go on with.
        """
        where = self._paused()
        paused = [each for each in exporting(self.region_statuses) if each.is_paused]
        softly = all(each.is_paused_softly for each in paused)
        others = self.phase is Phase.NORMAL or (softly and self.phase is Phase.FAILOVER)
        if where is None or not others:
            return None
        return messages.exporters_paused_in_backup(where, softly)

    def _is_frozen(self) -> bool:
        """Whether exporters are to be paused: from B2 until the survivor's B5."""
        if self.lost is None or not self.phase.is_failback:
            return False
        survivor, recreated = self.stacks[brokers.other(self.lost)], self.stacks[self.lost]
        reopened = B5.id in survivor.state.held.proved(self.incident)
        return B1.id in recreated.state.held.proved(self.incident) and not reopened

    def _regions(self) -> Iterator[Finding]:
        unreachable = [each for each in self.region_statuses if each.error]
        for each in unreachable:
            known = each.region == self.lost and len(unreachable) == 1
            # One that answers and cannot be looked into may be well.
            unseen = Health.CANNOT_TELL if each.answers else Health.DEGRADED
            health = Health.MID_PROCEDURE if known else unseen
            yield Finding(health, messages.region_unreachable(each.name, each.error or ""))
        if len(unreachable) == len(self.region_statuses):
            yield Finding(Health.CANNOT_TELL, messages.both_regions_unreachable())

    def _installations(self) -> Iterator[Finding]:
        for region in self.region_statuses:
            for kind, found in region.installations.items():
                if found.error:
                    unknown = messages.installation_unknown(region.name, kind, found.error)
                    yield Finding(Health.CANNOT_TELL, unknown)
                elif found.value is not None:
                    has_gateway = not self._has_outsiders_only(found.value)
                    unseen = _unknown(found.value, has_gateway=has_gateway)
                    yield from (Finding(self._unseen, each) for each in unseen)
                elif kind in self.stacks[region.region].state.held.nodes:
                    gone = messages.installation_gone(region.name, kind)
                    yield Finding(self._incomplete, gone)

    def _has_outsiders_only(self, installation: InstallationStatus) -> bool:
        """Whether the gateways of an installation are in its brokers, and none of these can be ready yet."""
        serves = self.stacks[0].settings.version.brokers.serves_gateway
        return serves and {each.broker for each in installation.brokers} <= self.asleep

    def _proofs(self) -> Iterator[Finding]:
        if self.standing.error:
            unknown = messages.proofs_unknown(tuple(self.standing.stood_on), self.standing.error)
            yield Finding(self._unseen, unknown)
        if gone := self.standing.gone:
            listed = sorted({name for names in gone.values() for name in names})
            outdated = messages.proofs_outdated(tuple(gone), tuple(listed))
            yield Finding(Health.DEGRADED, outdated)

    def _service(self) -> Iterator[Finding]:
        if self.view.value is None:
            installed = any(stack.state.held.nodes for stack in self.stacks)
            if installed and any(not region.error for region in self.region_statuses):
                yield Finding(Health.DEGRADED, messages.brokers_unknown(self.view.error or ""))
            return
        leaderless = tuple(each.number for each in self.partitions if each.leader is None)
        if leaderless:
            yield Finding(Health.DEGRADED, messages.partitions_without_leader(leaderless))
        thin = [each for each in self.partitions if each.missing or each.unhealthy]
        if thin:
            lacking = tuple(", ".join(map(str, (*each.missing, *each.unhealthy))) for each in thin)
            numbers = tuple(each.number for each in thin)
            yield Finding(self._incomplete, messages.partitions_incomplete(numbers, lacking))
        for _, installation, each in self._short():
            short = messages.pods_not_ready(
                each.ready, each.wanted, each.name, installation.namespace
            )
            yield Finding(self._incomplete, short)

    def _short(self) -> Iterator[tuple[int, InstallationStatus, Workload]]:
        """Yield each workload that has too few ready pods, with its region and installation."""
        for region in self.region_statuses:
            for installation in region.seen:
                for each in installation.workloads:
                    if each.ready < each.wanted - self._sleepers(installation, each):
                        yield region.region, installation, each

    def _not_ready(self) -> Collection[int]:
        """Return the regions in which something is not ready; both if that is seen of partitions only."""
        short = {region for region, _, _ in self._short()}
        thin = any(
            each.leader is None or each.missing or each.unhealthy for each in self.partitions
        )
        everywhere = range(brokers.REGIONS) if self.view.value is not None and thin else ()
        return short or everywhere

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
        """What it amounts to if a part is unknown: in the middle of the procedure parts are being started."""
        return Health.MID_PROCEDURE if self.ahead else Health.CANNOT_TELL

    @property
    def _incomplete(self) -> Health:
        """What it amounts to if something is missing: in the middle of the procedure that is usual."""
        return Health.MID_PROCEDURE if self.ahead else Health.DEGRADED

    def _procedure(self) -> Iterator[Finding]:
        if self.ahead:
            left = messages.steps_ahead(len(self.ahead), self.phase, self.ahead[0].id)
            yield Finding(Health.MID_PROCEDURE, left)
        elif self.phase is not Phase.NORMAL:
            yield Finding(Health.MID_PROCEDURE, messages.phase_complete(self.phase))
        for stack in self.stacks:
            for lock in stack.locks or ():
                held = messages.run_under_way(stack.name, str(lock), lock.may_be_left)
                yield Finding(Health.MID_PROCEDURE, held)
            if stack.state.pending:
                pending = messages.operations_pending(stack.name, stack.state.pending)
                yield Finding(Health.MID_PROCEDURE, pending)


def _is_whole(settings: Settings, region_statuses: RegionStatuses) -> bool:
    """Whether both regions answer, and commands are accepted: there is nothing to fail over from."""
    view = best_view(region_statuses, lost=None).value
    seen = view is not None and has_quorum(view, partition_count=settings.partition_count)
    return seen and not any(each.error for each in region_statuses)


def _unknown(installation: InstallationStatus, *, has_gateway: bool) -> Iterator[Message]:
    """Yield what of an installation is unknown: its gateway's view, its records, its brokers' exporters.

    :param has_gateway: whether a gateway can answer there at all.
    """
    namespace = installation.namespace
    if has_gateway and installation.kind is Kind.NORMAL and installation.view.error:
        yield messages.gateway_unknown(namespace, installation.view.error)
    if installation.records.error:
        yield messages.records_unknown(namespace, installation.records.error)
    for pod in brokers_without_answer(installation):
        yield messages.exporting_unknown(pod.name, namespace, pod.exporting.error or "")
