"""Which function does and proves which step: each row of the procedure's table."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext

from clients.cluster.kubernetes import CallFailed
from dualregion.errors import DualRegionError
from dualregion.procedure import B0, B1, B2, B3, B4, B5, B6, B7, F0, F1, F2, F3, N, Procedure, Step
from messages.steps import steps as messages
from steps import claiming, cluster_api, failback, failover
from steps.context import Evidence, StepContext
from steps.paused_exporters import report_paused_exporters

PROOFS: Mapping[str, Callable[[StepContext], Evidence]] = {
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
"""The work of each step of 8.5, by its id."""


def proof_of(procedure: Procedure, step: Step) -> Callable[[StepContext], Evidence]:
    """Return the work of a step in a procedure."""
    proofs = PROOFS if procedure.has_failover_installation else cluster_api.PROOFS
    return proofs[step.id]


_MAY_BE_PAUSED = frozenset(each.id for each in (B2, B3, B4, B5))


def write_record(ctx: StepContext, step: Step, name: str, record: Mapping[str, str]) -> None:
    """Write what a proved step leaves; hours of work may hang on it, so what may pass is tried again.

    :raises DualRegionError: if it cannot be written.
    """
    hint = messages.look_at_api_server(ctx.settings.own.name)

    def write() -> None:
        try:
            ctx.cluster.apply_config_map(ctx.namespace, name, record)
        except CallFailed as error:
            if not error.may_pass:
                raise DualRegionError(
                    messages.record_not_written(step.id, name, ctx.namespace, error.message, hint)
                ) from None
            raise

    with report_paused_exporters(ctx) if step.id in _MAY_BE_PAUSED else nullcontext():
        ctx.waiting(step).until_none(messages.record_written(name, ctx.namespace), write, hint)
