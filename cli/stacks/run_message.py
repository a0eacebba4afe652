"""What the command writes about each of its runs into the stack history, and reads there again. Pure.

Pulumi keeps one text for each `up`, also of one that fails. Its first line is for people, as `pulumi stack history`
shows it; what a report needs besides follows in lines of the form `Key: value`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

_FIRST_LINE = re.compile(r"dualregion (?P<command>\S.*?) by (?P<operator>\S.*?)(?:: (?P<note>.*))?")
_TICKET, _ANSWER = "Ticket: ", "Answer: "
_ANSWERED = re.compile(
    r"(?P<question>[a-z0-9-]+) (?P<answer>yes|no)(?: by (?P<option>--\S+))? at (?P<at>\S+?)(?:: (?P<asked>.*))?"
)


@dataclass(frozen=True)
class Answer:
    """An answer that the operator gave before a run.

    :ivar question: the code of the question.
    :ivar option: the option that answered it; empty if it was typed.
    :ivar asked: the question's sentence.
    """

    question: str
    is_yes: bool
    at: datetime
    option: str = ""
    asked: str = ""

    def __str__(self) -> str:
        by = f" by {self.option}" if self.option else ""
        word = "yes" if self.is_yes else "no"
        asked = f": {_line(self.asked)}" if self.asked else ""
        return f"{self.question} {word}{by} at {self.at.isoformat(timespec='seconds')}{asked}"

    @classmethod
    def parse(cls, text: str) -> "Answer | None":
        """Read an answer; None if it is none."""
        found = _ANSWERED.fullmatch(text)
        if found is None:
            return None
        try:
            at = datetime.fromisoformat(found["at"])
        except ValueError:
            return None
        return cls(
            found["question"],
            found["answer"] == "yes",
            at,
            found["option"] or "",
            found["asked"] or "",
        )


@dataclass(frozen=True)
class RunMessage:
    """What the command says of a run.

    :ivar command: what was typed, such as `failover --lost 1`.
    :ivar operator: who typed it.
    :ivar note: what was given with `--message`.
    """

    command: str
    operator: str
    note: str = ""
    ticket: str = ""
    answers: tuple[Answer, ...] = ()

    @property
    def title(self) -> str:
        """The first line."""
        note = f": {_line(self.note)}" if self.note else ""
        return f"dualregion {self.command} by {_line(self.operator)}{note}"

    def __str__(self) -> str:
        return "\n".join((self.title, *self._rest()))

    def _rest(self) -> Iterator[str]:
        if self.ticket or self.answers:
            yield ""
        if self.ticket:
            yield f"{_TICKET}{_line(self.ticket)}"
        yield from (f"{_ANSWER}{each}" for each in self.answers)

    @classmethod
    def parse(cls, text: str) -> "RunMessage | None":
        """Read what a stack history holds; None if the command did not write it."""
        first, *rest = text.splitlines() or [""]
        found = _FIRST_LINE.fullmatch(first)
        if found is None:
            return None
        answers = (
            Answer.parse(each.removeprefix(_ANSWER)) for each in rest if each.startswith(_ANSWER)
        )
        tickets = (each.removeprefix(_TICKET) for each in rest if each.startswith(_TICKET))
        return cls(
            found["command"],
            found["operator"],
            found["note"] or "",
            next(tickets, ""),
            tuple(each for each in answers if each),
        )


def _line(text: str) -> str:
    """Return a text in one line."""
    return " ".join(text.split())
