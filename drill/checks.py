"""What must hold after the drill, each as one sentence with its proof.

Every check is a pure function of what was seen: it can be run on recorded answers, and made to fail.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drill.regions import ExpectedBrokers, Region

_MOST_NAMED = 5
"""How many missing keys or pods a detail names; the report's files have them all."""

_RESOURCE_HEAD = re.compile(
    r"^\s*[-+~]*\s*(?P<type>[^\s:]+:[^\s:]+:[^\s:]+): \((?P<operation>[a-z-]+)\)", re.MULTILINE
)


@dataclass(frozen=True)
class Check:
    """A statement, whether it held, and what was seen."""

    name: str
    ok: bool
    detail: str


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
        if id_ in seen and not _host_is_in(seen[id_], namespace):
            problems.append(f"broker {id_} is at {seen[id_]}, not in namespace {namespace}")
    if topology.get("partitionsCount") != partition_count:
        problems.append(
            f"{topology.get('partitionsCount')} partitions instead of {partition_count}"
        )
    listed = ", ".join(f"{id_} at {seen[id_]}" for id_ in sorted(seen))
    return _check(name, problems, f"{len(seen)} brokers: {listed}")


def partitions_are_led(topology: Mapping[str, Any], partition_count: int, members: int) -> Check:
    """Every partition has one leader and at least so many healthy members."""
    name = f"Every partition has a leader and at least {members} healthy members"
    leaders: dict[int, list[int]] = {}
    healthy: dict[int, int] = {}
    for broker in topology.get("brokers", []):
        for partition in broker["partitions"]:
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
    return _check(name, problems, f"{partition_count} partitions, led: {led}")


def commands_accepted(partitions_seen: Collection[int], partition_count: int, since: str) -> Check:
    """Every partition has accepted a command sent after a moment that `since` names."""
    missing = sorted(set(range(1, partition_count + 1)) - set(partitions_seen))
    problems = [f"partition {id_} accepted none" for id_ in missing]
    return _check(
        f"Commands are accepted on every partition {since}",
        problems,
        f"partitions {_listed(sorted(partitions_seen))} accepted commands",
    )


def instances_kept(acknowledged: Collection[int], found: Collection[int], where: str) -> Check:
    """Every acknowledged process instance is in a search engine; none acknowledged proves nothing."""
    lost = sorted(set(acknowledged) - set(found))
    problems = []
    if not acknowledged:
        problems.append("no instance was acknowledged, so nothing is proved")
    if lost:
        problems.append(f"{len(lost)} of {len(acknowledged)} are missing, e.g. {_listed(lost)}")
    return _check(
        f"Every acknowledged process instance is in {where}",
        problems,
        f"{len(acknowledged)} acknowledged, all found",
    )


def positions_moving(moved: Collection[int], partition_count: int, since: str) -> Check:
    """The exported position of every partition has grown after a moment that `since` names."""
    missing = sorted(set(range(1, partition_count + 1)) - set(moved))
    return _check(
        f"Exported positions move on every partition {since}",
        [f"partition {id_} stands still" for id_ in missing],
        f"partitions {_listed(sorted(moved))} move",
    )


def exporters_point_at(
    broker_pods: Iterable[Mapping[str, Any]], namespaces_of_engines: Mapping[int, str]
) -> Check:
    """Every broker's environment names, for each region's exporter, the engine in the given namespace."""
    name = "Every broker exports to the survivor's and to the failover search engine"
    problems = []
    pods = list(broker_pods)
    for pod in pods:
        environment = _environment(pod)
        for region, namespace in namespaces_of_engines.items():
            variable = f"ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION{region}_ARGS_URL"
            url = environment.get(variable, "nothing")
            if not re.search(rf"\.{re.escape(namespace)}\.svc\b", url):
                problems.append(f"{_pod_name(pod)} exports for region {region} to {url}")
    if not pods:
        problems.append("there are no broker pods")
    return _check(
        name,
        problems,
        f"{len(pods)} brokers, engines in {_listed(sorted(namespaces_of_engines.values()))}",
    )


def stack_says(outputs: Mapping[str, Any], region: Region, phase: str, role: str) -> Check:
    """A stack's outputs name the phase and role it must have."""
    problems = [
        f"{key} is {outputs.get(key)!r} instead of {wanted!r}"
        for key, wanted in (("phase", phase), ("role", role))
        if outputs.get(key) != wanted
    ]
    return _check(f"Stack {region.stack} says phase {phase}, role {role}", problems, "as expected")


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
    return _check(
        f"Stack {region.stack} has proved and recorded {', '.join(steps)}",
        problems,
        ", ".join(f"{step} {recorded[step]['seconds']} s" for step in steps if step in recorded),
    )


