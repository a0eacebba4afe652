"""What must hold where the cluster's configuration is changed while it runs; pure functions, as in `drill.checks.checks`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from drill.check import Check, check_of, listed
from drill.checks.checks import host_is_in
from drill.observation.pods import Pod, created_at, pod_lives, pod_name, ready_since
from drill.regions import Region

NOT_A_MEMBER = 3
"""The exit status of a broker that hears that it is no member of its cluster."""

Configuration = Mapping[str, Any]
"""The answer to GET /actuator/cluster."""


def members_are(configuration: Configuration, expected: Mapping[int, Collection[int]]) -> Check:
    """The cluster's configuration has exactly these members, each with its partitions, and nothing pends.

    :param configuration: what the gateway answers.
    :param expected: broker -> the partitions that it holds.
    """
    held = {broker["id"]: broker for broker in configuration.get("brokers", [])}
    problems = [f"broker {id_} is no member" for id_ in expected if id_ not in held]
    problems += [f"broker {id_} is a member" for id_ in held if id_ not in expected]
    for id_ in sorted(held.keys() & expected.keys()):
        broker = held[id_]
        if broker["state"] != "ACTIVE":
            problems.append(f"broker {id_} is {broker['state']}")
        states = {each["id"]: each["state"] for each in broker["partitions"]}
        if states != dict.fromkeys(expected[id_], "ACTIVE"):
            problems.append(f"broker {id_} holds {states}, not {listed(sorted(expected[id_]))}")
    if pending := configuration.get("pendingChange"):
        problems.append(f"change {pending.get('id')} pends")
    last = configuration.get("lastChange")
    if last and last.get("status") != "COMPLETED":
        problems.append(f"the last change is {last.get('status')}")
    return check_of(
        "The cluster's configuration has exactly the expected members and replicas, and no change pends",
        problems,
        f"members {listed(sorted(held))}, each with its partitions",
    )


def sizes_are(topology: Mapping[str, Any], members: int, replication_factor: int) -> Check:
    """The gateway counts the members alone, and their copies of each partition."""
    found = topology.get("clusterSize"), topology.get("replicationFactor")
    wanted = members, replication_factor
    return check_of(
        "The gateway gives the cluster's size and replication factor as its members make them",
        [] if found == wanted else [f"{found[0]} and {found[1]}, expected were {wanted}"],
        f"{members} and {replication_factor}",
    )


def outsiders_hold_nothing(topology: Mapping[str, Any], outsiders: Collection[int]) -> Check:
    """Brokers that are no members are in sight of the gateway, and hold no partition."""
    held = {broker["nodeId"]: broker.get("partitions") for broker in topology.get("brokers", [])}
    problems = [f"broker {id_} is not in sight" for id_ in outsiders if id_ not in held]
    problems += [f"broker {id_} holds {len(held[id_])}" for id_ in outsiders if held.get(id_)]
    return check_of(
        "The recreated region's brokers are in sight, and hold no partition before they are added",
        problems,
        f"brokers {listed(sorted(outsiders))}",
    )


def exporters_are(found: Mapping[str, str], expected: Mapping[str, str]) -> Check:
    """The cluster's configuration has exactly these exporters, each with its status."""
    problems = [
        f"{name} is {found.get(name)}, not {status}"
        for name, status in expected.items()
        if found.get(name) != status
    ]
    problems += [f"there is {name}, too" for name in found if name not in expected]
    said = ", ".join(f"{name} {status}" for name, status in expected.items())
    return check_of(f"In the cluster's configuration: {said}", problems, "as expected")


def pauses_are_hard(partitions_of: Mapping[str, Mapping[str, Any]]) -> Check:
    """No partition is paused in the soft way, of which releases are known that lose its position."""
    phases = {
        f"{pod}, partition {partition}": status.get("exporterPhase")
        for pod, partitions in partitions_of.items()
        for partition, status in partitions.items()
    }
    problems = [f"{place} is {phase}" for place, phase in phases.items() if phase != "PAUSED"]
    if not phases:
        problems.append("no partition was seen, so nothing is proved")
    return check_of(
        "Every pause is a hard one", problems, f"{len(phases)} replicas, each of them PAUSED"
    )


