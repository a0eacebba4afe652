"""The search engines that a failback's steps work on, and the repository that it copies through.

Each is the same on both stacks, whichever asks.
"""

from dualregion import values
from dualregion.engine.repositories import Repository
from hooks.exporting import Place
from hooks.search import SearchEngine
from hooks.site import Site


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


def _engine(site: Site, place: Place) -> SearchEngine:
    prefix = values.record_prefix(site.topology.installations[0].values)
    settings = site.settings
    return SearchEngine(
        place.cluster, place.namespace, settings.release, prefix, settings.search_seconds
    )
