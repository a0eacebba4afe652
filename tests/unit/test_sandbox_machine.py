"""What the sandbox demands of the machine before it makes anything."""

import shutil
from pathlib import Path
from types import SimpleNamespace

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
        with pytest.raises(SandboxError, match="GiB free, the sandbox needs"):
            machine.check_space(tmp_path / "not" / "there")
