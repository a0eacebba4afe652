"""Starts the search engine and asks it what a rehearsal asks, so that Java sees the classes which that needs.

A program of its own, for a network where nobody else listens on port 9200: `training.py BACKUP COMMAND...`, where
COMMAND starts the engine and becomes it, and BACKUP is the folder in which that may keep snapshots. Exit status 0 only
if all went well.
"""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

START_SECONDS = 600
STOP_SECONDS = 600
"""Ready in 10 s, and ended with the archive written in another 20 s; the machine may be busy."""
PARTITIONS = 4
INDEX = "zeebe-record_process-instance_8.5.8_2026-01-01"
EVERYTHING = "*,-.*"


class Engine:
    """A search engine on this machine's port 9200."""

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask, and return the answer; raises ConnectionError or OSError if it refuses or is not there."""
        connection = http.client.HTTPConnection("127.0.0.1", 9200, timeout=60)
        content = body if isinstance(body, str) else None if body is None else json.dumps(body)
        kind = "application/x-ndjson" if isinstance(body, str) else "application/json"
        try:
            connection.request(method, path, content, {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise ConnectionError(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text)


def main(backup: str, command: Sequence[str]) -> int:
    """Start an engine, ask it all, and end it; return the exit status."""
    engine = Engine()
    with subprocess.Popen(command) as process:
        try:
            _wait_ready(engine, process)
            rehearse(engine, backup)
            process.terminate()
            process.wait(STOP_SECONDS)
        finally:
            process.kill()
    return 0


def _wait_ready(engine: Engine, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            engine.ask("GET", "/_cluster/health?local=true")
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def rehearse(engine: Engine, backup: str) -> None:
    """Ask what brokers, program and drill ask of a search engine: templates, records, snapshot, restore."""
    _write(engine)
    _read(engine)
    location = {"type": "fs", "settings": {"location": backup}}
    engine.ask("POST", "/_snapshot/training", location)
    engine.ask("POST", "/_snapshot/training/_verify")
    taken = {"indices": EVERYTHING, "include_global_state": True, "metadata": {"incident": "none"}}
    engine.ask("POST", "/_snapshot/training/one?wait_for_completion=true", taken)
    engine.ask("GET", "/_snapshot/training/one")
    engine.ask("GET", "/_snapshot/training/one/_status")
    engine.ask("DELETE", f"/{INDEX}?ignore_unavailable=true")
    restored = {"indices": EVERYTHING, "include_global_state": True, "include_aliases": True}
    engine.ask("POST", "/_snapshot/training/one/_restore?wait_for_completion=true", restored)
    engine.ask("GET", "/_recovery?filter_path=*.shards.type,*.shards.source,*.shards.index.size")
    shard = {"index": INDEX, "shard": 0, "primary": True}
    engine.ask("POST", "/_cluster/allocation/explain", shard)
    engine.ask("GET", "/_cat/indices?format=json")
    _read(engine)


def _write(engine: Engine) -> None:
    """Write records as an exporter does, in a few turns, so that new segments come and are merged."""
    properties = {
        "partitionId": {"type": "integer"},
        "position": {"type": "long"},
        "key": {"type": "long"},
        "timestamp": {"type": "date"},
        "intent": {"type": "keyword"},
    }
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    component = {"template": {"settings": settings, "mappings": {"properties": properties}}}
    engine.ask("PUT", "/_component_template/zeebe-record", component)
    template = {
        "index_patterns": ["zeebe-record_process-instance_*"],
        "composed_of": ["zeebe-record"],
        "template": {"aliases": {"zeebe-record-process-instance": {}}},
    }
    engine.ask("PUT", "/_index_template/zeebe-record_process-instance", template)
    for first in range(0, 2000, 200):
        written = engine.ask("POST", "/_bulk", "".join(map(_record, range(first, first + 200))))
        if written["errors"]:
            raise ConnectionError(f"writing records: {json.dumps(written)[:500]}")
        engine.ask("POST", f"/{EVERYTHING}/_refresh")


def _record(number: int) -> str:
    partition, position = number % PARTITIONS + 1, number // PARTITIONS
    action = {
        "_index": INDEX,
        "_id": f"{partition}-{position}",
        "routing": str(partition),
    }
    document = {
        "partitionId": partition,
        "position": position,
        "key": (partition << 51) + position,
        "timestamp": 1_700_000_000_000 + number,
        "intent": "ELEMENT_ACTIVATED",
        "value": {"bpmnElementType": "PROCESS", "bpmnProcessId": "training", "version": 1},
    }
    return f"{json.dumps({'index': action})}\n{json.dumps(document)}\n"


def _read(engine: Engine) -> None:
    engine.ask("GET", "/_cluster/health?level=shards")
    for kind in ("_index_template", "_component_template", "_template"):
        engine.ask("GET", f"/{kind}")
    engine.ask("GET", "/zeebe-record*/_count")
    engine.ask("POST", f"/{EVERYTHING}/_refresh")
    by_index = {"indices": {"terms": {"field": "_index", "size": 10_000}}}
    engine.ask("POST", f"/{EVERYTHING}/_search", {"size": 0, "aggs": by_index})
    term = {"term": {"partitionId": 1}}
    within = {"bool": {"filter": [term, {"range": {"position": {"gte": 0, "lte": 1000}}}]}}
    extremes = {
        "lowest": {"min": {"field": "position"}},
        "highest": {"max": {"field": "position"}},
    }
    partitions = {"partitions": {"terms": {"field": "partitionId", "size": 100}, "aggs": extremes}}
    query = {"bool": {"should": [within], "minimum_should_match": 1}}
    engine.ask("POST", "/zeebe-record*/_search", {"size": 0, "query": query, "aggs": partitions})
    in_order = {
        "size": 1000,
        "_source": False,
        "sort": [{name: {"order": "asc"}} for name in ("partitionId", "position")],
    }
    engine.ask("POST", "/zeebe-record*/_search", in_order)
    engine.ask("POST", "/zeebe-record*/_search", in_order | {"search_after": [2, 100]})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
