"""Looking beforehand at what the chart renders: every release that the procedure will ask for, in quiet times.

The releases are rendered with the user's chart and values, held against what the program addresses
(`dualregion.chart.rendered`), and tried on the API server, which keeps nothing of it. In an incident none of it is done.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from clients import charts, zeebe
from clients.cluster import pods
from clients.cluster.kubernetes import CallFailed, Cluster
from clients.parallel import at_once
from dualregion import names
from dualregion.chart import rendered, sent_values
from dualregion.chart.installations import Bases
from dualregion.config.chart_findings import Code, Finding
from dualregion.config.settings import Settings
from dualregion.errors import DualRegionError, Refused
from dualregion.procedure import Role
from dualregion.procedure.topology import Installation
from messages import Message
from messages.chart import rendered as chart_messages
from messages.steps import releases as messages
from steps.context import StepContext
from steps.releases import rbac

PROVIDER_PACKAGE = "pulumi_kubernetes"
"""The package that names the provider plugin's version: Pulumi uses the plugin of the very same."""
_AT_ONCE = 4
_HOOK = "helm.sh/hook"
_WELL = "as the program addresses it, in every release of the procedure"
ADDRESSED = rendered.Addressed(
    management_port=zeebe.MANAGEMENT_PORT,
    rest_port=zeebe.REST_PORT,
    engine_port=names.ENGINE_PORT,
    broker_label=pods.label(pods.BROKER_SELECTOR),
    engine_label=pods.label(names.ENGINE_LABEL),
)


@dataclass(frozen=True)
class Seen:
    """What a look at what the chart renders has found.

    :ivar findings: those that are not accepted.
    :ivar unknown: what could not be seen, and why.
    :ivar digest: of all that was looked at; the same one means the same result, but for the API server's.
    """

    findings: tuple[Finding, ...] = ()
    unknown: tuple[Message, ...] = ()
    digest: str = ""

    @property
    def fatal(self) -> tuple[Finding, ...]:
        """The findings with which some step cannot be done."""
        return tuple(each for each in self.findings if each.code.is_fatal)

    @property
    def warnings(self) -> list[Message]:
        """What is to be known, and keeps no step from being done; and what could not be seen."""
        minor = [
            messages.chart_renders(each.message) for each in self.findings if not each.code.is_fatal
        ]
        return [*minor, *map(messages.not_known, self.unknown)]

    @property
    def proved(self) -> str:
        """The digest, if all was seen and nothing is fatal; else empty."""
        return "" if self.fatal or self.unknown else self.digest


def provider_version() -> str:
    """Return the version of the Kubernetes provider, or an empty one if it is not installed."""
    try:
        return version(PROVIDER_PACKAGE)
    except PackageNotFoundError:
        return ""


def look(cluster: Cluster, settings: Settings, bases: Bases, project: Path) -> Seen:
    """Look at all releases of a region's stack.

    :param bases: what the user's values say.
    :param project: where the path of a chart starts.
    """
    digest = digest_of(settings, bases, project)
    try:
        with charts.fetched(settings.chart, project) as chart:
            found = [*_unsent(bases, chart)]
            documents = _render(cluster, settings, bases, chart)
    except (charts.NoHelm, charts.NotFetched) as error:
        return Seen(unknown=(messages.rendering_unknown(error.message),), digest=digest)
    failed = {
        stage: each for stage, each in documents.items() if isinstance(each, charts.NotRendered)
    }
    found += [Finding(Code.TEMPLATE, each.message, (stage,)) for stage, each in failed.items()]
    releases = rendered.releases(settings, bases)
    made = {
        stage: (releases[stage], each)
        for stage, each in documents.items()
        if not isinstance(each, charts.NotRendered)
    }
    found += rendered.findings(settings, made, ADDRESSED)
    refused, unknown = _tried(cluster, settings.regions[settings.region].namespace, made)
    found += refused
    wanted = tuple(each for each in found if each.code not in settings.chart.accept)
    return Seen(wanted, tuple(unknown), digest)


