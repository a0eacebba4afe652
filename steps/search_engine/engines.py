"""The search engines that a failback's steps work on, and the repository that it copies through.

Each is the same on both stacks, whichever asks.
"""

from clients.installation import LiveInstallation
from clients.search_engine import SearchEngine
from dualregion.chart import values
from dualregion.chart.values import ExporterSettings
from dualregion.errors import ConfigError
from dualregion.observed.search_engine.repositories import Repository
from steps.context import StepContext


def surviving_engine(ctx: StepContext) -> SearchEngine:
    """Return the search engine of the surviving region: what is copied."""
    return _engine(ctx, ctx.survivor)


def failover_engine(ctx: StepContext) -> SearchEngine:
    """Return the failover installation's search engine."""
    return _engine(ctx, ctx.failover)


def recreated_engine(ctx: StepContext) -> SearchEngine:
    """Return the search engine of the recreated region: the copy.

    :raises ConfigError: if the kubeconfig does not have its context.
    """
    return _engine(ctx, ctx.recreated)


def repository(ctx: StepContext) -> Repository:
    """Return where the survivor's snapshot goes, and the recreated region gets it from."""
    backup = ctx.settings.backup
    return Repository(backup.repository, backup.type, ctx.settings.repository_settings)


def exporters(ctx: StepContext) -> ExporterSettings:
    """Return the exporters' settings: by the values, or, where these are templates, by what runs.

    :raises ConfigError: if they cannot be known, or no failback can go by them.
    """
    version = ctx.settings.version
    try:
        return values.exporter_settings(ctx.topology.installations[0].values, version)
    except ConfigError:
        found = ctx.survivor.exporter_environment()
        if found is None:
            raise
        return values.exporter_settings_of(found, version.exporter)


def _engine(ctx: StepContext, at: LiveInstallation) -> SearchEngine:
    return at.search_engine(exporters(ctx).prefix, ctx.settings.search_seconds)
