"""Pausing and resuming exporters by the cluster API, and proving it of every replica of every member.

The gateway's answer to a pause is not proof, and refuses behind HTTP 200; what counts is each broker's own answer. Brokers
that are no members have no replicas, and are not asked.
"""

from collections.abc import Callable

from clients import installation
from clients.installation import LiveInstallation
from clients.search_engine import SearchEngine
from dualregion.errors import DualRegionError, Refused
from dualregion.observed import cluster_changes, zeebe_answers
from dualregion.observed.cluster_changes import Configuration
from dualregion.observed.zeebe_answers import PAUSED, RUNNING, Exporting
from messages import Message
from messages.steps import cluster_api as messages
from messages.steps import exporting as exporters
from messages.steps import steps
from steps.cluster_api import changes
from steps.context import StepContext
from steps.polling import Unchanged, Waiting
from steps.search_engine import engines


def member_installations(ctx: StepContext, found: Configuration) -> tuple[LiveInstallation, ...]:
    """Return the installations of which some broker is a member."""
    ids = cluster_changes.ids_of(found.members)
    has_recreated = bool(ids & set(changes.lost_ids(ctx)))
    return (ctx.survivor, ctx.recreated) if has_recreated else (ctx.survivor,)


def states(ctx: StepContext, found: Configuration) -> tuple[Exporting, ...]:
    """Return how every replica of every member exports.

    :raises CallFailed: if a broker does not answer.
    """
    return installation.exporting(member_installations(ctx, found))


def out_of_phase(ctx: StepContext, phase: str) -> Message | None:
    """Return which replica of a member is not in a phase, or None; a change under way is one, too.

    :raises CallFailed: if it cannot be told.
    """
    found = changes.configuration(ctx)
    return found.under_way or _not_in_phase(found, states(ctx, found), phase)


def _not_in_phase(found: Configuration, seen: tuple[Exporting, ...], phase: str) -> Message | None:
    return zeebe_answers.not_all_of(seen, phase, cluster_changes.counted_replicas(found))


def pause(ctx: StepContext, waiting: Waiting) -> None:
    """Pause exporting the hard way, unless it is paused.

    :raises Refused: if it is paused the soft way: the one on top of the other leaves what a partition cannot start with.
    """
    soft = waiting.answer(
        exporters.exporting_known(), lambda: _softly_paused(ctx), steps.look_at_brokers()
    )
    if soft:
        raise Refused(messages.paused_softly(waiting.step, soft))
    _order(ctx, waiting, exporters.exporters_pause(), PAUSED, ctx.gateway.zeebe.pause)


def resume(ctx: StepContext, waiting: Waiting) -> None:
    """Let exporting go on, unless it does."""
    _order(ctx, waiting, exporters.exporters_resume(), RUNNING, ctx.gateway.zeebe.resume)


def verify_paused(ctx: StepContext, waiting: Waiting) -> None:
    """Prove that exporting was not resumed meanwhile: a copy of a moving engine is worth nothing."""
    waiting.until_none(
        exporters.exporters_stay_paused(),
        lambda: out_of_phase(ctx, PAUSED),
        steps.back_out_if_resumed(),
    )


def _order(
    ctx: StepContext,
    waiting: Waiting,
    what: Message,
    phase: str,
    ask: Callable[[], Message | None],
) -> None:
    def not_yet() -> Message | None:
        found = changes.configuration(ctx)
        if found.under_way:
            # It is waited for: from 8.10 on the order would be refused.
            return found.under_way
        reason = _not_in_phase(found, states(ctx, found), phase)
        return reason and (ask() or out_of_phase(ctx, phase))

    waiting.until_none(what, not_yet, messages.look_at_members(changes.hint(ctx)))


def _softly_paused(ctx: StepContext) -> Message | None:
    found = [each for each in installation.exporting([ctx.survivor]) if each.phase != PAUSED]
    return zeebe_answers.paused_anywhere(found)


def settle(ctx: StepContext, waiting: Waiting) -> dict[str, str]:
    """Wait until the exporters have written what they had buffered when they were paused.

    A position that is copied from an exporter must not be ahead of what its engine holds: so neither the positions nor
    what is written to the engine have moved for twice the exporters' flush delay; and an engine that holds nothing of what
    was exported stands as still as any.

    :raises DualRegionError: if they do not stand still; exporting goes on again then.
    """
    own, quiet = engines.surviving_engine(ctx), Unchanged()
    seconds = float(engines.exporters(ctx).quiet_seconds)

    def moves() -> Message | None:
        found = changes.configuration(ctx)
        seen = states(ctx, found)
        reason = found.under_way or _not_in_phase(found, seen, PAUSED)
        positions, marks = zeebe_answers.exported_positions(seen), own.write_marks()
        still = quiet.seconds((reason, positions, marks))
        if reason:
            return reason
        if not marks and any(each > 0 for each in positions.values()):
            return messages.engine_holds_nothing(own.namespace)
        return None if still >= seconds else messages.exports_still_come(seconds)

    reason = waiting.last_reason(messages.exports_stand_still(own.namespace), moves)
    if reason is None:
        return {"settled": f"nothing was written to {own} for {seconds:g} s"}
    raise _resumed(ctx, waiting, own, reason)


def _resumed(
    ctx: StepContext, waiting: Waiting, own: SearchEngine, reason: Message
) -> DualRegionError:
    """Let exporting go on, and return the error that says why, and whether it does."""
    try:
        resume(ctx, waiting)
    except DualRegionError as error:
        resumed = steps.exporting_not_resumed(error.message)
    else:
        resumed = messages.exporting_goes_on()
    return DualRegionError(
        messages.exports_do_not_settle(waiting.step, own.namespace, reason, resumed)
    )
