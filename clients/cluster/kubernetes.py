"""One small client for a region's cluster.

HTTP to gateway, brokers and search engine goes through the API server's service and pod proxy, so a
laptop outside the cluster needs nothing but its kube context.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any, TypeVar

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from pydantic import BaseModel

from clients.cluster.kubeconfig import Access, access_to
from clients.cluster.plugin import PluginFailed
from clients.cluster.reasons import reason_of
from clients.parallel import CONNECTIONS
from dualregion import plain_json
from dualregion.errors import (
    ClusterUnreachable,
    ConfigError,
    CredentialsDemanded,
    DualRegionError,
)
from dualregion.secrets import without_secrets
from messages import Message
from messages.clients import clusters as messages
from messages.clients.reasons import no_api_server

CONNECT_SECONDS = 5
"""How long one attempt to reach an API server may take; a healthy one answers in milliseconds."""
TRIES, RETRY_SECONDS = 2, 1.0
"""How often an API server is asked before it counts as unreachable, and how long it is left in peace in between."""
READ_SECONDS = 30
"""How long one answer may take; the gateway itself gives up on a command after 15 s."""
BODY_CHARACTERS = 2000
"""How much of a refusing service's body is read."""
FIELD_MANAGER = "camunda-dual-region"
"""Who owns what the hooks write, apart from what Pulumi writes (server-side apply)."""


T = TypeVar("T")


_PASSING = frozenset({408, 409, 429})
"""The refusals among 400 to 499 that may pass: too slow, in conflict, too busy."""


class CallFailed(DualRegionError):
    """A call was answered with an error, or not at all; usually worth another try."""

    def __init__(self, message: Message, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)

    @property
    def details(self) -> str:
        """What was answered, if anything was."""
        return str(self.message.facts.get("details", ""))

    @property
    def may_pass(self) -> bool:
        """Whether it may pass by itself: there was no answer, or it was too slow, in conflict, too busy or broken."""
        return self.status is None or not 400 <= self.status < 500 or self.status in _PASSING


class LoginUnavailable(CallFailed):
    """The credential plugin of a context gives nothing now: the cluster cannot be asked, as if it did not answer.

    It is no `ClusterUnreachable`, as it does not show that the API server is silent.
    """


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of something behind the API server."""

    status: int
    body: str

    @property
    def is_api_servers(self) -> bool:
        """Whether it is an error of the API server itself, and not of what lies behind it."""
        return _is_api_servers(self.body)

    def json(self) -> dict[str, Any]:
        """Return the body's JSON document.

        :raises CallFailed: if it is none, or no map.
        """
        return self._document(dict)

    def json_list(self) -> list[Any]:
        """Return the body's JSON list; raises as `json`."""
        return self._document(list)

    def error_text(self, length: int = 300) -> str:
        """Return what an error says, without secrets; see `_brief`."""
        return _brief(self.body, length)

    def _document(self, kind: type[T]) -> T:
        try:
            document = plain_json.read(self.body)
        except ValueError:
            document = None
        if not isinstance(document, kind):
            raise CallFailed(messages.not_json(without_secrets(self.body)[:200]))
        return document


_OUT_OF_FORM = (
    *(ValueError, TypeError, KeyError, AttributeError, IndexError),
    *(OverflowError, RecursionError),
)
"""What reading a document raises that is not of the form that was expected; pydantic's errors are of the first."""


def understood(asked: object, read: Callable[[], T]) -> T:
    """Return what is read out of an answer; one of another form than expected is no answer.

    :param asked: who gave it, and to what.
    :raises CallFailed: if it is out of form.
    """
    try:
        return read()
    except _OUT_OF_FORM as error:
        # What it holds is not shown: it may be anything.
        raise CallFailed(messages.unexpected_form(str(asked), type(error).__name__)) from None


