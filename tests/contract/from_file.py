"""A target that a file names by its addresses, and by commands for what else may be done to it.

See docs/develop/contract.md for the file.
"""

import subprocess
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from tests.contract.target import (
    Document,
    Engine,
    Gateway,
    Need,
    Operations,
    Target,
    Timing,
    ask,
)

_COMMAND_SECONDS = 600


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _GatewayAt(_Model):
    grpc: str
    rest: str
    management: str


class _BrokerAt(_Model):
    management: str
    host: str = ""
    stop: str = ""
    kill: str = ""
    start: str = ""
    freeze: str = ""
    thaw: str = ""
    wipe: str = ""


class _EngineAt(_Model):
    url: str
    prefix: str = "zeebe-record"
    stop: str = ""
    start: str = ""


class _TimingAt(_Model):
    dead_connection: float = Field(Timing.dead_connection, alias="deadConnectionSeconds")
    member_timeout: float = Field(Timing.member_timeout, alias="memberTimeoutSeconds")
    member_timeout_most: float = Field(Timing.member_timeout_most, alias="memberTimeoutMostSeconds")
    bulk_delay: float = Field(Timing.bulk_delay, alias="bulkDelaySeconds")
    slack: float = Field(Timing.slack, alias="slackSeconds")
    patience: float = Field(Timing.patience, alias="patienceSeconds")


class _TargetAt(_Model):
    version: str = "8.5"
    gateway: _GatewayAt
    brokers: dict[int, _BrokerAt]
    engines: list[_EngineAt] = Field(default_factory=list)
    timing: _TimingAt = Field(default_factory=lambda: _TimingAt.model_validate({}))


_NEEDED = {
    Need.RESTART: ("stop", "start"),
    Need.KILL: ("kill", "start"),
    Need.FREEZE: ("freeze", "thaw"),
    Need.WIPE: ("stop", "start", "wipe"),
}


def target_at(file: Path) -> Target:
    """Read a target.

    :raises pydantic.ValidationError: if the file lacks an address or says something unknown.
    """
    at = _TargetAt.model_validate(yaml.safe_load(file.read_text()))
    return Target(
        gateway=Gateway(at.gateway.grpc, _url(at.gateway.rest), _url(at.gateway.management)),
        brokers={number: _url(broker.management) for number, broker in at.brokers.items()},
        engines=[_RealEngine(engine) for engine in at.engines],
        hosts={number: broker.host for number, broker in at.brokers.items() if broker.host},
        timing=Timing(**at.timing.model_dump()),
        given_hands=_Commands(at.brokers),
        can=frozenset(_abilities(at)),
        version=at.version,
    )


def _abilities(at: _TargetAt) -> Iterable[Need]:
    for need, commands in _NEEDED.items():
        if all(getattr(broker, name) for broker in at.brokers.values() for name in commands):
            yield need
    if at.engines:
        yield Need.ENGINE
    if len(at.engines) > 1:
        yield Need.TWO_ENGINES
        if at.engines[1].stop and at.engines[1].start:
            yield Need.BREAK


def _url(address: str) -> str:
    return (address if "://" in address else f"http://{address}").rstrip("/")


def _run(command: str) -> None:
    done = subprocess.run(
        ["sh", "-ec", command],
        capture_output=True,
        text=True,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.returncode} {done.stdout}{done.stderr}"


class _Commands(Operations):
    def __init__(self, brokers: dict[int, _BrokerAt]) -> None:
        self._brokers = brokers
        self._ended: set[int] = set()
        self._frozen: set[int] = set()

    def stop(self, *brokers: int) -> None:
        self._ended |= set(brokers)
        self._each(brokers, "stop")

    def kill(self, *brokers: int) -> None:
        self._ended |= set(brokers)
        self._each(brokers, "kill")

    def start(self, *brokers: int) -> None:
        self._each(brokers, "start")
        self._ended -= set(brokers)

    def freeze(self, *brokers: int) -> None:
        self._frozen |= set(brokers)
        self._each(brokers, "freeze")

    def thaw(self, *brokers: int) -> None:
        self._each(brokers, "thaw")
        self._frozen -= set(brokers)

    def wipe(self, *brokers: int) -> None:
        self._each(brokers, "wipe")

    def restore(self) -> None:
        self.thaw(*sorted(self._frozen))
        self.start(*sorted(self._ended))

    def _each(self, brokers: Collection[int], name: str) -> None:
        if brokers:
            with ThreadPoolExecutor(len(brokers)) as threads:
                list(threads.map(lambda each: _run(getattr(self._brokers[each], name)), brokers))


class _RealEngine(Engine):
    def __init__(self, at: _EngineAt) -> None:
        self._at = at
        self._url = _url(at.url)
        self._stopped = False

    def documents(self, instance: int) -> list[Document]:
        return self._found({"term": {"value.processInstanceKey": instance}})

    def records(self, process: str) -> list[Document]:
        return self._found({"match": {"value.bpmnProcessId": process}})

    def count(self) -> int:
        self._ask("POST", f"/{self._at.prefix}*/_refresh")
        return int(self._ask("GET", f"/{self._at.prefix}*/_count")["count"])

    def templates(self) -> tuple[dict[str, Any], dict[str, Any]]:
        components = self._ask("GET", "/_component_template")["component_templates"]
        indices = self._ask("GET", "/_index_template")["index_templates"]
        return (
            {each["name"]: each["component_template"] for each in components},
            {each["name"]: each["index_template"] for each in indices},
        )

    def stop(self) -> None:
        self._stopped = True
        _run(self._at.stop)

    def start(self) -> None:
        if self._stopped:
            _run(self._at.start)
        self._stopped = False

    def _found(self, query: dict[str, Any]) -> list[Document]:
        self._ask("POST", f"/{self._at.prefix}*/_refresh")
        body = {"size": 10_000, "query": query}
        answer = self._ask("POST", f"/{self._at.prefix}*/_search", body)
        return [
            Document(hit["_index"], hit["_id"], hit.get("_routing", ""), hit["_source"])
            for hit in answer["hits"]["hits"]
        ]

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = ask(method, f"{self._url}{path}", body)
        assert answer.status == 200, f"{method} {path}: {answer}"
        content: dict[str, Any] = answer.content
        return content
