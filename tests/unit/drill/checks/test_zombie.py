"""The checks of a zombie's return hold on answers shaped as the real ones, and fail when a broker got back."""

import copy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from drill.check import Check
from drill.checks import zombie_checks
from drill.checks.zombie_checks import FEWEST_ANSWERS, LONGEST_WITHOUT_LEADER
from drill.errors import DrillError
from drill.progress import Progress
from drill.regions import REGIONS, brokers_after_failover
from drill.report.findings import Episode, Findings
from drill.scenario import incident, walk, zombie
from drill.scenario.failover import Failover
from drill.settings import DrillSettings, Places, Until, stack_config
from drill.together import together

LONDON, PARIS = REGIONS
EXPECTED = brokers_after_failover(4, lost=PARIS.index)
PARTITIONS = range(1, 5)

Json = dict[str, Any]


def broker(id_: int, ordinal: int, namespace: str, leads: tuple[int, ...] = ()) -> Json:
    """One broker as the gateway's /v1/topology of 8.5 lists it."""
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


def survivor_sees() -> Json:
    """London alone: brokers 0 and 2, and failover broker 1; broker 2 leads two partitions."""
    brokers = [
        broker(0, 0, "camunda-london", leads=(1,)),
        broker(1, 0, "camunda-london-failover", leads=(2,)),
        broker(2, 1, "camunda-london", leads=(3, 4)),
    ]
    return {"brokers": brokers}


def answers(*spoilt: Json) -> list[Json]:
    """What the gateway said all the while: these answers among right ones."""
    return [survivor_sees() for _ in range(FEWEST_ANSWERS)] + [*spoilt, survivor_sees()]


def spoilt(how: Callable[[Json], None]) -> Json:
    topology = copy.deepcopy(survivor_sees())
    how(topology)
    return topology


def new_id_back(topology: Json) -> None:
    topology["brokers"].append(broker(3, 1, "camunda-paris"))


def replaced_id_back(topology: Json) -> None:
    topology["brokers"][1] = broker(1, 0, "camunda-paris")


def id_twice(topology: Json) -> None:
    topology["brokers"].append(broker(1, 0, "camunda-paris"))


def one_missing(topology: Json) -> None:
    del topology["brokers"][2]


def test_a_survivor_that_is_left_alone_holds() -> None:
    seen = answers()
    assert zombie_checks.none_got_back(seen, EXPECTED, PARIS).ok
    assert zombie_checks.no_id_stands_twice(seen, EXPECTED).ok
    led = zombie_checks.partitions_keep_their_leaders(seen, PARTITIONS)
    assert (led.ok, led.detail) == (True, "4 partitions, each by the same broker all the time")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (new_id_back, "broker 3 at camunda-zeebe-1.camunda-zeebe.camunda-paris.svc got back"),
        (replaced_id_back, "broker 1 at camunda-zeebe-0.camunda-zeebe.camunda-paris.svc got back"),
        (id_twice, "broker 1 at camunda-zeebe-0.camunda-zeebe.camunda-paris.svc got back"),
    ],
)
def test_a_broker_that_gets_back_is_named_even_if_only_once(
    how: Callable[[Json], None], says: str
) -> None:
    check = zombie_checks.none_got_back(answers(spoilt(how)), EXPECTED, PARIS)
    assert (check.ok, check.detail) == (False, says)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (id_twice, "broker 1 stands 2 times"),
        (replaced_id_back, "not in namespace camunda-london-failover"),
        (one_missing, "broker 2 is missing"),
    ],
)
def test_an_id_must_stand_once_and_where_it_was(how: Callable[[Json], None], says: str) -> None:
    check = zombie_checks.no_id_stands_twice(answers(spoilt(how)), EXPECTED)
    assert not check.ok
    assert says in check.detail


def leads_no_more(topology: Json) -> None:
    topology["brokers"][1]["partitions"][1]["role"] = "follower"


def leads_too(topology: Json) -> None:
    topology["brokers"][0]["partitions"][1]["role"] = "leader"


def led_by_another(topology: Json) -> None:
    leads_no_more(topology)
    leads_too(topology)


@pytest.mark.parametrize("how", [leads_no_more, leads_too])
def test_the_moment_of_an_election_passes_and_longer_does_not(how: Callable[[Json], None]) -> None:
    moment = answers(*[spoilt(how)] * LONGEST_WITHOUT_LEADER)
    assert zombie_checks.partitions_keep_their_leaders(moment, PARTITIONS).ok
    longer = answers(*[spoilt(how)] * (LONGEST_WITHOUT_LEADER + 1))
    check = zombie_checks.partitions_keep_their_leaders(longer, PARTITIONS)
    assert (check.ok, check.detail) == (
        False,
        "partition 2 had not one leader in 3 answers running",
    )


def test_elections_are_told() -> None:
    check = zombie_checks.partitions_keep_their_leaders(answers(spoilt(led_by_another)), PARTITIONS)
    assert (check.ok, check.detail) == (True, "4 partitions, 2 elections")


