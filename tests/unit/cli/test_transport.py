"""Calling the user's own hooks: commands that are started and URLs that are posted to, for real.

Nothing of what a user may have hidden in them, arguments and paths, is ever told.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli.check import Check, Outcome
from cli.notify import transport
from cli.notify.transport import call
from dualregion.config.notifications import AnnouncementSettings, HookSettings
from dualregion.errors import ConfigError
from dualregion.messages import Message, forms
from dualregion.messages import settings as messages
from tests.checkout import CHECKOUT
from tests.fakes.http import Request, Response, serving
from tests.inputs.examples import settings

TOKEN = "t0ken-of-the-user"


@pytest.fixture
def hook(tmp_path: Path) -> Callable[..., HookSettings]:
    """Makes an executable of a piece of Python in the project's folder."""

    def make(text: str, *arguments: str, **more: Any) -> HookSettings:
        script = tmp_path / "hook.py"
        script.write_text(f"#!{sys.executable}\nimport os, sys, subprocess, time\n{text}\n")
        script.chmod(0o755)
        return HookSettings(command=("./hook.py", *arguments), **more)

    return make


def test_a_command_gets_the_document_and_its_arguments_without_a_shell(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    text = "open('got', 'w').write(sys.stdin.read()); open('arguments', 'w').write(sys.argv[1])"
    argument = "$(touch shell); x > y"
    assert call(hook(text, argument), {"point": "failed", "error": "öffne"}, tmp_path) is None
    assert json.loads((tmp_path / "got").read_text()) == {"point": "failed", "error": "öffne"}
    assert (tmp_path / "arguments").read_text() == argument
    assert not (tmp_path / "shell").exists()


def test_a_command_need_not_read_what_it_is_told(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    assert call(hook("pass"), {"error": "x" * 1_000_000}, tmp_path) is None


def test_a_failing_commands_last_words_are_told_and_its_arguments_are_not(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    text = "print('x' * 100_000); print('no such zone \\x1b[2J', file=sys.stderr); sys.exit(3)"
    failing = hook(text, TOKEN)
    assert call(failing, {}, tmp_path) == "exit status 3, saying: no such zone  [2J"
    assert TOKEN not in f"{failing}"
    assert call(hook("sys.exit(1)"), {}, tmp_path) == "exit status 1, without a word"


def test_a_late_command_is_killed_with_all_that_it_has_started(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    text = (
        "child = subprocess.Popen(['sleep', '600']); "
        "print(child.pid, flush=True); open('pid', 'w').write(str(child.pid)); time.sleep(600)"
    )
    late = hook(text, deadline_seconds=2)
    assert (call(late, {}, tmp_path) or "").startswith("no end after 2 s, saying: ")
    pid = int((tmp_path / "pid").read_text())
    assert _is_gone(pid)


def test_at_ctrl_c_the_command_ends_with_ours(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    found = hook("open('pid', 'w').write(str(os.getpid())); time.sleep(600)", deadline_seconds=60)
    caller = (
        "import sys; from pathlib import Path; from cli.notify.transport import call; "
        "from dualregion.config.notifications import HookSettings; "
        "call(HookSettings(command=sys.argv[2:]), {}, Path(sys.argv[1]))"
    )
    ours = subprocess.Popen(
        [sys.executable, "-c", caller, tmp_path, *(found.command or ())],
        stderr=subprocess.DEVNULL,
        cwd=CHECKOUT,
    )
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert ours.poll() is None
        time.sleep(0.05)
    ours.send_signal(signal.SIGINT)
    assert ours.wait() != 0
    assert _is_gone(int((tmp_path / "pid").read_text()))


def _is_gone(pid: int) -> bool:
    """Whether a process has ended; its parent may still have to take note of it."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            return True
        time.sleep(0.05)
    return False


def test_a_command_may_leave_something_running(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    text = "open('pid', 'w').write(str(subprocess.Popen(['sleep', '600']).pid))"
    try:
        assert call(hook(text, deadline_seconds=60), {}, tmp_path) is None
    finally:
        os.kill(int((tmp_path / "pid").read_text()), 9)


def test_a_command_that_is_not_there_or_cannot_be_started_is_told(tmp_path: Path) -> None:
    found = HookSettings(command=("./nothing",))
    assert "there is no such program" in (call(found, {}, tmp_path) or "")
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELFnothing")
    broken.chmod(0o755)
    assert "could not be started" in (call(HookSettings(command=("./broken",)), {}, tmp_path) or "")


@dataclass
class Receiver:
    """An HTTP server that keeps what it gets."""

    status: int = 200
    body: bytes = b""
    seconds: float = 0
    got: list[tuple[str, str, bytes]] = field(default_factory=list)
    address: str = ""

    def url(self, path: str = f"/{TOKEN}") -> str:
        return f"http://{self.address}{path}"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Receiver()

    def answer(request: Request) -> Response:
        found.got.append((request.path, str(request.headers["Content-Type"]), request.body))
        time.sleep(found.seconds)
        return Response(found.body, found.status, {"Location": "/elsewhere"})

    with serving(answer) as found.address:
        yield found


def post(url: str, tmp_path: Path, deadline: int = 60) -> str:
    """Post to a URL; return why that failed, or an empty text. The token is never told."""
    found = HookSettings.model_validate({"url": url, "deadlineSeconds": deadline})
    said = call(found, {"point": "failed"}, tmp_path) or ""
    assert TOKEN not in f"{said} {found} {found!r}"
    return said


def test_a_url_gets_the_document_as_json(receiver: Receiver, tmp_path: Path) -> None:
    receiver.status = 204
    assert post(receiver.url(), tmp_path) == ""
    ((path, kind, body),) = receiver.got
    assert (path, kind) == (f"/{TOKEN}", "application/json")
    assert json.loads(body) == {"point": "failed"}


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_a_url_refuses_is_told_and_no_redirection_followed(
    receiver: Receiver, tmp_path: Path, status: int
) -> None:
    receiver.status, receiver.body = status, b"unknown zone\n"
    assert post(receiver.url(), tmp_path) == f"status {status}, saying: unknown zone"
    assert len(receiver.got) == 1


def test_a_url_that_does_not_answer_in_time_is_late(receiver: Receiver, tmp_path: Path) -> None:
    receiver.seconds = 5
    said = post(receiver.url(), tmp_path, deadline=1)
    assert "no answer after 1 s" in said or "timed out" in said


@pytest.mark.parametrize("where", ["127.0.0.1:1", "nowhere.invalid"])
def test_a_url_that_cannot_be_reached_is_told(
    receiver: Receiver, tmp_path: Path, where: str
) -> None:
    said = post(f"http://{where}/{TOKEN}?key={TOKEN}", tmp_path)
    assert said.startswith("it could not be reached (")


def test_the_environments_proxy_counts(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{receiver.address}")
    assert post(f"http://pager.example/{TOKEN}", tmp_path) == ""
    assert receiver.got[0][0] == f"http://pager.example/{TOKEN}"


def refused(key: str, rule: Message) -> Message:
    """Return how a setting of the hook is refused: without its value, which may hold a token."""
    return messages.setting_refused(f"hooks.notify.{key}", None, rule)


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ({}, messages.hook_ambiguous("hooks.notify", both=False)),
        (
            {"command": ["x"], "url": f"https://x/{TOKEN}"},
            messages.hook_ambiguous("hooks.notify", both=True),
        ),
        ({"command": []}, refused("command", forms.program_needed())),
        (
            {"command": f"curl {TOKEN}"},
            refused("command", forms.list_needed("hooks.notify.command")),
        ),
        ({"url": f"ftp://x/{TOKEN}"}, refused("url", forms.web_address_needed())),
        ({"url": f"https:///{TOKEN}"}, refused("url", forms.web_address_needed())),
        ({"url": f"https://x:y/{TOKEN}"}, refused("url", forms.web_address_needed())),
        ({"url": f"https://x/{TOKEN} z"}, refused("url", forms.web_address_needed())),
        (
            {"url": f"https://ada:{TOKEN}@x/"},
            refused("url", forms.address_without_password_needed()),
        ),
        (
            {"url": "https://x", "deadlineSeconds": 0},
            refused("deadlineSeconds", forms.whole_number_needed(1, 86400)),
        ),
        ({"uri": "https://x"}, messages.unknown_setting("hooks.notify.uri")),
    ],
)
def test_a_hook_that_cannot_be_called_is_refused_and_its_token_not_told(
    hook: dict[str, Any], expected: Message
) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(hooks={"notify": hook})
    assert caught.value.message == expected
    assert TOKEN not in f"{caught.value} {expected.facts}"


def test_a_hook_has_a_minute_and_is_not_required() -> None:
    found = settings(hooks={"trafficReroute": {"url": f"https://x:8443/{TOKEN}"}}).hooks
    assert found.notify is None
    assert found.traffic_reroute is not None
    assert (found.traffic_reroute.deadline_seconds, found.traffic_reroute.required) == (60, False)
    assert str(found.traffic_reroute) == "https://x:8443"


def test_an_argument_may_look_like_a_number() -> None:
    found = settings(hooks={"notify": {"command": ["./page", 42]}}).hooks.notify
    assert found is not None
    assert found.command == ("./page", "42")


def test_preflight_finds_programs_and_calls_none(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    def check(notify: HookSettings) -> Check:
        (found,) = transport.checks(AnnouncementSettings(notify=notify), tmp_path)
        return found

    assert check(hook("open('called', 'w')")).outcome is Outcome.OK
    assert not (tmp_path / "called").exists()
    assert check(HookSettings(command=("sh", "-c", TOKEN))).found == "command sh, not called"
    (tmp_path / "hook.py").chmod(0o644)
    for program in ("./hook.py", "no-such-program", "./nothing"):
        found = check(HookSettings(command=(program,)))
        assert found.outcome is Outcome.FAILED
        assert f"command {program}: there is no such program" in found.found
        assert "hooks.notify.command" in found.remedy
    url = HookSettings.model_validate({"url": f"https://pager.example/{TOKEN}"})
    assert check(url).found == "https://pager.example, not called"
