"""What must hold of the runbook command's answers; each check is a pure function of its output."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from drill.check import Check, check_of, listed
from drill.operators.terminal import WALKING
from drill.operators.terminal_operator import Question

HEALTHY, MID_PROCEDURE, CANNOT_TELL = 0, 10, 13
"""Exit statuses of `dualregion status`."""
FAILED, INTERRUPTED = 1, 130
"""Exit statuses of every command."""

_BROKERS = "Brokers and partitions"
_TOPOLOGY = "Installations"
"""The head of the first table of the live topology; that of the brokers is there if a gateway answers in time."""
_VERDICT = re.compile(r"(HEALTHY|MID-PROCEDURE|DEGRADED|CANNOT TELL|UNSAFE) +phase ")
_NEXT = re.compile(r"next, \S+: ")


def is_too_busy(exit_status: int, output: str, expected: int) -> bool:
    """Whether `status` could not see more in its time: the machine is too busy, and it may be asked again."""
    return exit_status != expected and (exit_status == CANNOT_TELL or "no answer in time" in output)


def status_is(exit_status: int, output: str, when: str, expected: int, asked: int = 1) -> Check:
    """`dualregion status --json` judges the regions as the procedure has them, and names what is next."""
    try:
        document: dict[str, Any] = json.loads(output or "{}")
    except ValueError:
        document = {}
    problems = []
    if exit_status != expected:
        found = "; ".join(each["sentence"] for each in document.get("findings", ()))
        problems.append(f"exit status {exit_status}, expected was {expected}: {found}")
    commands = document.get("service", {}).get("commands", {}).get("state")
    if expected == HEALTHY and commands != "accepted":
        problems.append(f"commands are {commands} by it")
    following = document.get("next") or {}
    if expected == MID_PROCEDURE and not following:
        problems.append("it does not say what is next")
    elif expected == MID_PROCEDURE and not following.get("dualregion"):
        problems.append("it does not name the command that does what is next")
    again = f", asked {asked} times as the machine was too busy" if asked > 1 else ""
    return check_of(
        f"`dualregion status` tells how both regions stand {when}",
        problems,
        f"{document.get('health')}{again}",
    )


def status_shows(exit_status: int, text: str, when: str, expected: int) -> Check:
    """`dualregion status` shows the same at a terminal, with its tables."""
    problems = []
    if exit_status != expected:
        problems.append(f"exit status {exit_status}, expected was {expected}: {text[:300]}")
    parts = ("phase ", "commands ", "web apps ", "Stacks", _TOPOLOGY, _BROKERS, "exporters")
    problems += [f"there is no {part!r}" for part in parts if part not in text]
    return check_of(
        f"`dualregion status` shows an operator the same {when}",
        problems,
        text.partition("\n")[0].strip(),
    )


def plan_shows(exit_status: int, output: str, steps: Sequence[str], what: str) -> Check:
    """`dualregion plan` names every step that is ahead."""
    problems = [f"`dualregion plan` ended with exit status {exit_status}"] if exit_status else []
    problems += [f"{step} is not in it" for step in steps if f" {step} on stack " not in output]
    return check_of(
        f"`dualregion plan {what}` shows every step that is ahead", problems, ", ".join(steps)
    )


def is_refused(
    exit_status: int, text: str, what: str, because: str, changed: Sequence[str]
) -> Check:
    """A wrong move ends with exit status 1 and the reason; nothing is asked or changed.

    :param exit_status: how the command ended.
    :param text: all of its output, unwrapped.
    :param what: the move.
    :param because: what its error must hold, such as its code in brackets.
    :param changed: what is not as it was before.
    """
    problems = [f"it ended with exit status {exit_status}"] if exit_status != FAILED else []
    if because not in text:
        problems.append(f"it does not say {because!r}: {text[-300:]}")
    problems += [f"{each} was changed" for each in changed]
    return check_of(
        f"`dualregion {what}` is refused, and changes nothing",
        problems,
        text.partition("error: ")[2][:200] or text[-200:],
    )


def questions_were_asked(asked: Sequence[Question], about: Sequence[str], what: str) -> Check:
    """Whatever cannot be undone was asked before, below the live topology."""
    problems = [
        f"it did not ask about {text!r}"
        for text in about
        if not any(text in question.text for question in asked)
    ]
    problems += [
        f"no topology above {question.text[-120:]!r}"
        for question in asked
        for text in about
        if text in question.text and _TOPOLOGY not in question.above
    ]
    return check_of(
        f"`dualregion {what}` asks before what cannot be undone, and shows the live topology",
        problems,
        f"{len(asked)} questions: {listed(list(about)) or 'none was due'}",
    )


def stops_fit(asked: Sequence[Question], what: str) -> Check:
    """At each question below a look at both regions one window shows the verdict, what is next, and all of the question."""
    looked = [each for each in asked if _TOPOLOGY in each.above]
    problems = [
        f"{'; '.join(lacking)} in the window of {question.text[-120:]!r}"
        for question in looked
        if (lacking := list(_lacking(question)))
    ]
    return check_of(
        f"`dualregion {what}` has verdict, next step and question in one small window",
        problems,
        f"{len(looked)} questions in {WALKING.columns} by {WALKING.lines}",
    )


def _lacking(question: Question) -> Iterator[str]:
    """Yield what is not in a question's window; what stands between two rows of it is whole."""
    lines = question.window.rstrip().splitlines()
    if len(lines) > WALKING.lines or any(len(each) > WALKING.columns for each in lines):
        yield f"more than {WALKING.columns} by {WALKING.lines}"
    verdict = _row_of(_VERDICT, lines)
    following = _row_of(_NEXT, lines[verdict:]) if verdict is not None else None
    if verdict is None:
        yield "no verdict"
    elif following is None:
        yield "no next step below the verdict"
    elif not any(each.strip() for each in lines[verdict + following + 1 : -1]):
        yield "no question below the next step"


