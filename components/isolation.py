"""What comes before each part of the isolation, whatever it is made of."""

import pulumi

from components.hooking import carry_out
from dualregion.procedure import F1
from steps.context import StepContext
from steps.preflight import wait_until_lost_region_gone


def before_isolation(name: str, ctx: StepContext) -> pulumi.ResourceOptions:
    """Return the options of a resource that cuts a region off: first it is proved to be gone.

    :param name: the resource's.
    """

    async def look(_: pulumi.ResourceHookArgs) -> None:
        await carry_out(F1.id, lambda: wait_until_lost_region_gone(ctx))

    hook = pulumi.ResourceHook(f"out-of-sight-{name}", look)
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[hook]))
