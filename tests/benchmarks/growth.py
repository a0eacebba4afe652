"""What grows, and how (`make growth`): partitions and brokers, indices, latency between the regions.

The gates' own judgements are timed on answers made up of so many partitions; the reading of an engine on answers of so
many indices; and the whole of step B2 on two stand-in API servers, of which the recreated region's answers late. Prints
tables, and draws them into docs/develop/growth.svg. Records are `make large-engine`'s.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from clients.cluster.kubernetes import Answer, Cluster, Target
from clients.search_engine import SearchEngine
from dualregion.decision import deletion
from dualregion.observed import zeebe_answers
from dualregion.observed.zeebe_answers import ClusterView, Exporting
from tests.benchmarks.chart import Line, drawn
from tests.checkout import CHECKOUT
from tests.fakes.gates.failback import Gate
from tests.fakes.regions import world

FACTOR = 4
SIZES = ((4, 4), (8, 8), (16, 12), (32, 16), (64, 24))
"""Partitions and brokers."""
INDICES = (50, 500, 1000, 2500, 5000)
LATENCIES = (0, 50, 100, 200)
BROKERS = (4, 12, 24)
ROUNDS = 15
STEP_ROUNDS = 3
"""How often step B2 is taken for each row: it lasts a second or more, most of it waiting."""


def median_ms(look: Callable[[], object]) -> float:
    """Return how long something takes, in milliseconds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        look()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


# --- Partitions and brokers -------------------------------------------------------------------------


def _replicas(partitions: int, brokers: int) -> Iterator[tuple[int, int, bool]]:
    """Yield broker, partition and whether it leads, distributed round robin as Zeebe does."""
    for partition in range(1, partitions + 1):
        for copy in range(FACTOR):
            yield (partition - 1 + copy) % brokers, partition, copy == 0


def topology(partitions: int, brokers: int) -> dict[str, Any]:
    """Return what a gateway answers."""
    held: dict[int, list[dict[str, Any]]] = {each: [] for each in range(brokers)}
    for broker, partition, leads in _replicas(partitions, brokers):
        role = "leader" if leads else "follower"
        held[broker].append({"partitionId": partition, "role": role, "health": "healthy"})
    return {"brokers": [{"nodeId": each, "partitions": held[each]} for each in held]}


def judged(partitions: int, brokers: int) -> float:
    """Return how long it takes to read and judge one look of a gate, in milliseconds."""
    answer = topology(partitions, brokers)
    states = [
        Exporting(f"broker-{broker}", partition, leads, zeebe_answers.PAUSED, 10, 10)
        for broker, partition, leads in _replicas(partitions, brokers)
    ]

    def look() -> None:
        view = ClusterView.of(answer)
        count = {"partition_count": partitions}
        sizes = {**count, "replication_factor": FACTOR}
        found = [
            zeebe_answers.missing_brokers(view, brokers),
            zeebe_answers.partitions_not_ready(view, **count, healthy_replicas=FACTOR),
            zeebe_answers.not_all_in(states, zeebe_answers.PAUSED, **sizes),
            deletion.incomplete_without(view, [], cluster_size=brokers, **sizes),
        ]
        assert found == [None] * 4
        zeebe_answers.distribution(view, **sizes)
        zeebe_answers.exported_positions(states)

    return median_ms(look)


# --- Indices ----------------------------------------------------------------------------------------


class Made:
    """Answers like `clients.cluster.kubernetes.Cluster`, with what was made up before."""

    def __init__(self, indices: int) -> None:
        names = [f"zeebe-record_job_8.5.8_{each:05}" for each in range(indices)]
        shard = {
            "routing": {"primary": True},
            "docs": {"count": 1000},
            "seq_no": {"max_seq_no": 999},
        }
        shards = {"0": {"status": "green", "primary_active": True, "initializing_shards": 0}}
        state = {"number_of_shards": 1, "number_of_replicas": 0, "shards": shards}
        whole = {"_shards": {"failed": 0}}
        self.answers = {
            "_stats": json.dumps(
                whole | {"indices": {each: {"shards": {"0": [shard]}} for each in names}}
            ),
            "_cluster/health": json.dumps(
                {"status": "green", "number_of_nodes": 1, "indices": dict.fromkeys(names, state)}
            ),
            "_refresh": json.dumps(whole),
        }

    def ask(self, _: str, __: Target, path: str, *___: object) -> Answer:
        """Answer what a part of the path names."""
        return Answer(200, next(text for part, text in self.answers.items() if part in path))


def read(indices: int) -> tuple[float, int]:
    """Return how long an engine's marks take to be read, in milliseconds, and how many kilobytes it answers."""
    made = Made(indices)
    engine = SearchEngine(cast(Cluster, made), "here", "camunda")
    assert len(engine.marks()) == indices
    return median_ms(engine.marks), sum(map(len, made.answers.values())) // 1000


# --- Latency ----------------------------------------------------------------------------------------


def b2_seconds(brokers: int, latency_ms: int) -> tuple[float, int]:
    """Return how long step B2 takes, in seconds, and how often it asks the region that is far away: medians of each."""
    seconds, requests = zip(*(_b2(brokers, latency_ms) for _ in range(STEP_ROUNDS)), strict=True)
    return statistics.median(seconds), statistics.median(requests)


def _b2(brokers: int, latency_ms: int) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder, world(1, Path(folder), brokers) as here:
        here.joins()
        here.far.latency = latency_ms / 1000
        began, before = time.perf_counter(), len(here.far.asked)
        Gate("B2").prove(here)
        return time.perf_counter() - began, len(here.far.asked) - before


def main() -> None:
    """Measure, print tables and draw."""
    print("| partitions | brokers | a look judged (ms) |\n|---|---|---|")
    looks = [(partitions, judged(partitions, brokers)) for partitions, brokers in SIZES]
    for (partitions, brokers), (_, taken) in zip(SIZES, looks, strict=True):
        print(f"| {partitions} | {brokers} | {taken:.2f} |")
    print("\n| indices | an engine's shards read (ms) | answers (kB) |\n|---|---|---|")
    reads = [(each, *read(each)) for each in INDICES]
    for indices, taken, size in reads:
        print(f"| {indices} | {taken:.0f} | {size} |")
    print(
        "\n| brokers | latency (ms) | step B2 (s) | requests to the far region |\n|---|---|---|---|"
    )
    steps: dict[int, list[tuple[float, float]]] = {}
    for brokers in BROKERS:
        for latency in LATENCIES:
            seconds, requests = b2_seconds(brokers, latency)
            steps.setdefault(brokers, []).append((latency, seconds))
            print(f"| {brokers} | {latency} | {seconds:.1f} | {requests} |", flush=True)
    charts: Sequence[tuple[str, str, list[Line]]] = (
        ("partitions", "a look judged (ms)", [Line("", looks)]),
        ("indices", "shards read (ms)", [Line("", [(at, taken) for at, taken, _ in reads])]),
        (
            "latency (ms)",
            "step B2 (s)",
            [Line(f"{each} brokers", points) for each, points in steps.items()],
        ),
    )
    target = CHECKOUT / "docs" / "develop" / "growth.svg"
    target.write_text(drawn(charts))


if __name__ == "__main__":
    main()
