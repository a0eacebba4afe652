"""The two releases that a region can hold, with the values that the procedure gives them."""

from collections.abc import Mapping
from typing import Any

from dualregion import brokers, values
from dualregion.settings import Settings
from dualregion.topology import Installation, Kind


def own(
    settings: Settings,
    base: Mapping[str, Any],
    *,
    replaced_region: int | None = None,
    installation_type: str = "",
    web_apps: bool | None = None,
) -> Installation:
    """Return the region's own release; see `values.installation_values`.

    :param replaced_region: the region whose search engine the failover's stands in for, or None.
    """
    return Installation(
        Kind.NORMAL,
        settings.own.namespace,
        values.installation_values(
            base,
            settings,
            region_id=settings.region,
            installation_type=installation_type,
            exporters=values.exporter_urls(settings, replaced_region=replaced_region),
            web_apps=web_apps,
        ),
    )


def failover(
    settings: Settings, base: Mapping[str, Any], *, replaced_region: int | None = None
) -> Installation:
    """Return the release that stands in for the other region; see `own`."""
    return Installation(
        Kind.FAILOVER,
        settings.own.failover,
        values.installation_values(
            base,
            settings,
            region_id=brokers.other(settings.region),
            installation_type="failOver",
            exporters=values.exporter_urls(settings, replaced_region=replaced_region),
            web_apps=False,
        ),
    )
