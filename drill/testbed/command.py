"""The runbook command in a drill: `dualregion` at a terminal drives the stacks, and the drill judges what becomes of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from drill.check import Check
from drill.operators.command_checks import is_too_busy, report_is_whole, status_is, status_shows
from drill.operators.stacks import Run, Stacks
from drill.operators.terminal import READING, WALKING, Row, Size, unwrapped
from drill.operators.terminal_operator import Operator
from drill.report.results import Answer
from drill.together import together

_PATIENCE = ((), ("--patience", "9"), ("--patience", "18"), ("--patience", "36"))
"""How `status` is asked, again and again, while the machine is too busy to answer it in time."""


@dataclass(frozen=True)
class Session:
    """A command that has ended at the terminal, and what its operator has seen and done."""

    run: Run
    operator: Operator
    unwrapped: str
    """All of its output, as one line."""
    window: str = ""
    """What its window shows in the end, as one line."""


@dataclass
class Command:
    """Runs `dualregion` on the drill's copy of the project, which its environment names.

    `answers` notes how long each `status` took: what was happening -> the answer.
    """

    stacks: Stacks
    executable: Path
    write: Callable[[str], None]
    answers: dict[str, Answer]

    def drive(
        self,
        *what: str,
        stop_in: str | None = None,
        stop_after: float = 0.0,
        answer: str = "yes",
        log: str = "",
        name: str = "",
    ) -> Session:
        """Fail over or back at the terminal, and answer each question.

        :param what: the command, such as `failover --lost 1`.
        :param stop_in: the step in whose midst Ctrl-C is hit.
        :param stop_after: for how many seconds it has been seen running by then.
        :param answer: to every question.
        :param name: the lost region's, where that is to be typed.
        :param log: what its log is called, if not as the command.
        """
        operator = Operator(self.write, answer, stop_in, stop_after, name)
        run, rows = self._at_terminal(operator, *what, log=log)
        return Session(run, operator, unwrapped(rows), unwrapped(rows[-WALKING.lines :]))

    def must_drive(self, *what: str, name: str = "") -> Session:
        """Do as `drive`, to the end.

        :raises DrillError: the command failed.
        """
        session = self.drive(*what, name=name)
        self.stacks.require(session.run)
        return session

    def rights(self, region: int) -> str:
        """Return the manifests that give both stacks their rights in a region's cluster.

        :raises DrillError: the command failed.
        """
        return self.stacks.require(self._piped("rights", "--region", str(region))).output

    def show(self, *what: str, log: str = "") -> Run:
        """Let the command show something, which ends by itself, in a large window; `log` as in `drive`."""
        return self._at_terminal(Operator(lambda _: None), *what, log=log, size=READING)[0]

    def status(self, when: str, expected: int, log: str = "") -> list[Check]:
        """Ask how both regions stand, as a program and as an operator does; note how long the answer takes."""
        (run, asked), (shown, _) = together(
            lambda: self._asked(lambda how: self._piped("status", "--json", *how), expected),
            lambda: self._asked(lambda how: self.show("status", "--full", *how, log=log), expected),
        )
        self.answers[when] = Answer(run.seconds, asked)
        return [
            status_is(run.exit_status, run.output, when, expected, asked),
            status_shows(shown.exit_status, shown.output, when, expected),
        ]

    def report(self, to: Path, lost_at: datetime) -> Check:
        """Write the incident's page, which must know when the region was lost."""
        moment = f"{lost_at:%Y-%m-%dT%H:%M:%S}"
        run = self.show("report", "last", "--lost-at", moment, "--output", str(to))
        page = to.read_text() if to.exists() else ""
        return report_is_whole(run.exit_status, page)

    def _asked(self, ask: Callable[[Sequence[str]], Run], expected: int) -> tuple[Run, int]:
        """Ask, and again while the machine is too busy to answer in time; return the last answer and their number."""
        runs: list[Run] = []
        for how in _PATIENCE:
            run = ask(how)
            runs.append(run)
            self.write(f"  `dualregion status`: exit status {run.exit_status}, {run.seconds:.1f} s")
            if not is_too_busy(run.exit_status, run.output, expected):
                break
        return runs[-1], len(runs)

    def _at_terminal(
        self, operator: Operator, *arguments: str, log: str = "", size: Size = WALKING
    ) -> tuple[Run, list[Row]]:
        """Run it at a terminal; return its end, and all rows that it has written."""
        argv = (str(self.executable), *arguments)
        name = f"dualregion-{log or arguments[0]}"
        return self.stacks.at_terminal(name, argv, operator.look, size)

    def _piped(self, *arguments: str) -> Run:
        argv = (str(self.executable), *arguments)
        return self.stacks.execute(f"dualregion-{arguments[0]}", argv, quiet=True)
