"""The DNS chain in the live Corefile of a region's own cluster: put there, kept there, and taken out.

The other region is not asked for anything, as it may be dead. That the chain works is proved by the
brokers that find each other by it (N, B1, B7).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clients.cluster.kubernetes import CallFailed, Cluster
from dualregion import brokers, corefile
from dualregion.config.sections.dns import COREFILE
from dualregion.config.settings import Settings
from dualregion.errors import DualRegionError, Refused
from messages import Message
from messages.steps import dns as messages
from steps.context import StepContext
from steps.polling import Waiting

_STEP = "DNS"
"""What stands before each line of progress."""


@dataclass(frozen=True)
class CorefileKey:
    """A key of a ConfigMap in a cluster, which holds a Corefile or a part of one."""

    cluster: Cluster
    config_map: str
    key: str

    @property
    def named(self) -> Message:
        """Where it is."""
        return messages.corefile_key(self.key, self.config_map, self.cluster.context)

    def read(self) -> Any | None:
        """Return the ConfigMap, or None."""
        namespace, _, name = self.config_map.partition("/")
        return self.cluster.config_map(namespace, name)

    def text(self, found: Any | None) -> str:
        """Return what it holds; another key than `Corefile` may be missing and is then empty.

        :param found: the ConfigMap.
        :raises Refused: if there is no Corefile.
        """
        text = ((found and found.data) or {}).get(self.key)
        if found is None or (text is None and self.key == COREFILE):
            raise Refused(messages.no_corefile(self.named))
        return text or ""


def corefile_of(cluster: Cluster, settings: Settings) -> CorefileKey:
    """Return where the settings have the Corefile."""
    return CorefileKey(cluster, settings.dns.config_map, settings.dns.key)


def missing(cluster: Cluster, settings: Settings, region: int) -> bool:
    """Return whether a region's Corefile lacks the block as it is wanted.

    :raises Refused: if it can never be put there.
    :raises CallFailed: if the cluster cannot be asked.
    """
    place = corefile_of(cluster, settings)
    text = place.text(place.read())
    return _wanted(place, settings, region)(text) != text


def chain(ctx: StepContext) -> None:
    """Keep the block in the Corefile of the region's own cluster.

    :raises Refused: if it cannot be put there.
    :raises DeadlineExceeded: if it does not stay there.
    """
    settings = ctx.settings
    place = corefile_of(ctx.cluster, settings)
    _edit(
        ctx,
        place,
        messages.corefile_chained(place.named),
        _wanted(place, settings, settings.region),
    )


def unchain(ctx: StepContext, config_map: str, key: str) -> None:
    """Take the block out of a Corefile; one that is gone needs nothing.

    :raises DeadlineExceeded: if it does not stay out.
    """
    place = CorefileKey(ctx.cluster, config_map, key)
    if place.read() is not None:
        _edit(
            ctx, place, messages.corefile_unchained(place.named), _named(place, corefile.unchained)
        )


def _wanted(place: CorefileKey, settings: Settings, region: int) -> Callable[[str], str]:
    other = brokers.other(region)
    zones, addresses = corefile.zones_of(settings, other), settings.regions[other].dns_addresses
    tcp = settings.dns.tcp
    return _named(place, lambda text: corefile.chained(text, zones, addresses, tcp=tcp))


def _named(place: CorefileKey, edit: Callable[[str], str]) -> Callable[[str], str]:
    """Let what an edit refuses say where."""

    def edited(text: str) -> str:
        try:
            return edit(text)
        except Refused as error:
            raise Refused(messages.corefile_not_edited(place.named, error.message)) from None

    return edited


def _edit(ctx: StepContext, place: CorefileKey, what: Message, edit: Callable[[str], str]) -> None:
    """Edit the text until a fresh look finds nothing to change: a write that met another's is tried again."""
    writes = 0

    def look() -> Message | None:
        nonlocal writes
        found = place.read()
        text = place.text(found)
        wanted = edit(text)
        if wanted == text:
            return None
        # A key that the program has made goes with the last of it.
        place.cluster.set_config_map_key(
            found, place.key, None if not wanted and place.key != COREFILE else wanted
        )
        writes += 1
        return messages.corefile_being_written() if writes == 1 else messages.corefile_overwritten()

    waiting = Waiting(_STEP, ctx.say, ctx.settings.deadline_seconds)
    waiting.until_none(what, _permitted(look), messages.look_who_writes())


def _permitted(look: Callable[[], Message | None]) -> Callable[[], Message | None]:
    """Let missing rights end the wait at once: waiting brings none."""

    def asked() -> Message | None:
        try:
            return look()
        except CallFailed as error:
            if error.status in (401, 403):
                raise DualRegionError(messages.corefile_forbidden(_STEP, error.message)) from None
            raise

    return asked
