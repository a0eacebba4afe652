"""The recreated engine's own persistent settings, which a restore replaces by those of the survivor's engine.

Templates and policies come along with the global state, and with it such settings, as of allocation: with those of another
cluster its shards might go nowhere. So they are read before, written down, and put back as soon as the restore has begun.
"""

import json
from collections.abc import Mapping
from typing import Any

from clients.cluster.kubernetes import CallFailed
from clients.search_engine import SearchEngine
from dualregion.errors import Refused
from dualregion.procedure import B2
from messages.clients import search_engine as messages
from messages.steps import progress
from steps.context import StepContext
from steps.polling import Waiting

NOTE = "dual-region-engine-settings"
"""The ConfigMap in the survivor's namespace that they are written down in: a run may be killed before they are back."""


def check_that_they_can_be_put_back(source: SearchEngine, target: SearchEngine) -> None:
    """Set the target's persistent settings to what they are, if a restore would change them.

    :raises Refused: if that may not be done.
    """
    theirs, own = source.persistent_settings(), target.persistent_settings()
    if theirs == own:
        return
    try:
        target.set_persistent_settings(dict.fromkeys(theirs) | own)
    except CallFailed as error:
        if not error.may_pass:
            raise Refused(
                messages.settings_not_settable(B2.id, target.namespace, error.message)
            ) from None
        raise


def keep(ctx: StepContext, engine: SearchEngine, waiting: Waiting) -> dict[str, Any]:
    """Return the engine's own settings, and write them down; those of a restore that was interrupted are taken from there."""
    hint = messages.look_at_engine_and_cluster(engine.namespace, ctx.settings.own.name)

    def read() -> dict[str, Any]:
        uuid = engine.uuid()
        found = ctx.cluster.config_map(ctx.namespace, NOTE)
        noted = (found.data or {}) if found is not None else {}
        if (noted.get("engine"), noted.get("restoring")) == (uuid, "true"):
            return dict(json.loads(noted["settings"]))
        settings = engine.persistent_settings()
        _note(ctx, engine=uuid, restoring="true", settings=json.dumps(settings))
        return settings

    return waiting.answer(messages.settings_noted(engine.namespace), read, hint)


def put_back(
    ctx: StepContext, engine: SearchEngine, waiting: Waiting, own: Mapping[str, Any]
) -> None:
    """Give the engine its own settings back.

    :raises Refused: if that may not be done.
    """

    def act() -> None:
        now = engine.persistent_settings()
        if now != own:
            ctx.say(progress.putting_settings_back(waiting.step, engine.namespace))
            try:
                engine.set_persistent_settings(dict.fromkeys(now) | dict(own))
            except CallFailed as error:
                if not error.may_pass:
                    raise Refused(
                        messages.settings_not_settable(
                            waiting.step, engine.namespace, error.message
                        )
                    ) from None
                raise
        _note(ctx, restoring="false")

    what = messages.settings_put_back(engine.namespace)
    waiting.until_none(what, act, messages.look_at_engine_log(engine.namespace))


def _note(ctx: StepContext, **data: str) -> None:
    ctx.cluster.apply_config_map(ctx.namespace, NOTE, data)
