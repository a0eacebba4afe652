"""Asking an installation's Zeebe: its gateway for the topology and by commands, each broker for its partitions.

From Camunda 8.8 on every broker is a gateway, too: the gateway's Service then selects the brokers that are ready.

The gateway's answer to a pause of exporting is not to be trusted: refused, it says 200 all the same, with the refusal in
the body. And the answer proves nothing of the brokers: only each broker's own answer on each partition does.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clients import logins
from clients.cluster import forward
from clients.cluster.kubernetes import READ_SECONDS, Answer, CallFailed, Cluster, Target, understood
from clients.cluster.pods import BROKER_SELECTOR, is_ready, trouble
from dualregion import plain_json
from dualregion.names import GATEWAY, GatewayLogin, ReleaseNames
from dualregion.observed.zeebe_answers import ClusterView, Exporting, exporting_of
from messages import Message
from messages.clients import installations as messages

GATEWAY_SELECTOR = f"app.kubernetes.io/component={GATEWAY}"
MANAGEMENT_PORT = 9600
REST_PORT = 8080

_PARTITION_BITS = 51
"""Zeebe keys carry their partition above this bit (Protocol.KEY_BITS), so a key names its partition."""
_REFUSAL = re.compile(r"Expected \d+ members of partition \d+ but found \d+")
"""What the gateway answers while some partition lacks a replica, somewhere in a stack trace."""
_ORDER_SECONDS = 75.0
"""How long a pause may take to be answered: from 8.10 on the gateway waits up to a minute for its end."""
_SHOWN = 200
"""How much of an unforeseen answer is shown."""


@dataclass(frozen=True)
class Zeebe:
    """The gateways and brokers of one installation, reached through the API server.

    :ivar api: the version of the REST API that the topology and commands are asked by.
    :ivar in_brokers: whether the gateways are in the brokers' pods.
    :ivar login: what the REST API is logged in to with; None without a login. The management port asks for none.
    """

    cluster: Cluster
    namespace: str
    names: ReleaseNames
    api: str = "v1"
    in_brokers: bool = False
    login: GatewayLogin | None = None

    def view(self) -> ClusterView:
        """Return the Zeebe cluster as the gateway of this installation sees it.

        :raises CallFailed: if the gateway does not answer.
        """
        return self._view(self._gateway(REST_PORT))

    def views(self) -> tuple[ClusterView, ...]:
        """Return the Zeebe cluster as each gateway of this installation sees it that is ready.

        What a Service answers is one gateway's view, and another one's the next time: that a broker is gone is proved only
        if none of them sees it.

        :raises CallFailed: if one of them does not answer, or none is ready.
        """
        found = self._gateway_pods()
        if not found:
            return (self.view(),)
        return tuple(self._view(self._pod(name, REST_PORT)) for name in self._ready(found))

    def ready_gateways(self) -> list[str]:
        """Return the names of the pods whose gateway is ready.

        :raises CallFailed: if none is, or they cannot be told.
        """
        return self._ready(self._gateway_pods())

    def _gateway_pods(self) -> list[Any]:
        selector = BROKER_SELECTOR if self.in_brokers else GATEWAY_SELECTOR
        return self.cluster.pods(self.namespace, self.names.selector(selector))

    def _ready(self, found: Sequence[Any]) -> list[str]:
        ready = [str(each.metadata.name) for each in found if is_ready(each)]
        if not ready:
            raise CallFailed(messages.no_gateway_ready(self.namespace, trouble(found)))
        return ready

    def refuses_commands(self, partition: int) -> Message | None:
        """Return why a partition does not process commands, or None.

        It completes a user task that cannot exist (the first key of the partition): a partition at work
        answers that there is none, which proves that the command was written, replicated and processed,
        and leaves nothing behind.
        """
        key = partition << _PARTITION_BITS
        path = f"/{self.api}/user-tasks/{key}/completion"
        try:
            answer = self._ask("POST", self._gateway(REST_PORT), path, {"action": "probe"})
        except CallFailed as error:
            return messages.command_unanswered(partition, error.message)
        if answer.status == 404 and "NOT_FOUND" in answer.body:
            return None
        return messages.command_refused(partition, answer.status, answer.body[:120])

    def pause(self) -> Message | None:
        """Ask for all exporters to pause (the hard way); return why that is refused, or None.

        Never mix it with a soft pause: a soft one followed by a hard one leaves a flag that a partition
        cannot start with after the next restart (camunda/camunda issue 55838).
        """
        return self._order("pause")

    def resume(self) -> Message | None:
        """Ask for all exporters to resume; return why that is refused, or None."""
        return self._order("resume")

    def exporting_of(self, broker: str) -> tuple[Exporting, ...]:
        """Return how a broker exports each of its partitions.

        :param broker: the name of its pod.
        :raises CallFailed: if it does not answer.
        """
        answer = self.cluster.get(self._pod(broker, MANAGEMENT_PORT), "/actuator/partitions")
        if answer.status != 200:
            raise CallFailed(
                messages.unexpected_status(
                    f"{broker} in {self.namespace}", answer.status, "/actuator/partitions", ""
                ),
                answer.status,
            )
        document = answer.json()
        return understood(
            f"{broker} in {self.namespace}, asked for /actuator/partitions,",
            lambda: exporting_of(f"{self.namespace}/{broker}", document),
        )

    def resume_broker(self, broker: str) -> Message | None:
        """Ask one broker by itself to resume exporting; return why it refuses, or None.

        The gateway's own order needs every broker of the cluster; this one serves when a region is gone.
        Source: the brokers' `POST /actuator/partitions/resumeExporting` (Zeebe 8.5).
        """
        target = self._pod(broker, MANAGEMENT_PORT)
        refusal = _refusal(self.cluster.post(target, "/actuator/partitions/resumeExporting"))
        if refusal is None:
            return None
        return messages.resumption_refused(broker, self.namespace, refusal)

    def _order(self, order: str) -> Message | None:
        target = self._gateway(MANAGEMENT_PORT)
        try:
            answer = self.cluster.post(
                target, f"/actuator/exporting/{order}", seconds=_ORDER_SECONDS
            )
            refusal = _refusal(answer)
        except CallFailed as error:
            known = _REFUSAL.search(error.details)
            refusal = known[0] if known else error.message
        return None if refusal is None else messages.order_refused(self.namespace, order, refusal)

    def _view(self, target: Target) -> ClusterView:
        path = f"/{self.api}/topology"
        answer = self._ask("GET", target, path)
        if answer.status != 200:
            raise CallFailed(
                messages.unexpected_status(str(target), answer.status, path, answer.body[:120]),
                answer.status,
            )
        document = answer.json()
        return understood(f"{target}, asked for {path},", lambda: ClusterView.of(document))

    def _ask(self, method: str, target: Target, path: str, body: Any = None) -> Answer:
        """Ask the REST API of a gateway: with a login past the API server's proxy, which keeps such a header for itself.

        :raises SecretMissing: if there is no password.
        :raises SecretUnreadable: if it is no text.
        :raises LoginRefused: if it is not taken.
        """
        login, namespace = self.login, self.namespace
        if login is None:
            return self.cluster.ask_zeebe(method, target, path, body)
        named = login.secret, login.key
        password = logins.secret_text(self.cluster, namespace, *named)
        if password is None:
            raise logins.SecretMissing(messages.gateway_secret_missing(namespace, *named))
        pod = target.name if target.kind == "pods" else min(self.ready_gateways())
        at, header = self._pod(pod, target.port), logins.basic(login.user, password)
        answer = forward.ask(
            self.cluster, at, method, path, body, headers=header, seconds=READ_SECONDS
        )
        if answer.status == logins.REFUSED:
            refused = messages.gateway_login_refused(namespace, login.user, *named)
            raise logins.LoginRefused(refused, answer.status)
        return answer

    def _gateway(self, port: int) -> Target:
        return Target(self.namespace, "services", self.names.gateway, port)

    def _pod(self, name: str, port: int) -> Target:
        return Target(self.namespace, "pods", name, port)


def _refusal(answer: Answer) -> str | None:
    """Return what an answer refuses with, or None if both its status line and its body accept."""
    if not _is_success(answer.status):
        return f"{answer.status} {_shortened(answer.body)}"
    try:
        document = plain_json.read(answer.body)
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
    innermost = body if isinstance(body, str) else ""
    while isinstance(body, dict):
        innermost = str(body.get("message") or innermost)
        body = body.get("cause")
    return _shortened(innermost or json.dumps(document))


def _shortened(text: str) -> str:
    known = _REFUSAL.search(text)
    return known[0] if known else " ".join(text.split())[:_SHOWN]
