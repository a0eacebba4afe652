"""Killing `pulumi up` at each of its points, and running it again until it goes through.

That is what an operator's dying machine does: everything of the run ends at once (SIGKILL), the stack stays
locked, and the operator types `pulumi cancel --yes` and the same `pulumi up` once more.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from drill.errors import ClusterCallFailed, DrillError
from drill.observation.events import Event
from drill.operators.points import Interruption, Point, PointReader, Turn, already_there
from drill.operators.stacks import Run, Stacks
from drill.progress import Progress
from drill.regions import Region

MOST_UPS = 24
"""The longest turn has six pieces of work with two points each: twice as many ups mean that none goes through."""
_HELM_POLL_SECONDS = 0.02
"""An install's record is pending for a second or so."""


class View(Protocol):
    """What is asked of a region's cluster."""

    def pending_releases(self, namespace: str) -> set[str]:
        """Return the uids of Helm's records of operations that are under way, or were interrupted."""


@dataclass
class Interrupter:
    """Runs `pulumi up` and kills it at each point that it comes by for the first time in its turn."""

    stacks: Stacks
    view: Callable[[Region], View]
    progress: Progress
    turns: list[Turn]
    _left_pending: set[str] = field(default_factory=set, init=False)
    """Helm's records that a killed run has left: they do not mean that Helm works again."""

    def up(self, region: Region, phase: str, incident: int, message: str) -> Run:
        """Carry out one turn; return the first `up` that was not killed, whatever its end.

        :raises DrillError: a lock could not be taken away, or the ups do not come to an end.
        """
        turn = Turn(incident, phase, region.stack)
        self.turns.append(turn)
        for number in range(1, MOST_UPS + 1):
            attempt = _Attempt(turn, number, region, self)
            run = self.stacks.up(region.stack, message, attempt.on_event)
            attempt.end()
            if attempt.killed_at is None or not run.was_killed:
                return run
            turn.interruptions.append(
                Interruption(attempt.killed_at, self.progress.elapsed, number)
            )
            self._go_on(region, attempt.killed_at)
        raise DrillError(
            f"`pulumi up` on {region.stack} did not go through in {MOST_UPS} attempts, the last of them killed "
            f"{turn.interruptions[-1].point}"
        )

    def _go_on(self, region: Region, point: Point) -> None:
        self.progress.write(
            f"  {region.stack}: pulumi was killed {point}; `pulumi cancel`, then the same up again"
        )
        view = self.view(region)
        for namespace in (region.namespace, region.failover_namespace):
            self._left_pending |= _pending(view, namespace)
        self.stacks.cancel(region.stack)

    def works(self, view: View, namespace: str) -> bool:
        """Return whether Helm works in a namespace."""
        return bool(_pending(view, namespace) - self._left_pending)


def _pending(view: View, namespace: str) -> set[str]:
    """Return Helm's pending records; none of a cluster that does not answer."""
    try:
        return view.pending_releases(namespace)
    except ClusterCallFailed:
        return set()


class _Attempt:
    """One `up` of a turn: looks at its events, and kills it once."""

    def __init__(self, turn: Turn, number: int, region: Region, interrupter: Interrupter) -> None:
        self._turn, self._number, self._region = turn, number, region
        self._interrupter = interrupter
        self._reader = PointReader()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._watched: set[Point] = set()
        self._watchers: list[threading.Thread] = []
        self.killed_at: Point | None = None

    def on_event(self, event: Event, kill: Callable[[], None]) -> None:
        """Kill the run if the event means a point at which its turn was not killed yet."""
        if there := already_there(event):
            self._turn.there.setdefault(self._number, set()).add(there)
        point = self._reader.point_of(event)
        if point is None or self._over.is_set() or point in self._turn.points:
            return
        if not point.is_in_helm:
            self._kill(point, kill)
        elif point not in self._watched:
            # Pulumi begins before Helm does; two releases may be worked on at a time.
            self._watched.add(point)
            watcher = threading.Thread(target=self._kill_helm, args=(point, kill), daemon=True)
            self._watchers.append(watcher)
            watcher.start()

    def end(self) -> None:
        """Look no longer: the run is over."""
        self._over.set()
        for watcher in self._watchers:
            watcher.join()

    def _kill(self, point: Point, kill: Callable[[], None]) -> None:
        with self._lock:
            if not self._over.is_set():
                self._over.set()
                self.killed_at = point
                kill()

    def _kill_helm(self, point: Point, kill: Callable[[], None]) -> None:
        """Kill the run as soon as Helm's own record has it as pending."""
        failover = point.resource == "release failover"
        namespace = self._region.failover_namespace if failover else self._region.namespace
        view = self._interrupter.view(self._region)
        while not self._over.is_set():
            if self._interrupter.works(view, namespace):
                self._kill(point, kill)
            time.sleep(_HELM_POLL_SECONDS)
