"""Reading a kubeconfig as kubectl does: its forms are taken, or refused in a sentence before anything is done.

Nothing secret is shown, and none stays in a file: keys that the kubeconfig holds, or a credential plugin returns, are
in one only for the moment in which the TLS library reads it, and that one is in memory where the system can do it.

Sources: Kubernetes, 'kubeconfig (v1)' and 'Client authentication (v1)'; client-go, `clientcmd`.
"""

import base64
import binascii
import errno
import os
import re
import shutil
import ssl
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from clients.cluster.basic import basic_header
from clients.cluster.plugin import Credential, Plugin, PluginFailed
from dualregion import plain_json
from dualregion.chart import helm_yaml
from dualregion.errors import ConfigError
from messages import Message
from messages.clients import kubeconfig as messages

DEFAULT_PLACE = "~/.kube/config"
RENEWED_EARLY_SECONDS = 60.0
"""How long before its end a credential is renewed, and how often a token's file is read."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""What does not leave this machine, such as `kubectl proxy`."""

Section = Mapping[str, Any]


class Unusable(Exception):
    """Why a context cannot be used; it holds nothing secret."""

    def __init__(self, problem: Message) -> None:
        self.problem = problem
        super().__init__(problem)


@dataclass(frozen=True)
class Entry:
    """An entry of the kubeconfig, with the folder that its relative paths start from."""

    content: Section
    folder: Path


@dataclass
class Credentials:
    """What a call is made with.

    :ivar authorization: the header `Authorization`, or None.
    :ivar certificate: client certificate and key in PEM, or None.
    :ivar until: when they end, as of `time.time`; None if they do not.
    """

    authorization: str | None = None
    certificate: tuple[bytes, bytes] | None = None
    until: float | None = None


@dataclass
class Access:
    """How a cluster is reached.

    :ivar impersonation: headers of `as` and its like; one may stand there several times.
    :ivar proxy: its URL without user and password.
    """

    server: str
    user: "User"
    tls: ssl.SSLContext | None
    tls_server_name: str | None = None
    proxy: str | None = None
    proxy_headers: dict[str, str] = field(default_factory=dict)
    impersonation: tuple[tuple[str, str], ...] = ()
    _asking: Lock = field(default_factory=Lock, repr=False, compare=False)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return what a call proves itself by, and for whom it is made; raises as `authorization`."""
        header = self.authorization()
        own = () if header is None else (("Authorization", header),)
        return (*self.impersonation, *own)

    def authorization(self) -> str | None:
        """Return the header `Authorization`, and have the client certificate in place, renewed if their time is over.

        Of many calls at once one asks the credential plugin, and the others take what it got, be it a failure.

        :raises PluginFailed: if the credential plugin gives nothing, and has given nothing before.
        """
        since = time.monotonic()
        with self._asking:
            held, before = self.user.credentials, self.user.certificate
            header = self.user.authorization(since)
            renewed = self.user.certificate
            if self.tls is not None and renewed is not None and renewed != before:
                try:
                    _load(self.tls, renewed)
                except Unusable as error:
                    # In the place of a former one, that one may still count.
                    if held is None:
                        self.user.credentials = None
                        raise PluginFailed(error.problem) from None
        return header


def place_of(kubeconfig: str | None) -> str:
    """Return where the kubeconfig is: as set, else `$KUBECONFIG`, else the usual place; `~` is the home folder.

    :param kubeconfig: the setting.
    """
    named = kubeconfig or os.environ.get("KUBECONFIG") or DEFAULT_PLACE
    return os.pathsep.join(os.path.expanduser(each) for each in named.split(os.pathsep))


def access_to(kubeconfig: str | None, context: str) -> Access:
    """Return how a context's cluster is reached.

    :param kubeconfig: path of the kubeconfig file, or None for `$KUBECONFIG` or the usual one.
    :raises ConfigError: if the file cannot be read, has no such context, or one that cannot be used.
    """
    place = place_of(kubeconfig)
    entries = _read(place)
    contexts = entries["contexts"]
    if context not in contexts:
        raise ConfigError([messages.no_such_context(context, place, sorted(contexts))])
    try:
        return _access(entries, context)
    except Unusable as error:
        raise ConfigError([messages.context_unusable(context, place, error.problem)]) from None


def contexts_of(kubeconfig: str | None) -> list[str]:
    """Return the names of all contexts, sorted.

    :param kubeconfig: path of the kubeconfig file, or None for `$KUBECONFIG` or the usual one.
    :raises ConfigError: if the file cannot be read.
    """
    return sorted(_read(place_of(kubeconfig))["contexts"])


# --- the files


def _read(place: str) -> dict[str, dict[str, Entry]]:
    """Return the kubeconfig's entries by kind and name; of two with one name the first counts, as for kubectl."""
    found: dict[str, dict[str, Entry]] = {"clusters": {}, "contexts": {}, "users": {}}
    paths = [Path(each) for each in place.split(os.pathsep) if each]
    documents = [(path, _document(path)) for path in paths if len(paths) == 1 or path.exists()]
    if not documents:
        raise _no_file(place, messages.file_unreadable(os.strerror(errno.ENOENT)))
    for path, document in documents:
        for kind, entries in found.items():
            for name, entry in _named(path, document, kind):
                entries.setdefault(name, entry)
    return found


