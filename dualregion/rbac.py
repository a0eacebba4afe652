"""The rights that the program and its command need in a region's cluster: one table, and what follows from it.

From it come the manifests for the cluster's administrator, the RoleBindings that the program makes with
each namespace, the command's check beforehand, and the table in docs/prepare/rights.md.

Rights in a namespace can only be given in that namespace, by a RoleBinding, and the program deletes and
makes namespaces. So it may make that one binding itself, of no other role than its own.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dualregion.config.sections.dns import LOAD_BALANCER_NAME
from dualregion.config.sections.rbac_subjects import Subject, rbac_subject
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.names import ReleaseNames
from dualregion.procedure.versions import RemovalForm
from messages.config import settings as messages

Document = dict[str, Any]
"""A manifest."""

_RBAC = "rbac.authorization.k8s.io"
_NAME = "camunda-dual-region"
_GATEWAY_PORT, _MANAGEMENT_PORT = 8080, 9600
"""What is asked through the API server's proxy; a Service has its port in its name there."""


class Side(StrEnum):
    """Which of the two stacks a login runs, as seen from a region's cluster."""

    OWN = "own"
    PEER = "peer"


class Only(StrEnum):
    """The names that a right is limited to."""

    NAMESPACES = "the region's two namespaces"
    BINDINGS = "the program's own RoleBindings"
    ROLES = "the program's own ClusterRoles"
    COREFILE = "the ConfigMap that holds the Corefile"
    LOAD_BALANCER = "the load balancer before it"
    GATEWAY = "the gateway's Service"
    MANAGEMENT = "the gateway's management port"
    ENGINE = "the search engine's Service"
    GATEWAY_SECRET = "the Secret with the password for the gateway"  # noqa: S105
    ENGINE_SECRETS = "the Secret with the search engine's password, and that of its authority"


@dataclass(frozen=True)
class Right:
    """A right that the program or its command needs.

    :ivar resource: the resource with its sub-resource and its API group, as `kubectl auth can-i` takes it.
    :ivar use: what it is needed for.
    :ivar only: the names that it is limited to; None for all.
    """

    resource: str
    verbs: tuple[str, ...]
    use: str
    only: Only | None = None

    @property
    def name(self) -> str:
        """The resource, with its sub-resource."""
        return self.resource.partition(".")[0]

    @property
    def group(self) -> str:
        """The API group; empty for the core's."""
        return self.resource.partition(".")[2]


_HELM = ("get", "create", "patch", "delete")
"""What Helm does with a chart's objects, without waiting for them. It replaces none, so none needs `update`."""
_PULUMI = ("list", "watch")
"""What Pulumi does besides: until an object of its own is gone."""
_CHART = "the chart's"

