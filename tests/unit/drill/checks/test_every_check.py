"""Every check holds on answers shaped as the real ones, and fails when something in them is wrong."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest

from drill.check import Check
from drill.checks import checks, cluster_checks, failback_checks, zombie_checks
from drill.checks.zombie_checks import FEWEST_ANSWERS, LONGEST_WITHOUT_LEADER
from drill.observation.web_apps import WebApps, of_deployments
from drill.operators import command_checks, points
from drill.operators.terminal_operator import Question
from drill.regions import REGIONS, brokers_after_failover, quorum
from drill.scenario import adopting, two_operators
from tests.unit.drill.checks import cluster_cases
from tests.unit.drill.checks.cases import Case, Json, Spoil, fails, holds, spoilt

LONDON, PARIS = REGIONS
PARTITIONS = range(1, 5)
AFTER = brokers_after_failover(4, lost=PARIS.index)


# --- topology, as the gateway's /v1/topology of 8.5 answers ---------------------------------------------------


def broker(id_: int, ordinal: int, namespace: str, *leads: int) -> Json:
    return {
        "nodeId": id_,
        "host": f"camunda-zeebe-{ordinal}.camunda-zeebe.{namespace}.svc",
        "partitions": [
            {
                "partitionId": partition,
                "role": "leader" if partition in leads else "follower",
                "health": "healthy",
            }
            for partition in PARTITIONS
        ],
    }


TOPOLOGY = {
    "brokers": [
        broker(0, 0, "camunda-london", 1),
        broker(1, 0, "camunda-london-failover", 2),
        broker(2, 1, "camunda-london", 3, 4),
    ],
    "partitionsCount": 4,
}
"""Region 1 is lost: brokers 0 and 2 live, broker 1 is a failover broker."""


def partition(topology: Json, index: int, id_: int) -> Json:
    found: Json = topology["brokers"][index]["partitions"][id_ - 1]
    return found


def moved(namespace: str) -> Spoil:
    return lambda topology: topology["brokers"][1].update(broker(1, 0, namespace, 2))


def missing(topology: Json) -> None:
    del topology["brokers"][1]


def new_id(topology: Json) -> None:
    topology["brokers"].append(broker(3, 1, "camunda-paris"))


def id_twice(topology: Json) -> None:
    topology["brokers"].append(broker(1, 0, "camunda-paris"))


def no_leader(topology: Json) -> None:
    partition(topology, 1, 2)["role"] = "follower"


def two_leaders(topology: Json) -> None:
    partition(topology, 0, 2)["role"] = "leader"


def unhealthy(topology: Json) -> None:
    partition(topology, 0, 2)["health"] = "unhealthy"


def just_joined(topology: Json) -> None:
    del topology["brokers"][1]["partitions"]


def topologies() -> Iterator[Case]:
    yield holds(checks.topology_is, TOPOLOGY, AFTER, 4)
    yield holds(checks.partitions_are_led, TOPOLOGY, 4, quorum())
    yield fails(checks.topology_is, TOPOLOGY, AFTER, 3)
    for spoil in (missing, new_id, moved("camunda-paris"), moved("camunda-london")):
        yield fails(checks.topology_is, spoilt(TOPOLOGY, spoil), AFTER, 4)
    yield fails(checks.partitions_are_led, TOPOLOGY, 4, 4)
    for spoil in (no_leader, two_leaders, unhealthy, just_joined):
        yield fails(checks.partitions_are_led, spoilt(TOPOLOGY, spoil), 4, quorum())
    yield fails(checks.partitions_are_led, {"brokers": []}, 4, quorum())


def answers(*among: Json) -> list[Json]:
    """What the survivor's gateway answered all the while: these among right ones."""
    return [TOPOLOGY] * FEWEST_ANSWERS + [*among, TOPOLOGY]


ZOMBIES = [broker(1, 0, "camunda-paris"), broker(3, 1, "camunda-paris")]


