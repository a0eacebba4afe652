"""The wrong moves of people who are new, or tired: each ends with its code, an exit status, and a message that helps.

A good message says what is wrong, where, what is allowed, and what to do. Every move is played as an operator makes it:
at the command, with a `pulumi` that answers out of files, or as a change that `pulumi up` is to carry out.
"""

import json
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi as engine
import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.commands import transitions
from cli.commands.status import answering as status_command
from cli.driver.previews import Preview
from cli.stacks.locks import Lock
from cli.status.health import judge
from clients.cluster.kubernetes import Cluster
from clients.files import check_chart, read_values
from components.ending import before_any_change
from dualregion.config.settings import ChartSettings
from dualregion.decision import deletion
from dualregion.decision.desired import desired
from dualregion.decision.drift import Wanted, drift
from dualregion.errors import ConfigError, Refused
from dualregion.procedure import Phase
from dualregion.state.progress import Stack
from messages import with_code
from steps.before import identity
from tests.fakes import command as world
from tests.fakes import pulumi_command
from tests.fakes.kubernetes import FakeKubernetes, failure, kubeconfig
from tests.fakes.pulumi_command import FakePulumi
from tests.inputs.examples import region, settings
from tests.unit.cli.driver.test_driver import Played
from tests.unit.cli.driver.test_operations import dead_process
from tests.unit.cli.test_start import begun
from tests.unit.decision import test_deletion, test_drift

NOT_LOGGED_IN = "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive sessions"
NO_FOLDER = (
    'error: unable to open state directory "file:///gone": stat /gone: no such file or directory'
)
NO_STORE = (
    'error: read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): operation error S3: GetObject, '
    "exceeded maximum number of attempts, 3, dial tcp: lookup b.s3.eu-west-2.amazonaws.com: no such host"
)
NO_PASSPHRASE = (
    "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"
)


@dataclass(frozen=True)
class Ended:
    """How a move ended: the exit status, and everything that was shown."""

    status: int
    shown: str

    @property
    def codes(self) -> set[str]:
        """The codes in it: behind a sentence, or in a JSON document."""
        return set(re.findall(r"\[([a-z0-9-]+)\]", self.shown)) | set(
            re.findall(r'ode": "([a-z0-9-]+)"', self.shown)
        )


@dataclass
class Desk:
    """A machine at which somebody sits: a project, two stacks, a kubeconfig without contexts."""

    folder: Path
    pulumi: FakePulumi
    patch: pytest.MonkeyPatch
    kubernetes: FakeKubernetes

    def type(self, *arguments: str) -> Ended:
        """Type a command of `dualregion`."""
        result = CliRunner().invoke(
            app, ["-C", str(self.folder), *arguments], env={"COLUMNS": "10000"}
        )
        fault = result.exception
        assert fault is None or isinstance(fault, SystemExit), fault
        return Ended(result.exit_code, " ".join(re.sub("[│╭╮╰╯─]", " ", result.output).split()))

    def configured(self, **changes: Any) -> Ended:
        """Set this on both stacks, and type the command that asks for the configuration alone."""
        for index in (0, 1):
            self.pulumi.stack(f"region{index}", index, **changes)
        return self.type("history")

    def answered(self, error: str, *arguments: str) -> Ended:
        """Let `pulumi` fail with this, and type a command; by default `status`."""
        self.pulumi.fails("config", error, "region0")
        return self.type(*(arguments or ("status",)))

    def driven(self, played: Played, *arguments: str) -> Ended:
        """Type `failover` or `failback` where two stacks are played."""
        self.patch.setattr(transitions, "PulumiOperations", lambda *_, **__: played)
        self.patch.setattr(
            "cli.stacks.project.Project", lambda folder: SimpleNamespace(folder=folder)
        )
        return self.type(*arguments)

    def beginning(self, *arguments: str) -> Ended:
        """Type `failover --lost 1` where Pulumi's preview succeeds, and both regions are seen."""
        self.patch.setattr("cli.driver.previews.preview", lambda _, stack, *__: Preview(stack))
        seen = judge(world.normal(), world.taken_over())
        self.patch.setattr("cli.status.looking.look", lambda *_, **__: seen)
        return self.type("failover", "--lost", "1", *arguments)

    def locked(self, user: str, host: str, pid: int) -> None:
        """Lock region 0's stack."""
        folder = self.folder / "state/.pulumi/locks/organization/camunda-dual-region/region0"
        folder.mkdir(parents=True)
        lock = {"pid": pid, "username": user, "hostname": host, "timestamp": "2026-01-02T03:04:05Z"}
        (folder / "1.json").write_text(json.dumps(lock))

    @property
    def contexts(self) -> str:
        """A kubeconfig with both contexts, which lead to an API server."""
        return kubeconfig(self.folder, self.kubernetes.url, "cluster-london", "cluster-paris")


