"""What of an `up` goes into the transcript: its steps, what it reports and changes, and how it ends."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from cli import transcript
from cli.driver.events import Change, Line
from cli.errors import Stopped
from cli.stacks.region_steps import RegionStep
from cli.transcript import Event
from messages import read_back


@contextmanager
def up(stack: str, steps: Sequence[RegionStep]) -> Iterator[None]:
    """Note an `up`, as long as the block lasts."""
    began = monotonic()
    transcript.note(Event.UP, stack=stack, steps=[each.id for each in steps])
    result = "failed"
    try:
        yield
        result = "succeeded"
    except (Stopped, KeyboardInterrupt):
        result = "stopped"
        raise
    finally:
        seconds = round(monotonic() - began, 3)
        transcript.note(Event.UP_ENDED, stack=stack, result=result, seconds=seconds)


def lines(stack: str, show: Callable[[Line], None]) -> Callable[[Line], None]:
    """Return what shows a line of an `up`, and notes it."""

    def shown(line: Line) -> None:
        text, severity = read_back(line.text), line.severity
        transcript.note(
            Event.PROGRESS, text, stack=stack, step=line.step or None, severity=severity
        )
        show(line)

    return shown


def changes(stack: str, show: Callable[[Change], None]) -> Callable[[Change], None]:
    """Return what shows a change that an `up` has made, and notes it."""

    def shown(change: Change) -> None:
        what = {"operation": change.operation, "kind": change.kind, "name": change.name}
        transcript.note(Event.CHANGE, stack=stack, **what)
        show(change)

    return shown
