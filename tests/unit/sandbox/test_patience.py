"""A slow machine gets more time, by one variable, wherever the sandbox, the drill or a test waits."""

import time

import pytest

from drill.errors import DrillError
from drill.waiting import wait_for
from sandbox.errors import SandboxError
from sandbox.patience import VARIABLE, allowed


def test_a_slow_machine_has_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert allowed(90) == 90
    monkeypatch.setenv(VARIABLE, "2.5")
    assert allowed(90) == 225
    began = time.monotonic()
    with pytest.raises(DrillError, match="waited 1 s until it is there"):
        wait_for("it is there", lambda: "nothing", 0.4, print)
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("text", ["0.5", "0", "-1", "nan", "inf", "slow"])
def test_what_is_no_factor_is_refused_with_the_variable_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(SandboxError, match=f"{VARIABLE} is '{text}': a number from 1 on is needed"):
        allowed(1)
