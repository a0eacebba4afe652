"""What the chart renders, held against what the program addresses: names, ports, labels and environment.

The program finds brokers, gateway, search engine and web apps by names that the chart gives them, and users may
rename or move nearly all of them with values. Here the objects of every release that the procedure will ever ask for
are looked at beforehand, so that a step does not wait in vain for what is called otherwise.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from typing import Any

import yaml

from dualregion import brokers
from dualregion.chart import installations, pod_templates, values
from dualregion.chart.installations import Bases
from dualregion.config.chart_findings import Code, Finding
from dualregion.config.settings import Settings
from dualregion.names import ReleaseNames
from dualregion.procedure import FAIL_BACK
from dualregion.procedure.topology import Installation, Kind
from dualregion.procedure.versions import Engine, WebApps
from messages import Message
from messages.chart import rendered as messages

Object = Mapping[str, Any]
"""A manifest."""
Found = Iterator[tuple[Code, Message]]

COMMAND_PORT, INTERNAL_PORT = 26500, 26502
"""Where clients reach the gateway, and brokers each other: both stand in the program's outputs and values."""
_CLASS_NAME = "_CLASSNAME"
_ACTUATOR = "/actuator"
_CLUSTER_SCOPED = frozenset(
    {
        *(
            "ClusterRole",
            "ClusterRoleBinding",
            "CustomResourceDefinition",
            "IngressClass",
            "Namespace",
        ),
        *("MutatingWebhookConfiguration", "PersistentVolume", "PriorityClass", "StorageClass"),
        *(
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ),
    }
)
_WORKLOADS = ("StatefulSet", "Deployment", "DaemonSet", "Job", "CronJob")


@dataclass(frozen=True)
class Addressed:
    """How the steps address what runs.

    :ivar management_port: of brokers and gateway.
    :ivar rest_port: of the gateway.
    :ivar engine_port: of the search engine.
    :ivar broker_label: the label that brokers' pods are found by, beside the release's.
    :ivar engine_label: the same of the search engine's.
    """

    management_port: int
    rest_port: int
    engine_port: int
    broker_label: tuple[str, str]
    engine_label: tuple[str, str]


def releases(settings: Settings, bases: Bases) -> dict[str, Installation]:
    """Return every release that this region's stack will ever declare, whichever region is lost, by its stage.

    :param bases: what the user's values say.
    """
    own = partial(installations.own, settings, bases.own)
    if not settings.procedure.has_failover_installation:
        return {
            "normal": own(),
            "survivor in B2": own(web_apps=False),
            "recreated in B1": own(web_apps=False, is_empty=True),
        }
    failover = partial(installations.failover, settings, bases.failover)
    asleep = partial(own, installation_type=FAIL_BACK)
    return {
        "normal": own(),
        "survivor": own(replaced_region=brokers.other(settings.region)),
        "failover installation": failover(replaced_region=brokers.other(settings.region)),
        "survivor in B4": own(web_apps=False),
        "failover installation in B4": failover(),
        "recreated in B1": asleep(replaced_region=settings.region, web_apps=False),
        "recreated in B4": asleep(web_apps=False),
        "recreated in B5": asleep(),
    }


def findings(
    settings: Settings,
    rendered: Mapping[str, tuple[Installation, Sequence[Object]]],
    addressed: Addressed,
) -> list[Finding]:
    """Return what is wrong with what the chart renders, each finding once, with its stages.

    :param rendered: each release with its objects, by stage.
    """
    stages: dict[tuple[Code, Message], list[str]] = {}
    for stage, (spec, objects) in rendered.items():
        for found in _Release(settings, spec, objects, addressed).findings():
            stages.setdefault(found, []).append(stage)
    for found in _owned_twice(rendered.values()):
        stages.setdefault(found, [])
    # What is so in every release needs no list of them.
    everywhere = list(rendered)
    return [
        Finding(code, message, () if named == everywhere else tuple(named))
        for (code, message), named in stages.items()
    ]


