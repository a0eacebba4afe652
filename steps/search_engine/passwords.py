"""The passwords of both regions' search engines, where brokers of a region read them from: two Secrets in its namespace.

Each engine beside the chart has a password of its own, and one that is recreated has a new one. Brokers read both once,
when they start: so the Secrets are written before any of them is installed, and before the survivor's are restarted for a
copy (B2), by which the exporter to the recreated region gets in. A broker that is older than the last change of a Secret
holds an old password, and is restarted with the others, one at a time (`steps.releases.rollout`).
"""

import base64
from functools import partial

from clients import engine_calls
from clients.cluster.kubernetes import FIELD_MANAGER
from dualregion import brokers
from dualregion.names import EngineLogin
from dualregion.procedure import Phase
from messages import Message
from messages.clients import search_engine as messages
from messages.steps import progress
from steps.context import Evidence, StepContext
from steps.polling import Waiting

_LABELS = {"app.kubernetes.io/managed-by": FIELD_MANAGER}


def share(ctx: StepContext, waiting: Waiting) -> Evidence:
    """Let the Secrets of the region's namespace hold both engines' passwords; those that do are left alone.

    Of a region that is lost nothing is asked: what its Secret holds here stays.

    :returns: which were written; no password is in it.
    :raises DeadlineExceeded: if a password cannot be read, or its Secret not be written.
    """
    login = ctx.settings.engine_address.login
    if login is None:
        return {}
    written: list[str] = []
    for region in range(brokers.REGIONS):
        if region != ctx.settings.region and ctx.settings.phase is Phase.FAILOVER:
            continue
        waiting.until_none(
            messages.password_shared(ctx.settings.regions[region].namespace, ctx.namespace),
            partial(_share, ctx, waiting, login, region, written),
            messages.look_at_engine_secret(ctx.settings.regions[region].namespace, login.secret),
        )
    return {"passwordsRenewed": ", ".join(written)} if written else {}


def _share(
    ctx: StepContext, waiting: Waiting, login: EngineLogin, region: int, written: list[str]
) -> Message | None:
    """Write the password of one region's engine, unless it is there; raises `CallFailed` as long as that cannot be."""
    place = ctx.settings.regions[region].namespace
    at = ctx.cluster if region == ctx.settings.region else ctx.peer_cluster
    password, name = engine_calls.password_of(at, place, login), login.copy_of(region)
    encoded = base64.b64encode(password.encode()).decode()
    held = ctx.cluster.secret(ctx.namespace, name)
    if held is not None and (held.data or {}).get(login.key) == encoded:
        return None
    ctx.cluster.apply_secret(ctx.namespace, name, {login.key: encoded}, _LABELS)
    ctx.say(progress.password_written(waiting.step, name, ctx.namespace, place))
    written.append(name)
    return None
