"""`dualregion status --json`: the same as plain values, for programs."""

from cli.stacks.read import RegionStack, Update
from cli.status.guidance.checkout import Behind
from cli.status.guidance.next_step import Next
from cli.status.health import Status
from cli.status.observed.observe import InstallationStatus, RegionStatus
from cli.status.observed.partitions import Partition
from cli.status.observed.results import Result
from cli.status.shown.form import (
    BrokerForm,
    InstallationForm,
    NextForm,
    PartitionForm,
    RegionForm,
    ServiceForm,
    SilentForm,
    StackForm,
    StatusForm,
    UpdateForm,
)
from messages import code_of


def document(status: Status) -> StatusForm:
    """Return the status as a JSON document."""
    return {
        "health": status.health,
        "findings": [
            {"health": each.health, "code": each.message.code, "sentence": each.message}
            for each in status.findings
        ],
        "service": _service(status),
        "phase": status.phase,
        "lostRegion": status.lost,
        "incident": None if status.incident is None else str(status.incident),
        "next": None if status.next is None else _next(status.next),
        "ahead": [
            {
                "stack": status.stacks[each.region].name,
                "step": each.step.id,
                "title": each.step.title,
            }
            for each in status.ahead
        ],
        "stacks": [_stack(each, status.behind) for each in status.stacks],
        "regions": [_region(each) for each in status.region_statuses],
        "brokers": _brokers(status),
        "partitions": [_partition(each) for each in status.partitions],
        "searchEngines": list(status.engines),
    }


def _service(status: Status) -> ServiceForm:
    found, partitions = status.service, len(status.partitions)
    return {
        "commands": {
            "state": found.commands,
            "partitions": partitions,
            "accepting": found.accepting,
            "sentence": found.commands_line,
        },
        "exporting": {
            "state": found.exporting,
            "partitions": partitions,
            "exporting": found.exporting_on,
            "sentence": found.exporting_line,
        },
        "webApps": [
            {"region": region.region, "name": region.name, "state": state}
            for region, state in zip(status.region_statuses, found.web_apps, strict=True)
        ],
    }


def _next(following: Next) -> NextForm:
    return {
        "who": following.who,
        "code": following.what.code,
        "what": following.what,
        "command": following.command,
        "dualregion": following.dualregion,
        "answers": [
            {"code": each.what.code, "what": each.what, "commands": list(each.commands)}
            for each in following.answers
        ],
    }


def _stack(stack: RegionStack, behind: Behind | None) -> StackForm:
    state = stack.state
    is_behind = behind is not None and stack.name in behind.stacks
    return {
        "name": stack.name,
        "region": stack.settings.region,
        "role": stack.settings.role,
        "phase": behind.phase if behind is not None and is_behind else stack.settings.phase,
        "behind": is_behind,
        "lastPhase": state.held.phase,
        "progress": list(state.held.gates),
        "waitingFor": state.outputs.get("waitingFor"),
        "waiting": state.outputs.get("waiting"),
        "lastUpdate": None if stack.last is None else update(stack.last),
        "locks": None if stack.locks is None else [str(each) for each in stack.locks],
        "pendingOperations": list(state.pending),
    }


def update(last: Update) -> UpdateForm:
    """Return a run of Pulumi as plain values."""
    return {
        "kind": last.kind,
        "result": last.result,
        "message": last.message,
        "start": last.start.isoformat(),
        "end": None if last.end is None else last.end.isoformat(),
    }


def _region(region_status: RegionStatus) -> RegionForm:
    return {
        "region": region_status.region,
        "name": region_status.name,
        "context": region_status.context,
        "silence": region_status.error,
        "code": code_of(region_status.error),
        "installations": {
            kind: _installation(found) for kind, found in region_status.installations.items()
        },
    }


def _installation(
    result: Result[InstallationStatus | None],
) -> InstallationForm | SilentForm | None:
    found = result.value
    if found is None:
        return {"silence": result.error, "code": code_of(result.error)} if result.error else None
    return {
        "silence": None,
        "code": None,
        "namespace": found.namespace,
        "workloads": {each.name: (each.ready, each.wanted) for each in found.workloads},
        "brokers": [
            {
                "id": each.broker,
                "pod": each.name,
                "ready": each.ready,
                "silence": each.exporting.error,
                "code": code_of(each.exporting.error),
            }
            for each in found.brokers
        ],
        "searchEngineSilence": found.records.error,
        "searchEngineCode": code_of(found.records.error),
    }


def _brokers(status: Status) -> list[BrokerForm] | None:
    if status.view.value is None:
        return None
    return [
        {
            "id": each.id,
            "host": each.host,
            "leads": [copy.partition for copy in each.replicas if copy.is_leader],
            "follows": [copy.partition for copy in each.replicas if not copy.is_leader],
        }
        for each in sorted(status.view.value.brokers, key=lambda broker: broker.id)
    ]


def _partition(each: Partition) -> PartitionForm:
    return {
        "partition": each.number,
        "leader": each.leader,
        "followers": list(each.followers),
        "missing": list(each.missing),
        "unhealthy": list(each.unhealthy),
        "exporters": list(each.phases),
        "positions": list(each.positions),
        "lag": each.lag,
    }
