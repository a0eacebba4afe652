"""Whether what was decided may be done: every check that needs the region's cluster, and what a person is warned of."""

from dataclasses import replace

from dualregion.chart.release_version import old_patch
from messages.steps import preflight as messages
from steps import preflight
from steps.before.situation import Log
from steps.context import StepContext
from steps.releases import adoption, rendering


def of_all(ctx: StepContext, log: Log) -> StepContext:
    """Check what is to be declared, and return it with what was proved by that.

    :raises DualRegionError: if it must not be declared.
    """
    preflight.check(ctx)
    adoption.check(ctx, ctx.project)
    seen = rendering.check(ctx)
    patch = old_patch(ctx.settings, ctx.bases.own)
    for warning in (*preflight.warnings(ctx), *seen.warnings, *([patch] if patch else [])):
        log.warn(warning)
    if ctx.settings.allow_changes:
        log.warn(messages.changes_allowed(ctx.settings.allow_changes))
    if ctx.topology.waiting_for:
        log.info(messages.waiting_for(ctx.topology.waiting_for))
    return replace(ctx, rendered=seen.proved)