_OWN_NAMESPACED = (
    Right("statefulsets.apps", (*_HELM, "list"), f"{_CHART}; held and restarted by gates"),
    Right("deployments.apps", (*_HELM, "list"), f"{_CHART}; Operate and Tasklist are scaled"),
    Right(
        "controllerrevisions.apps", ("get",), "an update that brokers see nothing of is taken back"
    ),
    Right("services", _HELM, _CHART),
    Right("configmaps", (*_HELM, *_PULUMI), f"{_CHART}; the gates' records"),
    Right(
        "secrets", (*_HELM, *_PULUMI, "update"), f"{_CHART}; the search engine's; Helm's records"
    ),
    Right("serviceaccounts", _HELM, _CHART),
    Right("persistentvolumeclaims", (*_HELM, "list"), _CHART),
    Right("networkpolicies.networking.k8s.io", (*_HELM, *_PULUMI), f"{_CHART}; the isolation"),
    Right("poddisruptionbudgets.policy", _HELM, _CHART),
    Right("pods", ("list", "delete"), "seen, and restarted one by one"),
    Right("services/proxy", ("get", "create", "delete"), "gateway and search engine"),
    Right("pods/proxy", ("get", "create"), "brokers"),
    Right("events", ("list", "watch"), "Pulumi tells the warnings about what it makes"),
)
_OWN_CLUSTER = (
    Right("namespaces", ("get", "list", "watch"), "whether the cluster answers, what is gone"),
    Right("namespaces", ("create", "patch", "delete"), "its two namespaces", Only.NAMESPACES),
    Right(
        "rolebindings." + _RBAC,
        ("get", "create", "patch"),
        "these rights, in each namespace that it makes",
        Only.BINDINGS,
    ),
    Right("clusterroles." + _RBAC, ("bind",), "the same", Only.ROLES),
    Right("persistentvolumes", ("list",), "what outlives its claim"),
)
_COREFILE = Right("configmaps", ("get", "patch"), "`dns.chain`", Only.COREFILE)
_LOAD_BALANCER = (
    Right("services", ("get", "list", "watch"), "`dns.loadBalancer.create`"),
    Right("services", ("create", "patch", "delete"), "the same", Only.LOAD_BALANCER),
)
_PEER_NAMESPACED = (
    Right("statefulsets.apps", ("get", "list"), "B0, B6; the brokers' environment (B3, B5)"),
    Right("deployments.apps", ("list",), "B0, B6"),
    Right("persistentvolumeclaims", ("list",), "B0, B6"),
    Right("pods", ("list",), "the swap guard; B0, B2 to B7"),
    Right(
        "pods/proxy",
        ("get",),
        "what each broker says of its exporters, and each gateway of the brokers",
    ),
    Right("services/proxy", ("get", "create"), "the survivor's gateway", Only.GATEWAY),
)
_USE_OF_PEER_ENGINE = (
    "the recreated region's search engine: its own indices go, the survivor's are restored, and its own persistent "
    "settings are put back (B3)"
)
_ENGINE_BY_PROXY = (
    Right(
        "services/proxy", ("get", "create", "update", "delete"), _USE_OF_PEER_ENGINE, Only.ENGINE
    ),
)
_ENGINE_BY_LOGIN = (
    Right("pods/portforward", ("get", "create"), _USE_OF_PEER_ENGINE),
    Right(
        "secrets",
        ("get",),
        "the password of its search engine, for this region's brokers (N, B1, B2) and for the program: 8.9 and later",
        Only.ENGINE_SECRETS,
    ),
)
"""The API server's proxy keeps logins for itself."""
_USE_OF_GATEWAY_LOGIN = (
    "`gatewayLogin`: the survivor's gateway is logged in to past the API server's proxy"
)
_GATEWAY_BY_LOGIN = (
    Right("pods/portforward", ("get", "create"), _USE_OF_GATEWAY_LOGIN),
    Right("secrets", ("get",), "the same", Only.GATEWAY_SECRET),
)
_MEMBERS_CHANGED = Right(
    "services/proxy",
    ("patch",),
    "the lost brokers are removed (F2), and added again (B6): 8.8 and later",
    Only.MANAGEMENT,
)
_PAST_THE_PROXY = Right(
    "pods/portforward",
    ("get", "create"),
    "dry runs of the cluster's changes, and search engines that ask for a password: the API server's proxy lets neither "
    "through",
)
_MEMBERS_SEEN = Right(
    "services/proxy", ("get",), "which brokers are members (B1, B7)", Only.MANAGEMENT
)
_PEER_CLUSTER = (
    Right("namespaces", ("get",), "B0, B6"),
    Right("persistentvolumes", ("list",), "B0, B6"),
)


def namespaced(settings: Settings, side: Side) -> tuple[Right, ...]:
    """Return what is needed in each of a region's namespaces."""
    by_cluster_api = of_cluster_api(settings, side)
    if side is Side.PEER:
        has_login = settings.engine_address.login is not None
        engine = _ENGINE_BY_LOGIN if has_login else _ENGINE_BY_PROXY
        gateway = of_gateway_login(settings)[1 if has_login else 0 :]
        return (*_PEER_NAMESPACED, *engine, *gateway, *by_cluster_api)
    extra = (Right(each, _HELM, "the values'") for each in settings.rights.extra)
    return (*_OWN_NAMESPACED, *by_cluster_api, *extra)


def of_gateway_login(settings: Settings) -> tuple[Right, ...]:
    """Return what the other region's stack needs besides to log in to the gateway."""
    return () if settings.login is None else _GATEWAY_BY_LOGIN


