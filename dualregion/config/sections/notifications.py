"""The section `hooks` of the configuration: whom the command `dualregion` tells how far it is."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from dualregion.config.forms import DAY_SECONDS, Line, matching, text_of, whole
from dualregion.config.sections.section import Model
from dualregion.procedure.model import Milestone
from messages import Message
from messages.config import forms
from messages.config import settings as messages

Argument = Annotated[str, Field(coerce_numbers_to_str=True)]
"""`pulumi config set --path` stores what looks like a number as one."""


HeaderName = Annotated[str, matching(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", forms.header_name_needed)]
SecretText = Annotated[SecretStr, BeforeValidator(text_of)]

ENDS = ("failed", "stopped")
"""How a command may end before its end: points beside the milestones of the procedure."""
POINTS = (*map(str, Milestone), *ENDS)
"""Every point, by the name that a receiver gets."""


class HookSettings(Model):
    """A command or a URL of the user's own; it is given one JSON document at each of its points."""

    command: tuple[Argument, ...] | None = None
    """The program and its arguments, started without a shell; the document is on its standard input.
    A path is absolute or relative to the project; a mere name is looked for on PATH."""
    url: SecretStr | None = None
    """Where the document is posted to: `https://` or `http://`. It may hold a token, so it is never shown."""
    headers: dict[HeaderName, SecretText] = Field(default_factory=dict)
    """Headers that are sent along with the document, such as `Authorization`; their values are never shown."""
    deadline_seconds: Annotated[int, whole(1, DAY_SECONDS)] = 60
    """How long a call may take; a command that takes longer is killed."""
    required: bool = False
    """Whether a call that fails stops the procedure there; otherwise it is reported, and all goes on."""

    @property
    def address(self) -> str | None:
        """The URL in plain text, for the call itself."""
        return self.url.get_secret_value() if self.url else None

    def __str__(self) -> str:
        """What of it may be shown: arguments and paths may hold tokens."""
        if self.address is None:
            return f"command {self.command[0]}" if self.command else "nothing"
        parts = urlsplit(self.address)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"


class ServiceSettings(Model):
    """A chat, a paging service or a mail address that is told in words, by the library Apprise."""

    url: SecretText
    """Its address as Apprise writes it, such as `slack://...` or `mailto://...`. It holds tokens: it is never shown."""
    name: Line | None = None
    """What it is called in what is shown, such as `bridge`."""
    points: tuple[Line, ...] | None = None
    """The points that it is told of; without it all of them."""
    deadline_seconds: Annotated[int, whole(1, DAY_SECONDS)] = 20
    """How long telling it may take. The procedure does not wait for it, only the end of the command does."""

    @property
    def address(self) -> str:
        """The address in plain text, for the call itself."""
        return self.url.get_secret_value()

    def wants(self, point: str) -> bool:
        """Return whether it is told of a point."""
        return self.points is None or point in self.points

    def __str__(self) -> str:
        """What of it may be shown: its name, or the kind of the service. All else may be a token."""
        return self.name or self.address.partition(":")[0]


class AnnouncementSettings(Model):
    """What is called when. Without a hook nothing is."""

    traffic_reroute: HookSettings | None = None
    """Sends the clients elsewhere: to the survivor, and at the end to both regions again."""
    notify: HookSettings | None = None
    """Is told of every other point of the procedure."""
    services: tuple[ServiceSettings, ...] = ()
    """Are told of every point, or of those that they name."""

    def named(self) -> Iterable[tuple[str, HookSettings]]:
        """Return each hook that is set, with its key."""
        both = (("trafficReroute", self.traffic_reroute), ("notify", self.notify))
        return [(key, hook) for key, hook in both if hook is not None]


def announcement_problem(hooks: AnnouncementSettings) -> Message | None:
    """Return why a hook cannot be called as it is configured, or None; the message holds no value of it."""
    return next(_problems(hooks), None)


def _problems(hooks: AnnouncementSettings) -> Iterator[Message]:
    for key, hook in hooks.named():
        yield from _of_hook(f"hooks.{key}", hook)
    for index, service in enumerate(hooks.services):
        yield from _of_service(f"hooks.services[{index}]", service)


def _of_hook(key: str, hook: HookSettings) -> Iterator[Message]:
    if (hook.command is None) == (hook.url is None):
        yield messages.hook_ambiguous(key, both=hook.url is not None)
        return
    if hook.address is None:
        if not hook.command or not hook.command[0]:
            yield messages.setting_refused(f"{key}.command", None, forms.program_needed())
        if hook.headers:
            yield messages.setting_refused(f"{key}.headers", None, forms.url_needed_for_headers())
        return
    rule = _url_problem(hook.address)
    if rule:
        yield messages.setting_refused(f"{key}.url", None, rule)
    for name, value in hook.headers.items():
        if not re.fullmatch(r"[\x20-\x7e\t]*", value.get_secret_value()):
            refused = forms.header_value_needed()
            yield messages.setting_refused(f"{key}.headers.{name}", None, refused)


def _of_service(key: str, service: ServiceSettings) -> Iterator[Message]:
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^\s\x00-\x1f]+", service.address, re.IGNORECASE):
        yield messages.setting_refused(f"{key}.url", None, forms.service_address_needed())
    unknown = [each for each in service.points or () if each not in POINTS]
    if unknown:
        allowed = forms.word_needed(", ".join(POINTS))
        yield messages.setting_refused(f"{key}.points", repr(unknown[0]), allowed)


def _url_problem(url: str) -> Message | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f]", url):
        return forms.web_address_needed()
    return forms.address_without_password_needed() if "@" in parts.netloc else None
