"""Looking at what the chart renders: seen well, seen otherwise, not seen; and tried on an API server that keeps nothing."""

import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clients import charts
from clients.cluster.kubernetes import Cluster
from clients.files import read_values
from dualregion.chart import rendered
from dualregion.chart.installations import Bases
from dualregion.config.chart_findings import Code
from dualregion.config.settings import ChartSettings, Settings
from dualregion.errors import Refused
from dualregion.procedure import Role
from dualregion.procedure.topology import Topology
from dualregion.state.progress import Stack
from messages.chart import rendered as chart_messages
from messages.chart.files import no_helm
from messages.steps import releases as messages
from steps import failover
from steps.context import StepContext
from steps.releases import rendering
from steps.releases.rendering import Seen
from tests.fakes.kubernetes import FakeKubernetes, Reply, failure
from tests.inputs.examples import settings
from tests.raising import assert_tells, fails_with, raises, tells
from tests.unit.chart.test_chart import CHART, helm

BASE = read_values((), Path())
LONDON = "/api/v1/namespaces/camunda-london"
APPS = "/apis/apps/v1"


@pytest.fixture
def with_helm(without_helm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    del without_helm
    monkeypatch.setattr(charts, "helm", helm)


def given(**changes: Any) -> Settings:
    return settings(chart={"name": str(CHART)} | changes.pop("chart", {}), **changes)


@pytest.fixture
def serving(kubernetes: FakeKubernetes, with_helm: None) -> FakeKubernetes:
    """An API server that takes all that the stand-in renders."""
    del with_helm
    kinds = {
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
        "ConfigMap": "configmaps",
        "Secret": "secrets",
    }
    apps = {"StatefulSet": "statefulsets", "Deployment": "deployments"}
    for path, known in (("/api/v1", kinds), (APPS, apps)):
        listed = [{"kind": kind, "name": name, "namespaced": True} for kind, name in known.items()]
        resources = [*listed, {"kind": "Scale", "name": "x/scale"}]
        kubernetes.broken[path] = Reply(200, {"kind": "APIResourceList", "resources": resources})
    kubernetes.broken["/version"] = Reply(200, {"gitVersion": "v1.34.1"})
    kubernetes.put("/api/v1/namespaces", {"metadata": {"name": "camunda-london"}})
    for name in ("services", "serviceaccounts", "configmaps", "secrets"):
        kubernetes.objects.setdefault(f"{LONDON}/{name}", {})
    for name in apps.values():
        kubernetes.objects.setdefault(f"{APPS}/namespaces/camunda-london/{name}", {})
    return kubernetes


def look(
    cluster: Cluster, found: Settings | None = None, base: Any = None, of_failover: Any = None
) -> Seen:
    bases = Bases.of(BASE if base is None else base, of_failover)
    return rendering.look(cluster, found or given(), bases, Path())


def test_what_is_well_is_tried_as_new_and_nothing_else_is_sent(
    serving: FakeKubernetes, cluster: Cluster
) -> None:
    seen = look(cluster)
    assert seen == Seen(digest=seen.digest)
    assert seen.proved == seen.digest != ""
    written = [each for each in serving.asked if not each.startswith("GET")]
    assert f"POST {APPS}/namespaces/camunda-london/statefulsets" in written
    assert {each.split()[0] for each in written} == {"POST"}
    assert serving.queries
    assert all(
        query == {"dryRun": ["All"], "fieldManager": ["camunda-dual-region"]}
        for query in serving.queries
    )


def test_what_is_there_is_tried_as_a_change(serving: FakeKubernetes, cluster: Cluster) -> None:
    serving.put(f"{LONDON}/services", {"metadata": {"name": "camunda-zeebe"}})
    assert look(cluster).findings == ()
    assert f"PATCH {LONDON}/services/camunda-zeebe" in serving.asked
    assert f"POST {LONDON}/services" in serving.asked


@pytest.mark.parametrize(
    ("status", "code"), [(403, Code.REFUSED), (422, Code.REFUSED), (404, Code.REFUSED), (409, None)]
)
def test_what_the_api_server_refuses_is_found(
    serving: FakeKubernetes, cluster: Cluster, status: int, code: Code | None
) -> None:
    collection = f"{APPS}/namespaces/camunda-london/deployments"
    serving.answers["POST", collection] = Reply(
        status, {"kind": "Status", "message": "quota exceeded"}
    )
    seen = look(cluster)
    assert {each.code for each in seen.fatal} == ({code} if code else set())
    assert all(tells(each.message, "quota exceeded") for each in seen.fatal)
    assert bool(seen.proved) is (code is None)


def test_an_api_server_in_trouble_says_nothing_of_the_chart(
    serving: FakeKubernetes, cluster: Cluster
) -> None:
    serving.answers["POST", f"{LONDON}/services"] = Reply(503, {"message": "etcd has no leader"})
    seen = look(cluster)
    assert seen.findings == ()
    assert tells(seen.unknown, "etcd has no leader")
    assert seen.proved == ""


def test_a_webhook_that_cannot_be_tried_out_says_nothing_of_the_chart(
    serving: FakeKubernetes, cluster: Cluster
) -> None:
    for name in ("services", "configmaps"):
        serving.answers["POST", f"{LONDON}/{name}"] = Reply(400, {"message": "no dry run"})
    seen = look(cluster)
    assert seen.findings == ()
    (unknown,) = seen.unknown
    assert_tells(unknown, "same-of-others", "no dry run")


def test_a_kind_that_the_cluster_does_not_know_is_found(
    serving: FakeKubernetes, cluster: Cluster
) -> None:
    serving.broken[APPS] = Reply(404, {"kind": "Status", "message": "not found"})
    sentences = [each.sentence for each in look(cluster).fatal]
    assert chart_messages.kind_not_served("StatefulSet camunda-zeebe", "apps/v1") in sentences


def test_before_the_namespace_is_there_nothing_is_tried_and_that_is_said(
    serving: FakeKubernetes, cluster: Cluster
) -> None:
    del serving.objects["/api/v1/namespaces"]["camunda-london"]
    seen = look(cluster)
    assert seen.findings == ()
    assert seen.unknown == (messages.trial_without_namespace("camunda-london"),)
    assert seen.proved == ""


def test_before_the_program_has_rights_there_nothing_is_tried_and_that_is_said(
    serving: FakeKubernetes, cluster: Cluster
) -> None:
    serving.broken[f"{LONDON}/secrets"] = failure(403, "Forbidden", "secrets is forbidden")
    seen = look(cluster)
    assert seen.findings == ()
    assert seen.unknown == (messages.trial_without_rights("camunda-london"),)
    assert seen.proved == ""


def test_without_helm_nothing_is_known(cluster: Cluster) -> None:
    seen = look(cluster)
    unknown = messages.rendering_unknown(no_helm())
    assert seen.unknown == (unknown,)
    assert seen.warnings == [messages.not_known(unknown)]
    assert seen.proved == ""


def test_a_chart_that_helm_does_not_render_is_found(
    serving: FakeKubernetes, cluster: Cluster
) -> None:
    del serving
    seen = look(
        cluster, base={**BASE, "zeebe": {"env": [], "initContainers": [{"name": "{{ nothing }}"}]}}
    )
    assert Code.TEMPLATE in {each.code for each in seen.fatal}


def test_a_chart_that_cannot_be_fetched_is_not_known(
    with_helm: None, cluster: Cluster, tmp_path: Path
) -> None:
    del with_helm
    found = settings(chart={"name": f"oci://127.0.0.1:1/{tmp_path.name}"})
    (unknown,) = look(cluster, found).unknown
    assert_tells(unknown, "chart-not-fetched")


@pytest.mark.parametrize(("provider", "is_found"), [("4.25.0", True), ("4.30.0", False)])
def test_a_null_that_the_provider_drops_is_found_by_its_key(
    serving: FakeKubernetes,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    is_found: bool,
) -> None:
    del serving
    monkeypatch.setattr(rendering, "provider_version", lambda: provider)
    seen = look(
        cluster, base={**BASE, "operate": {"affinity": None, "readinessProbe": None, "mine": None}}
    )
    found = [each.sentence for each in seen.findings if each.code is Code.VALUE]
    keys = ("operate.affinity", "operate.readinessProbe") if is_found else ()
    package = rendering.PROVIDER_PACKAGE
    assert found == [chart_messages.null_dropped(each, package, provider, "4.30") for each in keys]


def test_what_is_accepted_is_no_finding(serving: FakeKubernetes, cluster: Cluster) -> None:
    del serving
    connectors = {"connectors": {"enabled": True}}
    base = {**BASE, **connectors, "tasklist": {"nameOverride": "t"}}
    seen = look(cluster, base=base, of_failover=connectors)
    assert {each.code for each in seen.findings} == {Code.EXTRA, Code.NAME}
    accepting = given(chart={"accept": ["extra", "name"]})
    assert look(cluster, accepting, base, connectors).findings == ()


# --- in the program


def ctx(
    cluster: Cluster, base: Any = None, role: Role = Role.MEMBER, rendered: str = ""
) -> StepContext:
    return StepContext(
        *(cluster, given(), Topology(role), lambda _: None),
        own=Stack(rendered=rendered),
        bases=Bases.of(BASE if base is None else base),
    )


def test_a_fatal_finding_is_refused_with_all_of_them_and_the_way_to_accept(
    serving: FakeKubernetes, cluster: Cluster
) -> None:
    del serving
    base = {**BASE, "tasklist": {"nameOverride": "t"}, "operate": {"nameOverride": "o"}}
    with raises("steps-cannot-be-done", Refused, codes=["name"]) as caught:
        rendering.check(ctx(cluster, base))
    assert_tells(caught.value.message, "not-rendered", "camunda-tasklist", "camunda-operate")


def test_a_minor_finding_is_warned_of(serving: FakeKubernetes, cluster: Cluster) -> None:
    del serving
    connectors = {"connectors": {"enabled": True}}
    made = replace(ctx(cluster), bases=Bases.of({**BASE, **connectors}, connectors))
    seen = rendering.check(made)
    (warning,) = seen.warnings
    assert_tells(warning, "chart-renders", "extra", "Deployment camunda-connectors")
    assert seen.proved


def test_what_was_seen_well_is_not_looked_at_again_until_it_changes(
    serving: FakeKubernetes, cluster: Cluster
) -> None:
    before = rendering.check(ctx(cluster)).proved
    serving.asked.clear()
    assert rendering.check(ctx(cluster, rendered=before)).proved == before
    assert serving.asked == []
    changed = rendering.check(ctx(cluster, {**BASE, "mine": 1}, rendered=before)).proved
    assert changed not in ("", before)
    assert serving.asked != []


@pytest.mark.parametrize("role", [Role.SURVIVOR, Role.LOST, Role.RECREATED])
def test_in_an_incident_nothing_is_looked_at(
    cluster: Cluster, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "look", lambda *_: pytest.fail("rendered in an incident"))
    assert rendering.check(ctx(cluster, role=role, rendered="of before")) == Seen(
        digest="of before"
    )


def test_n_looks_once_the_namespace_is_there(serving: FakeKubernetes, cluster: Cluster) -> None:
    collection = f"{APPS}/namespaces/camunda-london/deployments"
    assert "as the program addresses it" in rendering.prove(ctx(cluster))
    serving.answers["POST", collection] = Reply(403, {"kind": "Status", "message": "forbidden"})
    with fails_with("forbidden", kind=Refused):
        rendering.prove(ctx(cluster))
    serving.asked.clear()
    assert "as the program addresses it" in rendering.prove(replace(ctx(cluster), rendered="x"))
    assert serving.asked == []


def test_n_says_what_it_could_not_see(cluster: Cluster) -> None:
    unknown = messages.not_known(messages.rendering_unknown(no_helm()))
    assert rendering.prove(ctx(cluster)) == str(unknown)
    assert failover.prove_normal.__doc__


def test_the_digest_is_of_values_settings_and_the_charts_files(tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("name: c\nversion: 1\n")

    def digest(base: Any = BASE, **changes: Any) -> str:
        found = settings(**({"chart": {"name": str(chart)}} | changes))
        return rendering.digest_of(found, Bases.of(base), tmp_path)

    first = digest()
    assert digest() == first
    others = {
        digest({**BASE, "x": 1}),
        digest(release="other"),
        digest(chart={"name": str(chart), "accept": ["name"]}),
    }
    (chart / "Chart.yaml").write_text("name: c\nversion: 2\n")
    others.add(digest())
    assert first not in others
    assert len(others) == 4


# --- the chart on this machine


@pytest.mark.parametrize("packed", [False, True])
def test_a_charts_defaults_are_read_with_those_of_its_subcharts(
    tmp_path: Path, packed: bool
) -> None:
    chart = tmp_path / "platform"
    for place, text in {
        "values.yaml": "a: 1e3\nengine: {mine: 2, on: y}\n",
        "charts/engine/values.yaml": "mine: 1\nyours: 3\n",
        "charts/engine/charts/common/values.yaml": "deep: 4\n",
        "ci/values.yaml": "no: 1\n",
    }.items():
        (chart / place).parent.mkdir(parents=True, exist_ok=True)
        (chart / place).write_text(text)
    where = chart
    if packed:
        where = tmp_path / "platform.tgz"
        with tarfile.open(where, "w:gz") as archive:
            archive.add(chart, "platform")
    assert charts.defaults(where) == {
        "a": 1000,
        "engine": {"mine": 2, "true": True, "yours": 3, "common": {"deep": 4}},
    }
    (chart / "values.yaml").write_text("a: [\n")
    assert charts.defaults(chart) is None
    assert charts.defaults(tmp_path / "missing.tgz") is None


def test_manifests_are_read_as_kubernetes_reads_them(
    with_helm: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del with_helm
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    (tmp_path / "templates" / "x.yaml").write_text(
        "kind: X\ndate: 2024-01-01\nmode: 0754\nmany: 1e3\n---\n# nothing\n---\nkind: Z\n"
    )
    spec = rendered.releases(settings(), Bases.of({}))["normal"]
    assert charts.render(tmp_path, "camunda", spec, "v1.34.1") == [
        {"kind": "X", "date": "2024-01-01", "mode": 0o754, "many": 1000},
        {"kind": "Z"},
    ]
    with charts.fetched(ChartSettings(name="."), tmp_path) as found:
        assert found == tmp_path
    monkeypatch.setattr(charts, "helm", lambda: "/nowhere/helm")
    with pytest.raises(charts.NoHelm):
        charts.render(tmp_path, "camunda", spec, "")
