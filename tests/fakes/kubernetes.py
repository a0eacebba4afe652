"""A small Kubernetes API on loopback, for the real client to talk to.

It holds plain documents of the shape that a real API server serves, answers the few paths that the
hooks use (lists with label selectors, single objects, deletes with a uid precondition, server-side
apply of ConfigMaps, merge patches of StatefulSets, Deployments and ConfigMaps, also with the version that
they are of, and the proxy to services and pods),
and keeps a record of what it was asked. What lies behind the proxy is a table of answers; a list of
answers is given out one by one, the last one for good, so that a test can let time pass. What the table
does not answer, something that lives there may (`lives`).

Nothing moves by itself, unless `LivingBrokers` plays the StatefulSet's controller and the kubelet.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import urllib3
import yaml

from clients.cluster.kubernetes import Answer, Cluster, Target
from tests.fakes import http
from tests.fakes.http import Request, Response

Document = dict[str, Any]
Answering = Callable[[str, str, Any], "Reply | None"]
"""What lives behind the proxy: asked with method, path and body, it answers, or knows no such path."""
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


FORWARDED = "X-Forwarded-Into-A-Pod"
"""Marks what reaches a pod past the proxy, which reads nothing of it."""
LOGIN = "X-Login-Of-What-Is-Forwarded"
"""The header by which such a request logs in: the double's own takes its place."""
ENGINE_PORT = 9200


def forwarded(
    cluster: Cluster,
    target: Target,
    request: tuple[str, str, str | None, Mapping[str, str]],
    seconds: float,
    tls: Any = None,
) -> Answer:
    """Ask as a connection into a pod does; in place of `clients.cluster.forward._exchange`.

    Pods of the gateway answer as its Service, those of a search engine for themselves.
    """
    del tls
    method, path, text, headers = request
    is_gateway = target.port != ENGINE_PORT
    place = "services/camunda-zeebe-gateway" if is_gateway else f"pods/{target.name}"
    login = {LOGIN: headers["Authorization"]} if "Authorization" in headers else {}
    answer = urllib3.PoolManager(ssl_context=cluster.access.tls).request(
        method,
        f"{cluster.access.server}/api/v1/namespaces/{target.namespace}/{place}:{target.port}/proxy{path}",
        body=text,
        headers={**headers, "Authorization": f"Bearer {TOKEN}", FORWARDED: target.name, **login},
        timeout=seconds,
    )
    return Answer(answer.status, answer.data.decode())


