"""Whether Camunda works, for people who do not know how: commands, exporting, web apps. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cli.status.observed.observe import InstallationStatus, RegionStatus
from cli.status.observed.partitions import Partition
from cli.status.observed.results import Result
from dualregion.chart.values import WEB_APPS
from dualregion.names import ReleaseNames
from dualregion.observed.zeebe_answers import PAUSED, RUNNING, ClusterView
from dualregion.procedure.topology import Kind
from messages import Message
from messages.command import status as messages


class Commands(StrEnum):
    """Whether commands are accepted."""

    ACCEPTED = "accepted"
    PARTLY = "partly accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Exports(StrEnum):
    """Whether records are exported."""

    RUNNING = "running"
    PARTLY = "partly running"
    STANDING = "standing still"
    PAUSED = "paused"
    PAUSED_SOFTLY = "paused softly"
    UNKNOWN = "unknown"


class WebApps(StrEnum):
    """Whether Operate and Tasklist of a region are up."""

    UP = "up"
    PARTLY = "partly up"
    DOWN = "down"
    SCALED_DOWN = "scaled down"
    SWITCHED_OFF = "switched off"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Service:
    """What users have of Camunda now.

    :ivar commands: with the sentence for people.
    :ivar exporting: the same.
    :ivar accepting: how many partitions accept commands; None if that is unknown.
    :ivar exporting_on: how many partitions export; None if that is unknown.
    :ivar web_apps: of region 0 and region 1.
    """

    commands: Commands
    exporting: Exports
    accepting: int | None
    exporting_on: int | None
    web_apps: tuple[WebApps, ...]
    commands_line: Message
    exporting_line: Message
    web_apps_line: Message


def service_of(
    view: Result[ClusterView],
    partitions: Sequence[Partition],
    regions: Sequence[RegionStatus],
    release: str,
) -> Service:
    """Return what both regions show of it.

    :param view: the cluster, as a gateway sees it.
    :param release: the name of Camunda's Helm release.
    """
    commands, accepting = _commands(view, partitions)
    exporting, exporting_on = _exporting(partitions)
    web_apps = tuple(_web_apps(each, release) for each in regions)
    count = len(partitions)
    return Service(
        commands,
        exporting,
        accepting,
        exporting_on,
        web_apps,
        messages.service_commands_unknown(view.error or "")
        if accepting is None
        else messages.service_commands(commands, accepting, count),
        messages.service_exporting_unknown()
        if exporting_on is None
        else messages.service_exporting(exporting, exporting_on, count),
        messages.service_web_apps([each.name for each in regions], web_apps),
    )


def _commands(
    view: Result[ClusterView], partitions: Sequence[Partition]
) -> tuple[Commands, int | None]:
    if view.value is None:
        return Commands.UNKNOWN, None
    led = sum(each.leader is not None for each in partitions)
    if led == len(partitions):
        return Commands.ACCEPTED, led
    return (Commands.PARTLY if led else Commands.REFUSED), led


def _exporting(partitions: Sequence[Partition]) -> tuple[Exports, int | None]:
    phases = {phase for each in partitions for phase in each.phases}
    if not phases:
        return Exports.UNKNOWN, None
    count = sum(
        each.leader is not None and all(map(_exports, each.phases))
        for each in partitions
        if each.phases
    )
    if PAUSED in phases:
        return Exports.PAUSED, count
    if any(PAUSED in phase for phase in phases):
        return Exports.PAUSED_SOFTLY, count
    if count == len(partitions):
        return Exports.RUNNING, count
    return (Exports.PARTLY if count else Exports.STANDING), count


def _exports(phase: str) -> bool:
    """Whether records are exported in a phase; paused softly they are, and are kept all the same."""
    return phase == RUNNING or (PAUSED in phase and phase != PAUSED)


def _web_apps(region: RegionStatus, release: str) -> WebApps:
    result = region.installations.get(Kind.NORMAL)
    if region.error or (result is not None and result.error):
        return WebApps.UNKNOWN
    if result is None or result.value is None:
        return WebApps.NONE
    if result.value.profiles is not None:
        return _state_of_profiles(result.value, result.value.profiles)
    return _state_of(result.value, {ReleaseNames(release).component(each) for each in WEB_APPS})


def _state_of_profiles(
    installation: InstallationStatus, profiles: Result[frozenset[str] | None]
) -> WebApps:
    """Return how web apps are that run in the broker pods, each of which answers for itself."""
    if profiles.value is None:
        return WebApps.UNKNOWN
    if not profiles.value & set(WEB_APPS):
        return WebApps.SWITCHED_OFF
    ready = [each.ready for each in installation.brokers]
    if not any(ready):
        return WebApps.DOWN
    return WebApps.UP if all(ready) else WebApps.PARTLY


def _state_of(installation: InstallationStatus, names: Iterable[str]) -> WebApps:
    found = [each for each in installation.workloads if each.name in names]
    wanted = [each for each in found if each.wanted]
    if not wanted:
        return WebApps.SCALED_DOWN if found else WebApps.NONE
    ready = [each for each in wanted if each.ready]
    if not ready:
        return WebApps.DOWN
    whole = len(ready) == len(found) and all(each.ready >= each.wanted for each in ready)
    return WebApps.UP if whole else WebApps.PARTLY
