"""What a GitOps tool holds is found by what it writes on objects, and told with the command that pauses it."""

from typing import Any

import pytest

from cli.check import Outcome
from cli.checks.gitops import Metadata, Owner, Tool, owners
from cli.checks.live import of_region
from cli.checks.offline import CheckContext
from tests.checkout import CHECKOUT
from tests.fakes.kubernetes import FakeKubernetes, failure, stateful_set
from tests.raising import assert_message
from tests.unit.cli.commands.test_preflight import STATEFUL_SETS, london, of_one

__all__ = ["london"]
BROKERS = "camunda-zeebe"
ARGO, KUSTOMIZE, HELM = (
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
)
INSTANCE = "app.kubernetes.io/instance"
TRACKED = {f"{ARGO}tracking-id": f"shop:apps/StatefulSet:camunda-london/{BROKERS}"}
KUSTOMIZED = {f"{KUSTOMIZE}name": "apps", f"{KUSTOMIZE}namespace": "flux-system"}
RELEASED = {f"{HELM}name": "camunda", f"{HELM}namespace": "camunda-london"}


def of(labels: Any = (), annotations: Any = (), *managers: str, name: str = BROKERS) -> list[str]:
    found = Metadata("statefulset", name, dict(labels), dict(annotations), managers)
    return list(map(str, owners(found, "camunda")))


@pytest.mark.parametrize(
    ("labels", "annotations", "managers", "expected"),
    [
        ({INSTANCE: "camunda"}, {}, ["helm", "kube-controller-manager"], []),
        ({}, TRACKED, [], ["Argo CD application shop"]),
        ({INSTANCE: "shop"}, {}, [], ["Argo CD application shop"]),
        ({f"{ARGO}instance": "camunda"}, {}, [], ["Argo CD application camunda"]),
        ({}, {f"{ARGO}sync-wave": "2"}, [], ["Argo CD application"]),
        ({INSTANCE: "camunda"}, {}, ["argocd-controller"], ["Argo CD application"]),
        ({}, TRACKED, ["argocd-controller"], ["Argo CD application shop"]),
        (KUSTOMIZED, {}, [], ["Flux Kustomization flux-system/apps"]),
        (KUSTOMIZED, {f"{KUSTOMIZE}reconcile": "disabled"}, ["kustomize-controller"], []),
        ({}, {}, ["kustomize-controller"], ["Flux Kustomization"]),
        (RELEASED, {}, ["helm-controller"], ["Flux HelmRelease camunda-london/camunda"]),
        ({}, {}, ["helm-controller"], ["Flux HelmRelease"]),
    ],
)
def test_what_holds_an_object(
    labels: Any, annotations: Any, managers: list[str], expected: list[str]
) -> None:
    assert of(labels, annotations, *managers) == expected


def test_a_mark_that_was_copied_from_another_object_does_not_count() -> None:
    assert of({}, TRACKED, name="camunda-other") == []


def test_each_has_a_command_that_pauses_it() -> None:
    pauses = [
        Owner(Tool.ARGO, "shop").pause,
        Owner(Tool.ARGO).pause,
        Owner(Tool.KUSTOMIZATION, "flux-system/apps").pause,
        Owner(Tool.HELM_RELEASE).pause,
    ]
    assert pauses == [
        "argocd app set shop --sync-policy none",
        "argocd app set APPLICATION --sync-policy none",
        "flux suspend kustomization apps -n flux-system",
        "flux suspend helmrelease NAME -n NAMESPACE",
    ]


def test_the_page_has_the_commands_and_the_marks() -> None:
    text = (CHECKOUT / "docs" / "prepare" / "gitops.md").read_text()
    for tool in Tool:
        assert Owner(tool).pause in text
    for mark in (f"{ARGO}tracking-id", INSTANCE, f"{KUSTOMIZE}reconcile: disabled", f"{HELM}*"):
        assert mark in text


def marked(**metadata: Any) -> dict[str, Any]:
    found = stateful_set(2)
    found["metadata"] |= metadata
    return found


def check_of(found: CheckContext) -> Any:
    return of_one(of_region(found, 0, failback=False), "check-gitops")


def test_a_release_that_is_held_is_found_in_the_live_cluster(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, ctx = london
    assert check_of(ctx).outcome is Outcome.OK
    managed = [{"manager": "argocd-controller", "operation": "Apply"}]
    namespace = "camunda-london"
    tracked = marked(annotations=TRACKED, managedFields=managed, namespace=namespace)
    fake.put(STATEFUL_SETS, tracked)
    fake.put(
        STATEFUL_SETS.replace("london", "london-failover"), marked(labels=KUSTOMIZED | RELEASED)
    )
    found = check_of(ctx)
    assert found.outcome is Outcome.FAILED
    holders = (
        "Argo CD application shop",
        "Flux HelmRelease camunda-london/camunda",
        "Flux Kustomization flux-system/apps",
    )
    held = ("statefulset camunda-zeebe in camunda-london", "statefulset camunda-zeebe")
    assert_message(found.found, "gitops-owns", owners=holders, objects=held)
    assert_message(found.remedy, "fix-gitops")
    assert found.remedy.facts["commands"][0] == "argocd app set shop --sync-policy none"


def test_what_does_not_belong_to_the_release_is_not_looked_at(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, ctx = london
    other = marked(name="shop-database", annotations=TRACKED, labels=KUSTOMIZED)
    fake.put(STATEFUL_SETS, other)
    assert check_of(ctx).outcome is Outcome.OK


def test_a_namespace_alone_does_no_harm(london: tuple[FakeKubernetes, CheckContext]) -> None:
    fake, ctx = london
    labels = KUSTOMIZED
    fake.put("/api/v1/namespaces", {"metadata": {"name": "camunda-london", "labels": labels}})
    found = check_of(ctx)
    assert found.outcome is Outcome.OK
    assert_message(found.found, "gitops-owns-namespaces", namespaces=("namespace camunda-london",))


def test_what_cannot_be_looked_at_is_unknown(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, ctx = london
    fake.put("/api/v1/namespaces", {"metadata": {"name": "camunda-london"}})
    fake.broken[STATEFUL_SETS] = failure(403, "Forbidden", "statefulsets is forbidden")
    assert check_of(ctx).outcome is Outcome.UNKNOWN
