"""Asking and telling a region's API server, through the official client, as any user would."""

from functools import partial
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config, utils
from kubernetes.client.exceptions import ApiException
from kubernetes.utils import FailToCreateError

from sandbox.regions.model import Region

REQUEST_SECONDS = 5.0
DEFAULT_ACCOUNT = "default"
CLUSTER_ERRORS = (ApiException, FailToCreateError, urllib3.exceptions.HTTPError, OSError)
"""What a call raises when the API server refuses, is not there, or does not answer."""


class Cluster:
    """One region's API server as the kubeconfig names it. Its calls raise `CLUSTER_ERRORS`."""

    def __init__(self, kubeconfig: Path, region: Region) -> None:
        # Any: by the client's own types every field of an answer may be missing
        load: Any = config.new_client_from_config
        api = load(config_file=str(kubeconfig), context=region.context)
        self._core: Any = client.CoreV1Api(api)
        self._storage: Any = client.StorageV1Api(api)
        create: Any = utils.create_from_dict
        self._create = partial(create, api)
        self._node_name = region.node_name

    def create(self, manifests: tuple[dict[str, Any], ...]) -> None:
        """Create the objects; they must not exist."""
        for manifest in manifests:
            self._create(manifest)

    def has_namespace(self, name: str) -> bool:
        """Say whether the namespace exists."""
        found = self._core.list_namespace(
            field_selector=f"metadata.name={name}", _request_timeout=REQUEST_SECONDS
        )
        return bool(found.items)

    def without_default_account(self, namespaces: tuple[str, ...]) -> list[str]:
        """Return those namespaces that lack the service account without which no pod is admitted."""
        accounts = self._core.list_service_account_for_all_namespaces(
            field_selector=f"metadata.name={DEFAULT_ACCOUNT}", _request_timeout=REQUEST_SECONDS
        )
        having = {account.metadata.namespace for account in accounts.items}
        return [name for name in namespaces if name not in having]

    def node_unready(self) -> str | None:
        """Return None when pods can be scheduled to the node, else why not."""
        nodes = self._core.list_node(
            field_selector=f"metadata.name={self._node_name}", _request_timeout=REQUEST_SECONDS
        ).items
        if not nodes:
            return "the node has not registered"
        ready = [each for each in nodes[0].status.conditions or [] if each.type == "Ready"]
        if not ready:
            return "the node has not reported"
        if ready[0].status != "True":
            return f"the node is not Ready: {ready[0].message}"
        taints = [taint.key for taint in nodes[0].spec.taints or []]
        return f"the node still has the taints {taints}" if taints else None

    def has_storage_class(self, name: str) -> bool:
        """Say whether the StorageClass exists."""
        classes = self._storage.list_storage_class(_request_timeout=REQUEST_SECONDS).items
        return any(each.metadata.name == name for each in classes)

    def pods(self) -> int:
        """Return how many pods there are in all namespaces."""
        found = self._core.list_pod_for_all_namespaces(_request_timeout=REQUEST_SECONDS)
        return len(found.items)

    def pod_uid(self, namespace: str, name: str) -> str | None:
        """Return a pod's uid, or None if there is no such pod."""
        found = self._core.list_namespaced_pod(
            namespace, field_selector=f"metadata.name={name}", _request_timeout=REQUEST_SECONDS
        ).items
        return str(found[0].metadata.uid) if found else None
