"""The gate B2: web apps down, exporters paused everywhere, every record in the survivor's engine.

Whatever fails here either leaves the survivor as it was before, or says that exporters are paused.
"""

import itertools
from collections.abc import Callable

import pytest

from clients.installation import LiveInstallation
from dualregion.observed import zeebe_answers
from dualregion.procedure.versions import VERSIONS
from messages import Message
from messages.clients import search_engine
from messages.observed import brokers as observed
from messages.observed import engines
from messages.steps import steps
from steps.releases.webapps import REPLICAS_ANNOTATION
from tests.fakes.gates.failback import (
    EACH_INSTALLATION,
    REFUSED_IN_BODY,
    REPOSITORY,
    Gate,
    hint_on_pods,
    last_broker,
)
from tests.fakes.kubernetes import Document, Reply, failure
from tests.fakes.regions import WEB_APPS, World, flushing_after, web_app_pod
from tests.fakes.search_engines import Held, refusal
from tests.raising import assert_message, tells

B2 = Gate("B2")
PAUSED, NEEDS_EVERYBODY = "exporters-pause", "look-at-topology"


@pytest.fixture
def here(here: World) -> World:
    here.joins()
    return here


def deployments(here: World) -> dict[str, Document]:
    return here.near.objects[f"/apis/apps/v1/namespaces/{here.survivor.namespace}/deployments"]


def asked_for_phases(here: World) -> set[tuple[str, int]]:
    """Return namespace and ordinal of the brokers that were asked how they export."""
    found = set()
    for each in (*here.near.asked, *here.far.asked):
        if each.endswith("/proxy/actuator/partitions"):
            parts = each.split("/")
            found.add((parts[4], int(parts[6].removesuffix(":9600")[-1])))
    return found


def test_it_is_proved(here: World) -> None:
    evidence = B2.prove(here)
    assert evidence["exporters"] == "paused on every partition of every broker"
    assert evidence["records"] == ", ".join(
        f"{each}: 10 records at 11 to 20" for each in here.partitions
    )
    assert evidence["pausedAt"].endswith("+00:00")
    assert here.orders() == ["pause"]
    assert asked_for_phases(here) == {
        (namespace, ordinal)
        for namespace, living in here.brokers.items()
        for ordinal in range(living.count)
        if not living.sleeps(ordinal)
    }
    assert here.web_app_counts() == dict.fromkeys(WEB_APPS, 0)
    for document in deployments(here).values():
        assert document["metadata"]["annotations"][REPLICAS_ANNOTATION] in ("2", "1")
    assert here.own.repositories == {
        "camunda_backup": {"type": "fs", "settings": {"location": "/backup"}}
    }
    assert {each.split(" ")[0] for each in here.empty.asked()} == {"GET"}
    assert here.empty.held == Held()


def test_said_again_it_pauses_nothing_twice(here: World) -> None:
    B2.prove(here)
    B2.prove(here)
    assert here.orders() == ["pause"]
    assert here.web_app_counts() == dict.fromkeys(WEB_APPS, 0)


@pytest.mark.parametrize("app", WEB_APPS)
def test_web_apps_that_do_not_go(here: World, app: str) -> None:
    """A web app that still writes would change the engine after the snapshot."""
    place = here.survivor.namespace
    here.near.put(f"/api/v1/namespaces/{place}/pods", web_app_pod(place, app))
    told = ("app-pods-left", f"camunda-{app}-7d4f", place)
    B2.waits(here, "web-apps-down", *told, hint=hint_on_pods(here, place))
    assert here.orders() == []


def test_exporters_that_keep_records_beyond_the_deadline_are_not_paused(here: World) -> None:
    """B2 could never be proved, and exporters would be paused for all of it."""
    here.base = flushing_after(450)
    B2.fails(here, "copy-would-fail", steps.quiet_beyond_deadline(900, 900))
    assert here.orders() == []
    assert here.web_app_counts() == WEB_APPS


class TestThePause:
    """It counts only when every broker has said so itself."""

    def test_one_that_is_refused_in_its_body_is_asked_for_again(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY, REFUSED_IN_BODY]
        B2.prove(here)
        assert here.orders() == ["pause"] * 3
        assert tells(here.said, "Expected 4 members of partition 2 but found 3")

    def test_one_that_is_refused_for_good_leaves_none_paused(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY] * 1000
        place = here.survivor.namespace
        told = ("order-refused", place, "500 in a body")
        B2.waits(here, PAUSED, *told, hint=NEEDS_EVERYBODY, paused=False)
        assert here.web_app_counts() == WEB_APPS
        assert "resume" not in here.orders()

    @EACH_INSTALLATION
    def test_one_broker_that_it_has_not_reached(self, here: World, installation: int) -> None:
        """The gateway has accepted: only the broker's own word tells."""
        namespace, ordinal = last_broker(here, installation)
        here.deaf.add((namespace, ordinal))
        pod = f"{namespace}/camunda-zeebe-{ordinal}"
        told = observed.exporter_in_other_phase(1, pod, "EXPORTING", "PAUSED")
        B2.waits(here, PAUSED, told, hint=NEEDS_EVERYBODY, paused=True)
        assert here.web_app_counts() == dict.fromkeys(WEB_APPS, 0), "others are paused"

    def test_a_broker_that_does_not_answer_is_not_taken_for_paused(self, here: World) -> None:
        target = f"{here.survivor.namespace}/pods/camunda-zeebe-1:9600"
        here.near.behind(target, "/actuator/partitions", failure(503, "Unavailable", "refused"))
        B2.waits(here, PAUSED, "refused", hint="look-behind-service", paused=True)


