"""What brings CoreDNS in the sandbox its Corefile: each state of the ConfigMap, and nothing for one that is gone."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from sandbox.regions.parts.syncing import follow


def event(kind: str, **data: str) -> dict[str, Any]:
    document = {"metadata": {"resourceVersion": "7"}} | ({"data": data} if data else {})
    return {"type": kind, "object": document}


@contextmanager
def answering(*events: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Serve a watch that says these events and ends; yield its URL and what it is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            for each in events:
                self.wfile.write(f"{json.dumps(each)}\n".encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def followed(folder: Path, *events: dict[str, Any]) -> str:
    target = folder / "Corefile"
    target.write_text("at the start")
    with answering(*events) as (url, asked):
        follow(url, ssl.create_default_context(), target)
    assert asked == [
        "/api/v1/namespaces/kube-system/configmaps?watch=true&fieldSelector=metadata.name%3Dcoredns"
    ]
    assert [path.name for path in folder.iterdir()] == ["Corefile"]
    return target.read_text()


def test_the_last_state_counts(tmp_path: Path) -> None:
    events = (event("ADDED", Corefile="one"), event("MODIFIED", Corefile="two\r\n", other="x"))
    with_line_ends = followed(tmp_path, *events)
    assert with_line_ends == "two\n", "as Python reads it"
    assert (tmp_path / "Corefile").read_bytes() == b"two\r\n"


def test_one_that_is_gone_leaves_the_last_one_in_place(tmp_path: Path) -> None:
    gone = (event("DELETED", Corefile="two"), event("ADDED"), event("MODIFIED", other="x"))
    assert followed(tmp_path, event("ADDED", Corefile="one"), *gone) == "one"
    assert followed(tmp_path, event("ERROR", Corefile="no")) == "at the start"
