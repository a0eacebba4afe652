"""What shows that a lost region that lives still works with brokers of this one, although it was cut off.

Network policies are not in force at once: a plug-in may leave connections that were made before them, and let packets to
a pod pass until it knows the pod. The brokers of this region then follow leaders there, and get none of their own.
"""

from concurrent.futures import Future

from clients.parallel import begin
from messages import Message
from messages.steps import steps as messages
from steps import broker_views
from steps.context import StepContext


class StillWorking:
    """Asks the lost region for a command, again and again, in the background: mostly nothing answers there.

    It goes to a partition that has no quorum without brokers of this region, so one that is carried out proves that some
    of these take part in it.
    """

    def __init__(self, ctx: StepContext) -> None:
        self._ctx = ctx
        self._partitions = broker_views.not_served_alone(ctx.settings, ctx.lost)
        self._asked: Future[Message | None] | None = None
        self._seen: Message | None = None

    def explains(self, missing: Message | None) -> Message | None:
        """Return that it works in the place of what is missing here, if so; None if nothing is missing.

        Only then it is asked: a failover that goes well asks nothing there.
        """
        return missing and (self.seen() or missing)

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
            self._partitions[0], settings.peer.name, settings.own.name
        )