def _owned_twice(
    rendered: Iterable[tuple[Installation, Sequence[Object]]],
) -> Found:
    """Yield what both releases would make at one place: Helm lets only one own it, and the second is not installed."""
    owners: dict[tuple[str, str], set[Kind]] = {}
    for spec, objects in rendered:
        for each in objects:
            inside = str(_at(each, "metadata", "namespace") or spec.namespace)
            place = "" if each.get("kind") in _CLUSTER_SCOPED else inside
            owners.setdefault((_named(each), place), set()).add(spec.kind)
    for (name, _), kinds in owners.items():
        if len(kinds) > 1:
            yield Code.SCOPE, messages.owned_twice(name)


class _Release:
    """One release's objects."""

    def __init__(
        self,
        settings: Settings,
        spec: Installation,
        objects: Sequence[Object],
        addressed: Addressed,
    ) -> None:
        self._settings, self._spec, self._addressed = settings, spec, addressed
        self._release, self._names = settings.release, ReleaseNames(settings.release)
        self._objects = {(str(each.get("kind")), _name(each)): each for each in objects}
        self._version = settings.version
        multiregion = spec.values["global"]["multiregion"]
        self._type = str(multiregion.get("installationType") or "")

    def findings(self) -> Found:
        """Yield what is wrong with it."""
        yield from self._brokers()
        yield from self._gateway()
        yield from self._engine()
        yield from self._web_apps()
        yield from self._extra()
        yield from self._ingresses()
        yield from self._policies()

    def _brokers(self) -> Found:
        name = self._names.brokers
        found = self._objects.get(("StatefulSet", name))
        if found is None:
            yield self._missing("StatefulSet", name)
            return
        spec, what, count = found["spec"], _named(found), self._broker_count()
        if spec.get("replicas") != count:
            yield (
                Code.REPLICAS,
                messages.broker_count_differs(what, spec.get("replicas"), count),
            )
        if spec.get("serviceName") != name:
            service = str(spec.get("serviceName"))
            yield Code.NAME, messages.pods_named_elsewhere(what, service, name)
        yield from self._labels(
            found,
            {"app.kubernetes.io/instance": self._release, **_pair(self._addressed.broker_label)},
        )
        yield from self._service(name, (INTERNAL_PORT,), found)
        container_name = self._version.brokers.container
        container = _container(found, container_name)
        if container is None:
            yield Code.NAME, messages.container_missing(what, container_name)
            return
        ports = (self._addressed.management_port, INTERNAL_PORT)
        yield from _closed(what, ports, _container_ports(container))
        yield from _moved(what, container)
        yield from self._environment(what, container)
        claims = {_name(each) for each in spec.get("volumeClaimTemplates") or ()}
        if claims.isdisjoint(str(each.get("name")) for each in container.get("volumeMounts") or ()):
            yield Code.STORAGE, messages.claims_missing(what)
        yield from self._exporters(found, container)
        probes = [each for each in ("livenessProbe", "startupProbe") if container.get(each)]
        if self._type == FAIL_BACK and probes:
            yield Code.PROBE, messages.probes_restart_sleepers(what, probes)

    def _broker_count(self) -> int:
        size = self._settings.cluster_size
        if self._spec.kind is Kind.FAILOVER:
            return brokers.failover_broker_count(size)
        return brokers.broker_count(size)

    def _environment(self, what: str, container: Object) -> Found:
        seen = pod_templates.environment(container.get("env") or ())
        urls = values.exporters_of(self._spec.values, self._version)
        sources = values.computed_sources(self._settings).items()
        wanted = {
            **values.computed_env(self._settings, urls),
            # As they are seen.
            **pod_templates.environment({"name": key, "valueFrom": each} for key, each in sources),
        }
        for key, value in wanted.items():
            if seen.get(key) != value:
                differs = messages.environment_differs(what, key, seen.get(key), value)
                yield Code.ENVIRONMENT, differs

    def _exporters(self, found: Object, container: Object) -> Found:
        """Look for exporters other than the two: what they write is neither repointed nor copied."""
        own = {self._version.exporter.id_of(each).upper() for each in range(brokers.REGIONS)}
        prefix = self._version.exporter.variables
        names = (str(each.get("name")) for each in container.get("env") or ())
        ids = {
            each.removeprefix(prefix).removesuffix(_CLASS_NAME)
            for each in names
            if each.startswith(prefix) and each.endswith(_CLASS_NAME)
        }
        ids |= {each.upper() for each in self._configured_exporters(found)}
        for other in sorted(ids - own):
            yield Code.EXPORTER, messages.exporter_unknown(other.lower())

    def _configured_exporters(self, found: Object) -> Iterator[str]:
        for document in self._configuration(found):
            broker = _at(document, "zeebe", "broker", "exporters")
            yield from broker if isinstance(broker, Mapping) else ()

    def _configuration(self, workload: Object) -> Iterator[Any]:
        """Yield the YAML documents of the ConfigMaps that a workload mounts."""
        pod = _pod(workload)
        for volume in pod.get("volumes") or ():
            mounted = self._objects.get(
                ("ConfigMap", str((volume.get("configMap") or {}).get("name")))
            )
            for file, text in ((mounted or {}).get("data") or {}).items():
                if str(file).endswith((".yaml", ".yml")):
                    yield _document(text)

    def _gateway(self) -> Found:
        name = self._names.gateway
        in_brokers = self._version.brokers.serves_gateway
        place = ("StatefulSet", self._names.brokers) if in_brokers else ("Deployment", name)
        found = self._objects.get(place)
        if found is None:
            if not in_brokers:
                yield self._missing(*place)
            return
        ports = (self._addressed.management_port, self._addressed.rest_port, COMMAND_PORT)
        yield from self._service(name, ports, found)
        for container in _pod(found).get("containers") or ():
            yield from _moved(_named(found), container)
        for document in self._configuration(found):
            for key, path in _base_paths(document):
                yield Code.PATH, messages.below_other_path(_named(found), path, key)

    def _engine(self) -> Found:
        if self._version.engine is Engine.OWN:
            return
        name = self._names.search_engine
        found = self._objects.get(("StatefulSet", name))
        if found is None:
            yield self._missing("StatefulSet", name)
            return
        yield from self._labels(
            found,
            {"app.kubernetes.io/instance": self._release, **_pair(self._addressed.engine_label)},
        )
        yield from self._service(
            self._names.search_engine_service, (self._addressed.engine_port,), found
        )

    def _web_apps(self) -> Found:
        if self._version.web_apps is WebApps.PROFILES:
            return
        enabled = values.web_apps_of(self._spec.values, self._version)
        for app in values.WEB_APPS:
            name = self._names.component(app)
            found = self._objects.get(("Deployment", name))
            if found is not None:
                wanted = {
                    "app.kubernetes.io/component": app,
                    "app.kubernetes.io/instance": self._release,
                }
                yield from self._labels(found, wanted)
            elif app in enabled:
                yield self._missing("Deployment", name)
            if app not in enabled:
                for each in self._workloads():
                    if _pod_labels(each).get("app.kubernetes.io/component") == app:
                        yield Code.NAME, messages.rendered_although_off(_named(each), app)

    def _extra(self) -> Found:
        if self._spec.kind is not Kind.FAILOVER:
            return
        needed = {self._names.brokers, self._names.gateway}
        key, engine = self._addressed.engine_label
        for each in self._workloads():
            if _name(each) not in needed and _pod_labels(each).get(key) != engine:
                yield Code.EXTRA, messages.runs_twice(_named(each))

    def _ingresses(self) -> Found:
        for (kind, name), each in self._objects.items():
            rules = _at(each, "spec", "rules") or () if kind == "Ingress" else ()
            if any("http" in rule and not _at(rule, "http", "paths") for rule in rules):
                yield Code.INGRESS, messages.ingress_without_paths(name)

    def _policies(self) -> Found:
        """Look for policies that open what the isolation closes: policies add up."""
        cut = self._settings.peer.pod_cidrs
        for (kind, name), each in self._objects.items():
            if kind == "NetworkPolicy" and cut and _opens(each.get("spec") or {}, cut):
                yield Code.POLICY, messages.policy_opens(name)

    def _service(self, name: str, ports: Collection[int], workload: Object) -> Found:
        found = self._objects.get(("Service", name))
        if found is None:
            yield self._missing("Service", name)
            return
        yield from _closed(
            f"Service {name}",
            ports,
            {each.get("port") for each in _at(found, "spec", "ports") or ()},
        )
        selector = _at(found, "spec", "selector") or {}
        if not selector or not selector.items() <= _pod_labels(workload).items():
            yield Code.LABEL, messages.selects_no_pods(name, _named(workload))

    def _labels(self, workload: Object, wanted: Mapping[str, str]) -> Found:
        lacking = {
            key: value for key, value in wanted.items() if _pod_labels(workload).get(key) != value
        }
        if lacking:
            labels = [f"{key}={value}" for key, value in lacking.items()]
            yield Code.LABEL, messages.labels_missing(_named(workload), labels)
        for each in self._workloads():
            if each is not workload and wanted.items() <= _pod_labels(each).items():
                yield Code.LABEL, messages.labels_shared(_named(workload), _named(each))

    def _workloads(self) -> Iterator[Object]:
        return (each for (kind, _), each in self._objects.items() if kind in _WORKLOADS)

    def _missing(self, kind: str, name: str) -> tuple[Code, Message]:
        others = sorted(other for of_kind, other in self._objects if of_kind == kind)
        return Code.NAME, messages.not_rendered(kind, name, others)


