"""What a run finds before it declares anything, and what is to be declared then.

In this order, as each may end the run: the environment and the project's files, the states of both stacks, the region's
cluster; then `decide`, on all of that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from clients.charts import defaults_of
from clients.cluster.kubernetes import CallFailed, Cluster
from clients.files import chart_version, check_chart, read_failover_values, read_values
from clients.installation import LiveInstallation
from dualregion import VERSION
from dualregion.chart.adoption import ChartVersion
from dualregion.chart.fit import misfits
from dualregion.chart.installations import Bases
from dualregion.config.environment import environment_problems
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired, remembered
from dualregion.decision.drift import Wanted, drift
from dualregion.decision.guards import disagreement, unsafe_change
from dualregion.errors import ClusterUnreachable, ConfigError, ProgramFault
from dualregion.iam import with_role
from dualregion.procedure import Role
from dualregion.procedure.topology import Topology
from dualregion.state.progress import Incident, Stack, current_incident
from messages.steps import preflight as messages
from messages.steps.dns import chain_written_again
from steps import dns
from steps.before import identity, recovery, standing
from steps.context import StepContext
from steps.releases import clean_slate, helm_records


class Log(Protocol):
    """Where a run tells what it finds; Pulumi's own is one."""

    def info(self, msg: str) -> None:
        """Tell what goes on."""

    def warn(self, msg: str) -> None:
        """Tell what a person should know of."""


@dataclass(frozen=True)
class Files:
    """What the project's files say, which fits the settings.

    :ivar base: the user's Helm values.
    :ivar failover_values: those of the failover installation, if they are other ones.
    """

    chart: ChartVersion
    base: Mapping[str, Any]
    failover_values: Mapping[str, Any] | None


@dataclass(frozen=True)
class Observation:
    """What is to be seen of the region.

    :ivar own: what its stack holds, with what was found again, and without what is gone.
    :ivar known: the same, with what only Helm's records tell.
    :ivar peer: what the other stack holds.
    :ivar cluster_id: which cluster it is; None of a lost region's.
    :ivar error: why the cluster of a lost region cannot be looked at; None if it can.
    """

    own: Stack
    known: Stack
    peer: Stack
    cluster_id: str | None = None
    error: str | None = None


def of_files(settings: Settings, project: Path, environ: Mapping[str, str]) -> Files:
    """Read the project's files.

    :raises ConfigError: if the environment decides what the settings must, or anything in a file is unusable.
    """
    if unfit := environment_problems(environ):
        raise ConfigError(unfit)
    check_chart(settings.chart, project)
    chart = chart_version(settings.chart, project)
    base = with_role(read_values(settings.values, project), settings)
    failover_values = read_failover_values(settings.failover_values, project)
    defaults = defaults_of(settings.chart, project)
    if problems := misfits(settings, chart, base, failover_values, defaults):
        raise ConfigError(problems)
    return Files(chart, base, failover_values)


def of_cluster(
    settings: Settings, cluster: Cluster, own: Stack, peer: Stack, log: Log
) -> Observation:
    """Look at the region's cluster; that of a lost region need not answer.

    :raises ConfigError: if what both states hold must not be followed by this phase.
    :raises DualRegionError: if the cluster cannot be looked at, or is another one.
    """
    _refuse_unsafe(settings, own, peer)
    if settings.phase.is_failback:
        # Each step of it looks there, too: a context that cannot be used is refused before the first one.
        Cluster(settings.kubeconfig, settings.peer.kube_context).proof()
    incident = current_incident(settings, own, peer)
    try:
        cluster.check_answers()
        cluster_id = identity.check(cluster, settings, own, incident, peer)
        peer = identity.present(settings, own, peer, incident)
        own = _found_again(own, cluster, settings, incident, log)
        own = _without_what_is_gone(own, cluster, settings)
        return Observation(own, recovery.completed(settings, own, cluster), peer, cluster_id)
    except (ClusterUnreachable, CallFailed) as error:
        _raise_unless_lost(settings, error)
        return Observation(own, own, peer, error=error.message)


