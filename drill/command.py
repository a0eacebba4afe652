"""The runbook command in a drill: `dualregion` drives the stacks, and the drill judges what becomes of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill.check import Check, judged
from drill.stacks import Run, Stacks

HEALTHY, MID_PROCEDURE = 0, 10
"""Exit statuses of `dualregion status`."""
LAST_STEP = {"failback-pending": "B4", "restored": "B7"}
"""How far `dualregion failback` goes for a phase of the drill."""


@dataclass
class Command:
    """Runs `dualregion` on the drill's copy of the project, which its environment names.

    `answers` notes how long each `status` took: what was happening -> seconds.
    """

    stacks: Stacks
    executable: Path
    say: Callable[[str], None]
    answers: dict[str, float] = field(default_factory=dict)

    def failover(self, lost: int) -> Run:
        """Carry the failover out.

        Raises:
            DrillError: the command failed.
        """
        return self._drive("failover", "--lost", str(lost))

    def failback(self, phase: str) -> Run:
        """Carry the failback out, as far as a phase goes.

        Raises:
            DrillError: the command failed.
        """
        until = LAST_STEP.get(phase)
        return self._drive("failback", *(("--until", until) if until else ()))

    def rights(self, region: int) -> str:
        """Return the manifests that give both stacks their rights in a region's cluster.

        Raises:
            DrillError: the command failed.
        """
        run = self._run("rights", "--region", str(region), quiet=True)
        return self.stacks.demand(run).output

    def plan(self, *what: str) -> Run:
        """Show what a failover or failback would do."""
        return self._run("plan", *what)

    def status(self, when: str, expected: int) -> Check:
        """Ask how both regions stand, note how long the answer takes, and judge it."""
        run = self._run("status", "--json", quiet=True)
        self.answers[when] = run.seconds
        self.say(f"  `dualregion status`: exit status {run.exit_status}, {run.seconds:.1f} s")
        return status_says(run.exit_status, run.output, when, expected)

    def report(self, to: Path) -> Check:
        """Write the incident's page."""
        run = self._run("report", "last", "--output", str(to))
        page = to.read_text() if to.exists() else ""
        return report_is_whole(run.exit_status, page)

    def _drive(self, *arguments: str) -> Run:
        run = self._run(*arguments, "--yes", "--message", "drill", live=True)
        return self.stacks.demand(run)

    def _run(self, *arguments: str, live: bool = False, quiet: bool = False) -> Run:
        argv = (str(self.executable), *arguments)
        return self.stacks.execute(f"dualregion-{arguments[0]}", argv, live=live, quiet=quiet)


def status_says(exit_status: int, output: str, when: str, expected: int) -> Check:
    """`dualregion status` judges the regions as the procedure has them, and names what is next."""
    try:
        document: dict[str, Any] = json.loads(output or "{}")
    except ValueError:
        document = {}
    problems = []
    if exit_status != expected:
        found = "; ".join(each["sentence"] for each in document.get("findings", ()))
        problems.append(f"exit status {exit_status}, expected was {expected}: {found}")
    if expected == MID_PROCEDURE and not document.get("next"):
        problems.append("it does not say what is next")
    return judged(
        f"`dualregion status` tells how both regions stand {when}",
        problems,
        str(document.get("health")),
    )


def plan_shows(exit_status: int, output: str, steps: tuple[str, ...], what: str) -> Check:
    """`dualregion plan` names every step that is ahead."""
    problems = [f"`dualregion plan` ended with exit status {exit_status}"] if exit_status else []
    problems += [f"{step} is not in it" for step in steps if f" {step} on stack " not in output]
    return judged(
        f"`dualregion plan {what}` shows every step that is ahead", problems, ", ".join(steps)
    )


def report_is_whole(exit_status: int, page: str) -> Check:
    """`dualregion report` writes a page that stands alone and has the last step of the failback."""
    problems = [f"`dualregion report` ended with exit status {exit_status}"] if exit_status else []
    problems += [f"there is no {part}" for part in ("<svg", "B7", "</html>") if part not in page]
    problems += [f"it loads {part}" for part in ('src="http', 'href="http') if part in page]
    return judged(
        "`dualregion report` writes a page that stands alone", problems, f"{len(page)} characters"
    )
