"""From the pause on nothing fails silently: whatever it is, it says that exporters are paused, and what goes on or back.

And what a step has proved in hours is not lost by one answer that the record's own write gets.
"""

import json
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from clients import installation
from clients.cluster.kubernetes import CallFailed, Cluster
from dualregion.errors import DualRegionError
from dualregion.procedure import CAMUNDA_8_5
from steps import actions, failback, paused_exporters
from steps.search_engine import copying, engines
from tests.fakes.gates.failback import Gate
from tests.fakes.kubernetes import Document, FakeKubernetes, Reply, failure
from tests.fakes.regions import WEB_APPS, World
from tests.raising import assert_tells, tells

B2, B3, B4, B5 = (Gate(step) for step in ("B2", "B3", "B4", "B5"))
DEBUG_POD: Document = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "camunda-zeebe-0-debug",
        "namespace": "camunda-london",
        "labels": {
            "app.kubernetes.io/component": "zeebe-broker",
            "app.kubernetes.io/instance": "camunda",
        },
    },
    "spec": {"containers": [{"name": "zeebe", "image": "busybox"}]},
}
"""A public report's: made by hand, with the labels of the brokers."""


def raising(error: Exception) -> Callable[..., Any]:
    def act(*_: object, **__: object) -> None:
        raise error

    return act


