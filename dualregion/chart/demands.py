"""What the procedure demands of the user's Helm values: one table, checked when they are read, and shown in the docs.

The program knows its cluster by names, ports and paths of the chart, and brokers, exporters and search engines by what
they do with the chart's own values. What moves or changes one of them is found in an incident otherwise.
Sources: the charts camunda-platform 10.11 and elasticsearch 20 (their values.yaml and templates).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from dualregion import brokers
from dualregion.chart import values
from dualregion.chart.installations import failover_base
from dualregion.config.settings import Settings
from dualregion.observed.search_engine.records import RECORD_PREFIX
from dualregion.procedure.versions import CamundaVersion, Engine, ExporterForm, WebApps
from messages import Message
from messages.chart import values as messages

_ABSENT = object()
_RELEASE = "{{ .Release.Name }}"
_PLACEHOLDERS = (None, "", "PLACEHOLDER")
"""What the reference values files hold where a value is to come: the program's takes its place."""


@dataclass(frozen=True)
class Demand:
    """A value that must be one of these.

    :ivar path: its keys, with dots; a `*` at the end of one stands for nothing in particular.
    :ivar allowed: what it may be; `{{ .Release.Name }}` in it as in the chart.
    :ivar default: what the chart 10.11.3 makes of it where it is not given.
    :ivar why: what happens otherwise.
    :ivar policies_only: whether it matters only if the program makes the network policies (`podCidrs`).
    """

    path: str
    allowed: tuple[object, ...]
    default: object
    why: Callable[[], Message]
    policies_only: bool = False


@dataclass(frozen=True)
class EnvDemand:
    """An environment variable that must be one of these, or must not be given.

    :ivar names: its names; a `*` stands for anything.
    :ivar allowed: what it may be; nothing: it must not be there.
    :ivar why: what happens otherwise.
    """

    names: tuple[str, ...]
    allowed: tuple[str, ...]
    why: Callable[[], Message]


_RENAMED, _MOVED = messages.found_by_chart_name, messages.found_at_chart_port
_OWN_ENGINE, _SLEEPERS = messages.exports_to_chart_engine, messages.sleeping_brokers_restarted