@dataclass
class FakeKubernetes:
    """The API server's memory.

    :ivar objects: documents by the path of their collection and their name.
    :ivar proxied: answers by method and path behind the proxy.
    :ivar living: what answers for itself behind the proxy, by target, where `proxied` has nothing.
    :ivar broken: what a path answers whatever is asked.
    :ivar answers: what it answers to one method.
    :ivar queries: the queries of all that was to be written only to try it out.
    :ivar query: the query of the request that is being answered.
    :ivar managers: the field managers in whose names something was written.
    :ivar latency: how many seconds each answer is on its way.
    :ivar asked: every request as `METHOD path`, in order.
    :ivar headers: each request's headers.
    :ivar bodies: the JSON bodies of what was written, by the same text.
    :ivar tick: called before each answer: time passes for what lives in the cluster.
    :ivar delete_pod: what a delete of a pod does; it is gone at once if nothing lives there.
    """

    url: str = ""
    objects: dict[str, dict[str, Document]] = field(default_factory=dict)
    proxied: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    living: dict[str, Answering] = field(default_factory=dict)
    broken: dict[str, Reply] = field(default_factory=dict)
    answers: dict[tuple[str, str], Reply] = field(default_factory=dict)
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    query: dict[str, list[str]] = field(default_factory=dict)
    managers: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)
    tick: Callable[[], None] = lambda: None
    latency: float = 0.0
    delete_pod: Callable[[Document], None] | None = None

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

    def lives(self, target: str, answer: Answering) -> None:
        """Let a function answer what is asked of a service or pod and not set with `behind`."""
        self.living[f"/api/v1/namespaces/{target}"] = answer

    def stamp(self) -> str:
        """Return what the server's clock says: a second passes with each request."""
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=len(self.asked))
        return now.isoformat()

    def deleted(self) -> list[str]:
        """Return the names of what was deleted, in order."""
        return [each.rsplit("/", 1)[1] for each in self.asked if each.startswith("DELETE")]

    def answer(self, method: str, target: str, headers: Any, body: Any) -> Reply:
        """Answer one request."""
        parts = urlsplit(target)
        time.sleep(self.latency)
        with self.lock:
            self.tick()
            self.asked.append(f"{method} {parts.path}")
            self.headers.append(headers)
            if body is not None:
                self.bodies[f"{method} {parts.path}"] = body
            if headers.get("Authorization") != f"Bearer {TOKEN}":
                return failure(401, "Unauthorized", "Unauthorized")
            if (method, parts.path) in self.answers:
                return self.answers[method, parts.path]
            query = self.query = parse_qs(parts.query)
            self.managers.update(query.get("fieldManager", ()))
            if "dryRun" in query and _PROXY not in parts.path:
                self.queries.append(query)
                return Reply(201 if method == "POST" else 200, body)
            if parts.path in self.broken:
                return self.broken[parts.path]
            if _PROXY in parts.path and "dryRun" in query and FORWARDED not in headers:
                return failure(400, "BadRequest", "dryRun is not supported")
            if _PROXY in parts.path:
                return self._proxy(method, parts.path, body)
            return self._object(method, parts.path, parse_qs(parts.query), headers, body)

    def _proxy(self, method: str, path: str, body: Any) -> Reply:
        replies = self.proxied.get((method, path))
        if replies:
            return replies.pop(0) if len(replies) > 1 else replies[0]
        place, _, asked = path.partition(_PROXY)
        lively = self.living.get(place)
        found = lively(method, f"/{asked}", body) if lively else None
        if found is not None:
            return found
        kind, target = place.split("/")[-2:]
        name = target.split(":")[0]
        return failure(404, "NotFound", f'{kind} "{name}" not found')

    def _object(
        self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: Any
    ) -> Reply:
        collection, _, name = path.rpartition("/")
        if path in self.objects or name in _KINDS:
            return self._list(path, query)
        found = self.objects.get(collection, {}).get(name)
        applied = headers.get("Content-Type") == "application/apply-patch+yaml"
        if method == "PATCH" and applied:
            return self._apply(collection, name, found, body)
        if found is None:
            kind = collection.rsplit("/", 1)[1]
            return failure(404, "NotFound", f'{kind} "{name}" not found')
        if method == "PATCH":
            assert headers["Content-Type"] in _MERGE_PATCHES
            return self._merge(collection, found, body)
        if method == "DELETE":
            return self._delete(collection, name, found, body)
        return Reply(200, of_kind(collection, found))

    def _list(self, collection: str, query: dict[str, list[str]]) -> Reply:
        wanted = [
            pair for selector in query.get("labelSelector", ()) for pair in selector.split(",")
        ]
        items = [
            document
            for document in self.objects.get(collection, {}).values()
            if all(_bears(document["metadata"].get("labels", {}), pair) for pair in wanted)
        ]
        kind = f"{_KINDS.get(collection.rsplit('/', 1)[1], '')}List"
        return Reply(200, {"kind": kind, "metadata": {"resourceVersion": "7"}, "items": items})

    def _apply(self, collection: str, name: str, found: Document | None, body: Any) -> Reply:
        merged = dict(found or body)
        merged["data"] = dict((found or {}).get("data", {})) | body["data"]
        changed = {"manager": "m", "operation": "Apply", "time": self.stamp()}
        fields = [{**changed, "fieldsV1": {"f:data": {}}}]
        merged["metadata"] = {**merged["metadata"], "managedFields": fields}
        self.put(collection, merged)
        return Reply(200, of_kind(collection, merged))

    def _merge(self, collection: str, found: Document, body: Document) -> Reply:
        version = found["metadata"].get("resourceVersion", "1")
        if body.get("metadata", {}).get("resourceVersion", version) != version:
            return failure(409, "Conflict", "the object has been modified")
        merged = _merged(found, body)
        merged["metadata"]["resourceVersion"] = str(int(version) + 1)
        strategy = merged.get("spec", {}).get("updateStrategy", {})
        if strategy.get("type") == "OnDelete" and "rollingUpdate" in strategy:
            return failure(422, "Invalid", "only allowed for updateStrategy 'RollingUpdate'")
        if merged.get("spec") != found.get("spec"):
            merged["metadata"]["generation"] = found["metadata"].get("generation", 0) + 1
        self.put(collection, merged)
        return Reply(200, of_kind(collection, merged))

    def _delete(self, collection: str, name: str, found: Document, body: Any) -> Reply:
        uid = ((body or {}).get("preconditions") or {}).get("uid")
        if uid not in (None, found["metadata"].get("uid")):
            return failure(409, "Conflict", "the UID in the precondition does not match")
        if self.delete_pod is not None and collection.endswith("/pods"):
            self.delete_pod(found)
            return Reply(200, of_kind(collection, found))
        del self.objects[collection][name]
        return Reply(200, of_kind(collection, found))