def check(ctx: StepContext) -> Seen:
    """Look in phase normal, unless all that is to be looked at was seen well before.

    :returns: what was seen; nothing in any other phase.
    :raises Refused: if some step could not be done with what the chart renders.
    """
    if ctx.topology.role is not Role.MEMBER:
        return Seen(digest=ctx.own.rendered)
    if ctx.own.rendered and ctx.own.rendered == digest_of(ctx.settings, ctx.bases, ctx.project):
        return Seen(digest=ctx.own.rendered)
    seen = look(ctx.cluster, ctx.settings, ctx.bases, ctx.project)
    if seen.fatal:
        raise refusal(seen.fatal)
    return seen


def prove(ctx: StepContext) -> str:
    """Look as `check` does, once the namespace is there, and return in a sentence what was seen.

    :raises Refused: as `check`.
    """
    if ctx.rendered:
        return _WELL
    seen = look(ctx.cluster, ctx.settings, ctx.bases, ctx.project)
    if seen.fatal:
        raise refusal(seen.fatal)
    for each in seen.warnings:
        ctx.say(each)
    return "; ".join(map(messages.not_known, seen.unknown)) or _WELL


def refusal(found: Sequence[Finding]) -> Refused:
    """Return the error of findings with which the procedure could not be carried out."""
    codes = sorted({each.code for each in found})
    return Refused(messages.steps_cannot_be_done([each.message for each in found], codes))


def digest_of(settings: Settings, bases: Bases, project: Path) -> str:
    """Return a digest of all that decides on what is rendered, and how it is judged; empty if that cannot be read."""
    releases = rendered.releases(settings, bases)
    parts = {stage: [each.namespace, each.values] for stage, each in releases.items()}
    about = [
        provider_version(),
        settings.release,
        settings.chart.model_dump_json(),
        settings.peer.pod_cidrs,
    ]
    text = json.dumps([about, parts], sort_keys=True, default=str)
    found = hashlib.sha256(text.encode())
    try:
        for path in _files(settings, project):
            found.update(str(path).encode())
            found.update(path.read_bytes())
    except OSError:
        # What cannot be read now may be another chart the next time.
        return ""
    return found.hexdigest()


def _files(settings: Settings, project: Path) -> list[Path]:
    """Return the files of a chart that lies on this machine."""
    if not settings.chart.is_path:
        return []
    chart = project / settings.chart.name
    return (
        sorted(each for each in chart.rglob("*") if each.is_file()) if chart.is_dir() else [chart]
    )


def _unsent(bases: Bases, chart: Path) -> Iterator[Finding]:
    """Yield the user's values that the provider drops though they would take a default of the chart away."""
    used = provider_version()
    if sent_values.keeps_nulls(used):
        return
    defaults = charts.defaults(chart)
    dropped = [
        key for base in (bases.own, bases.failover) for key in sent_values.dropped(base, defaults)
    ]
    for key in dict.fromkeys(dropped):
        keeping = ".".join(map(str, sent_values.KEEPS_NULLS_FROM))
        dropped_null = chart_messages.null_dropped(key, PROVIDER_PACKAGE, used, keeping)
        yield Finding(Code.VALUE, dropped_null)


def _render(
    cluster: Cluster, settings: Settings, bases: Bases, chart: Path
) -> dict[str, list[dict[str, Any]] | charts.NotRendered]:
    """Render all releases at once; one that helm does not render is there as the error."""
    try:
        known = cluster.version()
    except CallFailed:
        known = ""

    def one(spec: Installation) -> list[dict[str, Any]] | charts.NotRendered:
        try:
            return charts.render(chart, settings.release, spec, known)
        except charts.NotRendered as error:
            return error

    releases = rendered.releases(settings, bases)
    return dict(zip(releases, at_once(one, releases.values(), most=_AT_ONCE), strict=True))


@dataclass(frozen=True)
class _Trial:
    """An object to be tried, and in which stages it is rendered."""

    document: Mapping[str, Any]
    stages: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document.get('kind')} {(self.document.get('metadata') or {}).get('name')}"


