"""The load client: creates process instances without pause and records every acknowledged one.

It is a process of its own (`python -m drill.observation.load.load`), so that nothing the drill does delays a request. It
sends at an even rate, whatever the answers: with at most rate x timeout requests on their way, ones that
hang never hold back the next, and the moment at which the cluster accepts commands again is seen to within
one sending interval. A request without an answer in time is not acknowledged, even if the cluster carries it out.

Everything goes to a loopback address, by default one end of a `kubectl port-forward`.
"""

import asyncio
import contextlib
import os
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import grpc
import typer
from pyzeebe import ZeebeClient, create_insecure_channel
from pyzeebe.errors import PyZeebeError

from drill.observation.load.log import LogWriter
from drill.observation.load.tunnel import Tunnel, TunnelTarget
from drill.regions import GATEWAY_SERVICE

PROCESS_ID = "drill"
PROCESS_FILE = Path(__file__).with_name("process.bpmn")

_GATEWAY_PORT = 26500
_PROBE_SECONDS = 1.0
_PROBE_TIMEOUT_SECONDS = 3.0
_PROBES_UNTIL_RESTART = 3
"""So many unanswered probes in a row mean a port-forward that hangs: the gateway itself answers at once."""
_LATE_SECONDS = 0.5
"""The client's own delay from which on it logs it: a gap then may be its own and not the cluster's."""

# A lost connection must be tried again at once: gRPC's own back-off grows to two minutes.
_CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 300),
    ("grpc.enable_http_proxy", 0),
)


@dataclass(frozen=True)
class LoadSettings:
    """How fast to send, how long to wait for each answer, and when to stop by itself (seconds)."""

    rate: float
    timeout: float
    max_seconds: float

    @property
    def most_in_flight(self) -> int:
        """The bound on requests on their way, which an unanswering cluster reaches and never exceeds."""
        return max(1, round(self.rate * self.timeout))


class LoadClient:
    """Sends create commands at an even rate until stopped."""

    def __init__(self, client: ZeebeClient, settings: LoadSettings, log: LogWriter) -> None:
        self._client = client
        self._settings = settings
        self._log = log
        self._in_flight: set[asyncio.Task[None]] = set()
        self._errors: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._stop = asyncio.Event()
        self._reason = "stopped"

    def stop(self, reason: str) -> None:
        """End the sending; what is on its way is still waited for."""
        self._reason = reason
        self._stop.set()

    async def run(self) -> None:
        """Deploy the process, send until stopped or until the maximum run time is over, log the totals."""
        asyncio.get_running_loop().call_later(
            self._settings.max_seconds, self.stop, "reached its maximum run time"
        )
        await self._deploy()
        await self._send()
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        self._write_errors()
        self._log.write("end", reason=self._reason, at=time.monotonic(), totals=dict(self._totals))

    async def _deploy(self) -> None:
        while not self._stop.is_set():
            try:
                async with asyncio.timeout(self._settings.timeout * 2):
                    await self._client.deploy_resource(str(PROCESS_FILE))
                self._log.write("deployed", at=time.monotonic())
                return
            except (PyZeebeError, grpc.aio.AioRpcError, TimeoutError) as error:
                self._errors[f"deploy: {error_kind(error)}"] += 1
                self._write_errors()
                await self._pause(0.5)

    async def _send(self) -> None:
        interval = 1 / self._settings.rate
        due = last_flush = time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            if now - due > _LATE_SECONDS:
                self._log.write("late", at=now, seconds=round(now - due, 3))
                due = now
            if len(self._in_flight) < self._settings.most_in_flight:
                task = asyncio.create_task(self._create_one())
                self._in_flight.add(task)
                task.add_done_callback(self._in_flight.discard)
            if now - last_flush > 1:
                self._write_errors()
                last_flush = now
            due += interval
            await self._pause(max(0.0, due - time.monotonic()))

    async def _create_one(self) -> None:
        sent = time.monotonic()
        try:
            async with asyncio.timeout(self._settings.timeout):
                answer = await self._client.run_process(PROCESS_ID)
        except (PyZeebeError, grpc.aio.AioRpcError, TimeoutError) as error:
            self._errors[error_kind(error)] += 1
            return
        at = time.monotonic()
        self._totals["acknowledged"] += 1
        self._log.write(
            "ack", key=answer.process_instance_key, sent=sent, at=at, wall=round(time.time(), 3)
        )

    def _write_errors(self) -> None:
        if self._errors:
            self._log.write("errors", at=time.monotonic(), counts=dict(self._errors))
            self._totals["errors"] += self._errors.total()
            self._errors.clear()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()


