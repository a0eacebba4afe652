"""Calling the user's own hooks: commands that are started and URLs that are posted to, for real.

Nothing of what a user may have hidden in them, arguments and paths, is ever shown.
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
from dualregion.config.sections.notifications import AnnouncementSettings, HookSettings
from dualregion.errors import ConfigError
from messages import Message, code_of
from messages.config import forms
from messages.config import settings as messages
from tests.checkout import CHECKOUT
from tests.fakes.http import Request, Response, serving
from tests.inputs.examples import settings
from tests.raising import assert_message

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


def test_a_command_need_not_read_the_document(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    assert call(hook("pass"), {"error": "x" * 1_000_000}, tmp_path) is None


def test_a_failing_commands_last_output_is_shown_and_its_arguments_are_not(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    text = "print('x' * 100_000); print('no such zone \\x1b[2J', file=sys.stderr); sys.exit(3)"
    failing = hook(text, TOKEN)
    output = "no such zone  [2J"
    assert_message(call(failing, {}, tmp_path), "hook-exit-status", status=3, output=output)
    assert TOKEN not in f"{failing}"
    silent = call(hook("sys.exit(1)"), {}, tmp_path)
    assert_message(silent, "hook-exit-status", status=1, output="")


def test_a_late_command_is_killed_with_all_that_it_has_started(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    text = (
        "child = subprocess.Popen(['sleep', '600']); "
        "print(child.pid, flush=True); open('pid', 'w').write(str(child.pid)); time.sleep(600)"
    )
    late = hook(text, deadline_seconds=2)
    pid_printed = call(late, {}, tmp_path)
    pid = int((tmp_path / "pid").read_text())
    assert_message(pid_printed, "hook-timed-out", seconds=2, output=str(pid))
    assert _is_gone(pid)


def test_at_ctrl_c_the_command_ends_with_ours(
    hook: Callable[..., HookSettings], tmp_path: Path
) -> None:
    found = hook("open('pid', 'w').write(str(os.getpid())); time.sleep(600)", deadline_seconds=60)
    caller = (
        "import sys; from pathlib import Path; from cli.notify.transport import call; "
        "from dualregion.config.sections.notifications import HookSettings; "
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


def test_a_command_that_is_not_there_or_cannot_be_started_fails(tmp_path: Path) -> None:
    found = HookSettings(command=("./nothing",))
    assert_message(call(found, {}, tmp_path), "hook-program-missing")
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELFnothing")
    broken.chmod(0o755)
    assert_message(call(HookSettings(command=("./broken",)), {}, tmp_path), "hook-not-started")


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


def post(url: str, tmp_path: Path, deadline: int = 60) -> Message | None:
    """Post to a URL; return why that failed, or None. The token is never shown."""
    found = HookSettings.model_validate({"url": url, "deadlineSeconds": deadline})
    failure = call(found, {"point": "failed"}, tmp_path)
    assert TOKEN not in f"{failure} {failure and failure.facts} {found} {found!r}"
    return failure


def test_a_url_gets_the_document_as_json(receiver: Receiver, tmp_path: Path) -> None:
    receiver.status = 204
    assert post(receiver.url(), tmp_path) is None
    ((path, kind, body),) = receiver.got
    assert (path, kind) == (f"/{TOKEN}", "application/json")
    assert json.loads(body) == {"point": "failed"}


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_a_url_refuses_is_shown_and_no_redirection_followed(
    receiver: Receiver, tmp_path: Path, status: int
) -> None:
    receiver.status, receiver.body = status, b"unknown zone\n"
    facts = {"status": status, "output": "unknown zone"}
    assert_message(post(receiver.url(), tmp_path), "hook-http-status", **facts)
    assert len(receiver.got) == 1


def test_a_url_that_does_not_answer_in_time_is_late(receiver: Receiver, tmp_path: Path) -> None:
    receiver.seconds = 5
    failure = post(receiver.url(), tmp_path, deadline=1)
    assert code_of(failure) in ("hook-not-answered", "hook-unreachable")


@pytest.mark.parametrize("where", ["127.0.0.1:1", "nowhere.invalid"])
def test_a_url_that_cannot_be_reached_fails(receiver: Receiver, tmp_path: Path, where: str) -> None:
    assert_message(post(f"http://{where}/{TOKEN}?key={TOKEN}", tmp_path), "hook-unreachable")


def test_the_environments_proxy_counts(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{receiver.address}")
    assert post(f"http://pager.example/{TOKEN}", tmp_path) is None
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
        ({"uri": "https://x"}, messages.unknown_setting("hooks.notify.uri", "hooks.notify.url")),
    ],
)
def test_a_hook_that_cannot_be_called_is_refused_and_its_token_not_shown(
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
    usable = check(HookSettings(command=("sh", "-c", TOKEN)))
    assert usable.code == "check-hook"
    assert_message(usable.found, "hook-not-called", hook="command sh")
    (tmp_path / "hook.py").chmod(0o644)
    for program in ("./hook.py", "no-such-program", "./nothing"):
        found = check(HookSettings(command=(program,)))
        assert found.outcome is Outcome.FAILED
        assert_message(found.found, "program-missing", hook=f"command {program}")
        assert_message(found.remedy, "fix-hook", key="notify")
    url = HookSettings.model_validate({"url": f"https://pager.example/{TOKEN}"})
    assert_message(check(url).found, "hook-not-called", hook="https://pager.example")