def zombies() -> Iterator[Case]:
    few = [TOPOLOGY] * (FEWEST_ANSWERS - 1)
    yield holds(zombie_checks.none_got_back, answers(), AFTER, PARIS)
    yield fails(zombie_checks.none_got_back, few, AFTER, PARIS)
    for spoil in (new_id, moved("camunda-paris"), id_twice):
        yield fails(zombie_checks.none_got_back, answers(spoilt(TOPOLOGY, spoil)), AFTER, PARIS)
    yield holds(zombie_checks.no_id_stands_twice, answers(), AFTER)
    yield fails(zombie_checks.no_id_stands_twice, few, AFTER)
    for spoil in (id_twice, moved("camunda-paris"), missing):
        yield fails(zombie_checks.no_id_stands_twice, answers(spoilt(TOPOLOGY, spoil)), AFTER)
    led = zombie_checks.partitions_keep_their_leaders
    yield holds(led, answers(), PARTITIONS)
    yield holds(led, answers(spoilt(TOPOLOGY, no_leader, two_leaders)), PARTITIONS)
    yield fails(led, few, PARTITIONS)
    for spoil in (no_leader, two_leaders):
        wrong = spoilt(TOPOLOGY, spoil)
        yield holds(led, answers(*[wrong] * LONGEST_WITHOUT_LEADER), PARTITIONS)
        yield fails(led, answers(*[wrong] * (LONGEST_WITHOUT_LEADER + 1)), PARTITIONS)
    live = zombie_checks.zombies_live
    yield holds(live, {"brokers": ZOMBIES}, PARIS, 4)
    yield fails(live, {"brokers": ZOMBIES[:1]}, PARIS, 4)
    yield fails(live, {"brokers": [*ZOMBIES, broker(0, 0, "camunda-london")]}, PARIS, 4)
    yield holds(zombie_checks.lost_region_is_cleaned, 0, {})
    yield fails(zombie_checks.lost_region_is_cleaned, 255, {})
    yield fails(zombie_checks.lost_region_is_cleaned, 0, {"waitingFor": "its cluster"})


# --- load, records, exporters -----------------------------------------------------------------------------------


def exporting(phase: str) -> dict[str, Json]:
    """Four brokers, each leading one of four partitions, as /actuator/partitions answers."""
    return {
        f"camunda-{city}/camunda-zeebe-{ordinal}": {
            str(partition): {
                "role": "LEADER" if partition == leads else "FOLLOWER",
                "exporterPhase": phase,
            }
            for partition in PARTITIONS
        }
        for leads, (city, ordinal) in enumerate(
            [("london", 0), ("paris", 0), ("london", 1), ("paris", 1)], start=1
        )
    }


def phase_of(pod: str, partition: str, phase: str) -> Spoil:
    return lambda seen: seen[pod][partition].update(exporterPhase=phase)


def follows(seen: Json) -> None:
    seen["camunda-london/camunda-zeebe-1"]["3"]["role"] = "FOLLOWER"


def unanswered(seen: Json) -> None:
    del seen["camunda-paris/camunda-zeebe-1"]


EXPORTING, PAUSED = exporting("EXPORTING"), exporting("PAUSED")
KNOWN = ["1-10", "1-11", "2-10"]
ADDRESS = "http://camunda-elasticsearch-master-hl.{}.svc.cluster.local:9200"
ENGINES = {0: "camunda-london", 1: "camunda-london-failover"}


def pod(namespace: str, engine: str = "camunda-london-failover") -> Json:
    """A broker's pod; of two values of one name the last one counts."""
    name = "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION{}_ARGS_URL"
    named = [(1, "camunda-paris"), (0, "camunda-london"), (1, engine)]
    env = [{"name": name.format(region), "value": ADDRESS.format(to)} for region, to in named]
    reference = {"name": "K8S_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return {
        "metadata": {"name": "camunda-zeebe-0", "namespace": namespace, "uid": "u"},
        "spec": {"containers": [{"name": "zeebe", "env": [reference, *env]}]},
        "status": {"containerStatuses": [{"name": "zeebe", "restartCount": 0}]},
    }


