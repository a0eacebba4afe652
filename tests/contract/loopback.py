"""The rehearsal broker on loopback addresses: the target that the contract is checked against by default."""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.patience import allowed
from sandbox.setup.run import DIE_WITH_US
from tests.contract.sink import Sink
from tests.contract.target import Engine, Gateway, Need, OurHands, Target, Timing, ask, eventually

SIZE = 4
# Not the usual ports: whatever else runs on the machine may listen on those at every address.
GRPC_PORT, REST_PORT, MANAGEMENT_PORT = 36500, 38080, 39600
COMMAND_PORT, INTERNAL_PORT, ENGINE_PORT = 36501, 36502, 39200
EXPORTERS = ("elasticsearchregion0", "elasticsearchregion1")
BULK_DELAYS = (1, 2)
"""Unlike, so that each exporter is seen to keep to its own; the longer one can be seen to come after a pause."""
TIMING = Timing(
    dead_connection=2.0,
    member_timeout=3.0,
    member_timeout_most=12.0,
    bulk_delay=2.0,
    slack=8.0,
    patience=45.0,
)
_MEMBER_TIMEOUT, _ELECTION, _INSTALLATION = "4s", "800ms", "600ms"
_GATEWAY, _LONELY_GATEWAY, _ENGINES = 100, 101, 110
_FIRST_MOVED = 50
_END_SECONDS = allowed(15.0)


