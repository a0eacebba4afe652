"""The procedure as data: `model` defines what it is made of, `camunda_8_5` is the table, `planning` reads it.

The other modules of the core take its words from here.
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

PROCEDURE = CAMUNDA_8_5
"""The one that this program carries out."""

FAILOVER_STEPS = PROCEDURE.steps(Phase.FAILOVER)
FAILBACK_STEPS = PROCEDURE.steps(Phase.FAILBACK_PENDING, Phase.RESTORED)
STEPS = {step.id: step for step in PROCEDURE.steps(*Phase)}
"""Every step that has a gate, by its id."""

__all__ = [
    "B0",
    "B1",
    "B2",
    "B3",
    "B4",
    "B5",
    "B6",
    "B7",
    "F0",
    "F1",
    "F2",
    "F3",
    "FAILBACK_STEPS",
    "FAILOVER_STEPS",
    "FAIL_BACK",
    "FAIL_OVER",
    "PROCEDURE",
    "STEPS",
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
