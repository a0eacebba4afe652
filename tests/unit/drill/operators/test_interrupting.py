"""An interrupted drill: points are read off real lines, each is hit once, and what was missed is told.

The runner works here on a stand-in for pulumi that locks its stack, prints real lines, and leaves a process
of its own session behind, as the real one leaves its plugins.
"""

import json
import os
import sys
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest
from rich.console import Console

from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.operators.interrupting import MOST_UPS, Interrupter
from drill.operators.points import (
    DNS_RECORD,
    INSTALL,
    INSTALL_FAILOVER,
    NAMED,
    REMOVAL_FAILOVER,
    REMOVAL_NAMESPACE,
    UPDATE,
    Interruption,
    Point,
    Turn,
    already_there,
    every_point_was_hit,
    named_points,
    no_release_is_pending,
    point_of,
)
from drill.operators.stacks import RUN_MARK, OnLine, Run, Stacks
from drill.progress import Progress
from drill.regions import REGIONS
from drill.report import readable, report
from drill.report.findings import Findings, report_of
from drill.scenario.failback import PENDING_STEPS, RESTORED_STEPS
from drill.scenario.failover import STEPS as FAILOVER_STEPS
from drill.settings import DrillSettings, Places, Until
from drill.testbed.rig import Rig

LONDON, PARIS = REGIONS
PARTS = {"survivor": "region0", "recreated": "region1"}
STACK_LINE = "    pulumi:pulumi:Stack camunda-dual-region-region0"
BINDING = " +  kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"

# As `pulumi up --non-interactive` 3.259.0 printed it in a failover.
FAILOVER_LINES = """Updating (region0):
    pulumi:pulumi:Stack camunda-dual-region-region0  warning: using pulumi-resource-kubernetes from $PATH at /x
 ~  kubernetes:core/v1:ConfigMap N refreshing (0s)\x20
 ~  kubernetes:helm.sh/v3:Release normal refreshing (0s)\x20
 ~  kubernetes:core/v1:ConfigMap N refresh (0.16s)\x20
 ~  kubernetes:helm.sh/v3:Release normal refresh (0.23s)\x20
@ updating....
    pulumi:pulumi:Stack camunda-dual-region-region0 running preflight: done: the brokers of paris leave the topology (36.7 s)
 +  dualregion:index:Gate F1 creating (0s)\x20
 +  kubernetes:core/v1:ConfigMap F1 creating (0s)\x20
    pulumi:pulumi:Stack camunda-dual-region-region0 running F1: done: the brokers of paris (camunda-paris) are gone from the topology (0.0 s)
    pulumi:pulumi:Stack camunda-dual-region-region0 running F1: done: the gateway answers (0.0 s)
 +  kubernetes:core/v1:ConfigMap F1 creating (0s)\x20
 +  kubernetes:core/v1:ConfigMap F1 created (0.07s)\x20
    dualregion:index:Camunda normal \x20
 +  dualregion:index:Camunda failover creating (0s)\x20
 ~  kubernetes:helm.sh/v3:Release normal updating (0s) [diff: ~values]
 +  kubernetes:helm.sh/v3:Release failover creating (0s)\x20
@ updating....
 +  kubernetes:helm.sh/v3:Release failover created (1s)\x20
 ~  kubernetes:helm.sh/v3:Release normal updated (3s) [diff: ~values]
 +  dualregion:index:Gate F2 creating (0s)\x20
    pulumi:pulumi:Stack camunda-dual-region-region0 running F2: waiting until 1 failover brokers in camunda-london-failover are ready: 0 s; 0 of 1 brokers in camunda-london-failover ready
    pulumi:pulumi:Stack camunda-dual-region-region0 running restarting camunda-zeebe-0 in camunda-london: there is no quorum to lose
 +  kubernetes:core/v1:ConfigMap F2 creating (49s)\x20
 +  kubernetes:core/v1:ConfigMap F2 created (49s)\x20
 -  kubernetes:core/v1:ConfigMap N deleted (0.14s)\x20
 -  dualregion:index:Gate N deleting (0s)\x20
    pulumi:pulumi:Stack camunda-dual-region-region0  4 warnings; 25 messages
Diagnostics:
  pulumi:pulumi:Stack (camunda-dual-region-region0):
    F1: done: the gateway answers (0.0 s)
    F2: done: 1 failover brokers in camunda-london-failover are ready (45.8 s)
Outputs:
      ~ [0]: "N" => "F1"
"""

