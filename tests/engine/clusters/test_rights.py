"""The rights that the program needs, on real API servers: enough for its work, and nothing beside it.

Each stack has credentials of its own, as in the drill: service accounts with what `dualregion rights` prints.
"""

import json
import subprocess
from typing import Any

import pytest

from drill.checks.audit import asked_of, events_of
from drill.observation.access import Access
from drill.regions import REGIONS
from drill.waiting import wait_for
from sandbox.regions import Sandbox
from tests.engine.project import DEADLINE, Project, admit, dualregion

pytestmark = pytest.mark.engine


def test_the_preview_shows_what_comes_into_a_namespace_that_is_not_there(modest: Project) -> None:
    """There can be no rights in it yet, so Pulumi shows what is declared, without the API server's dry run."""
    assert modest.up("region0").exit_status == 0
    modest.both(phase="failover", lostRegion=1)
    preview = modest.preview("region0")
    assert preview.exit_status == 0, preview.output
    space = f"{modest.namespaces[0]}-failover"
    for expected in ("Gate::F1", "Gate::F3", space, "RoleBinding", "failOver", "10.181.0.0/16"):
        assert expected in preview.output, expected
    assert "NotFound" in modest.kubectl("london", "get", "namespace", space)


def test_a_recreated_region_has_only_its_rights_in_it(
    modest: Project, access: Access, sandbox: Sandbox
) -> None:
    """Its namespace is there, empty, for the sake of the rights; it counts as a region that holds nothing."""
    assert modest.up("region1").exit_status == 0
    assert "0 of 2 brokers" in modest.up("region0").output
    modest.both(phase="failover", lostRegion=1)
    assert "F1: timed out" in modest.up("region0").output
    modest.pretend_taken_over("region0", lost_region=1)
    sandbox.lose(1)
    try:
        left = modest.up("region1")
        assert left.exit_status == 0, left.output
        assert modest.outputs("region1")["waiting"]["code"] == "reachable"
    finally:
        sandbox.recreate(1)
    modest.both(
        phase="failback-pending", **{"backup.type": "fs", "backup.settings.location": "/backup"}
    )
    # The new cluster does not know the program yet.
    assert modest.up("region0").exit_status != 0
    admit(modest, access, 1)
    early = modest.up("region1")
    assert early.exit_status == 0, early.output
    assert "proves that this region is clean (B0)" in early.output
    proved = modest.up("region0")
    assert proved.exit_status == 0, proved.output
    assert modest.outputs("region0")["progress"] == ["B0"]
    joining = modest.up("region1")
    assert "Release normal created" in joining.output, joining.output
    assert f"B1: timed out after {DEADLINE} s waiting until the odd brokers" in joining.output


def test_the_preflight_finds_the_rights_complete_and_names_one_that_is_taken_away(
    modest: Project,
) -> None:
    names = [
        f"rights {whose}in region {city}"
        for whose in ("", "of the other stack ")
        for city in ("london", "paris")
    ]
    found = _preflight(modest)
    assert [found[name]["outcome"] for name in names] == ["ok"] * 4, found
    assert found["both stacks are configured alike"]["outcome"] == "ok"
    london = modest.namespaces[0]
    gone = ("delete", "rolebinding", "camunda-dual-region", "-n", london)
    assert "deleted" in modest.kubectl("london", *gone)
    said = _preflight(modest)["rights in region london"]
    assert f"create statefulsets in {london}" in said["found"]
    assert "dualregion rights --region 0" in said["remedy"]


def _preflight(project: Project) -> dict[str, Any]:
    _, said = dualregion(project, "preflight", "--json")
    return {each["name"]: each for each in json.loads(said)["checks"]}


# --- what is refused --------------------------------------------------------------------------------------


def binding(namespace: str, role: str, account: str = "own-stack", **named: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "camunda-dual-region", "namespace": namespace} | named,
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": role,
        },
        "subjects": [{"kind": "ServiceAccount", "namespace": "camunda-access", "name": account}],
    }


