"""What shows that a region is lost while its brokers are still listed: gateways list them for 10 to 20 seconds more.

It lets a preview end, and an `up` make what harms nothing: the claim, namespaces, Secrets. Nothing is cut off and no
broker is started on it: F1 goes by gateways that have lost sight of every broker of the region, as ever.
"""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

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
"""For how long it must be so, without a break: a healthy partition carries out a command in milliseconds."""
_AGAIN_SECONDS = 0.75
"""How soon a partition that has refused a command is asked again: what refuses in an election works after it."""
_MOST_ASKED = 8
"""Of how many partitions commands are asked: one answer proves enough, and a gateway in trouble is not to be crowded."""
_CONNECT_SECONDS = 2.0
"""How long the lost region's API server may take to be reached, in each of two tries."""


class Commands:
    """Asks each partition that has no quorum without the lost region for a command, again and again, in the background.

    One that is carried out proves that the region lives, or did a moment ago, long before its brokers could have left
    the topology; of a region that is lost no answer comes, and none is waited for.
    """

    def __init__(self, ctx: StepContext, clock: Callable[[], float] = time.monotonic) -> None:
        settings = ctx.settings
        self._ask, self._clock = ctx.gateway.zeebe.refuses_commands, clock
        self.partitions = broker_views.not_served_alone(settings, settings.region)
        self._refused: Counter[int] = Counter()
        self._asked = {each: self._begin(each) for each in self.partitions[:_MOST_ASKED]}

    def carried_out(self) -> int | None:
        """Return the first partition that has carried out its command, or None; those that have refused are asked again."""
        for partition, (since, answer) in self._asked.items():
            if not answer.done():
                continue
            if answer.exception() is None and answer.result() is None:
                return partition
            if self._clock() - since >= _AGAIN_SECONDS:
                self._refused[partition] += _is_refused(answer)
                self._asked[partition] = self._begin(partition)
        return None

    def stand_still(self) -> bool:
        """Whether each partition has refused twice, or has let a command wait for long."""
        now = self._clock()
        return bool(self._asked) and all(
            self._refused[partition] > 1 or (not answer.done() and now - since >= STILL_SECONDS)
            for partition, (since, answer) in self._asked.items()
        )

    def _begin(self, partition: int) -> tuple[float, "Future[Message | None]"]:
        return self._clock(), begin(partial(self._ask, partition))


class Standstill:
    """Looks whether every partition that needs the lost region stands still, and its API server is silent.

    Each part alone may mean something else: commands that wait mean a slow gateway, a silent API server a broken VPN, no
    leader here leaders there. So no leader is seen here at any look for a while, in which every command was refused
    twice, or has waited all the time, and nothing has answered there.
    """

    def __init__(
        self,
        ctx: StepContext,
        commands: Commands,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to ask the lost region's API server.

        :param commands: what partitions that need the lost region are asked for.
        """
        self._ctx, self._commands = ctx, commands
        self._still, self._breaks = Unchanged(clock), 0
        self._answers = begin(lambda: ctx.peer_cluster.check_answers(_CONNECT_SECONDS))

    def is_shown(self) -> bool:
        """Whether it has been so for long enough, by now.

        :raises CallFailed: if the survivor's gateways cannot tell.
        """
        leaderless = self._none_leads_here()
        self._breaks += not leaderless
        lasts = self._still.seconds(self._breaks) >= STILL_SECONDS
        return lasts and self._commands.stand_still() and self._is_silent()

    def _is_silent(self) -> bool:
        """Whether the API server could not be reached; one that refuses, or is in trouble, lives."""
        return self._answers.done() and isinstance(self._answers.exception(), ClusterUnreachable)

    def _none_leads_here(self) -> bool:
        """Whether no gateway sees a broker of the survivor lead a partition that needs the lost region.

        Those of the lost region may still be listed as leaders, whatever has become of them.
        """
        settings = self._ctx.settings
        own = brokers.region_broker_ids(settings.cluster_size, settings.region)
        views, partitions = broker_views.sighted_views(self._ctx), self._commands.partitions
        return not any(zeebe_answers.led_by(view, own, partitions) for view in views)


def _is_refused(answer: "Future[Message | None]") -> bool:
    """Whether a command was refused, or not answered at all; whatever else went wrong shows nothing."""
    error = answer.exception()
    return answer.result() is not None if error is None else isinstance(error, CallFailed)


def still_listed(ctx: StepContext, listed: Message) -> Message:
    """Return what a person is told then.

    :param listed: which brokers gateways still see.
    """
    return messages.lost_brokers_still_listed(ctx.settings.peer.name, listed, ctx.settings.own.name)
