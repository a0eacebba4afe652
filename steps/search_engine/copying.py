"""Copying the survivor's search engine to the recreated region: what would keep it from being done, and doing it once.

That nothing writes to either engine meanwhile is for the caller to see to.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from dualregion.errors import ConfigError, Refused
from dualregion.observed.search_engine.snapshots import NAME_PREFIX
from dualregion.procedure import B2
from messages.clients import search_engine as messages
from messages.steps import steps
from messages.words import some_of
from steps.context import Evidence, StepContext
from steps.polling import Waiting
from steps.search_engine import engine_settings, engines, fitness, snapshots


def refuse_what_would_fail(ctx: StepContext, waiting: Waiting) -> Evidence:
    """Look for what would keep the copy from being made, before anything is paused for it.

    :returns: what is not copied.
    :raises Refused: naming it all, each with its remedy.
    """
    try:
        own, empty = engines.surviving_engine(ctx), engines.recreated_engine(ctx)
        quiet, deadline = engines.exporters(ctx).quiet_seconds, ctx.settings.deadline_seconds
    except ConfigError as error:
        raise Refused(steps.copy_would_fail(B2.id, error.problems)) from None
    if quiet >= deadline:
        raise Refused(steps.copy_would_fail(B2.id, [steps.quiet_beyond_deadline(quiet, deadline)]))
    hint = messages.look_at_both_engines()
    problems = waiting.answer(
        steps.engines_can_be_copied(),
        lambda: [*fitness.unfit_source(own), *fitness.unfit_target(empty, own)],
        hint,
    )
    if problems:
        raise Refused(steps.copy_would_fail(B2.id, problems))
    waiting.until_none(
        messages.settings_can_be_put_back(empty.namespace),
        lambda: engine_settings.check_that_they_can_be_put_back(own, empty),
        hint,
    )
    # Also found out before: a snapshot that could not be taken.
    snapshots.register(own, waiting, engines.repository(ctx), readonly=False)
    streams = waiting.answer(messages.data_streams_listed(own.namespace), own.data_streams, hint)
    if not streams:
        return {}
    named = f"data streams {some_of(streams)}"
    ctx.say(messages.data_streams_not_copied(streams, own.namespace))
    return {"notCopied": named}


def copy_unless_copied(
    ctx: StepContext, waiting: Waiting, before: Callable[[], None] = lambda: None
) -> Evidence:
    """Copy the survivor's engine to the recreated region, unless that holds all of it already; return what was done.

    :param before: called before anything is restored; it may refuse.
    """
    own, empty = engines.surviving_engine(ctx), engines.recreated_engine(ctx)
    if snapshots.is_copied(own, empty, waiting):
        # A restore that was interrupted at once may have left the survivor's.
        settings = engine_settings.keep(ctx, empty, waiting)
        engine_settings.put_back(ctx, empty, waiting, settings)
        return {"snapshot": "that of an earlier attempt, to which nothing was added since"}
    before()
    repository = engines.repository(ctx)
    name = f"{NAME_PREFIX}{ctx.incident}-{datetime.now(UTC):%Y%m%d%H%M%S}"
    snapshot = snapshots.take_snapshot(own, waiting, repository, name, str(ctx.incident))
    settings = engine_settings.keep(ctx, empty, waiting)
    return snapshots.restore_snapshot(
        empty,
        waiting,
        repository,
        snapshot,
        begun=lambda: engine_settings.put_back(ctx, empty, waiting, settings),
    )
