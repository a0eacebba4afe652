"""Asking for the cluster's configuration, and for changes of it: the management API of Camunda 8.6 and later.

The gateway hands most calls to the coordinator, the member of the lowest id that it knows, and a removal by force to the
lowest that is to remain. So while the region of broker 0 is lost, nothing but such a removal, and its dry run, is answered.
A change that is accepted is carried out later; the answer does not tell how it ends.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from clients.cluster import forward
from clients.cluster.kubernetes import READ_SECONDS, Answer, CallFailed, Target, understood
from clients.zeebe import MANAGEMENT_PORT, Zeebe
from dualregion.errors import DualRegionError
from dualregion.observed.cluster_changes import Configuration, PlannedChange, exporters_of
from dualregion.procedure.versions import RemovalForm
from messages.clients import cluster_management as messages

T = TypeVar("T")

_DRY_RUN = "dryRun=true"
_SILENT = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)


class ChangeNotPossible(DualRegionError):
    """A change is refused as it is not allowed or makes no sense: it would be refused again."""


class OtherChangePending(CallFailed):
    """A change is not accepted, as another one is under way, or the configuration has changed meanwhile."""


class CoordinatorSilent(CallFailed):
    """The coordinator is not known, not reached, or does not answer; what was asked for may be done all the same."""


@dataclass(frozen=True)
class ClusterManagement:
    """The management API of one installation's gateway, reached through the API server.

    :ivar zeebe: the gateways and brokers of the installation.
    :ivar removal: how the version takes the brokers that are removed by force.
    """

    zeebe: Zeebe
    removal: RemovalForm

    @property
    def namespace(self) -> str:
        """The installation's namespace."""
        return self.zeebe.namespace

    def __str__(self) -> str:
        return f"the cluster management of {self.namespace}"

    def configuration(self) -> Configuration:
        """Return the cluster's members, and the change that is under way, if one is.

        :raises CoordinatorSilent: while the coordinator is lost.
        :raises CallFailed: if it cannot be told for another reason.
        :raises Refused: if the cluster is of a kind that this program does not know.
        """
        answer = self._call("GET", "/actuator/cluster")
        return self._read(Configuration.of, answer.json())

    def exporters(self) -> dict[str, str]:
        """Return the state of each exporter over all replicas, by its id; raises as `configuration`."""
        answer = self._call("GET", "/actuator/exporters")
        return self._read(exporters_of, answer.json_list())

    def remove(
        self, lost: Iterable[int], kept: Iterable[int], *, dry_run: bool = False
    ) -> PlannedChange:
        """Ask to remove brokers by force, without asking them; it is done even where there is nothing to remove.

        :param lost: the ids to remove; all of them must be members, which nothing but the caller sees to.
        :param kept: the ids of all other members.
        :param dry_run: whether it is only to be shown.
        :raises ChangeNotPossible: if it is not allowed.
        :raises OtherChangePending: if another change is under way.
        :raises CoordinatorSilent: if it is not known whether it was accepted.
        """
        query = f"force=true{_dry(dry_run)}"
        if self.removal is RemovalForm.KEEP_LIST:
            return self._change("POST", f"/actuator/cluster/brokers?{query}", sorted(kept))
        return self._change(
            "PATCH", f"/actuator/cluster?{query}", {"brokers": {"remove": sorted(lost)}}
        )

    def add(
        self,
        lacking: Iterable[int],
        everyone: Iterable[int],
        replication_factor: int,
        *,
        dry_run: bool = False,
    ) -> PlannedChange:
        """Ask to let brokers join, and to spread every partition over all again; raises as `remove`.

        :param lacking: the ids that are no members yet.
        :param everyone: all ids afterwards.
        :param replication_factor: how many replicas each partition is to have.
        """
        if self.removal is RemovalForm.KEEP_LIST:
            query = f"replicationFactor={replication_factor}{_dry(dry_run)}"
            return self._change("POST", f"/actuator/cluster/brokers?{query}", sorted(everyone))
        named = {"brokers": {"add": sorted(lacking)}} if lacking else {}
        wanted = named | {"partitions": {"replicationFactor": replication_factor}}
        query = _dry(dry_run).replace("&", "?")
        return self._change("PATCH", f"/actuator/cluster{query}", wanted)

    def enable(self, exporter: str, initialize_from: str) -> PlannedChange:
        """Ask to enable an exporter where another one stands at that moment, on every partition; raises as `remove`."""
        path = f"/actuator/exporters/{quote(exporter, safe='')}/enable"
        return self._change("POST", path, {"initializeFrom": initialize_from})

    def disable(self, exporter: str) -> PlannedChange:
        """Ask to disable an exporter on every partition: no record waits for it any more; raises as `remove`."""
        return self._change("POST", f"/actuator/exporters/{quote(exporter, safe='')}/disable", None)

    def _change(self, method: str, path: str, body: Any) -> PlannedChange:
        return self._read(PlannedChange.of, self._call(method, path, body).json())

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request; return the answer that accepts it.

        Only what answers 400 or 409 has certainly not been done.

        :raises CallFailed: also if no gateway is ready to be asked.
        """
        asked = f"{method} {path.partition('?')[0]}"
        # Which gateways are ready is the API server's answer: nothing about the coordinator.
        pod = min(self.zeebe.ready_gateways()) if _DRY_RUN in path else None
        try:
            answer = self._ask(method, path, body, pod)
        except CallFailed as error:
            if error.status is None or error.status in _SILENT:
                raise CoordinatorSilent(
                    messages.coordinator_silent(self.namespace, asked, error.message), error.status
                ) from None
            raise
        if 200 <= answer.status < 300:
            return answer
        reason = answer.error_text()
        if answer.status == HTTPStatus.BAD_REQUEST and not answer.is_api_servers:
            raise ChangeNotPossible(messages.change_not_possible(self.namespace, asked, reason))
        if answer.status == HTTPStatus.CONFLICT and not answer.is_api_servers:
            raise OtherChangePending(
                messages.other_change_pending(self.namespace, asked, reason), answer.status
            )
        raise CallFailed(
            messages.management_refuses(self.namespace, asked, answer.status, reason), answer.status
        )

    def _ask(self, method: str, path: str, body: Any, pod: str | None) -> Answer:
        """Ask the gateway.

        :param pod: one of its pods, to be asked past the API server's proxy.
        """
        cluster, gateway = self.zeebe.cluster, self.zeebe.names.gateway
        if pod is None:
            target = Target(self.namespace, "services", gateway, MANAGEMENT_PORT)
            return cluster.ask_zeebe(method, target, path, body)
        # The API server takes `dryRun` for its own, and refuses it on the way through its proxy.
        at = Target(self.namespace, "pods", pod, MANAGEMENT_PORT)
        return forward.ask(cluster, at, method, path, body, seconds=READ_SECONDS)

    def _read(self, reader: Callable[[Any], T], document: Any) -> T:
        return understood(self, lambda: reader(document))


def _dry(dry_run: bool) -> str:
    return f"&{_DRY_RUN}" if dry_run else ""