def program(work: Callable[[], object]) -> Ended:
    """Run what the Pulumi program does before anything is declared; Pulumi ends with 1 when it raises."""
    try:
        with before_any_change():
            work()
    except engine.RunError as error:
        problems = error.args[0].facts["problems"]
        return Ended(1, " ".join(with_code(each) for each in problems))
    return Ended(0, "")


@dataclass(frozen=True)
class Move:
    """A wrong move.

    :ivar number: in the list of those that were tried; several moves may have one.
    :ivar status: the exit status.
    :ivar what: is in the message, as are the others: what is wrong, where, what is allowed, and what to do.
    """

    number: int
    name: str
    play: Callable[[Desk], Ended]
    code: str
    status: int
    what: str
    where: str = ""
    allowed: str = ""
    do: str = ""

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


def _no_pulumi(desk: Desk, command: str) -> Ended:
    desk.patch.setenv("PATH", str(desk.folder))
    return desk.type(command)


def _old_pulumi(desk: Desk) -> Ended:
    (desk.pulumi.folder / "version").write_text("v3.100.0")
    return desk.type("history")


def _no_environment(_: Desk) -> Ended:
    done = begun("status", before="sys.modules['typer'] = None")
    return Ended(done.returncode, done.stderr)


def _project(desk: Desk, content: str | None) -> Ended:
    file = desk.folder / "Pulumi.yaml"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    return desk.type("status")


def _broken_pulumi(desk: Desk) -> Ended:
    (desk.pulumi.folder / "version").unlink()
    desk.pulumi.fails("version", "Segmentation fault")
    return desk.type("history")


def _unknown_backend(desk: Desk) -> Ended:
    desk.patch.setenv("PULUMI_BACKEND_URL", "foo://states")
    return desk.answered(NOT_LOGGED_IN)


def _kubeconfig_is_a_folder(desk: Desk) -> Ended:
    desk.patch.setenv("KUBECONFIG", str(desk.folder))
    return desk.type("status", "--json")


def _expired_login(desk: Desk) -> Ended:
    desk.patch.setenv("KUBECONFIG", desk.contexts)
    desk.kubernetes.broken["/api/v1/namespaces/kube-system"] = failure(401, "Unauthorized", "")
    return desk.type("status", "--json")


def _other_context(desk: Desk) -> Ended:
    cluster = Cluster(desk.contexts, "cluster-london")
    known = Stack(cluster_id="a-1")
    return program(lambda: identity.check(cluster, settings(), known, None))


def _changed(**changes: Any) -> Ended:
    """Change settings of an installed pair."""
    own, peer = test_drift.LONDON, test_drift.PARIS
    given = settings(**changes)
    wanted = Wanted(given, desired(given, test_drift.BASE, peer, own), test_drift.CHART, "1.0")

    def refuse() -> None:
        raise ConfigError(drift(wanted, own, peer))

    return program(refuse)


def _deleted(name: str) -> Ended:
    """Let a run delete what it declares: a `pulumi destroy`, or a replacement, as by another namespace."""
    given = settings()
    declared = desired(given, {}, test_deletion.PEER)
    refusal = deletion.refusal(given, declared, test_deletion.doomed(name))
    assert refusal is not None

    def refuse() -> None:
        raise Refused(refusal)

    return program(refuse)


def _values(desk: Desk) -> Ended:
    (desk.folder / "torn.yaml").write_text("a: [1\nb: 2\n")
    (desk.folder / "list.yaml").write_text("- a\n")
    names = ("missing.yaml", "torn.yaml", "list.yaml")
    return program(lambda: read_values(names, desk.folder))


def _stale_lock(desk: Desk) -> Ended:
    lock = Lock("bob", socket.gethostname(), dead_process(), datetime.now(UTC))
    first, second = world.normal()
    seen = judge((replace(first, locks=(lock,)), second), world.whole())
    desk.patch.setattr(status_command, "look", lambda *_, **__: seen)
    return desk.type("status", "--json")


def _read_only(desk: Desk) -> Ended:
    allowed = os.access
    desk.patch.setattr(
        os,
        "access",
        lambda path, mode: mode != os.W_OK or (path != desk.folder and allowed(path, mode)),
    )
    return desk.beginning()


