"""What all tests share."""

import signal
from types import FrameType

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a nightly run look longer for inputs that break something."""
    parser.addoption(
        "--budget",
        type=float,
        default=None,
        metavar="SECONDS",
        help="how long each property test tries random inputs; by default as many as fit in a second or two",
    )
    parser.addoption(
        "--seed", type=int, default=None, help="where the random inputs of property tests begin"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the property tests: those that take seeds."""
    for item in items:
        if "seeds" in getattr(item, "fixturenames", ()):
            item.add_marker("property")


def pytest_configure(config: pytest.Config) -> None:
    """Let SIGTERM end the tests as Ctrl-C does: fixtures take down what they started.

    And let Ctrl-C be heard: a shell has what it starts in the background ignore it, and so all that this starts.
    """

    def interrupt(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(f"ended by {signal.Signals(number).name}")

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)
