"""In an incident only the incident's changes pass, and what cannot be changed later is fixed before.

What an `up` would change is what differs between what was installed, as the stacks' states have it, and what is wanted
now. An old checkout, a colleague's branch or a stale values file would otherwise be rolled out on the survivor, whose
brokers are the only ones left, by all StatefulSets at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dualregion.chart import values
from dualregion.chart.adoption import ChartVersion, value_differences
from dualregion.config.settings import Change, Settings
from dualregion.procedure import N, Phase, Role
from dualregion.procedure.topology import Kind, Topology
from dualregion.procedure.versions import CamundaVersion
from dualregion.state.progress import Stack
from messages import Message
from messages.decision import drift as messages

SIZES = {
    "clusterSize": "cluster_size",
    "partitionCount": "partition_count",
    "replicationFactor": "replication_factor",
}
"""The sizes by their key in the values and settings, and the setting's name here."""


@dataclass(frozen=True)
class Wanted:
    """What this run would install.

    :ivar chart: the chart's name and version.
    :ivar program: this program's version.
    """

    settings: Settings
    topology: Topology
    chart: ChartVersion
    program: str


def drift(wanted: Wanted, own: Stack, peer: Stack) -> list[Message]:
    """Return a message for each change that is not to pass now; what `allowChanges` names passes.

    :param own: what this stack's state holds.
    :param peer: what the other stack's holds.
    """
    settings = wanted.settings
    if Kind.NORMAL in own.nodes and not is_fixed(settings, own, peer):
        # Both may still be installed again, one after the other; the second one only as the first one is.
        return []
    found = [*_moved(settings, own, peer)]
    if Change.SIZES not in settings.allow_changes:
        found += _resized(settings, own, peer)
    if settings.phase is Phase.NORMAL:
        return found
    found += _other_version(settings, own, peer)
    for kind, changes in (
        (Change.PROGRAM, _other_program),
        (Change.CHART, _other_chart),
        (Change.VALUES, _other_values),
    ):
        if kind not in settings.allow_changes:
            found += changes(wanted, own, peer)
    return found


def is_fixed(settings: Settings, own: Stack, peer: Stack) -> bool:
    """Return whether the regions have worked together: from then on sizes and namespaces stay."""
    begun = N.id in own.nodes | peer.nodes or bool(own.history or peer.history)
    return begun or settings.phase is not Phase.NORMAL


def _remedy(kind: Change, phase: Phase) -> Message:
    if phase is Phase.NORMAL:
        return messages.put_it_back(kind.value)
    return messages.put_it_back_until_the_failback_is_done(phase.value, kind.value)


def _moved(settings: Settings, own: Stack, peer: Stack) -> Iterator[Message]:
    """Yield the releases that would be replaced, and their data lost, as their namespace or name is another one."""
    for stack, region in ((own, settings.own), (peer, settings.peer)):
        for kind, key, namespace in (
            (Kind.NORMAL, "namespace", region.namespace),
            (Kind.FAILOVER, "failoverNamespace", region.failover),
        ):
            made = stack.releases.get(kind)
            if made is None or kind not in stack.nodes:
                continue
            if made.namespace not in ("", namespace):
                yield messages.namespace_changed(key, region.name, namespace, made.namespace)
            if made.name not in ("", settings.release):
                yield messages.release_changed(settings.release, made.name)


def _resized(settings: Settings, own: Stack, peer: Stack) -> Iterator[Message]:
    remedy = _remedy(Change.SIZES, settings.phase)
    for stack, name in ((own, None), (peer, settings.peer_stack_name)):
        for key, known in _sizes_of(stack, settings.version).items():
            here = sizes(settings)[key]
            if known != here:
                yield messages.size_changed(key, here, known, name, remedy)


def _sizes_of(stack: Stack, version: CamundaVersion) -> dict[str, int]:
    """Return the sizes that a stack's brokers have, by its releases or, without any, by its outputs."""
    for kind in Kind:
        if kind in stack.nodes and kind in stack.values:
            found = stack.values[kind].get(version.brokers.component)
            given = found if isinstance(found, Mapping) else {}
            if known := {key: int(float(given[key])) for key in SIZES if key in given}:
                return known
    # In an upgrade the values of the version before may have them under another key.
    return dict(stack.recorded.sizes)


def _other_version(settings: Settings, own: Stack, peer: Stack) -> Iterator[Message]:
    """Yield a version of Camunda that is not the survivor's, whose brokers the procedure is for.

    No setting allows it: the steps that are proved belong to that version's procedure. The lost region's stack may have
    recorded an older one, if an upgrade had come no further than to the survivor.
    """
    survives = settings.region != settings.lost_region
    stack, name = (own, None) if survives else (peer, settings.peer_stack_name)
    known = stack.recorded.camunda
    if known and known != settings.camunda_version:
        yield messages.version_changed(settings.camunda_version, known, name)


def _other_program(wanted: Wanted, own: Stack, peer: Stack) -> Iterator[Message]:
    remedy = _remedy(Change.PROGRAM, wanted.settings.phase)
    for last, name in (
        (own.recorded.program, None),
        (peer.recorded.program, wanted.settings.peer_stack_name),
    ):
        if last and last != wanted.program:
            yield messages.program_changed(wanted.program, last, name, remedy)


def _other_chart(wanted: Wanted, own: Stack, peer: Stack) -> Iterator[Message]:
    """Yield a chart that is not that of the region's releases, or, where there are none, of the other region's."""
    if not wanted.topology.installations:
        return
    for stack in (own, peer):
        made = [stack.releases[each] for each in Kind if each in stack.nodes & set(stack.releases)]
        known = [each.chart for each in made if each.chart]
        if known:
            if known[0] != str(wanted.chart):
                remedy = _remedy(Change.CHART, wanted.settings.phase)
                yield messages.chart_changed(str(wanted.chart), known[0], remedy)
            return


def _other_values(wanted: Wanted, own: Stack, peer: Stack) -> Iterator[Message]:
    version = wanted.settings.version
    remedy = _remedy(Change.VALUES, wanted.settings.phase)
    for each in wanted.topology.installations:
        known = own.values.get(each.name) if each.name in own.nodes else None
        if known is not None:
            there, here = (
                values.without_the_incident(one, version) for one in (known, each.values)
            )
            for difference in value_differences(there, here):
                yield messages.values_changed(each.namespace, difference, remedy)
        elif wanted.topology.role is Role.RECREATED:
            for difference in _other_image(each.values, peer, version):
                yield messages.image_differs(each.namespace, difference, remedy)


def _other_image(
    recreated: Mapping[str, Any], peer: Stack, version: CamundaVersion
) -> Iterable[Message]:
    """Return in what the image differs from that of the survivor's brokers, which the recreated ones would join."""
    survivor = peer.values.get(Kind.NORMAL)
    if survivor is None:
        return ()
    return value_differences(*(_image(each, version) for each in (survivor, recreated)))


def _image(given: Mapping[str, Any], version: CamundaVersion) -> Mapping[str, Any]:
    parts = {name: given.get(name) for name in ("global", version.brokers.component)}
    return {
        name: {"image": part["image"]}
        for name, part in parts.items()
        if isinstance(part, Mapping) and part.get("image")
    }


def sizes(settings: Settings) -> dict[str, int]:
    """Return the sizes wanted, as a stack's outputs remember them."""
    return {key: int(getattr(settings, name)) for key, name in SIZES.items()}
