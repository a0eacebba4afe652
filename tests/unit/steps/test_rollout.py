"""Restarting brokers in turn, against a StatefulSet that lives: its controller, its nodes, its delays.

A partition of four replicas survives one broker that is down, not two. So whatever the start, and wherever
an earlier run was killed: never may a broker be ended while another is down, and in the end all run the new
configuration and the StatefulSet rolls out by itself again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest

from clients.cluster.kubernetes import Cluster
from clients.installation import LiveInstallation
from dualregion.errors import DeadlineExceeded
from messages import code_of
from messages.clients import installations as messages
from messages.steps import progress, steps
from sandbox.patience import allowed
from steps.polling import Waiting
from steps.releases import rollout
from tests.fakes.kubernetes import (
    Document,
    FakeKubernetes,
    LivingBrokers,
    broker_pods,
    stateful_set,
)
from tests.raising import assert_tells, fails_with, raises, tells

NAMESPACE = "camunda-paris"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
STATEFUL_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets"
ROLLS_BY_ITSELF = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
SIZES = (2, 4, 6)
"""How many brokers a region has in clusters of 4, 8 and 12."""


def even(ordinal: int) -> bool:
    return ordinal % 2 == 0


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Mortal:
    """Counts what a client writes, and kills it at one of these: just before, or just after it took effect."""

    cluster: Cluster
    at: int = 0
    after: bool = False
    written: int = 0
    _send: Callable[..., Any] = field(init=False)

    def __post_init__(self) -> None:
        self._send = self.cluster._api.call_api
        self.cluster._api.call_api = self._send_or_die  # type: ignore[method-assign]

    def live_on(self) -> None:
        self.cluster._api.call_api = self._send  # type: ignore[method-assign]

    def _send_or_die(self, method: str, *rest: Any, **more: Any) -> Any:
        self.written += method != "GET"
        dies = method != "GET" and self.written == self.at
        if dies and not self.after:
            raise Killed
        answer = self._send(method, *rest, **more)
        if dies:
            raise Killed
        return answer


@dataclass
class Region:
    """A region's brokers, and the hook that brings them to a new configuration."""

    cluster: Cluster
    brokers: LivingBrokers
    said: list[str] = field(default_factory=list)

    def hold(self) -> None:
        rollout.hold(LiveInstallation(self.cluster, NAMESPACE, "camunda"), self.said.append)

    def roll(self, deadline: float = 20) -> None:
        rollout.roll(
            LiveInstallation(self.cluster, NAMESPACE, "camunda", self.brokers.sleeps),
            **self._how(deadline),
        )

    def wake(self) -> None:
        rollout.wake(
            LiveInstallation(self.cluster, NAMESPACE, "camunda", even),
            **self._how(20),
        )

    def _how(self, deadline: float) -> dict[str, Any]:
        return {
            "waiting": Waiting("B4", self.said.append, allowed(deadline), poll_seconds=0),
            "complete": self.brokers.complete,
            "say": self.said.append,
        }

    def check_renewed(self) -> None:
        assert self.brokers.faults == []
        assert self.brokers.revisions == [self.brokers.revision] * self.brokers.count
        assert self.brokers.strategy == ROLLS_BY_ITSELF
        assert self.brokers.down() == []


@pytest.fixture
def region(cluster: Cluster, kubernetes: FakeKubernetes) -> Callable[..., Region]:
    """Return a maker of regions; the one made last is the one that lives."""

    def make(
        count: int,
        *,
        failing_back: bool = False,
        environments: Mapping[str, Sequence[Document]] | None = None,
    ) -> Region:
        kubernetes.objects.clear()
        kubernetes.asked.clear()
        brokers = LivingBrokers(
            kubernetes, NAMESPACE, count, failing_back, environments=environments or {}
        )
        return Region(cluster, brokers)

    return make


MakeRegion = Callable[..., Region]
by_size = pytest.mark.parametrize("count", SIZES)
by_mode = pytest.mark.parametrize("failing_back", [False, True], ids=["all awake", "half asleep"])


