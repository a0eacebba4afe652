"""What a region's stack declares of DNS: the chain in its Corefile, and the load balancer before its DNS.

The Corefile is the user's: Pulumi does not manage it, as deleting a resource of it would delete their
part, too. A record stands for the block, and hooks put it into the live Corefile and take it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.hooking import carry_out
from components.objects import Object, ObjectKind, owned
from dualregion import brokers
from dualregion.config.sections.dns import LOAD_BALANCER_NAME
from dualregion.config.settings import Settings
from dualregion.corefile import zones_of
from dualregion.procedure.topology import DNS_CHAIN, DNS_LOAD_BALANCER
from steps import dns
from steps.context import StepContext

RECORD_NAME = "dns-chain"
_NAME = "DNS"
"""What stands before an error."""


@dataclass(frozen=True)
class DnsArgs:
    """What it is made of.

    :ivar hooks: those of the chain, see `chain_hooks`.
    """

    ctx: StepContext
    hooks: pulumi.ResourceHookBinding


class Dns(pulumi.ComponentResource):
    """The record of the DNS chain, and the load balancer, as far as the topology wants them."""

    def __init__(self, name: str, args: DnsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("dualregion:index:Dns", name, None, opts)
        wanted = args.ctx.topology.names
        if wanted.block is not None:
            self._record(args, wanted.block, opts, ignored=["data"] if wanted.kept else [])
        if wanted.load_balancer:
            self._load_balancer(args.ctx.settings)
        self.register_outputs({})

    def _record(
        self, args: DnsArgs, block: str, opts: pulumi.ResourceOptions, ignored: list[str]
    ) -> None:
        ctx, settings = args.ctx, args.ctx.settings
        data = {
            "configMap": settings.dns.config_map,
            "key": settings.dns.key,
            # A preview shows no more than the first lines of a text.
            "zones": " ".join(zones_of(settings, brokers.other(settings.region))),
            "forwarders": " ".join(settings.peer.dns_addresses),
            "block": block,
            "written": str(ctx.chain_writes),
        }
        Object(
            ObjectKind.CONFIG_MAP,
            DNS_CHAIN,
            {
                "metadata": owned({"name": RECORD_NAME, "namespace": ctx.namespace}),
                "data": data,
            },
            pulumi.ResourceOptions(
                parent=self,
                depends_on=opts.depends_on,
                ignore_changes=ignored,
                # In another namespace the former record's block is taken out first.
                delete_before_replace=True,
                hooks=args.hooks,
            ),
        )

    def _load_balancer(self, settings: Settings) -> None:
        wanted = settings.dns.load_balancer
        protocols = ("TCP",) if settings.dns.tcp else ("TCP", "UDP")
        metadata = {
            "name": LOAD_BALANCER_NAME,
            "namespace": settings.dns.namespace,
            # Nothing waits for the provider's load balancer, in an incident least of all.
            "annotations": wanted.annotations | {"pulumi.com/skipAwait": "true"},
        }
        spec = {
            "type": "LoadBalancer",
            "selector": wanted.selector,
            "ports": [
                {"name": f"dns-{each.lower()}", "protocol": each, "port": 53, "targetPort": 53}
                for each in protocols
            ],
        }
        Object(
            ObjectKind.SERVICE,
            DNS_LOAD_BALANCER,
            {"metadata": owned(metadata), "spec": spec},
            pulumi.ResourceOptions(parent=self),
        )


def chain_hooks(ctx: StepContext) -> pulumi.ResourceHookBinding:
    """Return the hooks that put the block into the Corefile, follow a change, and take it out.

    They are registered in every run: the engine refuses to delete a record whose hook it does not know.
    """

    async def put(_: pulumi.ResourceHookArgs) -> None:
        await carry_out(_NAME, lambda: dns.chain(ctx))

    async def follow(args: pulumi.ResourceHookArgs) -> None:
        if _place(args.old_inputs, ctx) != _place(args.new_inputs, ctx):
            await take_out(args)
        await put(args)

    async def take_out(args: pulumi.ResourceHookArgs) -> None:
        await carry_out(_NAME, lambda: dns.unchain(ctx, *_place(args.old_inputs, ctx)))

    return pulumi.ResourceHookBinding(
        before_create=[pulumi.ResourceHook("chain-dns", put)],
        before_update=[pulumi.ResourceHook("follow-dns", follow)],
        before_delete=[pulumi.ResourceHook("unchain-dns", take_out)],
    )


def _place(inputs: Mapping[str, Any] | None, ctx: StepContext) -> tuple[str, str]:
    """Return the ConfigMap and key that a record names; of one that was emptied, the settings'."""
    data, wanted = (inputs or {}).get("data") or {}, ctx.settings.dns
    return data.get("configMap", wanted.config_map), data.get("key", wanted.key)
