"""Reading both stacks through Pulumi's Automation API, with a `pulumi` that answers out of files.

Pinned are the messages for all that usually goes wrong at three in the morning, and that nothing is selected, locked or
changed by looking.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from cli.errors import PulumiFailed
from cli.stacks.failures import PULUMI_VERSION
from cli.stacks.locks import locks_of
from cli.stacks.project import Project
from cli.stacks.read import Both, Reading, State, visible_settings
from dualregion.errors import ConfigError
from dualregion.procedure import Phase
from messages import Message
from tests.checkout import CHECKOUT
from tests.fakes import pulumi_command
from tests.fakes.pulumi_command import FakePulumi
from tests.inputs.examples import raw, settings
from tests.raising import raises

GATE = "dualregion:index:Region$dualregion:index:Gate$kubernetes:core/v1:ConfigMap"
RELEASE = "dualregion:index:Region$dualregion:index:Camunda$kubernetes:helm.sh/v3:Release"
NAMES = ("region0", "region1")


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    pulumi_command.make_project(tmp_path)
    return pulumi_command.install(tmp_path, monkeypatch)


def read(folder: Path, names: tuple[str, str] = NAMES) -> Both:
    return Reading(Project(folder), names).stacks()


def read_with_last(folder: Path) -> Both:
    return Reading(Project(folder), NAMES).begin_state()()


def resource(chain: str, name: str, **outputs: object) -> dict[str, object]:
    return {
        "urn": f"urn:pulumi:region0::camunda-dual-region::{chain}::{name}",
        "type": chain.rsplit("$", 1)[-1],
        "outputs": outputs,
    }


DEPLOYMENT = {
    "resources": [
        resource(
            "pulumi:pulumi:Stack",
            "camunda-dual-region-region0",
            phase="failover",
            lostRegion=1,
            region=0,
            waitingFor=None,
        ),
        resource("dualregion:index:Region$dualregion:index:Gate", "F3"),
        resource(GATE, "F1", data={"step": "F1", "incident": "1-region1-lost", "seconds": "2.5"}),
        resource(RELEASE, "failover", description="revision 3", __inputs={"values": {"zeebe": {}}}),
        resource("kubernetes:core/v1:ConfigMap", "F2", data={"incident": "1-region1-lost"}),
    ],
    "pending_operations": [{"type": "creating", "resource": resource(GATE, "F2")}],
}


def test_stacks_are_read_and_nothing_is_selected(pulumi: FakePulumi, tmp_path: Path) -> None:
    first, second = read(tmp_path)
    assert (first.name, second.name) == NAMES
    assert [each.settings.region for each in (first, second)] == [0, 1]
    assert first.last is None
    assert not any("history" in each for each in pulumi.asked), "the last update is not asked for"
    assert first.locks == ()
    assert not any("select" in each for each in pulumi.asked)
    exports = [each for each in pulumi.asked if "export" in each]
    assert len(exports) == 2
    assert not any("--show-secrets" in each for each in exports)


@pytest.mark.parametrize(
    ("name", "change", "asked"),
    [
        ("Pulumi.region0.yaml", "", 1),
        ("Pulumi.region0.yaml", "config: {camunda-dual-region:phase: failover}\n", 2),
        ("Pulumi.yaml", "description: another\n", 2),
        ("Pulumi.region0.yaml", "environment: [prod]\n", 3),
    ],
    ids=["as it is", "of the stack", "of the project", "with an environment, which may change"],
)
def test_configuration_is_asked_for_again_only_if_a_file_has_changed(
    pulumi: FakePulumi, tmp_path: Path, name: str, change: str, asked: int
) -> None:
    (tmp_path / "Pulumi.region0.yaml").touch()
    project = Project(tmp_path)
    held = project.configuration("region0")
    with (tmp_path / name).open("a") as file:
        file.write(change)
    for _ in range(2):
        assert set(project.configuration("region0")) == set(held)
    assert len([each for each in pulumi.asked if "config" in each]) == asked


def keep(
    folder: Path, stack: str, region: int, *, environment: Sequence[str] = (), **config: object
) -> None:
    """Keep a stack's configuration in its file."""
    given = raw(region=region, **config).items()
    document: dict[str, object] = {f"camunda-dual-region:{key}": each for key, each in given}
    document = {"config": document} | ({"environment": [*environment]} if environment else {})
    (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(document))


