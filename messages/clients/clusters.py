"""Calls to a region's cluster that fail."""

from messages.catalogue import Message, message


@message
def credentials_refused(context: str, answer: str) -> str:
    """The API server does not accept the context's credentials, or gives them no rights."""
    return (
        f"the cluster behind kube context {context!r} refuses these credentials ({answer}): log in again, or ask for the "
        "rights in docs/prepare/rights.md"
    )


@message
def login_unavailable(context: str, problem: Message) -> str:
    """The credential plugin of a kube context gives nothing now, so its cluster cannot be asked."""
    return f"the cluster behind kube context {context!r} cannot be asked: the context {problem}"


@message
def cluster_busy(context: str, server: str, answer: str) -> str:
    """The API server answers with an error: it lives, and cannot be observed now."""
    return (
        f"the cluster behind kube context {context!r} answers, but cannot be looked at now ({server}: {answer}); run the "
        "same command again"
    )


@message
def cluster_unreachable(context: str, server: str, reason: str) -> str:
    """The API server does not answer."""
    return f"the cluster behind kube context {context!r} does not answer ({server}: {reason})"


@message
def call_refused(context: str, status: int, reason: str, details: str) -> str:
    """The API server answers a call with an error; its details are the server's own."""
    return f"kube context {context}: {status} {reason} {details}".strip()


@message
def call_unanswered(context: str, reason: str) -> str:
    """The API server does not answer a call."""
    return f"kube context {context}: {reason}"


@message
def not_an_api_server(context: str, error: str) -> str:
    """Something else than an API server answers a call: with its own 404, or in a form that cannot be read."""
    return (
        f"kube context {context}: an answer that is none of a Kubernetes API server ({error}): is a proxy, a balancer or a "
        "portal in between?"
    )


@message
def call_not_made(error: str) -> str:
    """A call could not be made, for a reason that is not foreseen."""
    return f"a call could not be made ({error})"


@message
def not_json(answer: str) -> str:
    """A gateway, broker or search engine answers something else than a JSON object."""
    return f"unexpected response: not a JSON object: {answer!r}"


@message
def unexpected_form(asked: str, error: str) -> str:
    """A gateway, broker or search engine answers in a form that is not expected."""
    return f"{asked} answered in another form than expected ({error} while it was read)"


@message
def service_unanswered(call: str, reason: str) -> str:
    """A gateway, broker or search engine does not answer a call."""
    return f"{call}: {reason}"


@message
def not_forwarded(target: str, status: int) -> str:
    """The API server forwards no connection into a pod, which the program asks past its proxy: a right may be missing."""
    lacking = (
        "; the right pods/portforward, to get and create, is needed" if status in (401, 403) else ""
    )
    return f"the API server forwards no connection to {target}: it answers {status}{lacking}"


@message
def service_failed(call: str, status: int, details: str) -> str:
    """A gateway, broker or search engine, or the API server before it, answers a call with an error of a server."""
    return f"{call}: {status} {details}"


@message
def secret_not_a_text(namespace: str, secret: str, key: str) -> str:
    """A Secret holds bytes that are no text where a password or a certificate is looked for."""
    return (
        f"Secret {secret} in namespace {namespace} holds no text (UTF-8) under the key {key}: make it again, with the "
        "password or certificate as it is typed"
    )


@message
def credentials_demanded(call: str, status: int) -> str:
    """A gateway, broker or search engine wants to be logged in to."""
    return (
        f"{call}: it answers {status}, so it demands credentials, or leads to a login; this program has none, and waiting "
        "does not help. Gateways, brokers and search engines must answer without authentication inside the cluster "
        "(docs/reference/helm-values.md, 'Helm values'), but for a gateway of 8.8 and later with gatewayLogin "
        "(docs/reference/configuration.md#gateway-login)"
    )
