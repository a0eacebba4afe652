"""How long B2's looks take on a search engine that holds many records (`make large-engine RECORDS=3000000`).

The real search engine, in a network of its own, is given records as an exporter writes them. At each power of ten on
the way and at the whole, each call of the look is timed as step B2 makes it: what was written, which is asked again and
again, and the counting, of the records of an incident and of all records, which is asked once the engines are quiet.
Prints a table, and draws it into docs/develop/growth-records.svg.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from clients.cluster.kubernetes import Answer, Cluster, Target
from clients.search_engine import SearchEngine
from dualregion.observed.search_engine.records import PartitionRecords
from sandbox.setup.parts import java
from sandbox.setup.parts.classes import FILES
from sandbox.setup.parts.training import PARTITIONS, Engine
from tests.benchmarks.chart import Line, drawn
from tests.benchmarks.spread import spread
from tests.checkout import CHECKOUT

ENGINE = Engine()
ROUNDS = 9
BATCH = 5_000
INCIDENT_RECORDS = 20_000
"""How many records of each partition a failover installation's engine holds: those since the loss."""
INDEX = "zeebe-record_process-instance_8.5.8_2026-01-{day:02}"
POWERS = (10_000, 100_000, 1_000_000)
LOOKS = ("what was written", "an incident's records counted", "all counted")
_START_SECONDS = 300


class Direct:
    """Answers like `clients.cluster.kubernetes.Cluster`, of a search engine on this machine."""

    def ask(
        self, method: str, _: Target, path: str, body: Any = None, seconds: float = 0
    ) -> Answer:
        """Send a request to the engine, which has the time that the client gives it."""
        return Answer(200, json.dumps(ENGINE.ask(method, path, body)))


@contextmanager
def engine() -> Iterator[SearchEngine]:
    """Run the sandbox's search engine, with the heap of a small production one."""
    folder = Path(tempfile.mkdtemp(prefix="large-engine-"))
    home, runtime = folder / "opensearch", java.runtime_part().folder
    shutil.copytree(FILES, home)
    (home / "lib").symlink_to(java.opensearch_part().folder / "lib")
    (folder / "tmp").mkdir()
    env = {
        "PATH": f"{runtime}/jre/bin:{os.environ['PATH']}",
        "OPENSEARCH_HOME": str(home),
        "TMPDIR": str(folder / "tmp"),
        "DATA_DIR": str(folder / "data"),
        "ELASTICSEARCH_FS_SNAPSHOT_REPO_PATH": str(folder / "backup"),
        "ELASTICSEARCH_HEAP_SIZE": "1g",
        "MY_POD_IP": "127.0.0.1",
    }
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        ["bash", str(home / "start.sh")], env=env, stdout=log, stderr=subprocess.STDOUT
    )
    found = SearchEngine(cast(Cluster, Direct()), "here", "camunda")
    try:
        _wait_ready(process, folder / "log")
        yield found
    finally:
        process.terminate()
        process.wait()
        log.close()
        shutil.rmtree(folder)


def _wait_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _demand("GET", "/_cluster/health?local=true")
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the search engine does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.5)


def _demand(method: str, path: str, body: Any = None) -> None:
    found = ENGINE.ask(method, path, body)
    if found.get("errors"):
        sys.exit(f"{method} {path}: {json.dumps(found)[:500]}")


def write(first: int, last: int) -> None:
    """Write records `first` to `last`, a hundred thousand of each partition in one index, as a day's."""
    for at in range(first, last, BATCH):
        _demand("POST", "/_bulk", "".join(map(_record, range(at, min(at + BATCH, last)))))
        if at % 100_000 == 0:
            print(f"  {at} written", file=sys.stderr)


def _record(number: int) -> str:
    partition, position = number % PARTITIONS + 1, number // PARTITIONS
    index = INDEX.format(day=1 + position // 100_000)
    action = {"_index": index, "_id": f"{partition}-{position}", "routing": str(partition)}
    document = {
        "partitionId": partition,
        "position": position,
        "key": (partition << 51) + position,
        "timestamp": 1_700_000_000_000 + number,
        "value": {"bpmnProcessId": "orders", "version": 1},
    }
    return f"{json.dumps({'index': action})}\n{json.dumps(document)}\n"


def amounts(records: int) -> tuple[int, ...]:
    """Return at how many records the looks are timed: powers of ten, and the whole."""
    return (*(each for each in POWERS if each < records), records)


def main(records: int) -> None:
    """Measure, print a table and draw it."""
    medians: dict[str, list[tuple[float, float]]] = {each: [] for each in LOOKS}
    with engine() as asked:
        _make_template()
        print(f"| records | {' | '.join(f'{each} (ms)' for each in LOOKS)} |")
        print("|---" * (1 + len(LOOKS)) + "|")
        before = 0
        for amount in amounts(records):
            write(before, amount)
            before = amount
            taken = [_timed(look) for look in _looks(asked, amount)]
            for name, times in zip(LOOKS, taken, strict=True):
                medians[name].append((amount, statistics.median(times)))
            cells = " | ".join(spread(each, 1) for each in taken)
            print(f"| {amount:,} | {cells} |", flush=True)
    lines = [Line(name, points) for name, points in medians.items()]
    target = CHECKOUT / "docs" / "develop" / "growth-records.svg"
    target.write_text(drawn([("records", "a look (ms)", lines)]))


def _make_template() -> None:
    properties = {name: {"type": "long"} for name in ("partitionId", "position", "key")}
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    template = {"settings": settings, "mappings": {"properties": properties}}
    made = {"index_patterns": ["zeebe-record*"], "template": template}
    _demand("PUT", "/_index_template/records", made)


def _looks(asked: SearchEngine, amount: int) -> tuple[Callable[[], object], ...]:
    """Return the looks at an engine that holds so many records, in the order of `LOOKS`."""
    counted = asked.records()
    if sum(each.count for each in counted.values()) != amount:
        sys.exit(f"{amount} were written, and counted: {counted}")
    highest = amount // PARTITIONS - 1
    incident = PartitionRecords(0, max(0, highest - INCIDENT_RECORDS), highest)
    ranges = dict.fromkeys(range(1, PARTITIONS + 1), incident)
    return asked.record_marks, lambda: asked.records(within=ranges), asked.records


def _timed(look: Callable[[], object]) -> list[float]:
    """Return how long a look takes each time, in milliseconds."""
    taken = []
    for _ in range(ROUNDS):
        # Else it would give the same answer again without counting.
        _demand("POST", "/_cache/clear")
        began = time.monotonic()
        look()
        taken.append((time.monotonic() - began) * 1000)
    return taken


if __name__ == "__main__":
    main(int(sys.argv[1]))
