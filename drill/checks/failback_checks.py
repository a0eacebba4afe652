"""What must hold during and after the failback; pure functions of what was seen, as in `drill.checks.checks`."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from drill.check import Check, check_of, listed
from drill.observation.cluster import is_paused
from drill.observation.records import partition_of
from drill.observation.web_apps import WebApps
from drill.regions import Region


def waits_its_turn(exit_status: int, outputs: Mapping[str, Any], installed: Sequence[str]) -> Check:
    """A `pulumi up` on a recreated region's stack before its turn succeeds, installs nothing and says why.

    `installed` is what the region's namespace holds afterwards; the namespace itself may come with the rights.
    """
    problems = [f"`pulumi up` ended with exit status {exit_status}"] if exit_status else []
    if installed:
        problems.append(f"there is {listed(installed)}")
    if not outputs.get("waitingFor"):
        problems.append("it does not say what it waits for")
    return check_of(
        "A `pulumi up` on the recreated region's stack before its turn installs nothing and says why",
        problems,
        str(outputs.get("waitingFor")),
    )


def exporters_run(
    partitions_of: Mapping[str, Mapping[str, Any]], broker_count: int, partition_count: int
) -> Check:
    """No broker has an exporter paused, and the leader of every partition exports.

    :param partitions_of: what each broker answers of its partitions, by its pod's name.
    :param broker_count: how many brokers there must be.
    :param partition_count: how many partitions there are.
    """
    problems = _all_answered(partitions_of, broker_count)
    exporting = set()
    for pod, partitions in partitions_of.items():
        for partition, status in partitions.items():
            phase = status.get("exporterPhase")
            if is_paused(phase):
                problems.append(f"{pod} has partition {partition} {phase}")
            elif str(status.get("role")).lower() == "leader" and phase == "EXPORTING":
                exporting.add(int(partition))
    missing = sorted(set(range(1, partition_count + 1)) - exporting)
    problems += [f"no leader exports partition {partition}" for partition in missing]
    return check_of(
        "No exporter is paused, and the leader of every partition exports",
        problems,
        f"{len(partitions_of)} brokers, {partition_count} partitions",
    )


def exporters_are_paused(
    partitions_of: Mapping[str, Mapping[str, Any]], broker_count: int
) -> Check:
    """Every partition of every broker has its exporters paused; arguments as of `exporters_run`."""
    problems = _all_answered(partitions_of, broker_count)
    for pod, partitions in partitions_of.items():
        problems += [
            f"{pod} has partition {partition} {status.get('exporterPhase')}"
            for partition, status in partitions.items()
            if not is_paused(status.get("exporterPhase"))
        ]
        if not partitions:
            problems.append(f"{pod} has no partition")
    return check_of(
        "Exporters are paused on every partition of every broker",
        problems,
        f"{len(partitions_of)} brokers",
    )


def gap_is_refused(exit_status: int, output: str) -> Check:
    """A `pulumi up` that finds the copy short of records fails, with the reason and how to continue."""
    wanted = {
        "what the copy lacks": "differ: index zeebe-record"
        if "differ: index" in output
        else "does not hold every record that the failover one does",
        "that exporters are paused": "EXPORTERS ARE PAUSED",
        "how to go on": "back out and begin the failback again",
    }
    problems = [] if exit_status else ["`pulumi up` succeeded"]
    problems += [f"it does not say {what}" for what, text in wanted.items() if text not in output]
    return check_of(
        "A copy that lacks records which were flushed late is refused, and exporting not resumed",
        problems,
        "refused, with the way on",
    )


def web_apps_ready(seen: Mapping[str, WebApps]) -> Check:
    """Operate and Tasklist are ready in each namespace: namespace -> how they stand there."""
    problems = [f"{namespace}: {each}" for namespace, apps in seen.items() for each in apps.missing]
    return check_of(f"Operate and Tasklist are ready in {' and '.join(seen)}", problems, "ready")


def web_apps_off(seen: Mapping[str, WebApps]) -> Check:
    """Neither Operate nor Tasklist runs in any namespace: namespace -> how they stand there."""
    problems = [
        f"{each} in {namespace}" for namespace, apps in seen.items() for each in apps.running
    ]
    return check_of("Operate and Tasklist are off in both regions", problems, "off")


def nothing_is_left(
    namespace: str, namespaces: Sequence[str], claims: Sequence[str], volumes: Sequence[str]
) -> Check:
    """Of an installation no namespace, claim or volume is left in its cluster.

    :param namespace: where it was.
    :param namespaces: those of the cluster.
    :param claims: those of its namespace.
    :param volumes: those made for claims of it.
    """
    problems = [f"namespace {namespace}"] if namespace in namespaces else []
    problems += [f"claim {each}" for each in claims] + [f"volume {each}" for each in volumes]
    return check_of(
        f"Nothing is left of {namespace}: no namespace, claim or volume",
        problems,
        "nothing is left",
    )


def history_holds(
    outputs: Mapping[str, Any], region: Region, incident: str, steps: Sequence[str]
) -> Check:
    """A stack's history still has every step of an incident that it took, with what was seen."""
    kept: Mapping[str, Any] = (outputs.get("history") or {}).get(incident) or {}
    problems = [f"it lacks {step}" for step in steps if step not in kept]
    problems += [
        f"{step} lacks {key}"
        for step in steps
        for key in ("start", "end", "evidence")
        if step in kept and not kept[step].get(key)
    ]
    return check_of(
        f"The history of stack {region.stack} holds {', '.join(steps)} of incident {incident}",
        problems,
        f"{len(kept)} steps",
    )


def incident_is_new(region: Region, incident: str, former: Collection[str]) -> Check:
    """A stack calls an incident by a name that no former one had: what was proved then counts no more."""
    problems = [f"an earlier incident is called {incident} too"] if incident in former else []
    if not incident or incident == "none":
        problems.append(f"its outputs name the incident {incident!r}")
    return check_of(
        f"Stack {region.stack} gives the incident a name of its own", problems, incident
    )


def records_are_complete(known: Collection[str], held: Mapping[str, Sequence[str]]) -> Check:
    """Every exported record that was ever seen is in each search engine, once.

    :param known: the ids of all records seen in any engine, now or earlier in the drill.
    :param held: the ids in each engine, one for each document: name of the engine -> ids.
    """
    problems = [] if known else ["no record was read, so nothing is proved"]
    for engine, ids in held.items():
        missing = sorted(set(known) - set(ids))
        if missing:
            by_partition = sorted(Counter(map(partition_of, missing)).items())
            partitions = ", ".join(f"partition {id_}: {count}" for id_, count in by_partition)
            problems.append(
                f"{len(missing)} of {len(known)} are missing in {engine} ({partitions}), "
                f"e.g. {listed(missing)}"
            )
        twice = len(ids) - len(set(ids))
        if twice:
            problems.append(f"{twice} stand twice in {engine}")
    return check_of(
        "Every exported record is in both search engines, no position is missing",
        problems,
        f"{len(known)} records, the same in {' and '.join(held)}",
    )


def _all_answered(partitions_of: Collection[str], broker_count: int) -> list[str]:
    count = len(partitions_of)
    return [] if count == broker_count else [f"{count} of {broker_count} brokers answered"]
