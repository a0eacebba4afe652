"""Delays in a region: of all that comes by the link, or of every answer of its API server."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.regions.model import File, FileThere, Place, Process, Region
from sandbox.regions.parts import delaying

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools


class Delayed(StrEnum):
    """What comes late."""

    LINK = "link"
    """Packets from the other region."""
    API_SERVER = "api-server"
    """What the region's API server answers, to all that is not a pod: its operator, node and controllers."""


def process_name(what: Delayed) -> str:
    """Return what the process is called that holds packets back."""
    return f"delay-{what}"


def delay(region: Region, tools: "Tools", what: Delayed, milliseconds: int) -> Process:
    """Return the process that delays something for as long as it lives."""
    match what:
        case Delayed.LINK:
            by, which = region.link_device, "meta protocol ip"
        case Delayed.API_SERVER:
            # The kernel takes a connection at once, however slow the process is.
            by, which = "lo", f"ip saddr {region.address} tcp sport 6443 tcp flags & syn == 0"
    script = region.folder / "delaying.py"
    ready = region.folder / process_name(what)
    return Process(
        name=process_name(what),
        argv=(str(tools.python), "-I", str(script), by, which, str(milliseconds), str(ready)),
        place=Place.NETWORK,
        ready=FileThere(ready),
        files=(File(script, Path(delaying.__file__).read_text()),),
    )