# The same of an `up` with nothing to do.
NOTHING_LINES = """    kubernetes:core/v1:Namespace normal-namespace \x20
    kubernetes:rbac.authorization.k8s.io/v1:RoleBinding failover-namespace-camunda-dual-region \x20
    kubernetes:core/v1:ConfigMap dns-chain \x20
    kubernetes:core/v1:ConfigMap F1 \x20
    kubernetes:helm.sh/v3:Release normal \x20
    kubernetes:helm.sh/v3:Release failover \x20
    pulumi:pulumi:Stack camunda-dual-region-region0 running waiting: region paris installs its brokers
"""


def told(lines: str) -> list[str]:
    return [str(point) for line in lines.splitlines(keepends=True) if (point := point_of(line))]


def test_points_are_read_off_the_lines_of_a_failover() -> None:
    assert list(dict.fromkeys(told(FAILOVER_LINES))) == [
        "in the work of gate F1",
        "just after gate F1",
        "in the work of the update of release normal",
        "in the work of the install of release failover",
        "just after the install of release failover",
        "just after the update of release normal",
        "in the work of gate F2",
        "just after gate F2",
    ]


@pytest.mark.parametrize(
    ("line", "point"),
    [
        (
            f"{STACK_LINE} running B2: waiting until exporting is paused: 0 s; broker 1\n",
            Point("gate B2", False),
        ),
        # A gate that is over at once says only this.
        (
            f"{STACK_LINE} running B6: done: no failover broker is in the topology (0.0 s)\n",
            Point("gate B6", False),
        ),
        (" +  kubernetes:core/v1:ConfigMap B7 created (12s) \n", Point("gate B7", True)),
        (
            " ++ kubernetes:core/v1:ConfigMap F1 created replacement (0.1s) \n",
            Point("gate F1", True),
        ),
        (" +  kubernetes:helm.sh/v3:Release normal created (6s) \n", Point(INSTALL, True)),
        (
            f"{STACK_LINE} running N: waiting until the 2 brokers of camunda-paris are ready: 0 s; 0 of 2\n",
            None,
        ),
        (" +  kubernetes:core/v1:ConfigMap N created (12s) \n", None),
        (
            " -  kubernetes:helm.sh/v3:Release failover deleting (0s) \n",
            Point(REMOVAL_FAILOVER, False),
        ),
        (
            " -  kubernetes:helm.sh/v3:Release failover deleted (2s) \n",
            Point(REMOVAL_FAILOVER, True),
        ),
        (
            " -  kubernetes:core/v1:Namespace failover-namespace deleting (0s) \n",
            Point(REMOVAL_NAMESPACE, False),
        ),
        (
            " -  kubernetes:core/v1:Namespace failover-namespace deleted (10s) \n",
            Point(REMOVAL_NAMESPACE, True),
        ),
        (" +  kubernetes:core/v1:Namespace failover-namespace creating (0s) \n", None),
        (" +  kubernetes:core/v1:Namespace failover-namespace created (0.02s) \n", None),
        (
            f"{STACK_LINE} running rights: done: the rights in namespace camunda-london-failover are at work "
            "(0.0 s)\n",
            Point("binding failover", False),
        ),
        (
            f"{STACK_LINE}  rights: waiting until the rights in namespace camunda-paris are at work: 0 s; kube context 'x': 403\n",
            Point("binding normal", False),
        ),
        (
            f"{STACK_LINE} rights: done: the rights in namespace other are at work (0.0 s)\n",
            None,
        ),
        (
            f"{BINDING} failover-namespace-camunda-dual-region-peer created (0.06s) \n",
            Point("binding failover", True),
        ),
        (f"{BINDING} failover-namespace-camunda-dual-region creating (0s) \n", None),
        (f"{BINDING} failover-namespace-camunda-dual-region deleted (0.01s)[retain] \n", None),
        (
            f"{STACK_LINE}  DNS: key Corefile of ConfigMap kube-system/coredns of kube context 'cluster-paris' holds the "
            "DNS chain: 1 s; it is being written\n",
            Point(f"record {DNS_RECORD}", False),
        ),
        (
            " +  kubernetes:core/v1:ConfigMap dns-chain created (1s) \n",
            Point(f"record {DNS_RECORD}", True),
        ),
        (" ~  kubernetes:core/v1:ConfigMap dns-chain refresh (0.21s) \n", None),
        (" ~  kubernetes:helm.sh/v3:Release normal **updating failed** error: x\n", None),
        (" +  kubernetes:core/v1:ConfigMap F1 **creating failed** error: F1: waited\n", None),
        (f"{STACK_LINE} error: update failed\n", None),
    ],
)
def test_one_line_tells_one_point_or_none(line: str, point: Point | None) -> None:
    assert point_of(line) == point


