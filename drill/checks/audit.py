"""Which of their rights both stacks have used, by the audit logs of the regions' API servers.

What they were given is read in the manifests that the clusters were given, not asked of the program.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import yaml

from drill.model import Model
from drill.observation.access import REFUSED_PATH, USERS
from drill.regions import Region

_BINDINGS = "rolebindings.rbac.authorization.k8s.io"
_ROLES = "clusterroles.rbac.authorization.k8s.io"
_WRITING = ("create", "update", "patch")

Event = Mapping[str, Any]
"""An audit event, as the API server writes it."""


@dataclass(frozen=True)
class Asked:
    """What one of the stacks asked of an API server.

    `side` is whose stack it was, `own` or `peer`; `resource` has sub-resource and API group, as in
    `statefulsets.apps`; `namespace` is empty for the whole cluster; `name` is empty for a collection, None where
    the log does not have it.
    """

    side: str
    resource: str
    verb: str
    namespace: str
    name: str | None
    allowed: bool

    @property
    def text(self) -> str:
        """Resource and verb, and where it was asked for."""
        return _text(self.resource, self.verb, self.namespace)


@dataclass(frozen=True)
class Grant:
    """One verb on one resource that a region's cluster lets one of the stacks do.

    `namespaces` are those it holds in, empty for the whole cluster; `names` those it is limited to, empty for all.
    `place` is named in its text: a namespace that is neither of the region's two.
    """

    side: str
    resource: str
    verb: str
    namespaces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    place: str = ""

    @property
    def text(self) -> str:
        """Resource and verb, the same in both regions."""
        return _text(self.resource, self.verb, self.place)

    def covers(self, asked: Asked) -> bool:
        """Return whether the grant allows what was asked."""
        return (
            (self.side, self.resource, self.verb) == (asked.side, asked.resource, asked.verb)
            and (not self.namespaces or asked.namespace in self.namespaces)
            and (not self.names or asked.name is None or asked.name in self.names)
        )


class Rights(Model):
    """The rights of one side, each as `statefulsets.apps: get`, and what was refused."""

    granted: tuple[str, ...]
    used: tuple[str, ...]
    never_used: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass
class Audit:
    """What both stacks were given and asked for in the course of a drill, in every cluster that a region had."""

    _granted: dict[Region, tuple[Grant, ...]] = field(default_factory=dict)
    _asked: dict[Region, set[Asked]] = field(default_factory=dict)

    def grant(self, region: Region, manifests: str) -> None:
        """Take in what a region's cluster was given; the same again where it was recreated."""
        documents = [each for each in yaml.safe_load_all(manifests) if each]
        self._granted[region] = tuple(grants_of(documents, region))

    def take_in(self, region: Region, lines: Iterable[str]) -> None:
        """Take in the lines of a region's audit log; those that were read before change nothing."""
        for event in events_of(lines):
            self._asked.setdefault(region, set()).update(asked_of(event))

    def rights(self) -> dict[str, Rights]:
        """Return what became of the rights of each side; nothing if there was no audit log."""
        if not any(self._asked.values()):
            return {}
        return {side: self._rights(side) for side in USERS.values()}

    def _rights(self, side: str) -> Rights:
        grants = [
            (grant, self._asked.get(region, ()))
            for region, given in self._granted.items()
            for grant in given
            if grant.side == side
        ]
        used = {
            grant.text
            for grant, asked in grants
            if any(each.allowed and grant.covers(each) for each in asked)
        }
        granted = tuple(dict.fromkeys(grant.text for grant, _ in grants))
        refused = {
            each.text
            for asked in self._asked.values()
            for each in asked
            if each.side == side and not each.allowed
        }
        return Rights(
            granted=granted,
            used=tuple(each for each in granted if each in used),
            never_used=tuple(each for each in granted if each not in used),
            refused=tuple(sorted(refused)),
        )


def events_of(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a log's lines; one that does not end is being written."""
    for line in lines:
        if line.endswith("\n"):
            yield json.loads(line)


def asked_of(event: Event) -> Iterator[Asked]:
    """Yield what one of the stacks asked for in a request: nothing, one thing, or what comes with it.

    A log has one event a request, but the API server may ask RBAC more than once about it: applying an
    object that is not there yet also needs to `create` it, writing a RoleBinding to `bind` its role.
    """
    side = USERS.get(event["user"]["username"])
    about = event.get("objectRef")
    decision = event.get("annotations", {}).get("authorization.k8s.io/decision")
    # The drill itself asks for one thing, to see that it is refused.
    if not (side and about and decision) or event["requestURI"] == REFUSED_PATH:
        return
    asked = Asked(
        side,
        _resource(about.get("apiGroup", ""), about["resource"], about.get("subresource", "")),
        event["verb"],
        about.get("namespace", ""),
        about.get("name", ""),
        decision == "allow",
    )
    yield asked
    status = event.get("responseStatus", {})
    code = status.get("code", 0)
    if asked.verb in ("patch", "update"):
        if code == 201:
            yield replace(asked, verb="create")
        elif code == 403 and "cannot create resource" in status.get("message", ""):
            yield replace(asked, verb="create", allowed=False)
    if asked.resource == _BINDINGS and asked.verb in _WRITING and 200 <= code < 300:
        yield replace(asked, resource=_ROLES, verb="bind", name=None)


def grants_of(documents: Iterable[Mapping[str, Any]], region: Region) -> Iterator[Grant]:
    """Yield what manifests give both stacks in a region's cluster.

    A ClusterRole that a RoleBinding binds holds in both of the region's namespaces: the program binds it in the
    failover one, which is not there yet.
    """
    documents = list(documents)
    roles = {
        (each["kind"], each["metadata"]["name"]): each["rules"]
        for each in documents
        if each["kind"] in ("ClusterRole", "Role")
    }
    for binding in documents:
        if binding["kind"] not in ("ClusterRoleBinding", "RoleBinding"):
            continue
        role = binding["roleRef"]
        namespaces: tuple[str, ...] = ()
        place = ""
        if role["kind"] == "Role":
            place = binding["metadata"]["namespace"]
            namespaces = (place,)
        elif binding["kind"] == "RoleBinding":
            namespaces = (region.namespace, region.failover_namespace)
        for subject, rule in product(binding["subjects"], roles[role["kind"], role["name"]]):
            side = USERS.get(
                f"system:serviceaccount:{subject.get('namespace')}:{subject.get('name')}"
            )
            if side:
                yield from _grants_of_rule(rule, side, namespaces, place)


def _grants_of_rule(
    rule: Mapping[str, Any], side: str, namespaces: tuple[str, ...], place: str
) -> Iterator[Grant]:
    names = tuple(rule.get("resourceNames", ()))
    for group, resource, verb in product(rule["apiGroups"], rule["resources"], rule["verbs"]):
        yield Grant(side, _resource(group, resource), verb, namespaces, names, place)


def _resource(group: str, resource: str, subresource: str = "") -> str:
    name = f"{resource}/{subresource}" if subresource else resource
    return f"{name}.{group}" if group else name


def _text(resource: str, verb: str, namespace: str) -> str:
    return f"{resource}{f' in {namespace}' if namespace else ''}: {verb}"
