"""Calling the user's own hooks: a command without a shell, or a JSON document posted to a URL.

Neither arguments nor the path of a URL are ever shown: they may hold tokens.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from cli.check import Check, check
from clients.cluster.reasons import reason_of
from clients.parallel import begin
from dualregion.config.sections.notifications import AnnouncementSettings, HookSettings
from dualregion.secrets import without_secrets
from messages import Message
from messages.command import checks as checking
from messages.command import driving as messages

Document = Mapping[str, Any]
Call = Callable[[HookSettings, Document], Message | None]

_SHOWN = 300
"""How many characters of a hook's last line of output are shown."""


def call(hook: HookSettings, document: Document, folder: Path) -> Message | None:
    """Call a hook, and return why that failed, or None.

    :param folder: where a command is started.
    """
    body = json.dumps(document).encode()
    if hook.address is not None:
        return _post(hook, body)
    return _start(hook.command or (), body, hook.deadline_seconds, folder)


def checks(hooks: AnnouncementSettings, folder: Path) -> Iterator[Check]:
    """Check each hook without calling it; that a URL is one is known already."""
    for key, hook in hooks.named():
        missing = hook.command and _program(hook.command[0], folder) is None
        yield check(
            checking.check_hook(key),
            checking.program_missing(str(hook)) if missing else None,
            checking.fix_hook(key),
            checking.hook_not_called(str(hook)),
        )


def _program(name: str, folder: Path) -> str | None:
    """Return the program's path; a relative one starts at the project's folder, a mere name is on PATH."""
    name = os.path.expanduser(name)
    found = shutil.which(str(folder / name) if "/" in name else name)
    return found and os.path.abspath(found)


def _start(command: Sequence[str], body: bytes, deadline: float, folder: Path) -> Message | None:
    program = _program(command[0], folder)
    if program is None:
        return messages.hook_program_missing()
    # Files, not pipes: what the command leaves running in the background may keep a pipe open for ever.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as written:
        given.write(body)
        given.seek(0)
        try:
            status = _run([program, *command[1:]], given, written, deadline, folder)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return messages.hook_not_started(reason)
        if status == 0:
            return None
        output = _last_output(written)
        if status is None:
            return messages.hook_timed_out(deadline, output)
        return messages.hook_exit_status(status, output)


def _run(
    command: Sequence[str], given: IO[bytes], written: IO[bytes], deadline: float, folder: Path
) -> int | None:
    """Run a command to its end, or kill it with all that it has started; return its status, or None."""
    process = subprocess.Popen(
        command,
        stdin=given,
        stdout=written,
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


def _last_output(written: IO[bytes]) -> str:
    end = written.seek(0, os.SEEK_END)
    written.seek(max(0, end - 4 * _SHOWN))
    return _shown(written.read())


def _shown(output: bytes) -> str:
    """Return the last line of an output, as it may be written to a terminal."""
    text = without_secrets(output.decode(errors="replace"))
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    printable = "".join(each if each.isprintable() else " " for each in lines[-1].strip())
    return printable[-_SHOWN:]


def _post(hook: HookSettings, body: bytes) -> Message | None:
    deadline = hook.deadline_seconds
    # Timeouts of a socket begin again with each byte: a thread that is left behind keeps the deadline.
    answer = begin(lambda: _answer(hook.address or "", _headers(hook), body, deadline))
    try:
        status, output = answer.result(deadline)
    except TimeoutError:
        return messages.hook_not_answered(deadline)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return messages.hook_unreachable(reason_of(error))
    return None if 200 <= status < 300 else messages.hook_http_status(status, _shown(output))


def _headers(hook: HookSettings) -> dict[str, str]:
    given = {name: value.get_secret_value() for name, value in hook.headers.items()}
    is_typed = any(name.lower() == "content-type" for name in given)
    return given if is_typed else {"Content-Type": "application/json", **given}


def _answer(
    url: str, headers: Mapping[str, str], body: bytes, deadline: float
) -> tuple[int, bytes]:
    """Post once; a redirection is not followed, as the document would go where it was not meant to."""
    with _pool(url) as pool:
        answer = pool.request(
            "POST",
            url,
            body=body,
            headers=headers,
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
