"""An installation of Camunda in a cluster: one handle for all that it can be asked, by steps and status alike."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clients import helm
from clients.cluster import pods
from clients.cluster.kubernetes import READ_SECONDS, Cluster
from clients.cluster.pods import Sleeping, is_ending, is_ready, none_sleep, ordinal_of, revision_of
from clients.cluster_management import ClusterManagement
from clients.helm import HelmRecord
from clients.parallel import at_once
from clients.search_engine import SearchEngine
from clients.zeebe import Zeebe
from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.names import EngineAddress, GatewayLogin, ReleaseNames, engine_of_chart
from dualregion.observed import profiles
from dualregion.observed.search_engine.records import RECORD_PREFIX
from dualregion.observed.zeebe_answers import Exporting
from dualregion.procedure.versions import DEFAULT, VERSIONS, CamundaVersion
from messages import Message
from messages.clients import installations as messages
from messages.observed import engines
from messages.steps import progress


@dataclass(frozen=True)
class LiveInstallation:
    """One installation, whether it is there or not.

    :ivar sleeping: which of its brokers sleep, and so cannot answer.
    :ivar version: the version of Camunda that it runs.
    :ivar engine: where its search engine is, if not where the release's chart would put it.
    :ivar login: what its gateway's REST API is logged in to with; None without a login.
    """

    cluster: Cluster
    namespace: str
    release: str
    sleeping: Sleeping = none_sleep
    version: CamundaVersion = VERSIONS[DEFAULT]
    engine: EngineAddress | None = None
    login: GatewayLogin | None = None

    @classmethod
    def of(cls, cluster: Cluster, namespace: str, settings: Settings) -> "LiveInstallation":
        """Return the installation in a namespace of a cluster, as the settings describe it."""
        return cls(
            cluster,
            namespace,
            settings.release,
            version=settings.version,
            engine=settings.engine_address,
            login=settings.login,
        )

    @property
    def names(self) -> ReleaseNames:
        """What its parts are called."""
        return ReleaseNames(self.release)

    @property
    def zeebe(self) -> Zeebe:
        """Its gateways and brokers."""
        version = self.version
        return Zeebe(
            self.cluster,
            self.namespace,
            self.names,
            version.api,
            version.brokers.serves_gateway,
            self.login,
        )

    @property
    def management(self) -> ClusterManagement:
        """What its gateway says of the cluster's configuration, and takes changes of it by."""
        return ClusterManagement(self.zeebe, self.version.removal)

    def search_engine(
        self, record_prefix: str = RECORD_PREFIX, seconds: float = READ_SECONDS
    ) -> SearchEngine:
        """Return its search engine; see there."""
        return SearchEngine(
            self.cluster, self.namespace, self.release, record_prefix, seconds, self.engine
        )

    @property
    def engine_address(self) -> EngineAddress:
        """Where its search engine is."""
        return self.engine or engine_of_chart(self.release)

    @property
    def kubectl(self) -> str:
        """How a command begins that an operator is to type for it."""
        return self.cluster.kubectl(self.namespace)

    # --- Brokers

    def brokers(self) -> Any | None:
        """Return the brokers' StatefulSet, or None."""
        return self.cluster.stateful_set(self.namespace, self.names.brokers)

    def broker_pods(self) -> list[Any]:
        """Return its broker pods: those that its StatefulSet made.

        Labels alone do not show it: a debug pod may bear them.
        """
        found = self.cluster.pods(self.namespace, self.names.selector(pods.BROKER_SELECTOR))
        return [pod for pod in found if _is_made_by(self.names.brokers, pod)]

    def awake_brokers(self) -> list[str]:
        """Return the pods of the brokers that can be asked; one that is ready can, whatever is expected of it."""
        return [
            pod.metadata.name
            for pod in self.broker_pods()
            if is_ready(pod) or not self.sleeping(ordinal_of(pod))
        ]

    def brokers_pending(self) -> Message | None:
        """Return why the brokers' StatefulSet is not rolled out, or None."""
        found, namespace = self.brokers(), self.namespace
        reason = self.unobserved(found)
        if found is None or reason:
            return reason
        wanted, status = found.spec.replicas, found.status
        if not wanted:
            return messages.scaled_to_nothing(self.names.brokers, namespace)
        current = [
            pod
            for pod in self.broker_pods()
            if revision_of(pod) == status.update_revision and not is_ending(pod)
        ]
        if len(current) < wanted:
            return messages.brokers_not_updated(len(current), wanted, namespace)
        ready = status.ready_replicas or 0
        if ready < wanted:
            trouble = pods.trouble(self.broker_pods())
            return messages.brokers_not_ready(ready, wanted, namespace, trouble)
        return None

    def brokers_not_running(self) -> Message | None:
        """Return which broker does not run in the newest revision, ready or not; or None."""
        found, namespace = self.brokers(), self.namespace
        reason = self.unobserved(found)
        if found is None or reason:
            return reason
        here = {ordinal_of(pod): pod for pod in self.broker_pods()}
        for ordinal in range(found.spec.replicas):
            pod, name = here.get(ordinal), self.names.broker(ordinal)
            if pod is None:
                return messages.broker_missing(name, namespace)
            if is_ending(pod) or revision_of(pod) != found.status.update_revision:
                return messages.broker_replaced(name, namespace)
            if not pods.runs(pod):
                return messages.broker_does_not_run(name, namespace, pods.trouble([pod]))
        return None

    def unobserved(self, found: Any | None) -> Message | None:
        """Return why the status of the brokers' StatefulSet shows nothing yet of its last change, or None.

        :param found: the StatefulSet as it was read.
        """
        if found is None:
            return messages.no_stateful_set(self.names.brokers, self.namespace)
        return unobserved("StatefulSet", found)

    def restart_stale(self, *, leaderless: bool, say: Callable[[str], None]) -> None:
        """Delete the broker pods that run an old configuration, all at once, while that costs nothing.

        As long as some partition has no leader, no command of it is accepted anyway, and a rolling update
        would stop at the first pod that cannot become ready without quorum. As soon as every partition has
        a leader, the StatefulSet's own rolling update goes on, one broker at a time. A broker that does not run
        is no replica that could be taken away.

        :param leaderless: whether it was seen that no quorum is to be lost; else only what does not run is deleted.
        """
        found = self.brokers()
        if found is None or self.unobserved(found):
            return
        for pod in self.broker_pods():
            if revision_of(pod) == found.status.update_revision or is_ending(pod):
                continue
            if leaderless or pods.has_ended(pod):
                why = progress.no_quorum_to_lose() if leaderless else progress.not_running()
                self.restart(pod, why, say)

    def restart(self, pod: Any, why: Message, say: Callable[[str], None]) -> None:
        """Delete a broker's pod, so that its StatefulSet makes it again."""
        say(progress.restarting(pod.metadata.name, self.namespace, why))
        self.cluster.delete_pod(self.namespace, pod.metadata.name, pod.metadata.uid)

    def wrong_environment(self, wanted: Mapping[str, str]) -> Message | None:
        """Return where the brokers' environment differs from what is wanted, or None.

        Looks at the StatefulSet and at every running pod; of a name that stands twice the last one counts.
        """
        name, found = self.names.brokers, self.brokers()
        if found is None:
            return messages.no_stateful_set(name, self.namespace)
        specs = [(f"StatefulSet {name}", found.spec.template.spec)]
        specs += [(pod.metadata.name, pod.spec) for pod in self.broker_pods()]
        for owner, spec in specs:
            env = pods.broker_container(spec).env or ()
            actual = {entry.name: entry.value for entry in env}
            for key, value in wanted.items():
                if actual.get(key) != value:
                    return messages.wrong_environment(owner, key, actual.get(key), value)
        return None

    def variables_left(self, names: Collection[str]) -> Message | None:
        """Return which of these variables the brokers still have, in the StatefulSet or a running pod, or None."""
        found = self.brokers()
        if found is None:
            return messages.no_stateful_set(self.names.brokers, self.namespace)
        specs = [(f"StatefulSet {self.names.brokers}", found.spec.template.spec)]
        specs += [(pod.metadata.name, pod.spec) for pod in self.broker_pods()]
        for owner, spec in specs:
            left = [
                each.name for each in pods.broker_container(spec).env or () if each.name in names
            ]
            if left:
                return messages.variable_left(owner, left[0])
        return None

    def active_profiles(self) -> frozenset[str] | None:
        """Return the Spring profiles that the brokers' template runs them with; None if it does not show them.

        A variable outranks the configuration, which the chart mounts from a ConfigMap; pods of the newest revision were made
        with what it holds now, as the template has its digest.
        """
        found = self.brokers()
        if found is None:
            return None
        spec = found.spec.template.spec
        env = pods.broker_container(spec).env or ()
        if given := [each.value or "" for each in env if each.name == profiles.VARIABLE]:
            return profiles.profiles_of(given[-1])
        mounted = [each.config_map.name for each in spec.volumes or () if each.config_map]
        maps = [self.cluster.config_map(self.namespace, name) for name in mounted]
        active = (profiles.configured_profiles(each.data or {}) for each in maps if each)
        return next((each for each in active if each is not None), None)

    def exporter_environment(self) -> list[dict[str, Any]] | None:
        """Return the brokers' environment as Helm has rendered it, in the form of `zeebe.env`; None without brokers."""
        found = self.brokers()
        if found is None:
            return None
        return [
            {"name": each.name, "value": each.value, "valueFrom": each.value_from is not None}
            for each in pods.broker_container(found.spec.template.spec).env or ()
        ]

    def set_update_strategy(self, strategy: Mapping[str, Any]) -> None:
        """Set how the brokers' StatefulSet brings its pods to a new revision; None takes a field away."""
        self.cluster.set_update_strategy(self.namespace, self.names.brokers, strategy)

    # --- The search engine's nodes and the Deployments

    def search_engine_nodes(self) -> Any | None:
        """Return the StatefulSet of the search engine's master nodes, of an engine beside the chart the first one; or None."""
        address = self.engine_address
        if address.stateful_set is not None:
            return self.cluster.stateful_set(self.namespace, address.stateful_set)
        return next(iter(self.cluster.stateful_sets(self.namespace, address.selector)), None)

    def search_engine_pending(self) -> Message | None:
        """Return why its search engine is not ready, or None.

        All of its nodes are looked at, whatever kinds of them the values want: each kind has a StatefulSet of its own.
        """
        address, namespace = self.engine_address, self.namespace
        selector, master = address.selector, address.stateful_set
        found = self.cluster.stateful_sets(namespace, selector)
        if master is None and not found:
            return messages.no_engine_installed(namespace, selector)
        if master is not None and master not in (each.metadata.name for each in found):
            return messages.no_stateful_set(master, namespace)
        for each in found:
            if each.metadata.name == (master or each.metadata.name) and not each.spec.replicas:
                return messages.scaled_to_nothing(each.metadata.name, namespace)
        wanted = sum(each.spec.replicas for each in found)
        ready = sum(min(each.status.ready_replicas or 0, each.spec.replicas) for each in found)
        if ready >= wanted:
            return self._engine_unwell()
        trouble = pods.trouble(self.cluster.pods(namespace, selector))
        return messages.engine_nodes_not_ready(ready, wanted, namespace, trouble)

    def _engine_unwell(self) -> Message | None:
        """Return that an engine that is not the chart's serves badly, or None.

        :raises CallFailed: if it does not answer, or does not take its password.
        """
        if self.engine_address.login is None:
            return None
        status = self.search_engine().health().status
        return engines.engine_not_green(status) if status == "red" else None

    def passwords_renewed(self) -> datetime | None:
        """Return when the passwords that its brokers log in to search engines with were changed last.

        :returns: None if they need none, or have none yet.
        """
        login = self.engine_address.login
        if login is None:
            return None
        copies = (login.copy_of(region) for region in range(brokers.REGIONS))
        found = (self.cluster.secret(self.namespace, each) for each in copies)
        times = (data_changed_at(each) for each in found if each is not None)
        return max(filter(None, times), default=None)

    def deployment(self, component: str) -> Any | None:
        """Return the Deployment of the gateway or a web app, or None."""
        return self.cluster.deployment(self.namespace, self.names.component(component))

    def pods_of(self, component: str) -> list[Any]:
        """Return the pods of the gateway or a web app."""
        selector = self.names.selector(f"app.kubernetes.io/component={component}")
        return self.cluster.pods(self.namespace, selector)

    # --- Helm

    def helm_records(self) -> list[HelmRecord]:
        """Return Helm's records of its release, the oldest first."""
        return helm.in_order(
            self.cluster.secrets(self.namespace, f"owner=helm,name={self.release}")
        )


