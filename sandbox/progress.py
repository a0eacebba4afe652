"""What the user sees meanwhile: a line for each thing that is done, and for what takes long a live one on a terminal."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import progress as live
from rich.console import Console
from rich.table import Table

# How often a log file hears that a long part is still going on.
HEARTBEAT_SECONDS = 30.0


class Progress:
    """Prints one line a step, with the seconds since the command began."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()

    def say(self, what: str, where: str = "both") -> None:
        """Print that `what` is so now; `where` is a region's name, or `both`."""
        seconds = f"[dim]{time.monotonic() - self._start:6.1f} s[/dim]"
        line = f"{seconds}  [bold]{where:<6}[/bold]  {what}"
        self._console.print(line, highlight=False, soft_wrap=True)


@contextmanager
def working(console: Console, says: str) -> Iterator[None]:
    """Show that something is going on, and for how long, until the block ends."""
    if console.is_terminal:
        description = live.TextColumn("{task.description}")
        columns = (live.SpinnerColumn(), description, live.TimeElapsedColumn())
        with live.Progress(*columns, console=console, transient=True) as shown:
            shown.add_task(says, total=None)
            yield
        return
    console.print(says, soft_wrap=True)
    over = threading.Event()
    begun = time.monotonic()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            console.print(f"  ... {time.monotonic() - begun:.0f} s", soft_wrap=True)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def table(rows: Sequence[tuple[str, float | None]]) -> Table:
    """The set-up's closing table: part and seconds; None for one that was there already."""
    result = Table("part", "seconds", title="Set-up")
    for name, seconds in rows:
        result.add_row(name, "cached" if seconds is None else f"{seconds:.1f}")
    result.add_section()
    result.add_row("all", f"{sum(s for _, s in rows if s is not None):.1f}")
    return result
