"""Helm values: the user's files as the base, and over them only what the procedure needs.

Helm replaces lists whole, so an overlay of one `zeebe.env` entry must carry them all: entries are
set by name here, and every other entry keeps its place and content.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.names import ReleaseNames
from dualregion.observed.records import RECORD_PREFIX
from messages.chart import values as messages

Values = dict[str, Any]

WEB_APPS = ("operate", "tasklist")
"""The chart's components that read the search engine, each a Deployment `<release>-<component>`."""
VALUES, FAILOVER_VALUES = "values", "failoverValues"
"""The settings that name values files."""
CONTACT_POINTS = "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS"
FLUSH_SECONDS = 5
"""The Elasticsearch exporter's own default of `bulk.delay`."""
EXPORTER_CLASS = "io.camunda.zeebe.exporter.ElasticsearchExporter"


def exporter_variable(region: int, setting: str) -> str:
    """Return the environment variable of a region's exporter; its id is the same in both regions."""
    return f"ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION{region}_{setting}"


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> Values:
    """Merge two values documents as Helm does: maps deeply, anything else replaced.

    A null stays: it takes away the chart's own default of that key.
    """
    merged = copy.deepcopy(dict(base))
    for key, value in overlay.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def merge_all(documents: Iterable[Mapping[str, Any]]) -> Values:
    """Merge values documents, the later ones over the earlier."""
    merged: Values = {}
    for document in documents:
        merged = merge(merged, document)
    return merged


