"""Helm's records after an interrupted run: ours are fixed, those of others are not touched.

A killed `pulumi up` must be no dead end, and the fixing must never take a stranger's release for
ours. Records are encoded here as Helm 3 encodes them: JSON, gzip, base64, and base64 once more in the
Secret.
"""

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.cluster.kubernetes import Cluster
from clients.installation import LiveInstallation
from dualregion.chart.begun import Begun, fingerprint
from dualregion.errors import Refused
from messages.steps import progress
from steps.releases import helm_records
from tests.fakes.kubernetes import Document, FakeKubernetes
from tests.raising import raises

NAMESPACE = "camunda-london-failover"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
VALUES = {"global": {"multiregion": {"regionId": 1}}, "zeebe": {"clusterSize": 8, "env": []}}


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm_records, "PATIENCE_SECONDS", 0.05)


def record(
    version: int,
    status: str,
    values: Mapping[str, Any] | None = None,
    release: str = "camunda",
    *,
    minutes: float = 0,
) -> Document:
    """Return Helm's record of a revision, made some minutes ago."""
    document = {
        "name": release,
        "namespace": NAMESPACE,
        "version": version,
        "info": {"status": status},
        "chart": {"metadata": {"name": "camunda-platform", "version": "10.11.3"}},
        "config": dict(VALUES if values is None else values),
        "manifest": "---\n",
    }
    packed = base64.b64encode(gzip.compress(json.dumps(document).encode()))
    return {
        "metadata": {
            "name": f"sh.helm.release.v1.{release}.v{version}",
            "creationTimestamp": (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat(),
            "labels": {
                "name": release,
                "owner": "helm",
                "status": status,
                "version": str(version),
            },
        },
        "type": "helm.sh/release.v1",
        "data": {"release": base64.b64encode(packed).decode()},
    }


INCIDENT = "1-region1-lost"


def take_over(cluster: Cluster, values: Mapping[str, Any] = VALUES) -> list[str]:
    said: list[str] = []
    begun = Begun.of(INCIDENT, values)
    if helm_records.is_interrupted_install(LiveInstallation(cluster, NAMESPACE, "camunda"), values):
        helm_records.begin_install(
            LiveInstallation(cluster, NAMESPACE, "camunda"), begun, said.append
        )
    return said


def upgrade(cluster: Cluster, values: Mapping[str, Any] = VALUES) -> list[str]:
    said: list[str] = []
    begun = Begun.of(INCIDENT, values)
    helm_records.begin_upgrade(LiveInstallation(cluster, NAMESPACE, "camunda"), begun, said.append)
    return said


def noted(kubernetes: FakeKubernetes, begun: Begun) -> None:
    """Let a run of ours have noted what it was about to do."""
    note = {"metadata": {"name": helm_records.NOTE}, "data": begun.data}
    kubernetes.put(f"/api/v1/namespaces/{NAMESPACE}/configmaps", note)


def test_a_namespace_without_a_release_needs_nothing(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    assert take_over(cluster) == []
    assert kubernetes.deleted() == []


@pytest.mark.parametrize("status", ["deployed", "failed", "pending-install"])
def test_an_install_that_a_killed_run_began_is_taken_over(
    cluster: Cluster, kubernetes: FakeKubernetes, status: str
) -> None:
    noted(kubernetes, Begun.of(INCIDENT, VALUES))
    kubernetes.put(SECRETS, record(1, status))
    (said,) = take_over(cluster)
    assert said == progress.taking_over_install("camunda", NAMESPACE)
    assert kubernetes.deleted() == ["sh.helm.release.v1.camunda.v1"]


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param({"tolerations": [], "affinity": None}, id="all of it"),
        pytest.param({}, id="as an old provider keeps it"),
        pytest.param({"tolerations": []}, id="without the null"),
    ],
)
def test_an_install_of_ours_is_known_whatever_of_its_empty_values_is_kept(
    cluster: Cluster, kubernetes: FakeKubernetes, kept: dict[str, Any]
) -> None:
    wanted = {**VALUES, "zeebe": {"clusterSize": 8, "tolerations": [], "affinity": None}}
    kubernetes.put(
        SECRETS, record(1, "deployed", {**VALUES, "zeebe": {"clusterSize": 8.0, **kept}})
    )
    assert take_over(cluster, wanted)
    assert kubernetes.objects[SECRETS] == {}


