"""The guard of what a stack holds: nothing that is needed is deleted, however it is asked for.

Every resource has one and the same hook on its deletion. `pulumi destroy` runs no program, so the engine refuses it then. With
`--run-program` the hook is asked, and refuses with the reason. The engine goes on with the rest after a refusal, also with what
the refused thing stands on (seen with Pulumi 3.259.0), so what was refused once in a run stops every deletion after it.
"""

import pulumi

from components.hooking import carry_out
from dualregion.decision.deletion import Doomed
from dualregion.errors import Refused
from steps.context import StepContext
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
            raise Refused(f"{doomed.name} is not deleted either, as something else is needed")
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
