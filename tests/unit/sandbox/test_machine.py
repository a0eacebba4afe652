"""What the sandbox demands of the machine before it makes anything."""

import fcntl
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from sandbox.errors import SandboxError
from sandbox.regions import machine
from sandbox.regions.machine import GIB


@pytest.mark.parametrize(
    ("total_gib", "free_gib", "fits"),
    [
        pytest.param(100, 7, True, id="enough"),
        pytest.param(100, 5, False, id="too little for two regions"),
        pytest.param(1000, 20, False, id="brokers would find it full"),
        pytest.param(1000, 31, True, id="enough of a large disk"),
    ],
)
def test_a_disk_nearly_full_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, total_gib: int, free_gib: int, fits: bool
) -> None:
    disk = SimpleNamespace(total=total_gib * GIB, free=free_gib * GIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk)
    if fits:
        machine.check_space(tmp_path / "not" / "there")
    else:
        with pytest.raises(SandboxError, match=f"{free_gib}.0 GiB"):
            machine.check_space(tmp_path / "not" / "there")


class TestHeld:
    """One command at a time works on a sandbox; sandboxes side by side do not wait for each other."""

    def test_a_second_command_is_refused(self, tmp_path: Path) -> None:
        with machine.locked(tmp_path / "one"):
            with (
                pytest.raises(SandboxError, match="Another command"),
                machine.locked(tmp_path / "one"),
            ):
                raise AssertionError("both hold it")
            # The one that was refused has not taken the first one's lock away.
            with (
                pytest.raises(SandboxError, match="Another command"),
                machine.locked(tmp_path / "one"),
            ):
                raise AssertionError("both hold it")

    def test_sandboxes_side_by_side(self, tmp_path: Path) -> None:
        with machine.locked(tmp_path / "one"), machine.locked(tmp_path / "two"):
            assert machine.lock_file(tmp_path / "one").exists()

    @pytest.mark.parametrize("killed", [False, True])
    def test_it_is_free_again_and_nothing_is_left(self, tmp_path: Path, killed: bool) -> None:
        if killed:
            machine.lock_file(tmp_path / "one").touch()  # a killed command takes its file not away
        for _ in range(2):
            with machine.locked(tmp_path / "one"):
                pass
        assert list(tmp_path.iterdir()) == []

    def test_its_file_is_taken_away_between_opening_and_locking_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The command that held it has ended just then: what is held must be the file that others find."""
        flock, calls = fcntl.flock, list[int]()

        def taken_away_first(held: IO[str], how: int) -> None:
            if not calls:
                machine.lock_file(tmp_path / "one").unlink()
            calls.append(how)
            flock(held, how)

        monkeypatch.setattr(fcntl, "flock", taken_away_first)
        with (
            machine.locked(tmp_path / "one"),
            pytest.raises(SandboxError, match="Another command"),
            machine.locked(tmp_path / "one"),
        ):
            raise AssertionError("both hold it")
        assert len(calls) == 3
