"""What the procedure demands of the user's Helm values: one table, checked when they are read, and shown in the docs.

The program knows its cluster by names, ports and paths of the chart, and brokers, exporters and search engines by what
they do with the chart's own values. What moves or changes one of them is found in an incident otherwise.
Sources: the charts camunda-platform 10.11 and elasticsearch 20 (their values.yaml and templates).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from dualregion import brokers
from dualregion.chart import values
from dualregion.chart.installations import failover_base
from dualregion.config.settings import Settings
from dualregion.observed.records import RECORD_PREFIX

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
    why: str
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
    why: str


_RENAMED = "the program looks for it by the chart's own name"
_MOVED = "the program asks there by the chart's own port"
_OWN_ENGINE = "the program points the exporters to the chart's own search engine, and copies it in the failback"
_SLEEPERS = "the kubelet would restart the brokers that sleep in a failback"

DEMANDS: tuple[Demand, ...] = (
    Demand(
        "global.elasticsearch.disableExporter",
        (True, "true"),
        False,
        "the chart's own exporter would be a third one, which writes into the recreated region's empty engine",
    ),
    Demand(
        "global.identity.auth.enabled",
        (False,),
        True,
        "the program asks the gateway without credentials",
    ),
    Demand(
        "optimize.enabled",
        (False,),
        True,
        "Optimize writes to the search engine while it is copied, and a second time in the failover installation",
    ),
    Demand("zeebe.enabled", (True,), True, "the brokers are what it is about"),
    Demand(
        "zeebe.persistenceType",
        ("disk",),
        "disk",
        "brokers would lose their data when they are restarted, which the failover does with all of the survivor's",
    ),
    Demand("zeebe.livenessProbe.enabled", (False,), False, _SLEEPERS),
    Demand("zeebe.startupProbe.enabled", (False,), False, _SLEEPERS),
    Demand(
        "zeebe.readinessProbe.enabled",
        (True,),
        True,
        "a broker that sleeps, or does not work, would count as ready",
    ),
    Demand(
        "zeebe.command",
        (None, ()),
        (),
        "the chart's start script gives the brokers their ids and lets them sleep",
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
    Demand("global.elasticsearch.tls.enabled", (False,), False, "the program asks it without TLS"),
    Demand(
        "global.elasticsearch.auth.username",
        (None, ""),
        "",
        "the program asks it without credentials",
    ),
    Demand("global.opensearch.enabled", (False,), False, _OWN_ENGINE),
    Demand("elasticsearch.enabled", (True,), True, _OWN_ENGINE),
    Demand(
        "elasticsearch.security.enabled",
        (False,),
        False,
        "the program asks it without TLS and credentials",
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
        "the program's addresses end with the cluster domain cluster.local",
    ),
    Demand("elasticsearch.containerPorts.restAPI", (9200,), 9200, _MOVED),
    Demand("elasticsearch.service.ports.restAPI", (9200,), 9200, _MOVED),
    Demand(
        "elasticsearch.master.networkPolicy.enabled",
        (False,),
        True,
        "the engine's own policy opens it to everybody, and policies add up: a lost region's brokers could write into it "
        "in spite of the isolation",
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
            Demand(
                f"{gateway}.contextPath", (None, "", "/"), "", "the program asks without that path"
            ),
            Demand(f"{gateway}.service.httpPort", (9600,), 9600, _MOVED),
            Demand(f"{gateway}.service.restPort", (8080,), 8080, _MOVED),
            Demand(f"{gateway}.service.grpcPort", (26500,), 26500, _MOVED),
        )
    ),
    Demand("global.multiregion.regions", (*_PLACEHOLDERS, 2), 1, "a dual region has two regions"),
    Demand(
        "global.multiregion.installationType",
        (*_PLACEHOLDERS, "normal"),
        "normal",
        "the program sets it, phase by phase: values of a failover or a failback do not belong among those of all phases",
    ),
)
"""What is absent counts as the chart's default, which may not do either. The program sets the last two anyway."""

_SET_BY_CHART = "the chart sets it, from the cluster's sizes and the region"

