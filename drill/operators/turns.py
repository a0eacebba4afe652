"""Whose turn it is: `pulumi up` on the two stacks alternately, until both have gone as far as the phase goes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from drill.errors import DrillError
from drill.regions import Region
from drill.together import together

MOST_TURNS = 10
"""The longest phase needs four: twice as many, and some, mean that the stacks wait for each other."""

Outputs = Mapping[str, Any]


def take_turns(
    order: Sequence[Region],
    phase: str,
    up: Callable[[Region], Outputs],
    most: int = MOST_TURNS,
) -> dict[Region, Outputs]:
    """Run `up` on one stack after the other until each, when last asked, was in the phase and waited for nothing.

    :param order: who begins, and who follows.
    :param phase: what both stacks must say.
    :param up: runs `pulumi up` on a region's stack and returns its outputs.
    :param most: after so many turns there is no hope.
    :returns: the last outputs of each region's stack.
    :raises DrillError: a stack still waits after so many turns; the message says for what.
    """
    said: dict[Region, Outputs] = {}
    for turn in range(most):
        region = order[turn % len(order)]
        said[region] = up(region)
        if len(said) == len(order) and all(has_arrived(each, phase) for each in said.values()):
            return said
    raise _not_reached(phase, f"{most} turns", said)


def take_rounds(
    regions: Sequence[Region],
    phase: str,
    up: Callable[[Region], Outputs],
    most: int = MOST_TURNS,
) -> dict[Region, Outputs]:
    """Run `up` on all stacks at the same time, again and again, until all have arrived, as `take_turns` does.

    For what may be done in any order: a stack goes as far as the other one allows.

    :raises DrillError: a stack still waits after so many rounds; the message says for what.
    """
    said: dict[Region, Outputs] = {}
    for _ in range(most):
        outputs = together(*(partial(up, region) for region in regions))
        said = dict(zip(regions, outputs, strict=True))
        if all(has_arrived(each, phase) for each in outputs):
            return said
    raise _not_reached(phase, f"{most} rounds", said)


def _not_reached(phase: str, after: str, said: Mapping[Region, Outputs]) -> DrillError:
    waiting = "; ".join(
        f"{region.stack} (phase {outputs.get('phase')}) waits for: {outputs.get('waitingFor')}"
        for region, outputs in said.items()
    )
    return DrillError(f"phase {phase} was not reached after {after}: {waiting}")


def has_arrived(outputs: Outputs, phase: str) -> bool:
    """Return whether a stack is in a phase and waits for nothing."""
    return outputs.get("phase") == phase and not outputs.get("waitingFor")
