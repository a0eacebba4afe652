"""What can be known before an incident: each check with its finding, and its remedy if it fails. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.check import Check, check, failed, ok, unknown
from cli.status.health import Status
from cli.status.observed.observe import RegionStatus
from cli.status.observed.partitions import brokers_without_answer, exporting
from cli.status.observed.partitions import installations as seen_installations
from dualregion import VERSION, brokers
from dualregion.chart import installations
from dualregion.chart.adoption import ChartVersion
from dualregion.chart.fit import misfits
from dualregion.chart.values import Values
from dualregion.config.sections.network_acls import rules_in_words
from dualregion.config.settings import Settings
from dualregion.decision.drift import Wanted, drift
from dualregion.errors import ConfigError
from dualregion.iam import with_role
from dualregion.observed import zeebe_answers
from dualregion.observed.zeebe_answers import RUNNING
from dualregion.procedure import FAILBACK_STEPS, Phase, Role
from dualregion.procedure.topology import Kind, Topology
from messages import Message
from messages.command import checks as messages
from messages.command.status import brokers_unknown
from messages.observed.brokers import all_of


@dataclass(frozen=True)
class CheckContext:
    """What the checks go by.

    :ivar backend: the state backend's URL.
    :ivar folder: the project's.
    :ivar values: the user's merged Helm values, or why they cannot be read.
    :ivar failover_values: those of the failover installation.
    :ivar chart: the chart that is wanted; None if it cannot be read.
    :ivar defaults: its own values, as far as they can be read.
    :ivar plain_keys: the stacks that hold the search engine's keys in plain text.
    """

    status: Status
    backend: str
    values: Values = field(default_factory=dict)
    values_problem: Message | None = None
    failover_values: Values = field(default_factory=dict)
    chart: ChartVersion | None = None
    defaults: Values = field(default_factory=dict)
    folder: Path = Path()
    plain_keys: tuple[str, ...] = ()

    @property
    def settings(self) -> Settings:
        """The settings of region 0's stack; the other one's must be the same, and that is checked."""
        return self.status.stacks[0].settings


def always(ctx: CheckContext) -> Iterator[Check]:
    """Check what holds in every phase."""
    first, second = (stack.settings for stack in ctx.status.stacks)
    differences = differing(first, second)
    yield check(
        messages.check_stacks_alike(),
        messages.stacks_differ(differences) if differences else None,
        messages.fix_settings(),
    )
    yield _quorum(ctx)
    problems = [ctx.values_problem] if ctx.values_problem else _conflicts(ctx)
    yield check(messages.check_values(), all_of(problems), messages.fix_values())
    if ctx.settings.elasticsearch_secret is not None:
        readable = messages.keys_in_plain(ctx.plain_keys) if ctx.plain_keys else None
        yield check(messages.check_keys_encrypted(), readable, messages.fix_keys_in_plain())
    yield from _as_installed(ctx)
    yield check(
        messages.check_backend(),
        messages.backend_on_this_machine(ctx.backend) if ctx.backend.startswith("file:") else None,
        messages.fix_backend(),
        messages.backend_in_use(ctx.backend),
    )
    for index, region in enumerate(first.regions):
        survivor = first.regions[brokers.other(index)].network_acls
        rules = rules_in_words(survivor, region.pod_cidrs) if survivor else ()
        yield check(
            messages.check_isolation(region.name),
            None if region.pod_cidrs else messages.pod_cidrs_missing(),
            messages.fix_isolation(),
            messages.isolated_by(tuple(rules)),
        )
    yield from _at_rest(ctx.status)
    for region_status in ctx.status.region_statuses:
        yield check(
            messages.check_region_answers(region_status.name),
            region_status.error,
            messages.fix_region_access(region_status.context),
        )


def _quorum(ctx: CheckContext) -> Check:
    """Check the live cluster's own distribution for either loss; what is not seen is unknown.

    While a region is away, what is left of the distribution is only compared with the computed one.
    """
    name, settings, status = messages.check_quorum(), ctx.settings, ctx.status
    sizes = (settings.cluster_size, settings.partition_count, settings.replication_factor)
    if status.view.value is None:
        return unknown(name, messages.holders_unknown(status.view.error or ""))
    found = zeebe_answers.distribution(
        status.view.value,
        partition_count=settings.partition_count,
        replication_factor=settings.replication_factor,
    )
    by_removal = not settings.procedure.has_failover_installation
    problem = found.problem((0, 1), settings.cluster_size, by_removal=by_removal)
    if problem:
        return failed(name, problem, messages.fix_distribution())
    other = found.contradiction(brokers.computed_holders(*sizes))
    if other or (found.partial and status.lost is None):
        return unknown(name, other or messages.copies_not_seen(tuple(sorted(found.partial))))
    left = brokers.staying if by_removal else brokers.alive_after_failover
    without_0, without_1 = (left(settings.cluster_size, lost) for lost in (0, 1))
    return ok(name, messages.quorum_kept(without_0, without_1))


def _conflicts(ctx: CheckContext) -> Sequence[Message]:
    chart = ctx.chart or ChartVersion("", "")
    try:
        return misfits(ctx.settings, chart, ctx.values, ctx.failover_values, ctx.defaults)
    except ConfigError as error:
        return error.problems


def _as_installed(ctx: CheckContext) -> Iterator[Check]:
    """Check that a failover would change nothing but what it must: what is written down only is refused then."""
    if ctx.status.phase is not Phase.NORMAL or ctx.values_problem or ctx.chart is None:
        return
    for stack, other in (ctx.status.stacks, ctx.status.stacks[::-1]):
        own, peer = stack.state.held, other.state.held
        if Kind.NORMAL not in own.nodes:
            continue
        name = messages.check_as_installed(stack.name)
        if Kind.NORMAL not in own.values:
            yield unknown(name, messages.installed_values_unknown())
            continue
        lost = brokers.other(stack.settings.region)
        settings = stack.settings.model_copy(update={"phase": Phase.FAILOVER, "lost_region": lost})
        release = installations.own(settings, with_role(ctx.values, settings))
        topology = Topology(Role.SURVIVOR, nodes=(release,))
        found = drift(Wanted(settings, topology, ctx.chart, VERSION), own, peer)
        yield check(name, all_of(found), messages.fix_installed(stack.name))


_OWN_KEYS = {
    *("phase", "lost_region", "region", "peer_stack", "deadline_seconds", "kubeconfig"),
    "accept_cluster",
}
"""What may differ between the stacks."""


def differing(first: Settings, second: Settings) -> tuple[str, ...]:
    """Return the settings that are not the same on both stacks, though they must be."""
    mine, theirs = (_plain(each) for each in (first, second))
    return tuple(sorted(key for key in mine if mine[key] != theirs[key]))


def _plain(settings: Settings) -> dict[str, Any]:
    return {key: value for key, value in settings.model_dump().items() if key not in _OWN_KEYS}


def _at_rest(status: Status) -> Iterator[Check]:
    for stack in status.stacks:
        locks, pending = tuple(map(str, stack.locks or ())), stack.state.pending
        problem = messages.left_pending(pending) if pending else None
        yield check(
            messages.check_at_rest(stack.name),
            messages.locked_by(locks) if locks else problem,
            messages.fix_lock(stack.name),
            messages.nothing_pending(locks_shown=stack.locks is not None),
        )


def before_failover(ctx: CheckContext) -> Iterator[Check]:
    """Check what a failover needs, while nothing is lost."""
    status = ctx.status
    short = tuple(
        each.number
        for each in status.partitions
        if each.missing or each.unhealthy or each.leader is None
    )
    complete = messages.check_partitions()
    if status.view.value is None:
        yield unknown(complete, brokers_unknown(status.view.error or ""))
    else:
        problem = messages.partitions_not_complete(short) if short else None
        yield check(complete, problem, messages.fix_brokers())
    for region_status in status.region_statuses:
        yield _sees_all(messages.check_gateway(region_status.name), region_status, ctx)
    yield _exporters(status)


def _sees_all(name: Message, region_status: RegionStatus, ctx: CheckContext) -> Check:
    view = next((each.view for each in region_status.seen if each.kind is Kind.NORMAL), None)
    if view is None or view.value is None:
        unseen = next(
            (each.error for each in region_status.installations.values() if each.error), None
        )
        error = view.error if view is not None else region_status.error or unseen
        return unknown(name, error or messages.not_installed_there())
    missing = view.value.missing(ctx.settings.cluster_size)
    return check(
        name,
        messages.brokers_not_seen(tuple(missing)) if missing else None,
        messages.fix_network(),
    )


def before_failback(ctx: CheckContext) -> Iterator[Check]:
    """Check what a failback needs, while the failover runs."""
    status, settings = ctx.status, ctx.settings
    lost = status.lost
    if lost is None:
        yield failed(
            messages.check_failover_complete(),
            messages.no_region_lost(),
            messages.fix_no_failover(),
        )
        return
    proved = status.stacks[brokers.other(lost)].state.held.proved(status.incident)
    complete = settings.procedure.taken_over
    begun = any(step in proved for step in FAILBACK_STEPS)
    yield check(
        messages.check_failover_complete(),
        None if begun or complete.id in proved else messages.step_missing(complete.id),
        messages.fix_failover(lost),
    )
    missing = settings.backup.missing
    yield check(
        messages.check_snapshot_place(),
        messages.snapshot_place_missing(missing) if missing else None,
        messages.fix_backup(missing or ""),
    )
    if not begun:
        yield _exporters(status)


def _exporters(status: Status) -> Check:
    """Check that the exporters of every replica of every partition work; one that does not answer is unknown.

    While a backup of Camunda has paused them it is unknown, too, whether they would work.
    """
    name, states = messages.check_exporting(), exporting(status.region_statuses)
    in_backup = status.paused_in_backup
    if in_backup is not None:
        return unknown(name, in_backup, messages.fix_backup_pause())
    wrong = sorted(
        {f"{each.pod}: {each.phase or 'unknown'}" for each in states if each.phase != RUNNING}
    )
    if wrong:
        return failed(name, messages.not_exporting(tuple(wrong)), messages.fix_exporting())
    unanswered = tuple(
        f"{each.namespace}/{pod.name}: {pod.exporting.error}"
        for each in seen_installations(status.region_statuses)
        for pod in brokers_without_answer(each)
    )
    if unanswered:
        return unknown(name, messages.exporters_unknown(unanswered))
    if status.view.value is None:
        return unknown(name, brokers_unknown(status.view.error or ""))
    replicas = sum(len(broker.replicas) for broker in status.view.value.brokers)
    if not replicas or len(states) < replicas:
        return unknown(name, messages.replicas_not_asked(len(states), replicas))
    return ok(name, messages.replicas_export(len(states)))
