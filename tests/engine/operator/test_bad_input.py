"""Every bad input is a clear error in the preview and in the up, and nothing has changed afterwards."""

from collections.abc import Callable

import pytest

from messages.config import forms, settings
from tests.engine.project import Project
from tests.fakes.http import Request, Response, serving

pytestmark = pytest.mark.engine


def _same_namespace(project: Project) -> None:
    project.config("region0", **{"regions[1].namespace": project.namespaces[0]})


def _no_values_file(project: Project) -> None:
    project.config("region0", **{"values[0]": "nowhere.yaml"})


def _broken_values_file(project: Project) -> None:
    (project.folder / "broken.yaml").write_text("zeebe: [unclosed\n")
    project.config("region0", **{"values[0]": "broken.yaml"})


def _unreachable(project: Project) -> None:
    """A context whose server is a loopback port that nothing listens on."""
    kubeconfig = project.folder / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\n"
        "clusters: [{name: gone, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "users: [{name: gone, user: {token: x}}]\n"
        "contexts: [{name: cluster-london, context: {cluster: gone, user: gone}}]\n"
    )
    project.config("region0", kubeconfig=kubeconfig)


def _third_exporter(project: Project) -> None:
    (project.folder / "exporter.yaml").write_text(
        "global: {elasticsearch: {disableExporter: false}}\n"
    )
    project.config("region0", **{"values[1]": "exporter.yaml"})


SECRET = "hunter2-XyZ"


def _kubeconfig(project: Project, cluster: str, user: str) -> None:
    path = project.folder / "kubeconfig"
    path.write_text(
        "apiVersion: v1\nkind: Config\n"
        f"clusters: [{{name: c, cluster: {{{cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
        "contexts: [{name: cluster-london, context: {cluster: c, user: u}}]\n"
    )
    project.config("region0", kubeconfig=path)


def _socks(project: Project) -> None:
    cluster = "server: 'https://10.0.0.1:6443', proxy-url: 'socks5://127.0.0.1:1080'"
    _kubeconfig(project, cluster, f"token: {SECRET}")


def _broken_token(project: Project) -> None:
    (project.folder / "token").write_text(f"{SECRET}\n{SECRET}\n")
    _kubeconfig(project, "server: 'https://10.0.0.1:6443'", "tokenFile: token")


def _values_that_helm_refuses(project: Project) -> None:
    (project.folder / "broken.yaml").write_text(f"zeebe:\n  password: {SECRET}\n  ~: {SECRET}\n")
    project.config("region0", **{"values[0]": "broken.yaml"})


def _values(text: str) -> Callable[[Project], None]:
    def spoil(project: Project) -> None:
        (project.folder / "more.yaml").write_text(text)
        project.config("region0", **{"values[1]": "more.yaml"})

    return spoil


SETTINGS: dict[str, tuple[Callable[[Project], None], str]] = {
    "release-renamed": (
        lambda p: p.config("region0", release="elasticsearch-c8"),
        "release is 'elasticsearch-c8'",
    ),
    "unknown-phase": (
        lambda p: p.config("region0", phase="panic"),
        "phase is 'panic': allowed are",
    ),
    "kubeconfig-content": (
        lambda p: p.config("region0", kubeconfig=f"{{token: {SECRET}}}"),
        settings.setting_refused("kubeconfig", None, forms.file_path_needed()),
    ),
    "netmask": (
        lambda p: p.config("region0", **{"regions[1].podCidrs[0]": "10.181.0.0/255.255.0.0"}),
        "regions[1].podCidrs[0] is '10.181.0.0/255.255.0.0'",
    ),
    "namespace-default": (
        lambda p: p.config("region0", **{"regions[1].namespace": "default"}),
        "regions[1].namespace is 'default'",
    ),
    "misspelt-key": (lambda p: p.config("region0", lostregion=1), "lostregion is not a setting"),
}
"""What is wrong with the form of single settings, which is told all at once."""

