"""The program: settings -> desired topology -> components -> outputs."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pulumi

from components.outputs import outputs
from components.region import Region, RegionArgs
from components.stacks import own_nodes, read_peer
from dualregion.errors import ClusterUnreachable, ConfigError, DualRegionError
from dualregion.procedure import Role
from dualregion.settings import Settings
from dualregion.topology import (
    Peer,
    Topology,
    desired,
    remembered,
    unsafe_change,
)
from dualregion.values import Values, conflicts
from hooks import preflight
from hooks.cluster import Cluster
from hooks.files import check_chart, read_values
from hooks.steps import Site

PROJECT = Path(__file__).parent


def main() -> None:
    """Declare what this stack's phase demands, or say in one message why it cannot be."""
    try:
        site = _site(Settings.parse(_configuration()))
        preflight.check(site)
    except DualRegionError as error:
        raise pulumi.RunError(f"nothing was changed:\n{error}") from None
    if site.topology.waiting_for:
        pulumi.log.info(f"waiting: {site.topology.waiting_for}")
    region = Region(f"region{site.settings.region}", RegionArgs(site, str(PROJECT)))
    for name, value in outputs(site, region).items():
        pulumi.export(name, value)


def _configuration() -> dict[str, Any]:
    """Return the stack's configuration as plain values; whatever is JSON is decoded."""
    config = pulumi.Config()
    prefix = f"{config.name}:"
    keys = (key for key in pulumi.runtime.config.CONFIG.get() if key.startswith(prefix))
    return {
        key.removeprefix(prefix): _decoded(config.require(key.removeprefix(prefix))) for key in keys
    }


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _site(settings: Settings) -> Site:
    """Return where this stack works and what is wanted there.

    :raises DualRegionError: if anything of it is unusable.
    """
    check_chart(settings.chart, PROJECT)
    base = read_values(settings.values, PROJECT)
    problems = conflicts(base, settings)
    if problems:
        raise ConfigError(problems)
    nodes = own_nodes()
    change = unsafe_change(settings, nodes)
    if change:
        raise ConfigError([change])
    peer = read_peer(settings.peer_stack_name)
    cluster = Cluster(settings.kubeconfig, settings.own.kube_context)
    topology = _topology(cluster, settings, base, peer, nodes)
    return Site(cluster, settings, topology, pulumi.log.info)


def _topology(
    cluster: Cluster, settings: Settings, base: Values, peer: Peer, nodes: frozenset[str]
) -> Topology:
    """Return what is wanted; for a lost region that does not answer, what its state remembers."""
    try:
        cluster.check_answers()
    except ClusterUnreachable as error:
        if settings.role is not Role.LOST:
            raise
        pulumi.log.warn(f"{error}")
        return remembered(settings, nodes)
    if settings.role is Role.LOST and not cluster.has_namespace(settings.own.namespace):
        # The region was made anew: its state, read before this run's refresh, remembers what is gone.
        nodes = frozenset()
    return desired(settings, base, peer, nodes)


def _exit_quietly(*_: object) -> None:
    """Leave at once when the engine, or Ctrl-C, stops the program: a stack trace would tell nothing.

    A step that is under way leaves no record, so the next `pulumi up` does it again.
    """
    os._exit(1)


signal.signal(signal.SIGINT, _exit_quietly)
main()
