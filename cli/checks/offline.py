"""What can be known before an incident: each check with its finding, and its remedy if it fails. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.check import Check, check, unknown
from cli.status.health import Status
from cli.status.observe import RegionStatus
from cli.status.partitions import exporting, silent_brokers
from cli.status.partitions import installations as seen_installations
from dualregion import VERSION, brokers
from dualregion.chart import installations
from dualregion.chart.adoption import ChartVersion
from dualregion.chart.demands import conflicts, conflicts_of_failover
from dualregion.chart.values import Values
from dualregion.config.network_acls import rules_in_words
from dualregion.config.settings import Settings
from dualregion.decision.drift import Wanted, drift
from dualregion.errors import ConfigError
from dualregion.iam import with_role
from dualregion.observed import zeebe_answers
from dualregion.observed.zeebe_answers import RUNNING
from dualregion.procedure import FAILBACK_STEPS, PROCEDURE, Phase, Role
from dualregion.procedure.topology import Kind, Topology


@dataclass(frozen=True)
class CheckContext:
    """What the checks stand on.

    :ivar backend: the state backend's URL.
    :ivar folder: the project's.
    :ivar values: the user's merged Helm values, or why they cannot be read.
    :ivar failover_values: those of the failover installation.
    :ivar chart: the chart that is wanted; None if it cannot be read.
    :ivar defaults: its own values, as far as they can be read.
    """

    status: Status
    backend: str
    values: Values = field(default_factory=dict)
    values_problem: str | None = None
    failover_values: Values = field(default_factory=dict)
    chart: ChartVersion | None = None
    defaults: Values = field(default_factory=dict)
    folder: Path = Path()

    @property
    def settings(self) -> Settings:
        """The settings of region 0's stack; the other one's must be the same, and that is checked."""
        return self.status.stacks[0].settings


def always(ctx: CheckContext) -> Iterator[Check]:
    """Check what holds in every phase."""
    first, second = (stack.settings for stack in ctx.status.stacks)
    differing = _differing(first, second)
    yield check(
        "both stacks are configured alike",
        differing and f"they differ in {differing}",
        "set these keys once, in Pulumi.yaml, or alike on both stacks",
    )
    yield _quorum(ctx)
    problems = [ctx.values_problem] if ctx.values_problem else _conflicts(ctx)
    yield check("Helm values", "; ".join(problems) or None, "fix the files that `values` names")
    yield from _as_installed(ctx)
    yield check(
        "the state backend outlasts either region",
        f"it is {ctx.backend}, a folder of this machine"
        if ctx.backend.startswith("file:")
        else None,
        "`pulumi login` to a backend that outlasts either region and this machine",
        ctx.backend,
    )
    for index, region in enumerate(first.regions):
        survivor = first.regions[brokers.other(index)].network_acls
        rules = rules_in_words(survivor, region.pod_cidrs) if survivor else ()
        yield check(
            f"isolation of region {region.name}",
            None
            if region.pod_cidrs
            else "podCidrs is not set: F1 only proves the isolation, and makes none",
            "set podCidrs, or have another way to cut the network between the regions at hand",
            "; ".join(("network policies", *rules)),
        )
    yield from _at_rest(ctx.status)
    for region_status in ctx.status.region_statuses:
        yield check(
            f"region {region_status.name} answers",
            region_status.error,
            f"kubectl --context {region_status.context} get nodes; look at the kubeconfig and your login",
        )


def _quorum(ctx: CheckContext) -> Check:
    """Hold the live cluster's own distribution against either loss; what is not in sight is unknown.

    While a region is away, what is left of the distribution is only held against the computed one.
    """
    name, settings, status = "quorum after either loss", ctx.settings, ctx.status
    sizes = (settings.cluster_size, settings.partition_count, settings.replication_factor)
    if status.view.value is None:
        return unknown(name, f"no gateway says who holds which partition: {status.view.error}")
    found = zeebe_answers.distribution(
        status.view.value,
        partition_count=settings.partition_count,
        replication_factor=settings.replication_factor,
    )
    problem = found.problem((0, 1), settings.cluster_size)
    if problem:
        remedy = "a cluster of this distribution cannot be failed over: docs/runbook.md, Messages and what to do"
        return check(name, problem, remedy)
    other = found.contradiction(brokers.computed_holders(*sizes))
    if other or (found.partial and status.lost is None):
        partial = ", ".join(map(str, sorted(found.partial)))
        return unknown(name, other or f"not all copies of partition {partial} are in sight")
    alive = {lost: brokers.alive_after_failover(settings.cluster_size, lost) for lost in (0, 1)}
    return check(
        name,
        None,
        "",
        "; ".join(
            f"region {lost} lost: broker {', '.join(map(str, ids))}" for lost, ids in alive.items()
        ),
    )


def _conflicts(ctx: CheckContext) -> list[str]:
    try:
        return conflicts(ctx.values, ctx.settings, ctx.defaults) or conflicts_of_failover(
            ctx.values, ctx.failover_values, ctx.settings, ctx.defaults
        )
    except ConfigError as error:
        return list(error.problems)


def _as_installed(ctx: CheckContext) -> Iterator[Check]:
    """Check that a failover would change nothing but what it must: what is written down only is refused then."""
    if ctx.status.phase is not Phase.NORMAL or ctx.values_problem or ctx.chart is None:
        return
    for stack, other in (ctx.status.stacks, ctx.status.stacks[::-1]):
        own, peer = stack.state.held, other.state.held
        if Kind.NORMAL not in own.nodes:
            continue
        name = f"stack {stack.name} is installed as it is configured"
        if Kind.NORMAL not in own.values:
            yield unknown(name, "its state does not show the values that it was installed with")
            continue
        lost = brokers.other(stack.settings.region)
        settings = stack.settings.model_copy(update={"phase": Phase.FAILOVER, "lost_region": lost})
        release = installations.own(settings, with_role(ctx.values, settings))
        topology = Topology(Role.SURVIVOR, nodes=(release,))
        found = drift(Wanted(settings, topology, ctx.chart, VERSION), own, peer)
        yield check(
            name,
            "; ".join(found) or None,
            f"`pulumi up --stack {stack.name}` while nothing is lost",
        )


_OWN_KEYS = {
    *("phase", "lost_region", "region", "peer_stack", "deadline_seconds", "kubeconfig"),
    "accept_cluster",
}
"""What may differ between the stacks."""


def _differing(first: Settings, second: Settings) -> str:
    mine, theirs = (_plain(each) for each in (first, second))
    return ", ".join(sorted(key for key in mine if mine[key] != theirs[key]))


def _plain(settings: Settings) -> dict[str, Any]:
    return {key: value for key, value in settings.model_dump().items() if key not in _OWN_KEYS}


def _at_rest(status: Status) -> Iterator[Check]:
    for stack in status.stacks:
        locks = ", ".join(map(str, stack.locks or ()))
        pending = ", ".join(stack.state.pending)
        problem = (
            (locks and f"locked by {locks}") or (pending and f"left pending: {pending}") or None
        )
        seen = (
            ""
            if stack.locks is not None
            else "; this backend does not show locks: Pulumi heeds them"
        )
        yield check(
            f"stack {stack.name} is at rest",
            problem,
            f"wait for that run; if it is gone, `pulumi cancel --stack {stack.name}` and `pulumi up`; what is still "
            f"pending then: `pulumi refresh --clear-pending-creates --stack {stack.name}`",
            f"nothing is pending{seen}",
        )


def before_failover(ctx: CheckContext) -> Iterator[Check]:
    """Check what a failover needs, while nothing is lost."""
    status = ctx.status
    short = [
        str(each.number)
        for each in status.partitions
        if each.missing or each.unhealthy or each.leader is None
    ]
    complete = "every partition is complete"
    if status.view.value is None:
        yield unknown(complete, f"no gateway tells of the brokers: {status.view.error}")
    else:
        yield check(
            complete,
            f"partition {', '.join(short)} is not" if short else None,
            "`dualregion status`; fix the brokers it names",
        )
    for region_status in status.region_statuses:
        yield _sees_all(
            f"the gateway of region {region_status.name} sees all brokers", region_status, ctx
        )
    yield _exporters(status)


def _sees_all(name: str, region_status: RegionStatus, ctx: CheckContext) -> Check:
    told = next((each.view for each in region_status.seen if each.kind is Kind.NORMAL), None)
    if told is None or told.value is None:
        unseen = next(
            (each.error for each in region_status.installations.values() if each.error), None
        )
        error = told.error if told is not None else region_status.error or unseen
        return unknown(name, error or "nothing is installed there")
    missing = told.value.missing(ctx.settings.cluster_size)
    return check(
        name,
        f"it does not see broker {', '.join(map(str, missing))}" if missing else None,
        "network and DNS between the regions, in both directions; then the brokers' logs",
    )


def before_failback(ctx: CheckContext) -> Iterator[Check]:
    """Check what a failback needs, while the failover runs."""
    status, settings = ctx.status, ctx.settings
    lost = status.lost
    if lost is None:
        yield check(
            "a failover is complete",
            "no region is lost",
            "`dualregion failover`, if a region is lost",
        )
        return
    proved = status.stacks[brokers.other(lost)].state.held.proved(status.incident)
    complete = PROCEDURE.taken_over
    begun = any(step.id in proved for step in FAILBACK_STEPS)
    yield check(
        "the failover is complete",
        None if begun or complete.id in proved else f"{complete.id} is not proved",
        f"`dualregion failover --lost {lost}`",
    )
    missing = settings.backup.missing
    yield check(
        "where the snapshot goes",
        missing and f"backup.settings.{missing} is not set",
        f"pulumi config set --path backup.settings.{missing} NAME, on both stacks",
    )
    if not begun:
        yield _exporters(status)


def _exporters(status: Status) -> Check:
    """Check that every replica of every partition says that its exporters work; one that says nothing is unknown."""
    name, said = "every broker exports", exporting(status.region_statuses)
    wrong = sorted(
        {f"{each.pod}: {each.phase or 'unknown'}" for each in said if each.phase != RUNNING}
    )
    if wrong:
        remedy = "docs/runbook.md, EXPORTERS ARE PAUSED; or that broker's log and search engine"
        return check(name, ", ".join(wrong), remedy)
    silent = [
        f"{each.namespace}/{pod.name}: {pod.exporting.error}"
        for each in seen_installations(status.region_statuses)
        for pod in silent_brokers(each)
    ]
    if silent:
        return unknown(name, "; ".join(silent))
    if status.view.value is None:
        return unknown(name, f"no gateway says which brokers there are: {status.view.error}")
    replicas = sum(len(broker.replicas) for broker in status.view.value.brokers)
    if not replicas or len(said) < replicas:
        return unknown(name, f"{len(said)} of {replicas} replicas in sight were asked")
    return check(name, None, "", f"{len(said)} replicas say so")
