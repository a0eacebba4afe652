"""What a stack tells its user, the other stack and the stack history."""

from typing import Any

import pulumi

from components.region import Region, incident_name
from dualregion import values
from dualregion.procedure import Role
from hooks.steps import Site


def outputs(site: Site, region: Region) -> dict[str, Any]:
    """Return the stack's outputs; progress is read from the gates that prove it."""
    settings, topology = site.settings, site.topology
    replaced = site.lost if topology.role is Role.SURVIVOR else None
    return {
        "phase": settings.phase.value,
        "region": settings.region,
        "role": topology.role.value,
        "lostRegion": settings.lost_region,
        "incident": incident_name(settings),
        "progress": pulumi.Output.all(**region.records).apply(list) if region.records else [],
        "record": pulumi.Output.all(**region.records),
        "waitingFor": topology.waiting_for,
        "gatewayAddress": f"{settings.release}-zeebe-gateway.{site.namespace}.svc.cluster.local:26500",
        "contactPoints": values.contact_points(settings).split(","),
        "exporterUrls": list(values.exporter_urls(settings, replaced_region=replaced)),
    }
