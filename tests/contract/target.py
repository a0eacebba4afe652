"""What the contract is checked against: a gateway and brokers by their addresses, and what else may be done to them."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, NamedTuple

import requests

from sandbox.patience import allowed


class Need(Enum):
    """What a check needs beyond addresses, said as the reason why it is skipped where that is not given."""

    RESTART = "brokers that can be stopped and started: give each broker `stop` and `start`"
    KILL = "brokers that can be killed: give each broker `kill` and `start`"
    FREEZE = "brokers that can be frozen: give each broker `freeze` and `thaw`"
    WIPE = "brokers whose disk can be emptied: give each broker `wipe` (and `stop`, `start`)"
    ENGINE = "a search engine's address: give one or more `engines`"
    TWO_ENGINES = "two exporters to two search engines: give two `engines`"
    BREAK = "a second search engine that can be stopped and started: give it `stop` and `start`"
    SINK = "an engine that keeps each request it gets: only the stand-in of these tests does"
    MOVE = "brokers that can be started at another address or with other exporters: only ours here"
    FAULTS = "faults on purpose, which only the rehearsal broker has"
    OURS = "an answer in which the rehearsal broker differs from a real one on purpose"


class Answer(NamedTuple):
    """An HTTP answer.

    :ivar status: 0 if there was none; `body` says why then.
    """

    status: int
    body: str
    headers: Mapping[str, str]
    seconds: float
    content: Any = None


@dataclass(frozen=True)
class Document:
    """A record in a search engine."""

    index: str
    id: str
    routing: str
    source: Mapping[str, Any]


class Engine(ABC):
    """A search engine, or what stands in for it.

    :ivar url: its address.
    """

    url: str

    @abstractmethod
    def documents(self, instance: int) -> list[Document]:
        """Return the records of one process instance."""

    @abstractmethod
    def records(self, process: str) -> list[Document]:
        """Return records, among them all of a process."""

    def instances(self, process: str) -> list[int]:
        """Return the keys of a process's instances that were activated, one for each record that says so."""
        return [
            int(each.source["key"])
            for each in self.records(process)
            if each.source["intent"] == "ELEMENT_ACTIVATED"
            and each.source["value"].get("bpmnElementType") == "PROCESS"
            and each.source["value"].get("bpmnProcessId") == process
        ]

    @abstractmethod
    def count(self) -> int:
        """Return how many records there are."""

    @abstractmethod
    def templates(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the exporter's component templates and its index templates, each by name."""

    @abstractmethod
    def stop(self) -> None:
        """Let it take nothing in."""

    @abstractmethod
    def start(self) -> None:
        """Let it work again."""


class Operations(ABC):
    """What is done to brokers."""

    @abstractmethod
    def stop(self, *brokers: int) -> None:
        """End them in good order, and return when they are gone."""

    @abstractmethod
    def kill(self, *brokers: int) -> None:
        """End them at once, as a lost region does."""

    @abstractmethod
    def start(self, *brokers: int) -> None:
        """Start those that are stopped, without waiting until they are ready."""

    @abstractmethod
    def freeze(self, *brokers: int) -> None:
        """Keep them from doing anything."""

    @abstractmethod
    def thaw(self, *brokers: int) -> None:
        """Let them go on."""

    @abstractmethod
    def wipe(self, *brokers: int) -> None:
        """Empty the disks of those that are stopped."""

    @abstractmethod
    def restore(self) -> None:
        """Start and thaw what a check has left stopped or frozen, and take its faults back."""


class OurHands(Operations, ABC):
    """What can be done to the rehearsal broker besides."""

    @abstractmethod
    def move(self, broker: int) -> None:
        """Give a stopped broker another address and another host name."""

    @abstractmethod
    def target(self) -> "Target":
        """Return the target as it stands now: brokers that moved have other addresses."""

    @abstractmethod
    def spare_engine(self) -> Engine:
        """Return an engine that no exporter writes to."""

    @abstractmethod
    def lonely_gateway(self) -> "Gateway":
        """Start a gateway that sees no broker."""

    @abstractmethod
    def point(self, exporter: int, url: str) -> None:
        """Give an exporter another engine, from the brokers' next start on."""

    @abstractmethod
    def configure(self, **settings: str) -> None:
        """Set environment variables of the brokers, from their next start on."""

    @abstractmethod
    def exit_status(self, broker: int) -> int | None:
        """Return the exit status of a broker that has ended, None while it runs."""

    @abstractmethod
    def faults(self, **faults: Any) -> None:
        """Put faults in force, on every broker and the gateway, those that start later too; they replace others."""


@dataclass(frozen=True)
class Timing:
    """How long a cluster takes, by its settings (seconds).

    :ivar dead_connection: how long a command waits on the connection to a leader that has restarted.
    :ivar member_timeout: how long a lost broker stays in the topology at least.
    :ivar member_timeout_most: ... and at most.
    :ivar bulk_delay: how long the slowest exporter keeps records back.
    :ivar slack: how much later than its time anything may come.
    :ivar patience: how long brokers may take to start and to elect.
    """

    dead_connection: float = 10.0
    member_timeout: float = 8.0
    member_timeout_most: float = 30.0
    bulk_delay: float = 5.0
    slack: float = 15.0
    patience: float = 300.0

    @property
    def exported(self) -> float:
        """Within what time everything is exported."""
        return 2 * self.bulk_delay + self.slack


@dataclass(frozen=True)
class Gateway:
    """A gateway's addresses.

    :ivar grpc: host:port.
    :ivar rest: the URL of the REST API.
    :ivar management: the URL of the management port.
    """

    grpc: str
    rest: str
    management: str


@dataclass(frozen=True)
class Target:
    """A cluster to check.

    :ivar brokers: the URL of each broker's management port, by id.
    :ivar hosts: the host that each broker advertises, where that is known.
    :ivar can: what else may be asked of it.
    :ivar version: the minor version of Camunda that it is, or plays.
    :ivar gateways: the gateway in each broker, where they are one process (8.8 and later) and their addresses are known.
    """

    gateway: Gateway
    brokers: Mapping[int, str]
    engines: Sequence[Engine] = ()
    hosts: Mapping[int, str] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)
    given_hands: Operations | None = None
    can: frozenset[Need] = frozenset()
    version: str = "8.5"
    gateways: Mapping[int, Gateway] = field(default_factory=dict)

    @property
    def api(self) -> str:
        """The REST API's version."""
        return "v1" if self.version == "8.5" else "v2"

    def through(self, broker: int) -> "Target":
        """Return the target with another broker's gateway, where brokers are gateways."""
        return replace(self, gateway=self.gateways.get(broker, self.gateway))

    @property
    def hands(self) -> Operations:
        """What is done to its brokers."""
        assert self.given_hands, "this target's brokers cannot be stopped and started"
        return self.given_hands

    @property
    def ours(self) -> OurHands:
        """What is done to it if it is the rehearsal broker."""
        assert isinstance(self.given_hands, OurHands), "this target is not ours"
        return self.given_hands


def ask(method: str, url: str, body: Any = None, *, within: float = 30.0) -> Answer:
    """Return an HTTP answer, or what there was instead."""
    began = time.monotonic()
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the environment knows nothing of loopback addresses
        try:
            got = session.request(method, url, json=body, timeout=(3.0, within))
        except requests.RequestException as error:
            why = f"no answer: {type(error).__name__}"
            return Answer(0, why, {}, time.monotonic() - began)
    try:
        content = got.json()
    except ValueError:
        content = None
    return Answer(got.status_code, got.text, got.headers, time.monotonic() - began, content)


def eventually(missing: Callable[[], str | None], within: float, every: float = 0.1) -> None:
    """Wait until nothing is missing.

    :param missing: says what is not so yet, or None.
    :raises AssertionError: with what is still missing when the time is over.
    """
    limit = allowed(within)
    end = time.monotonic() + limit
    while reason := _reason(missing):
        if time.monotonic() >= end:
            raise AssertionError(f"not within {limit:.0f} s: {reason}")
        time.sleep(every)


def _reason(missing: Callable[[], str | None]) -> str | None:
    """Ask what is missing; what cannot be told yet is missing, too."""
    try:
        return missing()
    except AssertionError as error:
        return str(error) or "it cannot be told"
