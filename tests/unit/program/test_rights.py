"""The rights that the program needs: one table, and the manifests, bindings and documentation out of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli.__main__ import app
from dualregion import rbac
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.rbac import Document, Side
from messages.config import forms
from messages.config.settings import subject_needed_for_rights
from tests.checkout import CHECKOUT
from tests.fakes import pulumi_command
from tests.inputs import examples
from tests.inputs.examples import chained_settings, settings
from tests.raising import raises

OPERATORS, OTHERS = "group:operators", "serviceaccount:operations:other-stack"
BOTH: dict[str, Any] = {"subject": OPERATORS, "peerSubject": OTHERS}


def made(region: int = 0, **given: Any) -> tuple[Document, ...]:
    return rbac.manifests(settings(rights=given or BOTH), region)


def of_kind(documents: tuple[Document, ...], kind: str) -> dict[str, Document]:
    return {each["metadata"]["name"]: each for each in documents if each["kind"] == kind}


def test_roles_of_the_namespaces_are_never_bound_to_the_whole_cluster() -> None:
    documents = made()
    everywhere = {
        each["roleRef"]["name"] for each in of_kind(documents, "ClusterRoleBinding").values()
    }
    assert everywhere == {
        "camunda-dual-region-camunda-london-cluster",
        "camunda-dual-region-peer-camunda-london-cluster",
    }
    reached = {
        resource
        for name, role in of_kind(documents, "ClusterRole").items()
        if name in everywhere
        for rule in role["rules"]
        for resource in rule["resources"]
    }
    assert reached == {"namespaces", "rolebindings", "clusterroles", "persistentvolumes"}


def test_what_could_harm_others_is_limited_to_names() -> None:
    role = of_kind(made(1), "ClusterRole")["camunda-dual-region-camunda-paris-cluster"]
    limits = {
        (resource, verb): rule.get("resourceNames")
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    two = ["camunda-paris", "camunda-paris-failover"]
    assert limits["namespaces", "delete"] == limits["namespaces", "create"] == two
    assert limits["clusterroles", "bind"] == [
        "camunda-dual-region-camunda-paris",
        "camunda-dual-region-peer-camunda-paris",
    ]
    named = ["camunda-dual-region", "camunda-dual-region-peer"]
    assert limits["rolebindings", "create"] == limits["rolebindings", "patch"] == named


def test_no_right_is_a_wildcard() -> None:
    for role in of_kind(
        made(extra=["ingresses.networking.k8s.io"], **BOTH), "ClusterRole"
    ).values():
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]


def test_the_peer_can_change_nothing_but_through_a_service() -> None:
    role = of_kind(made(), "ClusterRole")["camunda-dual-region-peer-camunda-london"]
    changing = {
        resource
        for rule in role["rules"]
        for resource in rule["resources"]
        if set(rule["verbs"]) - {"get", "list"}
    }
    assert changing == {"services/proxy"}


def test_the_own_namespace_comes_with_its_bindings_and_the_fence_comes_first() -> None:
    kinds = [each["kind"] for each in made()]
    assert kinds[:2] == ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]
    assert kinds[-3:] == ["Namespace", "RoleBinding", "RoleBinding"]
    found = of_kind(made(), "RoleBinding")
    assert found["camunda-dual-region"]["subjects"] == [
        {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "operators"}
    ]
    assert found["camunda-dual-region-peer"]["subjects"] == [
        {"kind": "ServiceAccount", "namespace": "operations", "name": "other-stack"}
    ]
    assert {each["metadata"]["namespace"] for each in found.values()} == {"camunda-london"}


def test_without_another_identity_for_the_other_stack_there_is_one_role() -> None:
    documents = made(subject="user:arn:aws:iam::1:role/x")
    assert set(of_kind(documents, "RoleBinding")) == {"camunda-dual-region"}
    assert not any("-peer" in each["metadata"]["name"] for each in documents)
    (subject,) = of_kind(documents, "RoleBinding")["camunda-dual-region"]["subjects"]
    assert (subject["kind"], subject["name"]) == ("User", "arn:aws:iam::1:role/x")


def test_more_kinds_that_the_values_make_are_added() -> None:
    made_too = {"subject": OPERATORS, "extra": ["ingresses.networking.k8s.io"]}
    role = of_kind(rbac.manifests(settings(rights=made_too), 0), "ClusterRole")[
        "camunda-dual-region-camunda-london"
    ]
    assert role["rules"][-1]["apiGroups"] == ["networking.k8s.io"]
    assert role["rules"][-1]["resources"] == ["ingresses"]


@pytest.mark.parametrize(
    ("given", "code", "facts"),
    [
        ({"subject": "operators"}, "setting-refused", {"rule": forms.subject_needed()}),
        ({"subject": "serviceaccount:x"}, "setting-refused", {"rule": forms.subject_needed()}),
        ({"subject": "user:"}, "setting-refused", {"rule": forms.subject_needed()}),
        ({"peerSubject": OTHERS}, "subject-missing", {}),
        (
            {"subject": OTHERS, "peerSubject": OTHERS},
            "peer-subject-superfluous",
            {"subject": OTHERS},
        ),
        (
            {"subject": OTHERS, "extra": ["*"]},
            "setting-refused",
            {"key": "rights.extra[0]", "rule": forms.resource_needed()},
        ),
    ],
)
def test_unusable_settings_are_refused(
    given: dict[str, Any], code: str, facts: dict[str, Any]
) -> None:
    with raises(code, ConfigError, **facts):
        settings(rights=given)


def test_no_subject_to_give_the_rights_to_is_a_clear_error() -> None:
    with raises("subject-needed-for-rights", ConfigError):
        rbac.manifests(settings(), 0)


def test_the_documentation_has_the_table() -> None:
    text = (CHECKOUT / "docs" / "prepare" / "rights.md").read_text()
    given: Settings = settings(rights=BOTH)
    for side in Side:
        for found in (rbac.namespaced(given, side), rbac.cluster_wide(given, side)):
            assert rbac.table(found) in text
    chained = chained_settings(dns={"chain": True, "loadBalancer": {"create": True}}, rights=BOTH)
    assert rbac.table(rbac.of_dns(chained, Side.OWN)) in text


def test_by_cluster_api_the_members_are_changed_by_the_own_stack_alone() -> None:
    text = (CHECKOUT / "docs" / "prepare" / "rights.md").read_text()
    regions = [
        {key: value for key, value in examples.region(index).items() if key != "failoverNamespace"}
        for index in (0, 1)
    ]
    past_the_proxy = ("get", "create")
    changing = {
        "8.5": (),
        "8.7": past_the_proxy,
        "8.8": (*past_the_proxy, "patch"),
        "8.10": (*past_the_proxy, "patch"),
    }
    for version, verbs in changing.items():
        given = settings(rights=BOTH, camundaVersion=version, regions=regions)
        own, peer = (rbac.of_cluster_api(given, side) for side in (Side.OWN, Side.PEER))
        assert tuple(verb for each in own for verb in each.verbs) == verbs
        assert [each.verbs for each in peer] == ([] if version == "8.5" else [("get",)])
        for each in (*own, *peer):
            limit = () if each.name == "pods/portforward" else ("camunda-zeebe-gateway:9600",)
            assert rbac.names(each, given, 0) == limit
            assert rbac.table([each]) in text
            assert each in rbac.namespaced(given, Side.OWN if each in own else Side.PEER)


def test_the_other_regions_engine_is_reached_by_one_secret_where_it_asks_for_a_password() -> None:
    text = (CHECKOUT / "docs" / "prepare" / "rights.md").read_text()
    regions = [
        {key: value for key, value in examples.region(index).items() if key != "failoverNamespace"}
        for index in (0, 1)
    ]
    section = {"name": "search", "scheme": "https"}
    given = settings(rights=BOTH, camundaVersion="8.9", regions=regions, searchEngine=section)
    peer = rbac.namespaced(given, Side.PEER)
    (secrets,) = (each for each in peer if each.name == "secrets")
    assert secrets.verbs == ("get",)
    assert rbac.names(secrets, given, 0) == (
        "search-es-elastic-user",
        "search-es-http-certs-public",
    )
    (past_the_proxy,) = (each for each in peer if each.name == "pods/portforward")
    assert rbac.table([past_the_proxy, secrets]) in text
    assert not [each for each in peer if each.only is rbac.Only.ENGINE]
    before = rbac.namespaced(
        settings(rights=BOTH, camundaVersion="8.8", regions=regions), Side.PEER
    )
    assert not [each for each in before if each.name in ("secrets", "pods/portforward")]


@pytest.mark.parametrize("version", ["8.8", "8.9"])
def test_the_other_regions_gateway_is_logged_in_to_by_one_secret(version: str) -> None:
    text = (CHECKOUT / "docs" / "prepare" / "rights.md").read_text()
    regions = [
        {key: value for key, value in examples.region(index).items() if key != "failoverNamespace"}
        for index in (0, 1)
    ]
    login = {"user": "dual-region", "secret": "gateway-login"}
    given = settings(rights=BOTH, camundaVersion=version, regions=regions, gatewayLogin=login)
    peer = rbac.namespaced(given, Side.PEER)
    named = {rbac.names(each, given, 0) for each in peer if each.name == "secrets"}
    assert ("gateway-login",) in named
    assert [each.name for each in peer].count("pods/portforward") == 1
    assert rbac.table(rbac.of_gateway_login(given)) in text


def test_the_corefile_alone_may_be_changed_where_coredns_is() -> None:
    documents = rbac.manifests(chained_settings(rights=BOTH), 0)
    role = of_kind(documents, "Role")["camunda-dual-region-camunda-london-dns"]
    assert role["metadata"]["namespace"] == "kube-system"
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "verbs": ["get", "patch"],
            "resourceNames": ["coredns"],
        }
    ]
    bound = [
        each
        for each in documents
        if each["kind"] == "RoleBinding" and each["metadata"]["namespace"] == "kube-system"
    ]
    assert [each["subjects"][0]["name"] for each in bound] == ["operators"]
    (fence,) = of_kind(documents, "ValidatingAdmissionPolicy").values()
    (kept,) = fence["spec"]["matchConditions"]
    assert f'"{bound[0]["roleRef"]["name"]}"' not in kept["expression"]
    assert not of_kind(made(), "Role")


def test_the_command_prints_what_kubectl_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi_command.make_project(tmp_path)
    pulumi = pulumi_command.install(tmp_path, monkeypatch)
    for region in (0, 1):
        pulumi.stack(f"region{region}", region, rights=BOTH)
    run = ["--project", str(tmp_path), "rights"]
    result = CliRunner().invoke(app, [*run, "--region", "1"])
    assert result.exit_code == 0, result.output
    assert tuple(yaml.safe_load_all(result.output)) == made(1)
    pulumi.stack("region1", 1)
    result = CliRunner().invoke(app, [*run, "--region", "1"])
    assert result.exit_code == 1
    assert subject_needed_for_rights() in result.output
