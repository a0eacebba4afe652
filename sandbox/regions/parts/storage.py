"""Claims: Rancher's local-path-provisioner makes and removes a folder a claim."""

import json
from typing import TYPE_CHECKING, Any

import yaml

from sandbox.regions.model import File, Process, Region

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools

NAMESPACE = "local-path-storage"
STORAGE_CLASS = "standard"
PROVISIONER = "rancher.io/local-path"
CONFIG_MAP = "local-path-config"
HELPER_IMAGE = "localhost/busybox:1"

_HELPER_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "helper-pod"},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "containers": [
            {"name": "helper-pod", "image": HELPER_IMAGE, "imagePullPolicy": "IfNotPresent"}
        ],
    },
}


def _provisioner_config(region: Region) -> str:
    paths = {"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [str(region.volumes)]}
    return json.dumps({"nodePathMap": [paths]})


def manifests(region: Region) -> tuple[dict[str, Any], ...]:
    """Return the objects that the provisioner needs in the cluster, and the default StorageClass."""
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": CONFIG_MAP, "namespace": NAMESPACE},
            "data": {
                "config.json": _provisioner_config(region),
                # open to all: fsGroup does not apply to such volumes, and brokers run as user 1001
                "setup": '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n',
                "teardown": '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n',
                "helperPod.yaml": yaml.safe_dump(_HELPER_POD, sort_keys=False),
            },
        },
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": STORAGE_CLASS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": PROVISIONER,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
    )


def local_path_provisioner(region: Region, tools: "Tools") -> Process:
    """Return the provisioner, a plain process of the region; its helper pods use the seed's busybox."""
    config = region.folder / "local-path.json"
    helper = region.folder / "local-path-helper.yaml"
    return Process(
        name="local-path-provisioner",
        argv=(
            str(tools.local_path_provisioner),
            "start",
            f"--config={config}",
            f"--kubeconfig={region.kubeconfig}",
            f"--namespace={NAMESPACE}",
            f"--configmap-name={CONFIG_MAP}",
            f"--helper-pod-file={helper}",
            f"--helper-image={HELPER_IMAGE}",
            "--service-account-name=default",
        ),
        files=(
            File(config, _provisioner_config(region) + "\n"),
            File(helper, yaml.safe_dump(_HELPER_POD, sort_keys=False)),
        ),
        folders=(region.volumes,),
    )
