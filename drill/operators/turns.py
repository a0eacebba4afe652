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
    *,
    at_once: bool = False,
    most: int = MOST_TURNS,
) -> dict[Region, Outputs]:
    """Run `up` on one stack after the other until each, when last asked, was in the phase and waited for nothing.

    :param order: who begins, and who follows.
    :param phase: what both stacks are set to.
    :param up: runs `pulumi up` on a region's stack and returns its outputs.
    :param at_once: run `up` on all stacks at the same time, again and again: for what may be done in any order.
    :param most: after so many turns there is no hope.
    :returns: the last outputs of each region's stack.
    :raises DrillError: a stack still waits after so many turns; the message names what for.
    """
    turns = [tuple(order)] if at_once else [(region,) for region in order]
    outputs: dict[Region, Outputs] = {}
    for number in range(most):
        regions = turns[number % len(turns)]
        made = together(*(partial(up, region) for region in regions))
        outputs |= dict(zip(regions, made, strict=True))
        if outputs.keys() == set(order) and all(_has_arrived(o, phase) for o in outputs.values()):
            return outputs
    waiting = "; ".join(
        f"{region.stack} (phase {each.get('phase')}) waits for: {each.get('waitingFor')}"
        for region, each in outputs.items()
    )
    raise DrillError(f"phase {phase} was not reached after {most} turns: {waiting}")


def _has_arrived(outputs: Outputs, phase: str) -> bool:
    return outputs.get("phase") == phase and not outputs.get("waitingFor")