def _no_file(place: object, problem: Message) -> ConfigError:
    return ConfigError([messages.kubeconfig_unusable(str(place), problem)])


def _document(path: Path) -> Section:
    try:
        document = helm_yaml.read(path.read_bytes())
    except OSError as error:
        raise _no_file(path, messages.file_unreadable(str(error.strerror))) from None
    except helm_yaml.BadYaml as error:
        raise _no_file(path, messages.not_yaml(error.line, error.message)) from None
    if document is None:
        document = {}
    if not isinstance(document, Mapping):
        raise _no_file(path, messages.not_a_map())
    return document


def _named(path: Path, document: Section, kind: str) -> list[tuple[str, Entry]]:
    """Return a file's entries of a kind."""
    listed = document.get(kind)
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise _no_file(path, messages.not_a_list(kind))
    found = []
    for index, each in enumerate(listed):
        name = each.get("name") if isinstance(each, Mapping) else None
        if not isinstance(name, str):
            raise _no_file(path, messages.entry_without_name(kind, index))
        content = each.get(kind.removesuffix("s"))
        if content is not None and not isinstance(content, Mapping):
            raise _no_file(path, messages.entry_not_a_map(kind, index, name))
        found.append((name, Entry(content or {}, path.absolute().parent)))
    return found


# --- what stands in an entry


def _text(entry: Entry, key: str) -> str | None:
    """Return a text of an entry; None if it is not there, or empty."""
    value = entry.content.get(key)
    if value is not None and not isinstance(value, str):
        raise Unusable(messages.key_not_a_text(key))
    return value or None


def _flag(entry: Entry, key: str) -> bool:
    value = entry.content.get(key)
    if value is not None and not isinstance(value, bool):
        raise Unusable(messages.key_not_a_flag(key))
    return bool(value)


def _content(entry: Entry, key: str) -> bytes | None:
    """Return what `<key>-data` holds in base64, else the content of the file that `key` names, else None."""
    data, path = _text(entry, f"{key}-data"), _text(entry, key)
    if data is not None:
        try:
            return base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise Unusable(messages.key_not_base64(f"{key}-data")) from None
    return None if path is None else _file(entry, path, key)


def _file(entry: Entry, path: str, key: str) -> bytes:
    place = entry.folder / path
    try:
        return place.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None)
        # Who has put a key's content there is not to see it in a log.
        shown = str(place) if str(place).isprintable() and len(path) < 256 else None
        raise Unusable(messages.key_file_unreadable(key, shown, reason)) from None


def _pem(content: bytes | None, key: str) -> bytes | None:
    if content is not None and b"-----BEGIN " not in content:
        raise Unusable(messages.key_not_pem(key))
    return content


# --- the context


