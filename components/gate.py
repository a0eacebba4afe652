"""A gate: a ConfigMap whose creation is held until its step's work is done and proved.

A hook that fails leaves no record, so the next `pulumi up` does the step again and what depends on it
waits. The hook writes start, end and evidence into the very ConfigMap that Pulumi then creates over it
(server-side apply keeps both writers' keys), so the record is on the cluster and in the stack's state.
"""

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi

from components.hooking import carry_out
from components.objects import Object, ObjectKind
from dualregion.procedure import F0
from dualregion.procedure.topology import CLAIM
from dualregion.procedure.topology import Gate as GateSpec
from dualregion.state.held import CLUSTER_KEY
from messages.steps import components as messages
from steps import actions
from steps.before import standing
from steps.context import StepContext


@dataclass(frozen=True)
class GateArgs:
    """What a gate is made of."""

    spec: GateSpec
    ctx: StepContext


class Gate(pulumi.ComponentResource):
    """One step of the procedure, proved.

    :ivar record: step, title, incident, start, end, seconds and evidence.
    """

    record: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, args: GateArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("dualregion:index:Gate", name, None, opts)
        step = args.spec.step
        before = [*opts.depends_on] if isinstance(opts.depends_on, list) else []
        if step.id == F0.id:
            claim = pulumi.ResourceOptions(parent=self, depends_on=[*before])
            before.append(_record(CLAIM, record_name("claim"), args, claim))
        hook = pulumi.ResourceHook(f"prove-{step.id}", _proof(args, record_name(step.id)))
        proof = pulumi.ResourceOptions(
            parent=self,
            depends_on=before,
            hooks=pulumi.ResourceHookBinding(before_create=[hook]),
        )
        made = _record(name, record_name(step.id), args, proof)
        self.record = made.field("data").apply(lambda data: dict(data or {}))
        self.register_outputs({"record": self.record})


def _record(node: str, name: str, args: GateArgs, opts: pulumi.ResourceOptions) -> Object:
    """Declare a record of a step; it stays as it was made, and gives way to one of another incident or proof."""
    spec = args.spec
    once = pulumi.ResourceOptions(
        ignore_changes=["data"],
        replace_on_changes=["metadata.labels"],
        delete_before_replace=True,
    )
    metadata = {"name": name, "namespace": args.ctx.namespace, "labels": spec.labels}
    data = (
        {"step": spec.step.id, "title": spec.step.title, "incident": spec.incident}
        | ({"proof": str(spec.proof)} if spec.proof > 1 else {})
        | ({"round": str(spec.round)} if spec.round > 1 else {})
    )
    return Object(
        ObjectKind.CONFIG_MAP,
        node,
        {"metadata": metadata, "data": data},
        pulumi.ResourceOptions.merge(opts, once),
    )


def record_name(step_id: str) -> str:
    """Return the name of a step's ConfigMap."""
    return f"dual-region-{step_id.lower()}"


def _proof(
    args: GateArgs, name: str
) -> Callable[[pulumi.ResourceHookArgs], Coroutine[None, None, None]]:
    """Return the hook that does a step's work."""

    async def prove(_: pulumi.ResourceHookArgs) -> None:
        if _is_proved_already(args):
            args.ctx.say(messages.proved_before(args.spec.step.id))
            return
        await carry_out(args.spec.step.id, lambda: _prove(args, name))

    return prove


def _is_proved_already(args: GateArgs) -> bool:
    """Whether the step was proved in this incident, and only the state has lost it."""
    own, spec = args.ctx.own, args.spec
    held = own.gates.get(spec.step.id), own.rounds.get(spec.step.id, 1)
    return own.found_again and held == (spec.incident, spec.round)


def _prove(args: GateArgs, name: str) -> None:
    ctx, step = args.ctx, args.spec.step
    start = datetime.now(UTC)
    evidence = actions.proof_of(ctx.settings.procedure, step)(ctx)
    end = datetime.now(UTC)
    actions.write_record(
        ctx,
        step,
        name,
        {
            "start": start.isoformat(timespec="milliseconds"),
            "end": end.isoformat(timespec="milliseconds"),
            "seconds": f"{(end - start).total_seconds():.1f}",
            **({CLUSTER_KEY: ctx.cluster_id} if ctx.cluster_id else {}),
            "evidence": json.dumps(evidence),
        }
        | standing.entry(ctx, step),
    )
