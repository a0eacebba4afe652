"""Why something does not answer, in words of our own: the text of a library's error may hold what was sent."""

import http.client
import os
import socket
import ssl
from collections.abc import Iterator

import urllib3


def reason_of(error: BaseException) -> str:
    """Return why there is no answer.

    :param error: what the HTTP library, or the system beneath it, has raised.
    """
    return next(
        (words for each in _causes(error) if (words := _words_for(each))), type(error).__name__
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield what an error came of, the innermost first."""
    if error is None:
        return
    wrapped = getattr(error, "reason", None) or getattr(error, "original_error", None)
    inner = wrapped if isinstance(wrapped, BaseException) else error.__cause__ or error.__context__
    if inner is not error:
        yield from _causes(inner)
    yield error


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (urllib3.exceptions.NameResolutionError, "its name is not resolved"),
    (socket.gaierror, "its name is not resolved"),
    (urllib3.exceptions.ConnectTimeoutError, "no connection in time"),
    (urllib3.exceptions.ReadTimeoutError, "no answer in time"),
    (TimeoutError, "no answer in time"),
    (http.client.RemoteDisconnected, "the connection was closed without an answer"),
    (urllib3.exceptions.ProxyError, "the proxy refuses, or does not answer"),
    (urllib3.exceptions.IncompleteRead, "the answer was cut off"),
    (http.client.IncompleteRead, "the answer was cut off"),
    (urllib3.exceptions.ProtocolError, "the connection broke"),
)


def _words_for(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({getattr(error, 'reason', None) or type(error).__name__})"
    known = next((words for kind, words in _WORDS if isinstance(error, kind)), None)
    if known is None and isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return known
