"""What is expected in the present state of an incident: whose gateway, which brokers, which search engines. Pure."""

from cli.stacks.read import Both
from cli.status.observed.observe import RegionStatuses
from cli.status.observed.results import Result
from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.observed.zeebe_answers import ClusterView
from dualregion.procedure import B1, B4, B6, B7, F2, F3
from dualregion.procedure.topology import Kind
from dualregion.state.progress import Incident
from messages.command import status as messages


def best_view(region_statuses: RegionStatuses, lost: int | None) -> Result[ClusterView]:
    """Return the cluster as a gateway sees it: the survivor's, else the first one that answers."""
    order = sorted(region_statuses, key=lambda region_status: region_status.region == lost)
    views = [
        each.view
        for region_status in order
        for each in region_status.seen
        if each.kind is Kind.NORMAL
    ]
    answered = [each for each in views if each.value is not None]
    return next(iter(answered or views), Result(error=messages.no_gateway_seen()))


def expected_brokers(
    settings: Settings, lost: int | None, stacks: Both, present: Incident | None
) -> frozenset[int]:
    """Return the brokers that should run now."""
    every = frozenset(range(settings.cluster_size))
    if lost is not None and not settings.procedure.has_failover_installation:
        is_whole = B6.id in stacks[brokers.other(lost)].state.held.proved(present)
        return every if is_whole else frozenset(brokers.staying(settings.cluster_size, lost))
    if lost is None or B1.id in stacks[lost].state.held.proved(present):
        return every
    survivor = stacks[brokers.other(lost)].state.held
    proved = survivor.proved(present)
    if settings.phase.is_failback or proved & {F2.id, F3.id}:
        return frozenset(brokers.alive_after_failover(settings.cluster_size, lost))
    return frozenset(brokers.staying(settings.cluster_size, lost))


def sleeping_brokers(
    settings: Settings, lost: int | None, stacks: Both, present: Incident | None
) -> frozenset[int]:
    """Return the brokers of the recreated region that run and cannot become ready.

    From B1 until B7 every second one, as failover brokers have their ids; by cluster API all until they are members.
    """
    if lost is None:
        return frozenset()
    if not settings.procedure.has_failover_installation:
        is_whole = B6.id in stacks[brokers.other(lost)].state.held.proved(present)
        recreated = brokers.region_broker_ids(settings.cluster_size, lost)
        return frozenset() if is_whole else frozenset(recreated)
    proved = stacks[lost].state.held.proved(present)
    if B1.id not in proved or B7.id in proved:
        return frozenset()
    return frozenset(brokers.failover_broker_ids(settings.cluster_size, lost))


def exported_to(
    settings: Settings, lost: int | None, stacks: Both, present: Incident | None
) -> tuple[str, str]:
    """Return the namespaces of the search engines that the exporters of region 0 and 1 write to."""
    namespaces = [region.namespace for region in settings.regions]
    if lost is not None and settings.procedure.has_failover_installation:
        survivor = brokers.other(lost)
        if B4.id not in stacks[survivor].state.held.proved(present):
            namespaces[lost] = settings.regions[survivor].failover
    first, second = namespaces
    return first, second