def test_an_up_with_nothing_to_do_has_no_point_and_tells_what_is_there() -> None:
    assert told(NOTHING_LINES) == []
    there = [already_there(line) for line in NOTHING_LINES.splitlines(keepends=True)]
    assert there == [
        None,
        "binding failover",
        f"record {DNS_RECORD}",
        "gate F1",
        "release normal",
        "release failover",
        None,
    ]
    assert not any(already_there(line) for line in FAILOVER_LINES.splitlines(keepends=True))


def test_every_step_of_every_part_is_named() -> None:
    parts = {
        (Until.FAILOVER, "survivor"): FAILOVER_STEPS,
        (Until.FAILBACK_PENDING, "survivor"): PENDING_STEPS["survivor"],
        (Until.FAILBACK_PENDING, "recreated"): PENDING_STEPS["recreated"],
        (Until.RESTORED, "survivor"): ("B5",),
        (Until.RESTORED, "recreated"): ("B5", "B6", "B7"),
    }
    assert RESTORED_STEPS["survivor"][-1:] == ("B5",)
    for place, steps in parts.items():
        assert [each for each in NAMED[place] if each.startswith("gate")] == [
            f"gate {step}" for step in steps
        ]
    assert set(NAMED) == set(parts)


@pytest.mark.parametrize(
    "gate", sorted({each for place in NAMED.values() for each in place if each.startswith("gate")})
)
def test_every_named_gate_is_recognised(gate: str) -> None:
    step = gate.removeprefix("gate ")
    assert point_of(f"{STACK_LINE} running {step}: waiting: 0 s\n") == Point(gate, after=False)
    assert point_of(f" +  kubernetes:core/v1:ConfigMap {step} created (1s)\n") == Point(gate, True)


def test_points_are_named_as_far_as_the_drill_goes() -> None:
    first = named()
    assert {(phase, stack) for phase, stack, _ in first} == {("failover", "region0")}
    assert len(first) == 2 * 7
    assert len(named(Until.RESTORED)) == 2 * (7 + 6 + 6 + 5 + 4)


def test_no_point_is_named_of_what_the_stacks_do_not_declare() -> None:
    def kinds(**how: Any) -> set[str]:
        settings = DrillSettings(interrupt=True, **how)
        return {point.resource.split()[0] for _, _, point in named_points(settings, PARTS)}

    always = {"gate", "release", "namespace"}
    assert kinds() == always | {"binding", "record"}
    assert kinds(adopt=True) == always | {"binding"}
    assert kinds(on=Path("clusters.yaml")) == always


# --- judging -------------------------------------------------------------------------------------------


def hit(number: int, subject: str, *, after: bool) -> Interruption:
    return Interruption(Point(subject, after), 10.0 * number, number)


def whole(turn: Turn, *subjects: str) -> Turn:
    """Let a turn be interrupted at both points of each piece of work."""
    for subject in subjects:
        for after in (False, True):
            turn.interruptions.append(hit(len(turn.interruptions) + 1, subject, after=after))
    return turn


