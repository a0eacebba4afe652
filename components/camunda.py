"""A Camunda installation: namespace, network policy, secret and Helm release."""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from clients.installation import LiveInstallation
from components.hooking import carry_out
from components.isolation import before_isolation
from components.objects import Object, ObjectKind, owned
from dualregion import rbac
from dualregion.chart.adoption import value_differences
from dualregion.chart.begun import Begun
from dualregion.chart.sent_values import has_empty_list, keeps_nulls, nulls_of
from dualregion.chart.values import without_the_incident
from dualregion.config.settings import ChartSettings
from dualregion.names import POLICY_NAME
from dualregion.procedure import B1, F1, N, Role
from dualregion.procedure.topology import NO_INCIDENT, Installation, Kind
from steps import broker_views, claiming
from steps.context import StepContext
from steps.paused_exporters import report_paused_exporters
from steps.preflight import refuse_leftovers
from steps.releases import adoption, helm_records, rollout
from steps.releases.clean_slate import wait_until_ended
from steps.releases.rbac import wait_until_granted
from steps.releases.rendering import provider_version
from steps.search_engine import passwords

SECRET_NAME = "elasticsearch-env-secret"  # noqa: S105
"""What the reference values call the search engine's Secret."""


@dataclass(frozen=True)
class SpaceArgs:
    """What a namespace is made of.

    :ivar keys: the backup bucket's keys, if the program makes them.
    """

    spec: Installation
    ctx: StepContext
    keys: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Space(pulumi.ComponentResource):
    """The namespace of an installation, with its secret; its network policy is made by `isolate`.

    :ivar contents: what a release comes after.
    """

    contents: list[pulumi.Resource]

    def __init__(self, name: str, args: SpaceArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("dualregion:index:Space", name, None, opts)
        spec = args.spec
        namespace = _namespace(name, args, pulumi.ResourceOptions(parent=self))
        bindings = [
            _binding(name, each, args, pulumi.ResourceOptions(parent=self, depends_on=[namespace]))
            for each in rbac.bindings(args.ctx.settings, args.ctx.settings.region, spec.namespace)
        ]
        self.contents = [namespace, *bindings]
        self._args, self._before_policy = args, [*self.contents]
        inside = pulumi.ResourceOptions(parent=self, depends_on=[*self.contents])
        if args.ctx.settings.elasticsearch_secret or args.keys:
            self.contents.append(_secret(name, args, inside))
        self.register_outputs({})

    def isolate(self, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Declare the network policy, if the installation is cut off; return it.

        :param after: what comes before the isolation: the failover's claim.
        """
        spec, ctx = self._args.spec, self._args.ctx
        if not spec.cut_cidrs:
            return []
        inside = pulumi.ResourceOptions(parent=self, depends_on=[*self._before_policy, *after])
        policy = Object(
            ObjectKind.NETWORK_POLICY,
            spec.policy,
            {
                "metadata": owned({"name": POLICY_NAME, "namespace": spec.namespace}),
                "spec": isolation_policy(spec.cut_cidrs),
            },
            pulumi.ResourceOptions.merge(inside, before_isolation(spec.policy, ctx)),
        )
        return [policy]


@dataclass(frozen=True)
class CamundaArgs:
    """What an installation is made of.

    :ivar project: the project's folder, which relative chart paths start from.
    """

    spec: Installation
    ctx: StepContext
    project: str


class Camunda(pulumi.ComponentResource):
    """One Helm release of camunda-platform.

    It is installed without Helm's own waiting, as sleeping brokers never become ready: the gates wait
    instead, with progress and a reason.
    """

    def __init__(self, name: str, args: CamundaArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("dualregion:index:Camunda", name, None, opts)
        spec, settings = args.spec, args.ctx.settings
        k8s.helm.v3.Release(
            name,
            **chart_source(settings.chart, args.project),
            name=settings.release,
            namespace=spec.namespace,
            values=spec.values,
            **_empty_values(spec.values, provider_version()),
            skip_await=True,
            description=_description(name, args.ctx),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=opts.depends_on,
                # So the guard is asked before anything is made in its place.
                delete_before_replace=True,
                hooks=_release_hooks(name, args),
            ),
        )
        self.register_outputs({})


def _description(name: str, ctx: StepContext) -> str | None:
    """Return the release's description, which changes when an upgrade is to be done again.

    Pulumi may see no difference after one that it has not recorded (`helm_records.unrecorded_upgrade`); this is
    one. The text stays, as taking it away would be one more upgrade.
    """
    if name in ctx.unrecorded:
        return f"upgrade done again after unrecorded revision {ctx.unrecorded[name]}"
    return ctx.own.descriptions.get(name)


def _empty_values(wanted: Mapping[str, Any], provider: str) -> dict[str, Any]:
    """Return the release's arguments that let nulls and empty lists of its values through, if there are any.

    :param provider: the version of the Kubernetes provider; see `dualregion.chart.sent_values`.
    """
    nulls, keeps = nulls_of(wanted), keeps_nulls(provider)
    found: dict[str, Any] = {}
    if nulls:
        found["value_yaml_files"] = [pulumi.StringAsset(json.dumps(nulls))]
    if not keeps and (nulls or has_empty_list(wanted)):
        found["allow_null_values"] = True
    return found


def chart_source(chart: ChartSettings, project: str) -> dict[str, Any]:
    """Return the release's chart, version and repository arguments."""
    if chart.is_path:
        return {"chart": chart.name if chart.name.startswith("/") else f"{project}/{chart.name}"}
    if chart.is_oci or not chart.repository:
        return {"chart": chart.name, "version": chart.version}
    return {
        "chart": chart.name,
        "version": chart.version,
        "repository_opts": {"repo": chart.repository},
    }


def isolation_policy(cut_cidrs: Sequence[str]) -> dict[str, Any]:
    """Return a NetworkPolicy's spec that cuts these address ranges, both ways, and nothing else.

    Policies can only allow, so everything but these ranges is allowed, for each address family.
    """
    families = {"0.0.0.0/0": 4, "::/0": 6}
    peers = []
    for everything, version in families.items():
        block: dict[str, Any] = {"cidr": everything}
        cut = [each for each in cut_cidrs if ipaddress.ip_network(each).version == version]
        if cut:
            block["except"] = cut
        peers.append({"ipBlock": block})
    return {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": peers}],
        "egress": [{"to": peers}],
    }


def _namespace(name: str, args: SpaceArgs, opts: pulumi.ResourceOptions) -> Object:
    """Declare the namespace; the deletion of the failover namespace is not waited for, as step B6 proves it.

    So the other stack's turn begins earlier. A failover soon after waits until the former namespace is gone.
    """
    namespace, ctx = args.spec.namespace, args.ctx
    metadata: dict[str, Any] = {"name": namespace}
    if args.spec.kind is not Kind.FAILOVER:
        # One that a search engine of another owner is in is not deleted: it may be a recreated one's, installed already.
        is_shared = ctx.settings.engine_address.login is not None
        asked_first = pulumi.ResourceOptions(
            delete_before_replace=True, retain_on_delete=is_shared or None
        )
        return Object(
            ObjectKind.NAMESPACE,
            name,
            {"metadata": metadata},
            pulumi.ResourceOptions.merge(opts, asked_first),
        )

    async def ended(_: pulumi.ResourceHookArgs) -> None:
        await carry_out(name, partial(wait_until_ended, ctx.cluster, namespace, ctx.waiting(F1)))

    hook = pulumi.ResourceHook(f"ended-{name}", ended)
    waiting = pulumi.ResourceOptions(
        delete_before_replace=True,
        hooks=pulumi.ResourceHookBinding(before_create=[hook]),
    )
    return Object(
        ObjectKind.NAMESPACE,
        name,
        {"metadata": {**metadata, "annotations": {"pulumi.com/skipAwait": "true"}}},
        pulumi.ResourceOptions.merge(opts, waiting),
    )


def _binding(
    name: str, document: rbac.Document, args: SpaceArgs, opts: pulumi.ResourceOptions
) -> Object:
    """Declare a RoleBinding without which nothing else can be made in the namespace.

    It goes with its namespace only: taken away first, it would lock the program out of what is left.
    """
    unique = f"{name}-{document['metadata']['name']}"
    is_own = document["metadata"]["name"] == rbac.binding_name(rbac.Side.OWN)
    kept = pulumi.ResourceOptions(
        retain_on_delete=True, hooks=_granting(unique, args) if is_own else None
    )
    return Object(
        ObjectKind.ROLE_BINDING,
        unique,
        {
            "metadata": owned(document["metadata"]),
            "roleRef": document["roleRef"],
            "subjects": document["subjects"],
        },
        pulumi.ResourceOptions.merge(opts, kept),
    )


def _granting(name: str, args: SpaceArgs) -> pulumi.ResourceHookBinding:
    """Return the hook that waits until the stack's own rights are in force.

    It must wait for nothing that Pulumi has still to make: as long as a hook after a creation works, the engine may make
    nothing else (`CreateStep.Apply` of Pulumi 3.259 keeps the new resource locked, and the next snapshot needs it).
    """
    ctx, namespace = args.ctx, args.spec.namespace

    async def granted(_: pulumi.ResourceHookArgs) -> None:
        await carry_out(name, partial(wait_until_granted, ctx.cluster, namespace, ctx.say))

    return pulumi.ResourceHookBinding(
        after_create=[pulumi.ResourceHook(f"granted-{name}", granted)]
    )


def _secret(name: str, args: SpaceArgs, opts: pulumi.ResourceOptions) -> Object:
    """Return the search engine's Secret: what the user gives it, and the bucket's keys."""
    given = args.ctx.settings.elasticsearch_secret
    metadata = {"name": given.name if given else SECRET_NAME, "namespace": args.spec.namespace}
    return Object(
        ObjectKind.SECRET,
        name,
        {
            "metadata": owned(metadata),
            "stringData": {**(given.plain() if given else {}), **args.keys},
        },
        opts,
    )


def _prepare_install(ctx: StepContext, spec: Installation, project: str) -> None:
    """Make way for an install, but not beside another failover, nor over leftovers where it is to begin with nothing."""
    claiming.refuse_rival(ctx)
    if adoption.take_over(ctx, spec, Path(project)):
        return
    at = ctx.at(spec.namespace)
    is_ours = partial(_is_a_stage, ctx, spec)
    if helm_records.is_interrupted_install(at, spec.values, is_ours=is_ours):
        if ctx.own.found_again and spec.hold_updates:
            rollout.hold(at, ctx.say)
    else:
        refuse_leftovers(ctx, spec)
    _prepare_engine(ctx, at)
    helm_records.begin_install(at, _begun(ctx, spec), ctx.say)


def _prepare_engine(ctx: StepContext, at: LiveInstallation) -> None:
    """See that a search engine that is not the chart's is ready, and that brokers start with its password."""
    if at.engine_address.login is None:
        return
    waiting = ctx.waiting(B1 if ctx.topology.role is Role.RECREATED else N)
    broker_views.wait_for_search_engine(ctx, waiting, at)
    passwords.share(ctx, waiting)


def _begun(ctx: StepContext, spec: Installation) -> Begun:
    return Begun.of(str(ctx.incident or NO_INCIDENT), spec.values)


def _is_a_stage(ctx: StepContext, spec: Installation, installed: Mapping[str, Any]) -> bool:
    """Whether a release that the state has forgotten differs from the one wanted by what the procedure changes only."""
    version = ctx.settings.version
    one, other = (without_the_incident(each, version) for each in (installed, spec.values))
    return ctx.own.found_again and not value_differences(one, other)


def _prepare_update(ctx: StepContext, spec: Installation) -> None:
    """Fix Helm's records, and keep the update from restarting brokers that a gate restarts in turn."""
    at = ctx.at(spec.namespace)
    # Between two gates of a failback exporters may be paused.
    with report_paused_exporters(ctx) if ctx.settings.phase.is_failback else nullcontext():
        helm_records.begin_upgrade(at, _begun(ctx, spec), ctx.say)
        if spec.hold_updates:
            rollout.hold(at, ctx.say)


def _release_hooks(name: str, args: CamundaArgs) -> pulumi.ResourceHookBinding:
    """Return the hooks that prepare the cluster for an install or an update of the release."""
    ctx, spec = args.ctx, args.spec

    async def before_create(_: pulumi.ResourceHookArgs) -> None:
        await carry_out(name, partial(_prepare_install, ctx, spec, args.project))

    async def before_update(_: pulumi.ResourceHookArgs) -> None:
        await carry_out(name, partial(_prepare_update, ctx, spec))

    return pulumi.ResourceHookBinding(
        before_create=[pulumi.ResourceHook(f"take-over-{name}", before_create)],
        before_update=[pulumi.ResourceHook(f"clear-pending-{name}", before_update)],
    )