def _access(entries: Mapping[str, Mapping[str, Entry]], context: str) -> Access:
    chosen = entries["contexts"][context]
    cluster = _referred(entries, chosen, "cluster")
    if cluster is None:
        raise Unusable(messages.no_cluster())
    user = _referred(entries, chosen, "user") or Entry({}, chosen.folder)
    server = _server(cluster)
    proxy, proxy_headers = _proxy(*_proxy_of(cluster, server))
    login = User(user, cluster)
    return Access(
        server=server.geturl().rstrip("/"),
        user=login,
        tls=_tls(cluster, login.certificate) if server.scheme == "https" else None,
        tls_server_name=_text(cluster, "tls-server-name"),
        proxy=proxy,
        proxy_headers=proxy_headers,
        impersonation=_impersonation(user),
    )


def _referred(entries: Mapping[str, Mapping[str, Entry]], chosen: Entry, kind: str) -> Entry | None:
    name = _text(chosen, kind)
    if name is None:
        return None
    if name not in entries[f"{kind}s"]:
        raise Unusable(messages.no_such_entry(kind, name))
    return entries[f"{kind}s"][name]


def _server(cluster: Entry) -> SplitResult:
    """Return the address of the API server, if nothing in between could answer for it."""
    server = _split(_text(cluster, "server"), "server", ("https", "http"))
    if server.username or server.password:
        raise Unusable(messages.login_in_address())
    if _flag(cluster, "insecure-skip-tls-verify"):
        raise Unusable(messages.tls_not_verified())
    if server.scheme == "http" and server.hostname not in _LOOPBACK:
        raise Unusable(messages.no_tls())
    return server


def _split(url: str | None, key: str, schemes: Sequence[str]) -> SplitResult:
    if url is None:
        raise Unusable(messages.no_address(key, schemes[0]))
    try:
        parts = urlsplit(url)
        usable = parts.hostname and parts.port != 0 and not re.search(r"[\s\x00-\x1f\x7f]", url)
    except ValueError:
        usable = False
    if not usable or parts.scheme not in schemes:
        raise Unusable(messages.not_an_address(key, schemes[0]))
    return parts


def _proxy(url: str | None, key: str) -> tuple[str | None, dict[str, str]]:
    """Return a proxy without its user and password, and the headers that these become."""
    if url is None:
        return None, {}
    if url.lower().startswith("socks"):
        raise Unusable(messages.socks_proxy(key))
    parts = _split(url, key, ("http", "https"))
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if parts.username is None:
        return bare, {}
    login = basic_header(unquote(parts.username), unquote(parts.password or ""))
    return bare, {"proxy-authorization": login}


def _proxy_of(cluster: Entry, server: SplitResult) -> tuple[str | None, str]:
    """Return the proxy's URL and where it is set: the kubeconfig's counts always, the environment's has exceptions."""
    own = _text(cluster, "proxy-url")
    if own is not None:
        return own, "proxy-url"
    host = server.netloc.rpartition("@")[2]
    found = getproxies().get(server.scheme)
    if not found or server.hostname in _LOOPBACK or proxy_bypass(host):
        return None, "proxy-url"
    return found if "://" in found else f"http://{found}", "proxy in the environment (HTTPS_PROXY)"


def _impersonation(user: Entry) -> tuple[tuple[str, str], ...]:
    """Return the headers that say on whose behalf calls are made."""
    name = _text(user, "as")
    groups, extra = user.content.get("as-groups") or [], user.content.get("as-user-extra") or {}
    # A text in the place of a list would be taken letter by letter.
    if not isinstance(extra, Mapping) or not all(map(_is_texts, (groups, *extra.values()))):
        raise Unusable(messages.impersonation_unreadable())
    headers = [("Impersonate-User", name), ("Impersonate-Uid", _text(user, "as-uid"))]
    headers += [("Impersonate-Group", group) for group in groups]
    headers += [
        (f"Impersonate-Extra-{key}", value) for key, values in extra.items() for value in values
    ]
    found = [(key, value) for key, value in headers if value is not None]
    if found and name is None:
        raise Unusable(messages.impersonation_without_user())
    for key, value in found:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", key) or not _fits_header(value):
            raise Unusable(messages.impersonation_not_one_line())
    return tuple(found)