def of_name(kind: str, name: str, **more: Any) -> dict[str, Any]:
    api = "v1" if kind == "Namespace" else "rbac.authorization.k8s.io/v1"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
APPLY = ("apply", "--server-side", "--force-conflicts", "-f", "-")

REFUSED_TO_ITS_OWN: dict[str, tuple[tuple[str, ...], dict[str, Any] | None]] = {
    "secrets of the cluster": (("get", "secrets", "-n", "kube-system"), None),
    "secrets of everybody": (("get", "secrets", "-A"), None),
    "pods of others": (("get", "pods", "-n", "default"), None),
    "nodes": (("get", "nodes"), None),
    "roles": (("get", "clusterroles"), None),
    "a pod of one's own": (
        ("run", "x", "--image=x", "-n", "{own}", "--dry-run=server"),
        None,
    ),
    "another account's token": (
        ("create", "token", "default", "-n", "kube-system"),
        None,
    ),
    "a token in the own namespace": (("create", "token", "default", "-n", "{own}"), None),
    "being another user": (("get", "secrets", "-n", "{own}", "--as=system:admin"), None),
    "deleting another namespace": (("delete", "namespace", "default", "--dry-run=server"), None),
    "deleting volumes": (("delete", "pv", "x", "--dry-run=server"), None),
    "another namespace": (APPLY, of_name("Namespace", "somewhere-else")),
    "the own role elsewhere": (APPLY, binding("default", "{role}")),
    "the own role for others": (APPLY, binding("{own}", "{role}", account="other")),
    "another binding": (APPLY, binding("{own}", "{role}", name="another")),
    "the administrator's role": (APPLY, binding("default", "cluster-admin")),
    "a role that anybody may have": (APPLY, binding("default", "view")),
    "more in the own role": (APPLY, of_name("ClusterRole", "{role}", rules=EVERYTHING)),
    "a role of one's own": (APPLY, of_name("ClusterRole", "mine", rules=EVERYTHING)),
    "the own role everywhere": (
        APPLY,
        of_name(
            "ClusterRoleBinding",
            "{role}-cluster",
            **{
                key: value
                for key, value in binding("", "{role}").items()
                if key in ("roleRef", "subjects")
            },
        ),
    ),
    "taking the fence away": (
        (
            "delete",
            "validatingadmissionpolicybinding",
            "camunda-dual-region-{own}",
            "--dry-run=server",
        ),
        None,
    ),
}
REFUSED_TO_THE_PEER: dict[str, tuple[tuple[str, ...], dict[str, Any] | None]] = {
    "secrets of the cluster": (("get", "secrets", "-n", "kube-system"), None),
    "deleting the namespace": (("delete", "namespace", "{own}", "--dry-run=server"), None),
    "its records": (("create", "configmap", "x", "-n", "{own}", "--dry-run=server"), None),
    "deleting pods": (
        ("delete", "pod", "camunda-zeebe-0", "-n", "{own}", "--dry-run=server"),
        None,
    ),
    "deleting brokers": (
        ("delete", "statefulset", "camunda-zeebe", "-n", "{own}", "--dry-run=server"),
        None,
    ),
    "secrets": (("create", "secret", "generic", "x", "-n", "{own}", "--dry-run=server"), None),
    "seeing secrets": (("get", "secrets", "-n", "{own}"), None),
    "another service": (
        ("get", "--raw", "/api/v1/namespaces/{own}/services/camunda-operate:80/proxy/"),
        None,
    ),
    "bindings": (APPLY, binding("{own}", "{role}", account="other-stack")),
}
WHY = {
    "the own role elsewhere": "are bound in namespace",
    "the own role for others": "rights.subject and rights.peerSubject only",
    "the administrator's role": "not currently held",
    "more in the own role": 'cannot patch resource "clusterroles"',
}
"""What the refusal says, where something else than a missing right is to refuse."""
ALLOWED: dict[str, tuple[tuple[str, ...], dict[str, Any] | None]] = {
    "secrets of its own": (("get", "secrets", "-n", "{own}"), None),
    "its own binding": (APPLY, binding("{own}", "{role}")),
    "its own namespaces": (APPLY, of_name("Namespace", "{own}-failover")),
    "deleting them": (("delete", "namespace", "{own}", "--dry-run=server"), None),
}