def _no_temporary_folder(desk: Desk) -> Ended:
    desk.patch.setenv("TMPDIR", "/nonexistent")
    return desk.beginning()


def _locked(desk: Desk) -> Ended:
    desk.locked("bob", "bobs-laptop", 4711)
    return desk.type("failover", "--lost", "1")


def _two_of_one_region(desk: Desk) -> Ended:
    desk.pulumi.stack("region1", 0)
    return desk.type("status")


def in_failover(**more: Any) -> Played:
    """Return a failover of region 1 that is under way: F3 is not proved."""
    return Played(
        phase=[Phase.FAILOVER] * 2,
        reached=[Phase.FAILOVER, Phase.NORMAL],
        gates=[{"F0", "F1"}, {"N"}],
        **more,
    )


def failed_over(**more: Any) -> Played:
    """Return a failover of region 1 that is done."""
    return Played(
        phase=[Phase.FAILOVER] * 2,
        reached=[Phase.FAILOVER] * 2,
        gates=[{"F0", "F1", "F2", "F3"}, set()],
        failover=True,
        **more,
    )


def a_setting(number: int, name: str, changes: Mapping[str, Any], code: str, *parts: str) -> Move:
    """Return a move in which the configuration is wrong."""
    return Move(number, name, lambda desk: desk.configured(**changes), code, 1, *parts)


