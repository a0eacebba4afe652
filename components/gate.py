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
import pulumi_kubernetes as k8s

from components.hooking import carry_out
from dualregion.topology import STEP_LABEL
from dualregion.topology import Gate as GateSpec
from hooks import steps
from hooks.site import Site

INCIDENT_LABEL = "camunda-dual-region/incident"
"""A gate of another incident is replaced, and its step done and proved again."""


@dataclass(frozen=True)
class GateArgs:
    """What a gate is made of."""

    spec: GateSpec
    site: Site


class Gate(pulumi.ComponentResource):
    """One step of the procedure, proved.

    :ivar record: step, title, incident, start, end, seconds and evidence.
    """

    record: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, args: GateArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("dualregion:index:Gate", name, None, opts)
        step, incident, namespace = args.spec.step, args.spec.incident, args.site.namespace
        hook = pulumi.ResourceHook(f"prove-{step.id}", _proof(args, record_name(step.id)))
        config_map = k8s.core.v1.ConfigMap(
            name,
            metadata={
                "name": record_name(step.id),
                "namespace": namespace,
                "labels": {STEP_LABEL: step.id, INCIDENT_LABEL: incident},
            },
            data={"step": step.id, "title": step.title, "incident": incident},
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=opts.depends_on,
                # A record stays as it was made; another incident's gives way to a new one.
                ignore_changes=["data"],
                replace_on_changes=["metadata.labels"],
                delete_before_replace=True,
                hooks=pulumi.ResourceHookBinding(before_create=[hook]),
            ),
        )
        self.record = config_map.data.apply(lambda data: dict(data or {}))
        self.register_outputs({"record": self.record})


def record_name(step_id: str) -> str:
    """Return the name of a step's ConfigMap."""
    return f"dual-region-{step_id.lower()}"


def _proof(
    args: GateArgs, name: str
) -> Callable[[pulumi.ResourceHookArgs], Coroutine[None, None, None]]:
    """Return the hook that does a step's work."""

    async def prove(_: pulumi.ResourceHookArgs) -> None:
        await carry_out(args.spec.step.id, lambda: _prove(args, name))

    return prove


def _prove(args: GateArgs, name: str) -> None:
    site, step = args.site, args.spec.step
    start = datetime.now(UTC)
    evidence = steps.PROOFS[step.id](site)
    end = datetime.now(UTC)
    site.cluster.apply_config_map(
        site.namespace,
        name,
        {
            "start": start.isoformat(timespec="milliseconds"),
            "end": end.isoformat(timespec="milliseconds"),
            "seconds": f"{(end - start).total_seconds():.1f}",
            "evidence": json.dumps(evidence),
        },
    )