@dataclass(frozen=True)
class Target:
    """A port of a service or pod that is reached through the API server.

    :ivar kind: `services` or `pods`.
    """

    namespace: str
    kind: str
    name: str
    port: int

    @property
    def api_path(self) -> str:
        """The target's path at the API server."""
        return f"{self.object_path}:{self.port}"

    @property
    def object_path(self) -> str:
        """The path of the service or pod itself."""
        return f"/api/v1/namespaces/{self.namespace}/{self.kind}/{self.name}"

    def __str__(self) -> str:
        return f"{self.name}:{self.port} in {self.namespace}"


_NAMESPACES = "/api/v1/namespaces"
_APPS = "/apis/apps/v1/namespaces"
_COLLECTIONS = {
    "V1ConfigMap": (_NAMESPACES, "configmaps"),
    "V1ControllerRevision": (_APPS, "controllerrevisions"),
    "V1Deployment": (_APPS, "deployments"),
    "V1NetworkPolicy": ("/apis/networking.k8s.io/v1/namespaces", "networkpolicies"),
    "V1PersistentVolumeClaim": (_NAMESPACES, "persistentvolumeclaims"),
    "V1Pod": (_NAMESPACES, "pods"),
    "V1Secret": (_NAMESPACES, "secrets"),
    "V1StatefulSet": (_APPS, "statefulsets"),
}
"""Where the API server has what is read in a namespace."""


def _collection(kind: str, namespace: str) -> str:
    group, resources = _COLLECTIONS[kind]
    return f"{group}/{namespace}/{resources}"


def load_client() -> None:
    """Read the client's modules for looking, which takes a moment: good to have while something else is awaited."""
    _ = client.V1Namespace, client.V1PodList, client.V1StatefulSet, client.V1Deployment


