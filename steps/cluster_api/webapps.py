"""Operate and Tasklist by version: Deployments of their own, or profiles of the broker pods (8.8 and later).

As profiles they come and go with a restart of the brokers. What brokers run is in the configuration that their pods were
made with, so it is proved by that, once every pod has the newest revision.
"""

from collections.abc import Collection

from dualregion.chart import values
from dualregion.chart.values import WEB_APPS
from dualregion.names import GATEWAY
from dualregion.procedure.versions import WebApps
from messages import Message
from messages.steps import cluster_api as messages
from messages.steps import steps
from steps import broker_views
from steps.context import StepContext
from steps.polling import Waiting
from steps.releases import webapps


def wait_until_up(ctx: StepContext, waiting: Waiting) -> None:
    """Wait until the web apps that the release wants are up, and the gateway."""
    waiting.until_none(
        steps.web_apps_available(ctx.namespace),
        lambda: up_pending(ctx),
        broker_views.look_at_pods(ctx.installation),
    )


def wait_until_down(ctx: StepContext, waiting: Waiting) -> None:
    """Wait until neither Operate nor Tasklist runs here."""
    if _are_profiles(ctx):
        hint = messages.look_at_profiles(ctx.namespace)
    else:
        hint = messages.scale_by_hand(ctx.installation.kubectl)
    waiting.until_none(steps.web_apps_down(ctx.namespace), lambda: down_pending(ctx), hint)


def up_pending(ctx: StepContext) -> Message | None:
    """Return why the web apps that the release wants, or the gateway, are not up, or None."""
    apps = values.web_apps_of(ctx.topology.installations[0].values, ctx.settings.version)
    if _are_profiles(ctx):
        return ctx.installation.brokers_pending() or _profiles_pending(ctx, apps)
    return webapps.up_pending(ctx.installation, (GATEWAY, *apps))


def down_pending(ctx: StepContext) -> Message | None:
    """Return why Operate or Tasklist may still run here, or None."""
    if _are_profiles(ctx):
        return ctx.installation.brokers_pending() or _profiles_pending(ctx, ())
    return webapps.down_pending(ctx.installation)


def _are_profiles(ctx: StepContext) -> bool:
    return ctx.settings.version.web_apps is WebApps.PROFILES


def _profiles_pending(ctx: StepContext, wanted: Collection[str]) -> Message | None:
    at = ctx.installation
    active = at.active_profiles()
    if active is None:
        return messages.profiles_unknown(at.namespace)
    run = [app for app in WEB_APPS if app in active]
    if set(run) == set(wanted):
        return None
    return messages.profiles_differ(at.namespace, run, sorted(wanted))
