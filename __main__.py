"""The program: settings -> desired topology -> components -> outputs."""

import gc

# Looking for garbage among thousands of imported classes is a tenth of a run's time.
gc.disable()

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pulumi

from clients.charts import defaults_of
from clients.files import chart_version, check_chart, read_values
from clients.kubernetes import CallFailed, Cluster
from components.outputs import outputs
from components.region import Region, RegionArgs
from components.stacks import read_own, read_peer, reading_both
from dualregion import VERSION
from dualregion.chart.demands import conflicts, conflicts_of_failover
from dualregion.chart.installations import Bases
from dualregion.config.environment import environment_problems
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired, remembered
from dualregion.decision.drift import Wanted, drift
from dualregion.decision.guards import disagreement, unsafe_change
from dualregion.errors import ClusterUnreachable, ConfigError, DualRegionError, unforeseen
from dualregion.iam import with_role
from dualregion.procedure import Role
from dualregion.procedure.topology import Topology
from dualregion.secrets import without_secrets
from dualregion.state.progress import Incident, Stack, current_incident
from steps import dns
from steps.before import identity, preflight, recovery, standing
from steps.context import StepContext
from steps.paused_exporters import notice_of_interruption
from steps.releases import adoption, clean_slate, helm_records, rendering

PROJECT = Path(__file__).parent


def main() -> None:
    """Declare what this stack's phase demands, or say in one message why it cannot be."""
    try:
        ctx = _site(_settings())
        preflight.check(ctx)
        adoption.check(ctx, PROJECT)
        seen = rendering.check(ctx)
    except DualRegionError as error:
        raise pulumi.RunError(without_secrets(f"nothing was changed:\n{error}")) from None
    for warning in (*preflight.warnings(ctx), *seen.warnings):
        pulumi.log.warn(warning)
    ctx = replace(ctx, rendered=seen.proved)
    if ctx.settings.allow_changes:
        named = ", ".join(ctx.settings.allow_changes)
        pulumi.log.warn(
            f"changes of {named} pass, as allowChanges says: take that out when they are done"
        )
    if ctx.topology.waiting_for:
        pulumi.log.info(f"waiting: {ctx.topology.waiting_for}")
    region = Region(f"region{ctx.settings.region}", RegionArgs(ctx, str(PROJECT)))
    for name, value in outputs(ctx, region).items():
        pulumi.export(name, value)
    # Nor is any looked for there in the gates, which may wait for long, or at the process's end.
    gc.freeze()
    gc.enable()


def _settings() -> Settings:
    """Return the settings of the stack's configuration.

    :raises ConfigError: naming every problem.
    """
    config = pulumi.Config()
    prefix = f"{config.name}:"
    keys = [key for key in pulumi.runtime.config.CONFIG.get() if key.startswith(prefix)]
    texts = {key.removeprefix(prefix): config.require(key.removeprefix(prefix)) for key in keys}
    secret = [key.removeprefix(prefix) for key in keys if pulumi.runtime.is_config_secret(key)]
    return Settings.of_configuration(texts, str(PROJECT), secret)


def _site(settings: Settings) -> StepContext:
    """Return where this stack works and what is wanted there.

    :raises DualRegionError: if anything of it is unusable.
    """
    if unfit := environment_problems(os.environ):
        raise ConfigError(unfit)
    check_chart(settings.chart, PROJECT)
    chart = chart_version(settings.chart, PROJECT)
    base = with_role(read_values(settings.values, PROJECT), settings)
    failover_values = read_values(settings.failover_values, PROJECT, default=None)
    defaults = defaults_of(settings.chart, PROJECT)
    problems = conflicts(base, settings, defaults) or conflicts_of_failover(
        base, failover_values, settings, defaults
    )
    if problems:
        raise ConfigError(problems)
    own, peer = read_own(), read_peer(settings.peer_stack_name)
    _refuse_unsafe(settings, own, peer)
    cluster = Cluster(settings.kubeconfig, settings.own.kube_context)
    remembered_incident = current_incident(settings, own, peer)
    if settings.phase.is_failback:
        # Each step of it looks there, too: a context that cannot be used is refused before the first one.
        Cluster(settings.kubeconfig, settings.peer.kube_context)
    unrecorded: dict[str, int] = {}
    cluster_id: str | None = None
    try:
        cluster.check_answers()
        cluster_id = identity.check(cluster, settings, own, remembered_incident)
        own = _found_again(own, cluster, settings, remembered_incident)
        own = _without_what_is_gone(own, cluster, settings)
        topology = desired(settings, base, peer, own, failover_values)
        if topology.role is Role.SURVIVOR:
            topology = standing.proved_again(cluster, settings, topology, own, pulumi.log.warn)
        known = recovery.completed(settings, own, cluster)
        if changes := drift(Wanted(settings, topology, chart, VERSION), known, peer):
            raise ConfigError(changes)
        unrecorded = _unrecorded(topology, own, cluster, settings)
    except (ClusterUnreachable, CallFailed) as error:
        passing = isinstance(error, ClusterUnreachable) or error.may_pass
        if settings.role is not Role.LOST or not passing:
            raise
        pulumi.log.warn(f"{error}")
        topology = remembered(settings, own)
    writes = _chain_writes(topology, own, cluster, settings)
    return StepContext(
        cluster,
        settings,
        topology,
        pulumi.log.info,
        own,
        peer,
        # By what the stack holds by now: an emptied state remembered another incident, or none.
        current_incident(settings, own, peer),
        unrecorded,
        writes,
        reading_both(settings.peer_stack_name),
        cluster_id,
        str(chart),
        Bases.of(base, failover_values),
        PROJECT,
    )


