"""Partition by partition: who leads and follows, what is missing, and how far exporting is."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from cli.status.observed.observe import InstallationStatus, Pod, RegionStatuses
from cli.status.observed.results import Result
from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.observed.search_engine.records import Records
from dualregion.observed.zeebe_answers import ClusterView, Exporting
from messages.command import status as messages


@dataclass(frozen=True)
class Partition:
    """A partition, as the clusters show it.

    :ivar leader: the broker that leads it, or None.
    :ivar missing: brokers that should hold it now and are not seen to.
    :ivar unhealthy: brokers whose replica is not healthy.
    :ivar phases: the phases of its replicas' exporters: mostly one.
    :ivar positions: the last record that each of the two search engines holds; None if it is unknown.
    """

    number: int
    leader: int | None
    followers: tuple[int, ...]
    missing: tuple[int, ...]
    unhealthy: tuple[int, ...]
    phases: tuple[str, ...]
    positions: tuple[int | None, int | None]

    @property
    def lag(self) -> int | None:
        """By how many positions one engine is behind the other, or None if that is unknown."""
        first, second = self.positions
        return None if first is None or second is None else abs(first - second)


def partitions_of(
    settings: Settings,
    view: ClusterView | None,
    expected: Collection[int],
    states: Iterable[Exporting],
    engines: tuple[Result[Records], Result[Records]],
) -> tuple[Partition, ...]:
    """Put together what is known of each partition.

    :param expected: the brokers that should run now.
    :param states: those of the brokers' exporters.
    :param engines: what the two search engines hold that are exported to.
    """
    # Without a gateway it is unknown which brokers are missing.
    known, wanted = tuple(states), expected if view else ()
    return tuple(
        _partition(
            settings,
            number,
            view=view or ClusterView(),
            expected=wanted,
            states=known,
            engines=engines,
        )
        for number in range(1, settings.partition_count + 1)
    )


def _partition(
    settings: Settings,
    number: int,
    *,
    view: ClusterView,
    expected: Collection[int],
    states: tuple[Exporting, ...],
    engines: tuple[Result[Records], Result[Records]],
) -> Partition:
    held = {
        broker.id: copy
        for broker in view.brokers
        for copy in broker.replicas
        if copy.partition == number
    }
    wanted = brokers.replicas(number, settings.cluster_size, settings.replication_factor)
    leaders = sorted(each for each, copy in held.items() if copy.is_leader)
    first, second = (_position(engine, number) for engine in engines)
    return Partition(
        number,
        leader=leaders[0] if leaders else None,
        followers=tuple(sorted(set(held) - set(leaders))),
        missing=tuple(sorted((set(wanted) & set(expected)) - set(held))),
        unhealthy=tuple(sorted(each for each, copy in held.items() if not copy.healthy)),
        phases=tuple(sorted({each.phase for each in states if each.partition == number})),
        positions=(first, second),
    )


def _position(engine: Result[Records], partition: int) -> int | None:
    found = None if engine.value is None else engine.value.get(partition)
    return None if found is None else found.highest


def duplicates(region_statuses: RegionStatuses) -> dict[int, tuple[str, ...]]:
    """Return every broker id that runs in more than one namespace, with those namespaces.

    A broker runs if its pod is ready: a sleeping one, which has another broker's id, never is.
    """
    return {broker: found for broker, found in _running(region_statuses).items() if len(found) > 1}


def namespaces_of_brokers(region_statuses: RegionStatuses) -> dict[int, str]:
    """Return the namespace in which each broker runs, by its pod; its advertised address may be anything."""
    return {broker: " and ".join(found) for broker, found in _running(region_statuses).items()}


def _running(region_statuses: RegionStatuses) -> dict[int, tuple[str, ...]]:
    found: dict[int, set[str]] = {}
    for installation in installations(region_statuses):
        for pod in installation.brokers:
            if pod.ready:
                found.setdefault(pod.broker, set()).add(installation.namespace)
    return {broker: tuple(sorted(namespaces)) for broker, namespaces in sorted(found.items())}


def installations(region_statuses: RegionStatuses) -> tuple[InstallationStatus, ...]:
    """Return every installation that is there and could be observed."""
    return tuple(each for region_status in region_statuses for each in region_status.seen)


def exporting(region_statuses: RegionStatuses) -> tuple[Exporting, ...]:
    """Return the exporters' states of every broker that answered."""
    return tuple(
        state
        for installation in installations(region_statuses)
        for pod in installation.brokers
        for state in pod.exporting.value or ()
    )


def brokers_without_answer(installation: InstallationStatus) -> tuple[Pod, ...]:
    """Return the brokers that are ready and did not answer what their exporters do."""
    return tuple(pod for pod in installation.brokers if pod.ready and pod.exporting.error)


def records(region_statuses: RegionStatuses, namespace: str) -> Result[Records]:
    """Return what the search engine of a namespace holds."""
    by_namespace: Mapping[str, Result[Records]] = {
        each.namespace: each.records for each in installations(region_statuses)
    }
    return by_namespace.get(namespace, Result(error=messages.no_engine_seen()))