def survivor_is_untouched(
    revisions: tuple[int, int], before: Iterable[Pod], after: Iterable[Pod]
) -> Check:
    """A failover changes nothing of the survivor's release and restarts none of its brokers.

    :param revisions: of the release, by Helm's own records, before the loss and after the failover.
    :param before: its broker pods before the loss.
    :param after: the same after the failover.
    """
    was, is_now = pod_lives(before), pod_lives(after)
    problems = [f"{name} was restarted" for name in sorted(was) if was[name] != is_now.get(name)]
    problems += [f"{name} is new" for name in sorted(is_now.keys() - was.keys())]
    if not was:
        problems.append("there were no brokers, so nothing is proved")
    first, last = revisions
    if not first or first != last:
        problems.append(f"the release is of revision {last}, and was of {first}")
    return check_of(
        "The failover leaves the survivor's release as it is, and restarts none of its brokers",
        problems,
        f"revision {first}, {len(was)} brokers unchanged",
    )


def restarted_one_by_one(before: Iterable[Pod], after: Sequence[Pod], by: str) -> Check:
    """Every broker restarts where a part of it changes, each once the one before it is ready again.

    :param before: the broker pods, of both regions where both restart.
    :param after: the same later.
    :param by: what has restarted them.
    """
    was = {pod_name(pod): pod["metadata"]["uid"] for pod in before}
    new = sorted(
        (pod for pod in after if was.get(pod_name(pod)) != pod["metadata"]["uid"]),
        key=created_at,
    )
    problems = [
        f"{name} was not restarted" for name in sorted(was.keys() - {pod_name(pod) for pod in new})
    ]
    for pod, following in pairwise(new):
        ready, begun = ready_since(pod), created_at(following)
        if ready is None or ready > begun:
            problems.append(f"{pod_name(following)} began before {pod_name(pod)} was ready")
    if not was:
        problems.append("there were no brokers, so nothing is proved")
    return check_of(
        f"{by} restarts the brokers, one at a time", problems, f"{len(new)} one after the other"
    )


def removed_brokers_end(pods: Iterable[Pod]) -> Check:
    """Each removed broker that lives has ended with the status of one that is no member, and was started again."""
    problems, seen = [], 0
    for pod in pods:
        seen += 1
        for status in pod["status"].get("containerStatuses", []):
            code = (status.get("lastState", {}).get("terminated") or {}).get("exitCode")
            if code != NOT_A_MEMBER:
                problems.append(f"{pod_name(pod)} last ended with {code}")
    if not seen:
        problems.append("there are no brokers, so nothing is proved")
    return check_of(
        f"Each removed broker that lives ends with status {NOT_A_MEMBER}, and is started again",
        problems,
        f"{seen} brokers",
    )


def none_is_added_back(
    topology: Mapping[str, Any], configuration: Configuration, lost: Region
) -> Check:
    """Removed brokers that are back are no members, and hold no partition."""
    back = [
        broker
        for broker in topology.get("brokers", [])
        if host_is_in(str(broker["host"]), lost.namespace)
    ]
    problems = [
        f"broker {broker['nodeId']} holds {len(broker['partitions'])} partitions"
        for broker in back
        if broker.get("partitions")
    ]
    ids = {broker["nodeId"] for broker in back}
    problems += [
        f"broker {broker['id']} is a member"
        for broker in configuration.get("brokers", [])
        if broker["id"] in ids
    ]
    if not back:
        problems.append(f"no broker of {lost.city} is in sight, so nothing is proved")
    return check_of(
        f"Brokers of {lost.city} that come back are empty, and no members",
        problems,
        f"brokers {listed(sorted(ids))}",
    )


def passwords_are_shared(unshared: Sequence[str]) -> Check:
    """Each region's brokers are given the passwords that both search engines have now, also that of a recreated one.

    :param unshared: what of that is not so; no password is in it.
    """
    return check_of(
        "Brokers of both regions read the passwords that both search engines have now",
        list(unshared),
        "both, in each region",
    )


def passwords_are_hidden(shown: Sequence[str]) -> Check:
    """No state of a stack and no log of a run holds a search engine's password.

    :param shown: the files that do.
    """
    return check_of(
        "No stack's state and no log holds the password of a search engine",
        [f"{each} shows one" for each in shown],
        "none",
    )