def of_cluster_api(settings: Settings, side: Side) -> tuple[Right, ...]:
    """Return what is needed besides where brokers are removed and added, and have no failover installation."""
    if settings.procedure.has_failover_installation:
        return ()
    if side is Side.PEER:
        return (_MEMBERS_SEEN,)
    by_patch = settings.version.removal is RemovalForm.REMOVE_LIST
    return (_PAST_THE_PROXY, *((_MEMBERS_CHANGED,) if by_patch else ()))


def cluster_wide(settings: Settings, side: Side) -> tuple[Right, ...]:
    """Return what is needed of the cluster itself; without `rights.subject` no binding is made."""
    found = _PEER_CLUSTER if side is Side.PEER else _OWN_CLUSTER
    if settings.rights.subject is not None:
        return found
    return tuple(each for each in found if each.only not in (Only.BINDINGS, Only.ROLES))


def of_dns(settings: Settings, side: Side) -> tuple[Right, ...]:
    """Return what is needed in the namespace of CoreDNS; of the other region's stack nothing."""
    if side is Side.PEER:
        return ()
    chain = (_COREFILE,) if settings.dns.chain else ()
    return (*chain, *(_LOAD_BALANCER if settings.dns.load_balancer.create else ()))


def names(right: Right, settings: Settings, region: int) -> tuple[str, ...]:
    """Return the names that a right is limited to in a region; empty for no limit."""
    sides, made = (Side.OWN, Side.PEER), ReleaseNames(settings.release)
    engine = settings.engine_address
    limits: dict[Only | None, tuple[str, ...]] = {
        Only.NAMESPACES: _namespaces(settings, region),
        Only.BINDINGS: tuple(map(binding_name, sides)),
        Only.ROLES: tuple(role_name(settings, region, side) for side in sides),
        Only.COREFILE: (settings.dns.name,),
        Only.LOAD_BALANCER: (LOAD_BALANCER_NAME,),
        Only.GATEWAY: (f"{made.gateway}:{_GATEWAY_PORT}",),
        Only.MANAGEMENT: (f"{made.gateway}:{_MANAGEMENT_PORT}",),
        Only.ENGINE: (f"{engine.service}:{engine.port}",),
        Only.GATEWAY_SECRET: () if settings.login is None else (settings.login.secret,),
        Only.ENGINE_SECRETS: tuple(
            each.secret for each in (engine.login, engine.tls) if each is not None
        ),
    }
    return limits.get(right.only, ())


def role_name(settings: Settings, region: int, side: Side) -> str:
    """Return the name of the ClusterRole that is bound in the region's namespaces.

    It has the namespace in it, as a cluster may hold several installations.
    """
    return f"{binding_name(side)}-{settings.regions[region].namespace}"


def binding_name(side: Side) -> str:
    """Return the name of the RoleBinding in each namespace."""
    return _NAME if side is Side.OWN else f"{_NAME}-{side}"


def bindings(settings: Settings, region: int, namespace: str) -> tuple[Document, ...]:
    """Return the RoleBindings that a namespace of the region begins with; none without `rights.subject`."""
    return tuple(
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": binding_name(side), "namespace": namespace},
            "roleRef": _cluster_role(role_name(settings, region, side)),
            "subjects": [rbac_subject(subject)],
        }
        for side, subject in _subjects(settings).items()
    )


def manifests(settings: Settings, region: int) -> tuple[Document, ...]:
    """Return what a region's administrator applies, before the program first works there.

    The region's own namespace is among it, empty but for its bindings: in a region that was recreated,
    the other stack looks into it, and Pulumi looks for what it remembers there.

    :raises ConfigError: if no subject is named to whom the rights are given.
    """
    if settings.rights.subject is None:
        raise ConfigError([messages.subject_needed_for_rights()])
    own = settings.regions[region].namespace
    documents: list[Document] = [*_fence(settings, region)]
    for side, subject in _subjects(settings).items():
        documents += _roles(settings, region, side, subject)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": own}}
    return (*documents, namespace, *bindings(settings, region, own))


