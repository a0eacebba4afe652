"""A region's stack: its topology's installations and gates, in the order the topology demands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import pulumi
import pulumi_kubernetes as k8s

from components.camunda import Camunda, CamundaArgs, Space, SpaceArgs
from components.dns import Dns, DnsArgs, chain_hooks
from components.gate import Gate, GateArgs
from components.guard import guarding, keeping
from dualregion.config.settings import Settings
from dualregion.decision.deletion import NAMESPACE_SUFFIX
from dualregion.procedure.topology import ISOLATION, NO_NAMES, Installation
from dualregion.procedure.topology import Gate as GateSpec
from messages.steps import components as messages
from steps.context import StepContext

AWS_PACKAGE = "pulumi_aws"
"""Read only when something is made on AWS."""


@dataclass(frozen=True)
class RegionArgs:
    """What a region is made of.

    :ivar project: the project's folder, which relative chart paths start from.
    """

    ctx: StepContext
    project: str


class Region(pulumi.ComponentResource):
    """Everything that one stack declares in its region's cluster.

    :ivar records: each gate's record, by step id: what proves the stack's progress.
    """

    records: dict[str, pulumi.Output[dict[str, str]]]

    def __init__(self, name: str, args: RegionArgs) -> None:
        guard = pulumi.ResourceOptions(transformations=[guarding(args.ctx)])
        opts = pulumi.ResourceOptions.merge(guard, keeping(args.ctx))
        super().__init__("dualregion:index:Region", name, None, opts)
        self._args = args
        _check_aws_package(args.ctx.settings)
        self._kubernetes = _provider(name, args.ctx.settings, self)
        self._keys = _backup_keys(name, args.ctx.settings, guard)
        self._spaces = {
            spec.namespace: self._space(spec) for spec in args.ctx.topology.installations
        }
        self._names = self._dns()
        self._made: dict[str, list[pulumi.Resource]] = {}
        self.records = {}
        topology = args.ctx.topology
        first = [node for node in topology.nodes if node.name in topology.isolation_after]
        for node in first:
            self._make(node)
        self._made[ISOLATION] = self._isolation(name, self._after(topology.isolation_after))
        for node in topology.nodes:
            if node not in first:
                self._make(node)
        self.register_outputs({})

    def _make(self, node: Installation | GateSpec) -> None:
        made = self._camunda(node) if isinstance(node, Installation) else self._gate(node)
        self._made[node.name] = [made]

    def _isolation(self, name: str, after: list[pulumi.Resource]) -> list[pulumi.Resource]:
        """Declare what cuts the installations off; return it with all that their namespaces hold."""
        spaces = self._spaces.values()
        contents = [each for space in spaces for each in space.contents]
        policies = [each for space in spaces for each in space.isolate(after)]
        return [*contents, *policies, *self._acl_rules(name, after)]

    def _space(self, spec: Installation) -> Space:
        args = SpaceArgs(spec, self._args.ctx, self._keys)
        return Space(f"{spec.name}{NAMESPACE_SUFFIX}", args, self._options(()))

    def _acl_rules(self, name: str, after: list[pulumi.Resource]) -> list[pulumi.Resource]:
        """Declare what of the isolation is made on AWS."""
        acls, rules = self._args.ctx.settings.own.network_acls, self._args.ctx.topology.acl_rules
        if acls is None or not rules:
            return []
        from components.aws.network_acls import NetworkAcls  # noqa: PLC0415

        options = self._options(after)
        acls_name = f"{name}-network-acls"
        return NetworkAcls(acls_name, acls.aws_region, rules, self._args.ctx, options).rules

    def _dns(self) -> list[pulumi.Resource]:
        """Declare what the topology wants of DNS; brokers come after it, as they look for each other by name."""
        ctx = self._args.ctx
        hooks = chain_hooks(ctx)
        if ctx.topology.names == NO_NAMES:
            return []
        before = self._spaces[ctx.namespace].contents
        return [Dns("dns", DnsArgs(ctx, hooks), self._options(before))]

    def _camunda(self, spec: Installation) -> Camunda:
        args = CamundaArgs(spec, self._args.ctx, self._args.project)
        before = [
            *self._spaces[spec.namespace].contents,
            *self._names,
            *self._after(spec.after),
        ]
        return Camunda(spec.name, args, self._options(before))

    def _gate(self, spec: GateSpec) -> Gate:
        args = GateArgs(spec, self._args.ctx)
        before = [*self._spaces[self._args.ctx.namespace].contents, *self._after(spec.after)]
        gate = Gate(spec.name, args, self._options(before))
        self.records[spec.step.id] = gate.record
        return gate

    def _after(self, names: Iterable[str]) -> list[pulumi.Resource]:
        return [resource for name in names for resource in self._made[name]]

    def _options(self, before: Iterable[pulumi.Resource]) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self, depends_on=list(before), providers=[self._kubernetes]
        )


def _check_aws_package(settings: Settings) -> None:
    """Refuse to go without the AWS package if it is needed in any phase, so that it is not missed in an incident.

    :raises RunError: if it is not installed; only AWS parts need it.
    """
    storage = settings.backup.storage
    needed_by = [
        *(["backup.storage"] if storage is not None and storage.on_aws else []),
        *(["networkAcls"] if settings.own.network_acls is not None else []),
    ]
    if needed_by and find_spec(AWS_PACKAGE) is None:
        missing = messages.aws_package_missing(needed_by, AWS_PACKAGE)
        raise pulumi.RunError(messages.nothing_was_changed([missing]))


def _backup_keys(
    name: str, settings: Settings, opts: pulumi.ResourceOptions
) -> Mapping[str, pulumi.Input[str]]:
    """Declare what `backup.storage` wants on AWS, and return the keys that were made for it."""
    storage = settings.backup.storage
    if storage is None or not storage.on_aws:
        return {}
    from components.aws.backup_storage import BackupStorage  # noqa: PLC0415

    return BackupStorage(f"{name}-backup", settings, storage, opts).keys


def _provider(name: str, settings: Settings, parent: pulumi.Resource) -> k8s.Provider:
    """Return the provider of the region's cluster.

    A fixed cluster identifier keeps everything in place when the region is recreated at another address;
    skipping what is unreachable keeps a lost region's stack usable (hooks refuse in every other case).

    Whatever else the environment could decide (`PULUMI_K8S_...`) is set to the provider's own default: an `up` does
    the same on every machine. Only where Helm keeps its files, and the kubeconfig, are the machine's affair.
    """
    return k8s.Provider(
        name,
        kubeconfig=settings.kubeconfig,
        context=settings.own.kube_context,
        cluster_identifier=f"region{settings.region}",
        skip_update_unreachable=True,
        delete_unreachable=False,
        enable_config_map_mutable=True,
        enable_secret_mutable=False,
        enable_server_side_apply=True,
        helm_release_settings=k8s.HelmReleaseSettingsArgs(driver="secret"),
        kube_client_settings=k8s.KubeClientSettingsArgs(burst=120, qps=50.0, timeout=0),
        suppress_deprecation_warnings=False,
        suppress_helm_hook_warnings=False,
        opts=pulumi.ResourceOptions(parent=parent),
    )
