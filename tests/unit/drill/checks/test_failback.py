"""The checks of the failback hold on answers shaped as the real ones, and fail when they are wrong."""

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from drill.checks import failback_checks, previews
from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView, exporters_paused, is_ready, web_apps_not_ready
from drill.observation.records import not_exported, record_ids, records_query
from drill.operators.turns import take_turns
from drill.regions import REGIONS, Region
from drill.report.findings import Findings
from drill.scenario.judging import check_gone

LONDON, PARIS = REGIONS

Json = dict[str, Any]

# --- turns ---------------------------------------------------------------------------------------------

PENDING = "failback-pending"


class Stacks:
    """Two stacks of which each `up` says what the script gives next: what it waits for, None for nothing."""

    def __init__(self, says: dict[Region, list[str | None]], phase: str = PENDING) -> None:
        self.turns: list[str] = []
        self._says = copy.deepcopy(says)
        self._phase = phase

    def up(self, region: Region) -> Json:
        self.turns.append(region.city)
        return {"phase": self._phase, "waitingFor": self._says[region].pop(0)}


def test_turns_end_as_soon_as_neither_stack_waits() -> None:
    stacks = Stacks({LONDON: ["B1", None], PARIS: ["B2 to B4", None]})
    said = take_turns((LONDON, PARIS), PENDING, stacks.up)
    assert stacks.turns == ["london", "paris", "london", "paris"]
    assert said == {region: {"phase": PENDING, "waitingFor": None} for region in REGIONS}


def test_each_stack_has_a_turn_though_the_first_waits_for_nothing() -> None:
    stacks = Stacks({LONDON: [None], PARIS: [None]})
    take_turns((PARIS, LONDON), PENDING, stacks.up)
    assert stacks.turns == ["paris", "london"]


def test_a_stack_that_waited_is_asked_again_even_if_the_other_is_done() -> None:
    stacks = Stacks({LONDON: ["R", None], PARIS: [None, None]})
    take_turns((LONDON, PARIS), PENDING, stacks.up)
    assert stacks.turns == ["london", "paris", "london"]


def test_stacks_that_wait_for_each_other_end_with_what_they_wait_for() -> None:
    stacks = Stacks({LONDON: ["gate B1"] * 9, PARIS: ["gate B0"] * 9})
    with pytest.raises(
        DrillError, match=r"not reached after 6 turns: region0 .*: gate B1; region1"
    ):
        take_turns((LONDON, PARIS), PENDING, stacks.up, most=6)
    assert len(stacks.turns) == 6


def test_a_stack_in_another_phase_has_not_arrived() -> None:
    stacks = Stacks({LONDON: [None] * 2, PARIS: [None] * 2}, phase="failover")
    with pytest.raises(DrillError, match="phase failover"):
        take_turns((LONDON, PARIS), PENDING, stacks.up, most=4)


# --- the turn that is not one's own ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outputs", "installed", "says"),
    [
        (255, {"waitingFor": "B0"}, [], "exit status 255"),
        (0, {"waitingFor": None}, [], "does not say what it waits for"),
        (0, {}, [], "does not say what it waits for"),
        (0, {"waitingFor": "B0"}, ["secrets/x", "pods/y"], "there is secrets/x, pods/y"),
    ],
)
def test_a_wrong_turn_must_change_nothing_and_say_why(
    status: int, outputs: Json, installed: list[str], says: str
) -> None:
    check = failback_checks.waits_its_turn(status, outputs, installed)
    assert not check.ok
    assert says in check.detail


def test_a_wrong_turn_that_waits_holds() -> None:
    check = failback_checks.waits_its_turn(0, {"waitingFor": "B0 of region0"}, [])
    assert (check.ok, check.detail) == (True, "B0 of region0")


# --- exporters -------------------------------------------------------------------------------------------


def partitions_of(phase: str) -> dict[str, Json]:
    """Four brokers, each leading one of four partitions, as /actuator/partitions tells it."""
    return {
        f"camunda-{city}/camunda-zeebe-{ordinal}": {
            str(partition): {
                "role": "LEADER" if partition == leads else "FOLLOWER",
                "exporterPhase": phase,
                "exportedPosition": 7,
            }
            for partition in range(1, 5)
        }
        for leads, (city, ordinal) in enumerate(
            [("london", 0), ("paris", 0), ("london", 1), ("paris", 1)], start=1
        )
    }


