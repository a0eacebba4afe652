"""What the audit logs say of the rights: which requests count as use of a right, which do not, and the rest."""

import json
from typing import Any

import pytest
import yaml

from drill.checks.audit import Audit, Rights, asked_of, events_of
from drill.observation.access import REFUSED_PATH, SUBJECTS
from drill.regions import REGIONS, Region
from dualregion import rbac
from dualregion.config.settings import Settings
from dualregion.rbac import Side
from tests.inputs.examples import chained_settings

LONDON, PARIS = REGIONS
OWN = "system:serviceaccount:camunda-access:own-stack"
PEER = "system:serviceaccount:camunda-access:other-stack"
BINDINGS = ("rolebindings", "rbac.authorization.k8s.io")
FAILOVER = LONDON.failover_namespace


def event(
    verb: str,
    resource: str,
    group: str = "",
    *,
    namespace: str = LONDON.namespace,
    name: str = "",
    subresource: str = "",
    user: str = OWN,
    decision: str | None = "allow",
    code: int = 200,
    message: str = "",
    uri: str = "/any",
) -> dict[str, Any]:
    """Return an audit event as an API server writes it: what is empty is left out."""
    about = {
        "resource": resource,
        "apiGroup": group,
        "namespace": namespace,
        "name": name,
        "subresource": subresource,
        "apiVersion": "v1",
    }
    return {
        "kind": "Event",
        "level": "Metadata",
        "stage": "ResponseComplete",
        "requestURI": uri,
        "verb": verb,
        "user": {"username": user, "groups": ["system:serviceaccounts"]},
        "objectRef": {key: value for key, value in about.items() if value},
        "responseStatus": {"code": code, **({"message": message} if message else {})},
        "annotations": {"authorization.k8s.io/decision": decision} if decision else {},
    }


def log(*events: dict[str, Any]) -> list[str]:
    return [json.dumps(each) + "\n" for each in events]


def given() -> Settings:
    subjects = {key.removeprefix("rights."): value for key, value in SUBJECTS.items()}
    return chained_settings(rights=subjects)


def manifests(region: Region) -> str:
    return yaml.safe_dump_all(rbac.manifests(given(), region.index))


def audit(**lines: list[str]) -> Audit:
    """Return what a drill knows whose regions have written these logs."""
    made = Audit()
    for region in REGIONS:
        made.grant(region, manifests(region))
        made.take_in(region, lines.get(region.city, []))
    return made


def used(*events: dict[str, Any], side: str = "own") -> tuple[str, ...]:
    return audit(london=log(*events)).rights()[side].used


def texts(found: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(each.text, each.allowed) for each in asked_of(found)]


# --- what was given -----------------------------------------------------------------------------------


@pytest.mark.parametrize("side", Side)
def test_all_that_the_command_prints_is_known_as_granted(side: Side) -> None:
    table = [
        *((right, "") for right in rbac.namespaced(given(), side)),
        *((right, "") for right in rbac.cluster_wide(given(), side)),
        *((right, " in kube-system") for right in rbac.of_dns(given(), side)),
    ]
    expected = {
        f"{right.resource}{place}: {verb}" for right, place in table for verb in right.verbs
    }
    found = audit(london=log(event("get", "nodes"))).rights()[side.value]
    assert set(found.granted) == expected
    assert found.never_used == found.granted


def test_a_recreated_region_is_given_the_same() -> None:
    made = audit(london=log(event("get", "nodes")))
    before = made.rights()
    made.grant(PARIS, manifests(PARIS))
    assert made.rights() == before