BROKER_ENV: tuple[EnvDemand, ...] = (
    EnvDemand(
        ("ZEEBE_BROKER_EXPERIMENTAL_PARTITIONING_SCHEME",),
        ("ROUND_ROBIN",),
        "the quorum after a failover follows from the default distribution of partitions",
    ),
    EnvDemand(
        ("ZEEBE_BROKER_EXPERIMENTAL_PARTITIONING_FIXED*",),
        (),
        "the quorum after a failover follows from the default distribution of partitions",
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
        _SET_BY_CHART,
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
        "the program asks the gateway without credentials",
    ),
)
BOTH_ENV: tuple[EnvDemand, ...] = (
    EnvDemand(("SERVER_PORT", "MANAGEMENT_SERVER_PORT"), (), _MOVED),
    EnvDemand(
        ("SERVER_SSL_ENABLED", "MANAGEMENT_SERVER_SSL_ENABLED"),
        ("false",),
        "the program asks without TLS",
    ),
    EnvDemand(
        (
            "SERVER_SERVLET_CONTEXTPATH",
            "MANAGEMENT_SERVER_BASEPATH",
            "MANAGEMENT_ENDPOINTS_WEB_BASEPATH",
        ),
        (),
        "the program asks without that path",
    ),
)
_EXPORTER = re.compile(r"ZEEBE_BROKER_EXPORTERS_([A-Z0-9]+)_CLASSNAME")
_OWN_EXPORTERS = tuple(f"ELASTICSEARCHREGION{region}" for region in range(brokers.REGIONS))
_SEARCH_EXPORTER = re.compile(r"elasticsearch|opensearch", re.IGNORECASE)
_READ = ("ARGS_INDEX_PREFIX", "ARGS_BULK_DELAY")
"""The exporters' arguments that the program reads."""


def conflicts(
    base: Mapping[str, Any], settings: Settings, defaults: Mapping[str, Any] | None = None
) -> list[str]:
    """Return a sentence for each of the user's values that the procedure cannot work with.

    :param base: the user's merged values.
    :param defaults: the chart's own values, as far as they can be read; else those of 10.11.3 count.
    :raises ConfigError: if the values have another shape than the chart's.
    """
    return [
        *_sizes(base, settings),
        *_demanded(base, settings, defaults or {}),
        *_regions(base, settings),
        *_environments(base),
        *_otherwise_spelt(values.env_of(base)),
        *_exporters(values.env_of(base)),
        *_overwritten(values.env_of(base), settings),
    ]


