"""Calling the user's own hooks, and telling services, at the points of the procedure.

Nothing is remembered beyond the command: one that continues calls again for the points that are reached already, with
the same id, so that nothing is lost when a command is killed, and a hook that failed is called again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from cli.errors import HookFailed, Stopped
from cli.notify.events import Point, after, before
from cli.stacks.read import Both
from cli.stacks.region_steps import RegionStep, incident
from clients.parallel import begin
from dualregion import brokers
from dualregion.config.sections.notifications import (
    AnnouncementSettings,
    HookSettings,
    ServiceSettings,
)
from dualregion.errors import DualRegionError, Refused
from dualregion.procedure import Phase
from dualregion.state.progress import Incident
from messages import Message, code_of
from messages.command import driving as messages

Call = Callable[[HookSettings, Mapping[str, Any]], Message | None]
"""Calls a hook with a document, and returns why that failed, or None."""
Tell = Callable[[ServiceSettings, Mapping[str, Any]], Message | None]
"""Tells a service what a document says, and returns why that failed, or None; it always returns."""


@dataclass(frozen=True)
class Scene:
    """What a notification is about.

    :ivar phase: the phase that is being reached.
    """

    lost: int
    incident: Incident | None
    phase: Phase
    stacks: Both


@dataclass(frozen=True)
class _Failure:
    """A hook that failed, and why."""

    point: Point
    hook: HookSettings
    reason: Message

    def message(self, kind: Callable[[str, str, str, Message], Message]) -> Message:
        """Return the message of a kind about it."""
        return kind(self.point.hook, self.point.value, str(self.hook), self.reason)


@dataclass(frozen=True)
class _Telling:
    """A service that is being told."""

    point: Point
    service: ServiceSettings
    answer: "Future[Message | None]"


@dataclass
class Notifier:
    """Calls the hooks of one command, and tells services; these hold nothing up.

    :ivar call: None if no hook is to be called.
    :ivar who: the operator.
    :ivar tell: None if no service is to be told.
    """

    call: Call | None = None
    show: Callable[[str], None] = print
    who: str = ""
    tell: Tell | None = None
    _tellings: list[_Telling] = field(default_factory=list)
    _called: set[Point] = field(default_factory=set)
    _incident: Incident | None = None
    _scene: Scene | None = None
    """None until the first `up`: before it nothing can end in the middle."""
    _has_moved: bool = False

    def reached(self, done: Sequence[RegionStep], phase: Phase, lost: int, stacks: Both) -> None:
        """Call the hooks of what is reached, unless this command has called them already.

        :param done: the steps of the phase that are proved, from the first on.
        :raises HookFailed: if a hook fails that is required.
        """
        self._has_moved = self._scene is not None
        procedure = stacks[0].settings.procedure
        self._notify(
            [after(procedure, step, lost) for step in done], self._look(phase, lost, stacks)
        )

    def begins(self, group: Sequence[RegionStep], phase: Phase, lost: int, stacks: Both) -> None:
        """Call the hooks of what lies before the steps of an `up`; raises as `reached`."""
        self._scene = self._look(phase, lost, stacks)
        self._notify([before(step) for step in group], self._scene)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Call the hook if the block ends in the middle of the procedure, by an error or by the operator."""
        try:
            yield
        except (Stopped, KeyboardInterrupt) as stopped:
            error = (
                stopped.message
                if isinstance(stopped, Stopped)
                else messages.interrupted_outside_up()
            )
            self._end(Point.STOPPED, error)
            raise
        except DualRegionError as error:
            # Another operator holds a stack, for example: nothing is wrong with the procedure itself.
            is_refused = isinstance(error, Refused) and not self._has_moved
            if not is_refused and not _is_of_the_same_hook(error):
                self._end(Point.FAILED, error.message)
            raise
        finally:
            self._report(wait=True)

    def _look(self, phase: Phase, lost: int, stacks: Both) -> Scene:
        """Return the scene; its incident stays what it was, as phase `normal` forgets it."""
        self._incident = self._incident or _incident(phase, lost, stacks)
        return Scene(lost, self._incident, phase, stacks)

    def _notify(self, points: Sequence[Point | None], scene: Scene) -> None:
        for point in points:
            if point is None or point in self._called:
                continue
            failure = self._call(point, scene)
            if failure and failure.hook.required:
                raise HookFailed(point.hook, failure.message(_required(point)))
            if failure:
                self.show(failure.message(messages.hook_failed))
            self._called.add(point)

    def _end(self, point: Point, error: Message) -> None:
        if self._scene is None:
            return
        failure = self._call(point, self._scene, error)
        if failure:
            self.show(failure.message(messages.hook_failed))

    def _call(self, point: Point, scene: Scene, error: Message | None = None) -> _Failure | None:
        """Call a point's hook, if there is one, and tell the services; return the hook's failure, or None."""
        hooks = scene.stacks[brokers.other(scene.lost)].settings.hooks
        about = document(point, scene, self.who, datetime.now(UTC), error)
        self._report()
        self._begin_to_tell(hooks, point, about)
        hook = point.hook_of(hooks)
        if hook is None or self.call is None:
            return None
        self.show(f"hook {point.hook}: {point}, {hook}")
        reason = self.call(hook, about)
        return None if reason is None else _Failure(point, hook, reason)

    def _begin_to_tell(
        self, hooks: AnnouncementSettings, point: Point, about: Mapping[str, Any]
    ) -> None:
        if self.tell is None:
            return
        for each in hooks.services:
            if each.wants(point):
                self.show(f"service {each}: {point}")
                answer = begin(partial(self.tell, each, about))
                self._tellings.append(_Telling(point, each, answer))

    def _report(self, *, wait: bool = False) -> None:
        """Show which services could not be told, of those that have answered.

        :param wait: whether all others are waited for.
        """
        answered = [each for each in self._tellings if wait or each.answer.done()]
        self._tellings = [each for each in self._tellings if each not in answered]
        for each in answered:
            reason = each.answer.result()
            if reason:
                point = each.point.value
                self.show(messages.notification_failed(str(each.service), point, reason))