def decide(
    settings: Settings, files: Files, cluster: Cluster, seen: Observation, log: Log
) -> StepContext:
    """Return what is to be declared, where its steps work, and what of it is there already.

    :raises ConfigError: if it must not be declared.
    :raises DualRegionError: if the cluster can no longer be looked at.
    """
    topology, unrecorded = _wanted(settings, files, cluster, seen, log)
    if fault := topology.contradiction():
        raise ProgramFault(messages.contradiction(fault))
    return StepContext(
        cluster,
        settings,
        topology,
        log.info,
        own=seen.own,
        peer=seen.peer,
        # By what the stack holds by now: an emptied state remembered another incident, or none.
        incident=current_incident(settings, seen.own, seen.peer),
        unrecorded=unrecorded,
        chain_writes=_chain_writes(topology, seen.own, cluster, settings, log),
        cluster_id=seen.cluster_id,
        chart=str(files.chart),
        bases=Bases.of(files.base, files.failover_values),
    )


def _wanted(
    settings: Settings, files: Files, cluster: Cluster, seen: Observation, log: Log
) -> tuple[Topology, Mapping[str, int]]:
    """Return what is to be declared, and the revisions of releases that Pulumi's state does not hold.

    A lost region that does not answer, or no longer, stays as its stack remembers it.
    """
    unreachable = seen.error
    if unreachable is None:
        topology = desired(settings, files.base, seen.peer, seen.own, files.failover_values)
        _refuse_drift(settings, topology, files, seen)
        try:
            if topology.role is Role.SURVIVOR:
                topology = standing.proved_again(cluster, settings, topology, seen.own, log.warn)
            return topology, _unrecorded(topology, seen.own, cluster, settings)
        except (ClusterUnreachable, CallFailed) as error:
            _raise_unless_lost(settings, error)
            unreachable = error.message
    log.warn(unreachable)
    return remembered(settings, seen.own), {}


def _found_again(
    own: Stack, cluster: Cluster, settings: Settings, incident: Incident | None, log: Log
) -> Stack:
    """Return what the stack holds, and say so if its state had lost it."""
    found = recovery.found_again(settings, own, cluster, incident)
    if found.found_again:
        log.warn(messages.found_again(settings.own.name, tuple(found.gates)))
    return found


def _without_what_is_gone(own: Stack, cluster: Cluster, settings: Settings) -> Stack:
    """Return what the stack holds, which is nothing in a region that was recreated.

    Its state, read before this run's refresh, still remembers what is gone.
    """
    gone_before = settings.role in (Role.LOST, Role.RECREATED)
    at = LiveInstallation.of(cluster, settings.own.namespace, settings)
    return clean_slate.still_held(own, at) if gone_before else own


def _raise_unless_lost(settings: Settings, error: ClusterUnreachable | CallFailed) -> None:
    """Raise the error again, unless it passes by itself and the cluster is a lost region's."""
    passing = isinstance(error, ClusterUnreachable) or error.may_pass
    if settings.role is not Role.LOST or not passing:
        raise error


def _refuse_unsafe(settings: Settings, own: Stack, peer: Stack) -> None:
    """Refuse what must not follow on what both states hold, before the cluster is asked.

    :raises ConfigError: saying why; what an emptied state must follow on is found in the cluster.
    """
    change = disagreement(settings, peer, own)
    if change is None and not recovery.is_emptied(settings, own):
        change = unsafe_change(settings, own, peer)
    if change:
        raise ConfigError([change])


def _refuse_drift(settings: Settings, topology: Topology, files: Files, seen: Observation) -> None:
    """Refuse whatever would change beside the procedure.

    :raises ConfigError: naming each difference.
    """
    wanted = Wanted(settings, topology, files.chart, VERSION)
    if changes := drift(wanted, seen.known, seen.peer):
        raise ConfigError(changes)


def _chain_writes(
    topology: Topology, own: Stack, cluster: Cluster, settings: Settings, log: Log
) -> int:
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
        log.warn(chain_written_again(dns.corefile_of(cluster, settings).named))
    return held + 1


def _unrecorded(
    topology: Topology, own: Stack, cluster: Cluster, settings: Settings
) -> dict[str, int]:
    """Return the revision of each release of ours that Pulumi's state does not hold."""
    found = {
        each.name: helm_records.unrecorded_upgrade(
            LiveInstallation.of(cluster, each.namespace, settings),
            each.values,
            own.values.get(each.name),
        )
        for each in topology.installations
        if each.name in own.nodes
    }
    return {name: revision for name, revision in found.items() if revision is not None}
