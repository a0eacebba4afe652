"""A sentence that carries its code and its facts, and how one is written."""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec

P = ParamSpec("P")


class Message(str):
    """A sentence for people, with what programs need of it.

    :ivar code: its code, such as `no-survivor`; it stands in users' scripts and never changes.
    :ivar facts: what the sentence is made of, by name.
    """

    code: str
    facts: Mapping[str, Any]

    def __new__(cls, code: str, facts: Mapping[str, Any], sentence: str) -> "Message":
        """Make a message; only `message` does.

        :param sentence: what is shown of it.
        """
        made = super().__new__(cls, sentence)
        made.code, made.facts = code, facts
        return made

    def __eq__(self, other: object) -> bool:
        """Two messages are equal by code and facts, whatever is shown of them; a message equals its own sentence."""
        if isinstance(other, Message):
            return (self.code, self.facts) == (other.code, other.facts)
        return str.__eq__(self, other)

    __hash__ = str.__hash__

    def redacted(self, redact: Callable[[str], str]) -> "Message":
        """Return the same message with this done to its sentence and to each text of its facts.

        :param redact: returns a text without what is secret.
        """
        facts = {name: _redacted(fact, redact) for name, fact in self.facts.items()}
        return Message(self.code, facts, redact(str(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Message, (self.code, dict(self.facts), str(self))


def with_code(found: Message | str) -> str:
    """Return a message's sentence with its code behind it."""
    return f"{found} [{found.code}]" if isinstance(found, Message) else found


def _redacted(fact: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(fact, Message):
        return fact.redacted(redact)
    if isinstance(fact, str):
        return redact(fact)
    if isinstance(fact, list | tuple):
        return type(fact)(_redacted(each, redact) for each in fact)
    return fact


def code_of(text: str | None) -> str | None:
    """Return the code of a text that is a message; None of any other."""
    return text.code if isinstance(text, Message) else None


_CODED = re.compile(r"(.*) \[([a-z0-9]+(?:-[a-z0-9]+)+)\]", re.DOTALL)


def read_back(text: str) -> str:
    """Return the message that a text with a code behind it was, without its facts; any other text as it is."""
    found = _CODED.fullmatch(text)
    return Message(found[2], {}, found[1]) if found else text


CODES_ONLY = False
"""Whether a message's code is shown instead of its sentence: by tests, which then show that no text decides anything."""
CATALOGUE: dict[str, Callable[..., Message]] = {}
"""All messages by their codes, as far as their modules have been imported."""


def message(sentence: Callable[P, str]) -> Callable[P, Message]:
    """Make a message of a function that returns its sentence; its name is the code, its parameters are the facts.

    :raises ValueError: if there is another message of that code.
    """
    code = sentence.__name__.replace("_", "-")
    parameters = signature(sentence)

    @wraps(sentence)
    def made(*args: P.args, **kwargs: P.kwargs) -> Message:
        facts = parameters.bind(*args, **kwargs).arguments
        said = sentence(*args, **kwargs)
        return Message(code, facts, code if CODES_ONLY else said)

    if code in CATALOGUE:
        raise ValueError(f"two messages have the code {code}")
    CATALOGUE[code] = made
    return made
