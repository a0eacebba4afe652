"""Helm's releases: what is adopted, fixed, left over or deleted, and what the chart renders."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed

# --- Adopting


@message
def adopted_pods_differ(namespace: str, kubectl: str) -> str:
    """An adopted release gives its brokers another pod template than they run with."""
    return (
        f"the adopted release in {namespace} gives its brokers another pod template than they run with, although chart and "
        f"values are the same. They are held, and none was restarted. Compare `{kubectl} get controllerrevisions`. If they "
        "may restart one after the other, `pulumi config rm adopt` and `pulumi up` again"
    )


@message
def nothing_to_adopt(namespace: str, context: str, release: str) -> str:
    """A release is to be adopted, and there is none."""
    return (
        f"adopt is set, but namespace {namespace} of kube context {context!r} holds no Helm release {release!r}: check the "
        "context, the namespace and the setting release; or, if the region is to be installed, `pulumi config rm adopt`"
    )


@message
def not_deployed(release: str, namespace: str, status: str, revision: int) -> str:
    """A release is to be adopted in the midst of a change."""
    return (
        f"Helm release {release!r} in namespace {namespace} is {status!r} (revision {revision}), not 'deployed': bring it in "
        "order with helm first; nothing is adopted in the middle of a change"
    )


@message
def adoption_would_change(
    release: str, namespace: str, context: str, revision: int, changes: Sequence[str]
) -> str:
    """A release is to be adopted that the program would install otherwise than it runs."""
    lines = "\n".join(f"  - {each}" for each in changes)
    return (
        f"Helm release {release!r} in namespace {namespace} (revision {revision}) is not adopted, as the program would "
        f"install it otherwise than it runs, which may restart brokers:\n{lines}\nLet the settings and values files say "
        f"what runs (`helm get values {release} -n {namespace} --kube-context {context}` shows it), or bring the release "
        "to what they say with helm, one region after the other, and adopt it then (docs/prepare/adopting.md)"
    )


# --- Helm's records


@message
def release_of_others(release: str, namespace: str, revision: int) -> str:
    """A release of this name is there that this stack has not installed."""
    return (
        f"namespace {namespace} already holds a Helm release {release!r} (revision {revision}) that this stack did not "
        "install: adopt it (docs/prepare/adopting.md), or uninstall it if it is a leftover, then run `pulumi up` again"
    )


@message
def operation_of_others(
    *,
    release: str,
    namespace: str,
    status: str,
    revision: int,
    since: str | None,
    kubectl: str,
    secret: str,
    minutes: int,
) -> str:
    """An operation on the release is under way that this program has not begun."""
    return (
        f"release {release} in namespace {namespace} is {status} (revision {revision}, since "
        f"{since or 'a moment that is not known'}), and no run of this program has begun that: another helm may be running. "
        f"Wait for its end, then run `pulumi up` again. If that helm is known to be gone: `{kubectl} delete secret "
        f"{secret}`; after {minutes} minutes `pulumi up` does so itself"
    )


# --- What is left, and what is deleted


@message
def namespace_exists(namespace: str, held: Sequence[str]) -> str:
    """A namespace that is to be gone is still there."""
    holding = f" with {listed(held)}" if held else ""
    return f"namespace {namespace} still exists{holding}"


@message
def volumes_left(namespace: str, volumes: Sequence[str]) -> str:
    """Volumes of a namespace that is gone are still there."""
    return f"of namespace {namespace}, which is gone, volume {listed(volumes)} is left"


@message
def not_reopened(namespace: str, step: str, incident: str, own_namespace: str) -> str:
    """The failover installation may hold what nothing else does until that step is proved."""
    return (
        f"the failover installation in {namespace} is not deleted: step {step} of incident {incident} is not proved, there "
        f"is no record of it in {own_namespace}. `pulumi up` proves it first"
    )


# --- What the chart renders


@message
def steps_cannot_be_done(findings: Sequence[str], codes: Sequence[str]) -> str:
    """With what the chart renders some step of the procedure cannot be done."""
    lines = "\n".join(f"  - {each}" for each in findings)
    return (
        f"with what the chart renders some step of the procedure cannot be done:\n{lines}\nFix the values files "
        "(docs/reference/helm-values.md, 'What the chart renders'); what you know better is accepted with chart.accept, which "
        f"takes these words: {listed(codes)}"
    )


@message
def chart_renders(finding: str) -> str:
    """A warning: what the chart renders differs from what the program addresses, and no step fails of it."""
    return f"the chart renders: {finding}"


@message
def not_known(what: Message) -> str:
    """A warning: something could not be observed."""
    return f"not known: {what}"


@message
def rendering_unknown(reason: Message) -> str:
    """The chart cannot be rendered here, so it is unknown what it renders."""
    return f"what the chart renders: {reason}"


@message
def trial_without_namespace(namespace: str) -> str:
    """It is unknown whether the API server takes what is rendered, as its namespace is not there yet."""
    return f"whether the API server takes it: namespace {namespace} is not there yet"


@message
def trial_without_rights(namespace: str) -> str:
    """It is unknown whether the API server takes what is rendered, as the program has no rights in its namespace yet."""
    return (
        f"whether the API server takes it: the program has no rights in namespace {namespace} yet"
    )


@message
def trial_unknown(name: str | None, reason: Message) -> str:
    """It is unknown whether the API server takes what is rendered; the name is that of one object."""
    return f"whether the API server takes {name or 'it'}: {reason}"


@message
def same_of_others(first: Message, others: int) -> str:
    """It is unknown of several objects whether the API server takes them."""
    return f"{first} (and the same of {others} other objects)"