def exporters() -> Iterator[Case]:
    yield holds(checks.commands_accepted, {1, 2, 3, 4}, 4, "now")
    yield fails(checks.commands_accepted, {1, 2, 4}, 4, "now")
    yield fails(checks.commands_accepted, set(), 4, "now")
    yield holds(checks.positions_moving, {1, 2, 3, 4}, 4, "now")
    yield fails(checks.positions_moving, {1, 3, 4}, 4, "now")
    yield holds(checks.instances_kept, {1, 2}, {1, 2, 3}, "an engine")
    yield fails(checks.instances_kept, {1, 2, 3}, {1}, "an engine")
    yield fails(checks.instances_kept, set(), set(), "an engine")
    yield holds(checks.exporters_point_at, [pod("a"), pod("b")], ENGINES)
    yield fails(checks.exporters_point_at, [pod("a"), pod("b", "camunda-paris")], ENGINES)
    # The one namespace must not pass for the other, whose name begins alike.
    yield fails(checks.exporters_point_at, [pod("a", "camunda-london")], ENGINES)
    yield fails(checks.exporters_point_at, [], ENGINES)
    yield holds(failback_checks.exporters_run, EXPORTING, 4, 4)
    for spoil in (
        phase_of("camunda-paris/camunda-zeebe-1", "1", "PAUSED"),
        phase_of("camunda-paris/camunda-zeebe-1", "1", "SOFT_PAUSED"),
        phase_of("camunda-london/camunda-zeebe-0", "1", "CLOSED"),
        follows,
        unanswered,
    ):
        yield fails(failback_checks.exporters_run, spoilt(EXPORTING, spoil), 4, 4)
    paused = failback_checks.exporters_are_paused
    yield holds(paused, PAUSED, 4)
    runs = phase_of("camunda-london/camunda-zeebe-0", "2", "EXPORTING")
    yield fails(paused, spoilt(PAUSED, runs), 4)
    yield fails(paused, spoilt(PAUSED, unanswered), 4)
    yield fails(paused, {pod: {} for pod in PAUSED}, 4)
    complete = failback_checks.records_are_complete
    yield holds(complete, KNOWN, {"london": KNOWN, "paris": KNOWN[::-1]})
    yield fails(complete, KNOWN, {"london": KNOWN, "paris": ["1-10"]})
    yield fails(complete, [*KNOWN, "2-9"], {"london": KNOWN, "paris": KNOWN})
    yield fails(complete, KNOWN, {"london": [*KNOWN, "1-10"], "paris": KNOWN})
    yield fails(complete, [], {"london": [], "paris": []})


# --- stacks ---------------------------------------------------------------------------------------------------

STEPS = ("F1", "F2")
RECORD = {"start": "s", "end": "e", "seconds": "7.1", "evidence": "{}"}
OUTPUTS: Json = {
    "phase": "failover",
    "role": "survivor",
    "progress": list(STEPS),
    "record": dict.fromkeys(STEPS, RECORD),
    "history": {"1-region1-lost": dict.fromkeys(STEPS, RECORD)},
}
WAITING = {"waitingFor": "region paris is left", "waiting": {"code": "reachable", "region": 1}}
LATE = (
    "B4: the search engine of camunda-london and the search engine of camunda-paris differ: index "
    "zeebe-record_job_8.5.8_2026-11-29: 9 documents in the survivor, 7 documents in the recreated region. ... "
    "To go on, back out and begin the failback again: ...\nEXPORTERS ARE PAUSED (...)"
)