def _row_of(form: "re.Pattern[str]", lines: Sequence[str]) -> int | None:
    return next((number for number, line in enumerate(lines) if form.match(line)), None)


def stopped_in_order(exit_status: int, text: str, step: str, stack: str, was_hit: bool) -> Check:
    """After Ctrl-C the command shows how far it is and what is next, and ends with exit status 130.

    :param exit_status: how it ended.
    :param text: what its window shows in the end, unwrapped.
    :param step: what ran.
    :param stack: whose.
    :param was_hit: whether the step was ever seen running, so that Ctrl-C could be hit.
    """
    problems = [] if was_hit else [f"{step} was never seen running, so Ctrl-C was not hit"]
    if exit_status != INTERRUPTED:
        problems.append(f"it ended with exit status {exit_status}")
    wanted = {
        "how far it is": f"stack {stack}: phase failover, proved: ",
        "that it was interrupted": "[interrupted",
        "what is next": f"next, {stack}: F",
        "by which command": " dualregion failover --lost ",
    }
    problems += [f"it does not say {what}" for what, words in wanted.items() if words not in text]
    return check_of(
        f"Ctrl-C in the midst of {step} stops `dualregion failover`, which tells the state and the next step",
        problems,
        text.partition("stopped; ")[2][:300],
    )


def went_on(exit_status: int, carried_out: Collection[str], step: str) -> Check:
    """The same command, run again, continues with the step that ran, to the end."""
    problems = [f"it ended with exit status {exit_status}"] if exit_status else []
    if step not in carried_out:
        found = ", ".join(sorted(carried_out)) or "nothing"
        problems.append(f"{step} was not carried out again, but {found}")
    return check_of(
        "The same `dualregion failover`, run again, goes on", problems, f"{step} carried out again"
    )


def history_shows(exit_status: int, text: str, incident: str, steps: Sequence[str]) -> Check:
    """`dualregion history` shows each step of an incident."""
    problems = [f"`dualregion history` ended with exit status {exit_status}"] if exit_status else []
    if f"Incident {incident}" not in text:
        problems.append(f"there is no incident {incident}")
    shown = text.partition(f"Incident {incident}")[2].partition("Runs of Pulumi")[0].split("\n")
    problems += [
        f"{step} is not in it"
        for step in steps
        if not any(line.startswith(f"{step} ") for line in shown)
    ]
    return check_of("`dualregion history` shows every step of the incident", problems, incident)


def report_is_whole(exit_status: int, page: str) -> Check:
    """`dualregion report` writes a page that stands alone, that no record was lost, and from the outage to the failback's end."""
    problems = [f"`dualregion report` ended with exit status {exit_status}"] if exit_status else []
    problems += [
        f"there is no {part}"
        for part in ("Records lost: none", "<svg", "B7", "No service", "</html>")
        if part not in page
    ]
    problems += [f"it loads {part}" for part in ('src="http', 'href="http') if part in page]
    return check_of(
        "`dualregion report` writes a page that stands alone", problems, f"{len(page)} characters"
    )
