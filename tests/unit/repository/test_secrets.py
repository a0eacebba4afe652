"""No text of an error shows a token, a key or a password: neither ours, nor an unforeseen one."""

import http.client
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
import urllib3

from cli.common import ending_clearly
from cli.errors import Exit
from cli.status.observed.results import result_of
from clients.cluster.reasons import reason_of
from clients.parallel import begin
from dualregion.errors import DualRegionError, unforeseen
from dualregion.secrets import without_secrets
from messages import Message
from tests.checkout import CHECKOUT
from tests.raising import any_message, assert_message, assert_tells, tells

SECRET = "hunter2-XyZ"


@pytest.mark.parametrize(
    "text",
    [
        f"Invalid header value b'Bearer {SECRET}\\n'",
        f"authorization: bearer {SECRET}",
        f"Basic {SECRET}==",
        f"https://me:{SECRET}@host/path",
        f"postgres://{SECRET}@host",
        f"eyJhbGciOi.{SECRET}.{SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
        f"client-key-data: {SECRET}",
        f'{{"token": "{SECRET}"}}',
        f"password={SECRET}&x",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"S3_SECRET_KEY: '{SECRET}'",
        f"PULUMI_CONFIG_PASSPHRASE={SECRET}",
    ],
)
def test_what_looks_like_a_secret_is_replaced(text: str) -> None:
    assert SECRET not in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        '403 Forbidden secrets is forbidden: User "x" cannot list resource "secrets"',
        "GET /v1/topology of camunda-zeebe-gateway:8080 in camunda-london: Connection refused",
        "the token of the brokers' file is not there",
        "a bearer token, or basic authentication, is needed",
        "phase is 'panic': allowed are normal, failover, failback-pending, restored",
        "https://10.0.0.1:6443: no answer in time",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


def chained(outer: Exception, inner: BaseException) -> Exception:
    outer.__cause__ = inner
    return outer


POOL = urllib3.HTTPSConnectionPool("h", 1)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, SECRET), "Connection refused"),
        (OSError(113, SECRET), "No route to host"),
        (socket.gaierror(-2, SECRET), "name-not-resolved"),
        (TimeoutError(SECRET), "silent"),
        (http.client.RemoteDisconnected(SECRET), "connection-closed"),
        (
            urllib3.exceptions.ProtocolError(SECRET, ConnectionResetError(104, SECRET)),
            "connection-broke",
        ),
        (urllib3.exceptions.ReadTimeoutError(POOL, SECRET, SECRET), "silent"),
        (urllib3.exceptions.ProxyError(SECRET, OSError(111, SECRET)), "Connection refused"),
        (ssl.SSLError(1, SECRET), "tls-failed"),
        (
            urllib3.exceptions.MaxRetryError(
                POOL, SECRET, chained(OSError(SECRET), OSError(111, ""))
            ),
            "Connection refused",
        ),
        (urllib3.exceptions.LocationParseError(SECRET), "LocationParseError"),
        (ValueError(f"Invalid header value {SECRET}"), "ValueError"),
        (OSError(SECRET), "OSError"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_reasons_are_in_words_of_our_own(error: Exception, words: str) -> None:
    assert_tells(reason_of(error), words)
    assert not tells(reason_of(error), SECRET)


def test_an_unforeseen_answer_is_not_shown() -> None:
    def ask() -> None:
        raise AttributeError(SECRET)

    found = result_of(begin(ask), time.monotonic() + 5)
    assert isinstance(found.error, Message)
    assert_message(found.error, "answer-unexpected")
    assert "AttributeError" in found.error.facts["where"]
    assert SECRET not in f"{found.error} {found.error.facts}"


def test_an_unforeseen_error_names_its_place_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as ended, ending_clearly(Exit.CANNOT_TELL):
        raise LookupError(SECRET)
    shown = capsys.readouterr()
    assert ended.value.exit_code == Exit.CANNOT_TELL
    assert shown.err.endswith("[command-fault]\n")
    assert SECRET not in shown.out + shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("error", [typer.Exit(3), typer.Abort(), typer.BadParameter("x")])
def test_how_a_command_ends_by_itself_is_left_alone(error: Exception) -> None:
    with pytest.raises(type(error)), ending_clearly():
        raise error


def test_the_place_of_an_error_is_the_projects_own() -> None:
    with pytest.raises(OSError, match="nowhere") as caught:
        Path("/nowhere").read_text()
    assert unforeseen(caught.value).startswith(
        "FileNotFoundError at tests/unit/repository/test_secrets.py:"
    )
    assert unforeseen(DualRegionError(any_message(SECRET))) == "DualRegionError"


def test_an_error_outside_every_command_is_shown_alike() -> None:
    program = (
        "import cli.__main__ as it\n"
        f"def failing(**_): raise LookupError('{SECRET}')\n"
        "it.app = failing\n"
        "it.run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == Exit.FAILED
    assert "did not foresee (LookupError" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
