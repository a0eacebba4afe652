"""A drill is interrupted once, in order, by a signal or by an output that is not read any more."""

import subprocess
import sys
from pathlib import Path

import pytest

from drill.errors import DrillInterrupted
from drill.operators.signals import Interruption
from tests.checkout import CHECKOUT

TALKING = """
import signal
from drill.errors import DrillInterrupted
from drill.operators.signals import Interruption, Output

interruption = Interruption()
console = Output(interruption)
with interruption.by_signals(console):
    try:
        for number in range(1_000_000):
            console.print(f"line {number}")
    except DrillInterrupted as error:
        # What the taking down says: it is not read, and it must not stop for that.
        for number in range(1_000):
            console.print(f"taking down {number}")
            print("plainly", flush=True)
        signal.raise_signal(signal.SIGTERM)
        open("end", "w").write(str(error))
"""


def test_an_output_that_is_not_read_on_ends_it_in_order(tmp_path: Path) -> None:
    drill = subprocess.Popen(
        [sys.executable, "-c", TALKING],
        cwd=tmp_path,
        env={"PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert drill.stdout is not None
    assert drill.stderr is not None
    with drill.stderr as errors:
        assert drill.stdout.readline() == "line 0\n"
        drill.stdout.close()
        assert errors.read() == ""
    assert drill.wait() == 0
    assert (tmp_path / "end").read_text() == "interrupted by the end of its output's reader"


def test_it_is_interrupted_once() -> None:
    interruption = Interruption()
    with pytest.raises(DrillInterrupted, match="interrupted by SIGTERM"):
        interruption.interrupt("SIGTERM")
    interruption.interrupt("SIGINT")
    assert interruption.interrupted


def test_the_taking_down_is_not_interrupted() -> None:
    interruption = Interruption()
    interruption.calm()
    interruption.interrupt("SIGTERM")
    assert not interruption.interrupted


class TestSeries:
    """Several drills, one after the other, by one command."""

    def test_each_can_be_interrupted_and_its_taking_down_not(self) -> None:
        interruption = Interruption()
        interruption.begin_another()
        interruption.calm()
        interruption.begin_another()
        with pytest.raises(DrillInterrupted):
            interruption.interrupt("SIGINT")

    def test_what_came_while_one_was_taken_down_lets_no_other_begin(self) -> None:
        interruption = Interruption()
        interruption.calm()
        interruption.interrupt("SIGINT")
        assert (interruption.interrupted, interruption.is_wanted) == (False, True)
        interruption.begin_another()
        interruption.interrupt("SIGINT")
        assert not interruption.interrupted