def set_env(entries: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> list[Values]:
    """Set environment entries by name; order and all other entries stay as they are.

    A name may stand twice in the list; Kubernetes lets the last one count, so all are set.
    """
    result = [
        {"name": entry["name"], "value": wanted[entry["name"]]}
        if entry.get("name") in wanted
        else copy.deepcopy(dict(entry))
        for entry in entries
    ]
    present = {entry.get("name") for entry in entries}
    result += [
        {"name": name, "value": value} for name, value in wanted.items() if name not in present
    ]
    return result


def contact_points(settings: Settings) -> str:
    """Return the brokers that every broker asks first: the two regions in turn, ordinal by ordinal."""
    names = ReleaseNames(settings.release)
    hosts = [
        f"{names.broker(ordinal)}.{names.brokers}.{region.namespace}.svc.cluster.local:26502"
        for ordinal in range(brokers.broker_count(settings.cluster_size))
        for region in settings.regions
    ]
    return ",".join(hosts)


def search_engine_url(release: str, namespace: str) -> str:
    """Return the address of an installation's search engine inside the clusters."""
    return (
        f"http://{ReleaseNames(release).search_engine_service}.{namespace}.svc.cluster.local:9200"
    )


def exporter_urls(settings: Settings, *, replaced_region: int | None) -> tuple[str, str]:
    """Return where the exporters of region 0 and 1 write to.

    :param replaced_region: the region whose search engine is replaced by the survivor's failover
        engine, or None.
    """
    namespaces = [region.namespace for region in settings.regions]
    if replaced_region is not None:
        survivor = settings.regions[brokers.other(replaced_region)]
        namespaces[replaced_region] = survivor.failover
    first, second = (search_engine_url(settings.release, name) for name in namespaces)
    return first, second


def computed_env(settings: Settings, exporters: tuple[str, str]) -> dict[str, str]:
    """Return the environment variables of brokers that the program sets."""
    wanted = {CONTACT_POINTS: contact_points(settings)}
    for region, url in enumerate(exporters):
        wanted[exporter_variable(region, "CLASSNAME")] = EXPORTER_CLASS
        wanted[exporter_variable(region, "ARGS_URL")] = url
    return wanted


def installation_values(
    base: Mapping[str, Any],
    settings: Settings,
    *,
    region_id: int,
    installation_type: str,
    exporters: tuple[str, str],
    web_apps: bool | None = None,
) -> Values:
    """Return the values of one Helm release.

    :param base: the user's merged values.
    :param region_id: the chart's `global.multiregion.regionId`; in a failOver installation the lost region's.
    :param installation_type: the chart's `global.multiregion.installationType`.
    :param exporters: the search engines of region 0 and 1.
    :param web_apps: whether Operate and Tasklist run; None leaves it to the user's values.
    :raises ConfigError: if the user's `zeebe.env` is not a list of entries with names.
    """
    wanted = computed_env(settings, exporters)
    overlay: Values = {
        "global": {
            "multiregion": {
                "regions": brokers.REGIONS,
                "regionId": region_id,
                "installationType": installation_type,
            }
        },
        "zeebe": {
            "clusterSize": settings.cluster_size,
            "partitionCount": settings.partition_count,
            "replicationFactor": settings.replication_factor,
            "env": set_env(env_of(base), wanted),
        },
    }
    if web_apps is not None:
        overlay |= {app: {"enabled": web_apps} for app in WEB_APPS}
    if web_apps is False and not _has_other_paths(base):
        # The chart's combined Ingress would have no paths then, which no API server takes.
        overlay["global"]["ingress"] = {"enabled": False}
    return merge(base, overlay)


def _has_other_paths(base: Mapping[str, Any]) -> bool:
    """Whether the chart's combined Ingress, if there is one, leads to more than Operate and Tasklist."""
    if not at(base, "global", "ingress", "enabled"):
        return True
    by_default = {"connectors": True, "console": False, "identity": False, "webModeler": False}
    return any(
        at(base, app, "contextPath") and (at(base, app) or {}).get("enabled", default)
        for app, default in by_default.items()
    )


def at(base: Mapping[str, Any], *path: str) -> Any:
    """Return what stands at a path of values, or None."""
    found: Any = base
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def without_the_incident(given: Mapping[str, Any]) -> Values:
    """Return a release's values without what the procedure changes in them, and without the sizes."""
    left = copy.deepcopy(dict(given))
    for path in _CHANGED_BY_THE_PROCEDURE:
        _remove(left, path)
    zeebe = left.get("zeebe")
    if isinstance(zeebe, dict) and isinstance(zeebe.get("env"), list):
        zeebe["env"] = [each for each in zeebe["env"] if each.get("name") not in _COMPUTED]
    return left


def _remove(values: Values, path: tuple[str, ...]) -> None:
    for key in path[:-1]:
        inner = values.get(key)
        if not isinstance(inner, dict):
            return
        values = inner
    values.pop(path[-1], None)


_CHANGED_BY_THE_PROCEDURE = (
    ("global", "multiregion", "regionId"),
    ("global", "multiregion", "installationType"),
    ("global", "ingress", "enabled"),
    *((app, "enabled") for app in WEB_APPS),
    *(("zeebe", size) for size in ("clusterSize", "partitionCount", "replicationFactor")),
)
_COMPUTED = (
    CONTACT_POINTS,
    *(exporter_variable(region, "ARGS_URL") for region in range(brokers.REGIONS)),
)
"""The environment variables of brokers that follow from the settings and the phase."""


def web_apps_of(values: Mapping[str, Any]) -> list[str]:
    """Return which of Operate and Tasklist run with these values; the chart has both unless told otherwise."""
    return [app for app in WEB_APPS if (values.get(app) or {}).get("enabled", True)]


def brings_search_engine(values: Mapping[str, Any]) -> bool:
    """Return whether the release brings its own search engine; the chart does unless told otherwise."""
    return bool((values.get("elasticsearch") or {}).get("enabled", True))


class ExporterSettings(NamedTuple):
    """What of the exporters' own settings a failback goes by.

    :ivar prefix: what the names of their indices begin with.
    :ivar flush_seconds: how long they may keep records before they write them.
    """

    prefix: str = RECORD_PREFIX
    flush_seconds: int = FLUSH_SECONDS


def exporter_settings(values: Mapping[str, Any]) -> ExporterSettings:
    """Return the settings of the exporters of these values; see `exporter_settings_of`."""
    return exporter_settings_of(env_of(values))


def exporter_settings_of(env: Iterable[Mapping[str, Any]]) -> ExporterSettings:
    """Return the settings of both exporters, of which the slower flush counts.

    Source: the Elasticsearch exporter's `index.prefix` and `bulk.delay` (whole seconds).

    :param env: the entries of `zeebe.env`, or of the brokers' own environment.
    :raises ConfigError: if one cannot be read here, as it is a template or comes from somewhere else; if it is no number
        of seconds; or if the two prefixes differ, as an engine that is copied holds one of them only.
    """
    given = {entry.get("name"): entry for entry in env}

    def said(setting: str, default: str) -> list[str]:
        names = [exporter_variable(region, setting) for region in range(brokers.REGIONS)]
        return [_literal(name, given[name]) if name in given else default for name in names]

    delays = said("ARGS_BULK_DELAY", str(FLUSH_SECONDS))
    for region, text in enumerate(delays):
        if not text.isdecimal():
            name = exporter_variable(region, "ARGS_BULK_DELAY")
            raise ConfigError([messages.delay_not_in_seconds(VALUES, name, repr(text))])
    first, second = said("ARGS_INDEX_PREFIX", RECORD_PREFIX)
    if first != second:
        raise ConfigError([messages.index_prefixes_differ(VALUES, (first, second))])
    if not first:
        raise ConfigError([messages.index_prefix_empty(VALUES)])
    return ExporterSettings(first, max(map(int, delays)))


def _literal(name: str, entry: Mapping[str, Any]) -> str:
    """Return the value of an environment entry as brokers get it."""
    value = entry.get("value")
    if entry.get("valueFrom") or "{{" in str(value):
        given = None if entry.get("valueFrom") else repr(value)
        raise ConfigError([messages.variable_not_plain(VALUES, name, given)])
    # Kubernetes takes an entry without a value for an empty one.
    return "" if value is None else str(value)


def exporters_of(values: Mapping[str, Any]) -> list[str]:
    """Return where the exporters of region 0 and 1 write to with these values."""
    return _exporter_arguments(values, "ARGS_URL")


def _exporter_arguments(values: Mapping[str, Any], setting: str) -> list[str]:
    """Return what `zeebe.env` gives the two exporters for a setting."""
    given = {entry.get("name"): str(entry.get("value")) for entry in env_of(values)}
    names = [exporter_variable(region, setting) for region in range(brokers.REGIONS)]
    return [given[name] for name in names if name in given]


def env_of(
    base: Mapping[str, Any], component: str = "zeebe", setting: str = VALUES
) -> Sequence[Mapping[str, Any]]:
    """Return a component's environment entries.

    :param setting: the one that names the files of these values.
    :raises ConfigError: if they are no list of entries.
    """
    env = _component(base, component, setting).get("env") or []
    if isinstance(env, list) and all(isinstance(entry, Mapping) for entry in env):
        return env
    raise ConfigError([messages.environment_no_list(setting, component)])


def zeebe_of(base: Mapping[str, Any], setting: str = VALUES) -> Mapping[str, Any]:
    """Return the values of the brokers.

    :param setting: the one that names the files of these values.
    :raises ConfigError: if they are no map.
    """
    return _component(base, "zeebe", setting)


def _component(base: Mapping[str, Any], name: str, setting: str) -> Mapping[str, Any]:
    found = base.get(name) or {}
    if isinstance(found, Mapping):
        return found
    raise ConfigError([messages.values_no_map(setting, name)])
