"""What the drill sees of a region: brokers, gateway and search engine, through the API server's proxies.

It is the drill's own view, apart from the program's client, so that a mistake there is not believed here.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple
from urllib.parse import quote

import requests
from kubernetes.client import Configuration
from kubernetes.config import load_kube_config

from drill.errors import ClusterCallFailed
from drill.observation import logins, web_apps
from drill.observation.pods import is_ready
from drill.procedure.versions import DEFAULT_VERSION, VERSIONS, Camunda, WebAppsForm
from drill.regions import BROKER_SELECTOR, BROKERS, GATEWAY_SERVICE, RELEASE
from sandbox.patience import allowed

READ_SECONDS = 10.0
"""How long an answer may take, unless another one is given."""
_CONNECT_SECONDS = 2.0
_SEARCH_BATCH = 1000
_HITS_PER_KEY = 4
"""Records of one process element with its key: events of its life so far, of which one is the proof."""


_INSTALLED = (
    *(f"/apis/apps/v1/namespaces/{{namespace}}/{kind}" for kind in ("statefulsets", "deployments")),
    *(
        f"/api/v1/namespaces/{{namespace}}/{kind}"
        for kind in ("pods", "services", "secrets", "persistentvolumeclaims")
    ),
)


class Led(NamedTuple):
    """A partition, and the broker's pod that leads it."""

    namespace: str
    pod: str
    partition: int