def stacks() -> Iterator[Case]:
    yield holds(checks.stack_is_in, OUTPUTS, LONDON, "failover", "survivor")
    yield fails(checks.stack_is_in, OUTPUTS, LONDON, "normal", "survivor")
    yield fails(checks.stack_is_in, OUTPUTS, LONDON, "failover", "lost")
    yield fails(checks.stack_is_in, {}, LONDON, "failover", "lost")
    yield holds(checks.steps_are_proved, OUTPUTS, LONDON, STEPS)
    changes: tuple[Json, ...] = (
        {"progress": ["F1"]},
        {"waitingFor": "region paris"},
        {"record": {}},
        {"record": None, "progress": None},
    )
    for change in changes:
        yield fails(checks.steps_are_proved, OUTPUTS | change, LONDON, STEPS)
    yield holds(checks.lost_stack_waits_for_its_cluster, 0, WAITING)
    yield fails(checks.lost_stack_waits_for_its_cluster, 1, WAITING)
    yield fails(checks.lost_stack_waits_for_its_cluster, 0, {})
    yield fails(checks.lost_stack_waits_for_its_cluster, 0, WAITING | {"waiting": None})
    yield fails(
        checks.lost_stack_waits_for_its_cluster, 0, WAITING | {"waiting": {"code": "taken-over"}}
    )
    yield holds(failback_checks.waits_its_turn, 0, {"waitingFor": "B0"}, [])
    yield fails(failback_checks.waits_its_turn, 255, {"waitingFor": "B0"}, [])
    yield fails(failback_checks.waits_its_turn, 0, {}, [])
    yield fails(failback_checks.waits_its_turn, 0, {"waitingFor": "B0"}, ["secrets/x"])
    told = failback_checks.history_holds
    yield holds(told, OUTPUTS, LONDON, "1-region1-lost", STEPS)
    yield fails(told, OUTPUTS, LONDON, "1-region1-lost", (*STEPS, "B0"))
    yield fails(told, OUTPUTS, LONDON, "2-region1-lost", STEPS)
    yield fails(told, {"history": None}, LONDON, "1-region1-lost", STEPS)
    unproved = spoilt(OUTPUTS, lambda outputs: outputs["history"]["1-region1-lost"]["F1"].clear())
    yield fails(told, unproved, LONDON, "1-region1-lost", STEPS)
    yield holds(failback_checks.incident_is_new, LONDON, "2-region1-lost", {"1-region1-lost"})
    for name in ("1-region1-lost", "none", ""):
        yield fails(failback_checks.incident_is_new, LONDON, name, {"1-region1-lost"})
    refused = failback_checks.gap_is_refused
    yield holds(refused, 255, LATE)
    yield fails(refused, 0, LATE)
    yield fails(refused, 255, LATE.replace("differ: index zeebe", "differ: index operate"))
    yield fails(refused, 255, LATE.replace("EXPORTERS ARE PAUSED", ""))
    yield fails(refused, 255, LATE.replace("back out", "wait"))
    refusal = (
        "error: nothing was changed:\nlostRegion is 0 here, but stack region0 has begun to fail over for this region, "
        "paris (incident 1-region1-lost): if both did, two clusters would accept commands. `pulumi config set lostRegion 1`"
    )
    yield holds(two_operators.second_is_refused, 255, refusal, LONDON)
    yield fails(two_operators.second_is_refused, 0, refusal, LONDON)
    yield fails(two_operators.second_is_refused, 255, "error: F1: waited 900 s", LONDON)
    yield fails(two_operators.second_is_refused, 255, f"{refusal}\nTraceback (most", LONDON)


# --- what runs, and what is left --------------------------------------------------------------------------------


def deployment(name: str, replicas: int = 1, ready: int = 1) -> Json:
    status = {"readyReplicas": ready} if ready else {}
    return {"metadata": {"name": name}, "spec": {"replicas": replicas}, "status": status}


def web_apps(*deployments: Json) -> dict[str, WebApps]:
    return {"a": of_deployments(deployments)}


