"""The forms of single settings: each says in the operator's words what is allowed.

A value is held against the rules of whatever will get it, Kubernetes above all, when it is read: what only an incident
makes would be refused there and then.

Sources: Kubernetes, 'Object Names and IDs', 'Labels and Selectors', `ValidateIPBlock` of the NetworkPolicy API.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from messages import Message
from messages.config import forms as messages

MOST_CHARACTERS = 63
"""A label of DNS, and most names in Kubernetes."""
DAY_SECONDS = 86_400
MOST_BROKERS = 512
"""More than any cluster has; a slip in a number is told at once."""


@dataclass(frozen=True)
class Typed:
    """Of which types a value may be in a file: what an editor is told (`dualregion.config.schema`); it checks nothing."""

    names: tuple[str, ...]

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(core) | {"type": list(self.names)}


def text_of(value: object) -> object:
    """Return a value as a text: `pulumi config set --path` makes numbers and booleans of some.

    :raises ValueError: for a fraction, whose digits may be others than those that were typed, and for lists and maps.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(messages.text_needed())
    return value


def secret_of(value: object) -> object:
    """Return a value that is kept as a secret as a text; raises as `text_of`."""
    try:
        return text_of(value)
    except ValueError:
        raise ValueError(messages.secret_text_needed()) from None


@dataclass(frozen=True, slots=True)
class Matching(AfterValidator):
    """A check of a text that an editor can make, too."""

    pattern: str = ""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(core) | {"pattern": f"^(?:{self.pattern})$"}


def matching(pattern: str, rule: Callable[[], Message]) -> Matching:
    """Return a check of a text.

    :param pattern: what all of it must match.
    :param rule: the message that says what is allowed.
    """
    form = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(rule())
        return text

    return Matching(check, pattern=pattern)


@dataclass(frozen=True, slots=True)
class Whole(BeforeValidator):
    """A check of a number, of which an editor is told the bounds, and what it must be divisible by."""

    low: int = 0
    high: int = 0
    step: int = 1

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        bounds = {"minimum": self.low, "maximum": self.high, "multipleOf": self.step}
        typed = {"type": "string", "pattern": "^[-+]?[0-9]{1,18}$"}
        return {"anyOf": [handler(core) | bounds, typed]}


def whole(low: int, high: int) -> Whole:
    """Return a check that a number is a whole one from `low` to `high`; the text that Pulumi stores is one, too."""
    return Whole(partial(whole_number, low=low, high=high), low=low, high=high)


def whole_number(value: object, low: int, high: int) -> int:
    """Return a value as a whole number.

    :raises ValueError: if it is none from `low` to `high`.
    """
    if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,18}", value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(messages.whole_number_needed(low, high))
    return value


Text = Annotated[str, BeforeValidator(text_of), Typed(("string", "integer", "boolean"))]
"""A text; numbers and booleans are taken as one."""


def _minor(value: object) -> object:
    """Take what YAML has made a number of, if no digit was lost: 8.10 becomes 8.1, which is no version."""
    return str(value) if isinstance(value, float) else value


Minor = Annotated[str, BeforeValidator(_minor)]
"""A minor version, such as `8.8`."""


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 253:
        raise ValueError(messages.line_needed())
    return text


Line = Annotated[Text, AfterValidator(_one_line)]
"""A text that is shown: of one line, and not empty."""


def _path(text: str) -> str:
    """Refuse what is no path, such as the content of the file; `~` becomes the home folder once, for all who read it."""
    if not text or not text.isprintable() or len(text) > 4096 or text.lstrip().startswith("{"):
        raise ValueError(messages.file_path_needed())
    return os.path.expanduser(text)