def failover_turn() -> Turn:
    return whole(Turn(1, "failover", "region0"), *NAMED[Until.FAILOVER, "survivor"])


def named(until: Until = Until.FAILOVER) -> list[tuple[str, str, Point]]:
    return named_points(DrillSettings(until=until, interrupt=True), PARTS)


def test_a_removal_that_a_killed_run_carried_out_all_the_same_leaves_nothing_to_kill() -> None:
    turn = Turn(1, "restored", "region0", [hit(1, REMOVAL_FAILOVER, after=False)])
    assert turn.not_reachable == []
    turn.there[2] = {"release normal"}
    assert turn.not_reachable == [Point(REMOVAL_FAILOVER, True)]


def test_every_point_hit_holds() -> None:
    check = every_point_was_hit([failover_turn()], named(), 1)
    assert (check.ok, check.detail) == (True, "14 interruptions")


def test_a_point_never_hit_fails() -> None:
    turn = failover_turn()
    turn.interruptions = [each for each in turn.interruptions if each.point.subject != "gate F3"]
    check = every_point_was_hit([turn], named(), 1)
    assert not check.ok
    assert "region0 in phase failover was never killed in the work of gate F3" in check.detail
    assert "never killed just after gate F3" in check.detail


def test_a_point_that_was_passed_for_good_is_not_reachable() -> None:
    """The run killed in the gate's work had recorded it: the next one finds it there."""
    turn = failover_turn()
    *_, work, _ = turn.interruptions
    turn.interruptions.pop()
    assert work.point == Point("gate F3", False)
    # Nothing proves that it was passed: it may only not have been recognised.
    assert not every_point_was_hit([turn], named(), 1).ok
    # It was there already in the run that was then killed in its work: that is another work.
    turn.there = {work.number: {"gate F3"}, work.number + 1: {"gate F2", "release normal"}}
    assert not every_point_was_hit([turn], named(), 1).ok
    turn.there[work.number + 1].add("gate F3")
    check = every_point_was_hit([turn], named(), 1)
    assert check.ok
    assert "just after gate F3 not reachable" in check.detail


def test_the_same_work_of_two_turns_is_interrupted_in_both() -> None:
    subjects = NAMED[Until.RESTORED, "recreated"]
    wanted = [each for each in named(Until.RESTORED) if each[:2] == ("restored", "region1")]
    opened = whole(Turn(1, "restored", "region1"), "gate B5", UPDATE)
    # After both of its points the release is there, which says nothing of the next turn's update.
    opened.there = {5: {"release normal"}}
    awake = whole(Turn(1, "restored", "region1"), "gate B6", "gate B7")
    assert subjects.count(UPDATE) == 2
    check = every_point_was_hit([opened, awake], wanted, 1)
    assert not check.ok
    assert "in the work of the update of release normal" in check.detail
    assert every_point_was_hit([opened, whole(awake, UPDATE)], wanted, 1).ok


def test_an_earlier_incident_proves_nothing_of_a_later_one() -> None:
    check = every_point_was_hit([failover_turn()], named(), 2)
    assert not check.ok
    assert "nothing was interrupted" in check.detail


def test_a_release_left_in_the_middle_fails() -> None:
    assert no_release_is_pending({"camunda-london": set(), "camunda-paris": set()}).ok
    check = no_release_is_pending({"camunda-london": set(), "camunda-paris": {"1-2"}})
    assert (check.ok, check.detail) == (False, "a release in camunda-paris is still pending")


