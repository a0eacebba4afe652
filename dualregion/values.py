"""Helm values: the user's files as the base, and over them only what the procedure needs.

Helm replaces lists whole, so an overlay of one `zeebe.env` entry must carry them all: entries are
set by name here, and every other entry keeps its place and content.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dualregion import brokers
from dualregion.engine.records import RECORD_PREFIX
from dualregion.errors import ConfigError
from dualregion.settings import Settings

Values = dict[str, Any]

WEB_APPS = ("operate", "tasklist")
"""The chart's components that read the search engine, each a Deployment `<release>-<component>`."""
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


def nulls_of(document: Mapping[str, Any]) -> Values:
    """Return only the nulls of a values document, at their places.

    Pulumi's release drops nulls of its `values`, so they travel beside them, as a file.
    """
    nulls: Values = {}
    for key, value in document.items():
        if value is None:
            nulls[key] = None
        elif isinstance(value, Mapping) and (inner := nulls_of(value)):
            nulls[key] = inner
    return nulls


def same(one: object, other: object) -> bool:
    """Whether two values documents say the same; nulls, which Pulumi and Helm keep differently, say nothing.

    An empty list says something, as it replaces the chart's own, and a number is no text: unlike in an adoption, which
    compares what templates print, with the chart's defaults beneath (`adoption.differences`).
    """
    return _said(one) == _said(other)


def _said(value: object) -> object:
    if isinstance(value, Mapping):
        inner = {key: _said(each) for key, each in value.items()}
        return {key: each for key, each in inner.items() if each is not None and each != {}}
    if isinstance(value, list):
        return [_said(each) for each in value if each is not None]
    return value


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
    hosts = [
        f"{settings.release}-zeebe-{ordinal}.{settings.release}-zeebe.{region.namespace}"
        ".svc.cluster.local:26502"
        for ordinal in range(brokers.broker_count(settings.cluster_size))
        for region in settings.regions
    ]
    return ",".join(hosts)


def search_engine_url(release: str, namespace: str) -> str:
    """Return the address of an installation's search engine inside the clusters."""
    return f"http://{release}-elasticsearch-master-hl.{namespace}.svc.cluster.local:9200"


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
    wanted = {CONTACT_POINTS: contact_points(settings)}
    for region, url in enumerate(exporters):
        wanted[exporter_variable(region, "CLASSNAME")] = EXPORTER_CLASS
        wanted[exporter_variable(region, "ARGS_URL")] = url
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
            "env": set_env(_env_of(base), wanted),
        },
    }
    if web_apps is not None:
        overlay |= {app: {"enabled": web_apps} for app in WEB_APPS}
    return merge(base, overlay)


def web_apps_of(values: Mapping[str, Any]) -> list[str]:
    """Return which of Operate and Tasklist run with these values; the chart has both unless told otherwise."""
    return [app for app in WEB_APPS if (values.get(app) or {}).get("enabled", True)]


def brings_search_engine(values: Mapping[str, Any]) -> bool:
    """Return whether the release brings its own search engine; the chart does unless told otherwise."""
    return bool((values.get("elasticsearch") or {}).get("enabled", True))


def flush_seconds(values: Mapping[str, Any]) -> int:
    """Return how long an exporter of these values may keep records before it writes them, in seconds.

    Source: the Elasticsearch exporter's `bulk.delay`, 5 s unless set in `zeebe.env`.
    """
    found = [int(text) for text in _exporter_arguments(values, "ARGS_BULK_DELAY") if text.isdigit()]
    unset = brokers.REGIONS - len(found)
    return max(found + [FLUSH_SECONDS] * unset)


def record_prefix(values: Mapping[str, Any]) -> str:
    """Return what the names of the exporters' indices begin with.

    Source: the Elasticsearch exporter's `index.prefix`.
    """
    return next(iter(_exporter_arguments(values, "ARGS_INDEX_PREFIX")), RECORD_PREFIX)


def exporters_of(values: Mapping[str, Any]) -> list[str]:
    """Return where the exporters of region 0 and 1 write to with these values."""
    return _exporter_arguments(values, "ARGS_URL")


def _exporter_arguments(values: Mapping[str, Any], setting: str) -> list[str]:
    """Return what `zeebe.env` gives the two exporters for a setting."""
    given = {entry.get("name"): str(entry.get("value")) for entry in _env_of(values)}
    names = [exporter_variable(region, setting) for region in range(brokers.REGIONS)]
    return [given[name] for name in names if name in given]


def _env_of(base: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    env = _zeebe_of(base).get("env") or []
    if isinstance(env, list) and all(isinstance(entry, Mapping) for entry in env):
        return env
    raise ConfigError(["values: zeebe.env must be a list of entries with `name` and `value`"])


def _zeebe_of(base: Mapping[str, Any]) -> Mapping[str, Any]:
    zeebe = base.get("zeebe") or {}
    if isinstance(zeebe, Mapping):
        return zeebe
    raise ConfigError([f"values: zeebe is {zeebe!r}; it must be a map"])


def conflicts(base: Mapping[str, Any], settings: Settings) -> list[str]:
    """Return a sentence for each size that the user's values state differently than the settings."""
    wanted = {
        "clusterSize": settings.cluster_size,
        "partitionCount": settings.partition_count,
        "replicationFactor": settings.replication_factor,
    }
    zeebe = _zeebe_of(base)
    return [
        f"values: zeebe.{key} is {zeebe[key]!r} but the setting {key} is {value}: "
        f"remove it from the values file, or `pulumi config set {key} {zeebe[key]}`"
        for key, value in wanted.items()
        if key in zeebe and str(zeebe[key]) != str(value)
    ]