def renew_half(region: Region, renewed: tuple[bool, ...], revision: str) -> None:
    """Let some of the brokers run the new configuration already, as an earlier run has left them."""
    region.brokers.pass_time(5 if any(renewed) else 0)
    for pod, done in zip(region.brokers.pods.values(), renewed, strict=True):
        if done:
            pod["metadata"]["labels"]["controller-revision-hash"] = revision


@by_size
@by_mode
def test_an_update_that_is_held_restarts_nothing(
    region: MakeRegion, count: int, failing_back: bool
) -> None:
    here = region(count, failing_back=failing_back)
    here.hold()
    here.brokers.update("revision-2", failing_back=failing_back)
    here.brokers.pass_time(50)
    assert here.brokers.restarts == []
    assert here.brokers.stateful_set["status"]["updateRevision"] == "revision-2"


def test_an_update_that_is_not_held_restarts_brokers(region: MakeRegion) -> None:
    """The test above can fail."""
    here = region(2)
    here.brokers.update("revision-2", failing_back=False)
    here.brokers.pass_time(50)
    assert here.brokers.restarts == [1, 0]


def test_what_is_held_is_not_held_twice(region: MakeRegion, kubernetes: FakeKubernetes) -> None:
    here = region(2)
    here.hold()
    kubernetes.asked.clear()
    here.hold()
    assert not any(each.startswith("PATCH") for each in kubernetes.asked)
    assert len(here.said) == 1


def test_nothing_is_held_where_nothing_is_installed(cluster: Cluster) -> None:
    said: list[str] = []
    rollout.hold(LiveInstallation(cluster, NAMESPACE, "camunda"), said.append)
    rollout.release_hold(LiveInstallation(cluster, NAMESPACE, "camunda"))
    assert said == []


def test_a_hold_that_an_interrupted_roll_left_behind_holds_helms_update_too(
    region: MakeRegion,
) -> None:
    """`OnDelete` does not outlast Helm's update, as the chart sets the type."""
    here = region(2)
    here.brokers.stateful_set["spec"]["updateStrategy"] = {"type": "OnDelete"}
    here.hold()
    here.brokers.update("revision-2", failing_back=False)
    here.brokers.pass_time(50)
    assert here.brokers.restarts == []


