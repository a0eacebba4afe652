"""Calling the user's own hooks: a command without a shell, or a JSON document posted to a URL.

Neither arguments nor the path of a URL are ever told: they may hold tokens.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from cli.check import Check, check
from clients.parallel import begin
from clients.reasons import reason_of
from dualregion.config.notifications import AnnouncementSettings, HookSettings
from dualregion.secrets import without_secrets

Document = Mapping[str, Any]

_SHOWN = 300
"""How many characters of what a hook says last are shown."""


def call(hook: HookSettings, document: Document, folder: Path) -> str | None:
    """Call a hook, and return why that failed, or None.

    :param folder: where a command is started.
    """
    body = json.dumps(document).encode()
    if hook.address is not None:
        return _post(hook.address, body, hook.deadline_seconds)
    return _start(hook.command or (), body, hook.deadline_seconds, folder)


def checks(hooks: AnnouncementSettings, folder: Path) -> Iterator[Check]:
    """Check each hook without calling it; that a URL is one is known already."""
    for key, hook in hooks.named():
        problem = None
        if hook.command and _program(hook.command[0], folder) is None:
            problem = f"{hook}: there is no such program, or it may not be executed"
        remedy = f"fix hooks.{key}.command, or chmod +x (docs/configuration.md, hooks)"
        yield check(f"hook {key}", problem, remedy, f"{hook}, not called")


def _program(name: str, folder: Path) -> str | None:
    """Return the program's path; a relative one starts at the project's folder, a mere name is on PATH."""
    name = os.path.expanduser(name)
    found = shutil.which(str(folder / name) if "/" in name else name)
    return found and os.path.abspath(found)


def _start(command: Sequence[str], body: bytes, deadline: float, folder: Path) -> str | None:
    program = _program(command[0], folder)
    if program is None:
        return "there is no such program, or it may not be executed"
    # Files, not pipes: what the command leaves running in the background may keep a pipe open for ever.
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as said:
        told.write(body)
        told.seek(0)
        try:
            status = _run([program, *command[1:]], told, said, deadline, folder)
        except (OSError, ValueError) as error:
            return f"it could not be started ({getattr(error, 'strerror', None) or type(error).__name__})"
        if status == 0:
            return None
        how = f"no end after {deadline:g} s" if status is None else f"exit status {status}"
        return how + _last_output(said)


def _run(
    command: Sequence[str], told: IO[bytes], said: IO[bytes], deadline: float, folder: Path
) -> int | None:
    """Run a command to its end, or kill it with all that it has started; return its status, or None."""
    process = subprocess.Popen(
        command,
        stdin=told,
        stdout=said,
        stderr=subprocess.STDOUT,
        cwd=folder,
        start_new_session=True,
    )
    try:
        return process.wait(deadline)
    except subprocess.TimeoutExpired:
        return None
    finally:
        # At Ctrl-C, too, of which a session of its own learns nothing.
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _last_output(said: IO[bytes]) -> str:
    end = said.seek(0, os.SEEK_END)
    said.seek(max(0, end - 4 * _SHOWN))
    return _shown(said.read())


def _shown(output: bytes) -> str:
    """Return the last line of an output, as it may be written to a terminal."""
    text = without_secrets(output.decode(errors="replace"))
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ", without a word"
    printable = "".join(each if each.isprintable() else " " for each in lines[-1].strip())
    return f", saying: {printable[-_SHOWN:]}"


def _post(url: str, body: bytes, deadline: float) -> str | None:
    # Timeouts of a socket begin again with each byte: a thread that is left behind keeps the deadline.
    answer = begin(lambda: _answer(url, body, deadline))
    try:
        status, said = answer.result(deadline)
    except TimeoutError:
        return f"no answer after {deadline:g} s"
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return f"it could not be reached ({reason_of(error)})"
    return None if 200 <= status < 300 else f"status {status}{_shown(said)}"


def _answer(url: str, body: bytes, deadline: float) -> tuple[int, bytes]:
    """Post once; a redirection is not followed, as the document would go where it was not meant to."""
    with _pool(url) as pool:
        answer = pool.request(
            "POST",
            url,
            body=body,
            headers={"Content-Type": "application/json"},
            timeout=deadline,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        is_done = 200 <= answer.status < 300
        return answer.status, b"" if is_done else answer.read(4 * _SHOWN)


def _pool(url: str) -> urllib3.PoolManager:
    """Return what connects, by the proxy of the environment if it names one for this host."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.netloc):
        return urllib3.ProxyManager(proxy)
    return urllib3.PoolManager()
