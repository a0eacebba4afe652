"""What holds of every resource of a region: nothing that is needed is deleted, and a lost region stays as it is.

Every resource has one and the same hook on its deletion. `pulumi destroy` runs no program, so the engine refuses it then. With
`--run-program` the hook is asked, and refuses with the reason. The engine goes on with the rest after a refusal, also with what
the refused thing stands on (seen with Pulumi 3.259.0), so what was refused once in a run stops every deletion after it.
"""

import pulumi

from components.hooking import carry_out
from dualregion.decision.deletion import Doomed
from dualregion.errors import Refused
from messages.steps import components as messages
from steps.context import StepContext
from steps.preflight import refuse_to_change, refuse_to_make
from steps.releases import deletion

_HOOK = "guard-deletion"
"""States hold this name, and the engine deletes nothing whose hook it does not know: it stays."""


def guarding(ctx: StepContext) -> pulumi.ResourceTransformation:
    """Return what gives a resource, and all below it, the hook, which is registered in every run, whatever it declares.

    A preview asks it too: so nothing begins that would be refused in its middle.
    """
    hook = pulumi.ResourceHook(_HOOK, _guard(ctx), opts=pulumi.ResourceHookOptions(on_dry_run=True))
    binding = pulumi.ResourceHookBinding(before_delete=[hook])

    def guarded(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        # It is asked before any other hook on a deletion does its work.
        args.opts.hooks = pulumi.ResourceHookBinding.merge(binding, args.opts.hooks)
        return pulumi.ResourceTransformationResult(args.props, args.opts)

    return guarded


def _guard(ctx: StepContext) -> pulumi.ResourceHookFunction:
    live = not pulumi.runtime.is_dry_run()
    refusals: list[str] = []

    def check(doomed: Doomed) -> None:
        if refusals:
            raise Refused(messages.not_deleted_either(doomed.name))
        try:
            deletion.check(ctx, doomed, live=live)
        except Exception:
            refusals.append(doomed.name)
            raise

    async def guard(args: pulumi.ResourceHookArgs) -> None:
        labels = ((args.old_inputs or {}).get("metadata") or {}).get("labels") or {}
        doomed = Doomed(args.type, args.name, labels)
        await carry_out(args.name, lambda: check(doomed))

    return guard


def keeping(ctx: StepContext) -> pulumi.ResourceOptions:
    """Return the options of a component below which everything stays as it is, if the topology wants that.

    A lost region's API server may answer the program and not the provider, or the other way round, and the settings, the
    values files and the chart may have changed since its last update. So each resource's differences are ignored, and
    what would change all the same is refused.
    """
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
