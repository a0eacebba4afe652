"""HTTP to a pod past the API server's proxy, on a connection that is forwarded into the pod.

The proxy reads parts of a request itself: it refuses every call whose query has `dryRun`, and keeps the header with which
a caller logs in. Forwarded bytes it leaves alone.
"""

import base64
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from kubernetes.stream.ws_client import PortForward
from websocket import WebSocket, WebSocketBadStatusException, WebSocketException

from clients.cluster.kubeconfig import Access
from clients.cluster.kubernetes import (
    BODY_CHARACTERS,
    CONNECT_SECONDS,
    Answer,
    CallFailed,
    Cluster,
    Target,
)
from clients.cluster.reasons import certificate_problem, reason_of
from messages import Message
from messages.clients import clusters as messages

_PROTOCOL = "v4.channel.k8s.io"
"""How the API server carries several streams on one WebSocket."""


@dataclass(frozen=True)
class Tls:
    """TLS inside a forwarded connection.

    :ivar context: whom to trust.
    :ivar server: the name that the pod's certificate must be for.
    """

    context: ssl.SSLContext
    server: str


class NotSecured(CallFailed):
    """There is no TLS connection with a pod: its certificate is not accepted, or it speaks no TLS.

    :ivar reason: which.
    :ivar server: the name that its certificate must be for.
    """

    def __init__(self, target: Target, reason: Message, server: str) -> None:
        self.reason, self.server = reason, server
        super().__init__(messages.service_unanswered(str(target), reason))


def ask(
    cluster: Cluster,
    target: Target,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    tls: Tls | None = None,
    seconds: float,
) -> Answer:
    """Send a request, with a JSON document or none, to a port of a pod.

    :param target: of the kind `pods`.
    :param tls: None for plain HTTP.
    :param seconds: how long the answer may take.
    :raises NotSecured: if what answers does not prove who it is.
    :raises CallFailed: if it cannot be reached, does not answer in time, or answers with a server error.
    """
    what = f"{method} {path.partition('?')[0]} of {target}"
    text = None if body is None else json.dumps(body)
    sent = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
    try:
        answer = _exchange(cluster, target, (method, path, text, sent), seconds, tls)
    except WebSocketBadStatusException as error:
        raise CallFailed(
            messages.not_forwarded(str(target), error.status_code), error.status_code
        ) from None
    except (WebSocketException, HTTPException, OSError, ValueError) as error:
        raise CallFailed(messages.service_unanswered(what, reason_of(error))) from None
    if answer.status >= 500:
        # A search engine names the cause of the cause last.
        details = answer.error_text(BODY_CHARACTERS)
        raise CallFailed(messages.service_failed(what, answer.status, details), answer.status)
    return answer


def _exchange(
    cluster: Cluster,
    target: Target,
    request: tuple[str, str, str | None, Mapping[str, str]],
    seconds: float,
    tls: Tls | None = None,
) -> Answer:
    method, path, text, headers = request
    opened = _opened(cluster, target)
    forward: Any = _Forward(opened, [target.port])  # type: ignore[no-untyped-call]
    connection = HTTPConnection("localhost", target.port, timeout=seconds)
    try:
        opened_into = forward.socket(target.port)
        opened_into.settimeout(seconds)
        connection.sock = opened_into if tls is None else _secured(opened_into, target, tls)
        connection.request(method, path, text, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(errors="replace"))
    finally:
        connection.close()
        forward.close()


class _Forward(PortForward):
    """The library's thread between a connection and its WebSocket, ended in good order.

    If who asks hangs up in the midst of an answer, as after a handshake that failed, it would end with a traceback on the
    operator's screen, and leave the connection into the pod open.
    """

    def _proxy(self) -> None:
        try:
            super()._proxy()  # type: ignore[no-untyped-call]
        except (OSError, RuntimeError, WebSocketException):
            # What became of the request is told where its answer is waited for.
            pass
        finally:
            for port in self.local_ports.values():
                port.python.close()
            self.websocket.close()


def _secured(opened_into: Any, target: Target, tls: Tls) -> ssl.SSLSocket:
    try:
        return tls.context.wrap_socket(opened_into, server_hostname=tls.server)
    except ssl.SSLCertVerificationError as error:
        raise NotSecured(target, certificate_problem(error), tls.server) from None
    except ssl.SSLError as error:
        raise NotSecured(target, reason_of(error), tls.server) from None


def _opened(cluster: Cluster, target: Target) -> Any:
    """Open a connection into a pod as the API server offers it, by a WebSocket.

    The Kubernetes client's own way there reads other TLS settings than `Access` has.
    """
    access = cluster.access
    options: dict[str, Any] = {"context": access.tls} if access.tls is not None else {}
    if access.tls_server_name:
        options["server_hostname"] = access.tls_server_name
    opened: Any = WebSocket(sslopt=options, skip_utf8_validation=False)
    opened.settimeout(CONNECT_SECONDS)
    # http becomes ws, and https wss.
    server = re.sub("^http", "ws", access.server)
    opened.connect(
        f"{server}{target.object_path}/portforward?ports={target.port}",
        header=[f"{name}: {value}" for name, value in cluster.proof()],
        subprotocols=[_PROTOCOL],
        **_proxy_of(access),
    )
    opened.settimeout(None)
    return opened


def _proxy_of(access: Access) -> dict[str, Any]:
    """Return the options for the proxy before the API server; the environment's is none of them."""
    if access.proxy is None:
        return {"http_no_proxy": ["*"]}
    parts = urlsplit(access.proxy)
    found: dict[str, Any] = {
        "http_proxy_host": parts.hostname,
        "http_proxy_port": parts.port,
        "proxy_type": "http",
    }
    kind, _, login = access.proxy_headers.get("proxy-authorization", "").partition(" ")
    if kind.lower() == "basic":
        user, _, password = base64.b64decode(login).decode().partition(":")
        found["http_proxy_auth"] = (user, password)
    return found