def _bears(labels: Document, wanted: str) -> bool:
    """Whether labels are as one requirement of a selector demands: a key, `key=value` or `key!=value`."""
    key, differs, value = wanted.partition("!=")
    if differs:
        return bool(labels.get(key) != value)
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _merged(document: Any, patch: Any) -> Any:
    """Return a document with a merge patch on it: a null takes a key away."""
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


_MERGE_PATCHES = ("application/merge-patch+json", "application/strategic-merge-patch+json")
"""Both mean the same for what the hooks patch: maps of plain values."""
_KINDS = {
    "configmaps": "ConfigMap",
    "controllerrevisions": "ControllerRevision",
    "deployments": "Deployment",
    "events": "Event",
    "namespaces": "Namespace",
    "networkpolicies": "NetworkPolicy",
    "nodes": "Node",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "persistentvolumes": "PersistentVolume",
    "pods": "Pod",
    "secrets": "Secret",
    "services": "Service",
    "statefulsets": "StatefulSet",
}


def of_kind(collection: str, document: Document) -> Document:
    """Return a document with the kind of its collection, as an API server answers with it."""
    kind = _KINDS.get(collection.rsplit("/", 1)[1])
    return document if kind is None else {"kind": kind, **document}


@contextmanager
def serving() -> Iterator[FakeKubernetes]:
    """Serve an empty API on loopback."""
    fake = FakeKubernetes()
    fake.put("/api/v1/namespaces", {"metadata": {"name": "kube-system", "uid": "1"}})

    def answer(request: Request) -> Response:
        body = json.loads(request.body) if request.body else None
        reply = fake.answer(request.method, request.path, request.headers, body)
        return Response(reply.content, reply.status, {"Content-Type": "application/json"})

    with http.serving(answer) as address:
        fake.url = f"http://{address}"
        yield fake


def kubeconfig(folder: Path, url: str, *contexts: str, token: str = TOKEN) -> str:
    """Write a kubeconfig whose contexts all lead to one API server; return its path."""
    return kubeconfig_of(folder, dict.fromkeys(contexts, url), token=token)


