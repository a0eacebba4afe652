"""The steps of the procedure by the cluster management API (Camunda 8.6 and later)."""

from collections.abc import Callable, Mapping

from dualregion.procedure import B0, B1, B2, B3, B4, B5, B6, B7, F0, F1, F2, F3, N
from steps import claiming
from steps import failback as common
from steps.cluster_api import failback, failover
from steps.context import Evidence, StepContext

PROOFS: Mapping[str, Callable[[StepContext], Evidence]] = {
    N.id: failover.prove_normal,
    F0.id: claiming.claim,
    F1.id: failover.isolate,
    F2.id: failover.take_over,
    F3.id: failover.disable_exporter,
    B0.id: common.prove_clean,
    B1.id: failback.join,
    B2.id: failback.freeze,
    B3.id: failback.copy,
    B4.id: failback.enable_exporter,
    B5.id: failback.resume,
    B6.id: failback.add,
    B7.id: failback.finish,
}
"""The work of each step, by its id."""
