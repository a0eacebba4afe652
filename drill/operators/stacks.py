"""The real `pulumi` on a copy of the program, with a home, backend and stacks of the drill's own.

The checkout's Pulumi.region0.yaml and Pulumi.region1.yaml are the user's and stay untouched: the
drill runs a copy of the program in its own folder, with stack files of its own.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from drill.errors import DrillError
from drill.observation.events import Event, followed
from drill.operators.terminal import WALKING, Row, Size, Terminal
from drill.processes import end_marked
from sandbox.patience import allowed

OnEvent = Callable[[Event, Callable[[], None]], None]
"""Is given each event of a run as it happens, and what kills the run."""

PROGRAM_FOLDERS = ("messages", "dualregion", "clients", "steps", "components")
PROGRAM_FILES = ("Pulumi.yaml", "__main__.py")

RUN_MARK = "CAMUNDA_DRILL_RUN"
"""The environment variable that everything started by one pulumi command inherits: the command's log."""

_LONGEST_RUN_SECONDS = 1800
"""Beyond every deadline of the program's own gates: a run that takes longer hangs."""
CUT_SHORT = "failed to load checkpoint: EOF"
"""Pulumi's message on a state whose attributes it was killed in writing; the state itself is replaced whole."""
_STACK_TYPE = "pulumi:pulumi:Stack"
"""The resource whose outputs are the stack's."""
_CANCEL_SECONDS = 8
"""What an interrupted pulumi gets to release its locks before it is killed."""


@dataclass(frozen=True)
class Run:
    """A finished command: `pulumi`, or the runbook command."""

    arguments: tuple[str, ...]
    exit_status: int
    seconds: float
    output: str
    log: Path
    events: tuple[Event, ...] = ()
    """Of `pulumi up` and `pulumi preview`."""
    began: float = 0.0
    """When, on the clock that never jumps."""

    @property
    def was_killed(self) -> bool:
        """Whether it was killed in the middle."""
        return self.exit_status == -signal.SIGKILL

    def last_lines(self, count: int = 30) -> str:
        """Return the end of its output."""
        return "\n".join(self.output.splitlines()[-count:])


def copy_program(checkout: Path, to: Path) -> None:
    """Copy the program, without anybody's stack configuration, to a fresh folder.

    :raises DrillError: a part of the program is missing in the checkout.
    """
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    try:
        for name in PROGRAM_FILES:
            shutil.copy2(checkout / name, to / name)
        for name in PROGRAM_FOLDERS:
            shutil.copytree(
                checkout / name, to / name, ignore=shutil.ignore_patterns("__pycache__")
            )
    except OSError as error:
        raise DrillError(
            f"the program in {checkout} is incomplete ({error}): run the drill from a checkout"
        ) from None


def environment(
    folder: Path,
    kubeconfig: Path,
    pulumi_path: Sequence[Path],
    own_build: bool,
    helm: Path,
) -> dict[str, str]:
    """Make the folders of the drill's pulumi, and return its environment: everything it writes stays in `folder`.

    `own_build` is whether pulumi and its plugins are the set-up's own: then no plugin is downloaded.
    """
    state, temporary = folder / "state", temporary_files(folder)
    state.mkdir(parents=True)
    temporary.mkdir()
    # Helm's folder may hold a Python, too: the program's own comes first.
    first = [*map(str, pulumi_path), str(Path(sys.executable).parent), str(helm.parent)]
    env = {
        **os.environ,
        "PATH": os.pathsep.join([*first, os.environ.get("PATH", os.defpath)]),
        "PULUMI_HOME": str(folder / "pulumi-home"),
        "PULUMI_BACKEND_URL": f"file://{state}",
        # Protects nothing: the state holds the rehearsal's made-up secrets and is removed with it.
        "PULUMI_CONFIG_PASSPHRASE": "drill",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The engine's event log is an option for programs that drive Pulumi; this makes it known.
        "PULUMI_DEBUG_COMMANDS": "true",
        # Pulumi and its provider live for seconds: they need not save memory.
        "GOGC": "400",
        # Else each run would compile the program again.
        "PYTHONDONTWRITEBYTECODE": "",
        "KUBECONFIG": str(kubeconfig),
        "TMPDIR": str(temporary),
    }
    if own_build:
        env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    for name in (
        *("PULUMI_ACCESS_TOKEN", "PULUMI_STACK", "PULUMI_CONFIG_PASSPHRASE_FILE"),
        # They change how a state lies in the backend, which is read.
        *("PULUMI_DIY_BACKEND_GZIP", "PULUMI_DIY_BACKEND_LEGACY_LAYOUT"),
    ):
        env.pop(name, None)
    return env