OPERATE, TASKLIST = "camunda-operate", "camunda-tasklist"
PODS = [pod("camunda-london"), pod("camunda-london-failover")]


def restarted(pods: list[Json]) -> None:
    pods[0]["status"]["containerStatuses"][0]["restartCount"] = 1


def replaced(pods: list[Json]) -> None:
    pods[1]["metadata"]["uid"] = "another"


class Cluster:
    """A view of a cluster that holds these things."""

    def __init__(self, installed: list[str], policies: list[str]) -> None:
        self._installed, self._policies = installed, policies

    def installed(self, namespace: str) -> list[str]:
        return self._installed if namespace == PARIS.failover_namespace else []

    def call(self, method: str, path: str) -> Any:
        assert (method, path.rsplit("/", 2)[1]) == ("GET", PARIS.namespace)
        return {"items": [{"metadata": {"name": name}} for name in self._policies]}


def stateful_set(revision: str = "r1", strategy: str = "RollingUpdate", partition: int = 0) -> Json:
    update = {"type": strategy, "rollingUpdate": {"partition": partition}}
    return {
        "status": {"currentRevision": "r1", "updateRevision": revision},
        "spec": {"updateStrategy": update},
    }


def what_runs() -> Iterator[Case]:
    yield holds(checks.nothing_restarted, 0, PODS, PODS)
    yield fails(checks.nothing_restarted, 1, PODS, PODS)
    yield fails(checks.nothing_restarted, 0, [], [])
    yield fails(checks.nothing_restarted, 0, PODS, [*PODS, pod("elsewhere")])
    yield holds(checks.brokers_kept, PODS, PODS)
    yield fails(checks.brokers_kept, [], PODS)
    for spoil in (restarted, replaced, list.pop):
        yield fails(checks.nothing_restarted, 0, PODS, spoilt(PODS, spoil))
        yield fails(checks.brokers_kept, PODS, spoilt(PODS, spoil))
    yield holds(checks.nothing_left, [])
    yield fails(checks.nothing_left, ["process 7: etcd"])
    ready, off = failback_checks.web_apps_ready, failback_checks.web_apps_off
    yield holds(ready, web_apps(deployment(OPERATE), deployment(TASKLIST)))
    yield fails(ready, web_apps(deployment(OPERATE), deployment(TASKLIST, 1, 0)))
    yield fails(ready, web_apps(deployment(OPERATE), deployment(TASKLIST, 0, 0)))
    yield fails(ready, web_apps(deployment(OPERATE), deployment(TASKLIST, 2, 1)))
    yield fails(ready, web_apps(deployment(OPERATE)))
    yield holds(off, web_apps(deployment(OPERATE, 0, 0), deployment("x")))
    yield fails(off, web_apps(deployment(OPERATE)))
    gone = failback_checks.nothing_is_left
    yield holds(gone, "a", ["b"], [], [])
    yield fails(gone, "a", ["a", "b"], [], [])
    yield fails(gone, "a", ["b"], ["data-camunda-zeebe-0"], [])
    yield fails(gone, "a", ["b"], [], ["pvc-7"])
    begun = two_operators.nothing_was_begun
    yield holds(begun, Cluster(["secrets/elasticsearch-env-secret"], ["another"]), PARIS)
    yield fails(begun, Cluster(["secrets/sh.helm.release.v1.camunda.v1"], []), PARIS)
    yield fails(begun, Cluster(["StatefulSet camunda-zeebe"], []), PARIS)
    yield fails(begun, Cluster([], ["isolate-lost-region"]), PARIS)
    preview = "  info: adopt: release camunda in camunda-london (revision 1, chart x) runs as ...\n"
    yield holds(adopting.adoption_is_announced, 0, preview, LONDON)
    yield fails(adopting.adoption_is_announced, 1, preview, LONDON)
    yield fails(adopting.adoption_is_announced, 0, "", LONDON)
    yield fails(adopting.adoption_is_announced, 0, preview.replace("london", "paris"), LONDON)
    yield holds(adopting.brokers_are_let_go, stateful_set(), "london")
    yield fails(adopting.brokers_are_let_go, stateful_set(revision="r2"), "london")
    yield fails(adopting.brokers_are_let_go, stateful_set(strategy="OnDelete"), "london")
    yield fails(adopting.brokers_are_let_go, stateful_set(partition=2), "london")
    yield holds(points.no_release_is_pending, {"a": set(), "b": set()})
    yield fails(points.no_release_is_pending, {"a": set(), "b": {"1-2"}})


