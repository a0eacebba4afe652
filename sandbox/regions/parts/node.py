"""The node of a region: its private mounts, containerd with CNI, kubelet, kube-proxy and the policy engine."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from sandbox.regions.model import (
    SYSTEM_PATH,
    File,
    FileThere,
    HttpOk,
    Place,
    Process,
    Region,
    SocketOpen,
    TcpOpen,
)

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools

MAX_PODS = 60
POLICIES_HEALTH = "127.0.0.1:20244"

SYSCTLS_OF_KUBELET = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""Kernel settings that a kubelet changes for the whole machine unless it finds them as it wants them."""


def private_mounts(region: Region) -> dict[Path, Path]:
    """Return which folder of the region stands at which place of its private mounts.

    Kubelet, containerd and CNI write to these places, some of them fixed in their code; two regions, and
    whatever the machine runs itself, must not meet there.
    """
    return {
        Path("/var/lib/kubelet"): region.folder / "kubelet",
        Path("/var/lib/cni"): region.folder / "cni",
        Path("/var/log/containers"): region.folder / "container-logs",
        Path("/run/containerd"): region.run_folder / "containerd",
    }


def anchor(region: Region) -> Process:
    """Return the process that makes the region's private mounts and holds them by living.

    With it, and all others of the region, die its mounts: nothing is left to unmount.
    """
    ready = region.run_folder / "anchored"
    sysctls = {
        region.run_folder / "sysctl" / name.replace("/", "."): (Path("/proc/sys") / name, value)
        for name, value in SYSCTLS_OF_KUBELET.items()
    }
    mounts = private_mounts(region)
    script = "\n".join(
        [
            "set -eu",
            "mount --make-rshared /",
            *(f"mount --bind '{source}' '{place}'" for place, source in mounts.items()),
            *(
                f"if [ -e '{target}' ]; then mount --bind '{source}' '{target}'; fi"
                for source, (target, _) in sysctls.items()
            ),
            f"touch '{ready}'",
            "exec sleep infinity",
            "",
        ]
    )
    path = region.folder / "anchor.sh"
    return Process(
        name="anchor",
        # slave: what the machine unmounts meanwhile must not be kept busy by a region
        argv=("unshare", "--mount", "--propagation", "slave", "sh", str(path)),
        place=Place.NETWORK,
        ready=FileThere(ready),
        files=(
            File(path, script),
            *(File(source, f"{value}\n") for source, (_, value) in sysctls.items()),
        ),
        folders=tuple(mounts.values()),
    )


def search_path(*tools: Path) -> dict[str, str]:
    """Return a search path with the folders of `tools` first, for what a process looks up by name."""
    folders = [*(str(tool.parent) for tool in tools), *SYSTEM_PATH]
    return {"PATH": ":".join(dict.fromkeys(folders))}


def _cni(region: Region) -> File:
    """Return the pod network: routed, not bridged.

    On a bridge the answer of a service's pod to a pod of the same node goes past the address
    translation, unless the kernel module br_netfilter is there.
    """
    config = {
        "cniVersion": "0.4.0",
        "name": region.name,
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(region.folder / "ipam"),
                    "ranges": [[{"subnet": region.pod_range}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }
    return File(region.folder / "cni.d" / "10-region.conflist", json.dumps(config, indent=2) + "\n")


def containerd(region: Region, tools: "Tools") -> Process:
    """Return containerd; its root is a copy of the image seed, so it pulls and imports nothing."""
    config = f"""version = 2
root = "{region.containerd_root}"
state = "/run/containerd"
[grpc]
  address = "{region.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{region.folder / "opt"}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  # without CAP_SYS_RESOURCE a pod could not be given the low score that kubelet asks for
  restrict_oom_score_adj = true
  # a loaded AppArmor profile would stay in the machine's kernel
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{tools.cni_dir}"
    conf_dir = "{region.folder / "cni.d"}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""
    path = region.folder / "containerd.toml"
    return Process(
        name="containerd",
        argv=(str(tools.containerd), "--config", str(path), "--log-level", "warn"),
        env=search_path(tools.containerd),  # its shim and runc
        ready=SocketOpen(region.containerd_socket),
        files=(File(path, config), _cni(region)),
    )


def kubelet(region: Region, tools: "Tools") -> Process:
    """Return the kubelet, quick to notice and to report, and open to the API server alone."""
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": region.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(region.pki / "ca.crt")},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "tlsCertFile": str(region.pki / "server.crt"),
        "tlsPrivateKeyFile": str(region.pki / "server.key"),
        "containerRuntimeEndpoint": f"unix://{region.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": region.cgroup,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "failCgroupV1": False,
        "evictionHard": {},
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "clusterDomain": "cluster.local",
        "clusterDNS": [region.address],
        # the machine's own search domains are no business of the pods
        "resolvConf": "",
        "podLogsDir": str(region.folder / "pod-logs"),
        "volumePluginDir": str(region.folder / "volume-plugins"),
        "healthzPort": 0,
        "maxPods": MAX_PODS,
        "podPidsLimit": -1,
        "serializeImagePulls": False,
        "imageGCHighThresholdPercent": 100,
        "volumeStatsAggPeriod": "-1s",
        "nodeStatusUpdateFrequency": "2s",
        "syncFrequency": "10s",
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
    }
    path = region.folder / "kubelet.yaml"
    return Process(
        name="kubelet",
        argv=(
            str(tools.kubelet),
            f"--config={path}",
            f"--kubeconfig={region.kubeconfig}",
            f"--hostname-override={region.node_name}",
            f"--node-ip={region.address}",
        ),
        files=(File(path, yaml.safe_dump(config, sort_keys=False)),),
    )


def kube_proxy(region: Region, tools: "Tools") -> Process:
    """Return kube-proxy; ready when the service `kubernetes.default` leads to the API server."""
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(region.kubeconfig)},
        "hostnameOverride": region.node_name,
        "bindAddress": region.address,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "clusterCIDR": region.pod_range,
        # 0 leaves the kernel's connection tracking as it is: it belongs to the whole machine
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
    path = region.folder / "kube-proxy.yaml"
    return Process(
        name="kube-proxy",
        argv=(str(tools.kube_proxy), f"--config={path}"),
        env=search_path(tools.nft),
        ready=TcpOpen(region.service_address, 443),
        files=(File(path, yaml.safe_dump(config, sort_keys=False)),),
    )


def policy_engine(region: Region, tools: "Tools") -> Process:
    """Return kube-network-policies; ready when it knows pods and policies, and judges packets.

    It only judges the first packet of each connection of the pods that a NetworkPolicy selects, and its rules end with
    the network namespace.
    """
    return Process(
        name="kube-network-policies",
        argv=(
            str(tools.kube_network_policies),
            f"-kubeconfig={region.kubeconfig}",
            f"-node={region.node_name}",
            f"-health={POLICIES_HEALTH}",
        ),
        ready=HttpOk(f"http://{POLICIES_HEALTH}/healthz"),
    )