def table(rights: Iterable[Right]) -> str:
    """Return rights as a table for docs/prepare/rights.md."""
    lines = ["| what | rights | for |", "|---|---|---|"]
    for right in rights:
        limit = f", only {right.only}" if right.only else ""
        lines.append(f"| `{right.resource}`{limit} | {', '.join(right.verbs)} | {right.use} |")
    return "\n".join(lines)


def _namespaces(settings: Settings, region: int) -> tuple[str, ...]:
    return tuple(settings.namespaces_of(region).values())


def _subjects(settings: Settings) -> Mapping[Side, Subject]:
    wanted = {Side.OWN: settings.rights.subject, Side.PEER: settings.rights.peer_subject}
    return {side: subject for side, subject in wanted.items() if subject is not None}


def _roles(settings: Settings, region: int, side: Side, subject: Subject) -> Iterable[Document]:
    """Yield the ClusterRole for the namespaces, and, bound at once, the one for the cluster itself."""
    role = role_name(settings, region, side)
    of_cluster = f"{role}-cluster"
    for name, rights in (
        (role, namespaced(settings, side)),
        (of_cluster, cluster_wide(settings, side)),
    ):
        yield {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [_rule(right, names(right, settings, region)) for right in rights],
        }
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": of_cluster},
        "roleRef": _cluster_role(of_cluster),
        "subjects": [rbac_subject(subject)],
    }
    yield from _roles_of_dns(settings, region, side, subject)


def _roles_of_dns(
    settings: Settings, region: int, side: Side, subject: Subject
) -> Iterable[Document]:
    """Yield the Role for the namespace of CoreDNS, bound at once, if anything is needed there."""
    found = of_dns(settings, side)
    if not found:
        return
    # Another name than the ClusterRole's, which the fence keeps out of this namespace.
    role = f"{role_name(settings, region, side)}-dns"
    place = {"name": role, "namespace": settings.dns.namespace}
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": place,
        "rules": [_rule(right, names(right, settings, region)) for right in found],
    }
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": place,
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": role},
        "subjects": [rbac_subject(subject)],
    }


def _rule(right: Right, limit: tuple[str, ...]) -> Document:
    rule: Document = {
        "apiGroups": [right.group],
        "resources": [right.name],
        "verbs": list(right.verbs),
    }
    return rule | ({"resourceNames": list(limit)} if limit else {})


def _cluster_role(name: str) -> Document:
    return {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name}


def _fence(settings: Settings, region: int) -> Iterable[Document]:
    """Yield the admission policy that keeps these roles in the region's namespaces, and with their subjects.

    A right to make RoleBindings in namespaces that are not there yet is one to make them in every
    namespace: RBAC alone would let the program bind its role in, say, kube-system.
    """
    name = f"{_NAME}-{settings.regions[region].namespace}"
    subjects = {
        role_name(settings, region, side): rbac_subject(subject)
        for side, subject in _subjects(settings).items()
    }
    spaces = _namespaces(settings, region)
    yield {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [_RBAC],
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["rolebindings"],
                    }
                ]
            },
            "matchConditions": [
                {
                    "name": "binds-a-role-of-the-program",
                    "expression": f"object.roleRef.name in {json.dumps(list(subjects))}",
                }
            ],
            "validations": [
                {
                    "expression": f"request.namespace in {json.dumps(spaces)}",
                    "message": f"the roles of {_NAME} are bound in namespace {' and '.join(spaces)} only",
                },
                {
                    "expression": "has(object.subjects) && object.subjects.all(subject, "
                    + " || ".join(_is_bound_to(role, who) for role, who in subjects.items())
                    + ")",
                    "message": f"the roles of {_NAME} are bound to rights.subject and rights.peerSubject only",
                },
            ],
        },
    }
    yield {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }


def _is_bound_to(role: str, who: Mapping[str, str]) -> str:
    """Return the expression (CEL) that a role is bound to no other subject; `subject` is who it is bound to."""
    demanded = [f"object.roleRef.name == {json.dumps(role)}"]
    for key, value in who.items():
        demanded.append(f"has(subject.{key}) && subject.{key} == {json.dumps(value)}")
    return f"({' && '.join(demanded)})"
