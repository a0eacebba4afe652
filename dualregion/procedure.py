"""The operational procedure's words: phases, roles and steps, each in one place.

Source: Camunda's dual-region operational procedure for 8.5, 'Failover' steps 1 to 3 and
'Failback' steps 1 to 7. `topology.desired` says which steps stand in which phase and order.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What the user wants of both regions: the config key `phase`."""

    NORMAL = "normal"
    FAILOVER = "failover"
    FAILBACK_PENDING = "failback-pending"
    RESTORED = "restored"


AVAILABLE_PHASES = (Phase.NORMAL, Phase.FAILOVER)
"""The phases that this version carries out."""


class Role(StrEnum):
    """What a region is in the current incident."""

    MEMBER = "member"
    SURVIVOR = "survivor"
    LOST = "lost"


@dataclass(frozen=True)
class Step:
    """A step of the procedure that is proved by a gate.

    :ivar id: its name in messages, records and reports.
    :ivar title: what is true once the step is proved.
    """

    id: str
    title: str


N = Step("N", "all brokers of both regions work together and every partition is complete")
F1 = Step("F1", "the survivor is isolated and no longer sees the lost region's brokers")
F2 = Step(
    "F2", "failover brokers replace the lost ones and every partition has a leader and quorum"
)
F3 = Step("F3", "every broker exports to the survivor and to the failover search engine")

STEPS = {step.id: step for step in (N, F1, F2, F3)}
"""Every step by its id."""


def role_of(phase: Phase, region: int, lost_region: int | None) -> Role:
    """Return what a region is in this phase.

    :param lost_region: the region the user calls lost; has no meaning in phase `normal`.
    """
    if phase is Phase.NORMAL:
        return Role.MEMBER
    return Role.LOST if region == lost_region else Role.SURVIVOR
