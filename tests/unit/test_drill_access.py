"""The drill as administrator: kubeconfigs that hold a service account's token, and nothing of the administrator."""

import os
import stat
from pathlib import Path

import pytest
import yaml

from drill.access import SUBJECTS, Access
from drill.cluster import ClusterView
from drill.errors import DrillError
from drill.regions import REGIONS
from drill.stacks import Stacks
from dualregion.subjects import RightsSettings
from tests.unit.fake_kubernetes import FakeKubernetes, Reply, kubeconfig

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


def test_each_stack_gets_a_login_of_its_own_for_each_region(
    kubernetes: FakeKubernetes, kubectl: Path, tmp_path: Path
) -> None:
    administrator = Path(kubeconfig(tmp_path, kubernetes.url, "cluster-london", "cluster-paris"))
    access = Access(kubectl, administrator, tmp_path)
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


def test_a_region_that_was_made_anew_gets_new_logins(
    kubernetes: FakeKubernetes, kubectl: Path, tmp_path: Path
) -> None:
    access = Access(kubectl, Path(kubeconfig(tmp_path, kubernetes.url, LONDON.context)), tmp_path)
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
    access = Access(kubectl, Path(kubeconfig(tmp_path, kubernetes.url, LONDON.context)), tmp_path)
    with pytest.raises(DrillError, match="rights in london could not be given: no"):
        access.admit(LONDON, "REFUSED")


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