def conflicts_of_failover(
    base: Mapping[str, Any],
    given: Mapping[str, Any],
    settings: Settings,
    defaults: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return a sentence for each of the failover installation's values that the procedure cannot work with.

    :param base: the user's merged values, which have no conflicts.
    :param given: those of `failoverValues`.
    """
    found = conflicts(failover_base(base, given), settings, defaults)
    return [each.replace("values: ", "failoverValues: ", 1) for each in found]


def _sizes(base: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    wanted = {
        "clusterSize": settings.cluster_size,
        "partitionCount": settings.partition_count,
        "replicationFactor": settings.replication_factor,
    }
    zeebe = values.zeebe_of(base)
    for key, value in wanted.items():
        if key in zeebe and str(zeebe[key]) != str(value):
            yield (
                f"values: zeebe.{key} is {zeebe[key]!r} but the setting {key} is {value}: "
                f"remove it from the values file, or `pulumi config set {key} {zeebe[key]}`"
            )


def _demanded(
    base: Mapping[str, Any], settings: Settings, defaults: Mapping[str, Any]
) -> Iterator[str]:
    for demand in DEMANDS:
        if demand.policies_only and not settings.cuts_by_policies:
            continue
        given = _look_up(base, demand.path)
        if given is _ABSENT:
            default = _look_up(defaults, demand.path)
            if default is _ABSENT:
                default = demand.default
            if not _is_allowed(default, demand, settings) and not _is_set(demand.path):
                yield (
                    f"values: {demand.path} is not set, and the chart's default is {_shown(default)}; it must be "
                    f"{allowed_text(demand)}: {demand.why}"
                )
        elif not _is_allowed(given, demand, settings):
            yield f"values: {demand.path} is {_shown(given)}; it must be {allowed_text(demand)}: {demand.why}"


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


def _regions(base: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """Refuse the values file of the other region."""
    given = _look_up(base, "global.multiregion.regionId")
    if given is _ABSENT or given in _PLACEHOLDERS or str(given) == str(settings.region):
        return
    yield (
        f"values: global.multiregion.regionId is {_shown(given)}, but this stack is region {settings.region}: name the values "
        "files of this region, or leave it out, as the program sets it"
    )


def _environments(base: Mapping[str, Any]) -> Iterator[str]:
    places: Mapping[str, tuple[EnvDemand, ...]] = {
        "zeebe": (*BROKER_ENV, *BOTH_ENV),
        "zeebeGateway": (*GATEWAY_ENV, *BOTH_ENV),
        "zeebe-gateway": (*GATEWAY_ENV, *BOTH_ENV),
    }
    for component, demands in places.items():
        for entry in values.env_of(base, component):
            name = _bound(entry)
            for demand in demands:
                named = any(fnmatchcase(name, each) for each in demand.names)
                if named and not _is_allowed_env(entry, demand):
                    yield (
                        f"values: {component}.env has {entry.get('name')} = {_env_shown(entry)}; it must be {allowed_text(demand)}: "
                        f"{demand.why}"
                    )


def _bound(entry: Mapping[str, Any]) -> str:
    """Return the name of a variable as Spring binds it: `zeebe.broker.cluster.node-id` says the same as `..._NODEID`."""
    name = str(entry.get("name")).upper().replace(".", "_").replace("-", "")
    return re.sub(r"(CONTEXT|BASE)_PATH$", r"\1PATH", name)


def _is_allowed_env(entry: Mapping[str, Any], demand: EnvDemand) -> bool:
    return "value" in entry and str(entry["value"]).lower() in {
        each.lower() for each in demand.allowed
    }


def _env_shown(entry: Mapping[str, Any]) -> str:
    return _shown(entry.get("value")) if "value" in entry else "a value from elsewhere"


def _otherwise_spelt(env: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Refuse what the program sets or reads by its name if it has another one, which Spring binds too."""
    for entry in env:
        name, bound = str(entry.get("name")), _bound(entry)
        known = bound == values.CONTACT_POINTS or bound.startswith("ZEEBE_BROKER_EXPORTERS_")
        if known and name != bound:
            yield f"values: zeebe.env has {name}: write it as {bound}, as the program sets and reads it by that name"


def _exporters(env: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for entry in env:
        found = _EXPORTER.fullmatch(_bound(entry))
        if not found or found[1] in _OWN_EXPORTERS:
            continue
        text = entry.get("value")
        if not is_literal(entry) or _SEARCH_EXPORTER.search(str(text)):
            yield (
                f"values: zeebe.env has {found[0]} = {_env_shown(entry)}, a third exporter to a search engine: the procedure "
                f"knows {' and '.join(_OWN_EXPORTERS)} only, and would not copy what it writes; take it out"
            )
    yield from _read_arguments(env)


def _read_arguments(env: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Refuse arguments of the exporters that the program reads, and cannot."""
    for argument in _READ:
        names = [values.exporter_variable(region, argument) for region in range(brokers.REGIONS)]
        given = [entry for entry in env if entry.get("name") in names]
        for entry in given:
            if not is_literal(entry):
                yield (
                    f"values: zeebe.env has {entry['name']} = {_env_shown(entry)}, but the failback reads it: give it as a "
                    "plain value, without a template and without valueFrom"
                )
            elif argument == "ARGS_BULK_DELAY" and not str(entry["value"]).isdigit():
                yield (
                    f"values: zeebe.env has {entry['name']} = {_env_shown(entry)}; it must be a whole number of seconds, as "
                    "the failback waits for it"
                )
    prefixes = [
        {str(entry.get("value")) for entry in env if entry.get("name") == name} or {RECORD_PREFIX}
        for name in (
            values.exporter_variable(region, "ARGS_INDEX_PREFIX")
            for region in range(brokers.REGIONS)
        )
    ]
    if len(set.union(*prefixes)) > 1:
        both = ", ".join(sorted(set.union(*prefixes)))
        yield (
            f"values: zeebe.env gives the exporters different index prefixes ({both}): the failback finds and compares the "
            "records of both by one; give both the same _ARGS_INDEX_PREFIX, each once"
        )


def is_literal(entry: Mapping[str, Any]) -> bool:
    """Return whether an environment entry's value is what stands there: no template, no reference."""
    text = str(entry.get("value"))
    return entry.get("value") is not None and "{{" not in text and "$(" not in text


def _overwritten(env: Sequence[Mapping[str, Any]], settings: Settings) -> Iterator[str]:
    """Refuse values of the user's that the program would overwrite with others."""
    urls = values.exporter_urls(settings, replaced_region=None)
    for name, wanted in values.computed_env(settings, urls).items():
        for entry in env:
            given = _plain(entry.get("value"), settings)
            agrees = "valueFrom" not in entry and given in (*_PLACEHOLDERS, wanted)
            if entry.get("name") != name or agrees:
                continue
            yield (
                f"values: zeebe.env has {name} = {_env_shown(entry)}, but in phase normal the program sets it to {wanted!r}: "
                "take it out of the values file; if the brokers or the search engine are elsewhere than the program looks "
                "for them, it cannot work with them"
            )


def demand_rows() -> list[tuple[str, str, str]]:
    """Return the table for the docs: value, what it must be, why."""
    return [
        *((each.path, allowed_text(each), each.why) for each in DEMANDS),
        *(
            (f"{place}: {', '.join(each.names)}", allowed_text(each), each.why)
            for place, demands in (
                ("zeebe.env", BROKER_ENV),
                ("zeebeGateway.env", GATEWAY_ENV),
                ("zeebe.env, zeebeGateway.env", BOTH_ENV),
            )
            for each in demands
        ),
    ]
