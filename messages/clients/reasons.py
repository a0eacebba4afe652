"""Why something does not answer."""

from messages.catalogue import message


@message
def name_not_resolved() -> str:
    """The DNS does not resolve the name."""
    return "its name is not resolved"


@message
def no_connection_in_time() -> str:
    """No connection was made in time."""
    return "no connection in time"


@message
def silent() -> str:
    """There was a connection, and no answer in time."""
    return "no answer in time"


@message
def connection_closed() -> str:
    """The connection was closed before there was an answer."""
    return "the connection was closed without an answer"


@message
def proxy_refuses() -> str:
    """The proxy does not pass the call on."""
    return "the proxy refuses, or does not answer"


@message
def answer_cut_off() -> str:
    """The connection ended in the midst of the answer."""
    return "the answer was cut off"


@message
def connection_broke() -> str:
    """The connection ended."""
    return "the connection broke"


@message
def certificate_not_accepted(reason: str) -> str:
    """The server's certificate is not valid here; the reason is the TLS library's."""
    return f"its certificate is not accepted: {reason}"


@message
def certificate_expired() -> str:
    """The server's certificate is past its time."""
    return "its certificate has expired"


@message
def certificate_of_other_authority() -> str:
    """The server's certificate is signed by another authority than the one that is to be trusted."""
    return "its certificate is signed by another authority"


@message
def certificate_for_other_name() -> str:
    """The server's certificate is for other names than the one that it is asked by."""
    return "its certificate is for another name"


@message
def tls_failed(reason: str) -> str:
    """There is no TLS connection; the reason is the TLS library's."""
    return f"TLS failed ({reason})"


@message
def no_api_server() -> str:
    """Something answers that is not a Kubernetes API server."""
    return "what answers is no Kubernetes API server"


@message
def system_error(reason: str) -> str:
    """The operating system refuses the connection; the reason is its own."""
    return reason


@message
def other_error(name: str) -> str:
    """Another error of the HTTP library, by its name: its text may hold what was sent."""
    return name
