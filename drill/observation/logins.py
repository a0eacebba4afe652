"""Calls to a search engine that asks for a password, on a connection that is forwarded into one of its pods.

The API server's proxy keeps the header with which its callers log in, so no login gets through it.
"""

import base64
import json
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any, Protocol

from kubernetes.client import ApiClient, ApiException, Configuration, CoreV1Api
from kubernetes.stream import portforward

from drill.errors import ClusterCallFailed

_PORT = 9200


class Forward(Protocol):
    """A connection into a pod."""

    def socket(self, port: int) -> Any:
        """Return its end for a port."""

    def close(self) -> None:
        """End it."""


Open = Callable[[str, str], Forward]
"""Opens a connection to a pod, by namespace and name."""


def forwarded(configuration: Configuration) -> Open:
    """Return what opens connections into pods of a cluster."""

    def opened(namespace: str, pod: str) -> Forward:
        # Opening changes the client for a moment, so each connection has its own.
        api = CoreV1Api(ApiClient(configuration))
        method = api.connect_get_namespaced_pod_portforward
        forward: Forward = portforward(method, pod, namespace, ports=str(_PORT))
        return forward

    return opened


def basic(user: str, password: str) -> str:
    """Return the header by which somebody logs in with a password."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def call(
    opened: Open,
    place: tuple[str, str],
    login: str,
    request: tuple[str, str, object],
    seconds: float,
) -> Any:
    """Return a search engine's JSON answer.

    :param opened: opens the connection.
    :param place: namespace and name of a pod of it.
    :param login: the header `Authorization`.
    :param request: method, path and body; None for no body.
    :param seconds: how long the answer may take.
    :raises ClusterCallFailed: no answer, an error status, or something else than JSON.
    """
    method, path, body = request
    what = f"{method} {path} of the search engine in {place[0]}"
    text = None if body is None else json.dumps(body)
    headers = {"Authorization": login, "Content-Type": "application/json"}
    try:
        forward = opened(*place)
        try:
            connection = HTTPConnection("localhost", _PORT)
            connection.sock = forward.socket(_PORT)
            connection.sock.settimeout(seconds)
            connection.request(method, f"/{path}", text, headers)
            answer = connection.getresponse()
            status, found = answer.status, answer.read().decode(errors="replace")
        finally:
            forward.close()
    except (OSError, ApiException, HTTPException) as error:
        raise ClusterCallFailed(f"{what}: {type(error).__name__}") from None
    if status >= 400:
        raise ClusterCallFailed(f"{what}: {status} {' '.join(found.split())[:200]}")
    try:
        return json.loads(found)
    except ValueError:
        raise ClusterCallFailed(f"{what}: not JSON") from None
