"""Which function does and proves which step: each row of the procedure's table."""

from collections.abc import Callable, Mapping

from dualregion.procedure import B0, B1, B2, B3, B4, B5, B6, B7, F0, F1, F2, F3, N
from hooks import claiming, failback, failover
from hooks.site import Evidence, Site

PROOFS: Mapping[str, Callable[[Site], Evidence]] = {
    N.id: failover.prove_normal,
    F0.id: claiming.claim,
    F1.id: failover.isolate,
    F2.id: failover.take_over,
    F3.id: failover.repoint,
    B0.id: failback.prove_clean,
    B1.id: failback.join,
    B2.id: failback.freeze,
    B3.id: failback.copy,
    B4.id: failback.repoint,
    B5.id: failback.reopen,
    B6.id: failback.prove_retired,
    B7.id: failback.wake,
}
"""The work of each step, by its id."""
