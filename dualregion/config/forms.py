"""The forms of single settings: each says in the operator's words what is allowed.

A value is held against the rules of whatever will get it, Kubernetes above all, when it is read: what only an incident
makes would be refused there and then.

Sources: Kubernetes, 'Object Names and IDs', 'Labels and Selectors', `ValidateIPBlock` of the NetworkPolicy API.
"""

import os
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

MOST_CHARACTERS = 63
"""A label of DNS, and most names in Kubernetes."""
DAY_SECONDS = 86_400


def text_of(value: object) -> object:
    """Return a value as a text: `pulumi config set --path` makes numbers and booleans of some.

    :raises ValueError: for a fraction, whose digits may be others than those that were typed, and for lists and maps.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        quotes = ", in quotes" if isinstance(value, float) else ""
        raise ValueError(f"a text is needed{quotes}")
    return value


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a whole number is needed")
    return value


def matching(pattern: str, allowed: str) -> AfterValidator:
    """Return a check of a text.

    :param pattern: what all of it must match.
    :param allowed: what is allowed, for the refusal.
    """
    form = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(allowed)
        return text

    return AfterValidator(check)


def whole(low: int, high: int) -> BeforeValidator:
    """Return a check that a number is a whole one from `low` to `high`; the text that Pulumi stores is one, too."""

    def check(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,18}", value.strip()):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high} is needed")
        return value

    return BeforeValidator(check)


Text = Annotated[str, BeforeValidator(text_of)]
"""A text; numbers and booleans are taken as one."""
Number = Annotated[int, BeforeValidator(_no_boolean)]
"""A whole number, also as the text that Pulumi stores; `true` is none."""


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 253:
        raise ValueError("a text of one line is needed, of at most 253 characters, and not empty")
    return text


Line = Annotated[Text, AfterValidator(_one_line)]
"""A text that is shown: of one line, and not empty."""


def _path(text: str) -> str:
    """Refuse what is no path, such as the content of the file; `~` becomes the home folder once, for all who read it."""
    if not text or not text.isprintable() or len(text) > 4096 or text.lstrip().startswith("{"):
        raise ValueError("the path of a file is needed, not its content")
    return os.path.expanduser(text)


def _chart(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 4096:
        raise ValueError("the name, the address or the path of a chart is needed")
    return os.path.expanduser(text)


EMPTY = BeforeValidator(lambda value: None if value == "" else value)
"""An empty text stands for none: it is set to get the default, or nothing."""

FilePath = Annotated[Text, AfterValidator(_path)]
ChartName = Annotated[Text, AfterValidator(_chart)]

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LABEL_ALLOWED = (
    "1 to 63 lower-case letters a-z, digits 0-9 and hyphens are needed, no hyphen first or last"
)
DnsLabel = Annotated[Text, matching(_LABEL, _LABEL_ALLOWED)]


def _own_namespace(name: str) -> str:
    """Refuse a namespace that a lost region cannot be cleaned of (step R), or that Kubernetes keeps for itself."""
    if name == "default" or name.startswith("kube-"):
        raise ValueError(
            "a namespace of Camunda's own is needed: step R deletes it, and Kubernetes lets none delete `default` and "
            "`kube-system`, and keeps `kube-*` for itself"
        )
    return name


Namespace = Annotated[DnsLabel, AfterValidator(_own_namespace)]

MOST_RELEASE_CHARACTERS = 31
"""So that the search engine's StatefulSet, `<release>-elasticsearch-master`, has at most the 52 characters with which
Kubernetes can label its pods; Helm itself takes 53."""
_SWALLOWED = ("elasticsearch", "operate", "tasklist", "zeebe-gateway")


def _release(name: str) -> str:
    if not re.fullmatch(rf"[a-z]([-a-z0-9]{{0,{MOST_RELEASE_CHARACTERS - 2}}}[a-z0-9])?", name):
        raise ValueError(
            f"1 to {MOST_RELEASE_CHARACTERS} lower-case letters a-z, digits 0-9 and hyphens are needed, a letter first, "
            "no hyphen last: the names of Services and StatefulSets begin with it"
        )
    for part in _SWALLOWED:
        if part in name:
            raise ValueError(
                f"it must not hold {part!r}: the chart leaves that out of the names that it makes then, under which the "
                "program looks for them"
            )
    return name


ReleaseName = Annotated[Text, AfterValidator(_release)]
DataKey = Annotated[
    Text,
    matching(
        r"(?!\.\.?$)[-._a-zA-Z0-9]{1,253}",
        "letters, digits, dots, hyphens and underscores are needed",
    ),
]
"""A key of a Secret or ConfigMap."""
_QUALIFIED = (
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
QualifiedName = Annotated[
    Text,
    matching(
        _QUALIFIED, "the name of a label or annotation is needed, such as app.kubernetes.io/name"
    ),
]
LabelValue = Annotated[
    Text,
    matching(
        r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?",
        "at most 63 letters, digits, dots, hyphens and underscores are allowed, as in a label",
    ),
]
StackName = Annotated[
    Text,
    matching(
        r"[-._a-zA-Z0-9]{1,100}",
        "the bare name of a stack is needed, without organization and project",
    ),
]
AwsRegion = Annotated[
    Text,
    matching(
        r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "the name of an AWS region is needed, such as eu-west-2"
    ),
]


def _network(text: str) -> str:
    """Refuse what the NetworkPolicy API, or AWS, would not take."""
    address, _, length = text.partition("/")
    if not length:
        raise ValueError("an address range with its mask is needed, e.g. 10.180.0.0/16")
    if not re.fullmatch(r"0|[1-9][0-9]{0,2}", length) or "%" in address:
        raise ValueError(
            "an address range with the length of its mask is needed, e.g. 10.180.0.0/16"
        )
    network = ip_network(text)
    if _unmapped(network.network_address).version != network.version:
        raise ValueError("an IPv4 range is needed in its own form, not mapped into IPv6")
    if network.prefixlen == 0:
        raise ValueError(
            "the ranges of the region's pods are needed: a policy that cuts everything is refused by Kubernetes"
        )
    return text


Cidr = Annotated[Text, AfterValidator(_network)]


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return an address as what it is reached by: an IPv4 one that is written as IPv6 is an IPv4 one."""
    return getattr(address, "ipv4_mapped", None) or address


