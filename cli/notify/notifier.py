"""Telling the user's own hooks how far it is, at the points of the procedure.

It remembers nothing beyond the command: what is reached already is told again by the command that goes
on, with the same id, so that nothing is lost when one is killed, and a hook that failed is called again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cli.errors import HookFailed, Stopped
from cli.notify.events import Point, after, before
from cli.stacks.read import Both
from cli.stacks.region_steps import RegionStep, incident
from dualregion import brokers
from dualregion.config.notifications import HookSettings
from dualregion.errors import DualRegionError, Refused
from dualregion.procedure import Phase
from dualregion.state.progress import Incident

Call = Callable[[HookSettings, Mapping[str, Any]], str | None]
"""Calls a hook with a document, and returns why that failed, or None."""


@dataclass(frozen=True)
class Scene:
    """What there is to tell of.

    :ivar phase: the phase that is being reached.
    """

    lost: int
    incident: Incident | None
    phase: Phase
    stacks: Both


@dataclass
class Announcer:
    """Calls the hooks of one command.

    :ivar call: None if no hook is to be called.
    :ivar who: who is at work.
    """

    call: Call | None = None
    say: Callable[[str], None] = print
    who: str = ""
    _told: set[Point] = field(default_factory=set)
    _incident: Incident | None = None
    _scene: Scene | None = None
    """None until the first `up`: before it nothing can end in the middle."""
    _has_moved: bool = False

    def reached(self, done: Sequence[RegionStep], phase: Phase, lost: int, stacks: Both) -> None:
        """Tell what is reached and was not told by this command yet.

        :param done: the steps of the phase that are proved, from the first on.
        :raises HookFailed: if a hook fails that is required.
        """
        self._has_moved = self._scene is not None
        self._tell([after(step, lost) for step in done], self._look(phase, lost, stacks))

    def begins(self, group: Sequence[RegionStep], phase: Phase, lost: int, stacks: Both) -> None:
        """Tell what lies before the steps of an `up`; raises as `reached`."""
        self._scene = self._look(phase, lost, stacks)
        self._tell([before(step) for step in group], self._scene)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Tell if the block ends in the middle of the procedure, by an error or by the operator."""
        try:
            yield
        except (Stopped, KeyboardInterrupt) as stopped:
            self._end(Point.STOPPED, str(stopped) or "interrupted")
            raise
        except DualRegionError as error:
            # Another operator is at work, for example: nothing is wrong with the procedure itself.
            is_refused = isinstance(error, Refused) and not self._has_moved
            if not is_refused and not _is_deaf(error):
                self._end(Point.FAILED, str(error).removeprefix("- "))
            raise

    def _look(self, phase: Phase, lost: int, stacks: Both) -> Scene:
        """Return the scene; its incident stays what it was, as phase `normal` forgets it."""
        self._incident = self._incident or _incident(phase, lost, stacks)
        return Scene(lost, self._incident, phase, stacks)

    def _tell(self, points: Sequence[Point | None], scene: Scene) -> None:
        for point in points:
            if point is None or point in self._told:
                continue
            hook, failure = self._call(point, scene)
            if failure and hook and hook.required:
                raise HookFailed(point.hook, f"{failure}. It is required: {_remedy(point)}")
            if failure:
                self.say(f"{failure}. It is not required, so this goes on")
            self._told.add(point)

    def _end(self, point: Point, error: str) -> None:
        if self._scene is None:
            return
        _, failure = self._call(point, self._scene, error)
        if failure:
            self.say(failure)

    def _call(
        self, point: Point, scene: Scene, error: str | None = None
    ) -> tuple[HookSettings | None, str | None]:
        """Call a point's hook; return it, if there is one, and why it failed, or None."""
        hook = point.hook_of(scene.stacks[brokers.other(scene.lost)].settings.hooks)
        if hook is None or self.call is None:
            return None, None
        self.say(f"hook {point.hook}: {point}, {hook}")
        why = self.call(hook, document(point, scene, self.who, datetime.now(UTC), error))
        return hook, why and f"hook {point.hook} failed at {point}, {hook}: {why}"


def document(
    point: Point, scene: Scene, who: str, when: datetime, error: str | None = None
) -> dict[str, Any]:
    """Return what a hook is told. Its `id` is the same whenever the same is told again."""
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


def _remedy(point: Point) -> str:
    if point is Point.FAILBACK_COMPLETE:
        return "all steps are done, and no command calls it again; tell them yourself"
    return "fix it and run the same command again, which calls it again; or run it with --no-hooks"


def _is_deaf(error: DualRegionError) -> bool:
    """Whether it is just the hook that would be told of the failure that has failed."""
    return isinstance(error, HookFailed) and error.hook == Point.FAILED.hook
