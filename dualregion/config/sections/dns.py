"""The section `dns` of the configuration: how the regions' clusters resolve each other's names."""

from typing import Annotated

from pydantic import Field

from dualregion.config.forms import DataKey, LabelValue, QualifiedName, Text, matching
from dualregion.config.sections.section import Model
from messages.config import forms

MOST_FORWARDERS = 15
"""How many addresses CoreDNS's plugin forward takes."""
COREFILE = "Corefile"
"""The key under which a cluster's CoreDNS looks for its configuration."""
LOAD_BALANCER_NAME = "internal-dns-lb"
"""As the reference set-up calls it."""
AWS_INTERNAL_NLB = {
    "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
}
"""The load balancer of the reference set-up, for AWS's older and newer controller."""


class LoadBalancerSettings(Model):
    """The Service `internal-dns-lb` of the reference set-up: the cluster's DNS, reached by the other one."""

    create: bool = False
    annotations: dict[QualifiedName, Text] = Field(default_factory=lambda: dict(AWS_INTERNAL_NLB))
    """What makes it internal; of an AWS NLB by default."""
    selector: Annotated[dict[QualifiedName, LabelValue], Field(min_length=1)] = Field(
        default_factory=lambda: {"k8s-app": "kube-dns"}
    )
    """The labels of CoreDNS's pods."""


class DnsSettings(Model):
    """How each cluster's CoreDNS asks the other one's for the other region's namespaces."""

    chain: bool = False
    """Whether the program writes it into the Corefile; otherwise it is the operator's own."""
    config_map: Annotated[
        Text,
        matching(
            r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?",
            forms.config_map_needed,
        ),
    ] = "kube-system/coredns"
    """The ConfigMap that holds the Corefile, as `namespace/name`; the same in both clusters."""
    key: DataKey = COREFILE
    """Its key; another one than `Corefile` is made if it is missing, as in a `coredns-custom`."""
    tcp: bool = True
    """Whether the other cluster is asked by TCP alone, as the load balancer of the reference set-up demands.
    By UDP a look-up for a lost region fails within seconds, by TCP it may take the client's whole patience."""
    load_balancer: LoadBalancerSettings = LoadBalancerSettings()

    @property
    def namespace(self) -> str:
        """The namespace of CoreDNS."""
        return self.config_map.partition("/")[0]

    @property
    def name(self) -> str:
        """The name of the ConfigMap."""
        return self.config_map.partition("/")[2]
