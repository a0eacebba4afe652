"""A cluster asked about itself: rights, right by right, Secrets, and room on its nodes."""

from collections.abc import Iterator
from dataclasses import dataclass

from kubernetes import client

from dualregion.dns import DnsSettings
from hooks.cluster import Cluster
from runbook.room import Resources, requested

_OWN = ("get", "list", "watch", "create", "update", "patch", "delete")


@dataclass(frozen=True)
class Right:
    """A right that the program needs in a region; see docs/configuration.md.

    :ivar resource: the resource, with its sub-resource, such as `pods/proxy`.
    :ivar namespaced: whether it is needed in the region's namespaces, or in the whole cluster.
    """

    verbs: tuple[str, ...]
    group: str
    resource: str
    namespaced: bool = True


RIGHTS = (
    Right(("get", "list", "watch", "create", "patch", "delete"), "", "namespaces", False),
    Right(("list",), "", "persistentvolumes", False),
    Right(_OWN, "apps", "statefulsets"),
    Right(_OWN, "apps", "deployments"),
    Right(("get",), "apps", "controllerrevisions"),
    Right(_OWN, "", "services"),
    Right(_OWN, "", "configmaps"),
    Right(_OWN, "", "secrets"),
    Right(_OWN, "", "serviceaccounts"),
    Right(_OWN, "", "persistentvolumeclaims"),
    Right(_OWN, "networking.k8s.io", "networkpolicies"),
    Right(_OWN, "policy", "poddisruptionbudgets"),
    Right(("get", "list", "delete"), "", "pods"),
    Right(("get", "create", "delete"), "", "services/proxy"),
    Right(("get", "create"), "", "pods/proxy"),
    Right(("list",), "", "events"),
)
"""Either region may be the survivor, so each context needs them all."""


def dns_rights(dns: DnsSettings) -> Iterator[tuple[Right, str]]:
    """Yield what DNS needs beside them, each with the namespace in which it is needed."""
    if dns.chain:
        yield Right(("get", "patch"), "", "configmaps"), dns.namespace
    if dns.load_balancer.create:
        yield Right(_OWN, "", "services"), dns.namespace


class AskingCluster(Cluster):
    """A cluster that is asked about itself."""

    def missing_rights(self, namespaces: tuple[str, ...], dns: DnsSettings) -> Iterator[str]:
        """Yield each right that these credentials lack, as `verb resource in namespace`."""
        wanted = [
            (right, namespace)
            for right in RIGHTS
            for namespace in (namespaces if right.namespaced else ("",))
        ]
        for right, namespace in (*wanted, *dns_rights(dns)):
            for verb in right.verbs:
                if not self._may(right, verb, namespace):
                    place = f" in {namespace}" if namespace else ""
                    yield f"{verb} {right.resource}{place}"

    def _may(self, right: Right, verb: str, namespace: str) -> bool:
        resource, _, part = right.resource.partition("/")
        asked = client.V1ResourceAttributes(
            verb=verb,
            group=right.group,
            resource=resource,
            subresource=part or None,
            namespace=namespace or None,
        )
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=asked)
        )
        api = client.AuthorizationV1Api(self._api)
        answer = self._call(lambda: api.create_self_subject_access_review(review))
        return bool(answer.status.allowed)

    def has_secret(self, namespace: str, name: str) -> bool:
        """Return whether there is a Secret of this name."""
        return self._or_none(lambda: self._core.read_namespaced_secret(name, namespace)) is not None

    def free(self) -> list[Resources]:
        """Return what of each schedulable node nobody has asked for yet."""
        held: dict[str, Resources] = {}
        for pod in self._call(self._core.list_pod_for_all_namespaces).items:
            if pod.spec.node_name and pod.status.phase not in ("Succeeded", "Failed"):
                held[pod.spec.node_name] = held.get(pod.spec.node_name, Resources()).plus(
                    requested(pod.spec)
                )
        return [
            Resources.of(node.status.allocatable).minus(held.get(node.metadata.name, Resources()))
            for node in self._call(self._core.list_node).items
            if not node.spec.unschedulable
        ]

    def wanted(self, namespace: str, stateful_set: str) -> tuple[int, Resources] | None:
        """Return how many pods a StatefulSet has, and what each asks for; None if there is none."""
        found = self.stateful_set(namespace, stateful_set)
        return found and (found.spec.replicas, requested(found.spec.template.spec))
