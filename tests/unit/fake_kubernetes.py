"""A small Kubernetes API on loopback, for the real client to talk to.

It holds plain documents of the shape that a real API server serves, answers the few paths that the
hooks use (lists with label selectors, single objects, deletes with a uid precondition, server-side
apply of ConfigMaps, and the proxy to services and pods), and keeps a record of what it was asked.
What lies behind the proxy is a table of answers; a list of answers is given out one by one, the last
one for good, so that a test can let time pass.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Document = dict[str, Any]
TOKEN = "the-right-token"
_PROXY = "/proxy/"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: a document, or a text as it is."""

    status: int
    body: Any = ""

    @property
    def content(self) -> bytes:
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


def failure(status: int, reason: str, message: str) -> Reply:
    """Return an error as an API server words it."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": status,
    }
    return Reply(status, body)


@dataclass
class FakeKubernetes:
    """The API server's memory.

    :ivar objects: documents by the path of their collection and their name.
    :ivar proxied: answers by method and path behind the proxy.
    :ivar asked: every request as `METHOD path`, in order.
    :ivar bodies: the JSON bodies of what was written, by the same text.
    """

    url: str = ""
    objects: dict[str, dict[str, Document]] = field(default_factory=dict)
    proxied: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    broken: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def put(self, collection: str, *documents: Document) -> None:
        """Keep documents in a collection; one of the same name is replaced."""
        kept = self.objects.setdefault(collection, {})
        for document in documents:
            kept[document["metadata"]["name"]] = document

    def behind(self, target: str, path: str, *replies: Reply, method: str = "GET") -> None:
        """Set what a service or pod answers, `target` being e.g. `camunda-london/services/x:8080`."""
        self.proxied[method, f"/api/v1/namespaces/{target}{_PROXY}{path.lstrip('/')}"] = list(
            replies
        )

    def deleted(self) -> list[str]:
        """Return the names of what was deleted, in order."""
        return [each.rsplit("/", 1)[1] for each in self.asked if each.startswith("DELETE")]

    def answer(self, method: str, target: str, headers: Any, body: Any) -> Reply:
        """Answer one request."""
        parts = urlsplit(target)
        with self.lock:
            self.asked.append(f"{method} {parts.path}")
            if body is not None:
                self.bodies[f"{method} {parts.path}"] = body
            if headers.get("Authorization") != f"Bearer {TOKEN}":
                return failure(401, "Unauthorized", "Unauthorized")
            if parts.path in self.broken:
                return self.broken[parts.path]
            if _PROXY in parts.path:
                return self._proxy(method, parts.path)
            return self._object(method, parts.path, parse_qs(parts.query), headers, body)

    def _proxy(self, method: str, path: str) -> Reply:
        replies = self.proxied.get((method, path))
        if replies:
            return replies.pop(0) if len(replies) > 1 else replies[0]
        kind, target = path.split(_PROXY, maxsplit=1)[0].split("/")[-2:]
        name = target.split(":")[0]
        return failure(404, "NotFound", f'{kind} "{name}" not found')

    def _object(
        self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: Any
    ) -> Reply:
        collection, _, name = path.rpartition("/")
        if path in self.objects or name in _KINDS:
            return self._list(path, query)
        found = self.objects.get(collection, {}).get(name)
        if method == "PATCH":
            assert headers["Content-Type"] == "application/apply-patch+yaml"
            return self._apply(collection, name, found, body)
        if found is None:
            kind = collection.rsplit("/", 1)[1]
            return failure(404, "NotFound", f'{kind} "{name}" not found')
        if method == "DELETE":
            return self._delete(collection, name, found, body)
        return Reply(200, found)

    def _list(self, collection: str, query: dict[str, list[str]]) -> Reply:
        wanted = dict(
            pair.split("=")
            for selector in query.get("labelSelector", ())
            for pair in selector.split(",")
        )
        items = [
            document
            for document in self.objects.get(collection, {}).values()
            if wanted.items() <= document["metadata"].get("labels", {}).items()
        ]
        return Reply(200, {"kind": "List", "metadata": {"resourceVersion": "7"}, "items": items})

    def _apply(self, collection: str, name: str, found: Document | None, body: Any) -> Reply:
        merged = dict(found or body)
        merged["data"] = dict((found or {}).get("data", {})) | body["data"]
        self.put(collection, merged)
        return Reply(200, merged)

    def _delete(self, collection: str, name: str, found: Document, body: Any) -> Reply:
        uid = ((body or {}).get("preconditions") or {}).get("uid")
        if uid not in (None, found["metadata"].get("uid")):
            return failure(409, "Conflict", "the UID in the precondition does not match")
        del self.objects[collection][name]
        return Reply(200, found)


_KINDS = (
    "pods",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "events",
    "statefulsets",
    "deployments",
    "networkpolicies",
)


@contextmanager
def serving() -> Iterator[FakeKubernetes]:
    """Serve an empty API on loopback."""
    fake = FakeKubernetes()
    fake.put("/api/v1/namespaces", {"metadata": {"name": "kube-system", "uid": "1"}})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = (
            -1
        )  # One packet for each answer: two would wait for each other's acknowledgement.

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            body = yaml.safe_load(text) if text else None
            reply = fake.answer(self.command, self.path, self.headers, body)
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing: pytest shows the record if a test fails."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig(folder: Path, url: str, *contexts: str, token: str = TOKEN) -> str:
    """Write a kubeconfig whose contexts all lead to one API server; return its path."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in contexts],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return str(path)


