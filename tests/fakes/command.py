"""Both stacks and both regions as the command's tests need them: whole, unless a test takes something away."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.stacks.read import Both, RegionStack, State
from cli.status.health import Finding, Status
from cli.status.observed.observe import (
    InstallationStatus,
    Pod,
    RegionStatus,
    RegionStatuses,
    Workload,
    broker_ids,
)
from cli.status.observed.results import Result
from dualregion import brokers
from dualregion.observed.search_engine.records import PartitionRecords
from dualregion.observed.zeebe_answers import Broker, ClusterView, Exporting, Replica
from dualregion.procedure.topology import NO_INCIDENT, Kind
from dualregion.state.progress import Stack
from messages.clients import clusters
from messages.command import status as messages
from tests.inputs.examples import NAMES, settings

INCIDENT = "1-region1-lost"
SIZES = {"clusterSize": 4, "partitionCount": 4}


class Unread:
    """A project whose stacks are not read: what they hold is given.

    :param folder: the project's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name

    def begin_reading(self, *_: object, **__: object) -> None:
        """Read nothing."""


def stack(
    region: int,
    phase: str = "normal",
    lost: int | None = None,
    proved: Iterable[str] = (),
    *,
    nodes: Iterable[str] = ("normal",),
    incident: str = INCIDENT,
    reached: str | None = None,
    outputs: Mapping[str, Any] | None = None,
    **more: Any,
) -> RegionStack:
    """Return a stack.

    `proved` are its gates; `reached` is the phase of its last update, the wanted one unless given.
    """
    wanted = settings(
        region=region,
        phase=phase,
        lostRegion=lost,
        backup={"settings": {"bucket": "b"}},
        **SIZES,
    )
    gates = {step: NO_INCIDENT if step == "N" else incident for step in proved}
    kept = {"phase": reached or phase, "region": region, "lostRegion": lost, **(outputs or {})}
    held = Stack.of(kept, frozenset((*nodes, *gates)), gates)
    return RegionStack(f"region{region}", wanted, State(held, kept), **more)


def normal() -> Both:
    """Return both stacks in phase normal, proved."""
    return stack(0, proved=["N"]), stack(1, proved=["N"])


def failing_over(proved: Iterable[str], there: str = "normal") -> Both:
    """Return both stacks set to failover of region 1; the survivor has proved some of its steps."""
    steps = tuple(proved)
    nodes = ("normal", "failover") if "F2" in steps else ("normal",)
    reached = "failover" if "F3" in steps else "normal"
    return (
        stack(0, "failover", 1, steps, nodes=nodes, reached=reached),
        stack(1, "failover", 1, reached=there, nodes=("normal",) if there == "normal" else ()),
    )


def failing_back(
    here: Iterable[str], there: Iterable[str], phase: str = "failback-pending"
) -> Both:
    """Return both stacks in a failback of region 1."""
    mine = tuple(here)
    nodes = ("normal",) if "B5" in mine else ("normal", "failover")
    return stack(0, phase, 1, mine, nodes=nodes), stack(1, phase, 1, there)


def installation(
    region: int,
    kind: Kind = Kind.NORMAL,
    *,
    view: ClusterView | None = None,
    exporting: str = "EXPORTING",
    highest: int = 100,
    asleep: Iterable[int] = (),
    ready: int = 1,
    wanted: int = 1,
) -> Result[InstallationStatus | None]:
    """Return an installation of which everything is ready, but the brokers asleep."""
    given = settings(**SIZES)
    namespace = f"camunda-{NAMES[region]}" + ("-failover" if kind is Kind.FAILOVER else "")
    ids = broker_ids(given, region, kind)
    pods = tuple(
        Pod(
            f"camunda-zeebe-{ordinal}",
            broker,
            broker not in asleep,
            Result(error=messages.not_ready())
            if broker in asleep
            else Result(_states(f"{namespace}/camunda-zeebe-{ordinal}", broker, exporting)),
        )
        for ordinal, broker in enumerate(ids)
    )
    records = {number: PartitionRecords(10, 1, highest) for number in range(1, 5)}
    return Result(
        InstallationStatus(
            kind,
            namespace,
            (
                Workload("camunda-zeebe", sum(pod.ready for pod in pods), len(pods)),
                Workload("camunda-operate", ready, wanted),
            ),
            pods,
            Result(records),
            Result(view or view_of(range(4)))
            if kind is Kind.NORMAL
            else Result(error=messages.not_asked()),
        )
    )


