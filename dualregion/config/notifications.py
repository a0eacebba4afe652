"""The section `hooks` of the configuration: whom the command `dualregion` tells how far it is."""

import re
from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from dualregion.config.forms import DAY_SECONDS, whole
from dualregion.config.section import Model
from messages import Message
from messages.config import forms
from messages.config import settings as messages

Argument = Annotated[str, Field(coerce_numbers_to_str=True)]
"""`pulumi config set --path` stores what looks like a number as one."""


class HookSettings(Model):
    """A command or a URL of the user's own; it is given one JSON document at each of its points."""

    command: tuple[Argument, ...] | None = None
    """The program and its arguments, started without a shell; the document is on its standard input.
    A path is absolute or relative to the project; a mere name is looked for on PATH."""
    url: SecretStr | None = None
    """Where the document is posted to: `https://` or `http://`. It may hold a token, so it is never shown."""
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


class AnnouncementSettings(Model):
    """What is called when. Without a hook nothing is."""

    traffic_reroute: HookSettings | None = None
    """Sends the clients elsewhere: to the survivor, and at the end to both regions again."""
    notify: HookSettings | None = None
    """Is told of every other point of the procedure."""

    def named(self) -> Iterable[tuple[str, HookSettings]]:
        """Return each hook that is set, with its key."""
        both = (("trafficReroute", self.traffic_reroute), ("notify", self.notify))
        return [(key, hook) for key, hook in both if hook is not None]


def announcement_problem(hooks: AnnouncementSettings) -> Message | None:
    """Return why a hook cannot be called as it is configured, or None; the message holds no value of it."""
    found = (_problem(f"hooks.{key}", hook) for key, hook in hooks.named())
    return next((problem for problem in found if problem), None)


def _problem(key: str, hook: HookSettings) -> Message | None:
    if (hook.command is None) == (hook.url is None):
        return messages.hook_ambiguous(key, both=hook.url is not None)
    if hook.address is not None:
        rule = _url_problem(hook.address)
        return messages.setting_refused(f"{key}.url", None, rule) if rule else None
    if not hook.command or not hook.command[0]:
        return messages.setting_refused(f"{key}.command", None, forms.program_needed())
    return None


def _url_problem(url: str) -> Message | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f]", url):
        return forms.web_address_needed()
    return forms.address_without_password_needed() if "@" in parts.netloc else None