ONLY_CIDRS = [{"podCidrs": ["10.180.0.0/16"]}]
SIX = "a number of brokers from 4 to 512 is needed that is divisible by 4"
COMMON = [region(each, podCidrs=["10.180.0.0/16"]) for each in (0, 1)]
MIXED_UP = (world.unreachable(0), world.whole()[1])
MOVES = (
    Move(
        1,
        "no pulumi",
        lambda desk: _no_pulumi(desk, "history"),
        "no-pulumi",
        1,
        "no `pulumi` on PATH",
        do="install Pulumi 3.259.0 or newer",
    ),
    Move(
        1,
        "no pulumi, status",
        lambda desk: _no_pulumi(desk, "status"),
        "no-pulumi",
        13,
        "no `pulumi` on PATH",
        do="put it first on PATH",
    ),
    Move(
        2,
        "an old pulumi",
        _old_pulumi,
        "pulumi-too-old",
        1,
        "`pulumi` is 3.100.0",
        allowed="3.259.0 or newer is needed",
        do="install it, or put it first on PATH",
    ),
    Move(
        3,
        "broken pulumi",
        _broken_pulumi,
        "pulumi-does-not-run",
        1,
        "`pulumi version` ends with status 255",
        "first on PATH",
        do="Install Pulumi 3.259.0 or newer again",
    ),
    Move(
        4,
        "no environment",
        _no_environment,
        "module-missing",
        1,
        "has no module typer",
        do="pip install --require-hashes -r requirements.lock",
    ),
    Move(
        5,
        "not logged in",
        lambda desk: desk.answered(NOT_LOGGED_IN),
        "not-logged-in",
        13,
        "not logged in",
        "stack region0",
        do="`pulumi login <your backend>`",
    ),
    Move(
        6,
        "no such stack",
        lambda desk: desk.type("--stacks", "region0,paris", "history"),
        "stack-missing",
        1,
        "there is no stack paris",
        "project camunda-dual-region",
        "there are: region0, region1",
        "`pulumi stack init paris`",
    ),
    Move(
        6,
        "no such stack, status",
        lambda desk: desk.type("--stacks", "region0,paris", "status"),
        "stack-missing",
        13,
        "there is no stack paris",
        do="Name the stacks of region 0 and 1 with --stacks",
    ),
    Move(
        7,
        "no passphrase",
        lambda desk: desk.answered(NO_PASSPHRASE, "history"),
        "passphrase-missing",
        1,
        "encrypted with a passphrase that is not set here",
        "stack region0",
        do="set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
    ),
    Move(
        8,
        "wrong passphrase",
        lambda desk: desk.answered("error: incorrect passphrase"),
        "wrong-passphrase",
        13,
        "the passphrase is not the stack's",
        "stack region0",
        do="check PULUMI_CONFIG_PASSPHRASE",
    ),
    Move(
        9,
        "the backend's folder is gone",
        lambda desk: desk.answered(NO_FOLDER),
        "backend-folder-missing",
        13,
        "the state backend's folder is not there",
        "/gone",
        do="Mount it, or restore it (docs/prepare/state-backend.md)",
    ),
    Move(
        10,
        "the backend's store does not answer",
        lambda desk: desk.answered(NO_STORE),
        "backend-unreachable",
        13,
        "the state backend does not answer",
        "b.s3.eu-west-2.amazonaws.com",
        do="`pulumi whoami --verbose`",
    ),
    Move(
        11,
        "no such kind of backend",
        _unknown_backend,
        "no-backend",
        13,
        "which is no state backend",
        "PULUMI_BACKEND_URL is 'foo://states'",
        "file://, s3://",
        "`unset PULUMI_BACKEND_URL`",
    ),
    Move(
        12,
        "no such context",
        lambda desk: desk.type("status", "--json"),
        "no-such-context",
        13,
        "kubeContext is 'cluster-london'",
        "kubeconfig",
        "it has: none",
    ),
    Move(
        13,
        "the kubeconfig is a folder",
        _kubeconfig_is_a_folder,
        "kubeconfig-unusable",
        13,
        "cannot be used: Is a directory",
        "kubeconfig",
    ),
    Move(
        14,
        "the login has expired",
        _expired_login,
        "credentials-refused",
        13,
        "refuses these credentials (401 Unauthorized)",
        "cluster-london",
        do="log in again",
    ),
    Move(
        15,
        "the contexts are swapped",
        _other_context,
        "another-cluster",
        1,
        "leads to another cluster",
        "kube context 'cluster-london'",
        "UID",
        "Let the context lead to the region's cluster again",
    ),
    Move(
        16,
        "another namespace",
        lambda _: _changed(regions=[region(0, namespace="camunda-londn"), region(1)]),
        "namespace-changed",
        1,
        "'camunda-londn', but 'camunda-london' is installed",
        "region london",
        do="set it back to 'camunda-london'",
    ),
    Move(
        16,
        "another namespace, before N",
        lambda _: _deleted("normal-namespace"),
        "not-deleted",
        1,
        "it would be deleted and recreated",
        "If a setting that names it was changed (release, namespace)",
        do="take that back",
    ),
    Move(
        17,
        "more brokers",
        lambda _: _changed(clusterSize=12),
        "size-changed",
        1,
        "clusterSize is 12, but",
        "were installed with 8",
        do="Put it back",
    ),
    Move(
        17,
        "more partitions",
        lambda _: _changed(partitionCount=16),
        "size-changed",
        1,
        "partitionCount is 16, but",
        "were installed with 8",
        do="Put it back",
    ),
    a_setting(
        18,
        "phase failver",
        {"phase": "failver"},
        "setting-refused",
        "phase is 'failver'",
        "stack region0",
        "allowed are 'normal', 'failover', 'failback-pending' or 'restored'",
    ),
    a_setting(
        19,
        "lostRegion 2",
        {"phase": "failover", "lostRegion": "2"},
        "setting-refused",
        "lostRegion is 2",
        "stack region0",
        "allowed are 0 and 1, the id of the lost region",
    ),
    a_setting(
        19,
        "lostRegion paris",
        {"phase": "failover", "lostRegion": "paris"},
        "setting-refused",
        "lostRegion is 'paris'",
        "stack region0",
        "allowed are 0 and 1",
    ),
    a_setting(
        19,
        "no lostRegion",
        {"phase": "failover"},
        "lost-region-missing",
        "lostRegion is not set, but phase is 'failover'",
        "stack region0",
        "on both stacks",
        "`pulumi config set lostRegion 0` or `1`",
    ),
    a_setting(
        20,
        "a misspelt key",
        {"lostregion": "1"},
        "unknown-setting",
        "lostregion is not a setting of this program",
        "stack region0",
        "docs/reference/configuration.md",
        "did you mean lostRegion?",
    ),
    a_setting(
        21,
        "a list of the stack's own",
        {"regions": ONLY_CIDRS},
        "regions-incomplete",
        "regions[0].name, regions[0].kubeContext, regions[0].namespace, regions[1] are not set",
        "stack region0",
        "each with name, kubeContext and namespace",
        "`pulumi config rm regions`",
    ),
    a_setting(
        22,
        "clusterSize eight",
        {"clusterSize": "eight"},
        "setting-refused",
        "clusterSize is 'eight'",
        "stack region0",
        SIX,
    ),
    a_setting(
        23,
        "clusterSize 6",
        {"clusterSize": "6"},
        "setting-refused",
        "clusterSize is 6",
        "stack region0",
        SIX,
    ),
    a_setting(
        24,
        "a map as a text",
        {"backup": "my-bucket"},
        "setting-refused",
        "backup is 'my-bucket'",
        "stack region0",
        "a map is needed, with keys such as repository, type, settings",
    ),
    a_setting(
        24,
        "a list as a text",
        {"values": "camunda.yaml"},
        "setting-refused",
        "values is 'camunda.yaml'",
        "stack region0",
        "a list is needed",
        "`pulumi config set --path 'values[0]' VALUE`",
    ),
    a_setting(
        24,
        "a hook's command as a text",
        {"hooks": {"notify": {"command": "x.sh"}}},
        "setting-refused",
        "hooks.notify.command",
        "stack region0",
        "a list is needed",
        "--path 'hooks.notify.command[0]'",
    ),
    a_setting(
        25,
        "a secret that is none",
        {"elasticsearchSecret": {"name": "s", "data": {"S3_ACCESS_KEY": {"secure": "v1:x"}}}},
        "setting-refused",
        "elasticsearchSecret.data.S3_ACCESS_KEY",
        "stack region0",
        "a text is needed",
        "`pulumi config set --secret --path",
    ),
    Move(
        26,
        "values files that are none",
        _values,
        "values-unreadable",
        1,
        "missing.yaml cannot be read",
        "values",
        "Helm values are a map",
    ),
    Move(
        26,
        "values that are not YAML",
        _values,
        "values-not-yaml",
        1,
        "torn.yaml is not YAML that Helm takes",
        "line 2",
    ),
    Move(
        27,
        "no chart at the path",
        lambda desk: program(lambda: check_chart(ChartSettings(name="./charts/x"), desk.folder)),
        "no-chart",
        1,
        "there is no chart at",
        "chart.name is './charts/x'",
        "a folder with a Chart.yaml, an archive",
        "name a folder",
    ),
    a_setting(
        29,
        "three regions",
        {"regions": [region(0), region(1), region(1)]},
        "setting-refused",
        "regions is a list",
        "stack region0",
        "two entries are needed, each with name, kubeContext and namespace",
    ),
    Move(
        30,
        "two stacks of one region",
        _two_of_one_region,
        "stacks-of-one-region",
        13,
        "stacks region0 and region1 are both of region 0",
        "Pulumi.<stack>.yaml",
        do="check region in both",
    ),
    Move(
        31,
        "Pulumi.yaml is torn",
        lambda desk: _project(desk, "name: x\n  bad: [\n"),
        "config-file-not-yaml",
        13,
        "mapping values are not allowed in this context",
        "Pulumi.yaml, line 2",
    ),
    Move(
        31,
        "Pulumi.yaml has no name",
        lambda desk: _project(desk, "runtime: python\n"),
        "project-without-name",
        13,
        "name is not set in Pulumi.yaml",
        do="such as `name: camunda-dual-region`",
    ),
    Move(
        31,
        "no Pulumi.yaml",
        lambda desk: _project(desk, None),
        "project-missing",
        13,
        "holds no Pulumi project",
        do="or name it with --project",
    ),
    Move(
        32,
        "failback before failover",
        lambda desk: desk.driven(Played(), "failback"),
        "nothing-to-fail-back",
        1,
        "no region is lost",
        "according to both stacks",
        "a failback follows on a failover",
        "`dualregion failover --lost 0` or `--lost 1`",
    ),
    Move(
        33,
        "failback before F3",
        lambda desk: desk.driven(in_failover(), "failback"),
        "failover-not-complete",
        1,
        "F3 is not proved",
        "region 1 (paris)",
        "a failback follows on a failover",
        "`dualregion failover --lost 1`",
    ),
    Move(
        34,
        "the survivor is called lost",
        lambda desk: desk.driven(Played(region_statuses=MIXED_UP), "failover", "--lost", "1"),
        "other-region-is-silent",
        1,
        "region 1 (paris) was called lost, and it answers",
        "region 0 (london)",
        "Nothing was changed",
        "`dualregion failover --lost 0`",
    ),
    Move(
        35,
        "the other region in an incident",
        lambda desk: desk.driven(in_failover(), "failover", "--lost", "0"),
        "incident-under-way",
        1,
        "is the lost one of the incident that is under way",
        "region 1 (paris)",
        "nothing is left to fail over to",
        "To continue that incident: `dualregion failover --lost 1`",
    ),
    Move(
        36,
        "failback to a region that does not answer",
        lambda desk: desk.driven(failed_over(is_recreated=False), "failback"),
        "recreated-region-silent",
        1,
        "which the failback brings back, does not answer",
        "region 1 (paris)",
        "hold nothing of Camunda",
        "run the same command again",
    ),
    Move(
        37,
        "a second operator",
        _locked,
        "stack-locked",
        1,
        "locked by bob@bobs-laptop (process 4711) since 2026-01-02 03:04:05 UTC",
        "stack region0",
        "two operators at once would act on the same brokers",
        "`pulumi cancel --stack region0`",
    ),
    Move(
        38,
        "a lock of a run that is gone",
        _stale_lock,
        "run-under-way",
        10,
        "no such process runs here",
        "stack region0 is locked by bob@",
        do="`pulumi cancel --stack region0`",
    ),
    Move(
        39,
        "a checkout that cannot be written",
        _read_only,
        "settings-file-read-only",
        1,
        "cannot be written, and the phase is set in it",
        "Pulumi.region0.yaml",
        do="--project",
    ),
    Move(
        40,
        "no temporary folder",
        _no_temporary_folder,
        "temporary-folder-unusable",
        1,
        "which is no folder that can be written",
        "TMPDIR is '/nonexistent'",
        do="`unset TMPDIR`",
    ),
    Move(
        41,
        "nobody to ask",
        lambda desk: desk.beginning(),
        "question-not-answered",
        1,
        "standard input is not a terminal",
        "phase failover",
        do="or with --yes",
    ),
    Move(
        42,
        "--until within a turn",
        lambda desk: desk.type("failover", "--lost", "1", "--until", "f2"),
        "step-within-turn",
        1,
        "--until is 'F2'",
        "where one `up` ends",
        "after F3, R",
    ),
    Move(
        43,
        "no such incident",
        lambda desk: desk.type("report", "7"),
        "incident-not-known",
        1,
        "there is no incident '7'",
        allowed="there are: none",
    ),
    Move(
        43,
        "no time",
        lambda desk: desk.type("report", "--lost-at", "3am"),
        "no-moment",
        2,
        "'3am' is no time",
        "--lost-at",
        "ISO 8601",
        "such as 2026-11-23T03:12Z",
    ),
    Move(
        44,
        "destroy in phase normal",
        lambda _: _deleted("normal"),
        "not-deleted",
        1,
        "release camunda-london/camunda is not deleted",
        "region london",
        "pulumi destroy --run-program",
        "`pulumi config set retire camunda-london`",
    ),
    a_setting(
        45,
        "a hook's URL that is none",
        {"hooks": {"notify": {"url": "ftp://x"}}},
        "setting-refused",
        "hooks.notify.url is not allowed",
        "stack region0",
        "https://host/path or http://host/path",
    ),
    a_setting(
        46,
        "pod ranges that overlap",
        {"regions": COMMON},
        "pod-ranges-overlap",
        "which overlap",
        "regions[0].podCidrs holds 10.180.0.0/16 and regions[1].podCidrs 10.180.0.0/16",
        "would cut a region off from its own pods",
        "set the ranges of each region's pods alone",
    ),
    a_setting(
        46,
        "one context twice",
        {"regions": [region(0), region(1, kubeContext="cluster-london")]},
        "value-twice",
        "regions[1].kubeContext is 'cluster-london'",
        "the same as regions[0].kubeContext",
        "the two must differ",
    ),
)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kubernetes: FakeKubernetes) -> Desk:
    pulumi_command.make_project(tmp_path)
    kubeconfig_without = tmp_path / "kubeconfig-empty"
    kubeconfig_without.write_text(
        "apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n"
    )
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig_without))
    return Desk(tmp_path, pulumi_command.install(tmp_path, monkeypatch), monkeypatch, kubernetes)


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_a_wrong_move_ends_with_its_code_and_status(move: Move, desk: Desk) -> None:
    ended = move.play(desk)
    assert move.code in ended.codes, ended.shown
    assert ended.status == move.status, ended.shown
    assert "Traceback" not in ended.shown


@pytest.mark.golden
@pytest.mark.parametrize("move", MOVES, ids=str)
def test_its_message_says_what_where_what_is_allowed_and_what_to_do(move: Move, desk: Desk) -> None:
    shown = move.play(desk).shown
    assert move.allowed or move.do or move.where
    for part in (move.what, move.where, move.allowed, move.do):
        assert part in shown


def test_every_move_of_the_list_is_played() -> None:
    # 28: a chart repository that does not answer has the provider's own sentence.
    assert {each.number for each in MOVES} == set(range(1, 47)) - {28}
