"""The drill's figures, pinned on small timelines: outage, unavailability, gaps, export gaps."""

import json
import random
from itertools import pairwise

import grpc
import pytest
from pyzeebe.errors import ZeebeInternalError

from drill.observation import measure
from drill.observation.load import log as loadlog
from drill.observation.load.load import error_kind
from drill.observation.measure import Ack, ExportSample, Gap

LOSS = 100.0


def key(partition: int, counter: int = 1) -> int:
    return (partition << 51) + counter


def steady(start: float, end: float, step: float = 0.1) -> list[float]:
    return [start + step * i for i in range(round((end - start) / step))]


def sample(at: float, documents: int | None = None, **positions: int) -> ExportSample:
    return ExportSample(at, documents, {int(name[1:]): value for name, value in positions.items()})


def test_real_keys_name_their_partition() -> None:
    # Both were acknowledged by a real broker with two partitions.
    assert measure.partition_of(2251799813685251) == 1
    assert measure.partition_of(4503599627370497) == 2


@pytest.mark.parametrize(
    ("moments", "start", "end", "gaps"),
    [
        pytest.param([], 0, 5, [Gap(0, 5)], id="nothing accepted at all"),
        pytest.param([1, 2, 3, 4], 0, 5, [], id="exactly one second is no gap"),
        pytest.param([1, 2.5], 0, 3, [Gap(1, 2.5)], id="one gap in the middle"),
        pytest.param([3, 0.5, 1.4], 0, 3.5, [Gap(1.4, 3)], id="moments in any order"),
        pytest.param([-1, 0.5], 0, 1, [], id="a gap that began before is cut at the start"),
        pytest.param([-5, 1.2], 0, 2, [Gap(0, 1.2)], id="and counts from the start on"),
        pytest.param([0.5, 9], 0, 3, [Gap(0.5, 3)], id="a gap that lasts at the end is cut there"),
        pytest.param([0.5], 0, 1.2, [], id="a short rest at the end is no gap"),
        pytest.param([2], 2, 2, [], id="nothing to look at"),
    ],
)
def test_gaps(moments: list[float], start: float, end: float, gaps: list[Gap]) -> None:
    assert measure.gaps_between(moments, start, end) == gaps


def test_gaps_and_served_time_add_up_whatever_the_moments() -> None:
    chance = random.Random(5)
    for _ in range(300):
        moments = [chance.uniform(-5, 25) for _ in range(chance.randint(0, 30))]
        gaps = measure.gaps_between(moments, 0, 20)
        assert all(gap.seconds > measure.GAP_SECONDS for gap in gaps)
        assert all(a.end <= b.start for a, b in pairwise(gaps))
        assert not any(gap.start < moment < gap.end for gap in gaps for moment in moments)
        assert measure.unavailable_seconds(moments, 0, 20) == pytest.approx(
            sum(gap.seconds for gap in gaps)
        )
        assert 0 <= measure.unavailable_seconds(moments, 0, 20) <= 20


def test_outage_ends_with_the_first_gap_not_with_what_was_on_its_way() -> None:
    moments = [*steady(90, 100), 100.2, 100.9, *steady(118.6, 130), *steady(140, 150)]
    assert measure.outage_seconds(moments, LOSS, 150) == pytest.approx(18.6)


def test_outage_without_a_gap_is_zero_and_without_an_end_unknown() -> None:
    assert measure.outage_seconds(steady(90, 120), LOSS, 120) == 0.0
    assert measure.outage_seconds(steady(90, 101), LOSS, 200) is None
    assert measure.outage_seconds([], LOSS, 200) is None


def test_unavailable_seconds_counts_every_gap_up_to_the_end_of_the_failover() -> None:
    moments = [*steady(90, 100), *steady(118, 125), *steady(130, 140), *steady(160, 170)]
    whole = measure.unavailable_seconds(moments, LOSS, 170)
    assert whole == pytest.approx((118 - 100) + (130 - 124.9) + (160 - 139.9))
    assert measure.unavailable_seconds(moments, LOSS, 140) == pytest.approx(
        (118 - 100) + (130 - 124.9)
    )


def test_a_partition_without_leader_shows_though_the_others_serve() -> None:
    acks = [Ack(key(1, n), at, at) for n, at in enumerate(steady(100, 120, 0.2))]
    served = [100.5, 105.5, *steady(106, 110, 0.5), *steady(114, 120, 0.5)]
    acks += [Ack(key(2, n), at, at) for n, at in enumerate(served)]
    assert measure.unavailable_seconds([a.at for a in acks], LOSS, 119.9) == 0
    without = measure.unavailable_by_partition(acks, LOSS, 119.9)
    assert without == {1: 0.0, 2: pytest.approx((105.5 - 100.5) + (114 - 109.5))}


