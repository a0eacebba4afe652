"""A drill in which something goes wrong in the midst of a step, and the operator runs the same `pulumi up` again.

What goes wrong is given; it comes once in a drill, at a moment of one stack's `up`, and goes again by itself.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from drill.observation.events import Event
from drill.operators.points import PointReader
from drill.operators.stacks import Run, Stacks
from drill.progress import Progress
from drill.regions import Region

MOST_UPS = 6
"""An `up` that fails as often while something is wrong, or was, does not go through."""
_PAUSE_SECONDS = 1.0
"""An operator takes longer to run the same command again; long enough for a lock to be gone."""

Break = Callable[[threading.Event, Callable[[], None]], None]
"""Makes a fault, waits until it has lasted, or until the event says that the drill is over, and takes it away.

It is also given what kills the `up`, as a machine that dies does.
"""


@dataclass
class Meddler:
    """Lets one fault come when a step begins on a stack.

    :ivar step: the gate, such as `F2`.
    :ivar stack: on which stack.
    :ivar after: so many seconds after the step has begun.
    """

    stacks: Stacks
    progress: Progress
    step: str
    stack: str
    after: float
    make: Break
    came: float | None = field(default=None, init=False)
    """When it came, on the clock that never jumps."""
    ups: int = field(default=0, init=False)
    """How often `pulumi up` was run."""
    failed: str = field(default="", init=False)
    """Why the fault could not be made."""
    _over: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def up(self, region: Region, message: str) -> Run:
        """Run `pulumi up` until it goes through; once the fault came, it may fail a few times.

        :returns: the last run, whatever its end: one that fails without the fault is the caller's to judge.
        :raises DrillError: a lock could not be taken away.
        """
        reader = PointReader()

        def look(event: Event, kill: Callable[[], None]) -> None:
            point = reader.point_of(event)
            if region.stack == self.stack and point and point.subject == f"gate {self.step}":
                self._begin(kill)

        for number in range(1, MOST_UPS + 1):
            self.ups += 1
            run = self.stacks.up(region.stack, message, look)
            if run.exit_status == 0 or self.came is None or number == MOST_UPS:
                break
            self.progress.write(
                f"  {region.stack}: pulumi ended with exit status {run.exit_status}; the same up again"
            )
            if run.was_killed:
                self.stacks.cancel(region.stack)
            time.sleep(_PAUSE_SECONDS)
        return run

    def end(self) -> None:
        """Take the fault away, if it is there still; nothing comes any more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _begin(self, kill: Callable[[], None]) -> None:
        if self.came is None and not self._over.is_set():
            self.came = time.monotonic()
            self._thread = threading.Thread(target=self._make, args=(kill,), daemon=True)
            self._thread.start()

    def _make(self, kill: Callable[[], None]) -> None:
        if self._over.wait(self.after):
            return
        try:
            self.make(self._over, kill)
        except Exception as error:  # told by the thread that judges
            self.failed = f"{type(error).__name__}: {error}"
