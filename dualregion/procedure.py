"""The operational procedure's words: phases, roles and steps, each in one place.

Source: Camunda's dual-region operational procedure for 8.5, 'Failover' steps 1 to 3 and
'Failback' steps 1 to 7; F0 is this program's own (docs/adr/0004-a-failover-is-claimed.md).
`desired.desired` says which steps stand in which phase and order.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What the user wants of both regions: the config key `phase`."""

    NORMAL = "normal"
    FAILOVER = "failover"
    FAILBACK_PENDING = "failback-pending"
    RESTORED = "restored"

    @property
    def is_failback(self) -> bool:
        """Whether the lost region is being brought back, or is back."""
        return self in (Phase.FAILBACK_PENDING, Phase.RESTORED)


class Role(StrEnum):
    """What a region is in the current incident."""

    MEMBER = "member"
    SURVIVOR = "survivor"
    LOST = "lost"
    RECREATED = "recreated"


@dataclass(frozen=True)
class Step:
    """A step of the procedure that is proved by a gate.

    :ivar id: its name in messages, records and reports.
    :ivar title: what is true once the step is proved.
    """

    id: str
    title: str


N = Step("N", "all brokers of both regions work together and every partition is complete")
F0 = Step("F0", "the failover is claimed: the other stack has begun none for this region")
F1 = Step("F1", "the survivor is isolated and no longer sees the lost region's brokers")
F2 = Step(
    "F2", "failover brokers replace the lost ones and every partition has a leader and quorum"
)
F3 = Step("F3", "every broker exports to the survivor and to the failover search engine")
B0 = Step("B0", "the recreated region answers and holds nothing of Camunda")
B1 = Step("B1", "the recreated region's awake brokers have joined and its search engine is empty")
B2 = Step("B2", "web apps are down, exporters paused, and the survivor's engine holds every record")
B3 = Step(
    "B3", "the survivor's search engine is restored in the recreated region, document by document"
)
B4 = Step("B4", "every broker of this region exports to both regions again, still paused")
B5 = Step("B5", "web apps are up again in this region; on the survivor, exporting goes on")
B6 = Step("B6", "nothing of the failover installation is left")
B7 = Step("B7", "the sleeping brokers are awake and every partition is complete")

FAILOVER_STEPS = (F0, F1, F2, F3)
FAILBACK_STEPS = (B0, B1, B2, B3, B4, B5, B6, B7)
STEPS = {step.id: step for step in (N, *FAILOVER_STEPS, *FAILBACK_STEPS)}
"""Every step by its id."""


def role_of(phase: Phase, region: int, lost_region: int | None) -> Role:
    """Return what a region is in this phase.

    :param lost_region: the region the user calls lost; has no meaning in phase `normal`.
    """
    if phase is Phase.NORMAL:
        return Role.MEMBER
    if region != lost_region:
        return Role.SURVIVOR
    return Role.RECREATED if phase.is_failback else Role.LOST