class ClusterView:
    """Reads a region's cluster through one kube context."""

    def __init__(
        self,
        kubeconfig: Path,
        context: str,
        read_seconds: float = READ_SECONDS,
        camunda: Camunda = VERSIONS[DEFAULT_VERSION],
    ) -> None:
        """Take a context; `read_seconds` bounds the wait for each answer, `camunda` is what runs there.

        :raises ClusterCallFailed: the kubeconfig has no such context.
        """
        self.context = context
        self._camunda = camunda
        self._timeout = (allowed(_CONNECT_SECONDS), allowed(read_seconds))
        settings = Configuration()
        try:
            load_kube_config(  # type: ignore[no-untyped-call]
                str(kubeconfig), context=context, client_configuration=settings
            )
        except Exception as error:
            raise ClusterCallFailed(
                f"kubeconfig {kubeconfig}, context {context}: {error}"
            ) from None
        self._host = settings.host
        self._opened = logins.forwarded(settings)
        self._session = requests.Session()
        # The API server is on loopback: a proxy from the environment must not stand between.
        self._session.trust_env = False
        self._session.verify = settings.ssl_ca_cert or settings.verify_ssl
        if settings.cert_file and settings.key_file:
            self._session.cert = (settings.cert_file, settings.key_file)
        token = settings.get_api_key_with_prefix("BearerToken", alias="authorization")
        if token:
            self._session.headers["Authorization"] = token

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON answer of the API server, or of what stands behind its proxy.

        :raises ClusterCallFailed: no answer, an error status, or something else than JSON.
        """
        what = f"{method} {path} (context {self.context})"
        try:
            answer = self._session.request(
                method, self._host + path, json=body, timeout=self._timeout
            )
            answer.raise_for_status()
            return answer.json()
        except requests.HTTPError as error:
            raise ClusterCallFailed(
                f"{what}: {error.response.status_code} {_brief(error)}"
            ) from None
        except requests.RequestException as error:
            raise ClusterCallFailed(f"{what}: {type(error).__name__}") from None

    @contextmanager
    def unfinished(self, user: str) -> Iterator[None]:
        """Have a request at the API server that does not end, as one of its users."""
        over = Event()

        def body() -> Iterator[bytes]:
            yield b"{"
            over.wait()
            yield b"}"

        def ask() -> None:
            # Whatever is answered at its end: only that it was there counts.
            with suppress(requests.RequestException):
                self._session.post(
                    f"{self._host}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                    data=body(),
                    headers={
                        "Impersonate-User": user,
                        "Impersonate-Group": "system:authenticated",
                        "Content-Type": "application/json",
                    },
                    timeout=(self._timeout[0], None),
                )

        thread = Thread(target=ask, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def pods(self, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        """Return a namespace's pods as the API server describes them."""
        query = f"?labelSelector={selector}" if selector else ""
        answer = self.call("GET", f"/api/v1/namespaces/{namespace}/pods{query}")
        pods: list[dict[str, Any]] = answer["items"]
        return pods

    def namespaces(self) -> list[str]:
        """Return the names of the cluster's namespaces."""
        return [
            item["metadata"]["name"] for item in self.call("GET", "/api/v1/namespaces")["items"]
        ]

    def deployments(self, namespace: str) -> list[dict[str, Any]]:
        """Return a namespace's Deployments."""
        answer = self.call("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments")
        return list(answer["items"])

    def web_apps(self, namespace: str) -> web_apps.WebApps:
        """Return how Operate and Tasklist stand in a namespace."""
        if self._camunda.web_apps is WebAppsForm.DEPLOYMENTS:
            return web_apps.of_deployments(self.deployments(namespace))
        brokers = self.call("GET", f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{BROKERS}")
        name = web_apps.configuration_of(brokers)
        configuration = self.call("GET", f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        return web_apps.of_brokers(brokers, configuration, self.broker_pods([namespace]))

    def claims(self, namespace: str) -> list[str]:
        """Return the names of a namespace's claims; of one that is gone, none."""
        path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
        return [item["metadata"]["name"] for item in self.call("GET", path)["items"]]

    def installed(self, namespace: str) -> list[str]:
        """Return what an installation brings into a namespace, as kind/name; nothing if it is not there.

        Roles bound in it, and what every namespace holds, are none of it.
        """
        return [
            f"{path.rpartition('/')[2]}/{item['metadata']['name']}"
            for path in _INSTALLED
            for item in self.call("GET", path.format(namespace=namespace))["items"]
        ]

    def volumes_of(self, namespace: str) -> list[str]:
        """Return the names of the volumes that were made for claims of a namespace."""
        volumes = self.call("GET", "/api/v1/persistentvolumes")["items"]
        return [
            item["metadata"]["name"]
            for item in volumes
            if item["spec"].get("claimRef", {}).get("namespace") == namespace
        ]

    def pending_releases(self, namespace: str) -> set[str]:
        """Return the uids of Helm's records of operations that are under way, or were interrupted."""
        selector = quote("owner=helm,status in (pending-install,pending-upgrade,uninstalling)")
        path = f"/api/v1/namespaces/{namespace}/secrets?labelSelector={selector}"
        return {item["metadata"]["uid"] for item in self.call("GET", path)["items"]}

    def revision(self, namespace: str) -> int:
        """Return the revision of the release in a namespace, by Helm's own records; 0 if there is none."""
        selector = quote(f"owner=helm,name={RELEASE}")
        path = f"/api/v1/namespaces/{namespace}/secrets?labelSelector={selector}"
        records = self.call("GET", path)["items"]
        return max((int(each["metadata"]["labels"]["version"]) for each in records), default=0)

    def topology(self, namespace: str) -> dict[str, Any]:
        """Return the gateway's own topology."""
        path = f"{_service(namespace, GATEWAY_SERVICE, 8080)}/{self._camunda.api}/topology"
        return dict(self.call("GET", path))

    def configuration(self, namespace: str) -> dict[str, Any]:
        """Return the cluster's configuration: its members, what each holds, and its changes."""
        return dict(self.call("GET", _management(namespace, "cluster")))

    def exporters(self, namespace: str) -> dict[str, str]:
        """Return the status of each exporter in the cluster's configuration, by its id."""
        answer = self.call("GET", _management(namespace, "exporters"))
        return {each["exporterId"]: each["status"] for each in answer}

    def partitions(self, namespace: str, pod: str) -> dict[str, Any]:
        """Return what one broker answers of each of its partitions, by partition id."""
        return dict(self.call("GET", f"{_pod(namespace, pod)}/actuator/partitions"))

    def led(self, namespaces: Sequence[str]) -> Iterator[Led]:
        """Yield each partition that a ready broker of several namespaces leads."""
        for namespace, pod in map(_place, filter(is_ready, self.broker_pods(namespaces))):
            for partition, state in self.partitions(namespace, pod).items():
                if state.get("role") == "LEADER":
                    yield Led(namespace, pod, int(partition))

    def give_leadership(self, led: Led, broker: int) -> None:
        """Let a partition's leader, a rehearsal broker, give it to another broker.

        :param broker: the id of that one.
        :raises ClusterCallFailed: it leads it no more, or that broker lacks records.
        """
        path = f"rehearsal/partitions/{led.partition}/leader/{broker}"
        self.call("POST", f"{_pod(led.namespace, led.pod)}/{path}")

    def set_faults(self, namespace: str, pod: str, faults: Mapping[str, Any]) -> None:
        """Replace the faults that a rehearsal broker or gateway makes on purpose (docs/develop/rehearsal-broker.md).

        :raises ClusterCallFailed: it does not answer, or does not know one.
        """
        self.call("PUT", f"{_pod(namespace, pod)}/rehearsal/faults", faults)

    def kill_pod(self, namespace: str, pod: str) -> None:
        """Delete a pod at once, without time to end in order.

        :raises ClusterCallFailed: there is none, or the API server does not answer.
        """
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
        self.call("DELETE", path, {"gracePeriodSeconds": 0})

    def broker_pods(self, namespaces: Sequence[str]) -> list[dict[str, Any]]:
        """Return the broker pods of several namespaces."""
        return [pod for namespace in namespaces for pod in self.pods(namespace, BROKER_SELECTOR)]

    def partitions_of_ready(self, namespaces: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what every ready broker of several namespaces answers of its partitions, by its pod's name."""
        return {
            f"{namespace}/{name}": self.partitions(namespace, name)
            for namespace, name in map(_place, filter(is_ready, self.broker_pods(namespaces)))
        }

    def search(self, namespace: str, path: str, body: object = None) -> Any:
        """POST to the namespace's search engine."""
        return self.ask_engine("POST", namespace, path, body)

    def ask_engine(self, method: str, namespace: str, path: str, body: object = None) -> Any:
        """Return the answer of a namespace's search engine; one with a password is asked past the proxy."""
        engine = self._camunda.own_engine
        if engine is None:
            service = _service(namespace, self._camunda.search_service, 9200)
            return self.call(method, f"{service}/{path}", body)
        secret = self.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{engine.secret}")
        password = base64.b64decode(secret["data"][engine.user]).decode()
        ready = filter(is_ready, self.pods(namespace, engine.selector))
        pod = next((each["metadata"]["name"] for each in ready), None)
        if pod is None:
            raise ClusterCallFailed(f"no pod of the search engine in {namespace} is ready")
        login = logins.basic(engine.user, password)
        request = (method, path, body)
        return logins.call(self._opened, (namespace, pod), login, request, self._timeout[1])

    def document_count(self, namespace: str) -> int:
        """Return how many exported records the namespace's search engine holds."""
        return int(self.ask_engine("GET", namespace, "zeebe-record*/_count")["count"])

    def instances_found(self, namespace: str, keys: Sequence[int]) -> set[int]:
        """Return which process instances the search engine knows as activated."""
        path = (
            "zeebe-record_process-instance_*/_search"
            "?ignore_unavailable=true&filter_path=timed_out,_shards.failed,hits.hits._source"
        )
        found: set[int] = set()
        for start in range(0, len(keys), _SEARCH_BATCH):
            query = instances_query(keys[start : start + _SEARCH_BATCH])
            answer = self.search(namespace, path, query)
            found |= activated_instances(answer)
        return found


def instances_query(keys: Sequence[int]) -> dict[str, Any]:
    """Return the search for the records of process instances themselves.

    It asks by the record's key, a number under any mapping, and leaves type and intent to
    `activated_instances`: with another mapping than the exporter's template the words would not match.
    """
    return {
        "size": len(keys) * _HITS_PER_KEY,
        "_source": ["key", "intent", "value.bpmnElementType"],
        "query": {"bool": {"filter": [{"terms": {"key": list(keys)}}]}},
    }


def activated_instances(answer: dict[str, Any]) -> set[int]:
    """Return the keys of the instances that a search answer proves to be activated.

    :raises ClusterCallFailed: the engine could not ask all of its shards: what it did not find proves nothing.
    """
    require_all_shards(answer)
    hits = answer.get("hits", {}).get("hits", [])
    return {
        hit["_source"]["key"]
        for hit in hits
        if hit["_source"]["intent"] == "ELEMENT_ACTIVATED"
        and hit["_source"]["value"]["bpmnElementType"] == "PROCESS"
    }


def require_all_shards(answer: Mapping[str, Any]) -> None:
    """Refuse a search answer that is not of all shards.

    :raises ClusterCallFailed: it is not.
    """
    if answer.get("timed_out") or answer.get("_shards", {}).get("failed"):
        raise ClusterCallFailed("the search engine answered for a part of its shards only")


def exporters_paused(partitions_of_brokers: Sequence[dict[str, Any]]) -> bool | None:
    """Return whether any broker has paused an exporter; None when no broker has answered."""
    phases = {
        status.get("exporterPhase")
        for partitions in partitions_of_brokers
        for status in partitions.values()
    }
    return None if not phases else any(is_paused(phase) for phase in phases)


def is_paused(exporter_phase: object) -> bool:
    """Return whether an exporter phase is one of the pauses, hard or soft."""
    return str(exporter_phase).upper() in ("PAUSED", "SOFT_PAUSED")


def highest_positions(partitions_of_brokers: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Return for each partition the highest exported position that any broker gives."""
    highest: dict[int, int] = {}
    for partitions in partitions_of_brokers:
        for name, status in partitions.items():
            position = status.get("exportedPosition")
            if position is not None:
                highest[int(name)] = max(highest.get(int(name), -1), int(position))
    return highest


def _place(pod: Mapping[str, Any]) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _service(namespace: str, name: str, port: int) -> str:
    return f"/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy"


def _pod(namespace: str, pod: str) -> str:
    """Return the path of a broker's or gateway's own management port."""
    return f"/api/v1/namespaces/{namespace}/pods/{pod}:9600/proxy"


def _management(namespace: str, endpoint: str) -> str:
    """Return the path of a gateway's management endpoint."""
    return f"{_service(namespace, GATEWAY_SERVICE, 9600)}/actuator/{endpoint}"


def _brief(error: requests.HTTPError) -> str:
    return " ".join(error.response.text.split())[:200]