CASES: dict[str, tuple[Callable[[Project], None], str]] = {
    "cluster-size-odd": (lambda p: p.config("region0", clusterSize=5), "clusterSize is 5"),
    "chart-version-open": (
        lambda p: p.config("region0", **{"chart.name": "camunda-platform", "chart.version": "10"}),
        "chart.version is '10'",
    ),
    "partitions-without-end": (
        lambda p: p.config("region0", partitionCount=100000000),
        f"partitionCount is 100000000: {forms.whole_number_needed(1, 8192)}",
    ),
    "lost-region-missing": (
        lambda p: p.config("region0", phase="failover"),
        "lostRegion is not set",
    ),
    "lost-region-2": (
        lambda p: p.config("region0", phase="failover", lostRegion=2),
        "lostRegion is 2: allowed are 0 and 1",
    ),
    "cluster-size-small": (lambda p: p.config("region0", clusterSize=2), "clusterSize is 2"),
    "no-quorum": (
        lambda p: p.config("region0", replicationFactor=2),
        "would have no quorum",
    ),
    "equal-namespaces": (_same_namespace, "regions[1].namespace is"),
    "unknown-context": (
        lambda p: p.config("region0", **{"regions[0].kubeContext": "cluster-rome"}),
        "kubeContext is 'cluster-rome'",
    ),
    "values-unreadable": (_no_values_file, "cannot be read"),
    "values-that-break-it": (_third_exporter, "disableExporter is false; it must be true"),
    "values-malformed": (_broken_values_file, "is not YAML"),
    "values-that-helm-refuses": (_values_that_helm_refuses, "line 3: a key that is empty or null"),
    "kubeconfig-socks": (_socks, "has a proxy-url of SOCKS"),
    "kubeconfig-token": (_broken_token, "has a tokenFile that holds no token of one line"),
    "chart-not-there": (
        lambda p: p.config("region0", **{"chart.name": "./no-chart"}),
        "there is no chart at",
    ),
    "renamed-engine": (
        _values("elasticsearch: {nameOverride: es}"),
        "elasticsearch.nameOverride is 'es'; it must be left out",
    ),
    "null-that-the-provider-drops": (
        _values("zeebe: {affinity: null}"),
        "zeebe.affinity is null in your values",
    ),
    "unreachable": (_unreachable, "does not answer"),
    "peer-stack-missing": (
        lambda p: p.config("region0", peerStack="region7"),
        "pulumi stack init region7",
    ),
    "survivor-not-installed": (
        lambda p: p.config("region0", phase="failover", lostRegion=1),
        "[no-survivor]",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_changes_nothing(project: Project, case: str) -> None:
    spoil, sentence = CASES[case]
    spoil(project)
    refuses(project, sentence)


def test_all_that_is_wrong_with_the_settings_is_told_at_once(project: Project) -> None:
    for spoil, _ in SETTINGS.values():
        spoil(project)
    refuses(project, *(sentence for _, sentence in SETTINGS.values()))


def refuses(project: Project, *sentences: str) -> None:
    run = project.up_with_preview("region0")
    assert run.exit_status != 0
    for sentence in sentences:
        assert sentence in run.output, run.output
    assert "Traceback" not in run.output
    assert SECRET not in run.output
    assert not [urn for urn in project.state("region0") if "pulumi:Stack" not in urn]
    assert project.namespaces[0] not in project.kubectl("london", "get", "namespaces")


def test_stacks_that_disagree(project: Project) -> None:
    assert project.up("region1").exit_status == 0
    project.config("region1", phase="failover", lostRegion=1)
    assert project.up("region1").exit_status == 0
    project.config("region0", phase="failover", lostRegion=0)
    up = project.up("region0")
    assert up.exit_status != 0
    assert "[lost-regions-differ]" in up.output


def test_a_chart_that_its_repository_does_not_have(project: Project) -> None:
    """The provider asks the repository in every preview; a repository on loopback lacks the version."""
    index = b"apiVersion: v1\nentries: {camunda-platform: []}\n"

    def answer(request: Request) -> Response:
        return Response(index) if request.path == "/index.yaml" else Response(status=404)

    with serving(answer) as address:
        chart = {"chart.name": "camunda-platform", "chart.repository": f"http://{address}"}
        project.config("region0", **chart)
        run = project.up_with_preview("region0")
    assert run.exit_status != 0
    assert "check the chart name and repository configuration" in run.output, run.output
    assert "Release" not in " ".join(project.state("region0"))


def test_dates_and_the_like_in_values_reach_helm_as_helm_reads_them(project: Project) -> None:
    """A date was a Python object that Pulumi could not send: half of an install, and a trace with all the values."""
    (project.folder / "mine.yaml").write_text(
        "zeebe:\n  podAnnotations:\n    example.com/rotated: 2024-06-03\n    example.com/window: 22:30\n"
        "    8080: 'x'\n"
    )
    project.config(
        "region0",
        **{"values[0]": "dualregion/reference-values.yaml", "values[1]": "mine.yaml"},
    )
    run = project.preview("region0")
    assert run.exit_status == 0, run.output
    assert "2024-06-03" in run.output
    assert '"22:30"' in run.output or "22:30" in run.output
    assert "Traceback" not in run.output


def test_a_stack_may_be_called_like_a_number(project: Project) -> None:
    project.config("region0", peerStack="2024")
    run = project.up_with_preview("region0")
    assert run.exit_status != 0
    assert "pulumi stack init 2024" in run.output, run.output