def test_where_no_broker_says_anything_exporters_may_be_paused(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No broker answers, so none seems paused: web apps would be scaled back while the engine is to be copied."""
    here.freezes()
    monkeypatch.setattr(installation, "exporting", lambda _: ())
    assert_tells(paused_exporters.paused_now(here.ctx("B2")), "pause-unknown", "no-broker-answered")


class TestAnyFailure:
    """Of any class, at any depth, also of an unforeseen look."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.freezes()
        return here

    @pytest.mark.parametrize(
        "error",
        [
            TypeError("int() argument must be a string, not 'NoneType'"),
            ValueError("no JSON: token=secret"),
            KeyError("max_seq_no"),
            RuntimeError("cannot start new thread"),
            OSError("disk full"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_it_is_loud_and_shows_neither_a_trace_nor_what_the_answer_held(
        self, here: World, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        monkeypatch.setattr(copying, "copy_unless_copied", raising(error))
        with pytest.raises(DualRegionError) as caught:
            B3.prove(here)
        assert_tells(
            caught.value.message, "exporters-paused", "program-fault", type(error).__name__
        )
        assert_tells(caught.value.message, "test_paused_exporters.py:")
        for held in ("secret", "Traceback"):
            assert not tells(caught.value.message, held)
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("gate", [B2, B3], ids=["B2", "B3"])
    def test_an_engine_that_is_gone_ends_it_and_nothing_is_done_any_more(
        self, here: World, monkeypatch: pytest.MonkeyPatch, gate: Gate
    ) -> None:
        monkeypatch.setattr(failback, "_pause", raising(grpc.RpcError()))
        monkeypatch.setattr(failback, "_verify_exporters_paused", raising(grpc.RpcError()))
        here.say_phase("EXPORTING")
        with pytest.raises(grpc.RpcError):
            gate.prove(here)
        assert here.web_app_counts() == dict.fromkeys(WEB_APPS, 0)

    def test_without_a_pause_it_is_what_it_was(
        self, here: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here.say_phase("EXPORTING")
        monkeypatch.setattr(failback, "_verify_exporters_paused", raising(TypeError("x")))
        with pytest.raises(TypeError):
            B3.prove(here)

    def test_brokers_that_tell_nothing_are_not_taken_for_exporting(
        self, here: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(failback, "_verify_exporters_paused", raising(TypeError("x")))
        for namespace, ordinal in here.phases:
            target = f"{namespace}/pods/camunda-zeebe-{ordinal}:9600"
            here.fake_of(namespace).behind(target, "/actuator/partitions", Reply(200, "no JSON"))
        with pytest.raises(DualRegionError) as caught:
            B3.prove(here)
        assert_tells(caught.value.message, "pause-unknown")

    def test_one_in_the_freeze_scales_the_web_apps_back_if_nothing_is_paused(
        self, here: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here.say_phase("EXPORTING")
        monkeypatch.setattr(failback, "_pause", raising(TypeError("x")))
        with pytest.raises(TypeError):
            B2.prove(here)
        assert here.web_app_counts() == WEB_APPS

    def test_a_repository_that_fails_while_the_pause_of_an_earlier_run_lasts(
        self, here: World
    ) -> None:
        here.own.says("POST", "/_snapshot/camunda_backup", Reply(400, {"error": {}}))
        B2.fails(here, "camunda_backup", paused=True)
        assert here.web_app_counts() == dict.fromkeys(WEB_APPS, 0)


def test_an_operator_who_interrupts_a_step_is_told_of_the_pause(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.freezes()
    told: list[str | None] = []
    monkeypatch.setattr(
        failback,
        "_verify_exporters_paused",
        lambda *_: told.append(paused_exporters.notice_of_interruption()),
    )
    assert paused_exporters.notice_of_interruption() is None
    B3.prove(here)
    assert_tells(told[0], "exporters-paused", "perhaps-paused")
    assert paused_exporters.notice_of_interruption() is None


class TestABareDebugPod:
    """It bears the brokers' labels, and is none of them."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.freezes()
        for fake in (here.near, here.far):
            for namespace in here.namespaces:
                path = f"/api/v1/namespaces/{namespace}/pods"
                if path in fake.objects:
                    fake.put(path, json.loads(json.dumps(DEBUG_POD)))
                    named = DEBUG_POD["metadata"] | {"name": "camunda-zeebe-7"}
                    fake.put(path, DEBUG_POD | {"metadata": named})
        return here

    def test_it_is_no_broker(self, here: World) -> None:
        B2.prove(here)
        B3.prove(here)


class TestTheRecord:
    """What is proved is written down, and tried again while that may help."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.freezes()
        return here

    def write(self, here: World, *refusals: Reply, gives_up_on: str | None = None) -> None:
        left, answer = list(refusals), FakeKubernetes.answer

        def busy(method: str, target: str, headers: Any, body: Any) -> Reply:
            if method == "PATCH" and "/configmaps/dual-region-b3" in target and left:
                return left.pop(0)
            return answer(here.near, method, target, headers, body)

        here.near.answer = busy  # type: ignore[method-assign]
        ctx = here.ctx("B3")
        object.__setattr__(ctx, "gives_up_on", gives_up_on)
        actions.write_record(ctx, CAMUNDA_8_5.steps_by_id["B3"], "dual-region-b3", {"start": "1"})

    def written(self, here: World) -> dict[str, Document]:
        path = f"/api/v1/namespaces/{here.survivor.namespace}/configmaps"
        return here.near.objects.get(path, {})

    @pytest.mark.parametrize(
        "refusal",
        [
            failure(429, "TooManyRequests", "try again"),
            failure(503, "ServiceUnavailable", "no etcd"),
            failure(409, "Conflict", "changed"),
        ],
        ids=["throttled", "unavailable", "in conflict"],
    )
    def test_what_may_pass_is_tried_again(self, here: World, refusal: Reply) -> None:
        self.write(here, refusal, refusal)
        assert self.written(here)["dual-region-b3"]["data"] == {"start": "1"}

    @pytest.mark.parametrize(
        ("refusal", "told"),
        [
            (failure(403, "Forbidden", "cannot patch"), ("record-not-written", "Forbidden")),
            (failure(503, "ServiceUnavailable", "no etcd"), ("record-written", "no etcd")),
        ],
        ids=["forbidden", "unavailable for good"],
    )
    def test_one_that_cannot_be_written_is_loud_about_the_pause(
        self, here: World, refusal: Reply, told: tuple[str, ...]
    ) -> None:
        with pytest.raises(DualRegionError) as caught:
            self.write(here, *[refusal] * 1000, gives_up_on="record-written")
        assert_tells(caught.value.message, "exporters-paused", "look-at-api-server", "B3", *told)


@pytest.mark.parametrize("body", ["<html>log in</html>", "[]", '{"kind": "PodList", "items": 7}'])
def test_an_api_server_s_answer_out_of_form_is_no_answer(
    cluster: Cluster, kubernetes: FakeKubernetes, body: str
) -> None:
    """As of a portal or a proxy in between."""
    kubernetes.broken["/api/v1/namespaces/camunda-london/pods"] = Reply(200, body)
    with pytest.raises(CallFailed) as caught:
        cluster.pods("camunda-london", "")
    assert "log in" not in str(caught.value)


@pytest.mark.parametrize(
    "body", ["no JSON", "[]", '{"1": null}', '{"one": {}}', '{"1": {"exportedPosition": "x"}}']
)
def test_a_broker_s_answer_out_of_form_is_no_answer(here: World, body: str) -> None:
    here.freezes()
    target = f"{here.survivor.namespace}/pods/camunda-zeebe-1:9600"
    here.near.behind(target, "/actuator/partitions", Reply(200, body))
    B3.waits(
        here,
        "exporters-stay-paused",
        hint="back-out-if-resumed",
        paused=True,
    )


def test_engines_are_the_same_whichever_stack_asks(here: World) -> None:
    ours, theirs = here.ctx("B4", "survivor"), here.ctx("B4", "recreated")
    for ask in (engines.surviving_engine, engines.failover_engine, engines.recreated_engine):
        assert (ask(ours).namespace, ask(ours).cluster.context) == (
            ask(theirs).namespace,
            ask(theirs).cluster.context,
        )
    assert engines.recreated_engine(ours).seconds == 120