DEMANDS: tuple[Demand, ...] = (
    Demand(
        "global.elasticsearch.disableExporter",
        (True, "true"),
        False,
        messages.exporter_of_chart_is_third,
    ),
    Demand(
        "global.identity.auth.enabled",
        (False,),
        True,
        messages.gateway_asked_without_credentials,
    ),
    Demand(
        "optimize.enabled",
        (False,),
        True,
        messages.optimize_writes_during_copy,
    ),
    Demand("zeebe.enabled", (True,), True, messages.brokers_needed),
    Demand(
        "zeebe.persistenceType",
        ("disk",),
        "disk",
        messages.brokers_keep_data,
    ),
    Demand("zeebe.livenessProbe.enabled", (False,), False, _SLEEPERS),
    Demand("zeebe.startupProbe.enabled", (False,), False, _SLEEPERS),
    Demand(
        "zeebe.readinessProbe.enabled",
        (True,),
        True,
        messages.sleeping_brokers_ready,
    ),
    Demand(
        "zeebe.command",
        (None, ()),
        (),
        messages.start_script_needed,
    ),
    Demand("global.elasticsearch.enabled", (True,), True, _OWN_ENGINE),
    Demand("global.elasticsearch.external", (False,), False, _OWN_ENGINE),
    Demand("global.elasticsearch.url.protocol", ("http",), "http", _OWN_ENGINE),
    Demand(
        "global.elasticsearch.url.host",
        (f"{_RELEASE}-elasticsearch", f"{_RELEASE}-elasticsearch-master-hl"),
        f"{_RELEASE}-elasticsearch",
        _OWN_ENGINE,
    ),
    Demand("global.elasticsearch.url.port", (9200,), 9200, _OWN_ENGINE),
    Demand("global.elasticsearch.tls.enabled", (False,), False, messages.asked_without_tls),
    Demand(
        "global.elasticsearch.auth.username",
        (None, ""),
        "",
        messages.engine_asked_without_credentials,
    ),
    Demand("global.opensearch.enabled", (False,), False, _OWN_ENGINE),
    Demand("elasticsearch.enabled", (True,), True, _OWN_ENGINE),
    Demand(
        "elasticsearch.security.enabled",
        (False,),
        False,
        messages.engine_asked_openly,
    ),
    *(
        Demand(f"elasticsearch.{key}", (None, ""), "", _RENAMED)
        for key in (
            *("nameOverride", "fullnameOverride", "namespaceOverride"),
            *("master.nameOverride", "master.fullnameOverride", "master.servicenameOverride"),
        )
    ),
    Demand(
        "elasticsearch.clusterDomain",
        ("cluster.local",),
        "cluster.local",
        messages.cluster_domain_fixed,
    ),
    Demand("elasticsearch.containerPorts.restAPI", (9200,), 9200, _MOVED),
    Demand("elasticsearch.service.ports.restAPI", (9200,), 9200, _MOVED),
    Demand(
        "elasticsearch.master.networkPolicy.enabled",
        (False,),
        True,
        messages.engine_policy_open,
        policies_only=True,
    ),
    *(
        Demand(f"{app}.{key}", (None, ""), "", _RENAMED)
        for app in values.WEB_APPS
        for key in ("nameOverride", "fullnameOverride")
    ),
    Demand("global.zeebeClusterName", (f"{_RELEASE}-zeebe",), f"{_RELEASE}-zeebe", _RENAMED),
    Demand("zeebe.service.httpPort", (9600,), 9600, _MOVED),
    Demand("zeebe.service.commandPort", (26501,), 26501, _MOVED),
    Demand("zeebe.service.internalPort", (26502,), 26502, _MOVED),
    *(
        demand
        for gateway in ("zeebeGateway", "zeebe-gateway")
        for demand in (
            Demand(f"{gateway}.contextPath", (None, "", "/"), "", messages.found_without_path),
            Demand(f"{gateway}.service.httpPort", (9600,), 9600, _MOVED),
            Demand(f"{gateway}.service.restPort", (8080,), 8080, _MOVED),
            Demand(f"{gateway}.service.grpcPort", (26500,), 26500, _MOVED),
        )
    ),
    Demand("global.multiregion.regions", (*_PLACEHOLDERS, 2), 1, messages.two_regions),
    Demand(
        "global.multiregion.installationType",
        (*_PLACEHOLDERS, "normal"),
        "normal",
        messages.set_in_each_phase,
    ),
)
"""What is absent counts as the chart's default, which may not do either. The program sets the last two anyway."""

_OF_LATER_VERSIONS: tuple[Demand, ...] = (
    Demand("orchestration.enabled", (True,), True, messages.brokers_needed),
    Demand("orchestration.persistenceType", ("disk",), "disk", messages.brokers_keep_data),
    Demand("orchestration.contextPath", (None, "", "/"), "", messages.found_without_path),
    Demand("orchestration.service.httpPort", (8080,), 8080, _MOVED),
    Demand("orchestration.service.managementPort", (9600,), 9600, _MOVED),
    Demand("orchestration.service.grpcPort", (26500,), 26500, _MOVED),
    Demand("orchestration.service.commandPort", (26501,), 26501, _MOVED),
    Demand("orchestration.service.internalPort", (26502,), 26502, _MOVED),
    Demand(
        "orchestration.exporters.camunda.enabled",
        (False,),
        True,
        messages.exporter_of_chart_is_third,
    ),
    Demand(
        "orchestration.exporters.zeebe.enabled",
        (False,),
        False,
        messages.exporter_of_chart_is_third,
    ),
    Demand("optimize.enabled", (False,), False, messages.optimize_writes_during_copy),
)
"""What charts of 8.8 and later call otherwise. Source: their values.yaml and templates, 13.12.7 and 14.8.4."""
_OF_OWN_ENGINE: tuple[Demand, ...] = (
    Demand("elasticsearch.enabled", (False,), False, messages.engine_beside_chart),
    Demand(
        "orchestration.data.secondaryStorage.type",
        (*_PLACEHOLDERS, "elasticsearch"),
        "",
        messages.elasticsearch_only,
    ),
)
"""What the engine beside the chart is in the place of. Source: values.yaml, 14.8.4."""
_OF_ALL_VERSIONS = ("global.multiregion.regions", "elasticsearch.")
_OF_8_5_ONLY = (
    "global.multiregion.installationType",
    *("zeebe.livenessProbe.enabled", "zeebe.startupProbe.enabled", "zeebe.readinessProbe.enabled"),
)


