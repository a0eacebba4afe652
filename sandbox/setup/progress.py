"""Says what the set-up is doing: a live line on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

# How often a log file hears that a long part is still going on.
HEARTBEAT_SECONDS = 30.0


@contextmanager
def working(console: Console, says: str) -> Iterator[None]:
    """Show that something is going on, and for how long, until the block ends."""
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            progress.add_task(says, total=None)
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
    """The closing table: part and seconds; None for one that was there already."""
    result = Table("part", "seconds", title="Set-up")
    for name, seconds in rows:
        result.add_row(name, "cached" if seconds is None else f"{seconds:.1f}")
    result.add_section()
    result.add_row("all", f"{sum(s for _, s in rows if s is not None):.1f}")
    return result
