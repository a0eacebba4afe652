"""The program: settings -> desired topology -> components -> outputs."""

import gc

# Looking for garbage among thousands of imported classes is a tenth of a run's time.
gc.disable()

import os
import signal
from pathlib import Path

import pulumi

from components.outputs import outputs
from components.region import Region, RegionArgs
from components.stacks import read_own, read_peer
from dualregion.desired import desired, remembered, unsafe_change
from dualregion.errors import ClusterUnreachable, ConfigError, DualRegionError
from dualregion.procedure import Role
from dualregion.progress import Stack, current_incident
from dualregion.settings import Settings
from dualregion.storage import with_role
from dualregion.topology import Topology
from dualregion.values import conflicts
from hooks import adoption, clean_slate, dns, helm_records, preflight
from hooks.cluster import CallFailed, Cluster
from hooks.files import check_chart, read_values
from hooks.site import Site

PROJECT = Path(__file__).parent


def main() -> None:
    """Declare what this stack's phase demands, or say in one message why it cannot be."""
    try:
        site = _site(Settings.of_configuration(_configuration()))
        preflight.check(site)
        adoption.check(site, PROJECT)
    except DualRegionError as error:
        raise pulumi.RunError(f"nothing was changed:\n{error}") from None
    for warning in preflight.warnings(site):
        pulumi.log.warn(warning)
    if site.topology.waiting_for:
        pulumi.log.info(f"waiting: {site.topology.waiting_for}")
    region = Region(f"region{site.settings.region}", RegionArgs(site, str(PROJECT)))
    for name, value in outputs(site, region).items():
        pulumi.export(name, value)
    # Nor is any looked for there in the gates, which may wait for long, or at the process's end.
    gc.freeze()
    gc.enable()


def _configuration() -> dict[str, str]:
    """Return the stack's configuration, each value as Pulumi keeps it."""
    config = pulumi.Config()
    prefix = f"{config.name}:"
    keys = (key for key in pulumi.runtime.config.CONFIG.get() if key.startswith(prefix))
    names = (key.removeprefix(prefix) for key in keys)
    return {name: config.require(name) for name in names}


def _site(settings: Settings) -> Site:
    """Return where this stack works and what is wanted there.

    :raises DualRegionError: if anything of it is unusable.
    """
    check_chart(settings.chart, PROJECT)
    base = with_role(read_values(settings.values, PROJECT), settings)
    problems = conflicts(base, settings)
    if problems:
        raise ConfigError(problems)
    own, peer = read_own(), read_peer(settings.peer_stack_name)
    change = unsafe_change(settings, own, peer)
    if change:
        raise ConfigError([change])
    cluster = Cluster(settings.kubeconfig, settings.own.kube_context)
    unrecorded: dict[str, int] = {}
    try:
        cluster.check_answers()
        own = _without_what_is_gone(own, cluster, settings)
        topology = desired(settings, base, peer, own)
        unrecorded = _unrecorded(topology, own, cluster, settings)
    except (ClusterUnreachable, CallFailed) as error:
        passing = isinstance(error, ClusterUnreachable) or error.may_pass
        if settings.role is not Role.LOST or not passing:
            raise
        pulumi.log.warn(f"{error}")
        topology = remembered(settings, own)
    incident = current_incident(settings, own, peer)
    writes = _chain_writes(topology, own, cluster, settings)
    return Site(
        cluster, settings, topology, pulumi.log.info, own, peer, incident, unrecorded, writes
    )


def _chain_writes(topology: Topology, own: Stack, cluster: Cluster, settings: Settings) -> int:
    """Return how often the DNS chain has been written, with this run if it is gone from the Corefile.

    Somebody may have written the Corefile anew; only another record makes its hook run again.

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
    """Return what the stack holds, which is nothing in a region that was made anew.

    Its state, read before this run's refresh, still remembers what is gone.
    """
    gone_before = settings.role in (Role.LOST, Role.RECREATED)
    return clean_slate.still_held(own, cluster, settings.own.namespace) if gone_before else own


def _exit_quietly(*_: object) -> None:
    """Leave at once when the engine, or Ctrl-C, stops the program: a stack trace would tell nothing.

    A step that is under way leaves no record, so the next `pulumi up` does it again.
    """
    os._exit(1)


signal.signal(signal.SIGINT, _exit_quietly)
main()