@dataclass
class Loopback(OurHands):
    """Four brokers, a gateway and stand-ins for two search engines, on loopback addresses of their own.

    :ivar folder: where the brokers' disks and logs lie.
    :ivar binary: the rehearsal broker.
    :ivar version: the minor version of Camunda that it plays.
    :ivar exporters: the ids of the exporters to the first two engines.
    """

    folder: Path
    binary: Path
    version: str = "8.5"
    size: int = SIZE
    exporters: tuple[str, ...] = EXPORTERS
    sinks: list[Sink] = field(default_factory=list)
    _network: str = ""
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _hosts: dict[int, int] = field(default_factory=dict)
    _urls: list[str] = field(default_factory=list)
    _faults: dict[str, Any] = field(default_factory=dict)
    _configured: dict[str, str] = field(default_factory=dict)
    _moved: Iterator[int] = field(default_factory=lambda: itertools.count(_FIRST_MOVED))

    def __enter__(self) -> "Loopback":
        self._network = _free_network()
        self._hosts = {broker: broker + 1 for broker in range(self.size)}
        try:
            for each in range(len(EXPORTERS) + 1):
                self.sinks.append(Sink(self.ip(_ENGINES + each), ENGINE_PORT))
            self._urls = self._own_urls()
            if not self._is_one_process:
                self._run("gateway", "gateway", self._gateway_settings(_GATEWAY))
            self.start(*range(self.size))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything that was started."""
        for name in list(self._processes):
            self._end(name, signal.SIGKILL)
        for sink in self.sinks:
            sink.close()

    def ip(self, last: int) -> str:
        """Return one of the addresses that are this target's own."""
        return f"{self._network}.{last}"

    def target(self) -> Target:
        return Target(
            gateway=self._gateway(_GATEWAY if not self._is_one_process else self._hosts[0]),
            brokers={
                broker: f"http://{self.ip(last)}:{MANAGEMENT_PORT}"
                for broker, last in self._hosts.items()
            },
            engines=self.sinks[: len(EXPORTERS)],
            hosts={broker: _host(broker, last) for broker, last in self._hosts.items()},
            timing=TIMING,
            given_hands=self,
            can=frozenset(Need),
            version=self.version,
            gateways={broker: self._gateway(last) for broker, last in self._hosts.items()}
            if self._is_one_process
            else {},
        )

    @property
    def _is_one_process(self) -> bool:
        return self.version in ("8.8", "8.9", "8.10")

    def stop(self, *brokers: int) -> None:
        self._end_brokers(brokers, signal.SIGTERM)

    def kill(self, *brokers: int) -> None:
        self._end_brokers(brokers, signal.SIGKILL)

    def start(self, *brokers: int) -> None:
        for broker in brokers:
            self._run(f"broker-{broker}", "broker", self._broker_settings(broker))

    def freeze(self, *brokers: int) -> None:
        for broker in brokers:
            self._signal(f"broker-{broker}", signal.SIGSTOP)

    def thaw(self, *brokers: int) -> None:
        for broker in brokers:
            self._signal(f"broker-{broker}", signal.SIGCONT)

    def wipe(self, *brokers: int) -> None:
        for broker in brokers:
            shutil.rmtree(self._disk(broker), ignore_errors=True)
        if len(brokers) == self.size:
            for sink in self.sinks:
                sink.empty()

    def move(self, broker: int) -> None:
        self._hosts[broker] = next(self._moved)

    def lonely_gateway(self) -> Gateway:
        settings = self._gateway_settings(_LONELY_GATEWAY) | {
            "ZEEBE_GATEWAY_CLUSTER_INITIALCONTACTPOINTS": f"{self.ip(_FIRST_MOVED - 1)}:{INTERNAL_PORT}"
        }
        self._run("lonely-gateway", "gateway", settings)
        return self._gateway(_LONELY_GATEWAY)

    def spare_engine(self) -> Engine:
        return self.sinks[len(EXPORTERS)]

    def point(self, exporter: int, url: str) -> None:
        self._urls[exporter] = url

    def configure(self, **settings: str) -> None:
        self._configured = settings

    def exit_status(self, broker: int) -> int | None:
        process = self._processes.get(f"broker-{broker}")
        return process.poll() if process else None

    def faults(self, **faults: Any) -> None:
        self._faults = faults
        for url in self._management():
            self._put_faults(url)

    def restore(self) -> None:
        for sink in self.sinks:
            sink.start()
        self._end("lonely-gateway", signal.SIGKILL)
        self.thaw(*range(self.size))
        if self._urls != self._own_urls():
            # Brokers read it when they start: those that run would go on writing to the engine they were given.
            self._urls = self._own_urls()
            self.stop(*range(self.size))
        self._faults, self._configured = {}, {}
        self.start(*range(self.size))
        eventually(self._refusing_faults, 20)

    def _own_urls(self) -> list[str]:
        return [sink.url for sink in self.sinks[: len(EXPORTERS)]]

    def _refusing_faults(self) -> str | None:
        for url in self._management():
            answer = ask("PUT", f"{url}/rehearsal/faults", {}, within=3.0)
            if answer.status != 200:
                return f"faults of {url}: {answer}"
        return None

    def _put_faults(self, url: str) -> None:
        answer = ask("PUT", f"{url}/rehearsal/faults", self._faults, within=3.0)
        assert answer.status in (0, 200), f"faults of {url}: {answer}"

    def _management(self) -> Iterable[str]:
        if not self._is_one_process:
            yield self._gateway(_GATEWAY).management
        for broker, last in self._hosts.items():
            if self._is_running(f"broker-{broker}"):
                yield f"http://{self.ip(last)}:{MANAGEMENT_PORT}"

    def _gateway(self, last: int) -> Gateway:
        ip = self.ip(last)
        return Gateway(
            f"{ip}:{GRPC_PORT}", f"http://{ip}:{REST_PORT}", f"http://{ip}:{MANAGEMENT_PORT}"
        )

    def _contacts(self) -> str:
        # Spaces and an empty entry, as in the chart's own list.
        return " ,".join(f"{self.ip(last)}:{INTERNAL_PORT}" for last in self._hosts.values()) + ","

    def _common_settings(self) -> dict[str, str]:
        return {
            "REHEARSAL_DEAD_CONNECTION": f"{TIMING.dead_connection:.0f}s",
            "REHEARSAL_MEMBER_TIMEOUT": _MEMBER_TIMEOUT,
            "REHEARSAL_ELECTION": _ELECTION,
            "REHEARSAL_INSTALLATION": _INSTALLATION,
            "REHEARSAL_CAMUNDA_VERSION": self.version,
            "REHEARSAL_OPERATION_RETRY": "1s",
            "REHEARSAL_FAULTS": json.dumps(self._faults),
        }

    def _gateway_settings(self, last: int) -> dict[str, str]:
        ip = self.ip(last)
        return self._common_settings() | {
            "ZEEBE_GATEWAY_CLUSTER_INITIALCONTACTPOINTS": self._contacts(),
            "ZEEBE_GATEWAY_CLUSTER_MEMBERID": f"gateway-{last}",
            "ZEEBE_GATEWAY_CLUSTER_HOST": ip,
            "ZEEBE_GATEWAY_CLUSTER_PORT": str(INTERNAL_PORT),
            "ZEEBE_GATEWAY_NETWORK_HOST": ip,
            "ZEEBE_GATEWAY_NETWORK_PORT": str(GRPC_PORT),
            "ZEEBE_GATEWAY_REST_PORT": str(REST_PORT),
            "MANAGEMENT_SERVER_PORT": str(MANAGEMENT_PORT),
        }

    def _broker_settings(self, broker: int) -> dict[str, str]:
        last = self._hosts[broker]
        settings = self._common_settings() | {
            "ZEEBE_BROKER_CLUSTER_CLUSTERSIZE": str(self.size),
            "ZEEBE_BROKER_CLUSTER_PARTITIONSCOUNT": str(self.size),
            "ZEEBE_BROKER_CLUSTER_REPLICATIONFACTOR": str(SIZE),
            "ZEEBE_BROKER_CLUSTER_NODEID": str(broker),
            "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS": self._contacts(),
            "ZEEBE_BROKER_NETWORK_HOST": self.ip(last),
            "ZEEBE_BROKER_NETWORK_ADVERTISEDHOST": _host(broker, last),
            "ZEEBE_BROKER_NETWORK_COMMANDAPI_PORT": str(COMMAND_PORT),
            "ZEEBE_BROKER_NETWORK_INTERNALAPI_PORT": str(INTERNAL_PORT),
            "MANAGEMENT_SERVER_PORT": str(MANAGEMENT_PORT),
            "ZEEBE_BROKER_DATA_DIRECTORY": str(self._disk(broker)),
            **self._configured,
        }
        if self._is_one_process:
            settings |= {
                "ZEEBE_BROKER_GATEWAY_NETWORK_PORT": str(GRPC_PORT),
                "SERVER_PORT": str(REST_PORT),
            }
        for name, url, delay in zip(self.exporters, self._urls, BULK_DELAYS, strict=True):
            prefix = f"ZEEBE_BROKER_EXPORTERS_{name.upper()}"
            settings |= {
                f"{prefix}_CLASSNAME": "io.camunda.zeebe.exporter.ElasticsearchExporter",
                f"{prefix}_ARGS_URL": url,
                f"{prefix}_ARGS_BULK_DELAY": str(delay),
                f"{prefix}_ARGS_BULK_SIZE": "1000",
                f"{prefix}_ARGS_INDEX_PREFIX": "zeebe-record",
            }
        return settings

    def _disk(self, broker: int) -> Path:
        return self.folder / f"broker-{broker}"

    def _is_running(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def _run(self, name: str, what: str, settings: Mapping[str, str]) -> None:
        if self._is_running(name):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*DIE_WITH_US, str(self.binary), what],
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _end_brokers(self, brokers: Iterable[int], how: signal.Signals) -> None:
        for broker in brokers:
            self._signal(f"broker-{broker}", how)
        for broker in brokers:
            self._end(f"broker-{broker}", how)

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self._processes.get(name)
        if process:
            process.send_signal(number)

    def _end(self, name: str, how: signal.Signals) -> None:
        process = self._processes.get(name)
        if not process:
            return
        self._signal(name, how)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{name} did not end within {_END_SECONDS:.0f} s") from None


def _host(broker: int, last: int) -> str:
    """Return a name as pods have it: nothing resolves it."""
    installation = "failover" if last >= _FIRST_MOVED else "london"
    return f"camunda-zeebe-{broker}.camunda-zeebe.camunda-{installation}.svc"


def _free_network() -> str:
    """Return the beginning of loopback addresses that nothing listens on; each test process begins elsewhere."""
    for attempt in range(64):
        number = (os.getpid() + attempt * 4001) % (64 * 250)
        network = f"127.{64 + number // 250}.{1 + number % 250}"
        with socket.socket() as taken:
            taken.settimeout(0.5)
            if taken.connect_ex((f"{network}.{_ENGINES}", ENGINE_PORT)) != 0:
                return network
    raise AssertionError("no loopback addresses are free")