def lost_stack_is_no_dead_end(exit_status: int, output: str, outputs: Mapping[str, Any]) -> Check:
    """`pulumi up` on the lost region's stack ends well and says that its cluster does not answer."""
    problems = []
    if exit_status:
        problems.append(f"`pulumi up` ended with exit status {exit_status}")
    said = [text for text in (output, str(outputs.get("waitingFor"))) if "does not answer" in text]
    if not said:
        problems.append("neither its output nor `waitingFor` says that the cluster does not answer")
    return _check(
        "`pulumi up` on the lost region's stack succeeds and says that its cluster does not answer",
        problems,
        str(outputs.get("waitingFor") or "said in the output"),
    )


def healthy_region_is_refused(exit_status: int, output: str) -> Check:
    """A preview that calls a living region lost is refused, with the reason (swapped regions)."""
    problems = []
    if exit_status == 0:
        problems.append("the preview of a failover of a living region succeeded")
    if "that region is not lost" not in output:
        problems.append("the refusal does not say that the region is not lost")
    return _check(
        "A failover of a region that lives is refused before anything changes",
        problems,
        "refused: its brokers are still in the topology",
    )


def preview_shows(preview: str, region: Region, steps: Sequence[str]) -> Check:
    """The preview before the failover shows namespace, gates and release values to come.

    `preview` is the text of `pulumi preview --diff`.
    """
    namespace = region.failover_namespace
    wanted = {
        f"namespace {namespace}": ("core/v1:Namespace", "create", f'"{namespace}"'),
        "release with installation type failOver": ("helm.sh/v3:Release", "create", '"failOver"'),
        "exporters' new address in the survivor's release": (
            "helm.sh/v3:Release",
            "update",
            f".{namespace}.svc",
        ),
    } | {
        f"gate {step}": ("core/v1:ConfigMap", "create", f'"dual-region-{step.lower()}"')
        for step in steps
    }
    changes = _previewed_changes(preview)
    problems = [
        f"it lacks: {what}"
        for what, (type_, operation, text) in wanted.items()
        if not any(
            kind.endswith(type_) and done == operation and text in body
            for kind, done, body in changes
        )
    ]
    return _check(
        "The preview before the failover shows gates, namespace and release values to come",
        problems,
        f"{len(changes)} changes, among them {', '.join(wanted)}",
    )


def no_change(exit_status: int, seconds: float) -> Check:
    """A preview right after the failover has nothing to change."""
    problems = (
        []
        if exit_status == 0
        else [f"`pulumi preview --expect-no-changes` ended with {exit_status}"]
    )
    return _check(
        "A preview after the failover shows no change",
        problems,
        f"no change, said in {seconds:.1f} s",
    )


def nothing_restarted(
    exit_status: int, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> Check:
    """A `pulumi up` with nothing to do succeeds and leaves every pod as it was."""
    was, is_now = _pod_lives(before), _pod_lives(after)
    problems = [f"`pulumi up` ended with exit status {exit_status}"] if exit_status else []
    problems += [
        f"{name} was restarted or replaced" for name in sorted(was) if was[name] != is_now.get(name)
    ]
    problems += [f"{name} is new" for name in sorted(is_now.keys() - was.keys())]
    if not was:
        problems.append("there are no pods, so nothing is proved")
    return _check(
        "A `pulumi up` with nothing to do restarts no pod",
        problems,
        f"{len(was)} pods unchanged",
    )


def nothing_left(leftovers: Sequence[str]) -> Check:
    """After the drill no process, mount, network namespace or control group of it is left."""
    return _check(
        "Nothing of the drill is left on the machine",
        list(leftovers),
        "no process, mount, network namespace, control group or run folder",
    )


def _previewed_changes(preview: str) -> list[tuple[str, str, str]]:
    """Return type, operation and text of each resource that a preview's diff shows."""
    heads = list(_RESOURCE_HEAD.finditer(preview))
    ends = [head.start() for head in heads[1:]] + [len(preview)]
    return [
        (head["type"], head["operation"], preview[head.end() : end])
        for head, end in zip(heads, ends, strict=True)
    ]


def _check(name: str, problems: Sequence[str], detail: str) -> Check:
    return Check(name, not problems, "; ".join(problems) if problems else detail)


def _host_is_in(host: str, namespace: str) -> bool:
    return host.partition(":")[0].endswith((f".{namespace}.svc", f".{namespace}.svc.cluster.local"))


def _environment(pod: Mapping[str, Any]) -> dict[str, str]:
    """Return the broker container's environment: of a name that stands twice, the last one counts."""
    containers = pod["spec"]["containers"]
    return {entry["name"]: entry.get("value", "") for entry in containers[0].get("env", [])}


def _pod_lives(pods: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, int]]:
    """Return for each pod what changes when it is restarted or replaced: uid and restart count."""
    return {
        _pod_name(pod): (
            pod["metadata"]["uid"],
            sum(each["restartCount"] for each in pod["status"].get("containerStatuses", [])),
        )
        for pod in pods
    }


def _pod_name(pod: Mapping[str, Any]) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _listed(items: Sequence[object]) -> str:
    more = f" and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""
    return ", ".join(str(item) for item in items[:_MOST_NAMED]) + more


def _count(items: Sequence[object], noun: str) -> str:
    return f"{len(items) or 'no'} {noun}{'s' if len(items) > 1 else ''}"
