"""etcd, the API server, the controller manager and the scheduler of a region."""

from typing import TYPE_CHECKING

import yaml

from sandbox.regions.model import File, HttpOk, Process, Region

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools

ETCD_URL = "http://127.0.0.1:2379"  # loopback of the region's own network namespace

AUDIT_FILE_MEGABYTES = 20
AUDIT_OLD_FILES = 4
"""Beside the one that is written to. Two programs that poll for an hour do not fill them all."""


def etcd(region: Region, tools: "Tools") -> Process:
    """Return etcd: one member, no waiting for the disk (a lost region's data is gone anyway)."""
    return Process(
        name="etcd",
        argv=(
            str(tools.etcd),
            f"--name={region.name}",
            f"--data-dir={region.folder / 'etcd'}",
            f"--listen-client-urls={ETCD_URL}",
            f"--advertise-client-urls={ETCD_URL}",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
        ready=HttpOk(f"{ETCD_URL}/health"),
    )


def audit_policy(region: Region) -> File:
    """Return what of the requests is written down: who asked for what, and whether it was allowed.

    Only those of service accounts that are not the cluster's own: they are what a program is given to work
    with, and what it asks for shows which rights it needs. Node, controllers and administrator are many more
    requests, and discovery is asked for by all. What no rule matches is not written.
    """
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        # A watch is told when it begins: it may end with its region, untold.
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "None", "nonResourceURLs": ["*"]},
            {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        ],
    }
    return File(region.folder / "audit-policy.yaml", yaml.safe_dump(policy, sort_keys=False))


def api_server(region: Region, tools: "Tools") -> Process:
    """Return the API server: certificates of the region's own authority, RBAC, privileged pods allowed.

    It makes the folder of its audit log by itself, for its own user only.
    """
    pki, policy = region.pki, audit_policy(region)
    return Process(
        name="kube-apiserver",
        argv=(
            str(tools.kube_apiserver),
            f"--etcd-servers={ETCD_URL}",
            f"--bind-address={region.address}",
            f"--advertise-address={region.address}",
            "--secure-port=6443",
            f"--service-cluster-ip-range={region.service_range}",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--tls-cert-file={pki / 'server.crt'}",
            f"--tls-private-key-file={pki / 'server.key'}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki / 'service-accounts.key'}",
            f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
            f"--kubelet-certificate-authority={pki / 'ca.crt'}",
            f"--kubelet-client-certificate={pki / 'admin.crt'}",
            f"--kubelet-client-key={pki / 'admin.key'}",
            # exec and logs would otherwise look up the node's name, which no DNS knows
            "--kubelet-preferred-address-types=InternalIP",
            f"--audit-policy-file={policy.path}",
            f"--audit-log-path={region.audit / 'audit.log'}",
            f"--audit-log-maxsize={AUDIT_FILE_MEGABYTES}",
            f"--audit-log-maxbackup={AUDIT_OLD_FILES}",
            "--profiling=false",
        ),
        ready=HttpOk(f"{region.api_url}/readyz", pki / "ca.crt"),
        files=(policy,),
    )


def controller_manager(region: Region, tools: "Tools") -> Process:
    """Return the controller manager, without leader election: it has no rival."""
    pki = region.pki
    return Process(
        name="kube-controller-manager",
        argv=(
            str(tools.kube_controller_manager),
            f"--kubeconfig={region.kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--tls-cert-file={pki / 'server.crt'}",
            f"--tls-private-key-file={pki / 'server.key'}",
            f"--root-ca-file={pki / 'ca.crt'}",
            f"--service-account-private-key-file={pki / 'service-accounts.key'}",
            # its default is a folder of the machine, which it makes
            f"--flex-volume-plugin-dir={region.folder / 'volume-plugins'}",
            "--leader-elect=false",
            "--profiling=false",
        ),
        ready=HttpOk("https://127.0.0.1:10257/healthz", pki / "ca.crt"),
    )


def scheduler(region: Region, tools: "Tools") -> Process:
    """Return the scheduler, blind to pod anti-affinity.

    The chart asks for a node for each broker, and a region here has one node.
    """
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(region.kubeconfig)},
        "leaderElection": {"leaderElect": False},
        "profiles": [
            {
                "schedulerName": "default-scheduler",
                "plugins": {"multiPoint": {"disabled": [{"name": "InterPodAffinity"}]}},
            }
        ],
    }
    path = region.folder / "scheduler.yaml"
    return Process(
        name="kube-scheduler",
        argv=(
            str(tools.kube_scheduler),
            f"--config={path}",
            "--bind-address=127.0.0.1",
            f"--tls-cert-file={region.pki / 'server.crt'}",
            f"--tls-private-key-file={region.pki / 'server.key'}",
        ),
        ready=HttpOk("https://127.0.0.1:10259/healthz", region.pki / "ca.crt"),
        files=(File(path, yaml.safe_dump(config, sort_keys=False)),),
    )
