"""Helm values: the user's files as the base, and over them only what the procedure needs, as the version spells it.

Helm replaces lists whole, so an overlay of one entry of the brokers' `env` must carry them all: entries are
set by name here, and every other entry keeps its place and content.
"""

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.names import ReleaseNames
from dualregion.observed.search_engine.records import RECORD_PREFIX
from dualregion.procedure.versions import CamundaVersion, ExporterForm, WebApps
from messages.chart import values as messages

Values = dict[str, Any]

WEB_APPS = ("operate", "tasklist")
"""The chart's components that read the search engine, each a Deployment `<release>-<component>`."""
VALUES, FAILOVER_VALUES = "values", "failoverValues"
"""The settings that name values files."""
FLUSH_SECONDS = 5
"""The exporters' own default of `bulk.delay`."""
_SECONDS = re.compile(r"[0-9]{1,9}")


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


Source = Mapping[str, Any]
"""Where the value of an environment variable comes from: a `valueFrom`."""


def set_env(
    entries: Sequence[Mapping[str, Any]], wanted: Mapping[str, str | Source]
) -> list[Values]:
    """Set environment entries by name; order and all other entries stay as they are.

    A name may stand twice in the list; Kubernetes lets the last one count, so all are set.

    :param entries: as `env_of` returns them: each has a name.
    :param wanted: the value of each, or where it comes from.
    """
    result = [
        _entry(entry["name"], wanted[entry["name"]])
        if entry["name"] in wanted
        else copy.deepcopy(dict(entry))
        for entry in entries
    ]
    present = {entry["name"] for entry in entries}
    result += [_entry(name, value) for name, value in wanted.items() if name not in present]
    return result


def _entry(name: str, value: str | Source) -> Values:
    if isinstance(value, str):
        return {"name": name, "value": value}
    return {"name": name, "valueFrom": copy.deepcopy(dict(value))}


def contact_points(settings: Settings) -> str:
    """Return the brokers that every broker asks first: the two regions in turn, ordinal by ordinal.

    From 8.9 on the two headless Services, whose names end with a dot so that no search domain is tried.
    """
    names = ReleaseNames(settings.release)
    if settings.version.brokers.contacts_headless:
        return ",".join(
            f"{names.brokers}.{region.namespace}.svc.cluster.local.:26502"
            for region in settings.regions
        )
    hosts = [
        f"{names.broker(ordinal)}.{names.brokers}.{region.namespace}.svc.cluster.local:26502"
        for ordinal in range(brokers.broker_count(settings.cluster_size))
        for region in settings.regions
    ]
    return ",".join(hosts)


def exporter_urls(settings: Settings, *, replaced_region: int | None) -> tuple[str, str]:
    """Return where the exporters of region 0 and 1 write to.

    :param replaced_region: the region whose search engine is replaced by the survivor's failover
        engine, or None.
    """
    namespaces = [region.namespace for region in settings.regions]
    if replaced_region is not None:
        survivor = settings.regions[brokers.other(replaced_region)]
        namespaces[replaced_region] = survivor.failover
    first, second = map(settings.engine_address.url, namespaces)
    return first, second


def computed_env(settings: Settings, exporters: Sequence[str]) -> dict[str, str]:
    """Return the environment variables of brokers that the program sets."""
    form = settings.version.exporter
    wanted = {settings.version.brokers.contact_points: contact_points(settings)}
    for region, url in enumerate(exporters):
        wanted[form.variable(region, "CLASSNAME")] = form.class_name
        wanted[form.variable(region, form.url)] = url
        if login := settings.engine_address.login:
            wanted[form.variable(region, form.user)] = login.user
    return wanted


def computed_sources(settings: Settings) -> dict[str, Source]:
    """Return where brokers get those environment variables from that are secret."""
    login, form = settings.engine_address.login, settings.version.exporter
    if login is None:
        return {}
    return {
        form.variable(region, form.password): {
            "secretKeyRef": {"name": login.copy_of(region), "key": login.key}
        }
        for region in range(brokers.REGIONS)
    }


def _web_apps_engine(settings: Settings) -> Values:
    """Return how web apps reach the engine of their own region, where the chart brings none; the user's values go before."""
    login = settings.engine_address.login
    if login is None:
        return {}
    engine = {
        "url": settings.engine_address.url(settings.own.namespace),
        "auth": {
            "username": login.user,
            "secret": {"existingSecret": login.secret, "existingSecretKey": login.key},
        },
    }
    storage = {"type": "elasticsearch", "elasticsearch": engine}
    return {settings.version.brokers.component: {"data": {"secondaryStorage": storage}}}


