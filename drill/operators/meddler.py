"""A drill in which something goes wrong in the midst of a step, and the operator runs the same `pulumi up` again.

What goes wrong is given: each fault comes once in a drill, at a moment of one stack's `up`, and goes again by itself.
There is never more than one at a time: when the next one's moment comes, the one before it is taken away.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from drill.errors import DrillError
from drill.observation.events import Event
from drill.operators.points import PointReader
from drill.operators.stacks import Run, Stacks
from drill.progress import Progress
from drill.regions import Region

MOST_UPS = 6
"""An `up` that fails as often while something is wrong, or was, does not go through."""
_PAUSE_SECONDS = 1.0
"""An operator takes longer to run the same command again; long enough for a lock to be gone."""


class TurnedBack(DrillError):
    """What went wrong in an `up` is nothing that the same `up` overcomes: the operator does something else."""


Break = Callable[[threading.Event, Callable[[], None]], None]
"""Makes a fault, waits until it has lasted, or until the event says that it is to end, and takes it away.

It is also given what kills the `up`, as a machine that dies does.
"""


@dataclass(eq=False)
class Planned:
    """A fault that is to come when a step begins on a stack.

    :ivar step: the gate, such as `F2`.
    :ivar stack: on which stack.
    :ivar after: so many seconds after the step has begun.
    :ivar turns_back: the operator does not run the same `up` again after it, however it ends.
    :ivar ends_with_up: it is taken away once its `up` has gone through, if it is there still.
    """

    step: str
    stack: str
    after: float
    make: Break
    turns_back: bool = False
    ends_with_up: bool = False
    came: float | None = field(default=None, init=False)
    """When its moment came, on the clock that never jumps."""
    failed: str = field(default="", init=False)
    """Why it could not be made."""
    lasted: float | None = field(default=None, init=False)
    """How many seconds it took to make it and to take it away again; None before that."""
    _over: threading.Event = field(default_factory=threading.Event, init=False)
    _begun: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    @property
    def was_made(self) -> bool:
        """Whether it came, and could be made."""
        return self.came is not None and not self.failed

    def begin(self, kill: Callable[[], None], before: Sequence["Planned"]) -> None:
        """Let it come, once, when those before it are gone."""
        if self.came is None and not self._over.is_set():
            self.came = time.monotonic()
            self._thread = threading.Thread(target=self._make, args=(kill, before), daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Take it away, if it is there still; one that has not come never comes."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def finish(self) -> None:
        """Take it away once it was made, which may be a moment after its `up` has ended."""
        self._begun.wait()
        self.end()

    def _make(self, kill: Callable[[], None], before: Sequence["Planned"]) -> None:
        for other in before:
            other.end()
        if self._over.wait(self.after):
            self.failed = "its time was over before it could be made"
            self._begun.set()
            return
        began = time.monotonic()
        self._begun.set()
        try:
            self.make(self._over, kill)
        except Exception as error:  # told by the thread that judges
            self.failed = f"{type(error).__name__}: {error}"
        self.lasted = time.monotonic() - began


@dataclass
class Meddler:
    """Lets faults come when steps begin on stacks.

    :ivar ups: how often `pulumi up` was run.
    """

    stacks: Stacks
    progress: Progress
    planned: Sequence[Planned]
    ups: int = field(default=0, init=False)

    def up(self, region: Region, message: str) -> Run:
        """Run `pulumi up` until it goes through; once a fault came, it may fail a few times.

        :returns: the last run, whatever its end: one that fails without a fault is the caller's to judge.
        :raises DrillError: a lock could not be taken away.
        :raises TurnedBack: the fault that came asks for something else.
        """
        reader = PointReader()

        def look(event: Event, kill: Callable[[], None]) -> None:
            point = reader.point_of(event)
            if point is not None:
                self._look(region.stack, point.subject, kill)

        for number in range(1, MOST_UPS + 1):
            self.ups += 1
            run = self.stacks.up(region.stack, message, look)
            self._turn_back(run, region)
            # Where no fault could be made there is none to overcome.
            is_overcoming = any(each.was_made for each in self.came)
            if run.exit_status == 0:
                self._end_with_up()
            if run.exit_status == 0 or not is_overcoming or number == MOST_UPS:
                break
            self.progress.write(
                f"  {region.stack}: pulumi ended with exit status {run.exit_status}; the same up again"
            )
            if run.was_killed:
                self.stacks.cancel(region.stack)
            time.sleep(_PAUSE_SECONDS)
        return run

    def _turn_back(self, run: Run, region: Region) -> None:
        """Raise if a fault that came asks for something else than the same `up`."""
        for each in self.came:
            if each.turns_back:
                each.finish()
                if run.was_killed:
                    self.stacks.cancel(region.stack)
                raise TurnedBack(f"{region.stack}: pulumi ended with exit status {run.exit_status}")

    def _end_with_up(self) -> None:
        for each in self.came:
            if each.ends_with_up:
                each.finish()

    @property
    def came(self) -> tuple[Planned, ...]:
        """The faults whose moment has come, in their order."""
        known = [each for each in self.planned if each.came is not None]
        return tuple(sorted(known, key=lambda each: each.came or 0.0))

    def end(self) -> None:
        """Take away what is there still; nothing comes any more."""
        for each in self.planned:
            each.end()

    def _look(self, stack: str, subject: str, kill: Callable[[], None]) -> None:
        for each in self.planned:
            if (each.stack, f"gate {each.step}") == (stack, subject) and each.came is None:
                self.progress.write(f"  {stack}: {each.step} has begun: its fault comes")
                each.begin(kill, self.came)
