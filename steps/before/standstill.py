"""What shows that a region is lost while its brokers are still listed: gateways list them for 10 to 20 seconds more.

It lets a preview end, and an `up` make what harms nothing: the claim, namespaces, Secrets. Nothing is cut off and no
broker is started on it: F1 goes by gateways that have lost sight of every broker of the region, as ever.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from clients.cluster.kubernetes import CallFailed
from clients.parallel import begin
from dualregion import brokers
from dualregion.errors import ClusterUnreachable
from dualregion.observed import zeebe_answers
from messages import Message
from messages.steps import preflight as messages
from steps import broker_views
from steps.context import StepContext
from steps.polling import Unchanged

STILL_SECONDS = 2.0
"""For how long all of it must be so, without a break: a healthy partition carries out a command in milliseconds."""
_CONNECT_SECONDS = 2.0
"""How long the lost region's API server may take to be reached, in each of two tries."""


class Standstill:
    """Looks whether every partition that needs the lost region stands still, and its API server is silent.

    Each part alone may mean something else: commands that wait mean a slow gateway, a silent API server a broken VPN, no
    leader here leaders there. All must be so, at every look, for a while.
    """

    def __init__(
        self,
        ctx: StepContext,
        asked: Mapping[int, "Future[Message | None]"],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to ask the lost region's API server.

        :param asked: the commands that partitions which need the lost region were asked for; just now.
        """
        self._ctx, self._asked, self._clock = ctx, asked, clock
        self._began = clock()
        self._still, self._breaks = Unchanged(clock), 0
        self._answers = begin(lambda: ctx.peer_cluster.check_answers(_CONNECT_SECONDS))

    def is_shown(self) -> bool:
        """Whether it has been so for long enough, by now.

        :raises CallFailed: if the survivor's gateways cannot tell.
        """
        so = self._is_silent() and self._nothing_is_carried_out() and self._none_leads_here()
        self._breaks += not so
        return self._still.seconds(self._breaks) >= STILL_SECONDS and so

    def _is_silent(self) -> bool:
        """Whether the API server could not be reached; one that refuses, or is in trouble, lives."""
        return self._answers.done() and isinstance(self._answers.exception(), ClusterUnreachable)

    def _nothing_is_carried_out(self) -> bool:
        """Whether each command was refused, or has waited for long."""
        waited = self._clock() - self._began >= STILL_SECONDS
        return bool(self._asked) and all(
            _is_refused(answer) if answer.done() else waited for answer in self._asked.values()
        )

    def _none_leads_here(self) -> bool:
        """Whether no gateway sees a broker of the survivor lead a partition that needs the lost region.

        Those of the lost region may still be listed as leaders, whatever has become of them.
        """
        settings = self._ctx.settings
        own = brokers.region_broker_ids(settings.cluster_size, settings.region)
        views = broker_views.sighted_views(self._ctx)
        return not any(zeebe_answers.led_by(view, own, self._asked) for view in views)


def _is_refused(answer: "Future[Message | None]") -> bool:
    """Whether a command was refused, or not answered at all; whatever else went wrong shows nothing."""
    error = answer.exception()
    return answer.result() is not None if error is None else isinstance(error, CallFailed)


def still_listed(ctx: StepContext, listed: Message) -> Message:
    """Return what a person is told then.

    :param listed: which brokers gateways still see.
    """
    return messages.lost_brokers_still_listed(ctx.settings.peer.name, listed, ctx.settings.own.name)