@pytest.mark.parametrize(
    "strategy",
    [{"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}],
    ids=["by hand", "held"],
)
def test_what_is_held_is_let_go(region: MakeRegion, strategy: Document) -> None:
    here = region(2)
    here.brokers.stateful_set["spec"]["updateStrategy"] = strategy
    rollout.release_hold(LiveInstallation(here.cluster, NAMESPACE, "camunda"))
    assert here.brokers.strategy == ROLLS_BY_ITSELF


def test_what_is_not_held_is_left_alone(region: MakeRegion, kubernetes: FakeKubernetes) -> None:
    here = region(2)
    kubernetes.asked.clear()
    rollout.release_hold(LiveInstallation(here.cluster, NAMESPACE, "camunda"))
    assert [each.split()[0] for each in kubernetes.asked] == ["GET"]


def starts(count: int) -> Iterator[tuple[bool, ...]]:
    """Return which brokers may be renewed already: every combination, of six a choice."""
    every = list(product((False, True), repeat=count))
    return iter(every if count < 6 else every[::13])


@by_size
@by_mode
@pytest.mark.parametrize("by_hand", [False, True], ids=["held", "by hand already"])
def test_every_broker_is_renewed_in_turn_whatever_has_been_done_already(
    region: MakeRegion, count: int, failing_back: bool, by_hand: bool
) -> None:
    for renewed in starts(count):
        here = region(count, failing_back=failing_back)
        here.hold()
        here.brokers.update("revision-2", failing_back=failing_back)
        renew_half(here, renewed, "revision-2")
        if by_hand:
            here.brokers.stateful_set["spec"]["updateStrategy"] = {"type": "OnDelete"}
        here.roll()
        here.check_renewed()
        stale = [ordinal for ordinal in reversed(range(count)) if not renewed[ordinal]]
        assert here.brokers.restarts == stale, renewed


@by_size
@by_mode
@pytest.mark.parametrize("state", ["ending", "starting", "gone"])
def test_a_broker_that_is_down_at_the_start_is_waited_for(
    region: MakeRegion, kubernetes: FakeKubernetes, count: int, failing_back: bool, state: str
) -> None:
    ordinals = sorted({0, 1, count - 1})
    for ordinal, renewed in product(ordinals, (False, True)):
        here = region(count, failing_back=failing_back)
        here.hold()
        here.brokers.update("revision-2", failing_back=failing_back)
        renew_half(here, (renewed,) * count, "revision-2")
        pod = here.brokers.pods[ordinal]
        if state == "ending":
            here.brokers.end(pod)
        elif state == "starting":
            pod["status"] = {"phase": "Pending"}
            here.brokers._ages[pod["metadata"]["uid"]] = 0
        else:
            del kubernetes.objects[PODS][pod["metadata"]["name"]]
        here.roll()
        here.check_renewed()


def killed_everywhere(
    region: MakeRegion, prepare: Callable[[], Region], work: str
) -> Iterator[tuple[Region, str]]:
    """Kill the work at each thing that it writes, before and after, and run it again at once or later.

    With six brokers each is only killed after one thing written: before the next one is much the same.
    """
    here = prepare()
    whole = Mortal(here.cluster)
    getattr(here, work)()
    whole.live_on()
    here.check_renewed()
    assert whole.written > 2
    whens = [(True, 4)] if here.brokers.count == 6 else list(product((False, True), (0, 15)))
    for at, (after, later) in product(range(1, whole.written + 1), whens):
        here = prepare()
        mortal = Mortal(here.cluster, at, after)
        with pytest.raises(Killed):
            getattr(here, work)()
        mortal.live_on()
        here.brokers.pass_time(later)
        getattr(here, work)()
        yield here, f"killed {'after' if after else 'before'} write {at}, again {later} later"


@by_size
@by_mode
def test_a_roll_that_is_killed_anywhere_is_said_again(
    region: MakeRegion, count: int, failing_back: bool
) -> None:
    def prepare() -> Region:
        here = region(count, failing_back=failing_back)
        here.hold()
        here.brokers.update("revision-2", failing_back=failing_back)
        return here

    for here, where in killed_everywhere(region, prepare, "roll"):
        here.check_renewed()
        assert sorted(here.brokers.restarts) == list(range(count)), where


def half_asleep_and_updated(region: MakeRegion, count: int) -> Region:
    """Return a recreated region at B7: rolled once at B4, and its release is without the failback mode now."""
    here = region(count, failing_back=True)
    here.hold()
    here.brokers.update("revision-2", failing_back=True)
    renew_half(here, (True,) * count, "revision-2")
    here.hold()
    here.brokers.update("revision-3", failing_back=False)
    return here


@by_size
def test_sleepers_wake_first_and_each_broker_is_restarted_once(
    region: MakeRegion, count: int
) -> None:
    here = half_asleep_and_updated(region, count)
    here.wake()
    here.check_renewed()
    sleepers = [ordinal for ordinal in range(count) if even(ordinal)]
    others = [ordinal for ordinal in reversed(range(count)) if not even(ordinal)]
    assert here.brokers.restarts == sleepers + others


@by_size
def test_a_waking_that_is_killed_anywhere_is_said_again(region: MakeRegion, count: int) -> None:
    for here, where in killed_everywhere(
        region, lambda: half_asleep_and_updated(region, count), "wake"
    ):
        here.check_renewed()
        assert sorted(here.brokers.restarts) == list(range(count)), where


def test_who_woke_by_accident_is_not_taken_for_asleep(region: MakeRegion) -> None:
    """Its node was drained after Helm's update: it is awake in an old revision, and is rolled like the others."""
    here = half_asleep_and_updated(region, 4)
    here.brokers.pass_time(5)
    here.brokers.end(here.brokers.pods[0])
    here.brokers.pass_time(20)
    assert here.brokers.revisions[0] == "revision-1", (
        "held, it comes back in the very first revision"
    )
    here.brokers.restarts.clear()
    here.wake()
    here.check_renewed()
    assert here.brokers.restarts == [2, 3, 1, 0]


def test_who_woke_by_accident_is_restarted_only_while_every_partition_is_complete(
    region: MakeRegion,
) -> None:
    here = half_asleep_and_updated(region, 4)
    here.brokers.pass_time(5)
    here.brokers.end(here.brokers.pods[0])
    here.brokers.pass_time(20)
    here.brokers.restarts.clear()
    answers, own = (
        iter([None, *["healthy replicas of partition 3: 3 of 4"] * 5]),
        here.brokers.complete,
    )

    def complete() -> str | None:
        reason = own()
        return next(answers, None) if here.brokers.restarts == [2, 3, 1] and not reason else reason

    here.brokers.complete = complete  # type: ignore[method-assign]
    here.wake()
    here.check_renewed()
    assert next(answers, None) is None, (
        "the last one was restarted while a partition was incomplete"
    )


def test_a_gateway_that_calls_partitions_complete_too_early_wakes_and_restarts_no_broker(
    region: MakeRegion,
) -> None:
    here = half_asleep_and_updated(region, 4)
    early, own = iter([None] * 9), here.brokers.complete

    def complete() -> str | None:
        if next(early, "no more") is None:
            assert here.brokers.restarts == []
            return None
        return own()

    here.brokers.complete = complete  # type: ignore[method-assign]
    here.wake()
    here.check_renewed()
    assert here.brokers.restarts == [0, 2, 3, 1]


def test_with_everybody_awake_a_waking_is_a_roll(region: MakeRegion) -> None:
    here = region(4)
    here.hold()
    here.brokers.update("revision-2", failing_back=False)
    here.wake()
    here.check_renewed()
    assert here.brokers.restarts == [3, 2, 1, 0]


def test_nothing_left_to_do_restarts_nothing(region: MakeRegion) -> None:
    here = region(4)
    here.wake()
    here.roll()
    here.check_renewed()
    assert here.brokers.restarts == []


def test_no_broker_is_restarted_while_a_partition_is_incomplete(region: MakeRegion) -> None:
    """A broker of another installation may be down: the gateway sees them all."""
    here = region(2)
    here.hold()
    here.brokers.update("revision-2", failing_back=False)
    reasons = iter(["healthy replicas of partition 3: 3 of 4"] * 5)
    own = here.brokers.complete

    def complete() -> str | None:
        reason = next(reasons, None)
        if reason:
            assert here.brokers.restarts == []
        return reason or own()

    here.brokers.complete = complete  # type: ignore[method-assign]
    here.roll()
    here.check_renewed()
    assert next(reasons, None) is None


def test_a_broker_that_is_down_counts_before_the_gateway_has_noticed(region: MakeRegion) -> None:
    here = region(2)
    here.hold()
    here.brokers.update("revision-2", failing_back=False)
    here.brokers.pass_time(5)
    here.brokers.complete = lambda: None  # type: ignore[method-assign]
    slow = here.brokers.pods[0]
    slow["status"], here.brokers._ages[slow["metadata"]["uid"]] = {"phase": "Pending"}, -30
    here.roll()
    here.check_renewed()
    assert here.brokers.restarts == [1, 0]


def test_what_a_roll_waits_for_in_vain_is_named(region: MakeRegion) -> None:
    here = region(2)
    here.hold()
    here.brokers.update("revision-2", failing_back=False)
    here.brokers.complete = lambda: "healthy replicas of partition 3: 3 of 4"  # type: ignore[method-assign]
    with raises("deadline-exceeded", DeadlineExceeded) as caught:
        here.roll(deadline=2)
    kubectl = f"kubectl --context cluster-london -n {NAMESPACE}"
    assert_tells(
        caught.value.message,
        steps.broker_renewed("camunda-zeebe-1", NAMESPACE, False),
        steps.look_at_pods(kubectl),
        "restart-delayed",
        "healthy replicas of partition 3: 3 of 4",
    )
    assert here.brokers.restarts == []


def crashing(brokers: LivingBrokers, ordinal: int) -> None:
    """Let a broker crash for ever in the configuration that it has."""
    pod = waiting_for(brokers.pods[ordinal], "CrashLoopBackOff", "")
    brokers._asleep.add(pod["metadata"]["uid"])


def test_a_broker_that_crashes_in_its_old_configuration_is_replaced_at_once(
    region: MakeRegion,
) -> None:
    """No partition becomes complete with it, so waiting for that would be for ever."""
    here = region(2)
    here.hold()
    here.brokers.update("revision-2", failing_back=False)
    crashing(here.brokers, 1)
    here.roll()
    here.check_renewed()
    assert here.brokers.restarts == [1, 0]


def test_while_a_broker_crashes_no_other_one_is_restarted(region: MakeRegion) -> None:
    here = region(2)
    here.hold()
    here.brokers.update("revision-2", failing_back=False)
    crashing(here.brokers, 0)
    with fails_with("restart-delayed", "camunda-zeebe-1", kind=DeadlineExceeded):
        here.roll(deadline=0.3)
    assert here.brokers.restarts == []


def test_brokers_that_are_not_installed_are_told(cluster: Cluster) -> None:
    said: list[str] = []
    missing = messages.no_stateful_set("camunda-zeebe", NAMESPACE)
    with raises("deadline-exceeded", DeadlineExceeded, last_seen=missing):
        rollout.roll(
            LiveInstallation(cluster, NAMESPACE, "camunda"),
            waiting=Waiting("B4", said.append, 0.05, poll_seconds=0),
            complete=lambda: None,
            say=said.append,
        )


def test_the_restarts_are_said(region: MakeRegion) -> None:
    here = half_asleep_and_updated(region, 2)
    here.said.clear()
    here.wake()
    restarts = [each for each in here.said if code_of(each) == "restarting"]
    assert restarts == [
        progress.restarting("camunda-zeebe-0", NAMESPACE, progress.wakes()),
        progress.restarting("camunda-zeebe-1", NAMESPACE, progress.old_configuration()),
    ]


def ready(pod: Document) -> Document:
    return pod


def asleep(pod: Document) -> Document:
    pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    return pod


def waiting_for(pod: Document, reason: str, message: str) -> Document:
    state = {"waiting": {"reason": reason, "message": message}}
    pod["status"]["containerStatuses"][0] |= {"ready": False, "state": state}
    return asleep(pod)


def ending(pod: Document) -> Document:
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return pod


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({}, None, id="as expected"),
        pytest.param(
            {2: ready},
            messages.broker_awake("camunda-zeebe-2", NAMESPACE),
            id="one is awake",
        ),
        pytest.param(
            {3: asleep},
            messages.broker_not_ready("camunda-zeebe-3", NAMESPACE, None),
            id="one is not ready",
        ),
        pytest.param(
            {3: lambda pod: waiting_for(pod, "ImagePullBackOff", "no such image")},
            messages.broker_not_ready(
                "camunda-zeebe-3",
                NAMESPACE,
                messages.container_waits("camunda-zeebe-3", "ImagePullBackOff", "no such image"),
            ),
            id="one cannot start",
        ),
        pytest.param(
            {0: lambda pod: waiting_for(pod, "CrashLoopBackOff", "")},
            messages.broker_not_asleep(
                "camunda-zeebe-0",
                NAMESPACE,
                messages.container_waits("camunda-zeebe-0", "CrashLoopBackOff", ""),
            ),
            id="a sleeping one crashes",
        ),
        pytest.param(
            {1: ending},
            messages.broker_missing("camunda-zeebe-1", NAMESPACE),
            id="one is ending",
        ),
        pytest.param(
            {0: None},
            messages.broker_missing("camunda-zeebe-0", NAMESPACE),
            id="one is missing",
        ),
    ],
)
def test_whether_half_of_the_brokers_sleep(
    cluster: Cluster,
    kubernetes: FakeKubernetes,
    change: dict[int, Callable[[Document], Document] | None],
    told: str | None,
) -> None:
    kubernetes.put(STATEFUL_SETS, stateful_set(4, readyReplicas=2))
    for ordinal, pod in enumerate(broker_pods(NAMESPACE, 4)):
        usual = asleep if even(ordinal) else ready
        changed = change.get(ordinal, usual)
        if changed is not None:
            kubernetes.put(PODS, changed(pod))
    assert rollout.asleep_as_expected(LiveInstallation(cluster, NAMESPACE, "camunda", even)) == told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (None, messages.no_stateful_set("camunda-zeebe", NAMESPACE)),
        (stateful_set(2, observedGeneration=2), "not-yet-observed"),
    ],
    ids=["not installed", "only just installed"],
)
def test_before_there_are_brokers_none_sleeps(
    cluster: Cluster, kubernetes: FakeKubernetes, found: Document | None, told: str
) -> None:
    kubernetes.put(STATEFUL_SETS, *([found] if found else []))
    reason = rollout.asleep_as_expected(LiveInstallation(cluster, NAMESPACE, "camunda", even))
    assert reason is not None
    assert_tells(reason, told)


