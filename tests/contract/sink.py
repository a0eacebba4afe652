"""What stands in for search engines in the contract's tests: it keeps what exporters send, and can refuse it."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.contract.target import Document, Engine
from tests.fakes import http
from tests.fakes.http import serving


@dataclass(frozen=True)
class Request:
    """A request as it came.

    :ivar taken: whether it was carried out.
    """

    at: float
    method: str
    path: str
    content_type: str
    body: str
    taken: bool

    @property
    def ids(self) -> list[str]:
        """The ids of the documents of a bulk."""
        return [action["index"]["_id"] for action in self.actions]

    @property
    def actions(self) -> list[dict[str, Any]]:
        """The action lines of a bulk."""
        return [json.loads(line) for line in self.body.splitlines()[::2]]


@dataclass
class _Kept:
    documents: dict[str, Document] = field(default_factory=dict)
    component_templates: dict[str, Any] = field(default_factory=dict)
    index_templates: dict[str, Any] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)


class Sink(Engine):
    """An HTTP server on a loopback address that takes in templates and bulks."""

    def __init__(self, host: str, port: int) -> None:
        self._kept = _Kept()
        self._lock = threading.Lock()
        self._stopped = False
        self._serving = serving(self._answer, host, port)
        self.url = f"http://{self._serving.__enter__()}"

    def close(self) -> None:
        """End the server."""
        self._serving.__exit__(None, None, None)

    def stop(self) -> None:
        """Refuse everything from now on."""
        self._stopped = True

    def start(self) -> None:
        """Take everything in again."""
        self._stopped = False

    def empty(self) -> None:
        """Forget all records, as brokers that begin again give the same keys and ids again."""
        with self._lock:
            self._kept.documents.clear()

    def documents(self, instance: int) -> list[Document]:
        """Return the records of one process instance."""
        return [
            each
            for each in self.everything()
            if each.source.get("value", {}).get("processInstanceKey") == instance
        ]

    def count(self) -> int:
        """Return how many records there are."""
        return len(self._kept.documents)

    def records(self, process: str) -> list[Document]:
        """Return all records, of other processes too."""
        return self.everything()

    def everything(self) -> list[Document]:
        """Return all records."""
        with self._lock:
            return list(self._kept.documents.values())

    def requests(self) -> list[Request]:
        """Return all requests in the order in which they came."""
        with self._lock:
            return list(self._kept.requests)

    def bulks(self) -> list[Request]:
        """Return all bulks in the order in which they came."""
        return [each for each in self.requests() if each.path.partition("?")[0] == "/_bulk"]

    def templates(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the exporter's component templates and its index templates, each by name."""
        with self._lock:
            return dict(self._kept.component_templates), dict(self._kept.index_templates)

    def _answer(self, asked: http.Request) -> http.Response:
        kind = asked.headers.get("Content-Type", "")
        request = Request(
            time.monotonic(), asked.method, asked.path, kind, asked.body.decode(), not self._stopped
        )
        with self._lock:
            self._kept.requests.append(request)
            status, answer = self._take(request)
        content = {"Content-Type": "application/json"}
        return http.Response(json.dumps(answer).encode(), status, content)

    def _take(self, request: Request) -> tuple[int, Any]:
        if not request.taken:
            return 503, {"error": {"type": "stopped"}, "status": 503}
        plain = request.path.partition("?")[0]
        if plain == "/_bulk":
            return 200, self._bulk(request.body)
        kind, _, name = plain.strip("/").partition("/")
        if request.method == "PUT" and kind == "_component_template":
            self._kept.component_templates[name] = json.loads(request.body)
        if request.method == "PUT" and kind == "_index_template":
            self._kept.index_templates[name] = json.loads(request.body)
        return 200, {"acknowledged": True}

    def _bulk(self, body: str) -> dict[str, Any]:
        lines = body.splitlines()
        items = []
        for action, source in zip(lines[::2], lines[1::2], strict=True):
            index = json.loads(action)["index"]
            document = Document(
                index["_index"], index["_id"], str(index.get("routing", "")), json.loads(source)
            )
            self._kept.documents[document.id] = document
            items.append({"index": {"_index": document.index, "_id": document.id, "status": 201}})
        return {"took": 1, "errors": False, "items": items}
