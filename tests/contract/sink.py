"""What stands in for search engines in the contract's tests: it keeps what exporters send, and can refuse it."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.contract.target import Document, Engine


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
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                status, answer = sink._take(
                    self.command, self.path, self.headers.get("Content-Type", ""), body
                )
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing: the tests read what was kept."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{host}:{port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

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

    def instances(self, process: str) -> list[int]:
        """Return the keys of a process's instances that were activated."""
        return [
            int(each.source["key"])
            for each in self.everything()
            if each.source["intent"] == "ELEMENT_ACTIVATED"
            and each.source["value"].get("bpmnElementType") == "PROCESS"
            and each.source["value"].get("bpmnProcessId") == process
        ]

    def count(self) -> int:
        """Return how many records there are."""
        return len(self._kept.documents)

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

    def _take(self, method: str, path: str, content_type: str, body: str) -> tuple[int, Any]:
        plain = path.partition("?")[0]
        with self._lock:
            taken = not self._stopped
            request = Request(time.monotonic(), method, path, content_type, body, taken)
            self._kept.requests.append(request)
            if not taken:
                return 503, {"error": {"type": "stopped"}, "status": 503}
            if plain == "/_bulk":
                return 200, self._bulk(body)
            kind, _, name = plain.strip("/").partition("/")
            if method == "PUT" and kind == "_component_template":
                self._kept.component_templates[name] = json.loads(body)
            if method == "PUT" and kind == "_index_template":
                self._kept.index_templates[name] = json.loads(body)
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