def _quiet_env(version: CamundaVersion, *, web_apps: bool | None, is_empty: bool) -> dict[str, str]:
    """Return the variables that keep brokers from writing to a search engine what no exporter of records does."""
    quiet: dict[str, str] = {}
    if version.archiver_argument and web_apps is False:
        for region in range(brokers.REGIONS):
            quiet[version.exporter.variable(region, version.archiver_argument)] = "false"
    if version.schema_switch and is_empty:
        quiet[version.schema_switch] = "false"
    return quiet


def variables_of_a_copy(version: CamundaVersion) -> frozenset[str]:
    """Return the variables that brokers have only as long as a search engine is copied."""
    return frozenset(_quiet_env(version, web_apps=False, is_empty=True))


def installation_values(
    base: Mapping[str, Any],
    settings: Settings,
    *,
    region_id: int,
    installation_type: str,
    exporters: tuple[str, str],
    web_apps: bool | None = None,
    is_empty: bool = False,
) -> Values:
    """Return the values of one Helm release.

    :param base: the user's merged values.
    :param region_id: the chart's `global.multiregion.regionId`; in a failOver installation the lost region's.
    :param installation_type: the chart's `global.multiregion.installationType`.
    :param exporters: the search engines of region 0 and 1.
    :param web_apps: whether Operate and Tasklist run; None leaves it to the user's values.
    :param is_empty: whether its search engine must stay empty, as a copy is to be restored there.
    :raises ConfigError: if the user's environment of the brokers is not a list of entries with names.
    """
    version = settings.version
    component = version.brokers.component
    wanted: dict[str, str | Source] = {
        **computed_env(settings, exporters),
        **computed_sources(settings),
        **_quiet_env(version, web_apps=web_apps, is_empty=is_empty),
    }
    overlay: Values = {
        "global": {"multiregion": {"regions": brokers.REGIONS, "regionId": region_id}},
        component: {
            "clusterSize": settings.cluster_size,
            "partitionCount": settings.partition_count,
            "replicationFactor": settings.replication_factor,
            "env": set_env(env_of(base, component), wanted),
        },
    }
    if settings.procedure.has_failover_installation:
        # Later charts ignore the key, or do not render with it.
        overlay["global"]["multiregion"]["installationType"] = installation_type
    if web_apps is not None:
        overlay = merge(overlay, _web_apps_switched(version, web_apps))
    if web_apps is False and _are_deployments(version) and not _has_other_paths(base):
        # The chart's combined Ingress would have no paths then, which no API server takes.
        overlay["global"]["ingress"] = {"enabled": False}
    if is_empty:
        overlay["connectors"] = {"enabled": False}
    return merge_all([_web_apps_engine(settings), base, overlay])


def _are_deployments(version: CamundaVersion) -> bool:
    return version.web_apps is WebApps.DEPLOYMENTS


def _web_apps_switched(version: CamundaVersion, on: bool) -> Values:
    """Return the values that switch Operate and Tasklist on or off."""
    if _are_deployments(version):
        return {app: {"enabled": on} for app in WEB_APPS}
    return {version.brokers.component: {"profiles": dict.fromkeys(WEB_APPS, on)}}


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


def without_the_incident(given: Mapping[str, Any], version: CamundaVersion) -> Values:
    """Return a release's values without what the procedure changes in them, and without the sizes."""
    left, component = copy.deepcopy(dict(given)), version.brokers.component
    for path in _changed_by_the_procedure(version):
        _remove(left, path)
    found = left.get(component)
    if isinstance(found, dict) and isinstance(found.get("env"), list):
        computed = _computed(version)
        found["env"] = [each for each in found["env"] if each.get("name") not in computed]
    return left


def _remove(values: Values, path: tuple[str, ...]) -> None:
    for key in path[:-1]:
        inner = values.get(key)
        if not isinstance(inner, dict):
            return
        values = inner
    values.pop(path[-1], None)


def _changed_by_the_procedure(version: CamundaVersion) -> tuple[tuple[str, ...], ...]:
    component = version.brokers.component
    changed: tuple[tuple[str, ...], ...] = (
        ("global", "multiregion", "regionId"),
        *((component, size) for size in ("clusterSize", "partitionCount", "replicationFactor")),
    )
    if _are_deployments(version):
        changed += (("global", "ingress", "enabled"), *((app, "enabled") for app in WEB_APPS))
    else:
        changed += tuple((component, "profiles", app) for app in WEB_APPS)
    if version.procedure.has_failover_installation:
        return (*changed, ("global", "multiregion", "installationType"))
    return (*changed, ("connectors", "enabled"))