REWRITTEN = {
    "revision-1": [{"name": "POINTS", "value": "own"}, {"name": "POINTS", "value": "both"}],
    "revision-2": [{"name": "POINTS", "value": "both"}],
    "revision-3": [{"name": "POINTS", "value": "own"}],
}
"""What Helm's merge makes of a name that stands twice: revision 2 says the same, 3 does not."""


def rewritten(region: MakeRegion, count: int, revision: str, *, failing_back: bool) -> Region:
    """Return a region whose release was updated, held, with nothing new but its environment's writing."""
    here = region(count, failing_back=failing_back, environments=REWRITTEN)
    here.hold()
    here.brokers.update(revision, failing_back=failing_back, checksum="revision-1")
    here.brokers.pass_time(10)
    assert here.brokers.stateful_set["status"]["updateRevision"] == revision
    return here


@by_size
@by_mode
def test_an_update_that_brokers_see_nothing_of_restarts_none(
    region: MakeRegion, count: int, failing_back: bool
) -> None:
    here = rewritten(region, count, "revision-2", failing_back=failing_back)
    here.roll()
    assert here.brokers.restarts == []
    assert here.brokers.revisions == ["revision-1"] * count
    assert here.brokers.strategy == ROLLS_BY_ITSELF
    # Nor does the controller, now that the hold has ended.
    here.brokers.pass_time(50)
    assert here.brokers.restarts == []
    assert here.brokers.stateful_set["status"]["updateRevision"] == "revision-1"
    assert tells(here.said, "update-reverted")


