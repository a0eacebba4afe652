"""The procedures as data: `model` defines what they are made of, `camunda_8_5` and `cluster_api` are the tables.

`decision.planning` reads them. Both have steps of the same ids, by which the other modules of the core name them; which
one counts is `Settings.procedure`.
"""

from dualregion.procedure.camunda_8_5 import (
    B0,
    B1,
    B2,
    B3,
    B4,
    B5,
    B6,
    B7,
    CAMUNDA_8_5,
    F0,
    F1,
    F2,
    F3,
    N,
    R,
)
from dualregion.procedure.cluster_api import CLUSTER_API
from dualregion.procedure.model import (
    FAIL_BACK,
    FAIL_OVER,
    Phase,
    Procedure,
    Release,
    Role,
    Step,
    Task,
    Turn,
    role_of,
)

FAILOVER_STEPS = tuple(step.id for step in CAMUNDA_8_5.steps(Phase.FAILOVER))
"""The ids of a failover's steps, in order; they are the same in every procedure."""
FAILBACK_STEPS = tuple(
    step.id for step in CAMUNDA_8_5.steps(Phase.FAILBACK_PENDING, Phase.RESTORED)
)
"""The ids of a failback's."""
STEP_IDS = frozenset(CAMUNDA_8_5.steps_by_id)
"""The ids of every step that has a gate."""

__all__ = [
    "B0",
    "B1",
    "B2",
    "B3",
    "B4",
    "B5",
    "B6",
    "B7",
    "CAMUNDA_8_5",
    "CLUSTER_API",
    "F0",
    "F1",
    "F2",
    "F3",
    "FAILBACK_STEPS",
    "FAILOVER_STEPS",
    "FAIL_BACK",
    "FAIL_OVER",
    "STEP_IDS",
    "N",
    "Phase",
    "Procedure",
    "R",
    "Release",
    "Role",
    "Step",
    "Task",
    "Turn",
    "role_of",
]
