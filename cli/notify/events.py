"""The points of the procedure at which the user's own hooks are called. Pure."""

from enum import StrEnum

from cli.stacks.region_steps import RegionStep, steps_of
from dualregion.config.sections.notifications import AnnouncementSettings, HookSettings
from dualregion.procedure import Phase, Procedure


class Point(StrEnum):
    """A point, by the name that a hook gets: the milestones of the procedure, and how the command may end before."""

    FAILOVER_BEGUN = "failover-begun"
    TRAFFIC_TO_SURVIVOR = "traffic-to-survivor"
    FAILOVER_COMPLETE = "failover-complete"
    FAILBACK_BEGUN = "failback-begun"
    EXPORTERS_PAUSING = "exporters-pausing"
    EXPORTERS_RESUMED = "exporters-resumed"
    TRAFFIC_TO_BOTH = "traffic-to-both"
    FAILBACK_COMPLETE = "failback-complete"
    FAILED = "failed"
    STOPPED = "stopped"
    TEST = "test"

    @property
    def sentence(self) -> str:
        """What is the case."""
        return _SENTENCES[self]

    @property
    def hook(self) -> str:
        """The key of the hook that is called, in the section `hooks`."""
        return "trafficReroute" if self in _TRAFFIC else "notify"

    def hook_of(self, hooks: AnnouncementSettings) -> HookSettings | None:
        """Return the hook that is called, if it is set."""
        return dict(hooks.named()).get(self.hook)

    @property
    def is_an_end(self) -> bool:
        """Whether the command has ended before its end; each time is an event of its own."""
        return self in (Point.FAILED, Point.STOPPED)

    @property
    def gravity(self) -> str:
        """How grave it is, in the words of chats and paging services."""
        return _GRAVITIES.get(self, "info")


_TRAFFIC = (Point.TRAFFIC_TO_SURVIVOR, Point.TRAFFIC_TO_BOTH)

_SENTENCES = {
    Point.FAILOVER_BEGUN: "a region is lost, and the failover begins",
    Point.TRAFFIC_TO_SURVIVOR: "the survivor serves all: clients belong there",
    Point.FAILOVER_COMPLETE: "the failover is complete, and every broker exports",
    Point.FAILBACK_BEGUN: "the lost region is there again, and the failback begins",
    Point.EXPORTERS_PAUSING: "Operate and Tasklist go down and exporters pause now",
    Point.EXPORTERS_RESUMED: "Operate and Tasklist are up, and exporters run again",
    Point.TRAFFIC_TO_BOTH: "both regions serve again: clients may go to both",
    Point.FAILBACK_COMPLETE: "the failback is complete, and the incident over",
    Point.FAILED: "the command has failed in the middle of the procedure",
    Point.STOPPED: "the operator has stopped the command in the middle of the procedure",
    Point.TEST: "this is a test: nothing has happened, and nothing is to be done",
}
_GRAVITIES = {
    Point.FAILOVER_BEGUN: "warning",
    Point.EXPORTERS_PAUSING: "warning",
    Point.FAILED: "failure",
    Point.STOPPED: "warning",
    Point.FAILOVER_COMPLETE: "success",
    Point.EXPORTERS_RESUMED: "success",
    Point.FAILBACK_COMPLETE: "success",
}


def before(step: RegionStep) -> Point | None:
    """Return the point that lies before a step: its hook is called before the `up` that proves the step."""
    milestone = step.step.announced_before
    return None if milestone is None else Point(milestone)


def after(procedure: Procedure, step: RegionStep, lost: int) -> Point | None:
    """Return the point of a procedure that is reached when a step is proved, and all steps before it."""
    milestone = step.step.announced_after
    taken = [
        each
        for phase in Phase
        for each in steps_of(procedure, phase, None if phase is Phase.NORMAL else lost)
        if each.step == step.step
    ]
    return Point(milestone) if milestone is not None and step == taken[-1] else None
