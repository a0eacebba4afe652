"""A cluster asked about itself: rights, right by right, Secrets, and room on its nodes."""

from collections.abc import Iterable, Iterator
from typing import Any

from kubernetes import client

from cli.checks.capacity import Node, Planned, Resources, requested
from cli.checks.gitops import Metadata
from clients.cluster.kubernetes import Cluster
from dualregion import rbac
from dualregion.config.settings import Settings
from dualregion.rbac import Right, Side


class AskingCluster(Cluster):
    """A cluster that is asked about itself."""

    def missing_rights(
        self, settings: Settings, region: int, side: Side, namespaces: Iterable[str]
    ) -> Iterator[str]:
        """Yield each right that these credentials lack, as `verb resource in namespace`.

        :param region: whose cluster this is.
        :param side: whose stack the credentials are for.
        :param namespaces: those in which rights can be had: one that is not there yet has none.
        """
        for right in rbac.cluster_wide(settings, side):
            for name in rbac.names(right, settings, region) or ("",):
                yield from self._missing(right, "", name)
        for right in rbac.of_dns(settings, side):
            for name in rbac.names(right, settings, region) or ("",):
                yield from self._missing(right, settings.dns.namespace, name)
        for namespace in namespaces:
            for right in rbac.namespaced(settings, side):
                for name in rbac.names(right, settings, region) or ("",):
                    yield from self._missing(right, namespace, name)

    def _missing(self, right: Right, namespace: str, name: str = "") -> Iterator[str]:
        what = f"{right.name}{f' {name}' if name else ''}{f' in {namespace}' if namespace else ''}"
        for verb in right.verbs:
            if not self._may(right, verb, namespace, name):
                yield f"{verb} {what}"

    def _may(self, right: Right, verb: str, namespace: str, name: str) -> bool:
        resource, _, part = right.name.partition("/")
        asked = client.V1ResourceAttributes(
            verb=verb,
            group=right.group,
            resource=resource,
            subresource=part or None,
            namespace=namespace or None,
            name=name or None,
        )
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=asked)
        )
        api = client.AuthorizationV1Api(self._api)
        answer = self._call(lambda: api.create_self_subject_access_review(review))
        return bool(answer.status.allowed)

    def has_secret(self, namespace: str, name: str) -> bool:
        """Return whether there is a Secret of this name."""
        return self._one("V1Secret", namespace, name) is not None

    def workloads_of(self, namespace: str, release: str) -> list[Metadata]:
        """Return what the StatefulSets and Deployments of a release say of themselves."""
        kinds = {"statefulset": "V1StatefulSet", "deployment": "V1Deployment"}
        return [
            _metadata(shown, each)
            for shown, kind in kinds.items()
            for each in self._all(kind, namespace)
            if each.metadata.name.startswith(f"{release}-")
        ]

    def namespace_metadata(self, name: str) -> Metadata | None:
        """Return what a namespace says of itself; None if there is none."""
        found = self._namespace(name)
        return None if found is None else _metadata("namespace", found)

    def free(self) -> list[Node]:
        """Return the schedulable nodes, with what of each is not asked for yet."""
        held: dict[str, Resources] = {}
        for pod in self._call(self._core.list_pod_for_all_namespaces).items:
            if pod.spec.node_name and pod.status.phase not in ("Succeeded", "Failed"):
                held[pod.spec.node_name] = held.get(pod.spec.node_name, Resources()).plus(
                    requested(pod.spec)
                )
        return [
            Node(
                Resources.of(node.status.allocatable).minus(
                    held.get(node.metadata.name, Resources())
                ),
                {_HOSTNAME: node.metadata.name, **(node.metadata.labels or {})},
                tuple(node.spec.taints or ()),
            )
            for node in self._call(self._core.list_node).items
            if not node.spec.unschedulable
        ]

    def planned(self, namespace: str, stateful_set: str) -> list[Planned] | None:
        """Return the pods that a StatefulSet wants; None if there is none."""
        found = self.stateful_set(namespace, stateful_set)
        if found is None:
            return None
        template = found.spec.template
        labels = dict((template.metadata and template.metadata.labels) or {})
        return [Planned(requested(template.spec), labels, template.spec)] * found.spec.replicas


def _metadata(kind: str, found: Any) -> Metadata:
    metadata = found.metadata
    managers = tuple(str(each.manager) for each in metadata.managed_fields or ())
    return Metadata(
        kind,
        metadata.name,
        metadata.labels or {},
        metadata.annotations or {},
        managers,
        metadata.namespace or "",
    )


_HOSTNAME = "kubernetes.io/hostname"
"""The label that each node has with its own name, mostly."""
