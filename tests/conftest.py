"""What all tests share: options, limits of time, and that they end in good order."""

import faulthandler
import os
import signal
from pathlib import Path
from types import FrameType

import pytest

from messages import catalogue
from sandbox.errors import SandboxError
from sandbox.patience import allowed
from tests import parts

LIMITS = {"unit": 300.0, "browser": 300.0, "contract": 900.0, "engine": 900.0, "sandbox": 1800.0}
"""After how many seconds a test of a folder counts as hanging, what it sets up and takes down included."""
LIMIT_OF_DRILLS = 7200.0
"""The same of all other folders, each of whose tests may be a whole drill."""
GRACE_SECONDS = 300.0
"""How long one that was ended may then take to take down what it has started: a drill, two regions."""
_STDERR = pytest.StashKey[int]()
"""The standard error of the whole run: a test's own is captured."""
_END = pytest.StashKey[float]()
"""After how many seconds a test's process ends, if nothing else has helped; 0 for never, as with `--timeout 0`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a nightly run look longer for inputs that break something, and a change be recorded."""
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
    parser.addoption(
        "--record",
        action="store_true",
        help="write again what is recorded: what users' states and scripts hold, the sandbox's plan (tests/unit/golden)",
    )
    parser.addoption(
        "--complete",
        action="store_true",
        help="fail where a part of the set-up is missing, instead of skipping the tests that need it",
    )
    parser.addoption(
        "--codes",
        action="store_true",
        help="show each message's code instead of its sentence, but in the tests of sentences: no text decides anything",
    )
    parser.addoption(
        "--axe",
        metavar="FILE",
        help="axe-core's axe.min.js, which the tests in a real browser need",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let SIGTERM end the tests as Ctrl-C does: fixtures take down what they started.

    And let Ctrl-C be heard: a shell has what it starts in the background ignore it, and so all that this starts.
    """

    def interrupt(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(f"ended by {signal.Signals(number).name}")

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[_STDERR] = os.dup(2)
    parts.demanded = config.getoption("--complete")
    catalogue.CODES_ONLY = config.getoption("--codes")
    try:
        allowed(0)
    except SandboxError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let a bare `pytest` use every core; a process that it starts has no arguments either."""
    if not config.invocation_params.args and not hasattr(config, "workerinput"):
        config.option.numprocesses, config.option.maxprocesses = "logical", 8


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is left out where no folder is named."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return []
    return ["unit tests only; `make help` lists the others: contract, engine, sandbox and drills"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the property tests, those that take seeds, and give every test its limit, unless one is given."""
    if config.getoption("--codes"):
        items[:] = [item for item in items if item.get_closest_marker("golden") is None]
    grace, given = allowed(GRACE_SECONDS), config.getoption("timeout")
    for item in items:
        if "seeds" in getattr(item, "fixturenames", ()):
            item.add_marker("property")
        limit = _limit(item) if given is None else given
        item.stash[_END] = limit and limit + grace
        if given is None and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(limit))


def _limit(item: pytest.Item) -> float:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    budget: float | None = item.config.getoption("--budget")
    return allowed(LIMITS.get(folder, LIMIT_OF_DRILLS)) + (budget or 0)


# A test that hangs is ended by an exception in its main thread, so that fixtures take down what they started. One that
# waits for a thread hangs on even then: so the process ends, with all stacks, if nothing else has helped. pytest cancels
# that when somebody debugs, and when a test fails; so taking down is watched again.


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Watch a test."""
    _watch(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Watch how it takes down what it has started."""
    _watch(item)


def pytest_runtest_logfinish() -> None:
    """Watch no more."""
    faulthandler.cancel_dump_traceback_later()


def _watch(item: pytest.Item) -> None:
    if end := item.stash[_END]:
        faulthandler.dump_traceback_later(end, exit=True, file=item.config.stash[_STDERR])
