"""What a status, and the checks of a preflight, are as values of metrics. Pure.

What is unknown has no value: a monitor must never take it for a good one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from cli.check import Check, Outcome
from cli.estimate import Estimate, Held
from cli.metrics import families
from cli.metrics.families import Sample
from cli.stacks.read import RegionStack
from cli.status.health import Health, Status
from cli.status.observed.observe import RegionStatus
from cli.status.observed.partitions import Partition
from dualregion.observed.zeebe_answers import RUNNING
from dualregion.procedure import Phase
from messages import Message


def of_status(status: Status) -> Iterator[Sample]:
    """Yield what a status has found."""
    yield from families.HEALTH.states(Health, status.health)
    yield from families.PHASE.states(Phase, status.phase)
    findings = Counter((each.health, each.message.code) for each in status.findings)
    for (health, code), count in findings.items():
        yield families.FINDINGS.at(count, health, code)
    yield families.STEPS_AHEAD.at(len(status.ahead))
    for region in status.region_statuses:
        yield families.REGION_LOST.at(region.region == status.lost, region.name)
        yield from _of_region(region)
    if status.view.value is not None:
        yield families.BROKERS_SEEN.at(len(status.view.value.brokers))
        for partition in status.partitions:
            yield from _of_view(partition)
    for partition in status.partitions:
        yield from _of_exporting(partition)
    for stack in status.stacks:
        yield from _of_stack(stack)


def of_silence() -> Iterator[Sample]:
    """Yield what is to be told if a status could not even be had: of all else nothing is known."""
    return families.HEALTH.states(Health, Health.CANNOT_TELL)


def of_checks(procedure: str, found: Sequence[Check]) -> Iterator[Sample]:
    """Yield what the checks of a preflight have found.

    :param procedure: what is to follow, `failover` or `failback`.
    """
    counts = Counter(each.outcome for each in found)
    for outcome in Outcome:
        yield families.CHECKS.at(counts[outcome], procedure, outcome)
    for (code, of), outcome in _worst(found).items():
        yield from families.CHECK.states(Outcome, outcome, procedure, code, of)


def of_estimate(found: Estimate, held: Held | None) -> Iterator[Sample]:
    """Yield how long a recovery would take, and what there is to copy."""
    seconds = {
        "failover-commands": found.commands,
        "failover": found.failover,
        "failback-paused": found.paused,
        "failback": found.failback,
    }
    for what, each in seconds.items():
        if each is not None:
            yield families.ESTIMATE.at(each, what)
    if held is not None:
        yield families.TO_COPY_BYTES.at(held.bytes)
        yield families.TO_COPY_DOCUMENTS.at(held.documents)


def _worst(found: Iterable[Check]) -> dict[tuple[str, str], Outcome]:
    """Return the outcome of each check, by its code and what it is of; of two that share both the worse one."""
    gravity = (Outcome.OK, Outcome.UNKNOWN, Outcome.FAILED)
    worst: dict[tuple[str, str], Outcome] = {}
    for each in found:
        key = (each.code, _subject(each.name))
        worst[key] = max(worst.get(key, Outcome.OK), each.outcome, key=gravity.index)
    return worst


def _subject(name: Message) -> str:
    """Return what a check is of: its region, stack or hook; empty for one of the whole."""
    return " ".join(str(fact) for fact in name.facts.values())


def _of_region(region: RegionStatus) -> Iterator[Sample]:
    yield families.REGION_ANSWERS.at(region.error is None, region.name)
    for each in region.seen:
        for workload in each.workloads:
            labels = (region.name, each.kind, workload.name)
            yield families.PODS_READY.at(workload.ready, *labels)
            yield families.PODS_WANTED.at(workload.wanted, *labels)


def _of_view(partition: Partition) -> Iterator[Sample]:
    number = str(partition.number)
    yield families.LEADER.at(partition.leader is not None, number)
    yield families.MISSING.at(len(partition.missing), number)
    yield families.UNHEALTHY.at(len(partition.unhealthy), number)


def _of_exporting(partition: Partition) -> Iterator[Sample]:
    number = str(partition.number)
    if partition.phases:
        yield families.EXPORTING.at(set(partition.phases) == {RUNNING}, number)
    if partition.lag is not None:
        yield families.LAG.at(partition.lag, number)


def _of_stack(stack: RegionStack) -> Iterator[Sample]:
    if stack.locks is not None:
        yield families.LOCKED.at(bool(stack.locks), stack.name)
    yield families.PENDING.at(len(stack.state.pending), stack.name)
    if stack.last is not None:
        yield families.UPDATE_TIME.at(stack.last.start.timestamp(), stack.name)
        yield families.UPDATE_FAILED.at(stack.last.result == "failed", stack.name)