# --- what counts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (event("get", "statefulsets", "apps", name="x"), "statefulsets.apps: get"),
        (event("list", "secrets", namespace=FAILOVER), "secrets: list"),
        (event("watch", "configmaps"), "configmaps: watch"),
        (event("create", "services", subresource="proxy", name="x:80"), "services/proxy: create"),
        (event("get", "secrets", name="x", code=404), "secrets: get"),
        (event("list", "persistentvolumes", namespace=""), "persistentvolumes: list"),
        (
            event("delete", "namespaces", namespace=FAILOVER, name=FAILOVER),
            "namespaces: delete",
        ),
        (
            event("patch", "configmaps", namespace="kube-system", name="coredns"),
            "configmaps in kube-system: patch",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_that_was_allowed_uses_its_right(found: dict[str, Any], right: str) -> None:
    assert used(found) == (right,)


@pytest.mark.parametrize(
    "found",
    [
        event("get", "secrets", name="x", decision="forbid", code=403),
        event("get", "secrets", name="x", decision=None),
        event("get", "secrets", name="x", namespace="default"),
        event("get", "secrets", name="x", namespace=PARIS.namespace),
        event("get", "secrets", name="x", user="system:serviceaccount:default:default"),
        event("get", "secrets", name="x", user="kubernetes-admin"),
        event("get", "secrets", name="x", subresource="status"),
        event("get", "secrets", "metrics.k8s.io", name="x"),
        event("patch", "configmaps", namespace="kube-system", name="another"),
        event("delete", "namespaces", namespace="default", name="default"),
        event("list", "configmaps", namespace="kube-system"),
    ],
    ids=[
        *("refused", "not decided", "another namespace", "the other region's", "another account"),
        *("the administrator", "a sub-resource", "another group", "another name"),
        *("a namespace of others", "a collection of what is limited to a name"),
    ],
)
def test_what_is_no_use_of_a_right_does_not_count(found: dict[str, Any]) -> None:
    # The second one is what makes the log a log.
    assert used(found, event("list", "events")) == ("events: list",)


def test_a_request_about_no_object_says_nothing() -> None:
    version = event("get", "any")
    del version["objectRef"]
    assert texts(version) == []


def test_each_side_is_judged_by_its_own_requests() -> None:
    found = audit(london=log(event("list", "pods", user=PEER), event("get", "secrets"))).rights()
    assert found["own"].used == ("secrets: get",)
    assert found["peer"].used == ("pods: list",)


def test_what_was_used_in_one_region_was_used() -> None:
    found = audit(
        london=log(event("get", "secrets")),
        paris=log(event("list", "secrets", namespace="camunda-paris")),
    ).rights()["own"]
    assert found.used == ("secrets: get", "secrets: list")
    assert set(found.used) | set(found.never_used) == set(found.granted)
    assert not set(found.used) & set(found.never_used)


# --- what an API server asks RBAC besides ---------------------------------------------------------------


def test_who_applies_what_is_not_there_also_needs_to_create_it() -> None:
    made = event("patch", "namespaces", namespace=FAILOVER, name=FAILOVER, code=201)
    assert used(made) == ("namespaces: create", "namespaces: patch")
    again = event("patch", "namespaces", namespace=FAILOVER, name=FAILOVER, code=200)
    assert used(again) == ("namespaces: patch",)


def test_an_apply_that_lacks_the_right_to_create_is_told() -> None:
    message = (
        'configmaps "x" is forbidden: User "u" cannot create resource "configmaps" in API group ""'
    )
    lacking = event("patch", "configmaps", name="x", code=403, message=message)
    assert texts(lacking) == [
        ("configmaps in camunda-london: patch", True),
        ("configmaps in camunda-london: create", False),
    ]
    ending = event("patch", "configmaps", code=403, message="it is being terminated")
    assert texts(ending) == [("configmaps in camunda-london: patch", True)]


def test_who_writes_a_binding_uses_the_right_to_bind() -> None:
    binds = "clusterroles.rbac.authorization.k8s.io: bind"
    for code, expected in ((200, True), (201, True), (403, False)):
        wrote = event("patch", *BINDINGS, name="camunda-dual-region", code=code)
        assert (binds in used(wrote)) is expected, code
    assert binds not in used(event("get", *BINDINGS, name="camunda-dual-region"))


# --- what was refused -----------------------------------------------------------------------------------


def test_what_was_refused_is_told_once_and_the_drills_own_try_is_not() -> None:
    refused: Any = {"decision": "forbid", "code": 403}
    found = audit(
        london=log(
            event("list", "nodes", namespace="", **refused),
            event("list", "nodes", namespace="", **refused),
            event("get", "secrets", namespace="default", name="x", **refused),
            event("list", "secrets", namespace="kube-system", uri=REFUSED_PATH, **refused),
            event("list", "pods", namespace="", user=PEER, **refused),
        )
    ).rights()
    assert found["own"].refused == ("nodes: list", "secrets in default: get")
    assert found["peer"].refused == ("pods: list",)


# --- logs ---------------------------------------------------------------------------------------------


def test_the_last_line_of_a_log_that_is_being_written_waits() -> None:
    whole = log(event("get", "secrets"), event("list", "secrets"))
    cut = [*whole[:1], whole[1][:40]]
    assert len(list(events_of(cut))) == 1
    made = audit(london=cut)
    assert made.rights()["own"].used == ("secrets: get",)
    made.take_in(LONDON, whole)
    assert made.rights()["own"].used == ("secrets: get", "secrets: list")


def test_a_region_is_remembered_after_it_was_recreated() -> None:
    made = audit(paris=log(event("get", "secrets", namespace="camunda-paris")))
    made.take_in(PARIS, log(event("list", "secrets", namespace="camunda-paris")))
    assert made.rights()["own"].used == ("secrets: get", "secrets: list")


def test_without_an_audit_log_nothing_is_said() -> None:
    assert Audit().rights() == {}
    assert audit().rights() == {}
    assert isinstance(audit(london=log(event("get", "nodes"))).rights()["own"], Rights)
