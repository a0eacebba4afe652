"""The program refuses to begin in one message, with the code of each reason and without a secret."""

import signal

import pulumi
import pytest

from components.ending import before_any_change, ending_clearly
from dualregion.errors import ConfigError, Refused
from dualregion.secrets import HIDDEN
from messages.catalogue import with_code
from messages.config import settings as messages
from tests.raising import assert_message, raises

UNKNOWN = messages.unknown_setting("lostregion")
TOKEN = messages.unknown_setting("token=hunter2-XyZ")


def test_every_problem_of_a_configuration_is_a_reason() -> None:
    with (
        raises("nothing-was-changed", pulumi.RunError, problems=(UNKNOWN, UNKNOWN)),
        before_any_change(),
    ):
        raise ConfigError([UNKNOWN, UNKNOWN])


def test_a_refusal_is_the_only_reason() -> None:
    with raises("nothing-was-changed", pulumi.RunError, problems=(UNKNOWN,)), before_any_change():
        raise Refused(UNKNOWN)


def test_a_secret_in_a_reason_is_not_shown() -> None:
    with pytest.raises(pulumi.RunError) as caught, before_any_change():
        raise Refused(TOKEN)
    (shown,) = caught.value.args
    assert_message(shown, "nothing-was-changed")
    assert "hunter2" not in f"{shown} {shown.facts}"
    assert HIDDEN in shown.facts["problems"][0].facts["key"]


def test_a_code_stands_behind_its_sentence() -> None:
    assert with_code(UNKNOWN) == f"{UNKNOWN} [unknown-setting]"


def test_the_text_of_an_error_that_was_not_foreseen_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def fail() -> None:
        raise LookupError("hunter2")

    with pytest.raises(pulumi.RunError) as caught:
        ending_clearly(fail)
    assert str(caught.value).endswith("[unforeseen]")
    assert "hunter2" not in str(caught.value)
