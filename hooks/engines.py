"""The search engines that a failback's steps work on, and the repository that it copies through."""

from dualregion import values
from dualregion.engine.repositories import Repository
from hooks.cluster import Cluster
from hooks.search import SearchEngine
from hooks.site import Site


def own(site: Site) -> SearchEngine:
    """Return the search engine of the site's own region."""
    return _engine(site, site.cluster, site.namespace)


def takeover(site: Site) -> SearchEngine:
    """Return the failover installation's search engine."""
    return _engine(site, site.cluster, site.settings.own.failover)


def other(site: Site) -> SearchEngine:
    """Return the search engine of the other region: on the survivor's site, of the recreated one.

    :raises ConfigError: if the kubeconfig does not have its context.
    """
    return _engine(site, site.peer_cluster, site.settings.peer.namespace)


def repository(site: Site) -> Repository:
    """Return where the survivor's snapshot goes, and the recreated region gets it from."""
    backup = site.settings.backup
    return Repository(backup.repository, backup.type, site.settings.repository_settings)


def _engine(site: Site, cluster: Cluster, namespace: str) -> SearchEngine:
    prefix = values.record_prefix(site.topology.installations[0].values)
    return SearchEngine(cluster, namespace, site.settings.release, prefix)
