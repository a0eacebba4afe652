"""The cluster's dynamic configuration and its management API (Camunda 8.6 to 8.10), in memory.

It behaves as the real one does where the program relies on it: members apart from brokers that only run, changes that are
accepted first and carried out later by the broker that each operation names, one at a time, refusals by 400, 409, 502 and
504, pauses whose refusal hides behind HTTP 200, and, from 8.10 on, pauses that are changes themselves.

Time passes with each request. What a test wants to go wrong it says beforehand.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from dualregion import brokers
from tests.fakes.kubernetes import Document, Reply

ACCEPTED = Reply(200, {"body": None, "status": 204, "contentType": None})
"""What the gateway says to a pause that it carries out."""
_NEVER = "0000-01-01T00:00:00Z"
_FORCED, _REMOVE = "PARTITION_FORCE_RECONFIGURE", "BROKER_REMOVE"
_ADD, _JOIN, _PRIORITY = "BROKER_ADD", "PARTITION_JOIN", "PARTITION_RECONFIGURE_PRIORITY"
_ENABLE, _DISABLE = "PARTITION_ENABLE_EXPORTER", "PARTITION_DISABLE_EXPORTER"
_EXPORTING = "EXPORTING_STATE_CHANGE"


@dataclass
class FakeReplica:
    """A replica in the configuration; `phase` is what its broker says of its exporters."""

    priority: int
    exporters: dict[str, str]
    state: str = "ACTIVE"
    phase: str = "EXPORTING"


class Refusal(Exception):
    """A request that is not accepted."""

    def __init__(self, status: int, message: str) -> None:
        self.reply = Reply(status, {"message": message})
        super().__init__(message)


@dataclass
class FakeManagement:
    """The configuration of one cluster, whichever gateway is asked.

    :ivar runs: returns the ids of the brokers that run and are in sight.
    :ivar looks: with how many requests an operation is carried out.
    :ivar stuck: whether no operation is carried out.
    :ivar silence: what is answered while the coordinator is lost.
    :ivar swallow: the answers to changes that are carried out all the same.
    :ivar deny: the answers to changes that are not carried out.
    :ivar ends_as: how a change ends that is carried out.
    :ivar refusals: the answers to a pause or resumption before it is obeyed.
    :ivar deaf: the brokers that no pause reaches.
    :ivar initialized: where each exporter that was enabled began.
    :ivar calls: what was asked that changes something, in order.
    """

    version: str
    size: int
    exporters: Sequence[str]
    runs: Callable[[], Collection[int]]
    factor: int = 4
    looks: int = 2
    stuck: bool = False
    silence: int = 502
    swallow: list[Reply] = field(default_factory=list)
    deny: list[Reply] = field(default_factory=list)
    ends_as: str = "COMPLETED"
    refusals: list[Reply] = field(default_factory=list)
    deaf: set[int] = field(default_factory=set)
    initialized: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    members: dict[int, dict[int, FakeReplica]] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    number: int = 1
    last: Document | None = None
    pending: list[Document] = field(default_factory=list)
    done: list[Document] = field(default_factory=list)
    change: int = 0
    lock: Any = field(default_factory=RLock)
    _age: int = 0

    def __post_init__(self) -> None:
        for broker in range(self.size):
            self.members[broker], self.states[broker] = {}, "ACTIVE"
        for partition in self.partitions:
            for broker, priority in self._spread(partition, range(self.size), self.factor).items():
                enabled = dict.fromkeys(self.exporters, "ENABLED")
                self.members[broker][partition] = FakeReplica(priority, enabled)

    @property
    def partitions(self) -> range:
        return range(1, self.size + 1)

    @property
    def minor(self) -> int:
        return int(self.version.partition(".")[2])

    @property
    def is_over(self) -> bool:
        """Whether no change is under way."""
        return not self.pending

    def holders(self, partition: int) -> list[int]:
        """Return the members with a replica of a partition."""
        return [broker for broker, held in self.members.items() if partition in held]

    def set_exporter(self, exporter: str, state: str, members: Iterable[int] | None = None) -> None:
        """Let an exporter be in a state on all replicas, or on those of some members."""
        for broker in self.members if members is None else members:
            for replica in self.members[broker].values():
                replica.exporters[exporter] = state

    def say_phase(self, phase: str) -> None:
        """Let every replica of every member be in a phase of exporting."""
        for held in self.members.values():
            for replica in held.values():
                replica.phase = phase

    def keep(self, kept: Iterable[int]) -> None:
        """Leave only these members, as after a removal that is long over."""
        self.members = {each: self.members[each] for each in sorted(kept)}
        self.states = dict.fromkeys(self.members, "ACTIVE")

    # --- Time

    def tick(self) -> None:
        """Let time pass: the next operation is carried out, if its broker runs."""
        self._age += 1
        if not self.pending or self.stuck or self._age < self.looks:
            return
        operation = self.pending[0]
        if operation["brokerId"] not in self.runs():
            return
        self._age = 0
        self.done.append(self.pending.pop(0))
        self._finish(operation)
        if self.pending:
            self._begin(self.pending[0])
        else:
            self._end(self.ends_as)

    def cancel(self) -> None:
        """End the change that is under way as it stands."""
        self._end("CANCELLED")

    def _end(self, status: str) -> None:
        self.last = {
            "id": self.change,
            "status": status,
            "startedAt": _NEVER,
            "completedAt": _NEVER,
        }
        self.pending, self.done = [], []
        self.number += 1
        for broker in [each for each, state in self.states.items() if state == "LEFT"]:
            del self.members[broker], self.states[broker]

    def _begin(self, operation: Document) -> None:
        broker, partition = operation["brokerId"], operation.get("partitionId", 0)
        if operation["operation"] == _ADD:
            self.members.setdefault(broker, {})
            self.states[broker] = "JOINING"
        if operation["operation"] == _JOIN:
            pattern = next(self.members[each][partition] for each in self.holders(partition))
            phase = pattern.phase if self.minor >= 10 else "EXPORTING"
            self.members[broker][partition] = FakeReplica(
                operation["priority"], dict(pattern.exporters), "JOINING", phase
            )

    def _finish(self, operation: Document) -> None:
        broker, partition = operation["brokerId"], operation.get("partitionId", 0)
        match operation["operation"]:
            case "BROKER_ADD":
                self.states[broker] = "ACTIVE"
            case "BROKER_REMOVE":
                self.states[operation["brokers"][0]] = "LEFT"
            case "PARTITION_FORCE_RECONFIGURE":
                for each in self.holders(partition):
                    if each not in operation["brokers"]:
                        del self.members[each][partition]
            case "EXPORTING_STATE_CHANGE":
                for replica in self.members[broker].values():
                    replica.phase = operation["exportingState"]
            case kind:
                self._change_replica(kind, self.members[broker][partition], operation)

    def _change_replica(self, kind: str, replica: FakeReplica, operation: Document) -> None:
        if kind == _JOIN:
            replica.state = "ACTIVE"
        elif kind == _PRIORITY:
            replica.priority = operation["priority"]
        else:
            enabled = kind == _ENABLE
            replica.exporters[operation["exporterId"]] = "ENABLED" if enabled else "DISABLED"

    # --- The API

    def answer(
        self, method: str, path: str, query: Mapping[str, list[str]], body: Any
    ) -> Reply | None:
        """Answer a call of a gateway's management port; None for a path that it does not know."""
        flags = {name: values[-1] for name, values in query.items()}
        with self.lock:
            self.tick()
            if method != "GET" and flags.get("dryRun") != "true":
                self.calls.append(f"{method} {path}")
            try:
                return self._answer(method, path, flags, body)
            except Refusal as refusal:
                return refusal.reply

    def _answer(self, method: str, path: str, flags: Mapping[str, str], body: Any) -> Reply | None:
        match method, path.strip("/").split("/"):
            case "GET", ["actuator", "cluster"]:
                self._ask_coordinator(self.members)
                return Reply(200, self.document())
            case "GET", ["actuator", "exporters"]:
                self._ask_coordinator(self.members)
                return Reply(200, self._exporters())
            case "POST", ["actuator", "cluster", "brokers"]:
                return self._brokers([int(each) for each in body], flags)
            case "PATCH", ["actuator", "cluster"] if self.minor >= 8:
                return self._patch(body, flags)
            case "POST", ["actuator", "exporters", exporter, "enable" | "disable" as order]:
                return self._switch(exporter, order, body)
            case "POST", ["actuator", "exporting", "pause" | "resume" as order]:
                return self._order("PAUSED" if order == "pause" else "EXPORTING")
        return None

    def _ask_coordinator(self, members: Iterable[int]) -> int:
        coordinator = min(members)
        if coordinator not in self.runs():
            raise Refusal(self.silence, f"the coordinator, broker {coordinator}, is not known")
        return coordinator

    def _brokers(self, ids: list[int], flags: Mapping[str, str]) -> Reply:
        if flags.get("force") == "true":
            return self._force(ids, flags)
        return self._scale(ids, int(flags.get("replicationFactor", self.factor)), flags)

    def _patch(self, body: Document, flags: Mapping[str, str]) -> Reply:
        named = body.get("brokers", {})
        add, remove = named.get("add", []), named.get("remove", [])
        if flags.get("force") != "true":
            members = [each for each in {*self.members, *add} if each not in remove]
            factor = body.get("partitions", {}).get("replicationFactor", self.factor)
            return self._scale(members, factor, flags)
        if add or "partitions" in body or not remove:
            raise Refusal(400, "Must provide a set of brokers to force remove, and nothing else.")
        return self._force([each for each in self.members if each not in remove], flags)

    def _force(self, kept: list[int], flags: Mapping[str, str]) -> Reply:
        own = self._ask_coordinator(kept)
        strange = [each for each in kept if each not in self.members]
        if strange:
            raise Refusal(400, f"Expected to force configure while retaining broker '{strange[0]}'")
        planned: list[Document] = []
        for partition in self.partitions:
            holders = [each for each in sorted(self.holders(partition)) if each in kept]
            if not holders:
                raise Refusal(400, f"partitions '[{partition}]' having no replicas")
            planned.append(_operation(_FORCED, holders[0], partition, brokers=holders))
        planned += [
            _operation(_REMOVE, own, brokers=[each]) for each in self.members if each not in kept
        ]
        return self._plan(planned, flags)

    def _scale(self, wanted: Iterable[int], factor: int, flags: Mapping[str, str]) -> Reply:
        self._ask_coordinator(self.members)
        members = sorted(set(wanted))
        if len(members) < factor:
            raise Refusal(400, f"Number of brokers [{len(members)}] is less than [{factor}]")
        planned = [_operation(_ADD, each) for each in members if each not in self.members]
        for partition in self.partitions:
            goal = self._spread(partition, members, factor)
            held = self.holders(partition)
            planned += [
                _operation(_JOIN, each, partition, priority=priority)
                for each, priority in goal.items()
                if each not in held
            ]
            planned += [
                _operation(_PRIORITY, each, partition, priority=priority)
                for each, priority in goal.items()
                if each in held and self.members[each][partition].priority != priority
            ]
        return self._plan(planned, flags)

    def _switch(self, exporter: str, order: str, body: Any) -> Reply:
        self._ask_coordinator(self.members)
        known = [replica for held in self.members.values() for replica in held.values()]
        if any(exporter not in replica.exporters for replica in known):
            raise Refusal(400, f"exporter {exporter} is not known")
        if order == "enable":
            source = (body or {}).get("initializeFrom", "")
            if any(replica.exporters[exporter] == "ENABLED" for replica in known):
                raise Refusal(400, f"exporter {exporter} is enabled already")
            if source and any(replica.exporters.get(source) != "ENABLED" for replica in known):
                raise Refusal(400, f"exporter {source} is not enabled")
            self.initialized[exporter] = source
        kind = _ENABLE if order == "enable" else _DISABLE
        planned = [
            _operation(kind, broker, partition, exporterId=exporter)
            for broker, held in sorted(self.members.items())
            for partition in sorted(held)
        ]
        return self._plan(planned, {})

    def _order(self, phase: str) -> Reply:
        if self.refusals:
            return self.refusals.pop(0)
        counts = {len([b for b in self.holders(p) if b in self.runs()]) for p in self.partitions}
        if len(counts) > 1 or any(broker not in self.runs() for broker in self.members):
            return _in_body("Expected 4 members of partition 1 but found 3")
        if self.minor < 10:
            for broker in self.members.keys() - self.deaf:
                for replica in self.members[broker].values():
                    replica.phase = phase
            return ACCEPTED
        if self.pending:
            return _in_body("Another configuration change is in progress")
        planned = [
            _operation(_EXPORTING, broker, exportingState=phase)
            for broker, held in sorted(self.members.items())
            if any(each.phase != phase for each in held.values())
        ]
        self._plan(planned, {})
        # The gateway answers when it is over.
        for _ in range(len(planned) * self.looks):
            self.tick()
        return _in_body("the change is not over") if self.pending else ACCEPTED

    def _plan(self, planned: list[Document], flags: Mapping[str, str]) -> Reply:
        """Accept a change; what it would lead to is tried on a copy."""
        if planned and self.pending:
            raise Refusal(409, f"Another configuration change [{self.change}] is in progress.")
        ahead = deepcopy(self, {id(each): each for each in (self.runs, self.lock)})
        before = ahead._brokers_shown()
        ahead._carry_out(planned)
        answer = {
            "changeId": self.change if not planned else self.number + 1,
            "currentTopology": before,
            "plannedChanges": planned,
            "expectedTopology": ahead._brokers_shown(),
        }
        is_real = flags.get("dryRun") != "true"
        if self.deny and is_real:
            return self.deny.pop(0)
        if planned and is_real:
            self.number += 1
            self.change, self.pending, self._age = self.number, planned, 0
            self._begin(planned[0])
        if self.swallow and is_real:
            return self.swallow.pop(0)
        return Reply(202, answer)

    def _carry_out(self, planned: Iterable[Document]) -> None:
        for operation in planned:
            self._begin(operation)
            self._finish(operation)
        for broker in [each for each, state in self.states.items() if state == "LEFT"]:
            del self.members[broker], self.states[broker]

    def _spread(self, partition: int, members: Sequence[int], factor: int) -> dict[int, int]:
        """Return who is to hold a partition, with the priorities: consecutive members from the partition's own on."""
        first = (partition - 1) % len(members)
        holders = [members[(first + offset) % len(members)] for offset in range(factor)]
        return {broker: factor - place for place, broker in enumerate(holders)}

    # --- What is shown

    def document(self) -> Document:
        """Return the answer to `GET /actuator/cluster`."""
        found: Document = {"version": self.number, "brokers": self._brokers_shown()}
        if self.last:
            found["lastChange"] = self.last
        if self.pending:
            found["pendingChange"] = {
                "id": self.change,
                "status": "IN_PROGRESS",
                "pending": list(self.pending),
                "completed": [each | {"completedAt": _NEVER} for each in self.done],
            }
        return found

    def _brokers_shown(self) -> list[Document]:
        return [
            {
                "id": broker,
                "state": self.states[broker],
                "version": 1,
                "lastUpdatedAt": _NEVER,
                "partitions": [
                    {
                        "id": partition,
                        "state": replica.state,
                        "priority": replica.priority,
                        "config": {
                            "exporting": {
                                "exporters": [
                                    {"id": name, "state": state}
                                    for name, state in replica.exporters.items()
                                ]
                            }
                        },
                    }
                    for partition, replica in sorted(held.items())
                ],
            }
            for broker, held in sorted(self.members.items())
        ]

    def _exporters(self) -> list[Document]:
        states: dict[str, set[str]] = {}
        for held in self.members.values():
            for replica in held.values():
                for name, state in replica.exporters.items():
                    states.setdefault(name, set()).add(state)
        return [
            {"exporterId": name, "status": next(iter(seen)) if len(seen) == 1 else "UNKNOWN"}
            for name, seen in sorted(states.items())
        ]


def kept_after_loss(size: int, lost: int) -> tuple[int, ...]:
    """Return the ids of the region that is left."""
    return brokers.region_broker_ids(size, brokers.other(lost))


def _operation(kind: str, broker: int, partition: int | None = None, **more: Any) -> Document:
    about = {} if partition is None else {"partitionId": partition}
    return {"operation": kind, "brokerId": broker} | about | more


def _in_body(message: str) -> Reply:
    return Reply(200, {"body": {"message": message}, "status": 500, "contentType": None})