def demands_of(version: CamundaVersion) -> tuple[Demand, ...]:
    """Return what the procedure demands of the values of a version's chart."""
    if version.procedure.has_failover_installation:
        return DEMANDS
    if not version.brokers.serves_gateway:
        return tuple(each for each in DEMANDS if each.path not in _OF_8_5_ONLY)
    kept = tuple(each for each in DEMANDS if each.path.startswith(_OF_ALL_VERSIONS))
    if version.engine is Engine.SUBCHART:
        return (*kept, *_OF_LATER_VERSIONS)
    of_no_engine = (each for each in kept if not each.path.startswith("elasticsearch."))
    return (*of_no_engine, *_OF_LATER_VERSIONS, *_OF_OWN_ENGINE)


BROKER_ENV: tuple[EnvDemand, ...] = (
    EnvDemand(
        ("ZEEBE_BROKER_EXPERIMENTAL_PARTITIONING_SCHEME",),
        ("ROUND_ROBIN",),
        messages.partitions_distributed_by_default,
    ),
    EnvDemand(
        ("ZEEBE_BROKER_EXPERIMENTAL_PARTITIONING_FIXED*",),
        (),
        messages.partitions_distributed_by_default,
    ),
    EnvDemand(
        tuple(
            f"ZEEBE_BROKER_CLUSTER_{size}"
            for size in (
                *("NODEID", "CLUSTERSIZE", "PARTITIONSCOUNT", "PARTITIONCOUNT"),
                "REPLICATIONFACTOR",
            )
        ),
        (),
        messages.set_by_chart,
    ),
    EnvDemand(
        (
            "ZEEBE_BROKER_NETWORK_PORTOFFSET",
            "ZEEBE_BROKER_NETWORK_*_PORT",
            "ZEEBE_BROKER_NETWORK_*_ADVERTISEDPORT",
        ),
        (),
        _MOVED,
    ),
)
GATEWAY_ENV: tuple[EnvDemand, ...] = (
    EnvDemand(
        ("ZEEBE_GATEWAY_SECURITY_AUTHENTICATION_MODE",),
        ("none",),
        messages.gateway_asked_without_credentials,
    ),
)
BOTH_ENV: tuple[EnvDemand, ...] = (
    EnvDemand(("SERVER_PORT", "MANAGEMENT_SERVER_PORT"), (), _MOVED),
    EnvDemand(
        ("SERVER_SSL_ENABLED", "MANAGEMENT_SERVER_SSL_ENABLED"),
        ("false",),
        messages.asked_without_tls,
    ),
    EnvDemand(
        (
            "SERVER_SERVLET_CONTEXTPATH",
            "MANAGEMENT_SERVER_BASEPATH",
            "MANAGEMENT_ENDPOINTS_WEB_BASEPATH",
        ),
        (),
        messages.found_without_path,
    ),
)
_AUTHENTICATION_ENV = "CAMUNDA_SECURITY_AUTHENTICATION_"
_SEARCH_EXPORTER = re.compile(r"elasticsearch|opensearch", re.IGNORECASE)
_READ = ("ARGS_INDEX_PREFIX", "ARGS_BULK_DELAY")
"""The exporters' arguments that the program reads."""


def conflicts(
    base: Mapping[str, Any],
    settings: Settings,
    defaults: Mapping[str, Any] | None = None,
    setting: str = values.VALUES,
) -> list[Message]:
    """Return a message for each of the user's values that the procedure cannot work with.

    :param base: the user's merged values.
    :param defaults: the chart's own values, as far as they can be read; else those of 10.11.3 count.
    :param setting: the one that names the files of these values.
    :raises ConfigError: if the values have another shape than the chart's.
    """
    return list(_Values(base, settings, defaults or {}, setting).conflicts())


def conflicts_of_failover(
    base: Mapping[str, Any],
    given: Mapping[str, Any],
    settings: Settings,
    defaults: Mapping[str, Any] | None = None,
) -> list[Message]:
    """Return a message for each of the failover installation's values that the procedure cannot work with.

    :param base: the user's merged values, which have no conflicts.
    :param given: those of `failoverValues`.
    """
    return conflicts(failover_base(base, given), settings, defaults, values.FAILOVER_VALUES)