def export_elsewhere(here: World) -> None:
    names = [VERSIONS["8.5"].exporter.variable(region, "ARGS_INDEX_PREFIX") for region in (0, 1)]
    here.base["zeebe"]["env"] += [{"name": name, "value": "mine"} for name in names]


def answer_no_more(here: World) -> None:
    gone = refusal(503, "x", "all shards failed")
    here.own.says("POST", "/zeebe-record*/_refresh", gone)


class TestTheRecords:
    """The survivor's engine must hold all that the failover engine holds, or exporting goes on."""

    def lacking(self, here: World, *told: str) -> None:
        """Check that the failure left the survivor as it was before the step, and says so."""
        found = B2.fails(here, *told, "exporting-resumed", gives_up_on="records-equal")
        assert_message(found, "survivor-lacks-records", namespace=here.survivor.namespace)
        assert here.orders() == ["pause", "resume"]
        assert set(here.phases.values()) == {"EXPORTING"}
        assert here.web_app_counts() == WEB_APPS
        for document in deployments(here).values():
            assert REPLICAS_ANNOTATION not in document["metadata"]["annotations"]
        assert here.own.place == {}, "no snapshot is taken"

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            pytest.param(
                lambda here: here.takeover.held.positions[3].add(33),
                engines.records_missing(3, 11, 33, 10, 20),
                id="only the failover engine holds one",
            ),
            pytest.param(
                lambda here: here.own.held.positions[2].remove(15),
                engines.records_missing(2, 10, 20, 9, 20),
                id="a gap in the survivor's",
            ),
            pytest.param(
                lambda here: here.own.held.positions.pop(4),
                engines.records_missing(4, 10, 20, 0, None),
                id="the survivor holds none of a partition",
            ),
            pytest.param(
                export_elsewhere,
                search_engine.no_records_found("mine"),
                id="a wrong prefix does not pass for engines that agree",
            ),
            pytest.param(
                answer_no_more,
                "all shards failed",
                id="an engine that answers no more is no reason to stay paused",
            ),
        ],
    )
    def test_what_is_missing_undoes_the_freeze(
        self, here: World, change: Callable[[World], object], told: str
    ) -> None:
        change(here)
        self.lacking(here, told)

    def test_what_a_deposed_leader_had_buffered_is_not_waited_for(
        self, here: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its successor reads nothing in the pause: only exporting that goes on brings it."""
        here.takeover.held.positions[3].add(33)
        leaders = iter(["a", "b"])
        others = itertools.count()
        monkeypatch.setattr(
            zeebe_answers, "leaders", lambda _: {2: str(next(others)), 3: next(leaders, "b")}
        )
        self.lacking(
            here,
            search_engine.records_never_come(
                engines.records_missing(3, 11, 33, 10, 20),
                search_engine.buffered_until_resumed(observed.leader_changed(3, "a", "b")),
            ),
        )

    @pytest.mark.parametrize(("setting", "quiet"), [(None, 10), (7, 14)])
    def test_both_engines_must_be_quiet_for_twice_the_exporters_delay(
        self, here: World, setting: int | None, quiet: int
    ) -> None:
        here.base = flushing_after(setting)
        self.lacking(here, search_engine.records_still_come(quiet))

    def test_those_that_come_late_are_waited_for(self, here: World) -> None:
        """What is buffered is written after the pause, each exporter on its own schedule."""
        here.takeover.held.positions[2] |= {21, 22}
        here.own.arriving = [(1, 21), (2, 21), (1, 22), (2, 22)]
        evidence = B2.prove(here)
        assert "2: 12 records at 11 to 22" in evidence["records"]
        assert here.orders() == ["pause"]

    def test_a_cluster_that_never_exported_anything_has_nothing_to_hold(self, here: World) -> None:
        here.position, here.stuck = 0, True
        here.own.held.positions, here.takeover.held.positions = {}, {}
        assert B2.prove(here)["records"] == ""


def block(number: str, *levels: str) -> Document:
    return {number: {"description": "as the engine words it", "levels": list(levels)}}


CLOSED, DISK = block("4", "read", "write"), block("12", "write", "metadata_write")


class TestWhatWouldFailLater:
    """It is looked for before anything is paused, and named with its remedy."""

    def refused(self, here: World, *told: str) -> None:
        B2.fails(here, "copy-would-fail", *told)
        assert here.orders() == []
        assert here.web_app_counts() == WEB_APPS
        assert here.own.repositories == {}

    @pytest.mark.parametrize(
        ("blocks", "told"),
        [
            pytest.param(
                {"indices": {"audit-2024": CLOSED}},
                engines.indices_closed(["audit-2024"]),
                id="closed",
            ),
            pytest.param(
                {"indices": {"zeebe-record_job": DISK}},
                engines.indices_on_full_disks(["zeebe-record_job"]),
                id="flood stage",
            ),
            pytest.param(
                {"indices": {"a": block("5", "write", "metadata_write")}},
                engines.indices_blocked(["a"]),
                id="read only, so that its copy could not be deleted",
            ),
            pytest.param(
                {"indices": {"a": block("7", "read")}},
                engines.indices_blocked(["a"]),
                id="not to be read",
            ),
            pytest.param(
                {"global": block("6", "write", "metadata_write")},
                engines.engine_blocked("as the engine words it"),
                id="all of it",
            ),
        ],
    )
    def test_a_survivor_s_engine_that_cannot_be_copied(
        self, here: World, blocks: Document, told: Message
    ) -> None:
        here.own.blocks = blocks
        self.refused(here, search_engine.unfit_engine(here.survivor.namespace, told))

    def test_an_index_that_only_takes_no_writes_is_copied(self, here: World) -> None:
        here.own.blocks = {"indices": {"old": block("8", "write"), ".own": CLOSED}}
        B2.prove(here)

    def test_a_recreated_engine_that_is_blocked(self, here: World) -> None:
        here.empty.blocks = {"global": block("13", "write", "metadata_write")}
        self.refused(here, "engine-blocked", here.recreated.namespace)

    def test_one_that_takes_fewer_shards(self, here: World) -> None:
        here.empty.shards_per_node = 3
        self.refused(here, engines.too_few_shards(3, 1, 3, 4))

    def test_one_whose_disks_are_too_small(self, here: World) -> None:
        here.empty.available = 1_000_000
        self.refused(here, engines.disks_too_small(1_000_000, 3_000_000))

    def test_one_that_does_not_tell_is_not_taken_for_fit(self, here: World) -> None:
        here.empty.says("GET", "/_cluster/state/blocks", Reply(200, {}))
        B2.fails(here, "unexpected-form", gives_up_on="engines-can-be-copied")
        assert here.orders() == []

    def test_data_streams_are_not_copied_and_that_is_told(self, here: World) -> None:
        here.own.streams = ("logs-mine", ".watches")
        assert B2.prove(here)["notCopied"] == "data streams logs-mine"
        assert tells(here.said, "data-streams-not-copied")

    def test_persistent_settings_that_could_not_be_put_back(self, here: World) -> None:
        here.own.held.persistent = {"cluster.routing.allocation.exclude._ip": "10.1.2.3"}
        here.empty.says(
            "PUT",
            "/_cluster/settings",
            failure(403, "Forbidden", "cannot update resource services/proxy"),
        )
        B2.fails(here, "settings-not-settable", "cannot update resource")
        assert here.orders() == []

    def test_a_prefix_that_is_a_template_is_read_from_what_runs(
        self, here: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.template(here, monkeypatch, {"value": "mine"})
        B2.fails(here, search_engine.no_records_found("mine"), "exporting-resumed")

    def test_one_that_comes_from_a_config_map_is_refused(
        self, here: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.template(here, monkeypatch, {"value": None, "valueFrom": True})
        self.refused(here, "_ARGS_INDEX_PREFIX")

    def template(
        self, here: World, monkeypatch: pytest.MonkeyPatch, rendered: dict[str, object]
    ) -> None:
        """Let the exporters' prefix be a template, which Helm has rendered so."""
        names = [
            VERSIONS["8.5"].exporter.variable(region, "ARGS_INDEX_PREFIX") for region in (0, 1)
        ]
        template = "{{ .Values.global.elasticsearch.prefix }}"
        here.base["zeebe"]["env"] += [{"name": name, "value": template} for name in names]
        env = [{"name": name, **rendered} for name in names] + flushing_after(0)["zeebe"]["env"]
        monkeypatch.setattr(LiveInstallation, "exporter_environment", lambda _: env)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        pytest.param(
            refusal(400, "illegal_argument_exception", "[bucket] is not set"),
            "[bucket] is not set",
            id="for good",
        ),
        pytest.param(
            refusal(500, "repository_verification_exception", "[camunda_backup] is not accessible"),
            "[camunda_backup] is not accessible",
            id="on every attempt",
        ),
    ],
)
def test_a_repository_that_cannot_be_registered_stops_nothing(
    here: World, reply: Reply, told: str
) -> None:
    here.own.says("POST", REPOSITORY, reply)
    B2.fails(here, told, "look-at-backup", gives_up_on="repository-usable")
    assert here.orders() == []
    assert here.web_app_counts() == WEB_APPS
    assert "PATCH" not in " ".join(here.near.asked)