def document(
    point: Point, scene: Scene, who: str, when: datetime, error: Message | None = None
) -> dict[str, Any]:
    """Return what a hook gets. Its `id` is the same whenever it is called again for the same."""
    moment = when.isoformat(timespec="seconds")
    regions = [_region(each, scene) for each in (0, 1)]
    survivor = regions[brokers.other(scene.lost)]
    traffic = {Point.TRAFFIC_TO_SURVIVOR: [survivor], Point.TRAFFIC_TO_BOTH: regions}
    return {
        "id": f"{scene.incident}/{point}" + (f"/{moment}" if point.is_an_end else ""),
        "point": point.value,
        "title": point.sentence,
        "incident": str(scene.incident),
        "phase": scene.phase.value,
        "lostRegion": regions[scene.lost],
        "survivor": survivor,
        "trafficTo": traffic.get(point),
        "who": who,
        "when": moment,
        "error": error,
        "code": code_of(error),
    }


def trial_document(who: str, when: datetime) -> dict[str, Any]:
    """Return what a receiver gets that is only tried: the keys of every document, about nothing."""
    moment = when.isoformat(timespec="seconds")
    nothing = dict.fromkeys(("incident", "phase", "lostRegion", "survivor", "trafficTo"))
    return {
        "id": f"{Point.TEST}/{moment}",
        "point": Point.TEST.value,
        "title": Point.TEST.sentence,
        **nothing,
        "who": who,
        "when": moment,
        "error": None,
        "code": None,
    }


def _region(region: int, scene: Scene) -> dict[str, Any]:
    stack = scene.stacks[region]
    return {
        "region": region,
        "name": stack.settings.own.name,
        "stack": stack.name,
        "gatewayAddress": stack.state.outputs.get("gatewayAddress"),
    }


def _incident(phase: Phase, lost: int, stacks: Both) -> Incident | None:
    """Return the incident that a command is about: in a failback the latest that any stack knows of."""
    if phase is Phase.FAILOVER:
        return incident(phase, lost, stacks)
    known = [each for stack in stacks for each in stack.state.held.incidents()]
    of_region = [each for each in known if each.lost_region == lost]
    return max(of_region, key=lambda each: each.number, default=None)


def _required(point: Point) -> Callable[[str, str, str, Message], Message]:
    """Return the kind of message of a required hook that failed."""
    is_last = point is Point.FAILBACK_COMPLETE
    return messages.last_hook_failed if is_last else messages.required_hook_failed


def _is_of_the_same_hook(error: DualRegionError) -> bool:
    """Whether the hook that has failed is the one that would be called for the failure."""
    return isinstance(error, HookFailed) and error.hook == Point.FAILED.hook