def test_the_timeline_has_every_second_also_the_silent_ones() -> None:
    counts = measure.acks_per_second([98.5, 99.5, 99.6, 102.1, 250], LOSS, 98, 103)
    assert counts == {-2: 1, -1: 2, 0: 0, 1: 0, 2: 1, 3: 0}


def test_growth_is_what_exceeds_everything_seen_before() -> None:
    # A follower that lags behind is asked after the leader was lost: 40, then it catches up.
    series = [(1.0, 100), (2.0, 100), (3.0, 40), (4.0, 100), (5.0, 101), (6.0, 101), (7.0, 200)]
    assert measure.growth_moments(series) == [5.0, 7.0]


def test_export_resumes_at_the_end_of_the_longest_stall() -> None:
    flushed_after_loss = [(99.0, 10), (100.5, 20), (103.0, 30)]
    resumed = [(150.0, 31), (155.0, 40), (160.0, 50)]
    assert measure.resumed_after([*flushed_after_loss, *resumed], LOSS) == pytest.approx(50)


@pytest.mark.parametrize(
    "series",
    [
        pytest.param([], id="never seen"),
        pytest.param([(99.0, 10), (101.0, 10), (200.0, 10)], id="never grew after the loss"),
        pytest.param([(99.0, 10), (101.0, 11), (180.0, 11)], id="flushed, then stalled for good"),
    ],
)
def test_export_that_has_not_resumed_has_no_moment(series: list[tuple[float, int]]) -> None:
    assert measure.resumed_after(series, LOSS) is None


def test_export_gap_waits_for_documents_and_for_the_last_partition() -> None:
    samples = [
        sample(99, 10, p1=5, p2=5),
        sample(101, None, p1=5, p2=5),
        sample(120, 20, p1=6, p2=5),
        sample(130, 30, p1=7, p2=5),
        sample(140, 40, p1=8, p2=6),
        sample(145, 50, p1=9, p2=7),
    ]
    assert measure.export_gap_seconds(samples, LOSS, [1, 2]) == pytest.approx(40)
    assert measure.export_gap_seconds(samples, LOSS, [1]) == pytest.approx(20)
    assert measure.export_gap_seconds(samples, LOSS, [1, 2, 3]) is None
    assert measure.export_gap_seconds([], LOSS, [1]) is None


def test_a_partition_has_moved_only_when_it_went_beyond_what_was_known_before() -> None:
    samples = [
        sample(99, p1=50, p2=50, p3=50),
        sample(110, p1=10, p2=51),
        sample(120, p1=50, p2=52, p3=51),
    ]
    assert measure.partitions_moved(samples, 115, [1, 2, 3]) == {2, 3}
    assert measure.partitions_moved(samples, 120, [1, 2, 3]) == set()


@pytest.mark.parametrize(
    ("states", "seconds"),
    [
        pytest.param([(10, False), (20, True), (21, True), (30, False)], 10, id="once"),
        pytest.param([(20, True), (25, None), (30, False)], 10, id="a sample that knows nothing"),
        pytest.param([(20, True), (30, False), (40, True), (45, False)], 15, id="twice"),
        pytest.param([(-5, True), (3, False)], 3, id="begun before, cut at the start"),
        pytest.param([(90, True)], 10, id="lasts at the end, cut there"),
        pytest.param([(30, False), (20, True)], 10, id="in any order"),
        pytest.param([(5, False), (99, False)], 0, id="never"),
        pytest.param([(20, None)], None, id="unknown"),
        pytest.param([(120, True)], None, id="not sampled in time"),
        pytest.param([(120, True), (10, False)], 0, id="what came later does not count"),
    ],
)
def test_seconds_in_a_sampled_state(
    states: list[tuple[float, bool | None]], seconds: float | None
) -> None:
    assert measure.seconds_in_state(states, 0, 100) == seconds


@pytest.mark.parametrize(
    ("states", "span"),
    [
        pytest.param([(20, True), (30, False), (40, True), (45, False)], (20, 45), id="twice"),
        pytest.param([(-5, True), (3, False)], (0, 3), id="begun before, cut at the start"),
        pytest.param([(90, True)], (90, 100), id="lasts at the end, cut there"),
        pytest.param([(5, False)], None, id="never"),
        pytest.param([(20, None)], None, id="unknown"),
    ],
)
def test_a_sampled_state_is_there_from_first_to_last(
    states: list[tuple[float, bool | None]], span: tuple[float, float] | None
) -> None:
    assert measure.span_in_state(states, 0, 100) == span


