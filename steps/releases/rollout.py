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
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from clients.cluster import pods
from clients.cluster.pods import is_ready, none_sleep
from clients.installation import LiveInstallation
from dualregion.chart.pod_templates import look_alike
from messages import Message
from messages.clients import installations as broken
from messages.steps import progress
from messages.steps import steps as messages
from steps.polling import Say, Waiting

Complete = Callable[[], Message | None]
"""Returns why some partition lacks a replica, or None: what must be so before a broker is restarted."""


def hold(at: LiveInstallation, say: Say) -> None:
    """Let the next update of a release restart no broker by itself; nothing if there are none yet."""
    found = at.brokers()
    if found is None or _partition(found) == found.spec.replicas:
        return
    at.set_update_strategy(_rolling(found.spec.replicas))
    say(progress.updates_held(at.namespace))


def release_hold(at: LiveInstallation) -> None:
    """Let the StatefulSet roll out updates by itself again."""
    found = at.brokers()
    if found is not None and _partition(found) != 0:
        at.set_update_strategy(_rolling(0))


def release_hold_if_pods_unchanged(at: LiveInstallation, *, waiting: Waiting, say: Say) -> bool:
    """End a hold that has kept an update back of which brokers see nothing, and return whether it is one.

    If it is not, the hold stays.

    :raises DeadlineExceeded: if the StatefulSet's controller does not work.
    """
    found = at.brokers()
    if found is None or _partition(found) == 0:
        return True
    brokers = _disable_automatic_rollout(at, waiting)
    if _revert_cosmetic_update(brokers, say):
        brokers = _disable_automatic_rollout(at, waiting)
    if brokers.stale():
        return False
    release_hold(at)
    return True


def roll(at: LiveInstallation, *, waiting: Waiting, complete: Complete, say: Say) -> None:
    """Bring every broker of an installation to its new configuration, one after the other.

    The highest ordinal comes first, as in a rolling update. What has been done already is not done again,
    so it can be run again wherever it was interrupted. An update that brokers see nothing of restarts none. One that holds
    an old password of a search engine is restarted, too, whatever its configuration is.

    :param complete: asked before a living broker is restarted, and after.
    :raises DeadlineExceeded: naming the broker that did not come back, or the partition that is not complete.
    """
    brokers = _disable_automatic_rollout(at, waiting)
    if _revert_cosmetic_update(brokers, say):
        brokers = _disable_automatic_rollout(at, waiting)
    brokers = replace(brokers, since=at.passwords_renewed())
    for ordinal in reversed(range(brokers.count)):
        waiting.until_none(
            messages.broker_renewed(brokers.name(ordinal), at.namespace, at.sleeping(ordinal)),
            partial(brokers.renew, ordinal, complete, say),
            brokers.hint,
        )
    waiting.until_none(
        messages.complete_after_rollout(at.namespace),
        complete,
        brokers.hint,
    )
    release_hold(at)


def wake(at: LiveInstallation, *, waiting: Waiting, complete: Complete, say: Say) -> None:
    """Wake the brokers that sleep, all at once, and only then roll the others.

    One that still sleeps is known by its old revision, as its replacement gets the new one: no broker is
    woken twice, wherever it was interrupted. No other broker is touched meanwhile, as partitions lack
    the sleepers' replicas.

    :param at: with those brokers as sleeping that slept before this step.
    :raises DeadlineExceeded: as `roll`.
    """
    brokers = _disable_automatic_rollout(at, waiting)
    sleepers = [ordinal for ordinal in range(brokers.count) if at.sleeping(ordinal)]
    waiting.until_none(
        messages.sleepers_awake(len(sleepers), at.namespace),
        lambda: brokers.wake(sleepers, complete, say),
        brokers.hint,
    )
    roll(replace(at, sleeping=none_sleep), waiting=waiting, complete=complete, say=say)


def asleep_as_expected(at: LiveInstallation) -> Message | None:
    """Return why the brokers are not as the failback mode has them, or None.

    That is: those awake are ready, the sleeping ones run and are not ready.
    """
    found = at.brokers()
    reason = at.unobserved(found)
    if found is None or reason:
        return reason
    brokers = _Brokers(at, found.spec.replicas, "")
    here = brokers.pods()
    for ordinal in range(brokers.count):
        pod, broker = here.get(ordinal), brokers.name(ordinal)
        if pod is None or pods.is_ending(pod):
            return broken.broker_missing(broker, at.namespace)
        if at.sleeping(ordinal) and is_ready(pod):
            return broken.broker_awake(broker, at.namespace)
        if at.sleeping(ordinal) and not pods.runs(pod):
            return broken.broker_not_asleep(broker, at.namespace, _trouble(pod))
        if not at.sleeping(ordinal) and not is_ready(pod):
            return broken.broker_not_ready(broker, at.namespace, _trouble(pod))
    return None


