"""Telling chats, paging services and mail addresses in words, by Apprise.

Nothing of a service's address is ever shown: any part of it may be a token. Apprise's own log, which quotes addresses,
goes nowhere but into the reason of a failure, without every part of the address.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import unquote

from cli.check import Check, failed, ok
from cli.notify.events import Point
from clients.parallel import begin
from dualregion.config.sections.notifications import AnnouncementSettings, ServiceSettings
from dualregion.secrets import HIDDEN, without_secrets
from messages import Message
from messages.command import checks as checking
from messages.command import driving as messages

Document = Mapping[str, Any]

_SHOWN = 300
"""How many characters of Apprise's reason are shown."""
_SHORTEST_SECRET = 4
"""A part of an address that is shorter is a word, or no secret worth the name."""


def tell(service: ServiceSettings, document: Document) -> Message | None:
    """Tell a service what a document says, and return why that failed, or None."""
    answer = begin(lambda: _sent(service, document))
    try:
        return answer.result(service.deadline_seconds)
    except TimeoutError:
        return messages.notification_unanswered(service.deadline_seconds)
    except Exception as error:
        # A plugin of Apprise's may fail of anything; what it says may hold the address.
        return messages.notification_refused(type(error).__name__)


def checks(hooks: AnnouncementSettings) -> Iterator[Check]:
    """Check that Apprise knows each service, without sending anything."""
    for index, service in enumerate(hooks.services):
        name = checking.check_service(str(service))
        problem, kind = _kind(service)
        if problem:
            yield failed(name, problem, checking.fix_service(f"hooks.services[{index}]"))
        else:
            yield ok(name, checking.notification_not_sent(kind))


def words(document: Document) -> tuple[str, str]:
    """Return a document's title and text for people."""
    lost, survivor, error = (document[each] for each in ("lostRegion", "survivor", "error"))
    to = " and ".join(each["name"] for each in document["trafficTo"] or ())
    code = f" [{document['code']}]" if document["code"] else ""
    lines = (
        lost and f"Lost region: {lost['name']} ({lost['region']})",
        survivor and f"Survivor: {survivor['name']} ({survivor['region']})",
        to and f"Clients belong to: {to}",
        error and f"Error: {without_secrets(str(error))}{code}",
        document["incident"] and f"Incident: {document['incident']}, phase {document['phase']}",
        f"By {document['who']} at {document['when']}",
    )
    about = f"Camunda, {lost['name']}: " if lost else "Camunda: "
    return about + document["title"], "\n".join(line for line in lines if line)


def _sent(service: ServiceSettings, document: Document) -> Message | None:
    try:
        apprise = _apprise()
    except ImportError as error:
        return messages.notification_library_missing(error.name or type(error).__name__)
    receiver = _receiver(apprise, service)
    if receiver is None:
        return messages.notification_address_unknown()
    sender = apprise.Apprise(asset=receiver.asset)
    sender.add(receiver)
    title, body = words(document)
    gravity = Point(document["point"]).gravity
    done = sender.notify(body, title, notify_type=gravity, body_format="text")
    if done:
        return None
    reasons = [each.message for each in done.logs()]
    return messages.notification_refused(_shown(reasons, service.address))


def _kind(service: ServiceSettings) -> tuple[Message | None, str]:
    """Return why a service cannot be told, or what kind of service it is."""
    try:
        receiver = _receiver(_apprise(), service)
    except ImportError as error:
        return messages.notification_library_missing(error.name or type(error).__name__), ""
    if receiver is None:
        return messages.notification_address_unknown(), ""
    return None, str(receiver.service_name)


def _receiver(apprise: ModuleType, service: ServiceSettings) -> Any | None:
    # No pictures of Apprise's own: nothing but the words is wanted, and no other host is asked for anything.
    asset = apprise.AppriseAsset(
        app_id="dualregion",
        app_desc="Camunda in two regions",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
    )
    return apprise.Apprise.instantiate(service.address, asset=asset, suppress_exceptions=True)


@cache
def _apprise() -> ModuleType:
    """Read the library, which takes a second, and keep its log from standard error."""
    import apprise  # noqa: PLC0415

    apprise.logger.propagate = False
    apprise.logger.addHandler(logging.NullHandler())
    return apprise


def _shown(lines: list[str], address: str) -> str:
    """Return the last reason on one line, without any part of the address."""
    text = " ".join("".join(c if c.isprintable() else " " for c in "".join(lines[-1:])).split())
    parts = {each for part in re.split(r"[/:@?&=#+,;]+", address) for each in (part, unquote(part))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST_SECRET and part.lower() != address.partition(":")[0].lower():
            text = re.sub(re.escape(part), HIDDEN, text, flags=re.IGNORECASE)
    return without_secrets(text)[:_SHOWN]
