"""A `kubectl port-forward` to one service, on a loopback port, started again whenever it dies."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_RETRY_SECONDS = 0.3
"""Between the end of one port-forward and the next: kubectl costs 0.1 CPU seconds to start."""


@dataclass(frozen=True)
class TunnelTarget:
    """Which service of which cluster, and with which kubectl it is reached."""

    kubectl: str
    kubeconfig: str
    context: str
    namespace: str
    service: str
    port: int

    def command(self, local_port: int) -> Sequence[str]:
        """Return the argv that forwards a loopback port to the service."""
        return (
            self.kubectl,
            f"--kubeconfig={self.kubeconfig}",
            f"--context={self.context}",
            f"--namespace={self.namespace}",
            "port-forward",
            "--address=127.0.0.1",
            f"service/{self.service}",
            f"{local_port}:{self.port}",
        )


def free_loopback_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Tunnel:
    """Keeps one port-forward alive on the same local port, so that a gRPC channel finds it again."""

    def __init__(self, target: TunnelTarget, on_end: Callable[[str], None]) -> None:
        """`on_end` is given the last line of kubectl's, each time a port-forward has ended."""
        self._target = target
        self._on_end = on_end
        self._process: asyncio.subprocess.Process | None = None
        self.local_port = free_loopback_port()

    async def keep(self) -> None:
        """Run until cancelled; a port-forward that ends is started again."""
        try:
            while True:
                self._on_end(await self._run_once())
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            await self._end()

    def restart(self) -> None:
        """End the running port-forward; `keep` starts the next one."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _run_once(self) -> str:
        self._process = await asyncio.create_subprocess_exec(
            *self._target.command(self.local_port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        last = ""
        if self._process.stderr:
            async for line in self._process.stderr:
                last = line.decode(errors="replace").strip() or last
        code = await self._process.wait()
        return last or f"kubectl port-forward ended with exit status {code}"

    async def _end(self) -> None:
        self.restart()
        if self._process:
            await self._process.wait()