def _name(found: Object) -> str:
    return str((found.get("metadata") or {}).get("name"))


def _named(found: Object) -> str:
    return f"{found.get('kind')} {_name(found)}"


def _pair(label: tuple[str, str]) -> dict[str, str]:
    return dict((label,))


def _at(document: Any, *keys: str) -> Any:
    """Return what lies at these keys, or None."""
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _template(workload: Object) -> Mapping[str, Any]:
    path = (
        ("spec", "jobTemplate", "spec", "template")
        if workload.get("kind") == "CronJob"
        else ("spec", "template")
    )
    return _at(workload, *path) or {}


def _pod(workload: Object) -> Mapping[str, Any]:
    return _template(workload).get("spec") or {}


def _pod_labels(workload: Object) -> Mapping[str, Any]:
    return _at(_template(workload), "metadata", "labels") or {}


def _container(workload: Object, name: str) -> Object | None:
    return next(
        (each for each in _pod(workload).get("containers") or () if each.get("name") == name), None
    )


def _container_ports(container: Object) -> set[Any]:
    return {each.get("containerPort") for each in container.get("ports") or ()}


def _closed(what: str, wanted: Collection[int], open_ports: Collection[Any]) -> Found:
    lacking = sorted(set(wanted) - set(open_ports))
    if lacking:
        yield Code.PORT, messages.ports_missing(what, lacking)


