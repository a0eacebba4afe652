"""Pausing and resuming the exporters, and what every broker says of them.

The gateway's answer to a pause is not to be trusted: refused, it says 200 all the same, with the refusal in
the body. And the answer proves nothing of the brokers: only each broker's own word on each partition does.
"""

import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from clients import pods
from clients.kubernetes import CONNECTIONS, Answer, CallFailed, Cluster, Target, understood
from clients.pods import Sleeping, is_ready, none_sleep, ordinal_of
from clients.zeebe import MANAGEMENT_PORT, gateway_name
from dualregion.observed.zeebe_answers import Exporting, exporting_of

_REFUSAL = re.compile(r"Expected \d+ members of partition \d+ but found \d+")
"""What the gateway says while some partition lacks a replica, somewhere in a stack trace."""
_SHOWN = 200
"""How much of an unforeseen answer is shown."""


class Place(NamedTuple):
    """Where brokers are asked: an installation of some cluster.

    :ivar sleeping: which of its brokers sleep, and so cannot answer.
    """

    cluster: Cluster
    namespace: str
    sleeping: Sleeping = none_sleep


def pause(cluster: Cluster, namespace: str, release: str) -> str | None:
    """Ask for all exporters to pause (the hard way); return why that is refused, or None.

    Never mix it with a soft pause: a soft one followed by a hard one leaves a flag that a partition
    cannot start with after the next restart (camunda/camunda issue 55838).
    """
    return _order(cluster, namespace, release, "pause")


def resume(cluster: Cluster, namespace: str, release: str) -> str | None:
    """Ask for all exporters to resume; return why that is refused, or None."""
    return _order(cluster, namespace, release, "resume")


def phases(places: Iterable[Place], release: str) -> tuple[Exporting, ...]:
    """Return every partition's exporting on every broker of several installations.

    Brokers that sleep are left out; one that is ready is asked, whatever is expected of it.

    :raises CallFailed: if a broker that is awake does not answer.
    """
    asked = [
        (place, pod.metadata.name)
        for place in places
        for pod in pods.broker_pods(place.cluster, place.namespace, release)
        if is_ready(pod) or not place.sleeping(ordinal_of(pod))
    ]
    # All at once: on a link that is cut each of them takes as long as a call may.
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        found = list(pool.map(_said_by, asked))
    return tuple(state for states in found for state in states)


def resume_each(places: Iterable[Place], release: str) -> str | None:
    """Ask each broker by itself to resume exporting; return why one refuses, or None.

    The gateway's own order needs every broker of the cluster; this one serves when a region is gone.
    Source: the brokers' `POST /actuator/partitions/resumeExporting` (Zeebe 8.5).
    """
    for place in places:
        for pod in pods.broker_pods(place.cluster, place.namespace, release):
            name = pod.metadata.name
            target = Target(place.namespace, "pods", name, MANAGEMENT_PORT)
            refusal = _refusal(place.cluster.post(target, "/actuator/partitions/resumeExporting"))
            if refusal:
                return f"{name} in {place.namespace} refuses to resume exporting: {refusal}"
    return None


def pause_notice(paused: str) -> str:
    """Return what an operator must know while exporters are paused.

    :param paused: where they are, see `observed.paused_anywhere`.
    """
    return (
        f"EXPORTERS ARE PAUSED ({paused}): processing goes on, search, Operate and Tasklist stand still, and the "
        "brokers' disks fill. `pulumi up` on the survivor's stack goes on; to back out, `pulumi config set phase "
        "failover` on both stacks and `pulumi up` on the survivor's (possible until step B5)"
    )


def _said_by(asked: tuple[Place, str]) -> tuple[Exporting, ...]:
    """Return what one broker says of its partitions."""
    place, name = asked
    target = Target(place.namespace, "pods", name, MANAGEMENT_PORT)
    answer = place.cluster.get(target, "/actuator/partitions")
    if answer.status != 200:
        raise CallFailed(
            f"{name} in {place.namespace} answered {answer.status} to /actuator/partitions",
            answer.status,
        )
    document = answer.json()
    return understood(
        f"{name} in {place.namespace}, asked for /actuator/partitions,",
        lambda: exporting_of(f"{place.namespace}/{name}", document),
    )


def _order(cluster: Cluster, namespace: str, release: str, order: str) -> str | None:
    gateway = Target(namespace, "services", gateway_name(release), MANAGEMENT_PORT)
    try:
        refusal = _refusal(cluster.post(gateway, f"/actuator/exporting/{order}"))
    except CallFailed as error:
        refusal = _shortened(str(error))
    return refusal and f"the gateway of {namespace} refuses to {order} exporting: {refusal}"


def _refusal(answer: Answer) -> str | None:
    """Return what an answer refuses with, or None if both its status line and its body accept."""
    if not _is_success(answer.status):
        return f"{answer.status} {_shortened(answer.body)}"
    try:
        document = json.loads(answer.body)
    except ValueError:
        return None
    if not isinstance(document, dict) or _is_success(document.get("status", answer.status)):
        return None
    return f"{document['status']} in a body of status {answer.status}: {_message(document)}"


def _is_success(status: Any) -> bool:
    return isinstance(status, int) and 200 <= status < 300


def _message(document: dict[str, Any]) -> str:
    """Return the known refusal, else the innermost message of what was thrown, else the body's beginning."""
    body = document.get("body")
    known = _REFUSAL.search(json.dumps(body, ensure_ascii=False))
    if known:
        return known[0]
    said = body if isinstance(body, str) else ""
    while isinstance(body, dict):
        said = str(body.get("message") or said)
        body = body.get("cause")
    return _shortened(said or json.dumps(document))


def _shortened(text: str) -> str:
    known = _REFUSAL.search(text)
    return known[0] if known else " ".join(text.split())[:_SHOWN]