# --- the runbook command ------------------------------------------------------------------------------------------

SCREEN = "phase normal\ncommands  ACCEPTED\nweb apps  UP\nStacks\nInstallations\nBrokers and partitions\npartition exporters\n"
PLAN = " 1. F1 on stack region0 (london): isolated\n 2. R on stack region1 (paris): nothing\n"
ABOVE = "Installations 0 1 and begin? [y/N]:"
STOPPED = (
    "stopped; Pulumi has saved what is done on stack region0 [interrupted] stack region0: "
    "phase failover, proved: F1 next, region0: F2: quorum dualregion failover --lost 1 or: pulumi up --stack region0"
)
HISTORY = "Incident 1-region1-lost\nF1   london\nB7   paris\nRuns of Pulumi\nF2  nothing\n"
PAGE = "<html>Records lost: none, shown by B2. No service<svg></svg>B7</html>"


def status(health: str, following: object = None, commands: str = "accepted") -> str:
    service = {"commands": {"state": commands}}
    return json.dumps(
        {"health": health, "next": following, "findings": [{"sentence": "why"}], "service": service}
    )


def command() -> Iterator[Case]:
    says = command_checks.status_is
    following = {"who": "region1", "dualregion": "dualregion failback"}
    yield holds(says, 0, status("healthy"), "now", 0)
    yield fails(says, 0, status("healthy", commands="refused"), "now", 0)
    yield holds(says, 10, status("mid-procedure", following), "now", 10)
    yield fails(says, 10, status("mid-procedure"), "now", 10)
    yield fails(says, 10, status("mid-procedure", {"who": "region1"}), "now", 10)
    yield fails(says, 12, status("unsafe"), "now", 0)
    yield fails(says, 1, "Traceback", "now", 0)
    yield holds(command_checks.status_shows, 0, SCREEN, "now", 0)
    yield fails(command_checks.status_shows, 11, SCREEN, "now", 0)
    yield fails(command_checks.status_shows, 0, "HEALTHY  phase normal", "now", 0)
    yield holds(command_checks.plan_shows, 0, PLAN, ("F1", "R"), "failover")
    yield fails(command_checks.plan_shows, 0, PLAN, ("F1", "F2", "R"), "failover")
    yield fails(command_checks.plan_shows, 1, PLAN, ("F1",), "failover")
    refused = command_checks.is_refused
    yield holds(refused, 1, "error: paris is not lost", "failover", "not lost", ())
    yield fails(refused, 0, "error: paris is not lost", "failover", "not lost", ())
    yield fails(refused, 1, "Traceback", "failover", "not lost", ())
    yield fails(refused, 1, "error: not lost", "failover", "not lost", ("Pulumi.region0.yaml",))
    asked = command_checks.questions_were_asked
    yield holds(asked, [Question("and begin? [y/N]:", ABOVE)], ("begin?",), "x")
    yield holds(asked, [], (), "x")
    yield fails(asked, [], ("begin?",), "x")
    yield fails(asked, [Question("and begin? [y/N]:", "and begin?")], ("begin?",), "x")
    yield from _windows()
    stopped = command_checks.stopped_in_order
    yield holds(stopped, 130, STOPPED, "F2", "region0", True)
    yield fails(stopped, 0, STOPPED, "F2", "region0", True)
    yield fails(stopped, 130, STOPPED, "F2", "region0", False)
    yield fails(stopped, 130, STOPPED.partition(" next,")[0], "F2", "region0", True)
    yield fails(stopped, 130, STOPPED.partition("dualregion")[0], "F2", "region0", True)
    yield fails(stopped, 130, STOPPED.replace("proved: F1", ""), "F2", "region0", True)
    yield fails(stopped, 130, STOPPED.replace("[interrupted]", ""), "F2", "region0", True)
    yield holds(command_checks.went_on, 0, ("F2", "F3"), "F2")
    yield fails(command_checks.went_on, 0, ("F3",), "F2")
    yield fails(command_checks.went_on, 1, ("F2",), "F2")
    tells = command_checks.history_shows
    yield holds(tells, 0, HISTORY, "1-region1-lost", ("F1", "B7"))
    yield fails(tells, 0, HISTORY, "1-region1-lost", ("F2",))
    yield fails(tells, 0, HISTORY, "2-region1-lost", ())
    yield fails(tells, 1, HISTORY, "1-region1-lost", ("F1",))
    yield holds(command_checks.report_is_whole, 0, PAGE)
    yield fails(command_checks.report_is_whole, 1, PAGE)
    yield fails(command_checks.report_is_whole, 0, "")
    yield fails(command_checks.report_is_whole, 0, PAGE.replace("B7", "B6"))
    yield fails(command_checks.report_is_whole, 0, PAGE.replace("none", "not shown"))
    yield fails(command_checks.report_is_whole, 0, PAGE.replace("<svg>", '<img src="https://x">'))


