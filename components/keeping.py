"""Keeping a region as it is: whatever is declared of it, nothing of it is made or changed.

A lost region's API server may answer the program and not the provider, or the other way round, and the settings, the
values files and the chart may have changed since its last update. So each resource's differences are ignored, and
what would change all the same is refused.
"""

import pulumi

from steps.context import StepContext
from steps.preflight import refuse_to_change, refuse_to_make


def keeping(ctx: StepContext) -> pulumi.ResourceOptions:
    """Return the options of a component below which everything stays as it is, if the topology wants that."""
    if not ctx.topology.unchanged:
        return pulumi.ResourceOptions()

    async def before_create(args: pulumi.ResourceHookArgs) -> None:
        refuse_to_make(ctx, args.name)

    async def before_update(args: pulumi.ResourceHookArgs) -> None:
        refuse_to_change(ctx, args.name)

    hooks = pulumi.ResourceHookBinding(
        before_create=[pulumi.ResourceHook("make-nothing", before_create)],
        before_update=[pulumi.ResourceHook("change-nothing", before_update)],
    )

    def keep(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult | None:
        # A provider is no part of the region: its address may change.
        if not isinstance(args.resource, pulumi.CustomResource) or isinstance(
            args.resource, pulumi.ProviderResource
        ):
            return None
        kept = pulumi.ResourceOptions(ignore_changes=list(args.props), hooks=hooks)
        return pulumi.ResourceTransformationResult(
            args.props, pulumi.ResourceOptions.merge(kept, args.opts)
        )

    return pulumi.ResourceOptions(transformations=[keep])
