"""Whether a release that runs already is the one that the program would install.

Then the program can take it over as it runs. What counts is what the chart's templates get to see: the
values over the chart's own defaults, whatever file, option or order of keys they came from.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dualregion.chart.sent_values import means_normal
from dualregion.chart.values import merge
from dualregion.config.settings import Settings
from dualregion.procedure import Role
from dualregion.procedure.topology import Kind
from dualregion.secrets import HIDDEN, without_secrets
from dualregion.state.progress import Stack
from messages import Message
from messages.chart import rendered as messages

SHOWN_DIFFERENCES = 20
"""More than these say nothing further: the values files are others altogether."""

_CONFIDENTIAL = re.compile(r"password|secret|token|key|credential", re.IGNORECASE)
_ABSENT = "nothing"


@dataclass(frozen=True)
class ChartVersion:
    """A chart by name and version.

    :ivar helm: the versions of Helm that it says to be made for, separated by commas; empty where it says none.
    """

    name: str
    version: str
    helm: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class RunningRelease:
    """A release as Helm's own record has it.

    :ivar status: Helm's word for how its last operation ended; `deployed` if well.
    :ivar values: what was given to the chart.
    :ivar defaults: the chart's own values.
    """

    revision: int
    status: str
    chart: ChartVersion
    values: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)


def is_adopting(settings: Settings, own: Stack) -> bool:
    """Whether this stack takes over what runs: if it is told to, in phase normal, and has nothing yet."""
    return settings.adopt and settings.role is Role.MEMBER and Kind.NORMAL not in own.nodes


def differences(
    running: RunningRelease, chart: ChartVersion, wanted: Mapping[str, Any]
) -> list[Message]:
    """Return what an install of the program's would change in a running release.

    :param chart: the chart that the program would install.
    :param wanted: the values that it would install it with.
    """
    found = []
    if running.chart != chart:
        found.append(messages.chart_differs(str(running.chart), str(chart)))
    here, there = (merge(running.defaults, each) for each in (running.values, wanted))
    return _not_too_many([*found, *_compared("", here, there)])


def value_differences(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[Message]:
    """Return what differs between the values that run and those wanted.

    What is empty says nothing, as Pulumi's provider does not keep it.
    """
    return _not_too_many(list(_compared("", here, there)))


def _not_too_many(found: list[Message]) -> list[Message]:
    if len(found) <= SHOWN_DIFFERENCES:
        return found
    return [*found[:SHOWN_DIFFERENCES], messages.more_differences(len(found) - SHOWN_DIFFERENCES)]


def _compared(path: str, here: Any, there: Any) -> Iterator[Message]:
    here, there = _plain(here), _plain(there)
    if here == there or all(means_normal(path, each) for each in (here, there)):
        return
    if isinstance(here, Mapping | None) and isinstance(there, Mapping | None):
        one, other = here or {}, there or {}
        for key in sorted({*one, *other}):
            yield from _compared(f"{path}.{key}".lstrip("."), one.get(key), other.get(key))
    elif _is_named(here) and _is_named(there):
        yield from _compared_entries(path, here, there)
    else:
        yield messages.value_differs(path, _shown(path, here), _shown(path, there))


def _compared_entries(
    path: str, here: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]
) -> Iterator[Message]:
    """Compare lists of entries with names, such as environments: by name, and then their order."""
    one, other = _by_name(here), _by_name(there)
    changed = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    for name in changed:
        place = f"{path}[{name}]"
        runs, wanted = (_content(each.get(name)) for each in (one, other))
        yield messages.value_differs(place, _shown(place, runs), _shown(place, wanted))
    if not changed:
        yield messages.order_differs(path)


def _by_name(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the entries of each name, which may stand more than once."""
    named: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        named.setdefault(str(entry["name"]), []).append(entry)
    return named


def _content(entries: list[Mapping[str, Any]] | None) -> Any:
    """Return what is said of a name: its value, if it is one entry with a plain one."""
    if entries and len(entries) == 1 and entries[0].keys() == {"name", "value"}:
        return entries[0]["value"]
    return entries


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, Mapping) and "name" in entry for entry in value
    )


def _plain(value: Any) -> Any:
    """Return a value so that what templates print alike is alike.

    Numbers may come as texts (`--set-string`, quotes), and what is empty may as well not be there.
    """
    if isinstance(value, Mapping):
        inner = {str(key): _plain(each) for key, each in value.items()}
        return {key: each for key, each in inner.items() if each is not None} or None
    if isinstance(value, list):
        return [_plain(each) for each in value] or None
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _shown(path: str, value: Any) -> str:
    if value is None:
        return _ABSENT
    return HIDDEN if _CONFIDENTIAL.search(path) else without_secrets(repr(value))
