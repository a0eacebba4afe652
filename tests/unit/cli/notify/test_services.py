"""Chats, paging services and mail addresses that are told in words, by the real Apprise at receivers on this machine.

Nothing of an address is ever shown: any part of it may be a token.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.check import Outcome
from cli.driver.driver import Driver
from cli.errors import PulumiFailed
from cli.notify import services
from cli.notify.notifier import Notifier, trial_document
from cli.notify.services import tell, words
from dualregion.config.sections.notifications import POINTS, AnnouncementSettings, ServiceSettings
from dualregion.errors import ConfigError
from messages import Message, code_of
from messages.command import driving
from messages.config import forms
from messages.config import settings as messages
from tests.checkout import CHECKOUT
from tests.fakes import pulumi_command
from tests.fakes.http import Request, Response, serving
from tests.inputs.examples import settings
from tests.raising import assert_message, raises
from tests.unit.cli.driver.test_driver import WAY
from tests.unit.cli.notify.test_notifier import POINTS as MILESTONES
from tests.unit.cli.notify.test_notifier import Hooked

TOKEN = "t0ken-of-the-user"


@dataclass
class Receiver:
    """A service on this machine."""

    status: int = 200
    seconds: float = 0
    got: list[tuple[str, Mapping[str, Any], str | None]] = field(default_factory=list)
    address: str = ""

    def url(self, more: str = "") -> str:
        return f"json://ada:{TOKEN}@{self.address}/{TOKEN}?+X-Route={TOKEN}{more}"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Receiver()

    def answer(request: Request) -> Response:
        found.got.append((request.path, json.loads(request.body), request.headers["X-Route"]))
        time.sleep(found.seconds)
        return Response(TOKEN.encode(), found.status)

    with serving(answer) as found.address:
        yield found


def service(url: str, **more: Any) -> ServiceSettings:
    return ServiceSettings.model_validate({"url": url, **more})


def document(**changes: Any) -> dict[str, Any]:
    return trial_document("ada@desk", datetime(2026, 1, 2, 3, tzinfo=UTC)) | changes


def region(number: int) -> dict[str, Any]:
    return {"region": number, "name": ("london", "paris")[number]}


def told(url: str, **more: Any) -> Message | None:
    """Tell a service; return why that failed, or None. The token is never shown."""
    found = service(url, **more)
    failure = tell(found, document())
    assert TOKEN not in f"{failure} {failure and failure.facts} {found} {found!r}"
    return failure


def test_a_service_gets_words_for_people(receiver: Receiver) -> None:
    assert told(receiver.url()) is None
    ((path, body, header),) = receiver.got
    assert (path.partition("?")[0], header) == (f"/{TOKEN}", TOKEN)
    assert (body["title"], body["message"]) == words(document())
    assert body["type"] == "info"


def test_the_words_say_what_where_who_and_when() -> None:
    title, text = words(
        document(
            point="failed",
            title="the command has failed",
            incident="1-region1-lost",
            phase="failover",
            lostRegion=region(1),
            survivor=region(0),
            trafficTo=[region(0)],
            error="F2: timed out, password=hunter2-XyZ",
            code="step-timed-out",
        )
    )
    assert title == "Camunda, paris: the command has failed"
    assert text.splitlines() == [
        "Lost region: paris (1)",
        "Survivor: london (0)",
        "Clients belong to: london",
        "Error: F2: timed out, password=[secret] [step-timed-out]",
        "Incident: 1-region1-lost, phase failover",
        "By ada@desk at 2026-01-02T03:00:00+00:00",
    ]


@pytest.mark.parametrize("status", [401, 404, 500])
def test_what_a_service_refuses_is_reported_without_its_address(
    receiver: Receiver, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.status = status
    failure = told(receiver.url())
    assert_message(failure, "notification-refused")
    assert failure is not None
    assert str(status) in failure.facts["output"]
    assert capfd.readouterr() == ("", "")


def test_a_service_that_cannot_be_reached_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    assert_message(told(f"json://127.0.0.1:1/{TOKEN}"), "notification-refused")
    assert capfd.readouterr() == ("", "")


def test_a_service_has_a_deadline(receiver: Receiver) -> None:
    receiver.seconds = 3
    began = time.monotonic()
    assert_message(told(receiver.url(), deadlineSeconds=1), "notification-unanswered", seconds=1)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("url", [f"nonsense://{TOKEN}", f"slack://{TOKEN}", f"https://x/{TOKEN}"])
def test_an_address_that_apprise_does_not_know_is_reported(
    url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert_message(told(url), "notification-address-unknown")
    (check,) = services.checks(AnnouncementSettings(services=(service(url),)))
    assert check.outcome is Outcome.FAILED
    assert_message(check.remedy, "fix-service", key="hooks.services[0]")
    assert capfd.readouterr() == ("", "")


KNOWN = {
    "Slack": f"slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#{TOKEN}",
    "Pager Duty": f"pagerduty://integrationkey@{TOKEN}",
    "E-Mail": f"mailtos://ada:{TOKEN}@example.com?to=bridge@example.com",
    "Power Automate / Workflows (for MSTeams)": f"workflows://host:443/{TOKEN}/SIGNATURE/",
    "Opsgenie": "opsgenie://a2b3c4d5-0000-4000-8000-000000000000/@bridge",
}


@pytest.mark.parametrize("kind", KNOWN)
def test_a_preflight_names_the_kind_and_sends_nothing(kind: str) -> None:
    (check,) = services.checks(AnnouncementSettings(services=(service(KNOWN[kind]),)))
    assert check.outcome is Outcome.OK
    assert_message(check.found, "notification-not-sent", kind=kind)
    assert TOKEN not in f"{check.name} {check.found}"


def test_each_kind_of_address_in_the_document_is_one_that_apprise_knows() -> None:
    text = (CHECKOUT / "docs" / "prepare" / "hooks.md").read_text()
    cells = (line.split("|")[2].strip() for line in text.splitlines() if line.startswith("| "))
    addresses = [each.split("`")[1] for each in cells if re.match(r"`[a-z]+://", each)]
    assert len(addresses) == 7
    for each in addresses:
        (check,) = services.checks(AnnouncementSettings(services=(service(each),)))
        assert check.outcome is Outcome.OK, each


def test_what_is_shown_of_a_service_is_its_name_or_its_kind() -> None:
    assert str(service(KNOWN["Slack"])) == "slack"
    assert str(service(KNOWN["Slack"], name="bridge")) == "bridge"


def refused(part: str, rule: Message, shown: str | None = None) -> Message:
    return messages.setting_refused(f"hooks.services[0].{part}", shown, rule)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"url": TOKEN}, refused("url", forms.service_address_needed())),
        ({"url": f"slack://{TOKEN} z"}, refused("url", forms.service_address_needed())),
        (
            {"url": "slack://x", "points": ["failed", "done"]},
            refused("points", forms.word_needed(", ".join(POINTS)), "'done'"),
        ),
        ({"name": "x"}, messages.setting_missing("hooks.services[0].url", forms.required())),
    ],
)
def test_a_service_that_cannot_be_told_is_refused(given: dict[str, Any], expected: Message) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(hooks={"services": [given]})
    assert caught.value.message == expected
    assert TOKEN not in f"{caught.value} {expected.facts}"


# --- At the points of the procedure -------------------------------------------------------------------------------


@dataclass
class Told(Hooked):
    """Played stacks whose services are told."""

    hooks: Mapping[str, Any] = field(
        default_factory=lambda: {
            "services": [
                {"url": "slack://a/b/c", "name": "bridge"},
                {"url": "pagerduty://a@b", "points": ["failover-begun", "failed"]},
            ]
        }
    )
    seconds: float = 0
    refusing: bool = False
    told: list[tuple[str, str]] = field(default_factory=list)

    def driver(self, until: str | None = None) -> Driver:
        return Driver(self, until, Notifier(self._call, self.shown.append, "ada@desk", self._tell))

    def _tell(self, found: ServiceSettings, about: Mapping[str, Any]) -> Message | None:
        time.sleep(self.seconds)
        self.told.append((str(found), about["point"]))
        return driving.notification_refused("404") if self.refusing else None


def test_services_are_told_of_every_point_or_of_those_that_they_name() -> None:
    played = Told()
    played.way()
    assert played.ups == WAY
    assert sorted(point for name, point in played.told if name == "bridge") == sorted(MILESTONES)
    assert [each for each in played.told if each[0] == "pagerduty"] == [
        ("pagerduty", "failover-begun")
    ]


def test_a_failure_is_told_before_the_command_ends() -> None:
    failed = driving.up_failed("region0", "F1: waited 900 s")
    played = Told(errors={0: PulumiFailed(failed)}, seconds=0.2)
    with raises("up-failed", PulumiFailed):
        played.way()
    assert {("bridge", "failed"), ("pagerduty", "failed")} <= set(played.told)


def test_services_that_fail_are_reported_and_all_continues() -> None:
    played = Told(refusing=True)
    played.way()
    assert played.ups == WAY
    failures = [each for each in played.shown if code_of(each) == "notification-failed"]
    assert len(failures) == len(played.told) == len(MILESTONES) + 1


def test_a_slow_service_holds_nothing_up() -> None:
    """The procedure does not wait for it, only the end of each command does."""
    played = Told(seconds=0.5)
    began = time.monotonic()
    played.way()
    assert time.monotonic() - began < 0.5 * len(MILESTONES)
    assert len(played.told) == len(MILESTONES) + 1


# --- `dualregion notify` -------------------------------------------------------------------------------------------


def notified(
    folder: Path, monkeypatch: pytest.MonkeyPatch, hooks: Mapping[str, Any], *options: str
) -> tuple[int, str]:
    pulumi_command.make_project(folder)
    pulumi = pulumi_command.install(folder, monkeypatch)
    for index in (0, 1):
        pulumi.stack(f"region{index}", index, hooks=hooks)
    result = CliRunner().invoke(app, ["-C", str(folder), "notify", *options])
    return result.exit_code, result.output


def hooks_of(receiver: Receiver) -> dict[str, Any]:
    return {
        "notify": {"url": f"http://{receiver.address}/{TOKEN}", "headers": {"X-Route": TOKEN}},
        "trafficReroute": {"command": ["false"]},
        "services": [{"url": receiver.url(), "name": "bridge", "points": ["failed"]}],
    }


def test_the_command_shows_who_would_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    status, shown = notified(tmp_path, monkeypatch, hooks_of(receiver))
    assert status == 0
    assert shown.splitlines() == [
        f"hooks.notify: http://{receiver.address}",
        "hooks.services[0]: bridge, of failed",
    ]
    assert receiver.got == []


def test_the_command_tries_each_and_reroutes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    status, shown = notified(tmp_path, monkeypatch, hooks_of(receiver), "--test")
    assert (status, shown.count(": sent")) == (0, 2)
    assert TOKEN not in shown
    assert sorted(header or "" for _, _, header in receiver.got) == [TOKEN, TOKEN]
    bodies = [body for _, body, _ in receiver.got]
    assert [each["point"] for each in bodies if "point" in each] == ["test"]


def test_the_command_fails_if_one_was_not_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    receiver.status = 404
    status, shown = notified(tmp_path, monkeypatch, hooks_of(receiver), "--test")
    assert status == 1
    assert "[notification-refused]" in shown
    assert "[hook-http-status]" in shown
    assert "[test-unreached]" in shown


def test_without_any_receiver_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, shown = notified(tmp_path, monkeypatch, {"trafficReroute": {"command": ["x"]}})
    assert status == 1
    assert "[nothing-to-notify]" in shown


def test_the_libraries_are_read_by_no_command_before_they_are_needed() -> None:
    program = (
        "import pkgutil, sys, cli.__main__, cli.commands as all_of_them\n"
        "for each in pkgutil.iter_modules(all_of_them.__path__, 'cli.commands.'):\n"
        "    __import__(each.name)\n"
        "assert 'cli.commands.notify' in sys.modules\n"
        "sys.exit(bool({'apprise', 'prometheus_client'} & set(sys.modules)))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, check=True)


# --- Mail ----------------------------------------------------------------------------------------------------------


class Mailbox(StreamRequestHandler):
    """A mail relay that takes one message, by the few words of SMTP that it takes."""

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.partition(" ")[0].upper()
            if word == "EHLO":
                self._say("250-here", "250 AUTH PLAIN")
            elif word == "AUTH":
                self._say("235 welcome")
            elif word == "DATA":
                self._say("354 go on")
                self.server.got = list(iter(self.rfile.readline, b".\r\n"))  # type: ignore[attr-defined]
                self._say("250 taken")
            else:
                self._say("221 bye" if word == "QUIT" else "250 ok")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


def test_a_mail_is_sent() -> None:
    with ThreadingTCPServer(("127.0.0.1", 0), Mailbox) as relay:
        Thread(target=relay.serve_forever, daemon=True).start()
        port = relay.server_address[1]
        address = f"mailto://ada:{TOKEN}@127.0.0.1:{port}?mode=insecure&smtp=127.0.0.1"
        assert told(f"{address}&from=dualregion@example.com&to=bridge@example.com") is None
        relay.shutdown()
        mail = message_from_bytes(b"".join(relay.got))  # type: ignore[attr-defined]
    title, text = words(document())
    assert (mail["To"], mail["Subject"]) == ("bridge@example.com", title)
    body = next(each for each in mail.walk() if each.get_content_type() == "text/plain")
    payload = body.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert text.split() == payload.decode().split()
