"""What shows that a lost region that lives still works with brokers of this one, although it was cut off.

Network policies are not in force at once: a plug-in may leave connections that were made before them, and let packets to
a pod pass until it knows the pod. The brokers of this region then follow leaders there, and get none of their own.
"""

from concurrent.futures import Future

from clients.parallel import begin
from dualregion import brokers
from messages import Message
from messages.steps import steps as messages
from steps.context import StepContext


class StillWorking:
    """Asks the lost region for a command, again and again, in the background: mostly nothing answers there.

    It goes to a partition that has no quorum without brokers of this region, so one that is carried out proves that some
    of these take part in it.
    """

    def __init__(self, ctx: StepContext) -> None:
        self._ctx = ctx
        settings = ctx.settings
        self._partitions = brokers.partitions_without_quorum(
            brokers.region_broker_ids(settings.cluster_size, ctx.lost),
            cluster_size=settings.cluster_size,
            partition_count=settings.partition_count,
            replication_factor=settings.replication_factor,
        )
        self._asked: Future[Message | None] | None = None
        self._seen: Message | None = None

    def seen(self) -> Message | None:
        """Return that it works, if the last answer said so; whatever else it was shows nothing."""
        asked = self._asked
        if asked is None or asked.done():
            if asked is not None:
                self._seen = self._told(asked)
            self._asked = begin(self._refused)
        return self._seen

    def _refused(self) -> Message | None:
        lost = self._ctx.peer_at(self._ctx.settings.peer.namespace)
        return lost.zeebe.refuses_commands(self._partitions[0])

    def _told(self, asked: "Future[Message | None]") -> Message | None:
        if asked.exception() is not None or asked.result() is not None:
            return None
        settings = self._ctx.settings
        return messages.lost_region_works(
            self._partitions[0],
            settings.peer.name,
            settings.own.name,
        )
