"""Calls to a search engine that asks for a password: past the API server's proxy, which keeps such headers for itself.

The password is read from its Secret for each call, as a recreated engine has another one. It is in no message, record or
state.
"""

import ssl
from typing import Any

from clients import logins
from clients.cluster import forward, pods
from clients.cluster.forward import Tls
from clients.cluster.kubernetes import Answer, CallFailed, Cluster, Target
from dualregion.names import EngineAddress, EngineLogin, EngineTls
from messages.clients import search_engine as messages


def ask(
    cluster: Cluster,
    namespace: str,
    address: EngineAddress,
    request: tuple[str, str, Any],
    seconds: float,
) -> Answer:
    """Send a request to a ready pod of a namespace's search engine, logged in.

    :param request: method, path, and a JSON document or None.
    :param seconds: how long the answer may take.
    :raises SecretMissing: if there is no password, or no authority to verify the engine by.
    :raises SecretUnreadable: if one of them is no text.
    :raises LoginRefused: if the engine refuses the password.
    :raises CallFailed: if no pod is ready, it does not prove who it is, or it does not answer.
    """
    login, tls = address.login, address.tls
    headers = (
        {} if login is None else logins.basic(login.user, password_of(cluster, namespace, login))
    )
    target = Target(namespace, "pods", _ready_pod(cluster, namespace, address), address.port)
    method, path, body = request
    secured = None if tls is None else _tls(cluster, namespace, tls)
    try:
        answer = forward.ask(
            *(cluster, target, method, path, body), headers=headers, tls=secured, seconds=seconds
        )
    except forward.NotSecured as error:
        authority = ("", "") if tls is None else (tls.secret, tls.key)
        raise CallFailed(
            messages.engine_not_secured(namespace, error.reason, *authority, error.server)
        ) from None
    if answer.status == logins.REFUSED and login is not None:
        refused = messages.engine_login_refused(namespace, login.user, login.secret, login.key)
        raise logins.LoginRefused(refused, answer.status)
    return answer


def password_of(cluster: Cluster, namespace: str, login: EngineLogin) -> str:
    """Return the password of a namespace's search engine.

    :raises SecretMissing: if there is none.
    :raises SecretUnreadable: if it is no text.
    """
    return secret_text(cluster, namespace, login.secret, login.key)


def secret_text(cluster: Cluster, namespace: str, name: str, key: str) -> str:
    """Return what a Secret holds under a key.

    :raises SecretMissing: if it holds nothing there.
    :raises SecretUnreadable: if that is no text.
    """
    found = logins.secret_text(cluster, namespace, name, key)
    if found is None:
        raise logins.SecretMissing(messages.engine_secret_missing(namespace, name, key))
    return found


def _ready_pod(cluster: Cluster, namespace: str, address: EngineAddress) -> str:
    found = cluster.pods(namespace, address.selector)
    ready = next((each.metadata.name for each in found if pods.is_ready(each)), None)
    if ready is None:
        raise CallFailed(
            messages.no_engine_pod_ready(namespace, address.selector, pods.trouble(found))
        )
    return str(ready)


def _tls(cluster: Cluster, namespace: str, tls: EngineTls) -> Tls:
    authority = secret_text(cluster, namespace, tls.secret, tls.key)
    try:
        context = ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError):
        raise CallFailed(
            messages.engine_authority_unreadable(namespace, tls.secret, tls.key)
        ) from None
    # As of a cluster's own authority: newer Pythons demand more than curl and the brokers do.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return Tls(context, tls.server_in(namespace))
