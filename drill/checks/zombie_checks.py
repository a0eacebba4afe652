"""What must hold while a region that was called lost is back with its brokers alive; pure functions, as in `drill.checks.checks`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from drill.check import Check, check_of, listed
from drill.checks.checks import host_is_in
from drill.regions import REGION_COUNT, ExpectedBrokers, Region

LONGEST_WITHOUT_LEADER = 2
"""In so many answers running a partition may be without a leader: an election on a busy machine, and no more."""

FEWEST_ANSWERS = 5
"""With fewer a gateway has not been watched, but asked."""

Topology = Mapping[str, Any]


def none_got_back(topologies: Sequence[Topology], expected: ExpectedBrokers, lost: Region) -> Check:
    """In none of the survivor's gateway's answers is there a broker of the lost region, or any other stranger.

    :param topologies: the answers, in their order.
    :param expected: the brokers after the failover.
    :param lost: the region whose brokers are alive again.
    """
    back: dict[str, None] = {}
    for topology in topologies:
        for broker in topology.get("brokers", []):
            id_, host = broker["nodeId"], str(broker["host"])
            if host_is_in(host, lost.namespace) or id_ not in expected.ids:
                back[f"broker {id_} at {host}"] = None
    problems = [f"{each} got back" for each in back]
    return check_of(
        f"No broker of {lost.city} gets back into the survivor's cluster",
        problems or _unanswered(topologies),
        f"{len(topologies)} answers of the gateway, each with brokers {listed(expected.ids)} alone",
    )


def no_id_stands_twice(topologies: Sequence[Topology], expected: ExpectedBrokers) -> Check:
    """Each expected id is held by one broker, at one place, in every answer of the survivor's gateway."""
    problems: dict[str, None] = {}
    for topology in topologies:
        hosts: dict[int, list[str]] = {}
        for broker in topology.get("brokers", []):
            hosts.setdefault(broker["nodeId"], []).append(str(broker["host"]))
        for id_, namespace in expected.namespace_of.items():
            found = hosts.get(id_, [])
            if len(found) > 1:
                problems[f"broker {id_} stands {len(found)} times: {listed(found)}"] = None
            elif not found:
                problems[f"broker {id_} is missing"] = None
            elif not host_is_in(found[0], namespace):
                problems[f"broker {id_} is at {found[0]}, not in namespace {namespace}"] = None
    return check_of(
        "No broker id stands twice, and each stays where it is",
        list(problems) or _unanswered(topologies),
        f"{len(topologies)} answers of the gateway",
    )


def partitions_keep_their_leaders(
    topologies: Sequence[Topology], partitions: Collection[int]
) -> Check:
    """No partition is without a leader, nor has two, but for the moment of an election."""
    problems, elected = [], 0
    for partition in partitions:
        led = [_leaders(topology, partition) for topology in topologies]
        longest = _longest_run(len(each) != 1 for each in led)
        if longest > LONGEST_WITHOUT_LEADER:
            problems.append(
                f"partition {partition} had not one leader in {longest} answers running"
            )
        known = [each[0] for each in led if len(each) == 1]
        elected += sum(before != after for before, after in pairwise(known))
    changed = "each by the same broker all the time" if not elected else f"{elected} elections"
    return check_of(
        "The survivor's partitions keep their leaders",
        problems or _unanswered(topologies),
        f"{len(partitions)} partitions, {changed}",
    )


def zombies_live(topology: Topology, lost: Region, cluster_size: int) -> Check:
    """The lost region's own gateway sees all of its brokers, and none of the survivor's.

    Without it nothing is proved: brokers that are dead do not come back anyway.

    :param topology: what the lost region's gateway answers at the end.
    :param lost: the region.
    :param cluster_size: brokers of both regions together.
    """
    ids = range(lost.index, cluster_size, REGION_COUNT)
    seen = {broker["nodeId"]: str(broker["host"]) for broker in topology.get("brokers", [])}
    problems = [
        f"broker {id_} does not live"
        for id_ in ids
        if not host_is_in(seen.get(id_, ""), lost.namespace)
    ]
    problems += [
        f"it sees broker {id_} at {host}"
        for id_, host in seen.items()
        if not host_is_in(host, lost.namespace)
    ]
    return check_of(
        f"The brokers of {lost.city} live all the while, and see nothing of the survivor",
        problems,
        f"brokers {listed(list(ids))} in {lost.namespace}",
    )


def lost_region_is_cleaned(exit_status: int, outputs: Mapping[str, Any]) -> Check:
    """`pulumi up` on the stack of a lost region that answers removes what it holds, and waits for nothing."""
    problems = [f"`pulumi up` ended with exit status {exit_status}"] if exit_status else []
    if outputs.get("waitingFor"):
        problems.append(f"it still waits for: {outputs['waitingFor']}")
    return check_of(
        "`pulumi up` on the lost region's stack cleans its cluster, which answers", problems, "done"
    )


def _leaders(topology: Topology, partition: int) -> list[str]:
    return [
        str(broker["host"])
        for broker in topology.get("brokers", [])
        for each in broker.get("partitions", ())
        if each["partitionId"] == partition and str(each["role"]).lower() == "leader"
    ]


def _longest_run(values: Iterable[bool]) -> int:
    longest = run = 0
    for value in values:
        run = run + 1 if value else 0
        longest = max(longest, run)
    return longest


def _unanswered(topologies: Sequence[Topology]) -> list[str]:
    if len(topologies) >= FEWEST_ANSWERS:
        return []
    return [f"the gateway answered {len(topologies)} times only, so nothing is proved"]