def test_there_is_nothing_to_interrupt_in_phase_normal() -> None:
    with pytest.raises(DrillError, match="--interrupt with --until normal"):
        DrillSettings(until=Until.NORMAL, interrupt=True)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"back_out": True, "until": Until.FAILOVER}, "no failback to back out of"),
        ({"back_out": True, "interrupt": True}, "--back-out and --interrupt: give one of them"),
    ],
)
def test_options_that_exclude_each_other(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(DrillError, match=why):
        DrillSettings(**wrong)


@pytest.mark.parametrize(
    ("options", "by_command"),
    [
        ({}, True),
        ({"by_pulumi": True}, False),
        ({"interrupt": True}, False),
        ({"zombie": True}, False),
    ],
)
def test_the_command_takes_the_turns_unless_pulumi_is_to(
    options: dict[str, Any], by_command: bool
) -> None:
    assert DrillSettings(**options).by_command is by_command


# --- the report ------------------------------------------------------------------------------------------


def test_the_report_tells_what_was_interrupted(tmp_path: Path) -> None:
    turn = failover_turn()
    turn.interruptions.pop()
    turn.there = {20: {"gate F3"}}
    made = report_of(
        DrillSettings(interrupt=True), Findings(turns=[turn]), progress(tmp_path), None
    )
    document = json.loads(report.as_json(made))
    assert document["interrupted"] is True
    assert document["interruptions"][0] == {
        "incident": 1,
        "phase": "failover",
        "stack": "region0",
        "point": "in the work of binding failover",
        "at": 10.0,
    }
    assert [each["point"] for each in document["notReachable"]] == ["just after gate F3"]
    text = readable.as_markdown(made)
    assert "was killed at each of its points" in text
    assert "| 10.0 s | region0 | failover | in the work of binding failover |" in text
    assert "| not reachable | region0 | failover | just after gate F3 |" in text


def test_a_drill_that_kills_nothing_says_nothing_of_it(tmp_path: Path) -> None:
    made = report_of(DrillSettings(), Findings(), progress(tmp_path), None)
    document = json.loads(report.as_json(made))
    assert (document["interrupted"], document["interruptions"]) == (False, [])
    assert "nterrupt" not in readable.as_markdown(made)
    assert "killed" not in readable.as_markdown(made)


def progress(folder: Path) -> Progress:
    return Progress(Console(file=StringIO()), folder / "drill.log")


# --- killing -----------------------------------------------------------------------------------------------

PULUMI = """#!{python}
import os, subprocess, sys, time

def line(text):
    print(text, flush=True)

def held(name):
    return os.path.exists(name)

def put(name):
    open(name, "w").write(str(os.getpid()))

if sys.argv[1] == "cancel":
    os.remove("lock")
    sys.exit(0)
if held("lock"):
    line("error: the stack is currently locked by 1 lock(s)")
    sys.exit(255)
put("lock")
nothing = subprocess.DEVNULL
subprocess.Popen(["sleep", "300"], start_new_session=True, stdout=nothing, stderr=nothing)
for gate in ("F1", "F2"):
    if gate == "F2":
        if held("release"):
            line("    kubernetes:helm.sh/v3:Release failover  ")
        else:
            line(" +  kubernetes:helm.sh/v3:Release failover creating (0s) ")
            # What a killed run has left pending is there for a while.
            time.sleep(0.3)
            put("pending")
            time.sleep(0.5)
            os.remove("pending")
            line(" +  kubernetes:helm.sh/v3:Release failover created (1s) ")
            time.sleep(0.5)
            put("release")
    if held(gate):
        line("    kubernetes:core/v1:ConfigMap " + gate + "  ")
        continue
    line("{stack} running " + gate + ": done: the gateway answers (0.0 s)")
    {slow}
    line(" +  kubernetes:core/v1:ConfigMap " + gate + " created (49s) ")
    time.sleep(0.5)
    put(gate)
os.remove("lock")
"""


class Cluster:
    """Helm's pending records, as the stand-in for pulumi makes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: set[str] = set()

    def pending_releases(self, namespace: str) -> set[str]:
        self.asked.add(namespace)
        path = self.folder / "pending"
        if namespace != LONDON.failover_namespace:
            raise ClusterCallFailed("no answer")
        return {path.read_text()} if path.exists() else set()


def interrupter(folder: Path, slow: str = "time.sleep(0.5)") -> Interrupter:
    pulumi = folder / "pulumi"
    pulumi.write_text(
        PULUMI.replace("{python}", sys.executable)
        .replace("{stack}", STACK_LINE)
        .replace("{slow}", slow)
    )
    pulumi.chmod(0o755)
    logs = folder / "logs"
    logs.mkdir()
    stacks = Stacks(pulumi, folder, dict(os.environ), logs, lambda _: None)
    return Interrupter(stacks, lambda _: Cluster(folder), progress(folder), [])


def left_of(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(RUN_MARK, "").startswith(str(folder)):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_an_up_is_killed_at_each_point_and_said_again_until_it_goes_through(tmp_path: Path) -> None:
    made = interrupter(tmp_path)
    try:
        run = made.up(LONDON, "failover", 1, "region 1 is lost")
        assert run.exit_status == 0, run.output
        (turn,) = made.turns
        assert [str(point) for point in turn.points] == [
            "in the work of gate F1",
            "just after gate F1",
            f"in the work of {INSTALL_FAILOVER}",
            f"just after {INSTALL_FAILOVER}",
            "in the work of gate F2",
            "just after gate F2",
        ]
        assert [each.number for each in turn.interruptions] == [1, 2, 3, 4, 5, 6]
        # The last run's own plugin lives on, as it was not killed; of the killed ones nothing does.
        assert {each.environ()[RUN_MARK] for each in left_of(tmp_path)} == {str(run.log)}
    finally:
        for process in left_of(tmp_path):
            process.kill()


def test_an_up_that_fails_by_itself_is_not_said_again(tmp_path: Path) -> None:
    made = interrupter(tmp_path, slow="sys.exit(255)")
    try:
        run = made.up(LONDON, "failover", 1, "region 1 is lost")
        # It may be killed at its first word, or be faster; then it fails, and that is the caller's to judge.
        assert run.exit_status == 255
        assert len(made.turns[0].interruptions) <= 1
    finally:
        for process in left_of(tmp_path):
            process.kill()


def test_ups_that_never_go_through_come_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drill.operators.interrupting.MOST_UPS", 2)
    made = interrupter(tmp_path)
    with pytest.raises(DrillError, match=r"did not go through in 2 attempts.*just after gate F1"):
        made.up(LONDON, "failover", 1, "region 1 is lost")
    assert left_of(tmp_path) == []
    assert 2 * len(NAMED[Until.FAILBACK_PENDING, "survivor"]) < MOST_UPS


@pytest.mark.parametrize(
    ("interrupt", "phase", "killed"),
    [
        (True, "failover", True),
        (True, "restored", True),
        (True, "normal", False),
        (False, "failover", False),
    ],
)
def test_only_the_procedure_is_interrupted(
    tmp_path: Path, interrupt: bool, phase: str, killed: bool
) -> None:
    class Stand(Stacks):
        """Says how it was asked for an `up`."""

        asked: ClassVar[list[bool]] = []

        def __init__(self) -> None: ...

        def up(self, stack: str, message: str, on_line: OnLine | None = None) -> Run:
            self.asked.append(on_line is not None)
            return Run(("up",), 0, 1.0, "", tmp_path)

        def outputs(self, stack: str) -> dict[str, Any]:
            return {"phase": phase}

    none: Any = None
    settings = DrillSettings(interrupt=interrupt)
    stacks = Stand()
    rig = Rig(settings, Places(), progress(tmp_path), none, none, stacks, none, Findings())
    assert rig.must_up(LONDON, phase, "region 1 is lost") == {"phase": phase}
    rig.up(LONDON, "nothing to do")
    assert stacks.asked == [killed, False]
    assert [turn.phase for turn in rig.found.turns] == ([phase] if killed else [])


def test_helms_pending_records_are_asked_by_their_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def call(self: ClusterView, method: str, path: str, body: object = None) -> object:
        asked.append(path)
        return {"items": [{"metadata": {"uid": "1-2"}}]}

    monkeypatch.setattr(ClusterView, "__init__", lambda self: None)
    monkeypatch.setattr(ClusterView, "call", call)
    assert ClusterView().pending_releases("camunda-paris") == {"1-2"}  # type: ignore[call-arg]
    assert asked == [
        "/api/v1/namespaces/camunda-paris/secrets?labelSelector="
        "owner%3Dhelm%2Cstatus%20in%20%28pending-install%2Cpending-upgrade%2Cuninstalling%29"
    ]
