"""Makes everything that the sandbox needs and the machine lacks, from package registries alone.

`ensure` makes it, `sandbox.setup.tools.load` finds it. What is made lies in the cache (`sandbox.cache`), each
part in a folder of its own, made once and only ever complete.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.console import Console

from sandbox.cache import cache_root
from sandbox.errors import SandboxError
from sandbox.progress import table, working
from sandbox.setup import debian, fetched, installed, machine
from sandbox.setup.part import Part, make, prune, sweep
from sandbox.setup.parts import gotools
from sandbox.setup.plan import Plan, plan
from sandbox.setup.tools import Tools, collect

__all__ = ["ensure", "ensure_part"]


def ensure(console: Console, prune_old: bool = False) -> Tools:
    """Make what is missing, one part after the other, and return the tools.

    A second set-up at the same time waits for the first. After an interruption, finished parts stay.

    :param console: where progress and the closing table are shown.
    :param prune_old: also remove parts that other versions of the project made.
    :raises SandboxError: the machine lacks something, or a download or build failed; with the remedy.
    """
    with _told():
        return _ensure(console, prune_old)


def ensure_part(console: Console, part: Part) -> Path:
    """Make a part beside those of the plan, if it is missing, and return its folder.

    :raises SandboxError: it could not be made; with the remedy.
    """
    with _told(), _alone(console):
        if not part.made:
            _make(console, part)
    return part.folder


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the file system refuses into one sentence."""
    try:
        yield
    except OSError as error:
        raise SandboxError(
            f"the set-up cannot go on: {error.strerror}: {error.filename or cache_root()}. Finished parts stay. "
            "Free space on the disk, or set XDG_CACHE_HOME to a folder that may be written to, and run it again."
        ) from error


def _ensure(console: Console, prune_old: bool) -> Tools:
    with _alone(console):
        own = installed.find()
        for command, path in own.items():
            console.print(f"Using your own {command}: {path}", soft_wrap=True)
        todo = plan(own)
        rows: list[tuple[str, float | None]] = []
        packages = debian.missing_packages()
        if packages or not all(part.made for part in todo.parts):
            rows += _prepare_machine(console, packages, todo)
        sweep()
        building = not all(part.made for part in todo.from_go)
        with gotools.fetching_ahead() if building else nullcontext():
            for part in todo.parts:
                rows.append((part.name, None if part.made else _make(console, part)))
        if prune_old:
            for name in prune(todo.parts):
                console.print(f"Removed {name}")
        console.print(table(rows))
        console.print(fetched.says(fetched.note(todo.parts)), soft_wrap=True, highlight=False)
        return collect(todo, own)


def _prepare_machine(
    console: Console, packages: tuple[str, ...], todo: Plan
) -> list[tuple[str, float | None]]:
    """Check everything that would stop the set-up later, and install packages, before the first part."""
    needed = machine.PARTS_BYTES
    if not all(part.made for part in todo.from_go):
        gotools.check_go()
        needed += max(0, machine.GO_CACHES_BYTES - gotools.cache_bytes())
    machine.check_space(needed)
    seconds: float | None = None
    if packages:
        doing = f"Installing Debian packages: {', '.join(packages)}"
        begun = time.monotonic()
        with working(console, doing), fetched.noting_packages():
            debian.install(packages)
        seconds = time.monotonic() - begun
    machine.check_root()
    machine.check_features()
    return [("debian packages", seconds)]


def _make(console: Console, part: Part) -> float:
    with working(console, part.says):
        seconds = make(part)
    console.print(f"{part.name} made in {seconds:.1f} s", soft_wrap=True)
    _note_seconds(part.name, seconds)
    return seconds


def _note_seconds(name: str, seconds: float) -> None:
    """Keep how long a part took when it was last made, in `setup-times.json` of the cache."""
    path = cache_root() / "setup-times.json"
    times = json.loads(path.read_text()) if path.is_file() else {}
    times[name] = seconds
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(times, indent=2, sort_keys=True) + "\n")
    unfinished.rename(path)


@contextmanager
def _alone(console: Console) -> Iterator[None]:
    """Hold the set-up's lock; say so when another set-up holds it, and wait."""
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    with (root / "setup.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            console.print(
                f"Another set-up is running (process {lock.read().strip()}); waiting for it."
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield
