"""Every bad input is a clear error in the preview and in the up, and nothing has changed afterwards."""

from collections.abc import Callable
from http.server import HTTPServer, SimpleHTTPRequestHandler
from threading import Thread

import pytest

from tests.engine.conftest import Project

pytestmark = pytest.mark.engine


def _same_namespace(project: Project) -> None:
    project.config("region0", **{"regions[1].namespace": project.namespaces[0]})


def _no_values_file(project: Project) -> None:
    project.config("region0", **{"values[0]": "nowhere.yaml"})


def _broken_values_file(project: Project) -> None:
    (project.folder / "broken.yaml").write_text("zeebe: [unclosed\n")
    project.config("region0", **{"values[0]": "broken.yaml"})


def _unreachable(project: Project) -> None:
    """A context whose server is a loopback port that nobody listens on."""
    kubeconfig = project.folder / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\n"
        "clusters: [{name: gone, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "users: [{name: gone, user: {token: x}}]\n"
        "contexts: [{name: cluster-london, context: {cluster: gone, user: gone}}]\n"
    )
    project.config("region0", kubeconfig=kubeconfig)


def _values(text: str) -> Callable[[Project], None]:
    def spoil(project: Project) -> None:
        (project.folder / "more.yaml").write_text(text)
        project.config("region0", **{"values[1]": "more.yaml"})

    return spoil


CASES: dict[str, tuple[Callable[[Project], None], str]] = {
    "unknown-phase": (
        lambda p: p.config("region0", phase="panic"),
        "phase is 'panic': allowed are",
    ),
    "lost-region-missing": (
        lambda p: p.config("region0", phase="failover"),
        "lostRegion is not set",
    ),
    "lost-region-2": (
        lambda p: p.config("region0", phase="failover", lostRegion=2),
        "lostRegion is 2: allowed are 0 and 1",
    ),
    "cluster-size-odd": (lambda p: p.config("region0", clusterSize=5), "clusterSize is 5"),
    "cluster-size-small": (lambda p: p.config("region0", clusterSize=2), "clusterSize is 2"),
    "no-quorum": (
        lambda p: p.config("region0", clusterSize=6, partitionCount=6),
        "would have no quorum",
    ),
    "equal-namespaces": (_same_namespace, "regions[1].namespace is"),
    "unknown-context": (
        lambda p: p.config("region0", **{"regions[0].kubeContext": "cluster-rome"}),
        "kubeContext is 'cluster-rome'",
    ),
    "values-unreadable": (_no_values_file, "cannot be read"),
    "values-malformed": (_broken_values_file, "is not YAML"),
    "chart-not-there": (
        lambda p: p.config("region0", **{"chart.name": "./no-chart"}),
        "there is no chart at",
    ),
    "renamed-engine": (
        _values("elasticsearch: {nameOverride: es}"),
        "no StatefulSet camunda-elasticsearch-master is rendered",
    ),
    "combined-ingress": (
        _values(
            "global: {ingress: {enabled: true, host: h}}\noperate: {contextPath: /operate}\n"
            "tasklist: {contextPath: /tasklist}"
        ),
        "has a rule without paths",
    ),
    "null-that-the-provider-drops": (
        _values("zeebe: {affinity: null}"),
        "zeebe.affinity is null in your values",
    ),
    "misspelt-key": (lambda p: p.config("region0", lostregion=1), "lostregion is not a setting"),
    "unreachable": (_unreachable, "does not answer"),
    "peer-stack-missing": (
        lambda p: p.config("region0", peerStack="region7"),
        "pulumi stack init region7",
    ),
    "survivor-not-installed": (
        lambda p: p.config("region0", phase="failover", lostRegion=1),
        "holds no StatefulSet",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_changes_nothing(project: Project, case: str) -> None:
    spoil, sentence = CASES[case]
    spoil(project)
    run = project.up_with_preview("region0")
    assert run.exit_status != 0
    assert sentence in run.output, run.output
    assert "Traceback" not in run.output
    assert not [urn for urn in project.state("region0") if "pulumi:Stack" not in urn]
    assert project.namespaces[0] not in project.kubectl("london", "get", "namespaces")


def test_stacks_that_disagree(project: Project) -> None:
    assert project.up("region1").exit_status == 0
    project.config("region1", phase="failover", lostRegion=1)
    assert project.up("region1").exit_status == 0
    project.config("region0", phase="failover", lostRegion=0)
    up = project.up("region0")
    assert up.exit_status != 0
    assert "lostRegion is 0 here, but the last update of stack region1" in up.output


def test_a_chart_that_its_repository_does_not_have(project: Project) -> None:
    """The provider asks the repository in every preview; a repository on loopback lacks the version."""
    (project.folder / "index.yaml").write_text("apiVersion: v1\nentries: {camunda-platform: []}\n")

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, directory=str(project.folder), **kwargs)  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        repository = f"http://127.0.0.1:{server.server_port}"
        project.config(
            "region0", **{"chart.name": "camunda-platform", "chart.repository": repository}
        )
        run = project.up_with_preview("region0")
        assert run.exit_status != 0
        assert "check the chart name and repository configuration" in run.output, run.output
    finally:
        server.shutdown()
        server.server_close()
    assert "Release" not in " ".join(project.state("region0"))
