"""What keeps a kube context from being used."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed

_VERIFIED = (
    "anyone in between could answer for the cluster, and get its Secrets; give it an https address and "
    "certificate-authority-data"
)


@message
def no_such_context(context: str, kubeconfig: str, contexts: Sequence[str]) -> str:
    """The kubeconfig does not have the context that a stack names."""
    known = listed(contexts) or "none"
    return (
        f"kubeContext is {context!r}, which kubeconfig {kubeconfig} does not have; it has: {known}"
    )


@message
def context_unusable(context: str, kubeconfig: str, problem: Message) -> str:
    """The kubeconfig has the context, and it cannot be used."""
    return f"kube context {context!r} of kubeconfig {kubeconfig} {problem}"


@message
def kubeconfig_unusable(kubeconfig: str, problem: Message) -> str:
    """A kubeconfig is not there, or not of the form that kubectl reads."""
    return f"kubeconfig {kubeconfig} cannot be used: {problem}"


@message
def file_unreadable(reason: str) -> str:
    """The system does not let a file be read; the reason is its own."""
    return reason


@message
def not_yaml(line: int, problem: Message) -> str:
    """A file is not YAML."""
    return f"it is not YAML: line {line}: {problem}"


@message
def not_a_map() -> str:
    """A kubeconfig holds something else than a map."""
    return "it holds no map with clusters, users and contexts"


@message
def not_a_list(kind: str) -> str:
    """A section of a kubeconfig is not a list."""
    return f"{kind} is no list"


@message
def entry_without_name(kind: str, index: int) -> str:
    """An entry of a kubeconfig has no name."""
    return f"{kind}[{index}] has no name that is a text"


@message
def entry_not_a_map(kind: str, index: int, name: str) -> str:
    """An entry of a kubeconfig is not a map."""
    return f"{kind}[{index}] ({name}): {kind.removesuffix('s')} is no map"


@message
def key_not_a_text(key: str) -> str:
    """A value of a context is not a text."""
    return f"has a {key} that is no text: put it in quotes"


@message
def key_not_a_flag(key: str) -> str:
    """A value of a context is neither true nor false."""
    return f"has a {key} that is neither true nor false"


@message
def key_not_base64(key: str) -> str:
    """A value of a context is not base64."""
    return f"has a {key} that is not base64"


@message
def key_file_unreadable(key: str, file: str | None, reason: str | None) -> str:
    """A file that a context names cannot be read; without a name where the value may be the content itself."""
    where = f"{file}: " if file else ""
    return f"has a {key} that cannot be read: {where}{reason or 'it is no path'}"


@message
def key_not_pem(key: str) -> str:
    """A certificate or key is not in PEM."""
    return f"has a {key} that is no PEM (-----BEGIN ...)"


@message
def no_cluster() -> str:
    """A context names no cluster."""
    return "names no cluster"


@message
def no_such_entry(kind: str, name: str) -> str:
    """A context names a cluster or user that the kubeconfig does not have."""
    return f"names the {kind} {name!r}, which is not there"


@message
def login_in_address() -> str:
    """The server's address holds a user or a password."""
    return "has a user or password in its server, which kubectl does not send either"


@message
def tls_not_verified() -> str:
    """The server's certificate is not to be verified."""
    return f"has insecure-skip-tls-verify: {_VERIFIED}"


@message
def no_tls() -> str:
    """The server's address is not https."""
    return f"has a server without TLS: {_VERIFIED}"


@message
def no_address(key: str, scheme: str) -> str:
    """The address of a server or proxy is missing."""
    return f"has no {key}: {scheme}://host:port is needed"


@message
def not_an_address(key: str, scheme: str) -> str:
    """The address of a server or proxy is none."""
    return f"has a {key} that is no address: {scheme}://host:port is needed"


@message
def socks_proxy(key: str) -> str:
    """A proxy of SOCKS is set."""
    return (
        f"has a {key} of SOCKS, which this program cannot use: give it an http:// or https:// proxy, or forward a local "
        "port and name that as the server, with tls-server-name"
    )


@message
def impersonation_unreadable() -> str:
    """The groups or extras that a user acts as are of another form than kubectl's."""
    return "has as-groups or as-user-extra of another form than kubectl's"


@message
def impersonation_without_user() -> str:
    """A user acts as groups, and as no user."""
    return "has as-groups, as-uid or as-user-extra, but no as"


@message
def impersonation_not_one_line() -> str:
    """The name that a user acts as cannot be sent."""
    return "acts on behalf of a name (as, as-groups, ...) that is no text of one line"


@message
def authority_not_a_certificate() -> str:
    """The certificate-authority is not a certificate."""
    return "has a certificate-authority that is no certificate"


@message
def key_does_not_fit() -> str:
    """The client certificate cannot be used with its key."""
    return "has a client-certificate and client-key that do not belong together, or a key with a passphrase"


@message
def half_a_certificate(found: str, missing: str) -> str:
    """A client certificate is there without its key, or a key without its certificate."""
    return f"has a {found}, but no {missing}"


@message
def plugin_failed(plugin: str) -> str:
    """The credential plugin of a context failed."""
    return f"has a credential plugin, {plugin}, that failed: `kubectl get namespaces` with this context shows why"


@message
def plugin_silent(plugin: str, seconds: int) -> str:
    """The credential plugin of a context did not end in time."""
    return (
        f"has a credential plugin, {plugin}, that has given nothing for {seconds} s: `kubectl get namespaces` with this "
        "context shows what it waits for"
    )


@message
def plugin_missing(plugin: str) -> str:
    """The credential plugin of a context is not installed, or is no program that may be run."""
    return f"has a credential plugin, {plugin}, that is not there, or may not be run: install it, or put it on PATH"


@message
def plugin_without_credentials(plugin: str) -> str:
    """The credential plugin of a context answers no credentials."""
    return f"has a credential plugin, {plugin}, that answers neither token nor certificate and key"


@message
def provider_gone() -> str:
    """A user has an auth-provider that kubectl does not have any more."""
    return "has an auth-provider that kubectl has no more: use the credential plugin (exec) of your provider"


@message
def id_token_over() -> str:
    """The id-token of an OIDC login is missing or over."""
    return "has an auth-provider oidc whose id-token is missing or over: `kubectl get namespaces` with this context renews it"


@message
def token_not_one_line(key: str) -> str:
    """A token cannot be sent."""
    return f"has a {key} that holds no token of one line"


@message
def exec_not_a_map() -> str:
    """The section exec is not a map."""
    return "has an exec that is no map"


@message
def exec_env_unreadable() -> str:
    """The env of the section exec is of another form than kubectl's."""
    return "has an exec whose env is no list of names and values"


@message
def exec_incomplete() -> str:
    """The section exec has no command, or one that cannot be run."""
    return "has an exec without command and apiVersion, or with args or env that are no texts"


@message
def exec_not_a_list(key: str) -> str:
    """A key of the section exec is not a list."""
    return f"has an exec whose {key} is no list"
