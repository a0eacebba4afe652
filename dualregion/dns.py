"""The section `dns` of the configuration: how the regions' clusters resolve each other's names."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from dualregion.model import Model

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


def _address(text: str) -> str:
    """Refuse what CoreDNS's plugin forward would not take."""
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    with_port = port.isdigit() and 0 < int(port) < 65536 and (bracketed or ":" not in host)
    try:
        ip_address(host.strip("[]") if with_port and host else text)
    except ValueError:
        raise ValueError(
            "an IP address is needed, with a port if it is not 53, e.g. 10.192.0.53 or 10.192.0.53:5353; "
            "a load balancer's name does not do (`dig +short NAME`)"
        ) from None
    return text


def _text(value: object) -> object:
    """Take the booleans and numbers that `pulumi config set --path` makes of a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


DnsAddress = Annotated[str, AfterValidator(_address)]
Text = Annotated[str, BeforeValidator(_text)]


class LoadBalancerSettings(Model):
    """The Service `internal-dns-lb` of the reference set-up: the cluster's DNS, reached by the other one."""

    create: bool = False
    annotations: dict[str, Text] = Field(default_factory=lambda: dict(AWS_INTERNAL_NLB))
    """What makes it internal; of an AWS NLB by default."""
    selector: dict[str, Text] = Field(default_factory=lambda: {"k8s-app": "kube-dns"})
    """The labels of CoreDNS's pods."""


class DnsSettings(Model):
    """How each cluster's CoreDNS asks the other one's for the other region's namespaces."""

    chain: bool = False
    """Whether the program writes it into the Corefile; otherwise it is the operator's own."""
    config_map: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-.a-z0-9]*)$")
    ] = "kube-system/coredns"
    """The ConfigMap that holds the Corefile, as `namespace/name`; the same in both clusters."""
    key: str = COREFILE
    """Its key; another one than `Corefile` is made if it is missing, as in a `coredns-custom`."""
    load_balancer: LoadBalancerSettings = LoadBalancerSettings()

    @property
    def namespace(self) -> str:
        """The namespace of CoreDNS."""
        return self.config_map.partition("/")[0]

    @property
    def name(self) -> str:
        """The name of the ConfigMap."""
        return self.config_map.partition("/")[2]
