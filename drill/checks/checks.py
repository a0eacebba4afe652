"""What must hold after the drill, each as one sentence with its proof.

Every check is a pure function of what was seen: it can be run on recorded answers, and made to fail.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from drill.check import Check, check_of, listed
from drill.observation.pods import pod_lives, pod_name
from drill.procedure.versions import DEFAULT_VERSION, VERSIONS
from drill.regions import ExpectedBrokers, Region


def topology_is(
    topology: Mapping[str, Any], expected: ExpectedBrokers, partition_count: int
) -> Check:
    """The gateway sees exactly the expected brokers, where they should run."""
    name = "The gateway sees exactly the expected brokers, each in its namespace"
    seen = {broker["nodeId"]: str(broker["host"]) for broker in topology.get("brokers", [])}
    problems = [f"broker {id_} is missing" for id_ in expected.ids if id_ not in seen]
    problems += [
        f"broker {id_} is unexpected ({seen[id_]})" for id_ in seen if id_ not in expected.ids
    ]
    for id_, namespace in expected.namespace_of.items():
        if id_ in seen and not host_is_in(seen[id_], namespace):
            problems.append(f"broker {id_} is at {seen[id_]}, not in namespace {namespace}")
    if topology.get("partitionsCount") != partition_count:
        problems.append(
            f"{topology.get('partitionsCount')} partitions instead of {partition_count}"
        )
    listed = ", ".join(f"{id_} at {seen[id_]}" for id_ in sorted(seen))
    return check_of(name, problems, f"{len(seen)} brokers: {listed}")


def partitions_are_led(topology: Mapping[str, Any], partition_count: int, members: int) -> Check:
    """Every partition has one leader and at least so many healthy members."""
    name = f"Every partition has a leader and at least {members} healthy members"
    leaders: dict[int, list[int]] = {}
    healthy: dict[int, int] = {}
    for broker in topology.get("brokers", []):
        for partition in broker.get("partitions", ()):
            id_ = partition["partitionId"]
            if str(partition["role"]).lower() == "leader":
                leaders.setdefault(id_, []).append(broker["nodeId"])
            if str(partition["health"]).lower() == "healthy":
                healthy[id_] = healthy.get(id_, 0) + 1
    problems = []
    for id_ in range(1, partition_count + 1):
        if len(leaders.get(id_, [])) != 1:
            problems.append(f"partition {id_} has {_count(leaders.get(id_, []), 'leader')}")
        if healthy.get(id_, 0) < members:
            problems.append(f"partition {id_} has {healthy.get(id_, 0)} healthy members")
    led = ", ".join(f"{id_} by broker {leaders[id_][0]}" for id_ in sorted(leaders))
    return check_of(name, problems, f"{partition_count} partitions, led: {led}")


def commands_accepted(partitions_seen: Collection[int], partition_count: int, since: str) -> Check:
    """Every partition has accepted a command sent after a moment that `since` names."""
    missing = sorted(set(range(1, partition_count + 1)) - set(partitions_seen))
    problems = [f"partition {id_} accepted none" for id_ in missing]
    return check_of(
        f"Commands are accepted on every partition {since}",
        problems,
        f"partitions {listed(sorted(partitions_seen))} accepted commands",
    )


def instances_kept(acknowledged: Collection[int], found: Collection[int], where: str) -> Check:
    """Every acknowledged process instance is in a search engine; none acknowledged proves nothing."""
    lost = sorted(set(acknowledged) - set(found))
    problems = []
    if not acknowledged:
        problems.append("no instance was acknowledged, so nothing is proved")
    if lost:
        problems.append(f"{len(lost)} of {len(acknowledged)} are missing, e.g. {listed(lost)}")
    return check_of(
        f"Every acknowledged process instance is in {where}",
        problems,
        f"{len(acknowledged)} acknowledged, all found",
    )


def positions_moving(moved: Collection[int], partition_count: int, since: str) -> Check:
    """The exported position of every partition has grown after a moment that `since` names."""
    missing = sorted(set(range(1, partition_count + 1)) - set(moved))
    return check_of(
        f"Exported positions move on every partition {since}",
        [f"partition {id_} stands still" for id_ in missing],
        f"partitions {listed(sorted(moved))} move",
    )


def exporters_point_at(
    broker_pods: Iterable[Mapping[str, Any]],
    namespaces_of_engines: Mapping[int, str],
    variable_of: Callable[[int], str] = VERSIONS[DEFAULT_VERSION].address_variable,
) -> Check:
    """Every broker's environment names, for each region's exporter, the engine in the given namespace.

    :param broker_pods: the brokers.
    :param namespaces_of_engines: region -> where the engine is that gets its records.
    :param variable_of: returns the variable that holds the address of the exporter of a region.
    """
    listed = " and ".join(namespaces_of_engines[region] for region in sorted(namespaces_of_engines))
    name = f"Every broker exports to the search engines of {listed}"
    problems = []
    pods = list(broker_pods)
    for pod in pods:
        environment = _environment(pod)
        for region, namespace in namespaces_of_engines.items():
            url = environment.get(variable_of(region), "nothing")
            if not re.search(rf"\.{re.escape(namespace)}\.svc\b", url):
                problems.append(f"{pod_name(pod)} exports for region {region} to {url}")
    if not pods:
        problems.append("there are no broker pods")
    return check_of(
        name,
        problems,
        f"{len(pods)} brokers",
    )


def stack_is_in(outputs: Mapping[str, Any], region: Region, phase: str, role: str) -> Check:
    """A stack's outputs name the phase and role it must have."""
    problems = [
        f"{key} is {outputs.get(key)!r} instead of {wanted!r}"
        for key, wanted in (("phase", phase), ("role", role))
        if outputs.get(key) != wanted
    ]
    return check_of(
        f"Stack {region.stack} says phase {phase}, role {role}", problems, "as expected"
    )