class Cluster:
    """A region's cluster, reached through one kube context.

    :param kubeconfig: path of the kubeconfig file, or None for `$KUBECONFIG` or the usual one.
    :param context: the context's name.
    :raises ConfigError: if the file cannot be read or has no such context.
    """

    def __init__(self, kubeconfig: str | None, context: str) -> None:
        self.context = context
        self._api = _api_client(kubeconfig, context)

    # The return types are quoted, as naming these classes reads their modules.
    @cached_property
    def _core(self) -> "client.CoreV1Api":
        return client.CoreV1Api(self._api)

    @property
    def access(self) -> Access:
        """How the API server is reached, for what this client does not do."""
        return self._api.access

    def proof(self) -> tuple[tuple[str, str], ...]:
        """Return the headers by which a call proves itself, for what this client does not do.

        :raises LoginUnavailable: if the credential plugin of the context gives nothing.
        """
        return self._api.proof()

    @cached_property
    def _apps(self) -> "client.AppsV1Api":
        return client.AppsV1Api(self._api)

    def check_answers(self, connect_seconds: float = CONNECT_SECONDS, tries: int = TRIES) -> None:
        """Ask the API server for its identity, more than once if need be: one slow or odd answer says nothing.

        :param connect_seconds: how long it may take to be reached, in each try.
        :raises ClusterUnreachable: if it answers none of the tries in time.
        :raises CallFailed: if it answers, but not as it should (429, 5xx): it is alive, and cannot be looked at now; or if
            the context's credential plugin gives nothing (`LoginUnavailable`).
        :raises ConfigError: if it refuses these credentials.
        """
        failed: list[DualRegionError] = []
        for again in reversed(range(tries)):
            try:
                self._identity(connect_seconds)
                return
            except (CallFailed, ClusterUnreachable) as error:
                failed.append(error)
                if again:
                    time.sleep(RETRY_SECONDS)
        alive = (each for each in failed if isinstance(each, CallFailed))
        raise next(alive, failed[-1])

    def _identity(self, connect_seconds: float) -> None:
        """Ask once, see `check_answers`."""
        try:
            self._get(
                f"{_NAMESPACES}/kube-system",
                "V1Namespace",
                _request_timeout=(connect_seconds, CONNECT_SECONDS),
            )
        except ApiException as error:
            answer = f"{error.status} {error.reason}"
            if error.status in (401, 403):
                raise ConfigError([messages.credentials_refused(self.context, answer)]) from None
            server = str(self._api.configuration.host)
            raise CallFailed(
                messages.cluster_busy(self.context, server, answer), _status_of(error)
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnreachable(self._unreachable(reason_of(error))) from None
        except _OUT_OF_FORM:
            raise ClusterUnreachable(self._unreachable(no_api_server())) from None

    def identity(self) -> str:
        """Return what tells this cluster from every other one, also from one recreated at the same address.

        :raises CallFailed: if it does not answer.
        """
        path = f"{_NAMESPACES}/kube-system"
        return str(self._call(lambda: _text(self._get(path, "V1Namespace").metadata.uid)))

    def kubectl(self, namespace: str) -> str:
        """Return how a command begins that an operator is to type for a namespace of this cluster."""
        return f"kubectl --context {self.context} -n {namespace}"

    def get(self, target: Target, path: str) -> Answer:
        """GET from a gateway or broker, see `ask_zeebe`."""
        return self.ask_zeebe("GET", target, path)

    def post(
        self, target: Target, path: str, body: Any = None, seconds: float = READ_SECONDS
    ) -> Answer:
        """POST a JSON document to a gateway or broker, see `ask_zeebe`."""
        return self.ask_zeebe("POST", target, path, body, seconds)

    def ask_zeebe(
        self,
        method: str,
        target: Target,
        path: str,
        body: Any = None,
        seconds: float = READ_SECONDS,
    ) -> Answer:
        """Send a request to a gateway or broker, see `ask`.

        :raises CredentialsDemanded: also if it is forbidden there; a search engine forbids for other reasons, too.
        """
        answer = self.ask(method, target, path, body, seconds)
        if answer.status == HTTPStatus.FORBIDDEN and not answer.is_api_servers:
            raise _credentials_demanded(f"{method} {path} of {target}", answer.status)
        return answer

    def ask(
        self,
        method: str,
        target: Target,
        path: str,
        body: Any = None,
        seconds: float = READ_SECONDS,
    ) -> Answer:
        """Send a request, with a JSON document or none, to a service or pod through the API server's proxy.

        :param seconds: how long the answer may take.
        :raises CallFailed: if it cannot be reached or answers with a server error.
        :raises CredentialsDemanded: if it wants to know who asks, or sends the caller elsewhere, to log in.
        """
        request = self._api.param_serialize(
            method,
            f"{target.api_path}/proxy{path}",
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        what = f"{method} {path} of {target}"
        try:
            response = self._api.call_api(*request, _request_timeout=(CONNECT_SECONDS, seconds))
            response.read()
            answer = Answer(int(response.status), (response.data or b"").decode(errors="replace"))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise CallFailed(messages.service_unanswered(what, reason_of(error))) from None
        if answer.status >= 500:
            # A search engine names the cause of the cause last.
            details = _brief(answer.body, BODY_CHARACTERS)
            raise CallFailed(messages.service_failed(what, answer.status, details), answer.status)
        if answer.status in _WHO_ASKS and not answer.is_api_servers:
            raise _credentials_demanded(what, answer.status)
        return answer

    def has_namespace(self, name: str) -> bool:
        """Return whether there is a namespace of this name."""
        return self._namespace(name) is not None

    def is_ending(self, name: str) -> bool:
        """Return whether there is a namespace of this name, and it is being deleted."""
        found = self._namespace(name)
        return found is not None and found.metadata.deletion_timestamp is not None

    def _namespace(self, name: str) -> Any | None:
        return self._or_none(lambda: self._get(f"{_NAMESPACES}/{name}", "V1Namespace"))

    def stateful_set(self, namespace: str, name: str) -> Any | None:
        """Return a StatefulSet, or None."""
        return self._one("V1StatefulSet", namespace, name)

    def stateful_sets(self, namespace: str, selector: str) -> list[Any]:
        """Return the StatefulSets of a namespace that a label selector names."""
        return self._all("V1StatefulSet", namespace, selector)

    def network_policy(self, namespace: str, name: str) -> Any | None:
        """Return a NetworkPolicy, or None."""
        return self._one("V1NetworkPolicy", namespace, name)

    def pods(self, namespace: str, selector: str) -> list[Any]:
        """Return the pods of a namespace that a label selector names."""
        return self._all("V1Pod", namespace, selector)

    def set_update_strategy(self, namespace: str, name: str, strategy: Mapping[str, Any]) -> None:
        """Set how a StatefulSet brings its pods to a new revision; None takes a field away."""
        body = {"spec": {"updateStrategy": dict(strategy)}}
        self._call(lambda: self._apps.patch_namespaced_stateful_set(name, namespace, body))

    def revision(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return what a ControllerRevision keeps of its StatefulSet (`spec.template`), or None."""
        found = self._one("V1ControllerRevision", namespace, name)
        return None if found is None else dict(found.data)

    def set_revision(self, namespace: str, name: str, data: Mapping[str, Any]) -> None:
        """Give a StatefulSet the template of a revision, as `kubectl rollout undo` does.

        :param data: see `revision`.
        """
        self._call(lambda: self._apps.patch_namespaced_stateful_set(name, namespace, dict(data)))

    def deployment(self, namespace: str, name: str) -> Any | None:
        """Return a Deployment, or None."""
        return self._one("V1Deployment", namespace, name)

    def scale_deployment(
        self, namespace: str, name: str, replicas: int, annotations: Mapping[str, str | None]
    ) -> None:
        """Set how many pods a Deployment has, and annotate it; None takes an annotation away."""
        body = {"metadata": {"annotations": dict(annotations)}, "spec": {"replicas": replicas}}
        self._call(lambda: self._apps.patch_namespaced_deployment(name, namespace, body))

    def workloads(self, namespace: str, selector: str = "") -> list[str]:
        """Return `kind/name` of every StatefulSet, Deployment and pod of a namespace that a label selector names."""
        kinds = {"statefulset": "V1StatefulSet", "deployment": "V1Deployment", "pod": "V1Pod"}
        return [
            f"{name}/{each.metadata.name}"
            for name, kind in kinds.items()
            for each in self._all(kind, namespace, selector)
        ]

    def claims(self, namespace: str, selector: str = "") -> list[str]:
        """Return the names of a namespace's PersistentVolumeClaims that a label selector names."""
        found = self._all("V1PersistentVolumeClaim", namespace, selector)
        return [each.metadata.name for each in found]

    def volumes_of(self, namespace: str, *, but_of: Collection[str] = ()) -> list[str]:
        """Return the names of the PersistentVolumes that claims of a namespace have, or had.

        :param but_of: the claims whose volumes are left out.
        """

        def ask() -> list[str]:
            volumes = self._get("/api/v1/persistentvolumes", "V1PersistentVolumeList")
            return [
                each.metadata.name
                for each in volumes.items
                if each.spec.claim_ref is not None
                and each.spec.claim_ref.namespace == namespace
                and each.spec.claim_ref.name not in but_of
            ]

        found: list[str] = self._call(ask)
        return found

    def delete_pod(self, namespace: str, name: str, uid: str) -> None:
        """Delete one pod; a pod of the same name that has replaced it meanwhile is left alone."""
        path = f"{_collection('V1Pod', namespace)}/{name}"
        options = {"preconditions": {"uid": uid}}
        try:
            self._call(lambda: self._object("DELETE", path, body=options))
        except CallFailed as error:
            if error.status not in (404, 409):
                raise

    def secret(self, namespace: str, name: str) -> Any | None:
        """Return a Secret, or None; each value of its `data` is in base64."""
        return self._one("V1Secret", namespace, name)

    def secrets(self, namespace: str, selector: str) -> list[Any]:
        """Return the Secrets of a namespace that a label selector names."""
        return self._all("V1Secret", namespace, selector)

    def secrets_everywhere(self, selector: str) -> list[Any]:
        """Return the Secrets of all namespaces that a label selector names."""
        path = "/api/v1/secrets"
        return list(self._call(lambda: self._get(path, "V1SecretList", selector)).items)

    def document(self, path: str) -> dict[str, Any] | None:
        """Return a plain document of the API server; None if there is none at this path."""
        found: dict[str, Any] | None = self._or_none(lambda: self._object("GET", path))
        return found

    def config_maps(self, namespace: str, selector: str) -> list[Any]:
        """Return the ConfigMaps of a namespace that a label selector names."""
        return self._all("V1ConfigMap", namespace, selector)

    def delete_secret(self, namespace: str, name: str) -> None:
        """Delete a Secret; one that is gone already is no error."""
        path = f"{_collection('V1Secret', namespace)}/{name}"
        self._or_none(lambda: self._object("DELETE", path), namespace)

    def config_map(self, namespace: str, name: str) -> Any | None:
        """Return a ConfigMap, or None."""
        return self._one("V1ConfigMap", namespace, name)

    def set_config_map_key(self, found: Any, key: str, text: str | None) -> None:
        """Set one key of a ConfigMap, or take it away, unless the ConfigMap has changed meanwhile.

        :param found: the ConfigMap as it was read.
        :raises CallFailed: with status 409 if it has changed.
        """
        place = found.metadata
        body = {
            "metadata": {"resourceVersion": place.resource_version},
            "data": {key: text},
        }
        self._call(
            lambda: self._core.patch_namespaced_config_map(
                place.name, place.namespace, body, field_manager=FIELD_MANAGER
            )
        )

    def apply_secret(
        self, namespace: str, name: str, data: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        """Write a Secret by server-side apply.

        :param data: each value in base64.
        """
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
            "data": dict(data),
        }
        self._call(
            lambda: self._core.patch_namespaced_secret(
                name,
                namespace,
                body,
                field_manager=FIELD_MANAGER,
                force=True,
                _content_type="application/apply-patch+yaml",
            ),
            is_secret=True,
        )

    def apply_config_map(self, namespace: str, name: str, data: Mapping[str, str]) -> None:
        """Write a ConfigMap's keys by server-side apply; keys of other writers stay."""
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace},
            "data": dict(data),
        }
        self._call(
            lambda: self._core.patch_namespaced_config_map(
                name,
                namespace,
                body,
                field_manager=FIELD_MANAGER,
                force=True,
                _content_type="application/apply-patch+yaml",
            )
        )

    def version(self) -> str:
        """Return the API server's version, such as `v1.34.1`."""
        return str(self._call(lambda: _text(self._json("GET", "/version")["gitVersion"])))

    def resources(self, api_version: str) -> dict[str, dict[str, Any]]:
        """Return what the API server serves of an API version, by kind: `name` and `namespaced`.

        :raises CallFailed: with status 404 if it serves nothing of it.
        """
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"

        def ask() -> dict[str, dict[str, Any]]:
            found = self._object("GET", path)["resources"] or ()
            return {each["kind"]: each for each in found if "/" not in each["name"]}

        served: dict[str, dict[str, Any]] = self._call(ask, may_be_unserved=True)
        return served

    def try_out(self, collection: str, name: str, document: Mapping[str, Any]) -> None:
        """Let the API server say whether it would take an object, as a change of the one that is there, or as a new one.

        Nothing is kept of it (`dryRun=All`).

        :param collection: the path of its collection, such as `/api/v1/namespaces/camunda-london/services`.
        :raises CallFailed: if it would not; with its status.
        """
        query = [("dryRun", "All"), ("fieldManager", FIELD_MANAGER)]
        place = f"{collection}/{name}"
        is_new = self._or_none(lambda: self._object("GET", place)) is None
        method, path = ("POST", collection) if is_new else ("PATCH", place)
        self._call(lambda: self._object(method, path, query, document))

    def _object(
        self, method: str, path: str, query: Any = (), body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask as `_json` does for an object of any kind."""
        found = self._json(method, path, query, body)
        _text(found["kind"])
        return found

    def _json(
        self, method: str, path: str, query: Any = (), body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask the API server for, or send it, a plain JSON document; raises what `_call` and `_identity` understand."""
        content = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = self._api.param_serialize(
            method,
            path,
            query_params=list(query),
            header_params={"Accept": "application/json", "Content-Type": content},
            body=None if body is None else dict(body),
            auth_settings=["BearerToken"],
        )
        return _document(self._api.call_api(*request))

    def _call(
        self,
        ask: Callable[[], Any],
        namespace: str | None = None,
        *,
        is_secret: bool = False,
        may_be_unserved: bool = False,
    ) -> Any:
        """Ask the API server.

        Only an API server's own answer counts, a 404 above all: a balancer that has lost its API servers answers 404 as
        well, and a region would seem to be empty.

        :param may_be_unserved: whether the path may be of an API that the server does not know.
        :param is_secret: whether what is sent is secret; an API server may quote it in what it refuses.
        :param namespace: of what is asked for. One that is gone has taken along the rights in it, so what
            was there is forbidden then; it is told as missing all the same.
        """
        try:
            found = ask()
            _check_whole(found)
            return found
        except ApiException as error:
            if _status_of(error, may_be_unserved=may_be_unserved) is None:
                raise CallFailed(messages.not_an_api_server(self.context, "404")) from None
            gone = error.status == 403 and namespace and self._is_gone(namespace)
            details = "" if is_secret else _brief(error.body)
            raise CallFailed(
                messages.call_refused(self.context, error.status, str(error.reason), details),
                404 if gone else error.status,
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise CallFailed(messages.call_unanswered(self.context, reason_of(error))) from None
        except _OUT_OF_FORM as error:
            raise CallFailed(
                messages.not_an_api_server(self.context, type(error).__name__)
            ) from None

    def _is_gone(self, namespace: str) -> bool:
        """Return whether a namespace is known to be gone: one that may not be looked at may be there."""
        try:
            return not self.has_namespace(namespace)
        except CallFailed as error:
            if error.status == 403:
                return False
            raise

    def _or_none(self, ask: Callable[[], Any], namespace: str | None = None) -> Any | None:
        try:
            return self._call(ask, namespace)
        except CallFailed as error:
            if error.status == 404:
                return None
            raise

    def _one(self, kind: str, namespace: str, name: str) -> Any | None:
        path = f"{_collection(kind, namespace)}/{name}"
        return self._or_none(lambda: self._get(path, kind), namespace)

    def _all(self, kind: str, namespace: str, selector: str = "") -> list[Any]:
        path = _collection(kind, namespace)
        found = self._or_none(lambda: self._get(path, f"{kind}List", selector), namespace)
        return [] if found is None else list(found.items)

    def _get(self, path: str, kind: str, selector: str = "", **how: Any) -> Any:
        """Return an object or a list of the API server, as the client's own class of this name.

        The client's API classes would do the same, but take more than half a second to be read: every look and
        every preview would wait for that.
        """
        request = self._api.param_serialize(
            "GET",
            path,
            query_params=[("labelSelector", selector)] if selector else [],
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        document = _document(self._api.call_api(*request, **how))
        _check_kind(document, kind.removeprefix("V1"))
        return getattr(client, kind).from_dict(document)

    def _unreachable(self, reason: Message) -> Message:
        return messages.cluster_unreachable(self.context, str(self._api.configuration.host), reason)


def _api_client(kubeconfig: str | None, context: str) -> "_Client":
    access = access_to(kubeconfig, context)
    settings = client.Configuration(host=access.server)
    settings.proxy, settings.no_proxy = access.proxy, None
    settings.proxy_headers = access.proxy_headers
    settings.tls_server_name = access.tls_server_name
    # The callers' own waiting loops decide on another try and tell the user; urllib3 would try silently.
    # Nor is a redirect followed, which leads to a login.
    settings.retries = urllib3.Retry(0, raise_on_redirect=False)
    settings.connection_pool_maxsize = CONNECTIONS
    return _Client(settings, access, context)


class _Client(client.ApiClient):
    """A client none of whose calls waits for ever: a link that is cut silently answers nothing.

    What it proves itself by is added to each call here, so that no configuration, and no error, holds it.
    """

    def __init__(self, settings: client.Configuration, access: Access, context: str) -> None:
        super().__init__(settings)
        self.access, self._context = access, context
        if access.tls is not None:
            self.rest_client.pool_manager.connection_pool_kw["ssl_context"] = access.tls

    def proof(self) -> tuple[tuple[str, str], ...]:
        """Return the headers by which a call proves itself.

        :raises LoginUnavailable: if the credential plugin gives nothing.
        """
        try:
            return self.access.headers()
        except PluginFailed as error:
            raise LoginUnavailable(
                messages.login_unavailable(self._context, error.problem)
            ) from None

    def call_api(
        self,
        method: str,
        url: str,
        header_params: Mapping[str, str] | None = None,
        *rest: Any,
        **named: Any,
    ) -> Any:
        """Make a call; raises what the client raises, as `proof`, and `CallFailed` for what it does not foresee."""
        timeout = named.pop("_request_timeout", None) or (CONNECT_SECONDS, READ_SECONDS)
        headers = urllib3.HTTPHeaderDict(header_params or {})
        for name, value in self.proof():
            headers.add(name, value)
        try:
            return super().call_api(
                method, url, headers, *rest, **{**named, "_request_timeout": timeout}
            )
        except (ApiException, urllib3.exceptions.HTTPError, OSError):
            raise
        except Exception as error:
            # Its text may hold what was to be sent.
            raise CallFailed(messages.call_not_made(type(error).__name__)) from None


_WHO_ASKS = (301, 302, 303, 307, 308, 401, 407)
"""What is answered by a service, or a proxy before it, that wants to know who asks."""


def _credentials_demanded(what: str, status: int) -> CredentialsDemanded:
    return CredentialsDemanded(messages.credentials_demanded(what, status))


_UNSERVED = "404 page not found"
"""What an API server, as any server written in Go, answers on a path that none of its APIs has."""


def _is_api_servers(body: Any) -> bool:
    """Whether an error's body is one by which an API server tells it."""
    try:
        document = plain_json.read(body or "")
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("kind") == "Status"


def _status_of(error: ApiException, *, may_be_unserved: bool = False) -> int | None:
    """Return an error's status; None for a 404 that no API server has given, which does not tell what is there.

    :param may_be_unserved: see `Cluster._call`.
    """
    status, body = error.status, error.body or ""
    if status != HTTPStatus.NOT_FOUND or _is_api_servers(body):
        return None if status is None else int(status)
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    return int(status) if may_be_unserved and text.strip() == _UNSERVED else None


def _document(response: Any) -> dict[str, Any]:
    """Return the document that an API server has answered with.

    :raises ApiException: if it is an error's.
    :raises ValueError: if it is none.
    """
    response.read()
    if not 200 <= int(response.status) < 300:
        raise ApiException(status=response.status, reason=response.reason, body=response.data)
    found = plain_json.read(response.data or b"")
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def _check_kind(document: Mapping[str, Any], kind: str) -> None:
    """Refuse what is not the object or the list that was asked for, as an empty map of a portal would be read as one.

    :raises ValueError: if it is not.
    """
    named = [document] if not kind.endswith("List") else document["items"]
    is_list = isinstance(named, list) and all(isinstance(each, dict) for each in named)
    if document.get("kind") != kind or not is_list:
        raise ValueError("another kind")
    for each in named:
        _text(each["metadata"]["name"])


def _check_whole(found: object) -> None:
    """Refuse what one of the client's own classes was made of, if it was of another kind.

    :raises ValueError: if it was.
    """
    kind = type(found).__name__.removeprefix("V1")
    is_other = isinstance(found, BaseModel) and getattr(found, "kind", None) != kind
    if found is None or is_other:
        raise ValueError("another kind")


def _text(found: object) -> str:
    """Return a text of an answer.

    :raises TypeError: if it is none.
    """
    if not isinstance(found, str) or not found:
        raise TypeError("no text")
    return found


def _brief(body: Any, length: int = 300) -> str:
    """Return what an error document says, Kubernetes' or a problem's (RFC 9457), else the body's beginning."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        document = plain_json.read(text)
        problem = ": ".join(str(document[key]) for key in ("title", "detail") if document.get(key))
        text = str(document.get("message") or problem or text)
    except (ValueError, AttributeError):
        pass
    return without_secrets(text)[:length]