@dataclass(frozen=True)
class _Brokers:
    """The broker pods of an installation whose StatefulSet restarts none by itself.

    :ivar revision: the new one.
    :ivar since: when the passwords that brokers read when they start were changed last; None if that does not count.
    """

    at: LiveInstallation
    count: int
    revision: str
    since: datetime | None = None

    @property
    def hint(self) -> Message:
        return messages.look_at_pods(self.at.kubectl)

    def name(self, ordinal: int) -> str:
        return self.at.names.broker(ordinal)

    def pods(self) -> dict[int, Any]:
        return {pods.ordinal_of(pod): pod for pod in self.at.broker_pods()}

    def renew(self, ordinal: int, complete: Complete, say: Say) -> Message | None:
        """Restart a broker of the old configuration as soon as it may be; return why it is not renewed yet."""
        here, name = self.pods(), self.name(ordinal)
        pod = here.get(ordinal)
        if pod is None or pods.is_ending(pod):
            return broken.broker_replaced(name, self.at.namespace)
        if self._is_stale(pod):
            # A container that does not run, as one that crashes, is no replica that could be taken away:
            # partitions would never become complete with it.
            free = self.at.sleeping(ordinal) or not pods.runs(pod)
            reason = None if free else self._unready(here) or complete()
            if reason:
                return broken.restart_delayed(name, self.at.namespace, reason)
            is_old = pods.revision_of(pod) != self.revision
            why = progress.old_configuration() if is_old else progress.old_password()
            self.at.restart(pod, why, say)
            return broken.broker_replaced(name, self.at.namespace)
        if self.at.sleeping(ordinal):
            return None if pods.runs(pod) else self._of(broken.broker_does_not_run, pod)
        return complete() if is_ready(pod) else self._of(broken.broker_not_ready, pod)

    def _of(self, what: Callable[[str, str, Message | None], Message], pod: Any) -> Message:
        return what(pod.metadata.name, self.at.namespace, _trouble(pod))

    def _unready(self, here: Mapping[int, Any]) -> Message | None:
        """Return which broker is not ready: the gateway learns late of one that is down, or one that is back."""
        for ordinal in range(self.count):
            pod = here.get(ordinal)
            if not self.at.sleeping(ordinal) and (pod is None or not is_ready(pod)):
                trouble = _trouble(pod) if pod else None
                return broken.broker_not_ready(self.name(ordinal), self.at.namespace, trouble)
        return None

    def stale(self) -> list[str]:
        """Return the names of the pods that do not run the new revision."""
        return [pod.metadata.name for pod in self.pods().values() if self._is_stale(pod)]

    def wake(self, sleepers: list[int], complete: Complete, say: Say) -> Message | None:
        """Delete the pods that still sleep; return why not everybody is awake yet."""
        # With every partition complete no broker sleeps: one that is not ready then is only slow for a moment.
        reason, here = complete(), self.pods()
        ready = {ordinal for ordinal in sleepers if ordinal in here and is_ready(here[ordinal])}
        unready = [here[ordinal] for ordinal in sleepers if ordinal in here.keys() - ready]
        for pod in unready if reason else ():
            if self._is_stale(pod) and not pods.is_ending(pod):
                self.at.restart(pod, progress.wakes(), say)
        if len(ready) < len(sleepers):
            return broken.sleepers_not_ready(len(ready), len(sleepers), pods.trouble(unready))
        return reason

    def _is_stale(self, pod: Any) -> bool:
        return pods.revision_of(pod) != self.revision or pods.is_older(pod, self.since)


def _revert_cosmetic_update(brokers: _Brokers, say: Say) -> bool:
    """Give the StatefulSet the template back that its pods were made of, if the new one only differs in writing.

    Helm merges lists in which a name stands twice, as the contact points do, into another order with any
    upgrade. No broker should be restarted for that.

    :returns: whether it was given back; the controller then takes the former revision for the new one.
    """
    here = brokers.pods().values()
    former = {str(pods.revision_of(pod)) for pod in here}
    if len(former) != 1 or former == {brokers.revision}:
        return False
    at = brokers.at
    known, new = (at.cluster.revision(at.namespace, name) for name in (*former, brokers.revision))
    if known is None or new is None or not look_alike(_template(known), _template(new)):
        return False
    say(progress.update_reverted(at.namespace))
    at.cluster.set_revision(at.namespace, at.names.brokers, known)
    return True


def _template(revision: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = revision["spec"]["template"]
    return found


def _disable_automatic_rollout(at: LiveInstallation, waiting: Waiting) -> _Brokers:
    """Set `OnDelete`, and return the brokers once the controller works so."""
    seen: list[Any] = []

    def look() -> Message | None:
        found = at.brokers()
        if found is not None and _partition(found) is not None:
            at.set_update_strategy({"type": "OnDelete", "rollingUpdate": None})
            found = at.brokers()
        seen.append(found)
        return at.unobserved(found)

    waiting.until_none(
        messages.restarts_by_hand(at.namespace),
        look,
        messages.look_at_controller(at.kubectl, at.names.brokers),
    )
    found = seen[-1]
    return _Brokers(at, found.spec.replicas, found.status.update_revision)


def _partition(found: Any) -> int | None:
    """Return the ordinal from which a StatefulSet rolls out updates by itself; None if it does not."""
    strategy = found.spec.update_strategy
    if strategy is not None and strategy.type == "OnDelete":
        return None
    rolling = strategy.rolling_update if strategy is not None else None
    return (rolling.partition or 0) if rolling is not None else 0


def _rolling(partition: int) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}


def _trouble(pod: Any) -> Message | None:
    return pods.trouble([pod])
