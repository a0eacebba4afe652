"""Adopting a running release: only one that would not change, whatever way its values were written.

A difference that is overlooked restarts brokers of a cluster at work; one that is invented keeps people
from adopting at all. Both are tried on the shape that the reference set-up has.
"""

import copy
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clients.cluster.kubernetes import Cluster
from clients.files import chart_version, read_values
from clients.installation import LiveInstallation
from dualregion.chart.adoption import (
    SHOWN_DIFFERENCES,
    ChartVersion,
    RunningRelease,
    differences,
    is_adopting,
)
from dualregion.config.settings import ChartSettings, Settings
from dualregion.decision.desired import desired
from dualregion.errors import ConfigError, Refused
from dualregion.secrets import HIDDEN
from dualregion.state.progress import Stack
from messages import Message
from messages.chart import rendered as messages
from sandbox.patience import allowed
from steps.context import StepContext
from steps.polling import Waiting
from steps.releases import adoption, rollout
from tests.fakes.kubernetes import Document, FakeKubernetes, LivingBrokers, stateful_set
from tests.inputs.examples import failover, settings
from tests.raising import assert_message, fails_with, raises
from tests.unit.steps.test_helm_records import record

LONDON = "camunda-london"
SECRETS = f"/api/v1/namespaces/{LONDON}/secrets"
STATEFUL_SETS = f"/apis/apps/v1/namespaces/{LONDON}/statefulsets"
CHART = ChartVersion("camunda-platform", "10.11.3")
PROJECT = Path("/srv/project")
DEFAULTS: dict[str, Any] = {
    "global": {"multiregion": {"regions": 1, "regionId": 0, "installationType": "normal"}},
    "zeebe": {"clusterSize": "3", "partitionCount": "3", "replicationFactor": "3", "env": []},
    "operate": {"enabled": True},
}


def wanted_values(found: Settings | None = None, base: dict[str, Any] | None = None) -> Any:
    found = found or settings()
    (spec,) = desired(found, reference() if base is None else base, Stack()).installations
    return copy.deepcopy(dict(spec.values))


def reference() -> dict[str, Any]:
    return read_values((), Path())


def running(values: dict[str, Any], **changes: Any) -> RunningRelease:
    about: dict[str, Any] = {"revision": 4, "status": "deployed", "chart": CHART} | changes
    return RunningRelease(values=values, defaults=DEFAULTS, **about)


def test_what_the_program_would_install_is_no_difference() -> None:
    assert differences(running(wanted_values()), CHART, wanted_values()) == []


@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(lambda v: v["zeebe"].update(clusterSize="8"), id="a number as a text"),
        pytest.param(lambda v: v["zeebe"].update(clusterSize=8.0), id="a number as JSON has it"),
        pytest.param(
            lambda v: v["global"]["multiregion"].pop("installationType"), id="the chart's default"
        ),
        pytest.param(
            lambda v: v["global"]["multiregion"].update(installationType="normal"),
            id="the chart's default spelt out",
        ),
        pytest.param(
            lambda v: v["global"]["multiregion"].update(installationType=None), id="no type"
        ),
        pytest.param(lambda v: v["operate"].update(enabled=True), id="a default spelt out"),
        pytest.param(lambda v: v["operate"].update(extra={}), id="an empty map"),
        pytest.param(lambda v: v["operate"].update(extra=None), id="a null"),
        pytest.param(lambda v: v.update(zeebe=dict(reversed(v["zeebe"].items()))), id="order"),
    ],
)
def test_another_way_of_writing_is_no_difference(rewrite: Callable[[Any], Any]) -> None:
    values = wanted_values()
    rewrite(values)
    assert differences(running(values), CHART, wanted_values()) == []