def test_a_look_reads_the_files_and_asks_pulumi_for_no_configuration(
    pulumi: FakePulumi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is decrypted, so no passphrase is needed."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state")
    for region, name in enumerate(NAMES):
        keep(tmp_path, name, region)
    pulumi.fails("config", "error: passphrase must be set", "region0")
    project = Project(tmp_path)
    found = Reading(project, NAMES, visible_settings).stacks()
    assert [each.settings for each in found] == [settings(region=region) for region in (0, 1)]
    assert not any("config" in each or "version" in each for each in pulumi.asked)


def test_what_the_files_do_not_show_is_asked_of_pulumi(pulumi: FakePulumi, tmp_path: Path) -> None:
    """An environment of Pulumi ESC, and a setting that is encrypted and that others depend on."""
    pulumi.stack("region0", 0, clusterSize="12")
    keep(tmp_path, "region0", 0, environment=["prod"])
    assert visible_settings(Project(tmp_path), "region0").cluster_size == 12
    keep(tmp_path, "region0", 0, regions={"secure": "v1:c2VjcmV0"})
    assert visible_settings(Project(tmp_path), "region0").cluster_size == 12
    (tmp_path / "Pulumi.region0.yaml").unlink()
    assert visible_settings(Project(tmp_path), "region0").cluster_size == 12


def test_what_is_encrypted_is_not_looked_at(pulumi: FakePulumi, tmp_path: Path) -> None:
    secret = {"name": "keys", "data": {"S3_ACCESS_KEY": {"secure": "v1:c2VjcmV0"}}}
    keep(tmp_path, "region0", 0, elasticsearchSecret=secret)
    found = visible_settings(Project(tmp_path), "region0")
    assert found.elasticsearch_secret is not None
    assert "c2VjcmV0" not in repr(found)
    assert not any("config" in each for each in pulumi.asked)


def test_a_file_that_is_wrong_is_refused_by_its_stack(pulumi: FakePulumi, tmp_path: Path) -> None:
    keep(tmp_path, "region0", 0)
    with (tmp_path / "Pulumi.region0.yaml").open("a") as file:
        file.write("  camunda-dual-region:phase: failver\n")
    with raises("setting-refused", ConfigError, of_stack="region0"):
        visible_settings(Project(tmp_path), "region0")


def test_what_was_begun_to_be_read_is_read_once_and_anew_the_next_time(
    pulumi: FakePulumi, tmp_path: Path
) -> None:
    project = Project(tmp_path)
    project.begin_reading(NAMES, with_last=True)
    for reads in (1, 2):
        for name in NAMES:
            assert project.state(name) == {}
            assert project.history(name, latest=1) == []
        assert len([each for each in pulumi.asked if "export" in each]) == 2 * reads
        assert len([each for each in pulumi.asked if "history" in each]) == 2 * reads


@pytest.mark.parametrize(
    ("kept", "project", "backend"),
    [
        ({"current": "s3://bucket"}, "", "s3://bucket"),
        ({"current": "file:///states"}, "", "file:///states"),
        ({"current": "file://states"}, "", "whoami"),
        ({"current": "s3://bucket"}, "backend: {url: s3://another}\n", "whoami"),
        ({}, "", "whoami"),
        ([], "", "whoami"),
        (None, "", "whoami"),
    ],
)
def test_the_backend_is_that_of_the_login_and_else_asked_for(
    pulumi: FakePulumi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kept: object,
    project: str,
    backend: str,
) -> None:
    pulumi.answers("whoami", {"user": "ada", "url": "whoami"})
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    with (tmp_path / "Pulumi.yaml").open("a") as file:
        file.write(project)
    if kept is not None:
        (tmp_path / "credentials.json").write_text(json.dumps(kept))
    assert Project(tmp_path).backend() == backend
    monkeypatch.setenv("PULUMI_BACKEND_URL", "gs://chosen")
    assert Project(tmp_path).backend() == "gs://chosen"


def test_the_stacks_may_be_named_in_either_order(pulumi: FakePulumi, tmp_path: Path) -> None:
    assert [each.name for each in read(tmp_path, ("region1", "region0"))] == list(NAMES)