def test_a_gateway_that_hardly_answers_proves_nothing() -> None:
    few = [survivor_sees()] * (FEWEST_ANSWERS - 1)
    for check in (
        zombie_checks.none_got_back(few, EXPECTED, PARIS),
        zombie_checks.no_id_stands_twice(few, EXPECTED),
        zombie_checks.partitions_keep_their_leaders(few, PARTITIONS),
    ):
        assert not check.ok
        assert "nothing is proved" in check.detail


def test_the_zombie_must_live_and_be_alone() -> None:
    ours = [broker(1, 0, "camunda-paris"), broker(3, 1, "camunda-paris")]
    assert zombie_checks.zombies_live({"brokers": ours}, PARIS, 4).ok
    dead = zombie_checks.zombies_live({"brokers": ours[:1]}, PARIS, 4)
    assert (dead.ok, dead.detail) == (False, "broker 3 does not live")
    stranger = broker(0, 0, "camunda-london")
    joined = zombie_checks.zombies_live({"brokers": [*ours, stranger]}, PARIS, 4)
    assert not joined.ok
    assert "it sees broker 0 at" in joined.detail


@pytest.mark.parametrize(
    ("status", "outputs", "ok"),
    [(0, {}, True), (255, {}, False), (0, {"waitingFor": "its cluster does not answer"}, False)],
)
def test_a_lost_region_that_answers_is_cleaned(status: int, outputs: Json, ok: bool) -> None:
    assert zombie_checks.lost_region_is_cleaned(status, outputs).ok is ok


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"zombie": True, "until": Until.NORMAL}, "no region is lost"),
        ({"zombie": True, "interrupt": True}, "--interrupt and --zombie"),
        ({"without_isolation": True}, "only with --zombie"),
        ({"two_operators": True}, "only with --zombie do both regions live"),
    ],
)
def test_a_zombie_that_cannot_be_rehearsed_is_refused(wrong: Json, why: str) -> None:
    with pytest.raises(DrillError, match=why):
        DrillSettings(**wrong)


def test_without_isolation_no_region_has_pod_addresses() -> None:
    def config(settings: DrillSettings) -> dict[str, str]:
        return stack_config(settings, Places(), LONDON)

    left_out = set(config(DrillSettings(zombie=True))) - set(
        config(DrillSettings(zombie=True, without_isolation=True))
    )
    assert left_out == {"regions[0].podCidrs[0]", "regions[1].podCidrs[0]"}


# --- the order of things -----------------------------------------------------------------------------------


class Recorder:
    """Notes which of its methods were called, in their order."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.done.append(name)


@pytest.mark.parametrize(
    ("returns", "order", "at_once"),
    [
        (
            True,
            ["mistake", "lose", "fail_over", "come_back", "retire", "check"],
            {"check_at_work", "check_nothing_to_do"},
        ),
        (
            False,
            ["mistake", "lose", "fail_over", "check"],
            {"check_at_work", "check_lost_stack", "check_nothing_to_do"},
        ),
    ],
)
def test_the_zombie_is_cleaned_only_after_its_return(
    monkeypatch: pytest.MonkeyPatch, returns: bool, order: list[str], at_once: set[str]
) -> None:
    stages = Recorder()
    monkeypatch.setattr(incident, "Failover", lambda *_: stages)
    monkeypatch.setattr(incident, "Zombie", lambda *_: stages)
    monkeypatch.setattr(walk, "check_hooks", lambda *_: None)
    settings = DrillSettings(zombie=returns, until=Until.FAILOVER)
    rig: Any = SimpleNamespace(
        settings=settings,
        start_load=lambda *_: None,
        await_exports=lambda: None,
        ask_status=lambda *_: None,
        together=together,
    )
    incident.rehearse_incident(rig, settings.incidents[0])
    *done, last = stages.done
    assert done[: len(order)] == order
    assert set(done[len(order) :]) == at_once
    assert last == "check_engines"


def come_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seen: list[Json]) -> Findings:
    """Let the zombie come back to a survivor whose gateway says `seen`; what follows the watch is not asked."""
    monkeypatch.setattr(zombie, "_watch", lambda *_: seen)
    monkeypatch.setattr(zombie, "check_commands", lambda *_: None)
    monkeypatch.setattr(zombie, "check_exporting", lambda *_: None)
    settings, found = DrillSettings(zombie=True), Findings()
    rig: Any = SimpleNamespace(
        settings=settings,
        found=found,
        progress=Progress(Console(quiet=True), tmp_path / "log"),
        sandbox=Recorder(),
        view=lambda *_, **__: None,
        settled=lambda _: Check("the brokers live", True, ""),
    )
    made = Failover(rig, settings.incidents[0], Episode(PARIS.index))
    zombie.Zombie(made).come_back()
    assert rig.sandbox.done == ["restore_link"]
    return found


def test_a_zombie_that_stays_out_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = come_back(monkeypatch, tmp_path, answers())
    assert len(found.checks) == 4
    assert all(check.ok for check in found.checks)


def test_a_zombie_that_gets_in_ends_the_drill(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(DrillError, match=r"not left alone: broker 3 at .* got back"):
        come_back(monkeypatch, tmp_path, answers(spoilt(new_id_back)))