def entry(values: Any, name: str) -> Any:
    return next(each for each in values["zeebe"]["env"] if each["name"] == name)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            lambda v: entry(v, "ZEEBE_BROKER_DATA_SNAPSHOTPERIOD").update(value="10m"),
            messages.value_differs("zeebe.env[ZEEBE_BROKER_DATA_SNAPSHOTPERIOD]", "'10m'", "'5m'"),
            id="an entry",
        ),
        pytest.param(
            lambda v: v["zeebe"]["env"].append({"name": "MINE", "value": "1"}),
            messages.value_differs("zeebe.env[MINE]", "'1'", "nothing"),
            id="an entry of theirs",
        ),
        pytest.param(
            lambda v: v["zeebe"]["env"].remove(entry(v, "ZEEBE_BROKER_CLUSTER_MESSAGECOMPRESSION")),
            messages.value_differs(
                "zeebe.env[ZEEBE_BROKER_CLUSTER_MESSAGECOMPRESSION]", "nothing", "'GZIP'"
            ),
            id="an entry of ours",
        ),
        pytest.param(
            lambda v: v["zeebe"]["env"].reverse(),
            messages.order_differs("zeebe.env"),
            id="the order of the environment",
        ),
        pytest.param(
            lambda v: v["zeebe"].update(pvcSize="5Gi"),
            messages.value_differs("zeebe.pvcSize", "'5Gi'", "'1Gi'"),
            id="a value",
        ),
        pytest.param(
            lambda v: v["global"]["multiregion"].update(regionId=1),
            messages.value_differs("global.multiregion.regionId", "'1'", "'0'"),
            id="the other region's",
        ),
        pytest.param(
            lambda v: v["zeebe"].update(resources=None),
            messages.value_differs("zeebe.resources.limits.cpu", "nothing", "'512m'"),
            id="a map that is missing",
        ),
        pytest.param(
            lambda v: v["global"]["identity"]["auth"].update(enabled="false"),
            messages.value_differs("global.identity.auth.enabled", "'false'", "False"),
            id="a text that templates take for true",
        ),
    ],
)
def test_a_difference_is_told_by_its_place(change: Callable[[Any], Any], expected: Message) -> None:
    values = wanted_values()
    change(values)
    assert expected in differences(running(values), CHART, wanted_values())


def test_another_chart_is_a_difference() -> None:
    older = ChartVersion("camunda-platform", "10.10.0")
    assert differences(running(wanted_values(), chart=older), CHART, wanted_values()) == [
        messages.chart_differs("camunda-platform 10.10.0", "camunda-platform 10.11.3")
    ]


def test_what_may_be_secret_is_not_shown() -> None:
    values = wanted_values() | {"elasticsearch": {"auth": {"elasticPassword": "hush"}}}
    found = differences(running(values), CHART, wanted_values())
    (secret,) = (each for each in found if "Password" in each.facts["path"])
    assert_message(secret, "value-differs", running=HIDDEN)
    assert "hush" not in f"{secret} {secret.facts}"


def test_of_very_many_differences_the_first_are_told() -> None:
    values = wanted_values() | {"mine": {f"key{n}": n + 1 for n in range(50)}}
    told = differences(running(values), CHART, wanted_values())
    assert len(told) == SHOWN_DIFFERENCES + 1
    assert told[-1] == messages.more_differences(30)


def test_only_a_stack_that_holds_nothing_adopts_and_only_in_phase_normal() -> None:
    assert is_adopting(settings(adopt=True), Stack())
    assert not is_adopting(settings(), Stack())
    assert not is_adopting(settings(adopt=True), Stack(nodes=frozenset({"normal"})))
    assert not is_adopting(failover(0, 1, adopt=True), Stack())


# --- on a cluster ------------------------------------------------------------------------------------


def ctx(cluster: Cluster, said: list[str], **changes: Any) -> StepContext:
    found = settings(**{"adopt": True} | changes)
    return StepContext(cluster, found, desired(found, reference(), Stack()), said.append)


def installed(kubernetes: FakeKubernetes, values: Any, status: str = "deployed") -> None:
    former = record(1, "superseded", {"former": 1}) | {}
    latest = record(2, status, values)
    for number, each in enumerate((former, latest)):
        each["metadata"]["uid"] = f"{number}1234567-89ab"
    kubernetes.put(SECRETS, former, latest)


