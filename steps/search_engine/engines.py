"""The search engines that a failback's steps work on, and the repository that it copies through.

Each is the same on both stacks, whichever asks.
"""

from clients import pods
from clients.exporting import Place
from clients.search_engine import SearchEngine
from dualregion.chart import values
from dualregion.chart.values import ExporterSettings
from dualregion.errors import ConfigError
from dualregion.observed.repositories import Repository
from steps.context import Site


def survivor(site: Site) -> SearchEngine:
    """Return the search engine of the surviving region: what is copied."""
    return _engine(site, site.places[0])


def takeover(site: Site) -> SearchEngine:
    """Return the failover installation's search engine."""
    return _engine(site, site.places[1])


def recreated(site: Site) -> SearchEngine:
    """Return the search engine of the recreated region: the copy.

    :raises ConfigError: if the kubeconfig does not have its context.
    """
    return _engine(site, site.places[2])


def repository(site: Site) -> Repository:
    """Return where the survivor's snapshot goes, and the recreated region gets it from."""
    backup = site.settings.backup
    return Repository(backup.repository, backup.type, site.settings.repository_settings)


def exporters(site: Site) -> ExporterSettings:
    """Return the exporters' settings: by the values, or, where these are templates, by what runs.

    :raises ConfigError: if they cannot be known, or no failback can go by them.
    """
    try:
        return values.exporter_settings(site.topology.installations[0].values)
    except ConfigError:
        place = site.places[0]
        found = place.cluster.stateful_set(place.namespace, f"{site.settings.release}-zeebe")
        if found is None:
            raise
        return values.exporter_settings_of(pods.exporter_environment(found))


def _engine(site: Site, place: Place) -> SearchEngine:
    settings, prefix = site.settings, exporters(site).prefix
    return SearchEngine(
        place.cluster, place.namespace, settings.release, prefix, settings.search_seconds
    )
