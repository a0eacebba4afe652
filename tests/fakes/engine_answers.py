"""What a real search engine answers (OpenSearch 2.11.1), shortened, for the tests of the judgements."""

from typing import Any

from dualregion.observed.search_engine.snapshots import Snapshot, snapshot_of
from tests.fakes.kubernetes import Document


def finished(state: str = "SUCCESS", **changes: Any) -> Document:
    """Return a real engine's answer about a finished snapshot."""
    snapshot = {
        "snapshot": "failback-1",
        "uuid": "LF36jkPvSCiP_XhzBknI5g",
        "version": "2.11.1",
        "indices": ["tasklist-empty", "operate-nested"],
        "data_streams": [],
        "include_global_state": True,
        "metadata": {"incident": "region1-lost"},
        "state": state,
        "failures": [],
        "shards": {"total": 3, "failed": 0, "successful": 3},
    }
    return {"snapshots": [snapshot | changes]}


def snapshot(answer: Document | None = None) -> Snapshot:
    found = snapshot_of(answer or finished())
    assert found is not None
    return found