def kubeconfig_of(folder: Path, urls: Mapping[str, str], *, token: str = TOKEN) -> str:
    """Write a kubeconfig with these contexts, each leading to an API server; return its path."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in urls.items()],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}} for name in urls],
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
                "ownerReferences": [owner("StatefulSet", f"{release}-zeebe")],
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


def owner(kind: str, name: str) -> Document:
    """Return the reference of a pod to what made it."""
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1", "controller": True}


def gateway_pods(namespace: str, count: int, release: str = "camunda") -> list[Document]:
    """Return ready gateway pods as the chart's Deployment makes them."""
    found = broker_pods(namespace, count, release=release)
    for number, pod in enumerate(found):
        pod["metadata"] |= {
            "name": f"{release}-zeebe-gateway-{number}",
            "labels": {
                "app.kubernetes.io/component": "zeebe-gateway",
                "app.kubernetes.io/instance": release,
            },
        }
    return found


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


LATE = 3
"""By how many requests the controller's copy of the StatefulSet, and the gateway's view of the brokers, lag behind."""


@dataclass
class LivingBrokers:
    """Brokers that live: a StatefulSet with its controller and its nodes, as Kubernetes' own source has them.

    Time passes with each request. The controller works on what the StatefulSet was a little while ago. Pods
    are made all at once (`Parallel`); below the partition in the controller's `currentRevision`, which only
    moves on once every pod is ready and in the new one; an update stops at a pod that is not ready. A pod
    takes some time to end, to run and to become ready; it sleeps if the ConfigMap said so when it was made.

    :ivar failing_back: whether the ConfigMap lets even ordinals sleep.
    :ivar environments: what each revision puts into the brokers' environment.
    :ivar config_maps: the ConfigMaps that the pods mount.
    :ivar container: what the brokers' container is called.
    :ivar becomes_ready: whether the broker of an ordinal becomes ready, once it runs.
    :ivar restarts: the ordinals of the pods that were ended, in order.
    :ivar faults: whenever a broker was ended while another one was down.
    """

    fake: FakeKubernetes
    namespace: str
    count: int
    failing_back: bool = False
    revision: str = "revision-1"
    environments: Mapping[str, Sequence[Document]] = field(default_factory=dict)
    config_maps: Sequence[str] = ()
    container: str = "zeebe"
    becomes_ready: Callable[[int], bool] = lambda _: True
    restarts: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _seen: list[Document] = field(default_factory=list)
    _views: list[list[int]] = field(default_factory=list)
    _ages: dict[str, int] = field(default_factory=dict)
    _asleep: set[str] = field(default_factory=set)
    _templates: dict[str, Document] = field(default_factory=dict)
    _made: int = 0

    def __post_init__(self) -> None:
        env = self.environments.get(self.revision, ())
        document = stateful_set(self.count, env=env, updateRevision=self.revision)
        document["metadata"]["generation"] = document["status"]["observedGeneration"] = 1
        document["status"]["currentRevision"] = self.revision
        document["spec"]["updateStrategy"] = {
            "type": "RollingUpdate",
            "rollingUpdate": {"partition": 0},
        }
        template = document["spec"]["template"]
        template["metadata"]["annotations"] = {"checksum": self.revision}
        template["spec"]["containers"][0]["name"] = self.container
        template["spec"]["volumes"] = [
            {"name": name, "configMap": {"name": name}} for name in self.config_maps
        ]
        self.fake.put(self._sets, document)
        self._record(self.revision, document["spec"]["template"])
        for ordinal in range(self.count):
            self._make(ordinal, self.revision)
        self.fake.tick, self.fake.delete_pod = self.tick, self.end
        self.pass_time(10)
        self.restarts.clear()

    @property
    def stateful_set(self) -> Document:
        return self.fake.objects[self._sets]["camunda-zeebe"]

    @property
    def strategy(self) -> Document:
        strategy: Document = self.stateful_set["spec"]["updateStrategy"]
        return strategy

    @property
    def pods(self) -> dict[int, Document]:
        found = self.fake.objects.get(f"/api/v1/namespaces/{self.namespace}/pods", {})
        owned = {name: pod for name, pod in found.items() if pod["metadata"].get("ownerReferences")}
        return {_ordinal(pod): pod for name, pod in owned.items() if _is_broker(name)}

    @property
    def revisions(self) -> list[str]:
        """The revision of each pod, by ordinal."""
        return [
            pod["metadata"]["labels"]["controller-revision-hash"]
            for _, pod in sorted(self.pods.items())
        ]

    def update(self, revision: str, *, failing_back: bool, checksum: str = "") -> None:
        """Do as Helm does: change the ConfigMap and the template, set the chart's own strategy, keep the rest.

        With the checksum of an earlier revision, only the environment is rewritten.
        """
        self.failing_back, self.revision = failing_back, revision
        document = deepcopy(self.stateful_set)
        template = document["spec"]["template"]
        template["metadata"]["annotations"] = {"checksum": checksum or revision}
        template["spec"]["containers"][0]["env"] = list(self.environments.get(revision, ()))
        self._record(revision, template)
        document["metadata"]["generation"] += 1
        strategy = document["spec"]["updateStrategy"]
        strategy |= {"type": "RollingUpdate", "rollingUpdate": strategy.get("rollingUpdate", {})}
        strategy["rollingUpdate"].setdefault("partition", 0)
        self.fake.put(self._sets, document)

    def _record(self, revision: str, template: Document) -> None:
        """Keep the template as the controller does: what StatefulSets are given back when an update is undone."""
        kept = {"spec": {"template": deepcopy(template) | {"$patch": "replace"}}}
        path = f"/apis/apps/v1/namespaces/{self.namespace}/controllerrevisions"
        self.fake.put(path, {"metadata": {"name": revision}, "revision": 1, "data": kept})
        self._templates[revision] = deepcopy(template)

    def sleeps(self, ordinal: int) -> bool:
        """Whether the ConfigMap lets the broker of an ordinal sleep."""
        return self.failing_back and ordinal % 2 == 0

    def down(self) -> list[int]:
        """Return which brokers should be ready and are not."""
        return [
            ordinal
            for ordinal in range(self.count)
            if not self.sleeps(ordinal)
            and self.becomes_ready(ordinal)
            and not (ordinal in self.pods and _is_up(self.pods[ordinal]))
        ]

    def complete(self) -> str | None:
        """Return what a gateway says of the partitions, of each of which every broker holds a replica.

        It learns late that a broker is down, or up.
        """
        self.tick()
        down = self.seen_down()
        return f"healthy replicas of partition 1: {4 - len(down)} of 4" if down else None

    def seen_down(self) -> list[int]:
        """Return which brokers the gateway takes for down."""
        return self._views[0]

    def answers(self, ordinal: int) -> bool:
        """Whether a broker answers at this moment."""
        return ordinal in self.pods and _is_up(self.pods[ordinal])

    def runs(self, ordinal: int) -> bool:
        """Whether a broker runs at this moment, ready or not."""
        pod = self.pods.get(ordinal)
        return (
            pod is not None
            and pod["status"]["phase"] == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        )

    def never_ready(self, ordinal: int) -> None:
        """Let a broker run without ever becoming ready, whatever the ConfigMap says."""
        pod = self.pods[ordinal]
        self._asleep.add(pod["metadata"]["uid"])
        pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]

    def pass_time(self, requests: int) -> None:
        for _ in range(requests):
            self.tick()

    def end(self, pod: Document) -> None:
        """Begin to end a pod."""
        if "deletionTimestamp" in pod["metadata"]:
            return
        ordinal = _ordinal(pod)
        others = [each for each in self.down() if each != ordinal]
        if _is_up(pod) and others:
            self.faults.append(f"broker {ordinal} was ended while {others} were down")
        self.restarts.append(ordinal)
        pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self._ages[pod["metadata"]["uid"]] = 0

    def tick(self) -> None:
        self._let_nodes_work()
        self._views = [*self._views[-LATE:], self.down()]
        self._seen.append(deepcopy(self.stateful_set))
        if len(self._seen) > LATE:
            self._reconcile(self._seen.pop(0))

    @property
    def _sets(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/statefulsets"

    def _let_nodes_work(self) -> None:
        for pod in list(self.pods.values()):
            metadata, status = pod["metadata"], pod["status"]
            uid = metadata["uid"]
            age = self._ages[uid] = self._ages[uid] + 1
            if "deletionTimestamp" in metadata:
                if age >= 2:
                    del self.fake.objects[f"/api/v1/namespaces/{self.namespace}/pods"][
                        metadata["name"]
                    ]
            elif age >= 1 and status["phase"] == "Pending":
                status |= broker_pods(self.namespace, 1)[0]["status"]
                status["containerStatuses"][0]["name"] = self.container
                status["conditions"] = [{"type": "Ready", "status": "False"}]
            elif age >= 3 and uid not in self._asleep and self.becomes_ready(_ordinal(pod)):
                status["conditions"] = [{"type": "Ready", "status": "True"}]

    def _make(self, ordinal: int, revision: str) -> None:
        env = self.environments.get(revision, ())
        pod = broker_pods(self.namespace, ordinal + 1, revision=revision, env=env)[ordinal]
        pod["spec"]["containers"][0]["name"] = self.container
        self._made += 1
        uid = pod["metadata"]["uid"] = f"uid-{self._made}"
        pod["metadata"]["creationTimestamp"] = self.fake.stamp()
        pod["status"] = {"phase": "Pending"}
        self._ages[uid] = 0
        if self.sleeps(ordinal):
            self._asleep.add(uid)
        self.fake.put(f"/api/v1/namespaces/{self.namespace}/pods", pod)

    def _reconcile(self, seen: Document) -> None:
        """Work once as the controller does, on a StatefulSet as it was seen."""
        strategy = seen["spec"]["updateStrategy"]
        partition = strategy.get("rollingUpdate", {}).get("partition", 0)
        wanted = next(
            name for name, kept in self._templates.items() if kept == seen["spec"]["template"]
        )
        status = self.stateful_set["status"]
        for ordinal in range(self.count):
            if ordinal not in self.pods:
                self._make(ordinal, status["currentRevision"] if ordinal < partition else wanted)
        if strategy["type"] == "RollingUpdate":
            self._roll(wanted, partition)
        ready = sum(_is_up(pod) for pod in self.pods.values())
        status |= {
            "observedGeneration": seen["metadata"]["generation"],
            "updateRevision": wanted,
            "readyReplicas": ready,
        }
        updated = self.revisions == [wanted] * self.count
        if strategy["type"] == "RollingUpdate" and updated and ready == self.count:
            status["currentRevision"] = wanted

    def _roll(self, wanted: str, partition: int) -> None:
        for ordinal in reversed(range(partition, self.count)):
            pod = self.pods[ordinal]
            stale = pod["metadata"]["labels"]["controller-revision-hash"] != wanted
            if stale and "deletionTimestamp" not in pod["metadata"]:
                self.end(pod)
                return
            if not _is_up(pod):
                return


def _is_broker(name: str) -> bool:
    return "-zeebe-" in name and "-zeebe-gateway-" not in name


def _ordinal(pod: Document) -> int:
    return int(pod["metadata"]["name"].rsplit("-", 1)[1])


def _is_up(pod: Document) -> bool:
    ready = {"type": "Ready", "status": "True"} in pod["status"].get("conditions", ())
    return ready and "deletionTimestamp" not in pod["metadata"]


def search_engine(
    replicas: int, ready: int | None, release: str = "camunda", nodes: str = "master"
) -> Document:
    """Return a StatefulSet of the search engine with so many ready nodes, of one kind."""
    labels = {"app.kubernetes.io/name": "elasticsearch", "app.kubernetes.io/instance": release}
    name = f"{release}-elasticsearch-{nodes}"
    return {
        "metadata": {"name": name, "generation": 1, "labels": labels},
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