def _dns_address(text: str) -> str:
    """Refuse what CoreDNS's plugin forward would not take."""
    try:
        address, _ = dns_server(text)
    except ValueError:
        raise ValueError(
            "an IP address is needed, with a port if it is not 53, e.g. 10.192.0.53 or 10.192.0.53:5353; "
            "a load balancer's name does not do (`dig +short NAME`)"
        ) from None
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        raise ValueError(
            "an address at which the other cluster reaches this one's DNS is needed: this one leads a machine to itself, "
            "or nowhere"
        )
    return text


DnsAddress = Annotated[Text, AfterValidator(_dns_address)]


def dns_server(text: str) -> tuple[IPv4Address | IPv6Address, int]:
    """Return what an address of `dnsAddresses` means, however it is written.

    :raises ValueError: if it is none.
    """
    match = re.fullmatch(
        r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+)):(?P<port>[1-9][0-9]{0,4})|(?P<bare>[0-9A-Fa-f:.]+)",
        text,
    )
    if match is None:
        raise ValueError("no address")
    address = ip_address(match["six"] or match["four"] or match["bare"])
    port = int(match["port"] or 53)
    if port > 65535 or (match["six"] and address.version == 4):
        raise ValueError("no address")
    return _unmapped(address), port


def _endpoint(text: str) -> str:
    """Refuse what is no address of an S3-compatible store; its scheme may be left out."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        usable = parts.hostname and parts.port != 0 and parts.scheme in ("https", "http")
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or re.search(r"[\s@?#]", text):
        raise ValueError(
            "the address of an S3-compatible store is needed, such as https://host:9000"
        )
    return text


Endpoint = Annotated[Text, AfterValidator(_endpoint)]


def store_of(endpoint: str) -> tuple[str, int, str]:
    """Return what the address of a store means, however it is written: host, port and path."""
    parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return (parts.hostname or "").rstrip("."), port, parts.path.rstrip("/")


IncidentName = Annotated[
    Text,
    matching(
        r"[1-9][0-9]*-region[01]-lost",
        "the name of an incident is needed, e.g. 1-region0-lost, as the refusal shows it that names it",
    ),
]

Digest = Annotated[
    Text,
    matching(
        r"(sha256:)?[0-9a-f]{64}",
        "a SHA-256 in 64 hexadecimal digits is needed, as `sha256sum` prints it",
    ),
]
