"""What a stack held before its state was emptied, found again in the cluster.

Pulumi refreshes a state before the program runs: one look at another cluster, or an old copy of the state, and nothing
of it is left, in the middle of a failback too. Everything is still there: each gate's record says which step was
proved in which incident, and Helm's records say what is installed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from clients.cluster.kubernetes import Cluster
from clients.installation import LiveInstallation
from dualregion.chart.adoption import RunningRelease
from dualregion.config.settings import Settings
from dualregion.procedure import B1, STEP_IDS, Role
from dualregion.procedure.topology import STEP_LABEL, Kind
from dualregion.state.held import rounds_of
from dualregion.state.progress import Incident, Release, Stack
from steps.releases import helm_records


def is_emptied(settings: Settings, own: Stack) -> bool:
    """Return whether a stack that has been updated holds neither a release nor a gate; a lost region's is to be so."""
    held = own.nodes & {*Kind, *STEP_IDS}
    return own.phase is not None and not held and settings.role is not Role.LOST


def found_again(
    settings: Settings, own: Stack, cluster: Cluster, incident: Incident | None
) -> Stack:
    """Return what a stack held, if its state is emptied and the cluster knows.

    Of a recreated region only what belongs to the present incident counts: anything else is a leftover.

    :param incident: the present one, see `progress.current_incident`.
    :raises CallFailed: if the cluster does not answer.
    """
    if not is_emptied(settings, own):
        return own
    records = _records(settings, cluster)
    gates = {step: str(data["incident"]) for step, data in records.items()}
    if settings.role is Role.RECREATED and (incident is None or gates.get(B1.id) != str(incident)):
        return own
    installed = _installed(settings, cluster, Kind)
    if not gates or Kind.NORMAL not in installed:
        return own
    found = replace(
        own,
        nodes=own.nodes | {*gates, *installed},
        gates=gates,
        rounds=rounds_of(records),
        found_again=True,
    )
    return _with_releases(found, settings, installed)


def completed(settings: Settings, own: Stack, cluster: Cluster) -> Stack:
    """Return a stack with what its state does not tell of its releases, as Helm's records have it.

    So nothing is held for unchanged because it could not be seen.

    :raises CallFailed: if the cluster does not answer.
    """
    unseen = [
        kind
        for kind in Kind
        if kind in own.nodes and (kind not in own.values or kind not in own.releases)
    ]
    return _with_releases(own, settings, _installed(settings, cluster, unseen))


def _installed(
    settings: Settings, cluster: Cluster, kinds: Iterable[Kind]
) -> dict[str, RunningRelease]:
    places = settings.namespaces_of(settings.region)
    running = {
        kind.value: helm_records.running(LiveInstallation.of(cluster, places[kind], settings))
        for kind in kinds
        if kind in places
    }
    return {name: each for name, each in running.items() if each is not None}


def _with_releases(
    own: Stack, settings: Settings, installed: Mapping[str, RunningRelease]
) -> Stack:
    """Return a stack with these releases, where its state does not tell of them itself."""
    places = {kind.value: named for kind, named in settings.namespaces_of(settings.region).items()}
    releases = {
        name: Release(settings.release, places[name], str(each.chart))
        for name, each in installed.items()
    }
    values = {name: each.values for name, each in installed.items()}
    return replace(own, values={**values, **own.values}, releases={**releases, **own.releases})


def _records(settings: Settings, cluster: Cluster) -> dict[str, Mapping[str, str]]:
    """Return the record of each step that is in the cluster and names its incident."""
    found = {}
    for each in cluster.config_maps(settings.own.namespace, STEP_LABEL):
        step, data = each.metadata.labels[STEP_LABEL], each.data or {}
        if step in STEP_IDS and data.get("incident"):
            found[step] = data
    return found
