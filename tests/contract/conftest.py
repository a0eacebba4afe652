"""The target of the contract: the rehearsal broker on loopback addresses, or what `--at` names."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.cache import cache_root
from sandbox.setup.part import make
from sandbox.setup.parts.gotools import broker_part
from tests.contract.asking import whole
from tests.contract.from_file import target_at
from tests.contract.loopback import Loopback
from tests.contract.target import Target


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--at",
        default=os.environ.get("CONTRACT_AT", ""),
        help="a file that names a broker and gateway by address (docs/develop/contract.md); "
        "without it: the rehearsal broker, started on loopback addresses",
    )


@pytest.fixture(scope="session")
def binary() -> Path:
    """The rehearsal broker, made from what is in the checkout unless the set-up has made it already."""
    given = os.environ.get("REHEARSAL_BROKER")
    if given:
        return Path(given).absolute()
    part = broker_part()
    if not part.made:
        cache_root().mkdir(parents=True, exist_ok=True)
        # The set-up's own lock: it sweeps away what others have not finished.
        with (cache_root() / "setup.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not part.made:
                make(part)
    return part.folder / "bin" / "rehearsal-broker"


class Targets:
    """The target of one test process that plays one version; it may have to be made again."""

    def __init__(self, folder: Path, binary: Path, version: str) -> None:
        self._folder = folder
        self._binary = binary
        self._version = version
        self._made = 0
        self._loopback: Loopback | None = None

    def whole(self) -> Target:
        """Return the target when it is whole; one that the last test has left beyond repair is given up."""
        if self._loopback:
            try:
                self._loopback.restore()
                whole(self._loopback.target())
            except AssertionError as error:
                print(f"the target is not whole any more, another is started: {error}")
                self.close()
            else:
                return self._loopback.target()
        self._made += 1
        folder = self._folder / f"target-{self._version}-{self._made}"
        self._loopback = Loopback(folder, self._binary, self._version).__enter__()
        whole(self._loopback.target())
        return self._loopback.target()

    def close(self) -> None:
        """Take the target down."""
        if self._loopback:
            self._loopback.close()
            self._loopback = None


@pytest.fixture(scope="session")
def targets(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Targets]]:
    """The rehearsal broker on loopback addresses, by the version that it plays."""
    folder = tmp_path_factory.mktemp("contract")
    made: dict[str, Targets] = {}

    def of(version: str) -> Targets:
        for other, each in made.items():
            if other != version:
                each.close()
        if version not in made:
            made[version] = Targets(folder, request.getfixturevalue("binary"), version)
        return made[version]

    try:
        yield of
    finally:
        for each in made.values():
            each.close()


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """The target, whole: each test finds it so, whatever the one before has done."""
    asked: dict[str, Any] = getattr(getattr(request.node, "callspec", None), "params", {})
    at = request.config.getoption("--at")
    if not at:
        targets: Targets = request.getfixturevalue("targets")(asked.get("version", "8.5"))
        yield targets.whole()
        if "expectation" in asked and asked["expectation"].changes_members:
            targets.close()
        return
    named = target_at(Path(at))
    whole(named)
    try:
        yield named
    finally:
        for engine in named.engines:
            engine.start()
        named.hands.restore()
        # Nothing may stay paused in a cluster that lives on.
        whole(named)
