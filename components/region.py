"""A region's stack: its topology's installations and gates, in the order the topology demands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.camunda import Camunda, CamundaArgs, Space, SpaceArgs
from components.dns import Dns, DnsArgs, chain_hooks
from components.gate import Gate, GateArgs
from dualregion.settings import Settings
from dualregion.topology import ISOLATION, NO_NAMES, Installation
from dualregion.topology import Gate as GateSpec
from hooks.site import Site


@dataclass(frozen=True)
class RegionArgs:
    """What a region is made of.

    :ivar project: the project's folder, which relative chart paths start from.
    """

    site: Site
    project: str


class Region(pulumi.ComponentResource):
    """Everything that one stack declares in its region's cluster.

    :ivar records: each gate's record, by step id: what proves the stack's progress.
    """

    records: dict[str, pulumi.Output[dict[str, str]]]

    def __init__(self, name: str, args: RegionArgs) -> None:
        super().__init__("dualregion:index:Region", name)
        self._args = args
        self._kubernetes = _provider(name, args.site.settings, self)
        self._keys = _backup_keys(name, args.site.settings)
        self._spaces = {
            spec.namespace: self._space(spec) for spec in args.site.topology.installations
        }
        self._names = self._dns()
        self._made: dict[str, list[pulumi.Resource]] = {
            ISOLATION: [each for space in self._spaces.values() for each in space.contents]
        }
        self.records = {}
        for node in args.site.topology.nodes:
            self._made[node.name] = [
                self._camunda(node) if isinstance(node, Installation) else self._gate(node)
            ]
        self.register_outputs({})

    def _space(self, spec: Installation) -> Space:
        args = SpaceArgs(spec, self._args.site, self._keys)
        return Space(f"{spec.name}-namespace", args, self._options(()))

    def _dns(self) -> list[pulumi.Resource]:
        """Declare what the topology wants of DNS; brokers come after it, as they look for each other by name."""
        site = self._args.site
        hooks = chain_hooks(site)
        if site.topology.names == NO_NAMES:
            return []
        before = self._spaces[site.namespace].contents
        return [Dns("dns", DnsArgs(site, hooks), self._options(before))]

    def _camunda(self, spec: Installation) -> Camunda:
        args = CamundaArgs(spec, self._args.site, self._args.project)
        before = [
            *self._spaces[spec.namespace].contents,
            *self._names,
            *self._after(spec.after),
        ]
        return Camunda(spec.name, args, self._options(before))

    def _gate(self, spec: GateSpec) -> Gate:
        args = GateArgs(spec, self._args.site)
        before = [*self._spaces[self._args.site.namespace].contents, *self._after(spec.after)]
        gate = Gate(spec.name, args, self._options(before))
        self.records[spec.step.id] = gate.record
        return gate

    def _after(self, names: Iterable[str]) -> list[pulumi.Resource]:
        return [resource for name in names for resource in self._made[name]]

    def _options(self, before: Iterable[pulumi.Resource]) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self, depends_on=list(before), providers=[self._kubernetes]
        )


def _backup_keys(name: str, settings: Settings) -> Mapping[str, pulumi.Input[str]]:
    """Declare what `backup.storage` wants on AWS, and return the keys that were made for it.

    :raises RunError: if the package for AWS is not installed; nobody else needs it.
    """
    storage = settings.backup.storage
    if storage is None or not storage.on_aws:
        return {}
    try:
        from components.backup_storage import BackupStorage  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise pulumi.RunError(
            f"nothing was changed:\n- backup.storage makes something on AWS, which needs package {error.name}: "
            "`pip install --require-hashes -r requirements.lock -r requirements-aws.lock`"
        ) from None
    return BackupStorage(f"{name}-backup", settings, storage).keys


def _provider(name: str, settings: Settings, parent: pulumi.Resource) -> k8s.Provider:
    """Return the provider of the region's cluster.

    A fixed cluster identifier keeps everything in place when the region is recreated at another address;
    skipping what is unreachable keeps a lost region's stack usable (hooks refuse in every other case).
    """
    return k8s.Provider(
        name,
        kubeconfig=settings.kubeconfig,
        context=settings.own.kube_context,
        cluster_identifier=f"region{settings.region}",
        skip_update_unreachable=True,
        enable_config_map_mutable=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )
