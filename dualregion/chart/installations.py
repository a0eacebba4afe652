"""The two releases that a region can hold, with the values that the procedure gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dualregion import brokers
from dualregion.chart import values
from dualregion.config.settings import Settings
from dualregion.procedure import FAIL_OVER
from dualregion.procedure.topology import Installation, Kind


@dataclass(frozen=True)
class Bases:
    """What the values of a region's releases start from.

    :ivar own: the user's merged values.
    :ivar failover: those of the failover installation, see `failover_base`.
    """

    own: Mapping[str, Any]
    failover: Mapping[str, Any]

    @classmethod
    def of(cls, base: Mapping[str, Any], of_failover: Mapping[str, Any] | None = None) -> "Bases":
        """Return both, of the user's merged values and of those for the failover installation over them."""
        return cls(base, failover_base(base, of_failover or {}))


def own(
    settings: Settings,
    base: Mapping[str, Any],
    *,
    replaced_region: int | None = None,
    installation_type: str = "",
    web_apps: bool | None = None,
    is_empty: bool = False,
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
            is_empty=is_empty,
        ),
    )


_NOT_TWICE = ("connectors", "console", "identity", "identityKeycloak", "optimize", "webModeler")
"""What the failover installation does not have unless `failoverValues` say so: brokers and search engine are needed."""
_EXPOSED = ("loadBalancerIP", "externalIPs", "nodePort", "nodePorts")
"""Settings of Services that can be given once in a cluster."""
_HOST_NAMES = "external-dns."
"""Annotations that begin so give a Service a host name."""


def failover_base(base: Mapping[str, Any], given: Mapping[str, Any]) -> values.Values:
    """Return the values that the failover installation starts from.

    The same host name, address or port twice in a cluster is refused by it, or leads users to the failover
    installation, so whatever is exposed of the region's own is not exposed here.

    :param base: the user's merged values.
    :param given: the user's values for the failover installation, over the others.
    """
    off = {app: {"enabled": False} for app in _NOT_TWICE if app in base or app == "connectors"}
    return values.merge_all([_unexposed(base), off, given])


def _unexposed(value: Any) -> Any:
    """Return values without what makes Services and apps known outside the cluster."""
    if not isinstance(value, Mapping):
        return value
    kept = {}
    for key, inner in value.items():
        if key == "ingress" and isinstance(inner, Mapping):
            kept[key] = _switched_off(inner)
        elif key == "annotations" and isinstance(inner, Mapping):
            kept[key] = {
                name: text for name, text in inner.items() if not str(name).startswith(_HOST_NAMES)
            }
        elif key not in _EXPOSED:
            kept[key] = _unexposed(inner)
    return kept


def _switched_off(ingress: Mapping[str, Any]) -> dict[str, Any]:
    """Return an ingress, or a map of several, that is not made."""
    return {
        key: False
        if key == "enabled"
        else _switched_off(inner)
        if isinstance(inner, Mapping) and "enabled" in inner
        else inner
        for key, inner in ingress.items()
    }


def failover(
    settings: Settings, base: Mapping[str, Any], *, replaced_region: int | None = None
) -> Installation:
    """Return the release that stands in for the other region; see `own`.

    :param base: see `failover_base`.
    """
    return Installation(
        Kind.FAILOVER,
        settings.own.failover,
        values.installation_values(
            base,
            settings,
            region_id=brokers.other(settings.region),
            installation_type=FAIL_OVER,
            exporters=values.exporter_urls(settings, replaced_region=replaced_region),
            web_apps=False,
        ),
    )