def test_the_state_is_read_as_the_program_reads_it() -> None:
    state = State.of(DEPLOYMENT)
    assert (state.held.phase, state.held.lost_region) == (Phase.FAILOVER, 1)
    assert state.held.nodes == {"F1", "failover"}
    assert state.held.gates == {"F1": "1-region1-lost"}
    assert state.held.descriptions == {"failover": "revision 3"}
    assert state.held.values == {"failover": {"zeebe": {}}}
    assert state.records["F1"]["seconds"] == "2.5"
    assert state.pending == ("creating F2",)


def test_a_stack_that_was_never_updated_holds_nothing() -> None:
    state = State.of({})
    assert state.held.phase is None
    assert not state.held.nodes


def test_the_last_update_is_read(pulumi: FakePulumi, tmp_path: Path) -> None:
    run = {
        "kind": "update",
        "startTime": "2026-01-02T03:04:05.000Z",
        "endTime": "2026-01-02T03:05:05.000Z",
        "message": "incident 4711",
        "environment": {},
        "config": {},
        "result": "failed",
    }
    pulumi.answers("stack history", [run], "region1")
    last = read_with_last(tmp_path)[1].last
    assert last is not None
    assert (last.kind, last.result, last.message) == ("update", "failed", "incident 4711")
    assert last.end is not None
    assert (last.end - last.start).total_seconds() == 60


@pytest.mark.parametrize("amount", [0, 11, 100, 250])
def test_every_run_is_read_however_many_there_are(
    pulumi: FakePulumi, tmp_path: Path, amount: int
) -> None:
    pulumi.runs("region0", [{"version": amount - each} for each in range(amount)])
    found = Project(tmp_path).history("region0")
    assert [each["version"] for each in found] == [*range(amount, 0, -1)]
    assert all("--page-size 100" in each for each in pulumi.asked if "history" in each)


def test_a_lock_shows_who_holds_it_and_since_when(pulumi: FakePulumi, tmp_path: Path) -> None:
    folder = tmp_path / "state/.pulumi/locks/organization/camunda-dual-region/region0"
    folder.mkdir(parents=True)
    lock = {"pid": 7, "username": "ada", "hostname": "desk", "timestamp": "2026-01-02T03:04:05Z"}
    (folder / "1.json").write_text(json.dumps(lock))
    (folder / "2.json").write_text("{")
    first, second = read(tmp_path)
    assert [str(each) for each in first.locks or ()] == [
        "ada@desk (process 7) since 2026-01-02 03:04:05 UTC"
    ]
    assert second.locks == ()
    backend, project = f"file://{tmp_path}/state", "camunda-dual-region"
    for name in ("region0", f"organization/{project}/region0"):
        assert locks_of(backend, project, name) == first.locks


def test_a_backend_that_is_no_folder_does_not_show_locks(
    pulumi: FakePulumi, tmp_path: Path
) -> None:
    pulumi.answers("whoami", {"user": "ada", "url": "s3://bucket"})
    assert read(tmp_path)[0].locks is None


@pytest.mark.parametrize(
    ("what", "printed", "code"),
    [
        ("config", "error: incorrect passphrase", "wrong-passphrase"),
        (
            "config",
            "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or ...",
            "passphrase-missing",
        ),
        ("stack export", "error: PULUMI_ACCESS_TOKEN must be set for login", "not-logged-in"),
        ("stack export", "error: failed to load checkpoint: EOF", "checkpoint-empty"),
    ],
)
def test_what_pulumi_prints_has_a_message_of_its_own(
    pulumi: FakePulumi, tmp_path: Path, what: str, printed: str, code: str
) -> None:
    pulumi.fails(what, printed, "region0")
    with raises(code, PulumiFailed, of_stack="region0"):
        read_with_last(tmp_path)