def steps_are_proved(outputs: Mapping[str, Any], region: Region, steps: Sequence[str]) -> Check:
    """A stack's outputs hold the record of every step, and it waits for nothing."""
    progress = list(outputs.get("progress") or [])
    recorded: Mapping[str, Any] = outputs.get("record") or {}
    problems = [f"progress lacks {step}" for step in steps if step not in progress]
    problems += [
        f"the record of {step} lacks {key}"
        for step in steps
        for key in ("start", "end", "seconds", "evidence")
        if not recorded.get(step, {}).get(key)
    ]
    if outputs.get("waitingFor"):
        problems.append(f"it still waits for: {outputs['waitingFor']}")
    return check_of(
        f"Stack {region.stack} has proved and recorded {', '.join(steps)}",
        problems,
        ", ".join(f"{step} {recorded[step]['seconds']} s" for step in steps if step in recorded),
    )


def lost_stack_waits_for_its_cluster(exit_status: int, outputs: Mapping[str, Any]) -> Check:
    """`pulumi up` on the lost region's stack ends well and waits for its cluster."""
    problems = []
    if exit_status:
        problems.append(f"`pulumi up` ended with exit status {exit_status}")
    code = (outputs.get("waiting") or {}).get("code")
    if code != "reachable":
        problems.append(
            f"`waiting` has the code {code}, not reachable: {outputs.get('waitingFor')}"
        )
    return check_of(
        "`pulumi up` on the lost region's stack succeeds and says that its cluster does not answer",
        problems,
        str(outputs.get("waitingFor")),
    )


def nothing_restarted(
    exit_status: int, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> Check:
    """A `pulumi up` with nothing to do succeeds and leaves every pod as it was."""
    was, is_now = pod_lives(before), pod_lives(after)
    problems = [f"`pulumi up` ended with exit status {exit_status}"] if exit_status else []
    problems += [
        f"{name} was restarted or replaced" for name in sorted(was) if was[name] != is_now.get(name)
    ]
    problems += [f"{name} is new" for name in sorted(is_now.keys() - was.keys())]
    if not was:
        problems.append("there are no pods, so nothing is proved")
    return check_of(
        "A `pulumi up` with nothing to do restarts no pod",
        problems,
        f"{len(was)} pods unchanged",
    )


def brokers_kept(
    before: Iterable[Mapping[str, Any]],
    after: Iterable[Mapping[str, Any]],
    by: str = "Reopening",
    none: str = "none of the survivor's brokers",
) -> Check:
    """Brokers of which nothing changes are not restarted; `by` names what leaves them alone, `none` whose they are."""
    was, is_now = pod_lives(before), pod_lives(after)
    problems = [f"{name} was restarted" for name in sorted(was) if was[name] != is_now.get(name)]
    if not was:
        problems.append("there were no brokers, so nothing is proved")
    return check_of(f"{by} restarts {none}", problems, f"{len(was)} unchanged")


def nothing_left(leftovers: Sequence[str]) -> Check:
    """After the drill no process, mount, network namespace or control group of it is left."""
    return check_of(
        "Nothing of the drill is left on the machine",
        list(leftovers),
        "no process, mount, network namespace, control group or run folder",
    )


def host_is_in(host: str, namespace: str) -> bool:
    """Return whether a broker's address, as the topology has it, is in a namespace."""
    return host.partition(":")[0].endswith((f".{namespace}.svc", f".{namespace}.svc.cluster.local"))


def _environment(pod: Mapping[str, Any]) -> dict[str, str]:
    """Return the broker container's environment: of a name that stands twice, the last one counts."""
    containers = pod["spec"]["containers"]
    return {entry["name"]: entry.get("value", "") for entry in containers[0].get("env", [])}


def _count(items: Sequence[object], noun: str) -> str:
    return f"{len(items) or 'no'} {noun}{'s' if len(items) > 1 else ''}"
