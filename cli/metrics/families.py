"""The metrics: their names, which never change, what they mean, and their labels. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "dualregion_"
COMMON = ("project", "stacks")
"""The labels of every metric: a machine may look at several installations."""


@dataclass(frozen=True)
class Metric:
    """A metric.

    :ivar name: without the prefix.
    :ivar text: what its value means, with its unit.
    :ivar labels: besides those of every metric.
    """

    name: str
    text: str
    labels: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """Its name for Prometheus."""
        return PREFIX + self.name

    def at(self, value: float, *labels: str) -> "Sample":
        """Return a value of it, with its own labels in their order."""
        return Sample(self, labels, float(value))

    def states(self, states: Iterable[str], now: str, *labels: str) -> Iterator["Sample"]:
        """Yield 1 for the state that is the case and 0 for each other one; the state is the last label."""
        return (self.at(state == now, *labels, str(state)) for state in states)


@dataclass(frozen=True)
class Sample:
    """A value of a metric."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


class Command(StrEnum):
    """The commands that write metrics."""

    STATUS = "status"
    PREFLIGHT = "preflight"


_COMMAND, _REGION, _STACK, _PARTITION = ("command",), ("region",), ("stack",), ("partition",)
_WORKLOAD = ("region", "installation", "workload")

RUN_TIME = Metric("run_timestamp_seconds", "when the command looked, in Unix time", _COMMAND)
RUN_SECONDS = Metric("run_duration_seconds", "how long it took", _COMMAND)
RUN_EXIT = Metric("run_exit_status", "its exit status", _COMMAND)
RUN_VERSION = Metric("run_info", "1; which version looked", ("command", "version"))

HEALTH = Metric("health", "1 for the health that is the case, 0 for each other one", ("health",))
PHASE = Metric("phase", "1 for the phase that is wanted, 0 for each other one", ("phase",))
FINDINGS = Metric(
    "findings",
    "how many findings of a code `status` has, by what they amount to",
    ("health", "code"),
)
STEPS_AHEAD = Metric("steps_ahead", "how many steps of the phase are ahead")
REGION_LOST = Metric(
    "region_lost", "1 for the region that is called lost, 0 for the other", _REGION
)
REGION_ANSWERS = Metric("region_answers", "1 if the region's API server answers, else 0", _REGION)
PODS_READY = Metric("pods_ready", "how many pods of a workload are ready", _WORKLOAD)
PODS_WANTED = Metric("pods_wanted", "how many it is to have", _WORKLOAD)
BROKERS_SEEN = Metric(
    "brokers_seen", "how many brokers the gateway sees; missing while no gateway answers"
)
LEADER = Metric("partition_has_leader", "1 if the partition has a leader, else 0", _PARTITION)
MISSING = Metric("partition_replicas_missing", "how many of its replicas are not seen", _PARTITION)
UNHEALTHY = Metric(
    "partition_replicas_unhealthy", "how many of its replicas are not healthy", _PARTITION
)
EXPORTING = Metric(
    "partition_exporting",
    "1 if all of its replicas that were asked export, 0 if some are paused; missing if none answers",
    _PARTITION,
)
LAG = Metric(
    "partition_lag_positions",
    "by how many positions one search engine is behind the other; missing if that is unknown",
    _PARTITION,
)
LOCKED = Metric(
    "stack_locked",
    "1 if a run holds the stack, else 0; missing if the backend does not show it",
    _STACK,
)
PENDING = Metric(
    "stack_pending_operations", "how many operations a killed run has left in the state", _STACK
)
UPDATE_TIME = Metric(
    "stack_last_update_timestamp_seconds", "when the last run of Pulumi began, in Unix time", _STACK
)
UPDATE_FAILED = Metric("stack_last_update_failed", "1 if that run has failed, else 0", _STACK)

CHECK = Metric(
    "preflight_check",
    "1 for the outcome of a check, 0 for each other one; `of` is its region, stack or hook",
    ("procedure", "check", "of", "outcome"),
)
ESTIMATE = Metric(
    "recovery_estimate_seconds",
    "how long it would take; `what` is failover-commands (until commands are accepted), failover, failback-paused "
    "(exporters stand still) or failback; missing if that is unknown",
    ("what",),
)
TO_COPY_BYTES = Metric("to_copy_bytes", "how much a failback would copy; missing if unknown")
TO_COPY_DOCUMENTS = Metric("to_copy_documents", "how many documents that is; missing if unknown")
CHECKS = Metric("preflight_checks", "how many checks have an outcome", ("procedure", "outcome"))

OF_RUNS = (RUN_TIME, RUN_SECONDS, RUN_EXIT, RUN_VERSION)
OF_STATUS = (
    *(HEALTH, PHASE, FINDINGS, STEPS_AHEAD, REGION_LOST, REGION_ANSWERS, PODS_READY, PODS_WANTED),
    *(BROKERS_SEEN, LEADER, MISSING, UNHEALTHY, EXPORTING, LAG),
    *(LOCKED, PENDING, UPDATE_TIME, UPDATE_FAILED),
)
OF_PREFLIGHT = (CHECK, CHECKS, ESTIMATE, TO_COPY_BYTES, TO_COPY_DOCUMENTS)
