"""How each fault is made at a moment, and taken away again; one room for each kind of thing that breaks."""

from drill.matrix.faults import api_server, engine, link, names, pods, power, state
from drill.matrix.faults.site import Made, Site

__all__ = ["MADE", "Site"]

_ROOMS = (state, pods, engine, api_server, link, names, power)

MADE: dict[str, Made] = {name: made for room in _ROOMS for name, made in room.MADE.items()}
"""How each fault that comes at a moment is made, by its name in the table."""
