"""Whether what the project's files say can be installed, and the procedure can work with it. Pure."""

from collections.abc import Mapping
from typing import Any

from dualregion.chart.adoption import ChartVersion
from dualregion.chart.demands import conflicts, conflicts_of_failover
from dualregion.chart.release_version import contradictions
from dualregion.config.settings import Settings
from messages import Message


def misfits(
    settings: Settings,
    chart: ChartVersion,
    base: Mapping[str, Any],
    of_failover: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> list[Message]:
    """Return what is wrong with chart and values: the version first, as the rest depends on it.

    :param base: the user's merged values.
    :param of_failover: those of the failover installation, over the others.
    :param defaults: the chart's own values, as far as they can be read.
    :raises ConfigError: if the values have another shape than the chart's.
    """
    of_version = contradictions(settings, chart, base)
    if of_version:
        return of_version
    of_values = conflicts(base, settings, defaults)
    if of_values or not settings.procedure.has_failover_installation:
        return of_values
    return conflicts_of_failover(base, of_failover, settings, defaults)