def data_changed_at(secret: Any) -> datetime | None:
    """Return when a Secret's data were changed last, by the API server's clock; its creation if that is not told."""
    told = [
        each.time
        for each in secret.metadata.managed_fields or ()
        if each.time is not None and "f:data" in (each.fields_v1 or {})
    ]
    found: datetime | None = max(told, default=secret.metadata.creation_timestamp)
    return found


def unobserved(kind: str, found: Any) -> Message | None:
    """Return why the status of a StatefulSet or Deployment shows nothing yet of its last change, or None."""
    if (found.status.observed_generation or 0) >= found.metadata.generation:
        return None
    return messages.not_yet_observed(kind, found.metadata.name, found.metadata.generation)


def exporting(installations: Iterable[LiveInstallation]) -> tuple[Exporting, ...]:
    """Return every partition's exporting on every broker of several installations.

    Brokers that sleep are left out; one that is ready is asked, whatever is expected of it.

    :raises CallFailed: if a broker that is awake does not answer.
    """
    asked = [(each, broker) for each in installations for broker in each.awake_brokers()]
    found = at_once(lambda each: each[0].zeebe.exporting_of(each[1]), asked)
    return tuple(state for states in found for state in states)


def resume_each(installations: Iterable[LiveInstallation]) -> Message | None:
    """Ask each broker by itself to resume exporting; return why one refuses, or None."""
    asked = [(each, pod.metadata.name) for each in installations for pod in each.broker_pods()]
    answers = at_once(lambda each: each[0].zeebe.resume_broker(each[1]), asked)
    return next(filter(None, answers), None)


def _is_made_by(stateful_set: str, pod: Any) -> bool:
    owners = pod.metadata.owner_references or ()
    owned = any((each.kind, each.name) == ("StatefulSet", stateful_set) for each in owners)
    return owned and re.fullmatch(rf"{re.escape(stateful_set)}-\d+", pod.metadata.name) is not None