def test_exporters_run_and_are_paused() -> None:
    assert failback_checks.exporters_run(partitions_of("EXPORTING"), 4, 4).ok
    assert failback_checks.exporters_are_paused(partitions_of("PAUSED"), 4).ok
    assert not failback_checks.exporters_run(partitions_of("PAUSED"), 4, 4).ok
    assert not failback_checks.exporters_are_paused(partitions_of("EXPORTING"), 4).ok


def follower_paused(seen: dict[str, Json]) -> None:
    seen["camunda-paris/camunda-zeebe-1"]["1"]["exporterPhase"] = "PAUSED"


def softly_paused(seen: dict[str, Json]) -> None:
    seen["camunda-paris/camunda-zeebe-1"]["1"]["exporterPhase"] = "SOFT_PAUSED"


def leader_closed(seen: dict[str, Json]) -> None:
    seen["camunda-london/camunda-zeebe-0"]["1"]["exporterPhase"] = "CLOSED"


def no_leader(seen: dict[str, Json]) -> None:
    seen["camunda-london/camunda-zeebe-1"]["3"]["role"] = "FOLLOWER"


def broker_silent(seen: dict[str, Json]) -> None:
    del seen["camunda-paris/camunda-zeebe-1"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (follower_paused, "camunda-paris/camunda-zeebe-1 has partition 1 PAUSED"),
        (softly_paused, "partition 1 SOFT_PAUSED"),
        (leader_closed, "no leader exports partition 1"),
        (no_leader, "no leader exports partition 3"),
        (broker_silent, "3 of 4 brokers answered"),
    ],
)
def test_one_exporter_that_does_not_run_fails(
    spoil: Callable[[dict[str, Json]], None], says: str
) -> None:
    seen = partitions_of("EXPORTING")
    spoil(seen)
    check = failback_checks.exporters_run(seen, 4, 4)
    assert not check.ok
    assert says in check.detail


def test_one_exporter_that_is_not_paused_fails() -> None:
    seen = partitions_of("PAUSED")
    seen["camunda-london/camunda-zeebe-0"]["2"]["exporterPhase"] = "EXPORTING"
    check = failback_checks.exporters_are_paused(seen, 4)
    assert not check.ok
    assert "camunda-london/camunda-zeebe-0 has partition 2 EXPORTING" in check.detail
    broker_silent(seen)
    assert "3 of 4 brokers answered" in failback_checks.exporters_are_paused(seen, 4).detail
    empty: dict[str, Json] = {pod: {} for pod in partitions_of("PAUSED")}
    assert not failback_checks.exporters_are_paused(empty, 4).ok


def test_a_sample_is_paused_when_any_broker_says_so() -> None:
    exporting, paused = {"1": {"exporterPhase": "EXPORTING"}}, {"1": {"exporterPhase": "PAUSED"}}
    assert exporters_paused([exporting, paused]) is True
    assert exporters_paused([exporting]) is False
    assert exporters_paused([]) is None
    assert exporters_paused([{}]) is None


# --- web applications --------------------------------------------------------------------------------------


def deployment(name: str, replicas: int = 1, ready: int | None = 1) -> Json:
    status = {} if ready is None else {"readyReplicas": ready}
    return {"metadata": {"name": name}, "spec": {"replicas": replicas}, "status": status}


def both_apps() -> dict[str, list[Json]]:
    apps = [deployment("camunda-operate"), deployment("camunda-tasklist")]
    return {region.namespace: copy.deepcopy(apps) for region in REGIONS}


def test_web_apps_hold() -> None:
    assert failback_checks.web_apps_ready(both_apps()).ok
    assert not failback_checks.web_apps_off(both_apps()).ok
    off = {region.namespace: [deployment("camunda-operate", 0, None)] for region in REGIONS}
    assert failback_checks.web_apps_off(off).ok
    assert not failback_checks.web_apps_ready(off).ok


@pytest.mark.parametrize(
    ("tasklist", "says"),
    [
        (deployment("camunda-tasklist", 1, None), "camunda-tasklist has 0 of 1 ready"),
        (deployment("camunda-tasklist", 0, None), "camunda-tasklist has 0 of 0 ready"),
        (deployment("camunda-tasklist", 2, 1), "camunda-tasklist has 1 of 2 ready"),
        (deployment("another"), "there is no camunda-tasklist"),
    ],
)
def test_a_web_app_that_is_not_ready_fails(tasklist: Json, says: str) -> None:
    apps = both_apps()
    apps["camunda-paris"][1] = tasklist
    check = failback_checks.web_apps_ready(apps)
    assert not check.ok
    assert check.detail == f"camunda-paris: {says}"
    assert web_apps_not_ready(apps["camunda-paris"]) == [says]
    assert web_apps_not_ready(apps["camunda-london"]) == []