@dataclass(frozen=True)
class _Values:
    """Values that are held against what the procedure demands.

    :ivar base: all of them, merged.
    :ivar defaults: the chart's own, as far as they can be read.
    :ivar setting: the one that names their files.
    """

    base: Mapping[str, Any]
    settings: Settings
    defaults: Mapping[str, Any]
    setting: str

    @property
    def component(self) -> str:
        """The key of the brokers' values."""
        return self.settings.version.brokers.component

    def conflicts(self) -> Iterator[Message]:
        """Yield a message for each that the procedure cannot work with."""
        env = values.env_of(self.base, self.component, self.setting)
        yield from self._shapes()
        yield from self._sizes()
        yield from self._demanded()
        yield from self._login()
        yield from self._region()
        yield from self._environments()
        yield from self._otherwise_spelt(env)
        yield from self._exporters(env)
        yield from self._read_arguments(env)
        yield from self._overwritten(env)

    def _shapes(self) -> Iterator[Message]:
        """Refuse what is no map where the program looks into one: what it looks for there would count as not given."""
        for path in _maps_of(self.settings.version):
            found = _look_up(self.base, path)
            if found and found is not _ABSENT and not isinstance(found, Mapping):
                yield messages.values_no_map(self.setting, path)

    def _sizes(self) -> Iterator[Message]:
        wanted = {
            "clusterSize": self.settings.cluster_size,
            "partitionCount": self.settings.partition_count,
            "replicationFactor": self.settings.replication_factor,
        }
        given = values.brokers_of(self.base, self.settings.version, self.setting)
        for key, value in wanted.items():
            if key in given and str(given[key]) != str(value):
                yield messages.size_contradicted(self.setting, key, str(given[key]), value)

    def _demanded(self) -> Iterator[Message]:
        for demand in demands_of(self.settings.version):
            if demand.policies_only and not self.settings.cuts_by_policies:
                continue
            given = _look_up(self.base, demand.path)
            if given is not _ABSENT:
                if not _is_allowed(given, demand, self.settings):
                    yield self._refused(demand, given, messages.value_refused)
            elif not _is_set(demand.path):
                default = _look_up(self.defaults, demand.path)
                default = demand.default if default is _ABSENT else default
                if not _is_allowed(default, demand, self.settings):
                    yield self._refused(demand, default, messages.default_refused)

    def _login(self) -> Iterator[Message]:
        """Refuse a login at the gateway's REST API that the program cannot make."""
        if not self.settings.version.api_login or self._is_open():
            return
        path, method = self._authentication()
        if method == "oidc":
            yield messages.gateway_login_by_oidc(self.setting, path)
        elif method == "basic" and self.settings.gateway_login is None:
            yield messages.gateway_login_needed(self.setting, path)

    def _authentication(self) -> tuple[str, str]:
        """Return which value says how the REST API is logged in to, and what it says; as the chart and Spring look for it."""
        given = self._variable("METHOD")
        if given is not None:
            return f"{self.component}.env: {_AUTHENTICATION_ENV}METHOD", given.lower()
        paths = [f"{place}.security.authentication.method" for place in (self.component, "global")]
        for path in paths:
            found = _look_up(self.base, path)
            found = _look_up(self.defaults, path) if found is _ABSENT else found
            if found is not _ABSENT and found not in _PLACEHOLDERS:
                return path, str(found).lower()
        return paths[-1], "basic"

    def _is_open(self) -> bool:
        """Whether the REST API is asked without a login, however the web apps are."""
        given = self._variable("UNPROTECTEDAPI")
        if given is not None:
            return given.lower() == "true"
        path = f"{self.component}.security.authentication.unprotectedApi"
        return str(_look_up(self.base, path)).lower() == "true"

    def _variable(self, name: str) -> str | None:
        """Return what the brokers' environment says of their authentication; the last of several counts."""
        env = values.env_of(self.base, self.component, self.setting)
        found = [each for each in env if _bound(each) == f"{_AUTHENTICATION_ENV}{name}"]
        return str(found[-1].get("value")) if found else None

    def _refused(
        self,
        demand: Demand,
        value: object,
        refusal: Callable[[str, str, str, str, Message], Message],
    ) -> Message:
        allowed = allowed_text(demand)
        return refusal(self.setting, demand.path, _shown(value), allowed, demand.why())

    def _region(self) -> Iterator[Message]:
        """Refuse the values file of the other region."""
        given, own = _look_up(self.base, "global.multiregion.regionId"), self.settings.region
        if given is not _ABSENT and given not in _PLACEHOLDERS and str(given) != str(own):
            yield messages.values_of_other_region(self.setting, _shown(given), own)

    def _environments(self) -> Iterator[Message]:
        places: dict[str, tuple[EnvDemand, ...]] = {
            self.component: (*BROKER_ENV, *BOTH_ENV),
        }
        if not self.settings.version.brokers.serves_gateway:
            gateway = (*GATEWAY_ENV, *BOTH_ENV)
            places |= {"zeebeGateway": gateway, "zeebe-gateway": gateway}
        for component, demands in places.items():
            for entry in values.env_of(self.base, component, self.setting):
                name = _bound(entry)
                if not isinstance(entry.get("value"), str | None):
                    yield messages.variable_no_text(self.setting, component, entry["name"])
                for demand in demands:
                    named = any(fnmatchcase(name, each) for each in demand.names)
                    if named and not _is_allowed_env(entry, demand):
                        yield messages.variable_not_allowed(
                            setting=self.setting,
                            component=component,
                            name=str(entry.get("name")),
                            given=_env_shown(entry),
                            allowed=allowed_text(demand),
                            reason=demand.why(),
                        )

    def _otherwise_spelt(self, env: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
        """Refuse what the program sets or reads by its name if it has another one, which Spring binds too."""
        for entry in env:
            name, bound = str(entry.get("name")), _bound(entry)
            form = self.settings.version
            known = bound == form.brokers.contact_points or bound.startswith(
                form.exporter.variables
            )
            if known and name != bound:
                yield messages.variable_spelt_otherwise(self.setting, name, bound)

    def _exporters(self, env: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
        form = self.settings.version.exporter
        pattern = re.compile(rf"{form.variables}([A-Z0-9]+)_CLASSNAME")
        own = tuple(form.id_of(region).upper() for region in range(brokers.REGIONS))
        for entry in env:
            found = pattern.fullmatch(_bound(entry))
            if not found or found[1] in own:
                continue
            if not is_literal(entry) or _SEARCH_EXPORTER.search(str(entry.get("value"))):
                given = _env_shown(entry)
                yield messages.third_exporter(self.setting, found[0], given, own)

    def _read_arguments(self, env: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
        """Refuse arguments of the exporters that the program reads, and cannot."""
        form = self.settings.version.exporter
        for argument in _READ:
            names = [form.variable(region, argument) for region in range(brokers.REGIONS)]
            for entry in (each for each in env if each.get("name") in names):
                name, given = str(entry["name"]), _env_shown(entry)
                if not is_literal(entry):
                    yield messages.variable_not_plain(self.setting, name, given)
                elif argument == "ARGS_BULK_DELAY":
                    yield from self._delay(name, str(entry["value"]))
        prefixes = set.union(*map(partial(_prefixes, env, form), range(brokers.REGIONS)))
        if len(prefixes) > 1:
            yield messages.index_prefixes_differ(self.setting, sorted(prefixes))

    def _delay(self, name: str, given: str) -> Iterator[Message]:
        """Refuse a delay of an exporter that B2 would have to wait for too long; a slip makes milliseconds seconds.

        The exporters' own default, and less, is left to the deadline that is set when B2 comes.
        """
        if not values.is_delay(given):
            yield messages.delay_not_in_seconds(self.setting, name, _shown(given))
            return
        found, deadline = (
            values.ExporterSettings(flush_seconds=int(given)),
            self.settings.deadline_seconds,
        )
        if found.flush_seconds > values.FLUSH_SECONDS and 2 * found.quiet_seconds > deadline:
            yield messages.delay_too_long(
                setting=self.setting,
                name=name,
                delay=found.flush_seconds,
                quiet=found.quiet_seconds,
                deadline=deadline,
                enough=2 * found.quiet_seconds,
            )

    def _overwritten(self, env: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
        """Refuse values of the user's that the program would overwrite with others."""
        urls = values.exporter_urls(self.settings, replaced_region=None)
        for name, wanted in values.computed_env(self.settings, urls).items():
            for entry in (each for each in env if each.get("name") == name):
                given = _plain(entry.get("value"), self.settings)
                if "valueFrom" in entry or given not in (*_PLACEHOLDERS, wanted):
                    shown = _env_shown(entry)
                    yield messages.variable_overwritten(self.setting, name, shown, wanted)
        for name, source in values.computed_sources(self.settings).items():
            for entry in (each for each in env if each.get("name") == name):
                given = entry.get("valueFrom") or entry.get("value")
                if given not in (*_PLACEHOLDERS, source):
                    reference = source["secretKeyRef"]
                    yield messages.password_from_elsewhere(
                        self.setting, name, reference["name"], reference["key"]
                    )


def _prefixes(env: Sequence[Mapping[str, Any]], form: ExporterForm, region: int) -> set[str]:
    """Return what a region's exporter is given as the prefix of its indices."""
    name = form.variable(region, "ARGS_INDEX_PREFIX")
    given = {str(entry.get("value")) for entry in env if entry.get("name") == name}
    return given or {RECORD_PREFIX}


def _maps_of(version: CamundaVersion) -> list[str]:
    """Return the paths of the maps that the program looks into, the outer ones first."""
    paths = [each.path for each in demands_of(version)]
    if version.web_apps is WebApps.PROFILES:
        paths += [f"{version.brokers.component}.profiles.{app}" for app in values.WEB_APPS]
    keys = (path.split(".")[:-1] for path in paths)
    return sorted({".".join(each[:count]) for each in keys for count in range(1, len(each) + 1)})


def _is_set(path: str) -> bool:
    """Whether the program itself sets this value in every release."""
    return path.startswith("global.multiregion.")


def _look_up(base: Mapping[str, Any], path: str) -> object:
    found: object = base
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return _ABSENT
        found = found[key]
    return found


def _is_allowed(given: object, demand: Demand, settings: Settings) -> bool:
    """Whether a value is among those demanded; numbers may come as texts, and a truth value is no number."""
    if given is None and not all(demand.allowed):
        # A null takes away the chart's default: to its templates it is false, or empty.
        return True
    plain = _plain(given, settings)
    return any(
        plain == _plain(each, settings) and isinstance(plain, bool) == isinstance(each, bool)
        for each in demand.allowed
    )


def _plain(value: object, settings: Settings) -> object:
    if isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return re.sub(r"\{\{-?\s*\.Release\.Name\s*-?\}\}", settings.release, str(value))


def _shown(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return repr(value)


def allowed_text(demand: Demand | EnvDemand) -> str:
    """Return what a demand allows, for messages and docs."""
    shown = [
        _allowed_shown(each)
        for each in demand.allowed
        if each not in (*_PLACEHOLDERS, (), "/", "true")
    ]
    may_be_absent = not shown or any(each in (None, "", ()) for each in demand.allowed)
    return " or ".join((["left out"] if may_be_absent else []) + shown)


def _allowed_shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bound(entry: Mapping[str, Any]) -> str:
    """Return the name of a variable as Spring binds it: `zeebe.broker.cluster.node-id` says the same as `..._NODEID`."""
    name = str(entry.get("name")).upper().replace(".", "_").replace("-", "")
    return re.sub(r"(CONTEXT|BASE)_PATH$", r"\1PATH", name)


def _is_allowed_env(entry: Mapping[str, Any], demand: EnvDemand) -> bool:
    return "value" in entry and str(entry["value"]).lower() in {
        each.lower() for each in demand.allowed
    }


def _env_shown(entry: Mapping[str, Any]) -> str | None:
    """Return the value of an environment entry, or None if it comes from elsewhere."""
    return _shown(entry["value"]) if "value" in entry else None


def is_literal(entry: Mapping[str, Any]) -> bool:
    """Return whether an environment entry's value is what stands there: no template, no reference."""
    text = str(entry.get("value"))
    return entry.get("value") is not None and "{{" not in text and "$(" not in text


def demand_rows() -> list[tuple[str, str, str]]:
    """Return the table for the docs: value, what it must be, why."""
    return [
        *((each.path, allowed_text(each), each.why()) for each in DEMANDS),
        *(
            (f"{place}: {', '.join(each.names)}", allowed_text(each), each.why())
            for place, demands in (
                ("zeebe.env", BROKER_ENV),
                ("zeebeGateway.env", GATEWAY_ENV),
                ("zeebe.env, zeebeGateway.env", BOTH_ENV),
            )
            for each in demands
        ),
    ]
