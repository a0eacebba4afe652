"""Progress lines: what was done, in which region, after how many seconds."""

import time

from rich.console import Console


class Progress:
    """Prints one line a step, with the seconds since the command began."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()

    def say(self, what: str, where: str = "both") -> None:
        """Print that `what` is so now; `where` is a region's name, or `both`."""
        self._console.print(
            f"[dim]{self.seconds():6.1f} s[/dim]  [bold]{where:<6}[/bold]  {what}",
            highlight=False,
            soft_wrap=True,
        )

    def seconds(self) -> float:
        """Return the seconds since the command began."""
        return time.monotonic() - self._start
