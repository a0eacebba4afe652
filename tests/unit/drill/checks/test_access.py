"""The drill as administrator: kubeconfigs that hold a service account's token, and nothing of the administrator."""

import os
import stat
from pathlib import Path

import pytest
import yaml

from drill.errors import DrillError
from drill.observation.access import SUBJECTS, Access
from drill.observation.cluster import ClusterView
from drill.operators.stacks import Stacks
from drill.regions import REGIONS
from dualregion.config.sections.rbac_subjects import RightsSettings
from tests.fakes.kubernetes import TOKEN, FakeKubernetes, Reply, failure, kubeconfig

LONDON, PARIS = REGIONS


def token_of(fake: FakeKubernetes, account: str, token: str) -> None:
    path = f"/api/v1/namespaces/camunda-access/serviceaccounts/{account}/token"
    fake.broken[path] = Reply(201, {"status": {"token": token}})


@pytest.fixture
def kubectl(tmp_path: Path) -> Path:
    """A `kubectl` that keeps what it is given, unless that is refused."""
    path = tmp_path / "kubectl"
    path.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\n'
        f"cat >> {tmp_path}/applied\ngrep -q REFUSED {tmp_path}/applied && echo no >&2 && exit 1\nexit 0\n"
    )
    path.chmod(0o755)
    return path


def access_to_london(kubernetes: FakeKubernetes, kubectl: Path, tmp_path: Path) -> Access:
    administrator = Path(kubeconfig(tmp_path, kubernetes.url, LONDON.context))
    return Access(kubectl, administrator, tmp_path, [tmp_path / "london", tmp_path / "paris"])


def test_each_stack_gets_a_login_of_its_own_for_each_region(
    kubernetes: FakeKubernetes, kubectl: Path, tmp_path: Path
) -> None:
    administrator = Path(kubeconfig(tmp_path, kubernetes.url, "cluster-london", "cluster-paris"))
    access = Access(kubectl, administrator, tmp_path, ())
    for region, accounts in ((LONDON, ("l-own", "l-other")), (PARIS, ("p-own", "p-other"))):
        for account, token in zip(("own-stack", "other-stack"), accounts, strict=True):
            token_of(kubernetes, account, token)
        access.admit(region, "a: manifest\n")
    held = {}
    for stack in REGIONS:
        path = access.kubeconfig(stack)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        document = yaml.safe_load(path.read_text())
        held[stack] = {each["name"]: each["user"] for each in document["users"]}
        assert [each["name"] for each in document["clusters"]] == [
            "cluster-london",
            "cluster-paris",
        ]
    assert held == {
        LONDON: {"cluster-london": {"token": "l-own"}, "cluster-paris": {"token": "p-other"}},
        PARIS: {"cluster-london": {"token": "l-other"}, "cluster-paris": {"token": "p-own"}},
    }
    assert "a: manifest" in (tmp_path / "applied").read_text()
    asked = (tmp_path / "asked").read_text()
    assert "--context=cluster-london apply" in asked
    assert "l-own" not in asked, "a token on a command line"


def test_a_recreated_region_gets_new_logins(
    kubernetes: FakeKubernetes, kubectl: Path, tmp_path: Path
) -> None:
    access = access_to_london(kubernetes, kubectl, tmp_path)
    for token in ("before", "after"):
        for account in ("own-stack", "other-stack"):
            token_of(kubernetes, account, token)
        access.admit(LONDON, "")
    text = access.kubeconfig(LONDON).read_text()
    assert "after" in text
    assert "before" not in text


def test_rights_that_a_cluster_refuses_end_the_drill(
    kubernetes: FakeKubernetes, kubectl: Path, tmp_path: Path
) -> None:
    access = access_to_london(kubernetes, kubectl, tmp_path)
    with pytest.raises(DrillError, match="rights in london could not be given: no"):
        access.admit(LONDON, "REFUSED")


@pytest.mark.parametrize(
    ("token", "answer", "problem"),
    [
        (TOKEN, failure(403, "Forbidden", "secrets is forbidden"), None),
        (TOKEN, Reply(200, {"items": []}), "region0 may read the Secrets of kube-system"),
        ("stale", failure(403, "Forbidden", "never said"), "401"),
    ],
    ids=["refused", "too much", "no login at all"],
)
def test_logins_that_may_do_more_are_found(
    kubernetes: FakeKubernetes,
    kubectl: Path,
    tmp_path: Path,
    token: str,
    answer: Reply,
    problem: str | None,
) -> None:
    access = access_to_london(kubernetes, kubectl, tmp_path)
    for account in ("own-stack", "other-stack"):
        token_of(kubernetes, account, token)
    access.admit(LONDON, "")
    kubernetes.broken["/api/v1/namespaces/kube-system/secrets"] = answer
    check = access.check_modest(LONDON)
    assert check.ok is (problem is None)
    assert (problem or "403") in check.detail


def test_the_audit_log_of_a_region_is_read_with_its_older_files(
    kubernetes: FakeKubernetes, kubectl: Path, tmp_path: Path
) -> None:
    access = access_to_london(kubernetes, kubectl, tmp_path)
    (tmp_path / "london").mkdir()
    (tmp_path / "london" / "audit.log").write_text("3\n4")
    (tmp_path / "london" / "audit-2031-05-06T07-08-09.012.log").write_text("1\n2\n")
    (tmp_path / "london" / "else").write_text("no\n")
    assert list(access.audit_log(LONDON)) == ["1\n", "2\n", "3\n", "4"]
    assert list(access.audit_log(PARIS)) == [], "a lost region has none"


def test_the_accounts_are_those_that_the_programs_settings_name() -> None:
    given = RightsSettings.model_validate(
        {key.removeprefix("rights."): value for key, value in SUBJECTS.items()}
    )
    assert given.subject == "serviceaccount:camunda-access:own-stack"
    assert given.peer_subject == "serviceaccount:camunda-access:other-stack"


def test_the_drills_own_view_logs_in_with_a_token_too(
    kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    path = Path(kubeconfig(tmp_path, kubernetes.url, LONDON.context))
    assert ClusterView(path, LONDON.context).namespaces() == ["kube-system"]


def test_a_secret_is_on_no_command_line_and_in_no_log(tmp_path: Path) -> None:
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f'#!/bin/sh\necho "$*"\ncat > {tmp_path}/read\n')
    pulumi.chmod(0o755)
    logs = tmp_path / "logs"
    logs.mkdir()
    stacks = Stacks(pulumi, tmp_path, {"PATH": os.defpath}, logs, print)
    stacks.configure_secrets("region0", {"elasticsearchSecret.data.KEY": "hush"})
    assert (tmp_path / "read").read_text() == "hush"
    (log,) = logs.iterdir()
    said = log.read_text()
    assert "config set --secret --path elasticsearchSecret.data.KEY" in said
    assert "hush" not in said
