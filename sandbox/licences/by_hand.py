"""What no tool can find out, entered by hand, each with its reason (`by_hand.yaml`)."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).parent / "by_hand.yaml"
ANY = "any"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Answer(_Strict):
    """A licence read by a person.

    :ivar kind: as in the list.
    :ivar of: names, as in the list.
    :ivar version: the one whose licence was read, or "any": then a change of version asks no one again.
    :ivar licence: an SPDX expression.
    :ivar because: what was read, and why no tool could.
    """

    kind: str
    of: tuple[str, ...]
    version: str = ANY
    licence: str
    because: str

    def answers(self, kind: str, name: str, version: str) -> bool:
        """Whether this is the answer for a thing."""
        return kind == self.kind and name in self.of and self.version in (ANY, version)


class Part(_Strict):
    """A part of the sandbox as the document describes it.

    :ivar of: kind and name of the entry that has its licence, and its version if the set-up does not say it.
    :ivar licence: its licence, where no other entry has it.
    :ivar holds: other parts that are in it, and count with it.
    :ivar packages: the use of those Debian packages that are in it ("image"); empty if none are.
    :ivar licence_shown: the licence for people, where the expression is too long for a table.
    :ivar made_from: for people.
    :ivar what_for: for people.
    """

    of: str = ""
    licence: str = ""
    holds: tuple[str, ...] = ()
    packages: str = ""
    licence_shown: str = ""
    made_from: str
    what_for: str


class ByHand(_Strict):
    """The whole file.

    :ivar licences: answers for single things.
    :ivar accepted: licences that the OSI has not approved -> why they are accepted.
    :ivar spelled: what metadata call a licence -> its SPDX expression.
    :ivar parts: the parts of the set-up, by name.
    :ivar debian: Debian packages that the set-up installs, "one, another" if for the same -> what for.
    """

    licences: tuple[Answer, ...]
    accepted: dict[str, str]
    spelled: dict[str, str]
    parts: dict[str, Part]
    debian: dict[str, str]

    def answer(self, kind: str, name: str, version: str) -> Answer | None:
        """The answer for a thing in this version, if there is one."""
        return next((a for a in self.licences if a.answers(kind, name, version)), None)


def load() -> ByHand:
    """Read the file; raises pydantic's ValidationError, which names the place."""
    return ByHand.model_validate(yaml.safe_load(FILE.read_text()))
