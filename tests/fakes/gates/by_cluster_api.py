"""The steps by the cluster API as their tests try them: each is proved, or fails for one thing and says so."""

from dataclasses import replace

import pytest

from dualregion.errors import DeadlineExceeded, DualRegionError
from messages import Message
from tests.fakes.cluster_regions import ApiWorld
from tests.fakes.regions import SURVIVOR
from tests.raising import assert_tells, tells

_LOOKS = 12
"""How often is looked at least before a step gives up: brokers and their controller lag behind by a few requests."""


def fails(
    here: ApiWorld,
    step: str,
    *told: str,
    role: str = SURVIVOR,
    kind: type[DualRegionError] = DualRegionError,
    gives_up_on: str | None = None,
    paused: bool = False,
) -> Message:
    """Let a step fail, and check its message.

    :param told: what it must tell, besides the step.
    :param gives_up_on: the code of what it waits for, in vain.
    :param paused: whether it must say that exporters are paused; if not, it must not.
    :returns: its message, without that of paused exporters.
    """
    site = replace(here.ctx(step, role), gives_up_on=gives_up_on, more_looks=_LOOKS)
    with pytest.raises(kind) as caught:
        here.proofs[step](site)
    found = caught.value.message
    assert tells(found, "exporters-paused") == paused, found
    problem = found.facts["problem"] if paused else found
    assert isinstance(problem, Message), problem
    assert_tells(problem, step, *told)
    return problem


def waits(
    here: ApiWorld,
    step: str,
    what: str,
    *told: str,
    role: str = SURVIVOR,
    paused: bool = False,
) -> Message:
    """Let a step wait in vain for one thing; see `fails`.

    :param what: the code of what it waits for.
    """
    found = fails(
        here,
        step,
        "deadline-exceeded",
        *told,
        role=role,
        kind=DeadlineExceeded,
        gives_up_on=what,
        paused=paused,
    )
    assert_tells(found.facts["what"], what)
    return found