def test_a_release_as_it_is_wanted_is_adopted_with_its_records_kept(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    installed(kubernetes, wanted_values())
    kubernetes.put(STATEFUL_SETS, stateful_set(4))
    said: list[str] = []
    here = ctx(cluster, said)
    adoption.check(here, PROJECT)
    assert_message(said[0], "adopting", revision=2, chart="camunda-platform 10.11.3")
    assert {each.split()[0] for each in kubernetes.asked} == {"GET"}

    before = {document["data"]["release"] for document in kubernetes.objects[SECRETS].values()}
    (spec,) = here.topology.installations
    assert adoption.take_over(here, spec, PROJECT)
    left = kubernetes.objects[SECRETS]
    assert sorted(left) == [
        "set-aside.sh.helm.release.v1.camunda.v1.01234567",
        "set-aside.sh.helm.release.v1.camunda.v2.11234567",
    ]
    assert {document["data"]["release"] for document in left.values()} == before
    assert "owner" not in str([document["metadata"] for document in left.values()])
    strategy = kubernetes.objects[STATEFUL_SETS]["camunda-zeebe"]["spec"]["updateStrategy"]
    assert strategy["rollingUpdate"]["partition"] == 4


@pytest.mark.parametrize(
    "begun", [None, "pending-install", "failed"], ids=["before", "in", "after a bad"]
)
def test_an_adoption_that_was_interrupted_at_the_install_goes_on(
    cluster: Cluster, kubernetes: FakeKubernetes, begun: str | None
) -> None:
    installed(kubernetes, wanted_values())
    said: list[str] = []
    here = ctx(cluster, said)
    (spec,) = here.topology.installations
    adoption.take_over(here, spec, PROJECT)
    if begun:
        kubernetes.put(SECRETS, record(1, begun, wanted_values()))
    adoption.check(here, PROJECT)
    assert adoption.take_over(here, spec, PROJECT)
    assert len(kubernetes.objects[SECRETS]) == 2


def test_a_difference_is_refused_before_anything_changes(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    values = wanted_values()
    values["zeebe"]["pvcSize"] = "9Gi"
    installed(kubernetes, values)
    here = ctx(cluster, [])
    (spec,) = here.topology.installations
    for refused in (
        lambda: adoption.check(here, PROJECT),
        lambda: adoption.take_over(here, spec, PROJECT),
    ):
        difference = messages.value_differs("zeebe.pvcSize", "'9Gi'", "'1Gi'")
        with fails_with("adoption-would-change", difference, kind=Refused):
            refused()
    assert {each.split()[0] for each in kubernetes.asked} == {"GET"}


def test_nothing_to_adopt_is_refused(cluster: Cluster) -> None:
    with raises("nothing-to-adopt", Refused, release="camunda"):
        adoption.check(ctx(cluster, []), PROJECT)


@pytest.mark.parametrize("status", ["pending-upgrade", "failed", "uninstalling"])
def test_a_release_in_the_middle_of_a_change_is_refused(
    cluster: Cluster, kubernetes: FakeKubernetes, status: str
) -> None:
    installed(kubernetes, wanted_values(), status)
    with raises("not-deployed", Refused, status=status, revision=2):
        adoption.check(ctx(cluster, []), PROJECT)


def test_without_the_setting_nothing_is_looked_at(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    here = ctx(cluster, [], adopt=False)
    (spec,) = here.topology.installations
    adoption.check(here, PROJECT)
    assert not adoption.take_over(here, spec, PROJECT)
    assert kubernetes.asked == []


# --- the brokers, held and let go -----------------------------------------------------------------------

WRITTEN: dict[str, list[Document]] = {
    "revision-1": [{"name": "POINTS", "value": "own"}, {"name": "POINTS", "value": "both"}],
    "revision-2": [{"name": "POINTS", "value": "both"}],
    "revision-3": [{"name": "POINTS", "value": "own"}],
}
"""Brokers see nothing of revision 2, and something of revision 3."""


@pytest.fixture
def held(cluster: Cluster, kubernetes: FakeKubernetes) -> Callable[[str], LivingBrokers]:
    """Return a maker of brokers whose release was adopted, with this revision coming of it."""

    def make(revision: str) -> LivingBrokers:
        brokers = LivingBrokers(kubernetes, LONDON, 4, environments=WRITTEN)
        rollout.hold(LiveInstallation(cluster, LONDON, "camunda"), print)
        if revision != "revision-1":
            brokers.update(revision, failing_back=False, checksum="revision-1")
        brokers.pass_time(10)
        return brokers

    return make


def settle(cluster: Cluster, *, adopt: bool = True) -> None:
    adoption.settle(ctx(cluster, [], adopt=adopt), Waiting("N", lambda _: None, allowed(20), 0))


ROLLS_BY_ITSELF = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}


@pytest.mark.parametrize("revision", ["revision-1", "revision-2"], ids=["same", "rewritten"])
def test_brokers_that_see_nothing_of_the_adoption_are_let_go_and_never_restarted(
    cluster: Cluster, held: Callable[[str], LivingBrokers], revision: str
) -> None:
    brokers = held(revision)
    for _ in range(2):
        settle(cluster)
        brokers.pass_time(50)
    assert brokers.strategy == ROLLS_BY_ITSELF
    assert brokers.restarts == []


def test_brokers_that_would_be_changed_after_all_stay_held_until_that_is_wanted(
    cluster: Cluster, held: Callable[[str], LivingBrokers]
) -> None:
    brokers = held("revision-3")
    for _ in range(2):
        with raises("adopted-pods-differ"):
            settle(cluster)
        brokers.pass_time(50)
        assert brokers.restarts == []
    settle(cluster, adopt=False)
    brokers.pass_time(200)
    assert sorted(set(brokers.restarts)) == [0, 1, 2, 3]
    assert brokers.faults == []


# --- the chart ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotations", "helm"),
    [
        ("", ""),
        ("annotations: {camunda.io/helmCLIVersion: '3.20.2,4.2.4'}", "3.20.2,4.2.4"),
        ("annotations: {camunda.io/helmCLIVersion: 4.2.3}", "4.2.3"),
        ("annotations: {other: x}", ""),
        ("annotations: text", ""),
    ],
)
def test_a_chart_says_which_helm_it_is_made_for(
    annotations: str, helm: str, tmp_path: Path
) -> None:
    text = f"name: camunda-platform\nversion: 10.11.3\n{annotations}\n"
    (tmp_path / "Chart.yaml").write_text(text)
    found = chart_version(ChartSettings(name=str(tmp_path)), tmp_path)
    assert (found.helm, found) == (helm, CHART)


def test_a_chart_is_known_by_its_folder_archive_or_setting(tmp_path: Path) -> None:
    folder = tmp_path / "camunda-platform"
    (folder / "charts" / "common").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("name: camunda-platform\nversion: 10.11.3\n")
    (folder / "charts" / "common" / "Chart.yaml").write_text("name: common\nversion: 2.0.0\n")
    with tarfile.open(tmp_path / "chart.tgz", "w:gz") as archive:
        archive.add(folder / "charts", "camunda-platform/charts")
        archive.add(folder / "Chart.yaml", "camunda-platform/Chart.yaml")
    for name in ("./camunda-platform", "./chart.tgz", str(folder)):
        assert chart_version(ChartSettings(name=name), tmp_path) == CHART
    assert chart_version(ChartSettings(), tmp_path) == CHART
    oci = ChartSettings(name="oci://registry.example/charts/camunda-platform", version="10.11.3")
    assert chart_version(oci, tmp_path) == CHART


@pytest.mark.parametrize("content", [None, "name: camunda-platform\n", "- a list\n", ": ["])
def test_a_chart_that_does_not_tell_what_it_is_is_refused(
    tmp_path: Path, content: str | None
) -> None:
    folder = tmp_path / "chart"
    folder.mkdir()
    if content is not None:
        (folder / "Chart.yaml").write_text(content)
    with raises("no-chart-version", ConfigError):
        chart_version(ChartSettings(name="./chart"), tmp_path)


def test_an_archive_without_a_chart_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "chart.tgz", "w:gz"):
        pass
    with raises("no-chart-version", ConfigError):
        chart_version(ChartSettings(name="./chart.tgz"), tmp_path)