def test_a_web_app_that_runs_meanwhile_is_named() -> None:
    check = failback_checks.web_apps_off({"camunda-paris": [deployment("camunda-operate")]})
    assert check.detail == "camunda-operate is ready in camunda-paris"
    # Other applications may run.
    assert failback_checks.web_apps_off({"camunda-paris": [deployment("camunda-gateway")]}).ok


def test_a_sleeping_pod_is_not_ready() -> None:
    assert is_ready({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    assert not is_ready({"status": {"conditions": [{"type": "Ready", "status": "False"}]}})
    assert not is_ready({"status": {}})


# --- what is left, what is told -----------------------------------------------------------------------------

FAILOVER = "camunda-london-failover"


@pytest.mark.parametrize(
    ("namespaces", "claims", "volumes", "says"),
    [
        (["camunda-london", FAILOVER], [], [], f"namespace {FAILOVER}"),
        (["camunda-london"], ["data-camunda-zeebe-0"], [], "claim data-camunda-zeebe-0"),
        (["camunda-london"], [], ["pvc-7"], "volume pvc-7"),
    ],
)
def test_anything_left_of_the_failover_fails(
    namespaces: list[str], claims: list[str], volumes: list[str], says: str
) -> None:
    check = failback_checks.nothing_is_left(FAILOVER, namespaces, claims, volumes)
    assert (check.ok, check.detail) == (False, says)
    assert failback_checks.nothing_is_left(FAILOVER, ["camunda-london"], [], []).ok


@pytest.mark.parametrize(
    ("region", "namespace", "ok"),
    [(LONDON, FAILOVER, True), (PARIS, "camunda-paris", False)],
)
def test_what_is_left_is_looked_for_in_the_region_that_is_meant(
    region: Region, namespace: str, ok: bool
) -> None:
    """Of London's failover installation nothing is there; of Paris's own one a volume is."""
    volumes = {LONDON: {"camunda-london": ["pvc-1"]}, PARIS: {"camunda-paris": ["pvc-7"]}}

    def view(of: Region) -> Any:
        return SimpleNamespace(
            namespaces=lambda: ["kube-system"],
            claims=lambda _: [],
            volumes_of=lambda name: volumes[of].get(name, []),
        )

    found = Findings()
    rig: Any = SimpleNamespace(found=found, view=view, settled=lambda check: check())
    check_gone(rig, "restored", region, namespace)
    (check,) = found.checks
    assert check.name == f"restored: Nothing is left of {namespace}: no namespace, claim or volume"
    assert (check.ok, check.detail) == (ok, "nothing is left" if ok else "volume pvc-7")


def history() -> Json:
    entry = {"step": "F1", "start": "s", "end": "e", "evidence": "{}"}
    return {"history": {"1-region1-lost": {step: dict(entry) for step in ("F1", "B0", "B5")}}}


def test_history_holds_or_names_what_it_lacks() -> None:
    def judge(outputs: Json, incident: str = "1-region1-lost") -> tuple[bool, str]:
        check = failback_checks.history_holds(outputs, LONDON, incident, ("F1", "B0", "B5"))
        return check.ok, check.detail

    assert judge(history()) == (True, "3 steps")
    shorter, unproved = history(), history()
    del shorter["history"]["1-region1-lost"]["B0"]
    assert judge(shorter) == (False, "it lacks B0")
    unproved["history"]["1-region1-lost"]["B5"]["evidence"] = ""
    assert judge(unproved) == (False, "B5 lacks evidence")
    assert judge({"history": None}) == (False, "it lacks F1; it lacks B0; it lacks B5")
    assert not judge(history(), "2-region1-lost")[0]


@pytest.mark.parametrize(
    ("name", "ok"),
    [("2-region1-lost", True), ("1-region1-lost", False), ("none", False), ("", False)],
)
def test_a_second_incident_has_a_name_of_its_own(name: str, ok: bool) -> None:
    assert failback_checks.incident_is_new(LONDON, name, {"1-region1-lost"}).ok is ok


# --- previews, laid out as by `pulumi preview --diff --non-interactive` 3.259.0 -------------------------------

FAILBACK_PREVIEW = """Previewing update (region0):
~ pulumi:pulumi:Stack: (refresh)
    [urn=urn:pulumi:region0::camunda-dual-region::pulumi:pulumi:Stack::camunda-dual-region-region0]
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:region0::camunda-dual-region::pulumi:pulumi:Stack::camunda-dual-region-region0]
    + dualregion:index:Gate: (create)
        [urn=urn:pulumi:region0::camunda-dual-region::dualregion:index:Gate::B0]
        + kubernetes:core/v1:ConfigMap: (create)
            metadata  : {
                name     : "dual-region-b0"
                namespace: "camunda-london"
            }
        - kubernetes:networking.k8s.io/v1:NetworkPolicy: (delete)
            [id=camunda-london/isolate-lost-region]
    --outputs:--
  ~ phase         : "failover" => "failback-pending"
Resources:
    + 2 to create
    - 1 to delete
"""


def test_the_failbacks_preview_shows_its_gate_and_the_end_of_the_isolation() -> None:
    check = previews.preview_shows_failback(FAILBACK_PREVIEW)
    assert check.ok, check.detail


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("dual-region-b0", "dual-region-b1", "gate B0"),
        ("ConfigMap: (create)", "ConfigMap: (delete)", "gate B0"),
        ("NetworkPolicy: (delete)", "NetworkPolicy: (create)", "the isolation to go"),
        ("NetworkPolicy: (delete)", "NetworkPolicy: (same)", "the isolation to go"),
    ],
)
def test_the_failbacks_preview_check_fails(old: str, new: str, says: str) -> None:
    check = previews.preview_shows_failback(FAILBACK_PREVIEW.replace(old, new))
    assert not check.ok
    assert says in check.detail


