"""The command `dualregion` with the real Pulumi, as far as it goes without brokers.

Pinned is what only the real engine can tell: the shape of configuration, state, history and locks, and that
looking changes nothing.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drill.operators.command_checks import stops_fit
from drill.processes import MARK, end_marked
from drill.testbed.command import Command
from sandbox.patience import allowed
from sandbox.regions import Sandbox
from tests.checkout import CHECKOUT
from tests.engine.project import DEADLINE, Project, dualregion

pytestmark = pytest.mark.engine

PATIENCE_SECONDS = allowed(180.0)


def status(
    project: Project, expected: int | None = None, silent: tuple[int, ...] = ()
) -> tuple[int, dict[str, Any]]:
    """Ask how both regions stand; on a busy machine again, as what answers late is left out of an answer.

    `silent` are the regions that cannot answer.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        exit_status, said = dualregion(project, "status", "--json")
        found: dict[str, Any] = json.loads(said)
        whole = all(_is_whole(each) for each in found["regions"] if each["region"] not in silent)
        if expected is None or (whole and exit_status == expected) or time.monotonic() > deadline:
            return exit_status, found


def _is_whole(region: dict[str, Any]) -> bool:
    """Whether a region and all of its installations have answered."""
    told = region["installations"].values()
    return not region["silence"] and not any(each and each.get("silence") for each in told)


def test_the_status_of_fresh_stacks_and_of_an_installed_region(project: Project) -> None:
    exit_status, found = status(project, 10)
    assert exit_status == 10, found
    assert found["next"]["command"] == "pulumi up --stack region0"
    assert [each["lastUpdate"] for each in found["stacks"]] == [None, None]
    assert [each["silence"] for each in found["regions"]] == [None, None]
    assert found["regions"][0]["installations"] == {"normal": None, "failover": None}

    project.config("region0", **{"elasticsearchSecret.name": "keys"})
    project.stacks.require(
        project.stacks.run(
            "config",
            "region0",
            *("config", "set", "--secret", "--path", "elasticsearchSecret.data.KEY", "x y"),
        )
    )
    assert project.up("region0").exit_status == 0
    exit_status, found = status(project, 11)
    assert exit_status == 11, found
    first = found["stacks"][0]
    assert (first["lastPhase"], first["lastUpdate"]["result"]) == ("normal", "succeeded")
    assert first["lastUpdate"]["message"] == "engine test"
    assert "region paris is not installed yet" in first["waitingFor"]
    workloads = found["regions"][0]["installations"]["normal"]["workloads"]
    assert workloads["camunda-zeebe"] == [0, 2]
    assert project.unchanged("region0")


