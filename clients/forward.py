"""HTTP to a pod past the API server's proxy, on a connection that is forwarded into the pod.

The proxy reads parts of a request itself: it refuses every call whose query has `dryRun`, and keeps the header with which
a caller logs in. Forwarded bytes it leaves alone.
"""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any

from kubernetes import client
from kubernetes.stream import portforward
from websocket import WebSocketException

from clients.kubernetes import Answer, CallFailed, Cluster, Target
from clients.reasons import reason_of
from dualregion.secrets import without_secrets
from messages.clients import clusters as messages


def ask(
    cluster: Cluster,
    target: Target,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float,
) -> Answer:
    """Send a request, with a JSON document or none, to a port of a pod.

    :param target: of the kind `pods`.
    :param seconds: how long the answer may take.
    :raises CallFailed: if it cannot be reached, does not answer in time, or answers with a server error.
    """
    what = f"{method} {path.partition('?')[0]} of {target}"
    text = None if body is None else json.dumps(body)
    sent = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
    try:
        answer = _exchange(cluster, target, (method, path, text, sent), seconds)
    except client.ApiException as error:
        refused = messages.not_forwarded(str(target), without_secrets(str(error.reason)))
        raise CallFailed(refused) from None
    except (WebSocketException, HTTPException, OSError, ValueError) as error:
        raise CallFailed(messages.service_unanswered(what, reason_of(error))) from None
    if answer.status >= 500:
        raise CallFailed(
            messages.service_failed(what, answer.status, answer.error_text()), answer.status
        )
    return answer


def _exchange(
    cluster: Cluster,
    target: Target,
    request: tuple[str, str, str | None, Mapping[str, str]],
    seconds: float,
) -> Answer:
    # Opening changes the client for a moment, so each connection has its own.
    api = client.CoreV1Api(client.ApiClient(cluster.configuration))
    forward = portforward(
        api.connect_get_namespaced_pod_portforward,
        target.name,
        target.namespace,
        ports=str(target.port),
    )
    connection = HTTPConnection("localhost", target.port, timeout=seconds)
    try:
        connection.sock = forward.socket(target.port)
        connection.sock.settimeout(seconds)
        method, path, text, headers = request
        connection.request(method, path, text, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(errors="replace"))
    finally:
        connection.close()
        forward.close()