NORMAL_PREVIEW = """Previewing update (region0):
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:region0::camunda-dual-region::pulumi:pulumi:Stack::camunda-dual-region-region0]
    + dualregion:index:Gate: (create)
        [urn=urn:pulumi:region0::camunda-dual-region::dualregion:index:Gate::N]
        + kubernetes:core/v1:ConfigMap: (create)
            metadata  : {
                name     : "dual-region-n"
                namespace: "camunda-london"
            }
        - kubernetes:core/v1:ConfigMap: (delete)
            [id=camunda-london/dual-region-b5]
    - dualregion:index:Gate: (delete)
        [urn=urn:pulumi:region0::camunda-dual-region::dualregion:index:Gate::B5]
    --outputs:--
  ~ phase         : "restored" => "normal"
"""

MORE = """    ~ kubernetes:helm.sh/v3:Release: (update)
        [id=camunda-london/camunda]
    --outputs:--"""
OTHER_CONFIG_MAP = """    - kubernetes:core/v1:ConfigMap: (delete)
        [id=camunda-london/another]
    --outputs:--
      name: "dual-region-n"
"""
UNCHANGED = """      kubernetes:helm.sh/v3:Release: (same)
    --outputs:--"""


@pytest.mark.parametrize(
    ("status", "preview", "says"),
    [
        pytest.param(
            0,
            NORMAL_PREVIEW.replace("    --outputs:--", MORE),
            "kubernetes:helm.sh/v3:Release (update)",
            id="a release changes",
        ),
        pytest.param(
            0,
            NORMAL_PREVIEW.replace("    --outputs:--", OTHER_CONFIG_MAP),
            "kubernetes:core/v1:ConfigMap (delete)",
            id="a ConfigMap that is no gate, though the outputs name one",
        ),
        pytest.param(255, NORMAL_PREVIEW, "exit status 255", id="it failed"),
        pytest.param(
            0, "Resources:\n    21 unchanged\n", "gate N does not come", id="nothing changes at all"
        ),
    ],
)
def test_a_change_besides_the_gates_fails(status: int, preview: str, says: str) -> None:
    check = previews.only_gates_change(status, preview, LONDON)
    assert not check.ok
    assert says in check.detail


@pytest.mark.parametrize(
    "preview", [NORMAL_PREVIEW, NORMAL_PREVIEW.replace("    --outputs:--", UNCHANGED)]
)
def test_a_preview_with_gates_alone_holds(preview: str) -> None:
    check = previews.only_gates_change(0, preview, LONDON)
    assert check.ok, check.detail
    assert check.detail == "4 changes, all of gates"