def test_equal_errors_share_a_kind_whatever_the_numbers_in_them() -> None:
    def refused(details: str) -> grpc.aio.AioRpcError:
        empty = grpc.aio.Metadata()
        return grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, empty, empty, details)

    one = refused("Connection{channel=[id: 0x1f4c9fca, L:/10.180.0.7:44312]} was closed")
    other = refused("Connection{channel=[id: 0xb22e0b11, L:/10.180.0.7:51200]} was closed")
    assert error_kind(one) == error_kind(ZeebeInternalError(other))
    assert error_kind(one).startswith("INTERNAL: Connection")
    assert error_kind(one) != error_kind(refused("No handler registered"))
    assert error_kind(TimeoutError()) == "no answer in time"


def log_lines() -> list[str]:
    entries = [
        {"event": "start", "at": 1.0},
        {"event": "errors", "at": 1.1, "counts": {"deploy: UNAVAILABLE: no": 1}},
        {"event": "deployed", "at": 1.2},
        {"event": "ack", "key": key(1), "sent": 2.0, "at": 2.1, "wall": 5},
        {"event": "tunnel", "at": 2.2, "why": "lost connection to pod"},
        {"event": "errors", "at": 3.0, "counts": {"no answer in time": 2}},
        {"event": "late", "at": 3.5, "seconds": 0.7},
        {"event": "errors", "at": 4.0, "counts": {"no answer in time": 3}},
        {"event": "ack", "key": key(2), "sent": 4.0, "at": 4.1, "wall": 7},
        {"event": "end", "reason": "told to stop", "at": 5.0, "totals": {}},
    ]
    return [json.dumps(entry) + "\n" for entry in entries]


def test_the_load_log_is_read_back_as_written() -> None:
    log = loadlog.parse(log_lines())
    assert [ack.key for ack in log.acks] == [key(1), key(2)]
    assert log.moments == [2.1, 4.1]
    assert log.errors == {"deploy: UNAVAILABLE: no": 1, "no answer in time": 5}
    assert (log.tunnels_ended, log.late_seconds) == (1, (0.7,))
    assert log.ended == "told to stop"
    assert log.partitions_since(0) == {1, 2}
    assert log.partitions_since(2.0) == {2}


def test_a_log_that_is_still_being_written_is_read_up_to_its_last_whole_line() -> None:
    *whole, last = log_lines()
    log = loadlog.parse([*whole, last[:17]])
    assert len(log.acks) == 2
    assert log.ended is None


def test_logs_of_several_clients_are_one() -> None:
    first = loadlog.parse(log_lines())
    second = loadlog.LoadLog(
        acks=(Ack(key(3), 9.0, 9.1),), errors={"no answer in time": 1}, tunnels_ended=2
    )
    log = loadlog.merged([first, second])
    assert [ack.key for ack in log.acks] == [key(1), key(2), key(3)]
    assert log.errors == {"deploy: UNAVAILABLE: no": 1, "no answer in time": 6}
    assert (log.tunnels_ended, log.late_seconds) == (3, (0.7,))
    assert loadlog.merged([]) == loadlog.LoadLog()


@pytest.mark.parametrize(
    ("gaps", "covered", "outside"),
    [
        pytest.param([Gap(0, 10)], [], 10, id="nothing covers it"),
        pytest.param([Gap(0, 10)], [Gap(-5, 20)], 0, id="all is covered"),
        pytest.param([Gap(0, 10)], [Gap(2, 5), Gap(4, 6), Gap(3, 4)], 6, id="they overlap"),
        pytest.param([Gap(0, 10)], [Gap(8, 12), Gap(-1, 1)], 7, id="in any order, over the ends"),
        pytest.param([Gap(0, 2), Gap(5, 7)], [Gap(1, 6)], 2, id="two gaps"),
        pytest.param([Gap(0, 2)], [Gap(3, 4)], 2, id="elsewhere"),
        pytest.param([], [Gap(3, 4)], 0, id="no gap"),
    ],
)
def test_seconds_outside_of_what_covers_them(
    gaps: list[Gap], covered: list[Gap], outside: float
) -> None:
    assert measure.seconds_outside(gaps, covered) == outside