def _chart(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 4096:
        raise ValueError(messages.chart_needed())
    return os.path.expanduser(text)


EMPTY = BeforeValidator(lambda value: None if value == "" else value)
"""An empty text stands for none: it is set to get the default, or nothing."""

FilePath = Annotated[Text, AfterValidator(_path)]
ChartName = Annotated[Text, AfterValidator(_chart)]

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
DnsLabel = Annotated[Text, matching(_LABEL, messages.dns_label_needed)]


def _own_namespace(name: str) -> str:
    """Refuse a namespace that a lost region cannot be cleaned of (step R), or that Kubernetes keeps for itself."""
    if name == "default" or name.startswith("kube-"):
        raise ValueError(messages.own_namespace_needed())
    return name


Namespace = Annotated[DnsLabel, AfterValidator(_own_namespace)]

MOST_RELEASE_CHARACTERS = 31
"""So that the search engine's StatefulSet, `<release>-elasticsearch-master`, has at most the 52 characters with which
Kubernetes can label its pods; Helm itself takes 53."""
_SWALLOWED = ("elasticsearch", "operate", "tasklist", "zeebe-gateway")


def _release(name: str) -> str:
    if not re.fullmatch(rf"[a-z]([-a-z0-9]{{0,{MOST_RELEASE_CHARACTERS - 2}}}[a-z0-9])?", name):
        raise ValueError(messages.release_name_needed(MOST_RELEASE_CHARACTERS))
    for part in _SWALLOWED:
        if part in name:
            raise ValueError(messages.release_name_without_component_needed(part))
    return name


ReleaseName = Annotated[Text, AfterValidator(_release)]
DataKey = Annotated[Text, matching(r"(?!\.\.?$)[-._a-zA-Z0-9]{1,253}", messages.data_key_needed)]
"""A key of a Secret or ConfigMap."""
_QUALIFIED = (
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
QualifiedName = Annotated[Text, matching(_QUALIFIED, messages.label_name_needed)]
_LABEL_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?"
LabelValue = Annotated[Text, matching(_LABEL_VALUE, messages.label_value_needed)]
PodLabel = Annotated[Text, matching(f"{_QUALIFIED}={_LABEL_VALUE}", messages.pod_label_needed)]
"""A label with its value, such as `app=search`."""
SecretPrefix = Annotated[Text, matching(r"[a-z0-9][-a-z0-9]{0,61}", messages.secret_prefix_needed)]
"""What the names of several Secrets begin with; a digit follows."""
StackName = Annotated[Text, matching(r"[-._a-zA-Z0-9]{1,100}", messages.stack_name_needed)]
AwsRegion = Annotated[Text, matching(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", messages.aws_region_needed)]


def _network(text: str) -> str:
    """Refuse what the NetworkPolicy API, or AWS, would not take."""
    address, _, length = text.partition("/")
    if not re.fullmatch(r"0|[1-9][0-9]{0,2}", length) or "%" in address:
        raise ValueError(messages.address_range_needed())
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(messages.address_range_needed()) from None
    if network.network_address != ip_address(address):
        raise ValueError(messages.range_start_needed(str(network)))
    if _unmapped(network.network_address).version != network.version:
        raise ValueError(messages.ipv4_range_needed())
    if network.prefixlen == 0:
        raise ValueError(messages.smaller_range_needed())
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
        raise ValueError(messages.dns_address_needed()) from None
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        raise ValueError(messages.reachable_address_needed())
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
        raise ValueError
    address = ip_address(match["six"] or match["four"] or match["bare"])
    port = int(match["port"] or 53)
    if port > 65535 or (match["six"] and address.version == 4):
        raise ValueError
    return _unmapped(address), port


def _endpoint(text: str) -> str:
    """Refuse what is no address of an S3-compatible store; its scheme may be left out."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        usable = parts.hostname and parts.port != 0 and parts.scheme in ("https", "http")
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or re.search(r"[\s@?#]", text):
        raise ValueError(messages.store_address_needed())
    return text


Endpoint = Annotated[Text, AfterValidator(_endpoint)]


def store_of(endpoint: str) -> tuple[str, int, str]:
    """Return what the address of a store means, however it is written: host, port and path."""
    parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return (parts.hostname or "").rstrip("."), port, parts.path.rstrip("/")


IncidentName = Annotated[Text, matching(r"[1-9][0-9]*-region[01]-lost", messages.incident_needed)]
Digest = Annotated[Text, matching(r"(sha256:)?[0-9a-f]{64}", messages.digest_needed)]