# --- records ------------------------------------------------------------------------------------------------

KNOWN = ["1-10", "1-11", "2-10"]


@pytest.mark.parametrize(
    ("known", "london", "paris", "says"),
    [
        (KNOWN, KNOWN, ["1-10"], "2 of 3 are missing in paris (partition 1: 1, partition 2: 1)"),
        (
            KNOWN,
            ["1-10", "2-10"],
            KNOWN,
            "1 of 3 are missing in london (partition 1: 1), e.g. 1-11",
        ),
        ([*KNOWN, "2-9"], KNOWN, KNOWN, "1 of 4 are missing in london (partition 2: 1), e.g. 2-9;"),
        (KNOWN, [*KNOWN, "1-10"], KNOWN, "1 stand twice in london"),
        ([], [], [], "nothing is proved"),
    ],
)
def test_a_missing_or_doubled_record_fails(
    known: list[str], london: list[str], paris: list[str], says: str
) -> None:
    check = failback_checks.records_are_complete(known, {"london": london, "paris": paris})
    assert not check.ok
    assert says in check.detail


def test_equal_sets_of_records_hold_in_whatever_order() -> None:
    check = failback_checks.records_are_complete(KNOWN, {"london": KNOWN, "paris": KNOWN[::-1]})
    assert check.ok
    assert check.detail == "3 records, the same in london and paris"


class Engine(ClusterView):
    """Answers searches as an engine does: the next hits after `search_after`, in the order asked for."""

    def __init__(self, ids: list[str], batch: int, hidden: int = 0) -> None:
        self._ids = sorted(ids, key=self._sort)
        self._batch = batch
        self._hidden = hidden

    @staticmethod
    def _sort(record_id: str) -> list[int]:
        return [int(part) for part in record_id.split("-")]

    def document_count(self, namespace: str) -> int:
        return len(self._ids) + self._hidden

    def search(self, namespace: str, path: str, body: Any = None) -> Json:
        if "/_refresh" in path:
            return {}
        after = body.get("search_after")
        left = [each for each in self._ids if after is None or self._sort(each) > after]
        hits = [{"_id": each, "sort": self._sort(each)} for each in left[: self._batch]]
        # With filter_path an answer without hits is empty.
        return {"_shards": {"failed": 0}, "hits": {"hits": hits}} if hits else {}


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 100])
def test_all_records_are_read_whatever_the_batch(batch: int) -> None:
    ids = [f"{partition}-{position}" for partition in (2, 1) for position in (9, 10, 100, 1)]
    read = record_ids(Engine(ids, batch), "camunda-london", print)
    assert sorted(read) == sorted(ids)


def test_records_that_could_not_all_be_read_prove_nothing() -> None:
    with pytest.raises(ClusterCallFailed, match="counts 3 records, but 2 were read"):
        record_ids(Engine(["1-1", "1-2"], 10, hidden=1), "camunda-london", print)


def test_the_search_for_records_goes_on_where_the_last_ended() -> None:
    assert "search_after" not in records_query(None)
    assert records_query([1, 10])["search_after"] == [1, 10]
    assert [list(field) for field in records_query(None)["sort"]] == [["partitionId"], ["position"]]


def _led(exported: int, processed: int) -> Json:
    return {"role": "LEADER", "exportedPosition": exported, "processedPosition": processed}


def _follows(exported: int, processed: int) -> Json:
    return _led(exported, processed) | {"role": "FOLLOWER"}


@pytest.mark.parametrize(
    ("brokers", "lacking"),
    [
        ({}, "no broker leads partition 1"),
        ({"a": {"1": _led(9, 9), "2": _follows(9, 9)}}, "no broker leads partition 2"),
        ({"a": {"1": _led(9, 9)}, "b": {"1": _follows(3, 9), "2": _led(12, 11)}}, None),
        ({"a": {"1": _led(9, 9), "2": _led(7, 11)}}, "partition 2 is exported up to 7 of 11"),
        (
            {"a": {"1": {"role": "LEADER", "processedPosition": 4}, "2": _led(1, 1)}},
            "up to -1 of 4",
        ),
    ],
)
def test_all_is_exported_when_every_leader_says_so(brokers: Json, lacking: str | None) -> None:
    said = not_exported(brokers, (1, 2))
    assert said is None if lacking is None else lacking in (said or "")