def test_what_is_refused(modest: Project, access: Access) -> None:
    """Said with the credentials themselves, so that RBAC, its escalation check and the policy all have their say.

    What each stack may do is in the list as well: a kubeconfig that is good for nothing would be refused, too.
    """
    london, paris = REGIONS
    wrong = []
    for stack, cases, refused in (
        (london, ALLOWED, False),
        (london, REFUSED_TO_ITS_OWN, True),
        (paris, REFUSED_TO_THE_PEER, True),
    ):
        for name, (arguments, document) in cases.items():
            status, said = _kubectl(modest, access, stack.stack, arguments, document)
            denied = status != 0 and ("forbidden" in said.lower() or "denied" in said.lower())
            if denied is not refused or (status == 0) is refused or WHY.get(name, "") not in said:
                wrong.append(f"{stack.stack}: {name}: {said}")
    assert wrong == []


def test_the_audit_log_tells_what_was_asked_and_what_was_refused(
    modest: Project, access: Access
) -> None:
    for asked in (*ALLOWED.values(), REFUSED_TO_ITS_OWN["nodes"]):
        _kubectl(modest, access, "region0", *asked)
    said = {
        (each.text, each.allowed)
        for event in events_of(access.audit_log(REGIONS[0]))
        for each in asked_of(event)
        if each.side == "own"
    }
    rbac, own = "rbac.authorization.k8s.io", modest.namespaces[0]
    for text, allowed in (
        (f"secrets in {own}: list", True),
        (f"rolebindings.{rbac} in {own}: patch", True),
        (f"clusterroles.{rbac} in {own}: bind", True),
        (f"namespaces in {own}-failover: patch", True),
        (f"namespaces in {own}-failover: create", True),
        (f"namespaces in {own}: delete", True),
        ("nodes: list", False),
    ):
        assert (text, allowed) in said, text
    assert ("nodes: list", True) not in said


def test_rights_are_given_again_while_the_admission_policy_is_at_work(
    modest: Project, access: Access
) -> None:
    """It begins its work a moment after it was made, so the first time proves nothing of it."""
    name = "the own role elsewhere"

    def not_at_work() -> str | None:
        said = _kubectl(modest, access, "region0", *REFUSED_TO_ITS_OWN[name])[1]
        return None if WHY[name] in said else said

    wait_for("the policy refuses", not_at_work, 120, print)
    chained = {f"regions[{index}].dnsAddresses[0]": f"10.18{index}.255.1" for index in (0, 1)}
    modest.both(**{"dns.chain": "true"} | chained)
    admit(modest, access, 0)
    role = ("auth", "can-i", "patch", "configmap/coredns", "-n", "kube-system")
    assert _kubectl(modest, access, "region0", role, None) == (0, "yes\n")


def _kubectl(
    project: Project,
    access: Access,
    stack: str,
    arguments: tuple[str, ...],
    document: dict[str, Any] | None,
) -> tuple[int, str]:
    """Run kubectl in region 0 with a stack's credentials, for nothing but its answer."""
    own = project.namespaces[0]
    region = next(each for each in REGIONS if each.stack == stack)
    at = [f"--kubeconfig={access.kubeconfig(region)}", "--context=cluster-london"]
    filled = [_filled(each, own) for each in arguments]
    if document is not None:
        filled.append("--dry-run=server")
    done = subprocess.run(
        [str(project.tools.kubectl), *at, *filled],
        input=_filled(json.dumps(document), own),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _filled(text: str, own: str) -> str:
    return text.replace("{own}", own).replace("{role}", f"camunda-dual-region-{own}")
