"""The section `searchEngine` of the configuration: an Elasticsearch that is installed beside the chart (Camunda 8.9 and later).

The defaults are the names that ECK, Elastic's operator, gives to the parts of an Elasticsearch resource, and those that
Camunda's guide for two regions gives to what it makes.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dualregion.config.forms import (
    EMPTY,
    DataKey,
    DnsLabel,
    PodLabel,
    SecretPrefix,
    Text,
    matching,
    whole,
)
from dualregion.config.sections.section import Model
from dualregion.names import ENGINE_PORT, EngineAddress, EngineLogin, EngineTls
from messages.config import forms

MOST_PORT = 65535
_CA = "ca.crt"


class Scheme(StrEnum):
    """Whether the engine is asked with TLS."""

    HTTP = "http"
    HTTPS = "https"


class SearchEngineSettings(Model):
    """An Elasticsearch that the operator, or another stack, has installed in each region's namespace, with a password."""

    name: Annotated[DnsLabel, Field(max_length=36)] = "elasticsearch"
    """The name of the Elasticsearch resource, the same in both regions; what follows is called after it."""
    service: Annotated[DnsLabel | None, EMPTY] = None
    """Its headless Service, which brokers of both regions reach. Default: `<name>-es-masters`."""
    port: Annotated[int, whole(1, MOST_PORT)] = ENGINE_PORT
    """Where Service and pods are asked."""
    scheme: Scheme = Scheme.HTTP
    """`https` if it is asked with TLS: the exporters' addresses begin so, and the program checks the certificate."""
    user: Annotated[Text, matching(r"[^\s:\x00-\x1f]{1,128}", forms.engine_user_needed)] = "elastic"
    """Who brokers and this program log in as."""
    secret: Annotated[DnsLabel | None, EMPTY] = None
    """The Secret in each region's namespace that holds the password of its engine. Default: `<name>-es-elastic-user`."""
    key: Annotated[DataKey | None, EMPTY] = None
    """The password's key in all of these Secrets. Default: the user's name."""
    shared_secrets: Annotated[SecretPrefix | None, EMPTY] = None
    """What the names of the two Secrets begin with that this program writes into both namespaces, for brokers to read both
    passwords from; 0 or 1 follows. Default: `<name>-es-password-region-`."""
    label: Annotated[PodLabel | None, EMPTY] = None
    """The label of its pods, StatefulSets and claims. Default: `elasticsearch.k8s.elastic.co/cluster-name=<name>`."""
    ca_secret: Annotated[DnsLabel | None, EMPTY] = None
    """With `https`: the Secret whose `ca.crt` has signed the certificate. Default: `<name>-es-http-certs-public`."""
    server_name: Annotated[DnsLabel | None, EMPTY] = None
    """With `https`: the Service that the certificate is for (`<it>.<namespace>.svc`). Default: `<name>-es-http`."""

    @property
    def address(self) -> EngineAddress:
        """Where it is."""
        name = self.name
        return EngineAddress(
            service=self.service or f"{name}-es-masters",
            selector=self.label or f"elasticsearch.k8s.elastic.co/cluster-name={name}",
            port=self.port,
            login=EngineLogin(
                self.user,
                self.secret or f"{name}-es-elastic-user",
                self.key or self.user,
                self.shared_secrets or f"{name}-es-password-region-",
            ),
            tls=self._tls,
        )

    @property
    def _tls(self) -> EngineTls | None:
        if self.scheme is Scheme.HTTP:
            return None
        secret = self.ca_secret or f"{self.name}-es-http-certs-public"
        return EngineTls(secret, _CA, self.server_name or f"{self.name}-es-http")
