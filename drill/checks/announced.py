"""What the user's own hooks were called with: the drill configures a script of its own, and reads what it noted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drill.check import Check, check_of
from drill.procedure.model import Until
from drill.regions import GATEWAY_SERVICE, Region
from drill.settings import Incident

NOTIFY, REROUTE = "notify", "trafficReroute"
STOPPED = "stopped"
OPERATOR = "operator@drill"
"""The operator's name, as hooks and the stack history get it."""

_SCRIPT = """\
#!/bin/sh
# The drill's own hook: notes what it is called with, and as which hook.
printf '{"hook": "%s", "document": %s}\\n' "$1" "$(cat)" >> ../announcements.jsonl
"""
_COMMAND = "./announce"
"""Beside Pulumi.yaml, in which folder hooks are started."""

_FAILOVER = (
    (NOTIFY, "failover-begun"),
    (REROUTE, "traffic-to-survivor"),
    (NOTIFY, "failover-complete"),
)
_PENDING = ((NOTIFY, "failback-begun"), (NOTIFY, "exporters-pausing"))
_RESTORED = (
    (NOTIFY, "exporters-resumed"),
    (REROUTE, "traffic-to-both"),
    (NOTIFY, "failback-complete"),
)
POINTS: Mapping[Until, Sequence[tuple[str, str]]] = {
    Until.NORMAL: (),
    Until.FAILOVER: _FAILOVER,
    Until.FAILBACK_PENDING: (*_FAILOVER, *_PENDING),
    Until.RESTORED: (*_FAILOVER, *_PENDING, *_RESTORED),
}
"""Hook and point, in their order, of a drill that goes so far."""


@dataclass(frozen=True)
class Announcement:
    """One call of a hook."""

    hook: str
    document: Mapping[str, Any]

    @property
    def point(self) -> str:
        """The point at which it was called."""
        return str(self.document.get("point"))


def install(project: Path) -> None:
    """Put the script into the project's folder."""
    script = project / _COMMAND
    script.write_text(_SCRIPT, encoding="utf-8")
    script.chmod(0o755)


def config() -> dict[str, str]:
    """Return the configuration of both hooks, as `pulumi config set --path` takes it."""
    return {
        f"hooks.{hook}.command[{index}]": part
        for hook in (NOTIFY, REROUTE)
        for index, part in enumerate((_COMMAND, hook))
    }


def read(path: Path) -> list[Announcement]:
    """Return all calls so far."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    calls = (json.loads(line) for line in lines)
    return [Announcement(each["hook"], each["document"]) for each in calls]


def hooks_were_called(
    calls: Sequence[Announcement], incident: Incident, until: Until, *, stopped: bool
) -> Check:
    """Each point of an incident came in its order, by the right hook, with a sensible document.

    A point may come again, with the same id.

    :param calls: all calls, of other incidents, too.
    :param incident: whose points are looked at.
    :param until: how far the incident went.
    :param stopped: whether Ctrl-C was hit in it.
    """
    name = name_of(incident)
    mine = [each for each in calls if each.document.get("incident") == name]
    first = list(dict.fromkeys((each.hook, each.point) for each in mine))
    stops = [each for each in first if each[1] == STOPPED]
    problems = []
    wanted = list(POINTS[until])
    if [each for each in first if each not in stops] != wanted:
        problems.append(f"called were {_listed(first)}, expected was {_listed(wanted)}")
    if len(stops) != stopped:
        problems.append(f"`{STOPPED}` was told {len(stops)} times instead of {int(stopped)}")
    problems += [problem for each in mine for problem in _problems(each, incident)]
    moments = [str(each.document.get("when")) for each in mine]
    if moments != sorted(moments):
        problems.append("the moments are not in order")
    return check_of(
        f"The hooks were told every point of incident {name} in its order",
        problems,
        f"{len(mine)} calls: {_listed(first)}",
    )


def none_was_called(calls: Sequence[Announcement]) -> Check:
    """No hook was called."""
    return check_of(
        "No hook is called by plain `pulumi up`, or for what is refused",
        [f"{each.hook} was told {each.point}" for each in calls],
        "none",
    )


def name_of(incident: Incident) -> str:
    """Return what the program calls an incident."""
    return f"{incident.number}-{incident.lost.stack}-lost"


def _problems(call: Announcement, incident: Incident) -> list[str]:
    name, survivor = name_of(incident), incident.survivor
    document, point = call.document, call.point
    expected: dict[str, Any] = {
        "incident": name,
        "who": OPERATOR,
        "survivor": _place(survivor),
        "lostRegion": {**_place(incident.lost), "gatewayAddress": _address(document, "lostRegion")},
        "trafficTo": {
            "traffic-to-survivor": [_place(survivor)],
            "traffic-to-both": sorted(
                (_place(survivor), _place(incident.lost)), key=lambda each: int(each["region"])
            ),
        }.get(point),
    }
    problems = [
        f"{point}: {key} is {document.get(key)!r} instead of {value!r}"
        for key, value in expected.items()
        if document.get(key) != value
    ]
    problems += [
        f"{point} has no {key}" for key in ("title", "phase", "when") if not document.get(key)
    ]
    if bool(document.get("error")) != (point == STOPPED):
        problems.append(f"{point}: error is {document.get('error')!r}")
    own = f"{name}/{point}"
    identity = str(document.get("id"))
    if identity != own and not (point == STOPPED and identity.startswith(f"{own}/")):
        problems.append(f"{point} has the id {identity!r}")
    return problems


def _place(region: Region) -> dict[str, Any]:
    return {
        "region": region.index,
        "name": region.city,
        "stack": region.stack,
        "gatewayAddress": f"{GATEWAY_SERVICE}.{region.namespace}.svc.cluster.local:26500",
    }


def _address(document: Mapping[str, Any], key: str) -> Any:
    """Return an address as it was given: that of a lost region may be unknown."""
    return (document.get(key) or {}).get("gatewayAddress")


def _listed(points: Sequence[tuple[str, str]]) -> str:
    return ", ".join(point for _, point in points) or "none"
