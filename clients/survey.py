"""What a cluster holds before the program knows it: releases of Camunda's chart, and where its pods' addresses lie.

Looking only; what may not be looked at, or does not answer, is left out with its reason.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import collapse_addresses, ip_network
from typing import Any

import yaml

from clients.cluster.kubernetes import CallFailed, Cluster, understood
from clients.helm import HelmRecord
from dualregion.errors import ClusterUnreachable, ConfigError
from messages import Message

CHART = "camunda-platform"
_OF_HELM = "owner=helm,status=deployed"
_KUBEADM = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
_NODES = "/api/v1/nodes"


@dataclass(frozen=True)
class FoundRelease:
    """A release of Camunda's chart that runs in a cluster.

    :ivar values: what was given to the chart.
    """

    name: str
    namespace: str
    version: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Survey:
    """What a cluster holds.

    :ivar pod_cidrs: the address ranges of its pods, as far as the cluster tells; a network plug-in may use others.
    :ivar problems: why something could not be looked at.
    """

    releases: tuple[FoundRelease, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    problems: tuple[Message, ...] = ()


def survey(kubeconfig: str | None, context: str) -> Survey:
    """Look at a cluster; whatever cannot be seen of it is left out.

    :param kubeconfig: its path; None for the usual one.
    """
    try:
        cluster = Cluster(kubeconfig, context)
        cluster.check_answers(tries=1)
    except ConfigError as error:
        return Survey(problems=tuple(error.problems))
    except (CallFailed, ClusterUnreachable) as error:
        return Survey(problems=(error.message,))
    problems: list[Message] = []

    def asked(ask: Callable[[Cluster], Sequence[Any]]) -> tuple[Any, ...]:
        try:
            return tuple(ask(cluster))
        except CallFailed as error:
            problems.append(error.message)
            return ()

    releases, cidrs = asked(_releases), asked(_pod_cidrs)
    return Survey(releases, cidrs, tuple(problems))


def _releases(cluster: Cluster) -> list[FoundRelease]:
    return understood("Helm's records", lambda: list(_read(cluster.secrets_everywhere(_OF_HELM))))


def _read(secrets: Sequence[Any]) -> Iterator[FoundRelease]:
    for record in map(HelmRecord, secrets):
        about = (record.content.get("chart") or {}).get("metadata") or {}
        if about.get("name") == CHART:
            metadata = record.secret.metadata
            yield FoundRelease(
                str(record.content["name"]),
                str(metadata.namespace),
                str(about["version"]),
                record.values,
            )


def _pod_cidrs(cluster: Cluster) -> list[str]:
    """Return the range that kubeadm has given the pods, or else those of the nodes of now."""
    configured = cluster.document(_KUBEADM)
    if configured is not None:
        found = understood("kubeadm-config", lambda: _of_kubeadm(configured))
        if found:
            return found
    nodes = cluster.document(_NODES) or {}
    return understood("nodes", lambda: _of_nodes(nodes))


def _of_kubeadm(config_map: Mapping[str, Any]) -> list[str]:
    configuration = yaml.safe_load(config_map["data"]["ClusterConfiguration"])
    subnets = (configuration.get("networking") or {}).get("podSubnet") or ""
    return [str(ip_network(each.strip())) for each in subnets.split(",") if each.strip()]


def _of_nodes(nodes: Mapping[str, Any]) -> list[str]:
    """Return the ranges of all nodes, neighbours joined; a node to come may be given another."""
    given = {
        cidr for each in nodes.get("items") or () for cidr in each["spec"].get("podCIDRs") or ()
    }
    networks = sorted((ip_network(each) for each in given), key=lambda each: each.version)
    four = [each for each in networks if each.version == 4]
    six = [each for each in networks if each.version == 6]
    return [str(each) for kind in (four, six) for each in collapse_addresses(kind)]  # type: ignore[type-var]