def _computed(version: CamundaVersion) -> frozenset[str]:
    """Return the environment variables of brokers that follow from the settings and the phase."""
    urls = (
        version.exporter.variable(each, version.exporter.url) for each in range(brokers.REGIONS)
    )
    return variables_of_a_copy(version) | {version.brokers.contact_points, *urls}


def web_apps_of(values: Mapping[str, Any], version: CamundaVersion) -> list[str]:
    """Return which of Operate and Tasklist run with these values; the chart has both unless told otherwise."""
    if _are_deployments(version):
        return [app for app in WEB_APPS if (values.get(app) or {}).get("enabled", True)]
    profiles = at(values, version.brokers.component, "profiles") or {}
    return [app for app in WEB_APPS if profiles.get(app, True)]


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

    @property
    def quiet_seconds(self) -> int:
        """How long nothing may come from exporters that are paused before it counts as all: twice their delay."""
        return 2 * self.flush_seconds


def is_delay(text: str) -> bool:
    """Return whether a text is a whole number of seconds, as the exporters and this program read it."""
    return _SECONDS.fullmatch(text) is not None


def exporter_settings(values: Mapping[str, Any], version: CamundaVersion) -> ExporterSettings:
    """Return the settings of the exporters of these values; see `exporter_settings_of`."""
    return exporter_settings_of(env_of(values, version.brokers.component), version.exporter)


def exporter_settings_of(env: Iterable[Mapping[str, Any]], form: ExporterForm) -> ExporterSettings:
    """Return the settings of both exporters, of which the slower flush counts.

    Source: the Elasticsearch exporter's `index.prefix` and `bulk.delay` (whole seconds).

    :param env: the entries of the values' environment of the brokers, or of the brokers' own.
    :raises ConfigError: if one cannot be read here, as it is a template or comes from somewhere else; if it is no number
        of seconds; or if the two prefixes differ, as an engine that is copied holds one of them only.
    """
    given = {entry.get("name"): entry for entry in env}

    def said(setting: str, default: str) -> list[str]:
        names = [form.variable(region, setting) for region in range(brokers.REGIONS)]
        return [_literal(name, given[name]) if name in given else default for name in names]

    delays = said("ARGS_BULK_DELAY", str(FLUSH_SECONDS))
    for region, text in enumerate(delays):
        if not is_delay(text):
            name = form.variable(region, "ARGS_BULK_DELAY")
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


def exporters_of(values: Mapping[str, Any], version: CamundaVersion) -> list[str]:
    """Return where the exporters of region 0 and 1 write to with these values."""
    env, form = env_of(values, version.brokers.component), version.exporter
    given = {entry.get("name"): str(entry.get("value")) for entry in env}
    names = [form.variable(region, form.url) for region in range(brokers.REGIONS)]
    return [given[name] for name in names if name in given]


def env_of(
    base: Mapping[str, Any], component: str, setting: str = VALUES
) -> Sequence[Mapping[str, Any]]:
    """Return a component's environment entries.

    :param setting: the one that names the files of these values.
    :raises ConfigError: if they are no list of entries, each with a name.
    """
    env = _component(base, component, setting).get("env") or []
    if not isinstance(env, list) or not all(isinstance(entry, Mapping) for entry in env):
        raise ConfigError([messages.environment_no_list(setting, component)])
    unnamed = [at for at, entry in enumerate(env) if not _is_named(entry)]
    if unnamed:
        raise ConfigError([messages.variable_unnamed(setting, component, at) for at in unnamed])
    return env


def _is_named(entry: Mapping[str, Any]) -> bool:
    name = entry.get("name")
    return isinstance(name, str) and bool(name)


def brokers_of(
    base: Mapping[str, Any], version: CamundaVersion, setting: str = VALUES
) -> Mapping[str, Any]:
    """Return the values of the brokers.

    :param setting: the one that names the files of these values.
    :raises ConfigError: if they are no map.
    """
    return _component(base, version.brokers.component, setting)


def _component(base: Mapping[str, Any], name: str, setting: str) -> Mapping[str, Any]:
    found = base.get(name) or {}
    if isinstance(found, Mapping):
        return found
    raise ConfigError([messages.values_no_map(setting, name)])