WINDOW = """\
DEGRADED  phase normal
commands   REFUSED (0 of 4 partitions)

next, region0: F0: the survivor is claimed; then F1
Region 1 (paris) is declared LOST
Type the name of the lost region to go on:
"""


def _windows() -> Iterator[Case]:
    fits, lines = command_checks.stops_fit, WINDOW.splitlines(keepends=True)

    def asked(window: str, above: str = ABOVE) -> list[Question]:
        return [Question("LOST", ABOVE, WINDOW), Question("Type the name:", above, window)]

    yield holds(fits, asked(WINDOW), "failover")
    yield holds(fits, asked("", "no look"), "failover")
    yield fails(fits, asked("".join(lines[1:])), "failover")
    yield fails(fits, asked("".join(lines[:3] + lines[4:])), "failover")
    yield fails(fits, asked("".join(lines[3:4] + lines[:3] + lines[4:])), "failover")
    yield fails(fits, asked("".join(lines[:4] + lines[5:])), "failover")
    yield fails(fits, asked(WINDOW + 20 * "more\n"), "failover")
    yield fails(fits, asked(WINDOW.replace("LOST", 80 * "LOST")), "failover")


CASES = [
    *topologies(),
    *zombies(),
    *exporters(),
    *stacks(),
    *what_runs(),
    *command(),
    *cluster_cases.CASES,
]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.check.__name__} {'holds' if case.ok else 'fails'}"
)
def test_a_check_holds_and_fails(case: Case) -> None:
    check = case.check(*case.arguments)
    assert check.ok is case.ok, check.detail


def test_every_check_can_hold_and_fail() -> None:
    modules = [checks, cluster_checks, failback_checks, zombie_checks, command_checks]
    modules += [adopting, two_operators]
    known = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation is Check
    }
    for ok in (True, False):
        assert known <= {case.check for case in CASES if case.ok is ok}


@pytest.mark.parametrize(
    ("exit_status", "output", "again"),
    [
        (13, "", True),
        (11, "region paris cannot be seen: no answer in time", True),
        (10, "region paris cannot be seen: no answer in time", False),
        (12, "exporters are paused", False),
        (1, "error", False),
    ],
)
def test_only_what_a_busy_machine_left_open_is_asked_again(
    exit_status: int, output: str, again: bool
) -> None:
    assert command_checks.is_too_busy(exit_status, output, 10) is again