def broker_pods(
    namespace: str,
    count: int,
    *,
    revision: str = "new",
    env: Sequence[Document] = (),
    release: str = "camunda",
) -> list[Document]:
    """Return ready broker pods as the chart's StatefulSet makes them."""
    return [
        {
            "metadata": {
                "name": f"{release}-zeebe-{ordinal}",
                "namespace": namespace,
                "uid": f"{namespace}-{ordinal}-{revision}",
                "labels": {
                    "app.kubernetes.io/component": "zeebe-broker",
                    "app.kubernetes.io/instance": release,
                    "controller-revision-hash": revision,
                },
            },
            "spec": {"containers": [{"name": "zeebe", "image": "zeebe", "env": list(env)}]},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [
                    {
                        "name": "zeebe",
                        "image": "zeebe",
                        "imageID": "",
                        "ready": True,
                        "restartCount": 0,
                        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                    }
                ],
            },
        }
        for ordinal in range(count)
    ]


def stateful_set(
    count: int, *, env: Sequence[Document] = (), release: str = "camunda", **status: Any
) -> Document:
    """Return the brokers' StatefulSet, rolled out unless `status` says otherwise."""
    name = f"{release}-zeebe"
    labels = {"app.kubernetes.io/component": "zeebe-broker"}
    return {
        "metadata": {"name": name, "generation": 3},
        "spec": {
            "replicas": count,
            "serviceName": name,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "zeebe", "image": "zeebe", "env": list(env)}]},
            },
        },
        "status": {
            "observedGeneration": 3,
            "replicas": count,
            "readyReplicas": count,
            "updateRevision": "new",
        }
        | status,
    }


def search_engine(replicas: int, ready: int | None, release: str = "camunda") -> Document:
    """Return the search engine's StatefulSet with so many ready nodes."""
    labels = {"app.kubernetes.io/name": "elasticsearch", "app.kubernetes.io/instance": release}
    name = f"{release}-elasticsearch-master"
    return {
        "metadata": {"name": name, "generation": 1},
        "spec": {
            "replicas": replicas,
            "serviceName": f"{name}-hl",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": []}},
        },
        "status": {"observedGeneration": 1, "replicas": replicas, "readyReplicas": ready},
    }


def topology(
    hosts: dict[int, str],
    *,
    partitions: int = 8,
    factor: int = 4,
    size: int = 8,
    leaderless: Sequence[int] = (),
    unhealthy: Sequence[int] = (),
) -> Document:
    """Return a gateway's answer to `GET /v1/topology`.

    :param hosts: the namespace of each broker in sight, by broker id; the chart's ordinals follow.
    :param leaderless: partitions without a leader.
    :param unhealthy: brokers whose replicas are not healthy.
    """
    holders = {
        partition: [
            broker
            for broker in ((partition - 1 + offset) % size for offset in range(factor))
            if broker in hosts
        ]
        for partition in range(1, partitions + 1)
    }
    ordinals: dict[str, int] = {}
    listed = []
    for broker, namespace in sorted(hosts.items()):
        ordinal = ordinals.setdefault(namespace, 0)
        ordinals[namespace] += 1
        listed.append(
            {
                "nodeId": broker,
                "host": f"camunda-zeebe-{ordinal}.camunda-zeebe.{namespace}.svc",
                "port": 26501,
                "partitions": [
                    {
                        "partitionId": partition,
                        "role": "leader"
                        if holding[0] == broker and partition not in leaderless
                        else "follower",
                        "health": "unhealthy" if broker in unhealthy else "healthy",
                    }
                    for partition, holding in holders.items()
                    if broker in holding
                ],
                "version": "8.5.8",
            }
        )
    return {
        "brokers": listed,
        "clusterSize": size,
        "partitionsCount": partitions,
        "replicationFactor": factor,
        "gatewayVersion": "8.5.8",
    }


def partition_states(
    roles: dict[int, str], *, exported: int = 10, processed: int = 12, phase: str = "EXPORTING"
) -> Document:
    """Return a broker's answer to `GET /actuator/partitions`."""
    return {
        str(partition): {
            "role": role,
            "processedPosition": processed,
            "snapshotId": None,
            "processedPositionInSnapshot": None,
            "streamProcessorPhase": "PROCESSING" if role == "LEADER" else "REPLAY",
            "exporterPhase": phase,
            "exportedPosition": exported,
            "clock": {"instant": "2026-01-01T00:00:00Z", "modificationType": "None"},
            "health": {"id": f"Partition-{partition}", "status": "HEALTHY", "children": []},
        }
        for partition, role in roles.items()
    }


NO_SUCH_TASK = Reply(
    404,
    {
        "type": "about:blank",
        "title": "NOT_FOUND",
        "status": 404,
        "detail": "Command 'COMPLETE' rejected with code 'NOT_FOUND': no such user task",
        "instance": "/v1/user-tasks/1/completion",
    },
)
"""What a partition at work answers to the completion of a user task that does not exist."""
