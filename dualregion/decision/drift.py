"""In an incident only the incident's changes pass, and what cannot be changed later is fixed before.

What an `up` would change is what differs between what was installed, as the stacks' states have it, and what is wanted
now. An old checkout, a colleague's branch or a stale values file would otherwise be rolled out on the survivor, whose
brokers are the only ones left, by all StatefulSets at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dualregion.chart import values
from dualregion.chart.adoption import ChartVersion, value_differences
from dualregion.config.settings import Change, Settings
from dualregion.procedure import N, Phase, Role
from dualregion.procedure.topology import Installation, Kind, Topology
from dualregion.state.progress import Stack

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


def drift(wanted: Wanted, own: Stack, peer: Stack) -> list[str]:
    """Return a sentence for each change that is not to pass now; what `allowChanges` names passes.

    :param own: what this stack's state holds.
    :param peer: what the other stack's holds.
    """
    if Kind.NORMAL in own.nodes and not is_fixed(wanted.settings, own, peer):
        # Both may still be installed again, one after the other; the second one only as the first one is.
        return []
    changes: dict[Change, list[str]] = {Change.SIZES: list(_resized(wanted.settings, own, peer))}
    if wanted.settings.phase is not Phase.NORMAL:
        changes[Change.PROGRAM] = list(_other_program(wanted, own, peer))
        changes[Change.CHART] = list(_other_chart(wanted, own, peer))
        changes[Change.VALUES] = list(_other_values(wanted.topology, own, peer))
    allowed = wanted.settings.allow_changes
    return [
        *_moved(wanted, own, peer),
        *(
            f"{each}. {_way(kind, wanted.settings.phase)}"
            for kind, sentences in changes.items()
            if kind not in allowed
            for each in sentences
        ),
    ]


def is_fixed(settings: Settings, own: Stack, peer: Stack) -> bool:
    """Return whether the regions have worked together: from then on sizes and namespaces stay."""
    begun = N.id in own.nodes | peer.nodes or bool(own.history or peer.history)
    return begun or settings.phase is not Phase.NORMAL


def _way(kind: Change, phase: Phase) -> str:
    allow = f"`pulumi config set --path 'allowChanges[0]' {kind}`"
    if phase is Phase.NORMAL:
        return f"Put it back; only if you know that the cluster follows: {allow}"
    return (
        f"In phase {phase.value!r} only what the procedure needs is changed: put it back until the failback is done; "
        f"if it must be now: {allow}"
    )


def _moved(wanted: Wanted, own: Stack, peer: Stack) -> Iterator[str]:
    """Tell of releases that would be replaced, and their data lost, as their namespace or name is another one."""
    settings = wanted.settings
    places = {Kind.NORMAL: settings.own.namespace, Kind.FAILOVER: settings.own.failover}
    theirs = {Kind.NORMAL: settings.peer.namespace, Kind.FAILOVER: settings.peer.failover}
    for stack, region, named in ((own, settings.own, places), (peer, settings.peer, theirs)):
        for kind, namespace in named.items():
            made = stack.releases.get(kind)
            if made is None or kind not in stack.nodes:
                continue
            key = "namespace" if kind is Kind.NORMAL else "failoverNamespace"
            for what, there, here in (
                (f"{key} of region {region.name}", made.namespace, namespace),
                ("release", made.name, settings.release),
            ):
                if there and there != here:
                    yield (
                        f"{what} is {here!r}, but {there!r} is installed: another one would be installed beside it, with the "
                        f"same brokers, and this one deleted with its data; set it back to {there!r}"
                    )


def _resized(settings: Settings, own: Stack, peer: Stack) -> Iterator[str]:
    for stack, name in ((own, "this stack"), (peer, f"stack {settings.peer_stack_name}")):
        for key, known in _sizes_of(stack).items():
            here = sizes(settings)[key]
            if known != here:
                yield (
                    f"{key} is {here}, but the brokers of {name} were installed with {known}: brokers of different sizes "
                    "do not agree on who holds which partition"
                )


def _sizes_of(stack: Stack) -> dict[str, int]:
    """Return the sizes that a stack's brokers have, as its releases or, without any, its outputs tell."""
    for kind in Kind:
        if kind in stack.nodes and kind in stack.values:
            zeebe = stack.values[kind].get("zeebe")
            given = zeebe if isinstance(zeebe, Mapping) else {}
            return {key: int(float(given[key])) for key in SIZES if key in given}
    return dict(stack.recorded.sizes)


def _other_program(wanted: Wanted, own: Stack, peer: Stack) -> Iterator[str]:
    for recorded, name in (
        (own.recorded, "this stack"),
        (peer.recorded, f"stack {wanted.settings.peer_stack_name}"),
    ):
        if recorded.program and recorded.program != wanted.program:
            yield (
                f"this is version {wanted.program} of the program, but {name} was last updated by version "
                f"{recorded.program}"
            )


def _other_chart(wanted: Wanted, own: Stack, peer: Stack) -> Iterator[str]:
    """Tell of another chart than that of the region's releases, or, where there are none, of the other region's."""
    if not wanted.topology.installations:
        return
    for stack in (own, peer):
        made = [stack.releases[each] for each in Kind if each in stack.nodes & set(stack.releases)]
        known = [each.chart for each in made if each.chart]
        if known:
            if known[0] != str(wanted.chart):
                yield f"the chart is {wanted.chart}, but {known[0]} is installed"
            return


def _other_values(topology: Topology, own: Stack, peer: Stack) -> Iterator[str]:
    for each in topology.installations:
        known = own.values.get(each.name) if each.name in own.nodes else None
        if known is not None:
            there, here = (values.without_the_incident(one) for one in (known, each.values))
            for difference in value_differences(there, here):
                yield f"the Helm values of {each.namespace} differ from those installed: {difference}"
        elif topology.role is Role.RECREATED:
            yield from _other_image(each, peer)


def _other_image(recreated: Installation, peer: Stack) -> Iterator[str]:
    """Tell of brokers of another image than the survivor's, which the recreated ones would join."""
    survivor = peer.values.get(Kind.NORMAL)
    if survivor is None:
        return
    for difference in value_differences(_image(survivor), _image(recreated.values)):
        yield f"brokers of {recreated.namespace} would have another image than the survivor's: {difference}"


def _image(given: Mapping[str, Any]) -> Mapping[str, Any]:
    parts = {"global": given.get("global"), "zeebe": given.get("zeebe")}
    return {
        name: {"image": part["image"]}
        for name, part in parts.items()
        if isinstance(part, Mapping) and part.get("image")
    }


def sizes(settings: Settings) -> dict[str, int]:
    """Return the sizes wanted, as a stack's outputs remember them."""
    return {key: int(getattr(settings, name)) for key, name in SIZES.items()}
