"""What a stack tells its user, the other stack and the stack history."""

from typing import Any

import pulumi

from components.region import Region
from dualregion import VERSION
from dualregion.chart import values
from dualregion.decision.drift import sizes
from dualregion.procedure.topology import NO_INCIDENT
from dualregion.procedure.waits import Wait
from dualregion.state.identity import remembered_cluster
from dualregion.state.progress import merged_history
from steps.context import StepContext


def outputs(ctx: StepContext, region: Region) -> dict[str, Any]:
    """Return the stack's outputs; progress is read from the gates that prove it."""
    settings, topology = ctx.settings, ctx.topology
    # Without any, `Output.all` gives a list.
    records = (
        pulumi.Output.all(**region.records) if region.records else pulumi.Output.from_input({})
    )
    return {
        "phase": settings.phase.value,
        "region": settings.region,
        "role": topology.role.value,
        "lostRegion": settings.lost_region,
        "incident": str(ctx.incident or NO_INCIDENT),
        "progress": records.apply(list),
        "record": records,
        # The state keeps each incident's record, whatever becomes of the gates and their namespace.
        "history": records.apply(lambda found: merged_history(ctx.own.history, found)),
        "waitingFor": topology.waiting_for,
        "waiting": _waiting(topology.waiting),
        "gatewayAddress": f"{ctx.installation.names.gateway}.{ctx.namespace}.svc.cluster.local:26500",
        "contactPoints": values.contact_points(settings).split(","),
        "exporterUrls": _exporter_urls(ctx),
        "programVersion": VERSION,
        "camundaVersion": settings.camunda_version,
        "chart": ctx.chart,
        "sizes": sizes(settings),
        "namespaces": [
            {"namespace": each.namespace, "failoverNamespace": each.failover}
            for each in settings.regions
        ],
        "clusterId": remembered_cluster(settings, ctx.own, ctx.incident, ctx.cluster_id, ctx.peer),
        # What the chart renders is looked at again only when this changes.
        "rendered": ctx.rendered,
    }


def _waiting(wait: Wait | None) -> dict[str, Any] | None:
    """Return the same for programs: a code, the turn that is awaited, and on which region's stack `pulumi up` is next."""
    if wait is None:
        return None
    return {
        "code": wait.awaited.value,
        "turn": wait.task and wait.task.value,
        "region": wait.next_region,
    }


def _exporter_urls(ctx: StepContext) -> list[str]:
    """Return where the brokers of this stack export to; of region 0 first."""
    settings = ctx.settings
    wanted = [
        values.exporters_of(each.values, settings.version) for each in ctx.topology.installations
    ]
    return next(filter(None, wanted), list(values.exporter_urls(settings, replaced_region=None)))