def _refuse_unsafe(settings: Settings, own: Stack, peer: Stack) -> None:
    """Refuse what must not follow on what both states hold, before the cluster is asked.

    :raises ConfigError: saying why; what an emptied state must follow on is found in the cluster.
    """
    change = disagreement(settings, peer, own)
    if change is None and not recovery.is_emptied(settings, own):
        change = unsafe_change(settings, own, peer)
    if change:
        raise ConfigError([change])


def _found_again(
    own: Stack, cluster: Cluster, settings: Settings, incident: Incident | None
) -> Stack:
    """Return what the stack holds, and say so if its state had lost it."""
    found = recovery.found_again(settings, own, cluster, incident)
    if found.found_again:
        pulumi.log.warn(
            f"the state of this stack holds nothing of region {settings.own.name} any more, but the cluster does: what runs "
            f"there is taken over, and steps {', '.join(found.gates)} count as proved, as their records say"
        )
    return found


def _chain_writes(topology: Topology, own: Stack, cluster: Cluster, settings: Settings) -> int:
    """Return how often the DNS chain has been written, with this run if it is gone from the Corefile.

    The Corefile may have been overwritten; only another record makes its hook run again.

    :raises DualRegionError: if it can never be put there, or the cluster cannot be asked.
    """
    held = own.chain_writes
    if topology.names.block is None or topology.names.kept:
        return held
    if not dns.missing(cluster, settings, settings.region):
        return held or 1
    if held:
        pulumi.log.warn(
            f"the DNS chain is not in {dns.place_of(cluster, settings)} as it should be: it is written again"
        )
    return held + 1


def _unrecorded(
    topology: Topology, own: Stack, cluster: Cluster, settings: Settings
) -> dict[str, int]:
    """Return the revision of each release of ours that Pulumi's state knows nothing of."""
    found = {
        each.name: helm_records.unrecorded_upgrade(
            cluster, each.namespace, settings.release, each.values, own.values.get(each.name)
        )
        for each in topology.installations
        if each.name in own.nodes
    }
    return {name: revision for name, revision in found.items() if revision is not None}


def _without_what_is_gone(own: Stack, cluster: Cluster, settings: Settings) -> Stack:
    """Return what the stack holds, which is nothing in a region that was recreated.

    Its state, read before this run's refresh, still remembers what is gone.
    """
    gone_before = settings.role in (Role.LOST, Role.RECREATED)
    return clean_slate.still_held(own, cluster, settings.own.namespace) if gone_before else own


def _exit_quietly(*_: object) -> None:
    """Leave at once when the engine, or Ctrl-C, stops the program: a stack trace would tell nothing.

    A step that is under way leaves no record, so the next `pulumi up` does it again. Only what may be paused is told.
    """
    if notice := notice_of_interruption():
        print(notice, file=sys.stderr, flush=True)
    os._exit(1)


signal.signal(signal.SIGINT, _exit_quietly)
try:
    main()
except pulumi.RunError:
    raise
except Exception as failure:
    # A trace would tell the operator nothing, and an error's text may hold Helm values, passwords among them.
    raise pulumi.RunError(
        f"something that the program did not foresee ({unforeseen(failure)}): please report it with this line"
    ) from None