def test_what_pulumi_prints_otherwise_is_passed_on(pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi.fails("stack history", "warning: x\nerror: the bucket is gone", "region0")
    with raises("pulumi-failed", PulumiFailed, of_stack="region0", reason="the bucket is gone"):
        read_with_last(tmp_path)


def test_a_stack_that_is_not_there_is_named_with_those_that_are(
    pulumi: FakePulumi, tmp_path: Path
) -> None:
    known = ("region0", "region1")
    with raises("stack-missing", PulumiFailed, stack="paris", known=known):
        read(tmp_path, ("region0", "paris"))


def test_two_stacks_of_one_region_are_refused(pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi.stack("region1", 0)
    with raises("stacks-of-one-region", ConfigError, stacks=NAMES, region=0):
        read(tmp_path)


def test_unusable_configuration_names_its_stack(pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi.stack("region1", 1, phase="failover")
    with raises("lost-region-missing", ConfigError, of_stack="region1"):
        read(tmp_path)


def test_what_pulumi_keeps_as_a_secret_is_not_shown(pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi.stack("region1", 1, secret=["release"], release="hunter2 X")
    with raises("setting-refused", ConfigError, of_stack="region1") as caught:
        read(tmp_path)
    assert isinstance(caught.value.message, Message)
    assert "hunter2" not in f"{caught.value} {caught.value.message.facts}"


def test_a_relative_kubeconfig_starts_at_the_project_wherever_the_command_is_run(
    pulumi: FakePulumi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi.stack("region1", 1, kubeconfig="mine/kc")
    monkeypatch.chdir("/")
    assert {
        each.kubeconfig for each in Reading(Project(tmp_path), ("region0", "region1")).settings
    } == {
        None,
        str(tmp_path / "mine/kc"),
    }


def test_without_pulumi_it_is_refused(
    pulumi: FakePulumi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with raises("no-pulumi", PulumiFailed):
        read(tmp_path)


def test_settings_files_may_lie_in_a_folder_that_several_machines_share(
    pulumi: FakePulumi, tmp_path: Path
) -> None:
    """As Pulumi has it: below the project's folder, or beside it."""
    assert Project(tmp_path).settings_file("acme/app/region0") == tmp_path / "Pulumi.region0.yaml"
    with (tmp_path / "Pulumi.yaml").open("a") as file:
        file.write("stackConfigDir: ../shared\n")
    found = Project(tmp_path).settings_file("region0")
    assert found == tmp_path / "../shared/Pulumi.region0.yaml"


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with raises("project-missing", ConfigError, folder=str(tmp_path)):
        Project(tmp_path)


@pytest.mark.parametrize("version", ["v3.100.0", "not a version"])
def test_an_older_pulumi_is_named_where_it_cannot_read(
    pulumi: FakePulumi, tmp_path: Path, version: str
) -> None:
    """One that can read will do for a look."""
    (pulumi.folder / "version").write_text(version)
    assert Project(tmp_path).state("region0") == {}
    pulumi.fails("stack export", "error: unsupported deployment version: 4", "region0")
    project = Project(tmp_path)
    with raises("pulumi-too-old", PulumiFailed, needed="3.259.0"):
        project.ask("region0", lambda: project.state("region0"))


@pytest.mark.parametrize("version", ["v3.100.0", "not a version"])
def test_an_older_pulumi_is_named_before_anything_is_asked(
    pulumi: FakePulumi, tmp_path: Path, version: str
) -> None:
    (pulumi.folder / "version").write_text(version)
    with raises("pulumi-too-old", PulumiFailed, needed="3.259.0"):
        read(tmp_path)
    assert not any("config" in each for each in pulumi.asked)


def test_the_oldest_pulumi_is_the_one_that_the_project_demands() -> None:
    document = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())
    assert document["requiredPulumiVersion"] == f">={PULUMI_VERSION}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name: [x\n", "config-file-not-yaml"),
        ("runtime: python\n", "project-without-name"),
        ("- x\n", "config-file-not-a-map"),
    ],
)
def test_a_project_that_cannot_be_read_is_not_said_to_be_missing(
    tmp_path: Path, text: str, code: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)
    with raises(code, ConfigError):
        Project(tmp_path)


def test_pulumi_runs_the_program_with_the_python_of_the_command(
    pulumi: FakePulumi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed by pipx, no environment is activated."""
    monkeypatch.setattr(sys, "prefix", "/env")
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    workspace = Project(tmp_path).workspace
    assert workspace.env_vars["PATH"].split(os.pathsep)[0] == "/env/bin"
    monkeypatch.setenv("VIRTUAL_ENV", "/mine")
    assert "PATH" not in workspace.env_vars
