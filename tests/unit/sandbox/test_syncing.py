"""What brings CoreDNS in the sandbox its Corefile: each state of the ConfigMap, and nothing for one that is gone."""

import json
import ssl
from pathlib import Path
from typing import Any

from sandbox.regions.parts.syncing import follow
from tests.fakes.http import Request, Response, serving


def event(kind: str, **data: str) -> dict[str, Any]:
    document = {"metadata": {"resourceVersion": "7"}} | ({"data": data} if data else {})
    return {"type": kind, "object": document}


def followed(folder: Path, *events: dict[str, Any]) -> str:
    target = folder / "Corefile"
    target.write_text("at the start")
    asked: list[str] = []

    def watch(request: Request) -> Response:
        asked.append(request.path)
        return Response("".join(f"{json.dumps(each)}\n" for each in events).encode())

    with serving(watch) as address:
        follow(f"http://{address}", ssl.create_default_context(), target)
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