def _is_texts(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(each, str) for each in found)


def _fits_header(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _tls(cluster: Entry, certificate: tuple[bytes, bytes] | None) -> ssl.SSLContext:
    """Return what the API server is verified by, and the client certificate is in."""
    authority = _pem(_content(cluster, "certificate-authority"), "certificate-authority")
    try:
        context = ssl.create_default_context(
            cadata=None if authority is None else authority.decode("ascii", "ignore")
        )
    except ssl.SSLError:
        raise Unusable(messages.authority_not_a_certificate()) from None
    # Newer Pythons demand of clusters' own authorities what kubectl does not.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if certificate is not None:
        _load(context, certificate)
    return context


def _load(context: ssl.SSLContext, certificate: tuple[bytes, bytes]) -> None:
    """Give a TLS context its client certificate; the library reads files only."""
    with _file_of(b"\n".join(certificate)) as path:
        try:
            # A key with a passphrase would ask for it at the terminal.
            context.load_cert_chain(path, password="")
        except (ssl.SSLError, ValueError):
            raise Unusable(messages.key_does_not_fit()) from None


@contextmanager
def _file_of(content: bytes) -> Iterator[str]:
    """Provide a file that is gone afterwards, and, where the system can do it, in memory only."""
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("pem"), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pem"
        path.touch(mode=0o600)
        path.write_bytes(content)
        yield str(path)


# --- the user


class User:
    """A user of the kubeconfig: what its calls are made with, now and later.

    A credential plugin is asked when there is a call to be made, not before: it may be gone with the cluster that it is
    for, and of a lost region that is to be told as any other silence of it.

    :raises Unusable: if there is a form of credentials that cannot be used, or a plugin is not there.
    """

    def __init__(self, entry: Entry, cluster: Entry) -> None:
        self._entry = entry
        self._certificate = _client_certificate(entry)
        self._plugin: Plugin | None = None
        self._failed: tuple[float, Message] | None = None
        self.credentials = self._token()
        if self.credentials is not None:
            return
        if entry.content.get("exec") is not None:
            self._plugin = _plugin_of(entry, cluster)
        else:
            self.credentials = self._provider() or self._password() or Credentials()

    @property
    def certificate(self) -> tuple[bytes, bytes] | None:
        """The client certificate and its key in PEM; None as long as there is none."""
        own = None if self.credentials is None else self.credentials.certificate
        return own or self._certificate

    def authorization(self, since: float) -> str | None:
        """Return the header `Authorization`; a token's file is read again, and a plugin asked, when it is time.

        If that fails the former one is used: the API server will say what it thinks of it.

        :param since: when the caller began, by `time.monotonic`: a plugin that has failed since then is not asked again.
        :raises PluginFailed: if there is no former one.
        """
        held = self.credentials
        until = None if held is None else held.until
        if held is None:
            held = self.credentials = self._renewed(since)
        elif until is not None and time.time() > until - RENEWED_EARLY_SECONDS:
            try:
                held = self.credentials = self._renewed(since)
            except (Unusable, PluginFailed):
                held.until = time.time() + 2 * RENEWED_EARLY_SECONDS
        return held.authorization

    def _renewed(self, since: float) -> Credentials:
        if self._plugin is None:
            self._certificate = _client_certificate(self._entry)
            return self._token() or Credentials()
        if self._failed is not None and self._failed[0] >= since:
            raise PluginFailed(self._failed[1])
        try:
            return _checked(self._plugin.ask(), self._plugin.name)
        except PluginFailed as error:
            self._failed = time.monotonic(), error.problem
            raise

    def _token(self) -> Credentials | None:
        path, token = _text(self._entry, "tokenFile"), _text(self._entry, "token")
        if path is not None:
            text = _file(self._entry, path, "tokenFile").decode(errors="replace")
            return Credentials(
                _bearer(text, "tokenFile"), until=time.time() + 2 * RENEWED_EARLY_SECONDS
            )
        return None if token is None else Credentials(_bearer(token, "token"))

    def _provider(self) -> Credentials | None:
        """Take the id-token of `auth-provider: oidc`; renewing it is kubectl's, which keeps what it renews."""
        provider = self._entry.content.get("auth-provider")
        if provider is None:
            return None
        name = provider.get("name") if isinstance(provider, Mapping) else None
        if name != "oidc":
            raise Unusable(messages.provider_gone())
        config = provider.get("config")
        token = config.get("id-token") if isinstance(config, Mapping) else None
        until = _end_of(token)
        if not isinstance(token, str) or (until is not None and until < time.time()):
            raise Unusable(messages.id_token_over())
        return Credentials(_bearer(token, "id-token"))

    def _password(self) -> Credentials | None:
        name, password = _text(self._entry, "username"), _text(self._entry, "password")
        if name is None and password is None:
            return None
        return Credentials(basic_header(name or "", password or ""))


def _client_certificate(entry: Entry) -> tuple[bytes, bytes] | None:
    certificate = _pem(_content(entry, "client-certificate"), "client-certificate")
    key = _pem(_content(entry, "client-key"), "client-key")
    if (certificate is None) != (key is None):
        there, missing = ("client-key", "client-certificate")[:: -1 if key is None else 1]
        raise Unusable(messages.half_a_certificate(there, missing))
    return None if certificate is None or key is None else (certificate, key)


def _bearer(token: str, key: str) -> str:
    """Return the header for a token; what surrounds it, such as the end of its line, is left out as kubectl does."""
    bare = token.strip()
    if not bare or not re.fullmatch(r"[\x21-\x7e]+", bare):
        raise Unusable(messages.token_not_one_line(key))
    return f"Bearer {bare}"


def _end_of(token: object) -> float | None:
    """Return when a JSON web token expires; None if it does not tell, or tells a time out of range."""
    try:
        body = str(token).split(".")[1]
        claims = plain_json.read(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return float(claims["exp"])
    except (IndexError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _plugin_of(entry: Entry, cluster: Entry) -> Plugin:
    """Return the plugin of the section `exec`, whose command starts where kubectl would start it."""
    config = entry.content["exec"]
    if not isinstance(config, Mapping):
        raise Unusable(messages.exec_not_a_map())
    texts = [config.get("command"), config.get("apiVersion"), *_list(config, "args")]
    environment = _list(config, "env")
    if not all(isinstance(each, Mapping) for each in environment):
        raise Unusable(messages.exec_env_unreadable())
    texts += [each.get(key) for each in environment for key in ("name", "value")]
    if not all(isinstance(each, str) and "\0" not in each for each in texts) or not texts[0]:
        raise Unusable(messages.exec_incomplete())
    command = config["command"]
    if "/" in command and not command.startswith("/"):
        command = str(entry.folder / command)
    environ = {**os.environ, **{each["name"]: each["value"] for each in environment}}
    if shutil.which(command, path=environ.get("PATH")) is None:
        raise Unusable(messages.plugin_missing(Path(command).name))
    return Plugin(
        (command, *_list(config, "args")),
        str(config["apiVersion"]),
        environ,
        dict(cluster.content) if config.get("provideClusterInfo") else None,
    )


def _list(config: Section, key: str) -> list[Any]:
    found = config.get(key)
    if found is not None and not isinstance(found, list):
        raise Unusable(messages.exec_not_a_list(key))
    return found or []


def _checked(given: Credential, name: str) -> Credentials:
    """Return what a credential plugin has answered, if calls can be made with it.

    :raises PluginFailed: if they cannot.
    """
    certificate = given.certificate
    try:
        header = None if given.token is None else _bearer(given.token, f"token of {name}")
    except Unusable as error:
        raise PluginFailed(error.problem) from None
    pem = None if certificate is None else (certificate[0].encode(), certificate[1].encode())
    return Credentials(header, pem, given.until)
