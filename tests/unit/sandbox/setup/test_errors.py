"""Whatever the machine or a registry refuses reaches the user as a clear sentence with its remedy."""

import fcntl
import io
import os
import platform
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import IO, cast

import pytest
from rich.console import Console

from sandbox import setup
from sandbox.cache import cache_root
from sandbox.errors import SandboxError
from sandbox.setup import debian, machine
from sandbox.setup.part import Part
from sandbox.setup.parts import gotools, java
from sandbox.setup.run import run
from sandbox.setup.tools import load
from tests.checkout import CHECKOUT


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_load_names_what_is_missing_and_the_command_that_makes_it() -> None:
    with pytest.raises(SandboxError, match=r"image-seed.*etcd.*`make setup`"):
        load()


def test_a_failed_command_shows_its_last_lines_its_log_and_the_remedy(tmp_path: Path) -> None:
    script = "echo first; echo 'dial tcp: connection refused' >&2; exit 7"
    with pytest.raises(SandboxError) as caught:
        run(["sh", "-c", script], what="building etcd", remedy="Set GOPROXY.")
    log = tmp_path / "cache" / "camunda-dual-region" / "logs" / "building-etcd.log"
    for fact in ("building etcd", "7", "first", "connection refused", str(log), "Set GOPROXY."):
        assert fact in str(caught.value)
    assert log.read_text().startswith("first")


@pytest.mark.parametrize(("script", "read"), [("cat", "much"), ("exit 3", "")])
def test_a_command_reads_what_it_is_fed_and_may_give_up(
    tmp_path: Path, script: str, read: str
) -> None:
    def feed(stream: IO[bytes]) -> None:
        stream.write(b"much " * 100_000)

    failing = pytest.raises(SandboxError, match="exit status 3") if not read else nullcontext()
    with failing:
        run(["sh", "-c", script], what="feeding", remedy="", feed=feed)
    log = tmp_path / "cache" / "camunda-dual-region" / "logs" / "feeding.log"
    assert log.read_text().split() == [read] * 100_000 if read else log.read_text() == ""


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(SandboxError, match=r"fetching.*no-such-command.*Install it"):
        run(["no-such-command"], what="fetching", remedy="Install it.")


def test_not_being_root_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SandboxError, match="root"):
        machine.check_root()
    with pytest.raises(SandboxError, match=r"root .*apt-get install .* containerd haproxy"):
        debian.install(("containerd", "haproxy"))


def test_a_system_without_apt_is_told_which_packages_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(debian, "which", lambda _command: None)
    assert {"containerd", "mmdebstrap", "maven", "nftables"} <= set(debian.missing_packages())
    with pytest.raises(SandboxError, match=r"runc.*apt-get"):
        debian.install(("runc",))


def test_too_little_disk_space_is_said_with_both_figures() -> None:
    with pytest.raises(SandboxError, match=r"1048576 GiB.*XDG_CACHE_HOME"):
        machine.check_space(needed=2**20 * machine.GIB)


def test_kernel_features_that_fail_are_all_named_with_their_remedies() -> None:
    def trial(feature: machine.Feature) -> str | None:
        return "Operation not permitted" if feature.name in ("overlayfs", "nftables") else None

    with pytest.raises(SandboxError) as caught:
        machine.check_features(trial)
    for fact in ("overlayfs", "Operation not permitted", "modprobe nf_tables"):
        assert fact in str(caught.value)
    assert "veth" not in str(caught.value)


def test_a_trial_tells_why_a_feature_fails() -> None:
    if os.geteuid() != 0:
        pytest.skip("trials need root, as the sandbox does")
    assert machine.works(machine.Feature("nothing", "true", "")) is None
    broken = machine.Feature("broken", "echo 'unknown filesystem type' >&2; false", "")
    assert machine.works(broken) == "unknown filesystem type"


def test_a_system_without_code_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    release = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert machine.os_codename() == "bookworm"
    del release["VERSION_CODENAME"]
    with pytest.raises(SandboxError, match="VERSION_CODENAME"):
        machine.os_codename()


def test_a_missing_go_is_said_with_where_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gotools, "which", lambda _command: None)
    with pytest.raises(SandboxError, match=r"Go .*go\.dev/dl"):
        gotools.check_go()


@pytest.mark.parametrize(
    ("version", "toolchain", "accepted"),
    [
        ("go1.26.8", "auto", True),
        ("go1.26.8", "local", True),
        ("go1.22.0", "auto", True),
        ("go1.22.0", "local", False),
        ("go1.19.8", "", False),
    ],
)
def test_a_go_too_old_is_refused_unless_it_fetches_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, toolchain: str, accepted: bool
) -> None:
    go = tmp_path / "go"
    go.write_text(f'#!/bin/sh\n[ "$2" = GOVERSION ] && echo {version} || echo "{toolchain}"\n')
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    if accepted:
        gotools.check_go()
    else:
        with pytest.raises(SandboxError, match=version[2:]):
            gotools.check_go()


def test_fetched_files_that_differ_are_named(tmp_path: Path) -> None:
    for name, content in (("same.jar", b"1"), ("changed.jar", b"2"), ("unexpected.jar", b"3")):
        (tmp_path / name).write_bytes(content)
    digest = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"  # of "1"
    wanted = dict.fromkeys(("same.jar", "changed.jar", "gone.jar"), digest)
    wrong = java.differences(wanted, tmp_path)
    assert wrong == ("changed.jar", "gone.jar", "unexpected.jar")


def test_the_command_ends_with_one_sentence_and_status_1(tmp_path: Path) -> None:
    """The real command, with a file where the cache's folder should be."""
    file = tmp_path / "file"
    file.write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "setup"],
        env={**os.environ, "XDG_CACHE_HOME": str(file)},
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Not a directory" in done.stderr
    assert "set XDG_CACHE_HOME to a folder" in done.stderr


def test_a_second_set_up_says_that_it_waits_and_goes_on_after_the_first() -> None:
    root = cache_root()
    root.mkdir(parents=True)
    console = Console(file=io.StringIO())
    entered = threading.Event()
    part = Part("thing", "Making a thing", "a" * 64, lambda _: entered.set())
    with (root / "setup.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        thread = threading.Thread(target=setup.ensure_part, args=(console, part))
        thread.start()
        while "waiting" not in cast(io.StringIO, console.file).getvalue():
            assert not entered.is_set()
    thread.join()
    assert entered.is_set()
    assert "process 4711" in cast(io.StringIO, console.file).getvalue()