def error_kind(error: BaseException) -> str:
    """Return a short name that equal errors share: status and text without the numbers in it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    rpc = getattr(error, "grpc_error", error)
    if isinstance(rpc, grpc.aio.AioRpcError):
        text = re.sub(r"\b(0x)?[0-9a-f]*\d[0-9a-f]*\b", "N", rpc.details() or "")
        return f"{rpc.code().name}: {text[:120]}"
    return type(error).__name__


async def _watch_tunnel(client: ZeebeClient, tunnel: Tunnel) -> None:
    """Restart a port-forward that lives but carries nothing."""
    missed = 0
    while True:
        await asyncio.sleep(_PROBE_SECONDS)
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_SECONDS):
                await client.topology()
            missed = 0
        except (PyZeebeError, grpc.aio.AioRpcError, TimeoutError):
            missed += 1
        if missed >= _PROBES_UNTIL_RESTART:
            tunnel.restart()
            missed = 0


async def run_load(
    settings: LoadSettings, log: LogWriter, target: TunnelTarget | None, port: int
) -> None:
    """Send to `127.0.0.1:port`, or, with a target, through a port-forward to it, until SIGTERM."""
    log.write("start", at=time.monotonic(), rate=settings.rate, timeout=settings.timeout)
    tunnel = (
        Tunnel(target, lambda why: log.write("tunnel", at=time.monotonic(), why=why))
        if target
        else None
    )
    channel = create_insecure_channel(
        f"127.0.0.1:{tunnel.local_port if tunnel else port}", _CHANNEL_OPTIONS
    )
    client = ZeebeClient(channel, max_connection_retries=-1)
    load = LoadClient(client, settings, log)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, load.stop, "told to stop")
    helpers = []
    if tunnel:
        helpers = [
            asyncio.create_task(tunnel.keep()),
            asyncio.create_task(_watch_tunnel(client, tunnel)),
        ]
    try:
        await load.run()
    finally:
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
        await channel.close()


def main(
    *,
    out: Annotated[Path, typer.Option(help="The log, one JSON object a line; appended to.")],
    kubectl: Annotated[str, typer.Option(help="kubectl for the port-forward.")] = "kubectl",
    kubeconfig: Annotated[str, typer.Option(help="Kubeconfig for the port-forward.")] = "",
    context: Annotated[str, typer.Option(help="Context; empty: send straight to --port.")] = "",
    namespace: Annotated[str, typer.Option(help="Namespace of the gateway.")] = "",
    port: Annotated[
        int, typer.Option(help="Loopback port without a port-forward.")
    ] = _GATEWAY_PORT,
    rate: Annotated[float, typer.Option(min=10, help="Requests a second.")],
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for an answer.")] = 3.0,
    max_seconds: Annotated[float, typer.Option(help="Stops by itself after so long.")] = 3600.0,
) -> None:
    """Create process instances without pause and record every acknowledged key."""
    # The instrument must not starve beside starting brokers; without the right to it, go on as is.
    with contextlib.suppress(OSError):
        os.nice(-5)
    target = (
        TunnelTarget(kubectl, kubeconfig, context, namespace, GATEWAY_SERVICE, _GATEWAY_PORT)
        if context
        else None
    )
    with out.open("a", encoding="utf-8") as file:
        asyncio.run(
            run_load(LoadSettings(rate, timeout, max_seconds), LogWriter(file), target, port)
        )


if __name__ == "__main__":
    typer.run(main)