def _moved(what: str, container: Object) -> Found:
    """Look whether a component's actuator has moved: its own probes say where it is."""
    for kind in ("readinessProbe", "livenessProbe", "startupProbe"):
        path = _at(container, kind, "httpGet", "path")
        if path is not None and _ACTUATOR in path and not str(path).startswith(_ACTUATOR):
            yield Code.PATH, messages.actuator_moved(what, kind, str(path), _ACTUATOR)


def _base_paths(document: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting of Spring that moves everything below another path."""
    for key, value in document.items() if isinstance(document, Mapping) else ():
        name = f"{path}.{key}".lstrip(".")
        if key in ("base-path", "basePath", "context-path", "contextPath"):
            if value and str(value).strip("/") not in ("", _ACTUATOR.strip("/")):
                yield name, str(value)
        else:
            yield from _base_paths(value, name)


def _document(text: Any) -> Any:
    try:
        return yaml.safe_load(str(text))
    except (yaml.YAMLError, ValueError):
        return None


def _opens(spec: Mapping[str, Any], cut: Collection[str]) -> bool:
    """Whether a network policy lets something pass to or from one of these address ranges."""
    rules = [each.get("from") for each in spec.get("ingress") or ()]
    rules += [each.get("to") for each in spec.get("egress") or ()]
    return any(
        not peers or any(_reaches(peer.get("ipBlock"), cut) for peer in peers) for peers in rules
    )


def _reaches(block: Mapping[str, Any] | None, cut: Collection[str]) -> bool:
    if not block:
        return False
    allowed = ip_network(block["cidr"], strict=False)
    excepted = [ip_network(each, strict=False) for each in block.get("except") or ()]
    for each in map(ip_network, cut):
        if each.version == allowed.version and each.overlaps(allowed):
            inside = (each.subnet_of(other) for other in excepted if other.version == each.version)  # type: ignore[arg-type]
            if not any(inside):
                return True
    return False