@by_size
@by_mode
def test_an_update_that_gives_brokers_another_value_restarts_all(
    region: MakeRegion, count: int, failing_back: bool
) -> None:
    here = rewritten(region, count, "revision-3", failing_back=failing_back)
    here.roll()
    assert here.brokers.restarts == list(reversed(range(count)))
    assert here.brokers.revisions == ["revision-3"] * count


@by_size
def test_brokers_of_several_revisions_are_brought_to_the_new_one(
    region: MakeRegion, count: int
) -> None:
    here = rewritten(region, count, "revision-2", failing_back=False)
    renew_half(here, (True, *[False] * (count - 1)), "revision-2")
    here.roll()
    here.check_renewed()


@by_size
@by_mode
def test_killed_while_nothing_is_restarted_and_said_again(
    region: MakeRegion, count: int, failing_back: bool
) -> None:
    whole = rewritten(region, count, "revision-2", failing_back=failing_back)
    mortal = Mortal(whole.cluster)
    whole.roll()
    mortal.live_on()
    assert mortal.written > 2
    for at, after in product(range(1, mortal.written + 1), (False, True)):
        here = rewritten(region, count, "revision-2", failing_back=failing_back)
        dying = Mortal(here.cluster, at, after)
        with pytest.raises(Killed):
            here.roll()
        dying.live_on()
        here.roll()
        assert here.brokers.restarts == []
        assert here.brokers.strategy == ROLLS_BY_ITSELF
