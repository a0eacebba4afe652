"""Restarting brokers one after the other, while their StatefulSet restarts nothing by itself.

Two settings keep the StatefulSet's controller from restarting brokers, and each does what the other cannot:

- A `partition` as high as the replica count holds an update back. Helm leaves the field alone, as the
  chart does not set it, so it outlasts Helm's update.
- `OnDelete` is set after the update, which would take it away. With it a pod that is gone comes back
  in the new revision, whatever its ordinal. Below a partition it would come back in the controller's
  `currentRevision`, and that only moves on when every pod is ready: with pods that sleep it stays at
  the very first one, so a broker woken that way would export to where the failover's engine was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from clients import pods
from clients.kubernetes import Cluster
from clients.pods import Sleeping, is_ready, none_sleep
from dualregion.chart.pod_templates import look_alike
from steps.polling import Say, Waiting

Complete = Callable[[], str | None]
"""Returns why some partition lacks a replica, or None: what must be so before a broker is restarted."""


def hold(cluster: Cluster, namespace: str, release: str, say: Say) -> None:
    """Let the next update of a release restart no broker by itself; nothing if there are none yet."""
    name = f"{release}-zeebe"
    found = cluster.stateful_set(namespace, name)
    if found is None or _partition(found) == found.spec.replicas:
        return
    cluster.set_update_strategy(namespace, name, _rolling(found.spec.replicas))
    say(f"brokers of {namespace}: held, so that the update of the release restarts none by itself")


def release_hold(cluster: Cluster, namespace: str, release: str) -> None:
    """Let the StatefulSet roll out updates by itself again."""
    name = f"{release}-zeebe"
    found = cluster.stateful_set(namespace, name)
    if found is not None and _partition(found) != 0:
        cluster.set_update_strategy(namespace, name, _rolling(0))


def let_go_if_unchanged(
    cluster: Cluster, namespace: str, release: str, *, waiting: Waiting, say: Say
) -> bool:
    """End a hold that has kept an update back of which brokers see nothing, and say whether it is one.

    If it is not, the hold stays.

    :raises DeadlineExceeded: if the StatefulSet's controller does not work.
    """
    found = cluster.stateful_set(namespace, f"{release}-zeebe")
    if found is None or _partition(found) == 0:
        return True
    brokers = _in_hand(cluster, namespace, release, waiting)
    if _take_back_rewriting(brokers, say):
        brokers = _in_hand(cluster, namespace, release, waiting)
    if brokers.stale():
        return False
    release_hold(cluster, namespace, release)
    return True


def roll(
    cluster: Cluster,
    namespace: str,
    release: str,
    *,
    waiting: Waiting,
    sleeping: Sleeping,
    complete: Complete,
    say: Say,
) -> None:
    """Bring every broker of an installation to its new configuration, one after the other.

    The highest ordinal comes first, as in a rolling update. What has been done already is not done again,
    so it can be run again wherever it was interrupted. An update that brokers see nothing of restarts none.

    :param complete: asked before a living broker is restarted, and after.
    :raises DeadlineExceeded: naming the broker that did not come back, or the partition that is not complete.
    """
    brokers = _in_hand(cluster, namespace, release, waiting)
    if _take_back_rewriting(brokers, say):
        brokers = _in_hand(cluster, namespace, release, waiting)
    for ordinal in reversed(range(brokers.count)):
        verb = "sleeps in" if sleeping(ordinal) else "runs"
        waiting.until_none(
            f"{brokers.name(ordinal)} in {namespace} {verb} the new configuration",
            partial(brokers.renew, ordinal, sleeping, complete, say),
            brokers.hint,
        )
    waiting.until_none(
        f"every partition is complete, as all brokers of {namespace} run the new configuration",
        complete,
        brokers.hint,
    )
    release_hold(cluster, namespace, release)


def wake(
    cluster: Cluster,
    namespace: str,
    release: str,
    *,
    waiting: Waiting,
    sleeping: Sleeping,
    complete: Complete,
    say: Say,
) -> None:
    """Wake the brokers that sleep, all at once, and only then roll the others.

    One that still sleeps is known by its old revision, as its replacement gets the new one: no broker is
    woken twice, wherever it was interrupted. No other broker is touched meanwhile, as partitions lack
    the sleepers' replicas.

    :param sleeping: who slept before this step.
    :raises DeadlineExceeded: as `roll`.
    """
    brokers = _in_hand(cluster, namespace, release, waiting)
    sleepers = [ordinal for ordinal in range(brokers.count) if sleeping(ordinal)]
    waiting.until_none(
        f"{len(sleepers)} sleeping brokers of {namespace} are awake and every partition is complete",
        lambda: brokers.wake(sleepers, complete, say),
        brokers.hint,
    )
    roll(
        cluster,
        namespace,
        release,
        waiting=waiting,
        sleeping=none_sleep,
        complete=complete,
        say=say,
    )


def asleep_as_expected(
    cluster: Cluster, namespace: str, release: str, sleeping: Sleeping
) -> str | None:
    """Return why the brokers are not as the failback mode has them, or None.

    That is: those awake are ready, the sleeping ones run and are not ready.
    """
    name = f"{release}-zeebe"
    found = cluster.stateful_set(namespace, name)
    reason = _unobserved(found, namespace, name)
    if found is None or reason:
        return reason
    brokers = _Brokers(cluster, namespace, release, found.spec.replicas, "")
    here = brokers.pods()
    for ordinal in range(brokers.count):
        pod, broker = here.get(ordinal), brokers.name(ordinal)
        if pod is None or pod.metadata.deletion_timestamp is not None:
            return f"{broker} in {namespace} is not there yet"
        if sleeping(ordinal) and is_ready(pod):
            return f"{broker} in {namespace} is ready, but should sleep: another broker has its id"
        if sleeping(ordinal) and not _lives(pod):
            return f"{broker} in {namespace} does not sleep yet{_trouble(pod)}"
        if not sleeping(ordinal) and not is_ready(pod):
            return f"{broker} in {namespace} is not ready{_trouble(pod)}"
    return None


@dataclass(frozen=True)
class _Brokers:
    """The broker pods of an installation whose StatefulSet restarts none by itself.

    :ivar revision: the new one.
    """

    cluster: Cluster
    namespace: str
    release: str
    count: int
    revision: str

    @property
    def hint(self) -> str:
        return f"Look at the pods: {self.cluster.kubectl(self.namespace)} get pods."

    def name(self, ordinal: int) -> str:
        return f"{self.release}-zeebe-{ordinal}"

    def pods(self) -> dict[int, Any]:
        found = pods.broker_pods(self.cluster, self.namespace, self.release)
        return {pods.ordinal_of(pod): pod for pod in found}

    def renew(self, ordinal: int, sleeping: Sleeping, complete: Complete, say: Say) -> str | None:
        """Restart a broker of the old configuration as soon as it may be; return why it is not renewed yet."""
        here, name = self.pods(), self.name(ordinal)
        pod = here.get(ordinal)
        if pod is None or pod.metadata.deletion_timestamp is not None:
            return f"{name} is being replaced"
        if self._is_stale(pod):
            # A container that does not run, as one that crashes, is no replica that could be taken away:
            # partitions would never become complete with it.
            free = sleeping(ordinal) or not _lives(pod)
            reason = None if free else self._unready(here, sleeping) or complete()
            if reason:
                return f"{name} is not restarted before that: {reason}"
            self._delete(pod, say, "it has the old configuration")
            return f"{name} is being replaced"
        if sleeping(ordinal):
            return None if _lives(pod) else f"{name} does not run yet{_trouble(pod)}"
        return complete() if is_ready(pod) else f"{name} is not ready{_trouble(pod)}"

    def _unready(self, here: Mapping[int, Any], sleeping: Sleeping) -> str | None:
        """Return which broker is not ready: the gateway learns late of one that is down, or one that is back."""
        for ordinal in range(self.count):
            pod = here.get(ordinal)
            if not sleeping(ordinal) and (pod is None or not is_ready(pod)):
                return f"{self.name(ordinal)} is not ready{_trouble(pod) if pod else ''}"
        return None

    def stale(self) -> list[str]:
        """Return the names of the pods that do not run the new revision."""
        return [pod.metadata.name for pod in self.pods().values() if self._is_stale(pod)]

    def wake(self, sleepers: list[int], complete: Complete, say: Say) -> str | None:
        """Delete the pods that still sleep; return why not everybody is awake yet."""
        # With every partition complete no broker sleeps: one that is not ready then is only slow for a moment.
        reason, here = complete(), self.pods()
        ready = {ordinal for ordinal in sleepers if ordinal in here and is_ready(here[ordinal])}
        unready = [here[ordinal] for ordinal in sleepers if ordinal in here.keys() - ready]
        for pod in unready if reason else ():
            if self._is_stale(pod) and pod.metadata.deletion_timestamp is None:
                self._delete(pod, say, "it sleeps, and wakes in the new configuration")
        if len(ready) < len(sleepers):
            trouble = pods.trouble(unready)
            return f"{len(ready)} of {len(sleepers)} of them are ready{trouble}"
        return reason

    def _is_stale(self, pod: Any) -> bool:
        return bool(pod.metadata.labels.get(pods.REVISION_LABEL) != self.revision)

    def _delete(self, pod: Any, say: Say, why: str) -> None:
        say(f"restarting {pod.metadata.name} in {self.namespace}: {why}")
        self.cluster.delete_pod(self.namespace, pod.metadata.name, pod.metadata.uid)


def _take_back_rewriting(brokers: _Brokers, say: Say) -> bool:
    """Give the StatefulSet the template back that its pods were made of, if the new one only differs in writing.

    Helm merges lists in which a name stands twice, as the contact points do, into another order with any
    upgrade. No broker should be restarted for that.

    :returns: whether it was given back; the controller then takes the former revision for the new one.
    """
    here = brokers.pods().values()
    former = {str(pod.metadata.labels.get(pods.REVISION_LABEL)) for pod in here}
    if len(former) != 1 or former == {brokers.revision}:
        return False
    cluster, namespace = brokers.cluster, brokers.namespace
    known, new = (cluster.revision(namespace, name) for name in (*former, brokers.revision))
    if known is None or new is None or not look_alike(_template(known), _template(new)):
        return False
    say(f"brokers of {namespace}: the update changes nothing that they see, so none is restarted")
    cluster.set_revision(namespace, f"{brokers.release}-zeebe", known)
    return True


def _template(revision: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = revision["spec"]["template"]
    return found


def _in_hand(cluster: Cluster, namespace: str, release: str, waiting: Waiting) -> _Brokers:
    """Set `OnDelete`, and return the brokers once the controller works so."""
    name = f"{release}-zeebe"
    seen: list[Any] = []

    def look() -> str | None:
        found = cluster.stateful_set(namespace, name)
        if found is not None and _partition(found) is not None:
            cluster.set_update_strategy(
                namespace, name, {"type": "OnDelete", "rollingUpdate": None}
            )
            found = cluster.stateful_set(namespace, name)
        seen.append(found)
        return _unobserved(found, namespace, name)

    waiting.until_none(
        f"the brokers of {namespace} restart only by hand",
        look,
        "Look at the StatefulSet and at the cluster's controller manager: "
        f"{cluster.kubectl(namespace)} describe statefulset {name}.",
    )
    found = seen[-1]
    return _Brokers(cluster, namespace, release, found.spec.replicas, found.status.update_revision)


def _unobserved(found: Any | None, namespace: str, name: str) -> str | None:
    """Return why a StatefulSet's status says nothing yet of what was last changed in it, or None."""
    if found is None:
        return f"StatefulSet {name} does not exist in {namespace}"
    if (found.status.observed_generation or 0) < found.metadata.generation:
        return f"StatefulSet {name} has not been looked at by its controller yet"
    return None


def _partition(found: Any) -> int | None:
    """Return the ordinal from which a StatefulSet rolls out updates by itself; None if it does not."""
    strategy = found.spec.update_strategy
    if strategy is not None and strategy.type == "OnDelete":
        return None
    rolling = strategy.rolling_update if strategy is not None else None
    return (rolling.partition or 0) if rolling is not None else 0


def _rolling(partition: int) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}


def _lives(pod: Any) -> bool:
    """Return whether the broker's container runs, ready or not."""
    statuses = pod.status.container_statuses or ()
    named = [each for each in statuses if each.name == "zeebe"] or list(statuses[:1])
    return any(each.state.running is not None for each in named)


def _trouble(pod: Any) -> str:
    return pods.trouble([pod])