def unanswered(
    installed: Result[InstallationStatus | None], *parts: str
) -> Result[InstallationStatus | None]:
    """Return an installation of which these parts do not answer: `view`, `records`, `exporting`."""
    found = installed.value
    assert found is not None
    error = messages.not_in_time()
    return Result(
        replace(
            found,
            view=Result(error=error) if "view" in parts else found.view,
            records=Result(error=error) if "records" in parts else found.records,
            brokers=tuple(
                replace(each, exporting=Result(error=error))
                if each.ready and "exporting" in parts
                else each
                for each in found.brokers
            ),
        )
    )


def _states(pod: str, broker: int, phase: str) -> tuple[Exporting, ...]:
    return tuple(
        Exporting(pod, number, broker == number - 1, phase, 90, 90)
        for number in range(1, 5)
        if broker in brokers.replicas(number, 4, 4)
    )


def view_of(ids: Iterable[int], leaderless: Iterable[int] = ()) -> ClusterView:
    """Return the topology with these brokers; the lowest of them leads every partition but those."""
    found = sorted(ids)
    return ClusterView(
        tuple(
            Broker(
                each,
                f"camunda-zeebe-0.camunda-zeebe.camunda-{NAMES[each % 2]}.svc",
                tuple(
                    Replica(
                        number,
                        "leader" if each == found[0] and number not in leaderless else "follower",
                        True,
                    )
                    for number in range(1, 5)
                ),
            )
            for each in found
        )
    )


def region(number: int, **installations: Result[InstallationStatus | None]) -> RegionStatus:
    """Return a region that shows these installations, `normal` and `failover`."""
    name = NAMES[number]
    found = {Kind(kind): result for kind, result in installations.items()}
    return RegionStatus(number, name, f"cluster-{name}", installations=found)


def unreachable(number: int) -> RegionStatus:
    """Return a region that does not answer."""
    return replace(region(number), error=messages.not_in_time())


def logged_out(number: int) -> RegionStatus:
    """Return a region that answers, and refuses the credentials."""
    refused = clusters.credentials_refused(f"cluster-{NAMES[number]}", "401 Unauthorized")
    return replace(region(number), error=refused)


def refusing(number: int) -> RegionStatus:
    """Return a region whose own brokers are up, and none of them leads, as those of the other region are gone."""
    view = view_of(broker_ids(settings(**SIZES), number, Kind.NORMAL), leaderless=range(1, 5))
    return region(number, normal=installation(number, view=view))


def paused(phase: str) -> RegionStatuses:
    """Return two whole regions whose exporters are in this phase."""
    first, second = (region(each, normal=installation(each, exporting=phase)) for each in (0, 1))
    return first, second


def whole() -> RegionStatuses:
    """Return two healthy regions."""
    return region(0, normal=installation(0)), region(1, normal=installation(1))


def returned(exporting: str = "EXPORTING") -> RegionStatuses:
    """Return all three installations of a failback; half of region 1 sleeps."""
    return (
        region(
            0,
            normal=installation(0, exporting=exporting),
            failover=installation(0, Kind.FAILOVER, exporting=exporting),
        ),
        region(1, normal=installation(1, exporting=exporting, asleep=[1])),
    )


def taken_over(exporting: str = "EXPORTING") -> RegionStatuses:
    """Return the survivor with its failover installation, and region 1 unreachable."""
    view = view_of((0, 1, 2))
    return (
        region(
            0,
            normal=installation(0, view=view, exporting=exporting),
            failover=installation(0, Kind.FAILOVER, exporting=exporting),
        ),
        unreachable(1),
    )


def codes(status: Status) -> list[str]:
    """Return the codes of what a status finds."""
    return [each.message.code for each in status.findings]


def finding(status: Status, code: str) -> Finding:
    """Return the one finding of a code."""
    (found,) = (each for each in status.findings if each.message.code == code)
    return found