def test_all_revisions_of_it_go_so_that_helm_installs_again(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(SECRETS, record(1, "superseded", {"old": 1}), record(2, "deployed"))
    take_over(cluster)
    assert kubernetes.objects[SECRETS] == {}


def test_the_latest_revision_is_found_by_number_not_by_name(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(SECRETS, *(record(each, "superseded", {"old": each}) for each in range(1, 10)))
    kubernetes.put(SECRETS, record(10, "deployed"))
    assert take_over(cluster)
    assert kubernetes.objects[SECRETS] == {}


def test_a_release_of_others_is_refused_and_left_alone(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(SECRETS, record(3, "deployed", {"zeebe": {"clusterSize": 3}}))
    with raises("release-of-others", Refused, namespace=NAMESPACE, release="camunda", revision=3):
        take_over(cluster)
    assert kubernetes.deleted() == []


def test_other_releases_in_the_namespace_are_not_looked_at(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(SECRETS, record(1, "deployed", {}, release="monitoring"))
    kubernetes.put(SECRETS, {"metadata": {"name": "camunda", "labels": {"name": "camunda"}}})
    assert take_over(cluster) == []
    assert kubernetes.deleted() == []


def test_numbers_that_the_engine_stores_as_fractions_are_the_same_values(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(SECRETS, record(1, "deployed", {"a": {"b": 8.0}}))
    assert take_over(cluster, {"a": {"b": 8}})


def test_a_null_of_the_users_is_part_of_the_values(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(SECRETS, record(1, "deployed", {"a": {"b": 1, "c": None}}))
    assert take_over(cluster, {"a": {"b": 1, "c": None}})


@pytest.mark.parametrize("other", [VALUES, VALUES | {"operate": {"enabled": False}}])
def test_an_upgrade_that_a_killed_run_began_is_cleared_and_the_last_good_one_stays(
    cluster: Cluster, kubernetes: FakeKubernetes, other: Document
) -> None:
    """Whatever is wanted by now: it is known by what that run has noted."""
    noted(kubernetes, Begun.of(INCIDENT, other, 2))
    kubernetes.put(SECRETS, record(1, "deployed"), record(2, "pending-upgrade", other))
    (said,) = upgrade(cluster)
    assert kubernetes.deleted() == ["sh.helm.release.v1.camunda.v2"]
    assert said == progress.clearing_pending("camunda", NAMESPACE, "pending-upgrade")


OTHERS = Begun.of(INCIDENT, {"zeebe": {"clusterSize": 4}}, 2)
OF_BEFORE = Begun.of(INCIDENT, VALUES, 1)


@pytest.mark.parametrize("note", [None, OTHERS, OF_BEFORE], ids=["none", "values", "revision"])
@pytest.mark.parametrize("status", ["pending-upgrade", "pending-rollback", "pending-install"])
@pytest.mark.parametrize("begin", [take_over, upgrade])
def test_another_helm_at_work_is_left_alone(
    cluster: Cluster,
    kubernetes: FakeKubernetes,
    begin: Callable[[Cluster], list[str]],
    status: str,
    note: Begun | None,
) -> None:
    """`helm upgrade --wait` is pending for minutes, and its record went after 15 seconds."""
    if note:
        noted(kubernetes, note)
    kubernetes.put(SECRETS, record(1, "deployed"), record(2, status, minutes=59))
    before = dict(kubernetes.objects)
    with raises(
        "operation-of-others",
        Refused,
        release="camunda",
        namespace=NAMESPACE,
        status=status,
        revision=2,
        secret="sh.helm.release.v1.camunda.v2",
        minutes=60,
    ):
        begin(cluster)
    assert kubernetes.deleted() == []
    assert kubernetes.objects == before


def test_what_has_no_age_is_not_taken_for_old(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    ageless = record(2, "pending-upgrade")
    del ageless["metadata"]["creationTimestamp"]
    kubernetes.put(SECRETS, record(1, "deployed"), ageless)
    with raises("operation-of-others", Refused, since=None):
        upgrade(cluster)


def test_what_is_pending_for_longer_than_anybody_waits_is_cleared(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(SECRETS, record(1, "deployed"), record(2, "pending-upgrade", minutes=61))
    assert len(upgrade(cluster)) == 1
    assert kubernetes.deleted() == ["sh.helm.release.v1.camunda.v2"]


def test_an_upgrade_is_noted_before_it_begins(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    kubernetes.put(SECRETS, record(1, "superseded"), record(2, "failed"), record(3, "deployed"))
    assert upgrade(cluster) == []
    assert kubernetes.deleted() == []
    assert helm_records.begun_in(LiveInstallation(cluster, NAMESPACE, "camunda")) == Begun.of(
        INCIDENT, VALUES, 4
    )


def test_a_note_that_was_spoilt_says_nothing(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    note = {"metadata": {"name": helm_records.NOTE}, "data": {"revision": "two"}}
    kubernetes.put(f"/api/v1/namespaces/{NAMESPACE}/configmaps", note)
    assert helm_records.begun_in(LiveInstallation(cluster, NAMESPACE, "camunda")) is None


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ({"a": 8, "b": None, "c": [], "d": {"e": {}}}, {"a": 8.0}, True),
        ({"a": [1, None, {"b": None}]}, {"a": [1, {}]}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": {"b": 1}}, {"b": {"a": 1}}, False),
    ],
)
def test_values_are_told_apart_by_what_reaches_helm(
    one: Document, other: Document, *, alike: bool
) -> None:
    assert (fingerprint(one) == fingerprint(other)) is alike


def test_an_operation_that_ends_meanwhile_was_at_work_and_is_not_cleared(
    cluster: Cluster, kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubernetes.put(SECRETS, record(1, "deployed"), record(2, "pending-upgrade"))
    monkeypatch.setattr(helm_records, "PATIENCE_SECONDS", 30.0)

    def another_finishes(_: float) -> None:
        kubernetes.put(SECRETS, record(1, "superseded"), record(2, "deployed"))

    monkeypatch.setattr("steps.releases.helm_records.time.sleep", another_finishes)
    upgrade(cluster)
    assert kubernetes.deleted() == []


LOST: Document = {"tasklist": {"tolerations": [], "affinity": None}}
"""What a provider may drop on the way to Helm."""
WEB_APPS_DOWN = VALUES | {"operate": {"enabled": False}}


@pytest.mark.parametrize(
    ("live", "wanted", "recorded", "revision"),
    [
        pytest.param(VALUES, VALUES, VALUES, None, id="nothing to do"),
        pytest.param(VALUES, WEB_APPS_DOWN, VALUES, None, id="a change that Pulumi sees"),
        pytest.param(WEB_APPS_DOWN, WEB_APPS_DOWN, VALUES, 2, id="done, not saved"),
        pytest.param(WEB_APPS_DOWN, VALUES, VALUES, 2, id="done, not saved, backed out"),
        pytest.param(WEB_APPS_DOWN, VALUES, None, None, id="not to be seen"),
        pytest.param(VALUES, VALUES | {"zeebe2": None}, VALUES, None, id="a null"),
        pytest.param(VALUES, VALUES | {"a": {"b": None}}, VALUES, None, id="a null deeper"),
        pytest.param(WEB_APPS_DOWN, WEB_APPS_DOWN | LOST, VALUES, 2, id="empty values, lost, done"),
        pytest.param(WEB_APPS_DOWN, VALUES | LOST, VALUES, 2, id="empty values, lost, backed out"),
        pytest.param(VALUES, VALUES | LOST, VALUES, None, id="empty values, lost, nothing to do"),
    ],
)
def test_an_upgrade_that_pulumi_has_not_saved_is_known_by_its_revision(
    cluster: Cluster,
    kubernetes: FakeKubernetes,
    live: Document,
    wanted: Document,
    recorded: Document | None,
    revision: int | None,
) -> None:
    kubernetes.put(SECRETS, record(1, "superseded"), record(2, "deployed", live))
    found = helm_records.unrecorded_upgrade(
        LiveInstallation(cluster, NAMESPACE, "camunda"), wanted, recorded
    )
    assert found == revision


@pytest.mark.parametrize(
    ("statuses", "revision"),
    [
        pytest.param((), None, id="never installed"),
        pytest.param(("superseded", "deployed"), None, id="upgraded"),
        pytest.param(("pending-install",), None, id="an install"),
        pytest.param(("deployed", "pending-upgrade"), 2, id="begun"),
        pytest.param(("superseded", "deployed", "failed"), 3, id="failed"),
    ],
)
def test_an_upgrade_that_was_begun_and_not_ended_is_known_by_its_revision(
    cluster: Cluster, kubernetes: FakeKubernetes, statuses: tuple[str, ...], revision: int | None
) -> None:
    kubernetes.put(SECRETS, *(record(n, each) for n, each in enumerate(statuses, start=1)))
    found = helm_records.unrecorded_upgrade(
        LiveInstallation(cluster, NAMESPACE, "camunda"), VALUES, VALUES
    )
    assert found == revision