def temporary_files(folder: Path) -> Path:
    """Return where pulumi's temporary files are: its provider leaves a copy of the kubeconfig with each run."""
    return folder / "tmp"


class Stacks:
    """Runs pulumi commands on the drill's stacks; every output is kept in a log of its own."""

    def __init__(
        self,
        pulumi: Path,
        project: Path,
        env: Mapping[str, str],
        logs: Path,
        write: Callable[[str], None],
    ) -> None:
        """`write` is given, live, what a long command does."""
        self._pulumi = str(pulumi)
        self._project = project
        self._env = dict(env)
        self._logs = logs
        self._write = write
        self._numbers = count(1)
        self._running: set[subprocess.Popen[str]] = set()
        self._is_closed = False

    def close(self) -> None:
        """End what still runs, and let nothing begin: for when everything is taken down."""
        self._is_closed = True
        for process in list(self._running):
            _end(process)

    @property
    def env(self) -> Mapping[str, str]:
        """The environment of all commands."""
        return self._env

    @property
    def backend(self) -> Path:
        """The folder of the state backend."""
        return Path(urlsplit(self._env["PULUMI_BACKEND_URL"]).path)

    def create(self, stacks: Sequence[str]) -> None:
        """Make stacks whose secrets have one key.

        Each run reads the other stack's state, too, and pulumi takes a third of a second to derive a key.

        :raises DrillError: pulumi refused.
        """
        first, *others = stacks
        self._create(first)
        for stack in others:
            shutil.copy2(self._settings(first), self._settings(stack))
            self._create(stack)

    def _create(self, stack: str) -> None:
        self.require(self.run("init", stack, "stack", "init", stack, "--no-select"))

    def _settings(self, stack: str) -> Path:
        return self._project / f"Pulumi.{stack}.yaml"

    def configure(self, stack: str, config: Mapping[str, str]) -> None:
        """Set configuration keys, each a path such as `regions[0].name`, in one command.

        :raises DrillError: pulumi refused.
        """
        pairs = [
            part for key, value in config.items() for part in ("--plaintext", f"{key}={value}")
        ]
        self.require(self.run("config", stack, "config", "set-all", "--path", *pairs))

    def configure_secrets(self, stack: str, secrets: Mapping[str, str]) -> None:
        """Set configuration keys that are encrypted; the values are on no command line and in no log.

        :raises DrillError: pulumi refused.
        """
        for key, value in secrets.items():
            arguments = ("config", "set", "--secret", "--path", key)
            self.require(self.run("config", stack, *arguments, given=value))

    def up(self, stack: str, message: str, on_event: OnEvent | None = None) -> Run:
        """Run `pulumi up` without its own preview, reporting what it does while it does it.

        `on_event` is given each event before anything else is done with it, and may kill the run.
        """

        def report(event: Event, kill: Callable[[], None]) -> None:
            if on_event:
                on_event(event, kill)
            if event.progress:
                self._write(f"  {stack}: {event.progress}")

        arguments = ("up", "--yes", "--skip-preview", "--message", message)
        return self.run("up", stack, *arguments, on_event=report)

    def cancel(self, stack: str) -> Run:
        """Run `pulumi cancel`: a killed run has left its lock.

        One that was killed while it wrote its state may have left empty attributes of it, too: these are
        removed first, as docs/incident/messages.md has it for a file backend.

        :raises DrillError: pulumi refused.
        """
        run = self.run("cancel", stack, "cancel", "--yes")
        if run.exit_status and CUT_SHORT in run.output:
            self._remove_empty_attributes()
            run = self.run("cancel", stack, "cancel", "--yes")
        return self.require(run)

    def _remove_empty_attributes(self) -> None:
        for attributes in self.backend.glob(".pulumi/**/*.attrs"):
            if attributes.stat().st_size == 0:
                self._write(
                    f"  killed while it wrote {attributes.name}, which is empty and is removed"
                )
                attributes.unlink()

    def require(self, run: Run) -> Run:
        """Return a run that has succeeded.

        :raises DrillError: it failed; the message ends with its last lines.
        """
        if run.exit_status == 0:
            return run
        command = " ".join(run.arguments[:2])
        raise DrillError(
            f"`{command}` ended with exit status {run.exit_status}; all of its output is in {run.log}, "
            f"its last lines:\n{run.last_lines()}"
        )

    def preview(self, stack: str) -> Run:
        """Run `pulumi preview --diff`."""
        return self.run("preview", stack, "preview", "--diff", on_event=lambda *_: None)

    def preview_expecting_no_change(self, stack: str) -> Run:
        """Run a preview that fails when there is anything to change."""
        return self.run("preview", stack, "preview", "--expect-no-changes")

    def outputs(self, stack: str) -> dict[str, Any]:
        """Return a stack's outputs, out of its state: a `pulumi stack output` for each turn would cost seconds.

        :raises DrillError: there is no such state, or it cannot be read.
        """
        try:
            checkpoint = json.loads(self.state(stack).read_text(encoding="utf-8"))["checkpoint"]
            resources = (checkpoint.get("latest") or {}).get("resources") or ()
            whole = [each for each in resources if each["type"] == _STACK_TYPE]
        except (OSError, ValueError, KeyError) as error:
            raise DrillError(f"the state of {stack} cannot be read: {error!r}") from None
        return dict(whole[0].get("outputs") or {}) if whole else {}

    def state(self, stack: str) -> Path:
        """Return the file in which the backend has a stack's state.

        :raises DrillError: there is none.
        """
        return self._in_backend(stack, f"stacks/*/{stack}.json")

    def former_state(self, stack: str) -> Path:
        """Return the file in which the backend has a stack's state as the last `up` that has ended left it.

        :raises DrillError: none has ended yet.
        """
        return self._in_backend(stack, f"history/*/{stack}/*.checkpoint.json")

    def _in_backend(self, stack: str, pattern: str) -> Path:
        found = sorted(self.backend.glob(f".pulumi/{pattern}"))
        if not found:
            raise DrillError(f"the backend has no state of {stack}")
        return found[-1]

    def version(self) -> str:
        """Return what `pulumi version` prints."""
        done = subprocess.run(
            [self._pulumi, "version"], env=self._env, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def run(
        self,
        name: str,
        stack: str,
        *arguments: str,
        quiet: bool = False,
        on_event: OnEvent | None = None,
        given: str = "",
    ) -> Run:
        """Run one pulumi command to its end, or until `on_event` kills it; as `execute`."""
        options = ["--non-interactive", "--color=never"]
        if "--no-select" not in arguments:
            options += ["--stack", stack]
        argv = (self._pulumi, *arguments, *options)
        return self.execute(
            f"pulumi-{name}-{stack}", argv, quiet=quiet, on_event=on_event, given=given
        )

    def execute(
        self,
        name: str,
        argv: Sequence[str],
        *,
        quiet: bool = False,
        on_event: OnEvent | None = None,
        given: str = "",
    ) -> Run:
        """Run a command in the project with the drill's environment.

        :param name: what its log is called.
        :param argv: the command.
        :param quiet: keep its stderr out of the output, which is then its stdout alone.
        :param on_event: is given what Pulumi's engine logs; for commands that have an event log.
        :param given: what it reads from its standard input.
        """
        self._refuse_if_closed()
        log = self._next_log(name)
        shown = (Path(argv[0]).name, *argv[1:])
        began = time.monotonic()
        events: list[Event] = []
        lines: list[str] = []
        with ExitStack() as stack:
            errors = stack.enter_context(log.with_suffix(".err").open("w")) if quiet else None
            file = stack.enter_context(log.open("w", encoding="utf-8"))
            if on_event:
                event_log = log.with_suffix(".events")
                # One of this name may be there from stacks of another environment, whose events are no news.
                event_log.write_text("")
                argv = (*argv, "--event-log", str(event_log))
            process = stack.enter_context(self._started(argv, errors, log))
            if on_event:

                def take(event: Event) -> None:
                    events.append(event)
                    on_event(event, partial(_kill, process, log))

                stack.enter_context(followed(event_log, take))
            if process.stdin:
                with suppress(BrokenPipeError), process.stdin:
                    process.stdin.write(given)
            for line in process.stdout or ():
                lines.append(line)
                file.write(line)
                file.flush()
            status = process.wait(timeout=allowed(_LONGEST_RUN_SECONDS))
        if status == -signal.SIGKILL:
            end_marked(RUN_MARK, str(log))
        seconds = time.monotonic() - began
        return Run(shown, status, seconds, "".join(lines), log, tuple(events), began)

    def at_terminal(
        self,
        name: str,
        argv: Sequence[str],
        look: Callable[[Terminal], None],
        size: Size = WALKING,
    ) -> tuple[Run, list[Row]]:
        """Run a command as `execute` does, but at a terminal; return all rows that it has written, too.

        :param name: what its log is called.
        :param argv: the command.
        :param look: is given the terminal whenever its screen rests, to read it and to type.
        :raises DrillError: it does not end.
        """
        self._refuse_if_closed()
        log = self._next_log(name)
        told_as = (Path(argv[0]).name, *argv[1:])
        began = time.monotonic()
        with Terminal(argv, self._project, self._env, log, RUN_MARK, size=size) as terminal:
            while terminal.read():
                self._refuse_if_closed()
                look(terminal)
                if time.monotonic() - began > allowed(_LONGEST_RUN_SECONDS):
                    raise DrillError(f"`{' '.join(told_as)}` hangs, see {log}")
            look(terminal)
            status = terminal.exit_status(_CANCEL_SECONDS)
            seconds = time.monotonic() - began
            run = Run(told_as, status, seconds, terminal.text, log, began=began)
            return run, terminal.all_rows

    @contextmanager
    def _started(
        self, argv: Sequence[str], errors: Any, log: Path
    ) -> Iterator[subprocess.Popen[str]]:
        """Start pulumi in a session of its own; when the caller leaves early, end it and all it started."""
        process = subprocess.Popen(
            argv,
            cwd=self._project,
            env={**self._env, RUN_MARK: str(log)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors or subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._running.add(process)
        try:
            yield process
        finally:
            self._running.discard(process)
            if process.poll() is None:
                _end(process)
            if process.stdout:
                process.stdout.close()

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise DrillError("nothing begins any more: everything is being taken down")

    def _next_log(self, name: str) -> Path:
        return self._logs / f"{next(self._numbers):02d}-{name}.log"


def _kill(process: subprocess.Popen[str], log: Path) -> None:
    """Kill pulumi and all that it started at once, as a machine that dies does.

    Plugins and program are in groups of their own; a hook that lived on would work beside the next run's.
    What resists is reported when the run ends.
    """
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(DrillError):
        end_marked(RUN_MARK, str(log))


def _end(process: subprocess.Popen[str]) -> None:
    """Ask pulumi to stop as Ctrl-C does; kill it and its children if it does not in time."""
    with suppress(subprocess.TimeoutExpired, ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=_CANCEL_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
