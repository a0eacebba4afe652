"""Why something does not answer, in messages of our own: the text of a library's error may hold what was sent."""

import http.client
import os
import socket
import ssl
from collections.abc import Callable, Iterator

import urllib3

from messages import Message
from messages.clients import reasons as messages


def reason_of(error: BaseException) -> Message:
    """Return why there is no answer.

    :param error: what the HTTP library, or the system beneath it, has raised.
    """
    return next(
        (words for each in _causes(error) if (words := _words_for(each))),
        messages.other_error(type(error).__name__),
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


_WORDS: tuple[tuple[type[BaseException], Callable[[], Message]], ...] = (
    (urllib3.exceptions.NameResolutionError, messages.name_not_resolved),
    (socket.gaierror, messages.name_not_resolved),
    (urllib3.exceptions.ConnectTimeoutError, messages.no_connection_in_time),
    (urllib3.exceptions.ReadTimeoutError, messages.silent),
    (TimeoutError, messages.silent),
    (http.client.RemoteDisconnected, messages.connection_closed),
    (urllib3.exceptions.ProxyError, messages.proxy_refuses),
    (urllib3.exceptions.IncompleteRead, messages.answer_cut_off),
    (http.client.IncompleteRead, messages.answer_cut_off),
    (urllib3.exceptions.ProtocolError, messages.connection_broke),
)


_EXPIRED, _OTHER_NAME = 10, 62
_OTHER_AUTHORITY = frozenset({2, 18, 19, 20, 21})
"""What OpenSSL calls these (X509_V_ERR_...): no issuer found, self-signed, or not to be verified by what is trusted."""


def certificate_problem(error: ssl.SSLCertVerificationError) -> Message:
    """Return why a certificate is not accepted, by OpenSSL's number for it."""
    if error.verify_code == _EXPIRED:
        return messages.certificate_expired()
    if error.verify_code == _OTHER_NAME:
        return messages.certificate_for_other_name()
    if error.verify_code in _OTHER_AUTHORITY:
        return messages.certificate_of_other_authority()
    return messages.certificate_not_accepted(error.verify_message)


def _words_for(error: BaseException) -> Message | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return messages.certificate_not_accepted(error.verify_message)
    if isinstance(error, ssl.SSLError):
        return messages.tls_failed(getattr(error, "reason", None) or type(error).__name__)
    known = next((words for kind, words in _WORDS if isinstance(error, kind)), None)
    if known is not None:
        return known()
    if isinstance(error, OSError) and error.errno:
        return messages.system_error(os.strerror(error.errno))
    return None