def _tried(
    cluster: Cluster,
    namespace: str,
    made: Mapping[str, tuple[Installation, Sequence[Mapping[str, Any]]]],
) -> tuple[list[Finding], list[Message]]:
    """Return what the API server refuses of what is rendered, and what could not be tried.

    All of it is tried in the region's own namespace: the failover namespace is not there yet, and gets the same rights.
    """
    try:
        if not cluster.has_namespace(namespace):
            return [], [messages.trial_without_namespace(namespace)]
        if not rbac.is_granted(cluster, namespace):
            return [], [messages.trial_without_rights(namespace)]
    except CallFailed as error:
        return [], [messages.trial_unknown(None, error.message)]
    trials = _trials(made, everywhere=tuple(made))
    served = _Served(cluster)
    results = at_once(partial(_try, served, namespace), trials)
    found = [each for each in results if isinstance(each, Finding)]
    return found, _in_one([each for each in results if isinstance(each, Message)])


def _in_one(reasons: list[Message]) -> list[Message]:
    """Return the first of several reasons, with the count of the others: one cause has many objects."""
    if not reasons[1:]:
        return reasons
    return [messages.same_of_others(reasons[0], len(reasons) - 1)]


def _trials(
    made: Mapping[str, tuple[Installation, Sequence[Mapping[str, Any]]]],
    everywhere: tuple[str, ...],
) -> list[_Trial]:
    """Return each object once, however many releases have it."""
    stages: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for stage, (_, objects) in made.items():
        for each in objects:
            if _HOOK in ((each.get("metadata") or {}).get("annotations") or {}):
                # Helm deletes and recreates it, so what it would be as a change says nothing.
                continue
            text = json.dumps(each, sort_keys=True, default=str)
            stages.setdefault(text, (each, []))[1].append(stage)
    return [
        _Trial(document, () if tuple(named) == everywhere else tuple(named))
        for document, named in stages.values()
    ]


class _Served:
    """What the API server serves, asked once for each API version."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._known: dict[str, dict[str, dict[str, Any]]] = {}

    def collection(self, document: Mapping[str, Any], namespace: str) -> str | None:
        """Return the path of an object's collection; None if its kind is not served."""
        api_version = str(document.get("apiVersion"))
        if api_version not in self._known:
            try:
                self._known[api_version] = self.cluster.resources(api_version)
            except CallFailed as error:
                if error.status != 404:
                    raise
                self._known[api_version] = {}
        resource = self._known[api_version].get(str(document.get("kind")))
        if resource is None:
            return None
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        inside = f"/namespaces/{namespace}" if resource["namespaced"] else ""
        return f"{root}{inside}/{resource['name']}"


def _try(served: _Served, namespace: str, trial: _Trial) -> Finding | Message | None:
    """Try one object: a finding if it is refused, a text if that cannot be known, None if it is taken."""
    metadata = {**(trial.document.get("metadata") or {}), "namespace": namespace}
    try:
        collection = served.collection(trial.document, namespace)
        if collection is None:
            unknown = chart_messages.kind_not_served(
                str(trial), str(trial.document.get("apiVersion"))
            )
            return Finding(Code.REFUSED, unknown, trial.stages)
        served.cluster.try_out(
            collection, str(metadata.get("name")), {**trial.document, "metadata": metadata}
        )
    except CallFailed as error:
        if error.status in _REFUSALS:
            # What a Secret holds may stand in the reason.
            is_secret = trial.document.get("kind") == "Secret"
            why = f"status {error.status}" if is_secret else error.message
            refused = chart_messages.refused_by_api_server(str(trial), why)
            return Finding(Code.REFUSED, refused, trial.stages)
        if error.status == _ALREADY_THERE:
            return None
        return messages.trial_unknown(str(trial), error.message)
    except DualRegionError as error:
        return messages.trial_unknown(str(trial), error.message)
    return None


_REFUSALS = (403, 404, 405, 413, 415, 422)
"""Statuses that another try does not change; 400 may also come from an admission webhook that cannot be tried out."""
_ALREADY_THERE = 409