def test_the_status_with_a_dead_region_and_a_stack_that_is_not_there(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.lose(1)
    try:
        exit_status, found = status(project, 11, silent=(1,))
    finally:
        sandbox.recreate(1)
    assert exit_status == 11, found
    assert found["regions"][0]["silence"] is None
    assert found["regions"][1]["silence"]
    exit_status, said = dualregion(project, "--stacks", "region0,paris", "status")
    assert exit_status == 13
    assert "there is no stack paris" in said
    assert "there are: region0, region1" in said


def test_the_status_after_a_killed_up_names_lock_and_pending_operation(project: Project) -> None:
    seen = project.killed_up("region0", at="Release normal creating")
    assert "creating" in seen, seen
    _, found = status(project)
    (lock,) = found["stacks"][0]["locks"]
    assert "(process" in lock
    assert found["stacks"][1]["locks"] == []


def test_a_plan_shows_steps_calls_and_previews_and_touches_nothing(project: Project) -> None:
    exit_status, said = dualregion(project, "plan", "failover", "--lost", "1")
    assert exit_status == 1, said
    assert "[no-survivor]" in said
    assert "Traceback" not in said

    assert project.up("region0").exit_status == 0
    before = _settings(project)
    exit_status, said = dualregion(project, "plan", "failover", "--lost", "1", "--json")
    assert exit_status == 0, said
    plan = json.loads(said)
    assert [each["step"] for each in plan["steps"]] == ["F0", "F1", "F2", "F3", "R"]
    assert f"{project.namespaces[0]}-failover" in plan["steps"][1]["calls"][0]
    survivor, lost = plan["previews"]
    assert "create Release failover" in survivor["changes"]
    assert "update Release normal" in survivor["changes"]
    assert not lost["changes"]
    assert _settings(project) == before
    assert project.unchanged("region0")

    exit_status, said = dualregion(project, "plan", "failback")
    assert exit_status == 1
    assert "a failback follows on a failover" in said


def _settings(project: Project) -> list[bytes]:
    """Return both stacks' settings files as they are."""
    return [(project.folder / f"Pulumi.region{region}.yaml").read_bytes() for region in (0, 1)]


def assert_refused(project: Project, move: str, *sentences: str) -> None:
    """Say a wrong move, with every question answered by yes; it must be refused and change nothing."""
    before, state = _settings(project), project.state("region0")
    exit_status, said = dualregion(project, *move.split(), "--yes")
    assert exit_status == 1, said
    for sentence in sentences:
        assert sentence in said
    assert "Traceback" not in said
    assert (_settings(project), project.state("region0")) == (before, state)


@pytest.mark.parametrize(
    ("move", "sentence"),
    [
        ("failback", "[nothing-to-fail-back]"),
        ("failover --lost 1", "[no-survivor]"),
        ("failover --lost 1 --until F2", "where one `up` ends, after F3, R"),
        ("--stacks region0,paris failover --lost 1", "there is no stack paris"),
        ("--stacks region0,paris failback", "there are: region0, region1"),
        ("--stacks region0,region0 failover --lost 1", "two different names are needed"),
    ],
)
def test_a_wrong_move_is_refused_and_changes_nothing(
    project: Project, move: str, sentence: str
) -> None:
    assert_refused(project, move, sentence)


def test_wrong_moves_within_an_incident_are_refused_and_change_nothing(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    project.both(phase="failover", lostRegion=1)
    assert_refused(project, "failback", "region 1 (paris) is not complete, F3 is not proved")

    project.pretend_taken_over("region0", lost_region=1)
    other = "region 1 (paris) is the lost one of the incident that is under way"
    assert_refused(project, "failover --lost 0", other, "`dualregion failover --lost 1`")

    backup = {"backup.type": "fs", "backup.settings.location": "/backup"}
    project.both(phase="restored", **backup)
    project.pretend_proved("region0", 1, "B5", "restored")
    assert_refused(project, "failover --lost 1", "past step B5", "`dualregion failback`")
    assert_refused(project, "failover --lost 0", other, "Finish its failback first")


def test_a_failover_goes_as_far_as_it_can_and_says_why(project: Project) -> None:
    """Without brokers F1 cannot be proved: it fails with its reason, and run again it goes on from there."""
    assert project.up("region0").exit_status == 0
    exit_status, said = dualregion(project, "failover", "--lost", "1", given="n\n")
    assert exit_status == 130, said
    assert "create Release failover" in said
    assert "Type the name of the lost region to go on:" in said
    assert "phase normal, proved: nothing" in said

    exit_status, said = dualregion(project, "failover", "--lost", "1", "--yes", "-m", "test 4711")
    assert exit_status == 1, said
    assert "stack region0: F1: timed out" in said, said
    assert "s  region0: F1: " in said
    assert "Traceback" not in said
    config = project.stacks.run("config", "region1", "config", "--json", quiet=True).output
    assert json.loads(config)["camunda-dual-region:phase"]["value"] == "failover"
    last = status(project)[1]["stacks"][0]["lastUpdate"]
    assert (last["result"], "test 4711" in last["message"]) == ("failed", True)

    exit_status, said = dualregion(project, "failover", "--lost", "1")
    assert exit_status == 1, said
    assert "previewing" not in said
    assert "F1: timed out" in said


def test_at_a_question_one_small_window_has_all_that_counts(project: Project) -> None:
    """At a terminal of 80 by 24, as the drill's operator walks: the verdict, what is next, and the question."""
    assert project.up("region0").exit_status == 0
    env = project.env | {"DUALREGION_PROJECT": str(project.folder)}
    executable = CHECKOUT / "bin" / "dualregion"
    command = Command(project.with_environment(env), executable, lambda _: None, {})
    session = command.drive("failover", "--lost", "1", answer="no")
    assert session.run.exit_status == 130, session.unwrapped
    assert len(session.operator.asked) == 1
    check = stops_fit(session.operator.asked, "failover")
    assert check.ok, check.detail


@contextmanager
def at_work(project: Project) -> Iterator["subprocess.Popen[str]"]:
    """Run a failover that waits in F1 until Ctrl-C, whatever becomes of the test."""
    assert project.up("region0").exit_status == 0
    project.config("region0", deadlineSeconds=300)
    process = subprocess.Popen(
        [
            *(str(CHECKOUT / "bin" / "dualregion"), "-C", str(project.folder)),
            *("failover", "--lost=1", "--yes"),
        ],
        env=project.env | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A group of its own, to which a terminal would send Ctrl-C.
        start_new_session=True,
    )
    assert process.stdout
    try:
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "F1: waiting until the brokers" in line:
                break
        assert process.poll() is None, seen
        yield process
    finally:
        process.stdout.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        end_marked(MARK, project.env[MARK])


def ctrl_c(process: "subprocess.Popen[str]") -> str:
    """Hit Ctrl-C; return what the command says until its end, which must be that of an interrupt."""
    assert process.stdout
    os.killpg(process.pid, signal.SIGINT)
    said = process.stdout.read()
    assert process.wait() == 130, said
    return said


def test_ctrl_c_stops_it_cleanly_and_the_same_command_goes_on(project: Project) -> None:
    with at_work(project) as process:
        said = ctrl_c(process)
    assert "[interrupted]" in said
    assert "next, region0: F1" in said
    assert status(project)[1]["stacks"][0]["locks"] == []
    project.config("region0", deadlineSeconds=DEADLINE)
    exit_status, again = dualregion(project, "failover", "--lost", "1")
    assert exit_status == 1, again
    assert "F1: timed out" in again


def test_a_second_operator_is_refused_while_the_first_is_at_work(project: Project) -> None:
    with at_work(project) as process:
        for move in ("failover --lost 1", "failover --lost 0", "failback"):
            assert_refused(project, move, "stack region0 is locked by ", "two operators at once")
        assert "next, region0: F1" in ctrl_c(process), "the first one is not disturbed"


def test_a_second_operator_is_refused_with_who_and_since_when(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    project.both(phase="failover", lostRegion=1)
    folder = project.stacks.backend / ".pulumi/locks/organization/camunda-dual-region/region0"
    folder.mkdir(parents=True, exist_ok=True)
    lock = {"pid": 7, "username": "ada", "hostname": "desk", "timestamp": "2026-01-02T03:04:05Z"}
    (folder / "1.json").write_text(json.dumps(lock))
    exit_status, said = dualregion(project, "failover", "--lost", "1", "--yes")
    assert exit_status == 1, said
    assert "locked by ada@desk (process 7) since 2026-01-02 03:04:05 UTC" in said


def test_a_lock_and_operations_of_a_killed_run_are_mended_after_asking(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    project.both(phase="failover", lostRegion=1)
    project.config("region0", deadlineSeconds=60)
    seen = project.killed_up("region0", at="F1: waiting until the brokers")
    assert "F1: waiting until the brokers" in seen, seen
    project.config("region0", deadlineSeconds=DEADLINE)
    exit_status, said = dualregion(project, "failover", "--lost", "1", given="n\n")
    assert exit_status == 130, said
    assert "is locked by" in said
    assert "[lock-left-alone]" in said
    exit_status, said = dualregion(project, "failover", "--lost", "1", "--yes")
    assert exit_status == 1, said
    assert "--yes-unlock [question-not-answered]" in said
    exit_status, said = dualregion(project, "failover", "--lost", "1", "--yes-unlock")
    assert exit_status == 1, said
    assert "yes, by --yes-unlock" in said
    assert "F1: timed out" in said
    assert status(project)[1]["stacks"][0]["locks"] == []


def test_the_preflight_asks_real_api_servers(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    exit_status, said = dualregion(project, "preflight", "--json")
    assert exit_status == 1, said
    found = {each["name"]: each for each in json.loads(said)["checks"]}
    for name in ("rights in region london", "rights in region paris", "region paris answers"):
        assert found[name]["outcome"] == "ok", found[name]
    assert found["the failover namespace of region london is clean"]["outcome"] == "ok"
    room = found["room for failover brokers in region london"]
    assert "no node has" in room["found"], room
    assert "elasticsearch-env-secret is not in" in found["Secrets in region london"]["found"]
    assert (
        "backup.settings.bucket is not set"
        in (found["the snapshot repository from region london"]["found"])
    )


def test_history_and_report_come_from_the_state_alone(project: Project, tmp_path: Path) -> None:
    assert project.up("region0").exit_status == 0
    exit_status, said = dualregion(project, "history")
    assert exit_status == 0, said
    assert "no incident so far" in said
    assert "engine test" in said
    exit_status, said = dualregion(project, "report", "last", "-o", str(tmp_path / "r.html"))
    assert exit_status == 1
    assert "there are: none" in said


def test_a_region_that_answers_is_deleted_only_by_a_yes_of_its_own(project: Project) -> None:
    assert project.up("region1").exit_status == 0
    assert project.up("region0").exit_status in (0, 1)
    project.both(phase="failover", lostRegion=1)
    for step in ("F0", "F1", "F2", "F3"):
        project.pretend_proved("region0", 1, step, "failover")
    london, paris = project.namespaces
    exit_status, said = dualregion(project, "failover", "--lost", "1", "--yes")
    assert exit_status == 1, said
    assert f"region paris still answers: delete its release and namespace {paris}" in said
    assert "--yes-delete-region [question-not-answered]" in said
    brokers = ("get", "statefulset", "-n", paris, "-o", "name")
    assert "camunda-zeebe" in project.kubectl("paris", *brokers)
    said = dualregion(project, "failover", "--lost", "1", "--yes", "--yes-delete-region")[1]
    assert "yes, by --yes-delete-region" in said
    assert "NotFound" in project.kubectl("paris", "get", "namespace", paris)
    assert "camunda-zeebe" in project.kubectl("london", *brokers[:3], london, *brokers[4:])
