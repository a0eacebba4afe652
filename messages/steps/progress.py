"""Progress lines of steps; those of waits are `wait-done` and `wait-goes-on`."""

from collections.abc import Sequence

from messages.catalogue import Message, message


@message
def looking_for_leftovers(step: str, namespace: str, region: str) -> str:
    """B0 begins."""
    return f"{step}: looking for what is left in namespace {namespace} of region {region}"


@message
def restarting(broker: str, namespace: str, reason: Message) -> str:
    """A broker's pod is deleted, so that its StatefulSet makes it again."""
    return f"restarting {broker} in {namespace}: {reason}"


@message
def no_quorum_to_lose() -> str:
    """Why it is restarted at once: some partition has no leader, so no command of it is accepted anyway."""
    return "there is no quorum to lose"


@message
def not_running() -> str:
    """Why it is restarted at once: its container does not run."""
    return "it does not run"


@message
def old_configuration() -> str:
    """Why it is restarted: it runs the former configuration."""
    return "it has the old configuration"


@message
def old_password() -> str:
    """Why it is restarted: a search engine has another password since it started."""
    return "it holds an old password of a search engine"


@message
def password_written(step: str, secret: str, namespace: str, owner: str) -> str:
    """A Secret that brokers log in to a search engine with was written."""
    return f"{step}: Secret {secret} in {namespace} holds the password of the search engine of {owner} now"


@message
def wakes() -> str:
    """Why it is restarted: it sleeps, and its id is free now."""
    return "it sleeps, and wakes in the new configuration"


@message
def updates_held(namespace: str) -> str:
    """The next update of a release restarts no broker by itself."""
    return (
        f"brokers of {namespace}: held, so that the update of the release restarts none by itself"
    )


@message
def update_reverted(namespace: str) -> str:
    """An update only writes the brokers' template otherwise, and is taken back."""
    return f"brokers of {namespace}: the update changes nothing that they see, so none is restarted"


@message
def scaling_down(name: str, namespace: str, replicas: int) -> str:
    """A web app is scaled to nothing while the search engine is copied."""
    return f"scaling {name} in {namespace} from {replicas} to 0"


@message
def scaling_back(name: str, namespace: str, replicas: int) -> str:
    """A web app gets as many pods as it had."""
    return f"scaling {name} in {namespace} back to {replicas}"


@message
def taking_over_install(release: str, namespace: str) -> str:
    """An interrupted run has installed a release."""
    return f"release {release} in {namespace} was installed by an interrupted run: taking it over"


@message
def clearing_pending(release: str, namespace: str, status: str) -> str:
    """An interrupted run has left an operation of Helm pending."""
    return f"release {release} in {namespace}: clearing the {status} of an interrupted run"


@message
def adopting(release: str, namespace: str, revision: int, chart: str) -> str:
    """A release runs as the program would install it."""
    return (
        f"adopt: release {release} in {namespace} (revision {revision}, chart {chart}) runs as the program would install "
        "it: it is taken over, and nothing restarts"
    )


@message
def records_set_aside(release: str, namespace: str) -> str:
    """Helm's records of an adopted release are kept under other names."""
    return f"adopt: Helm's records of release {release} in {namespace} are set aside; it is installed over what runs"


@message
def deleting_remains(step: str, namespace: str, indices: Sequence[str]) -> str:
    """An earlier attempt to restore has left indices."""
    return f"{step}: deleting what an earlier attempt left in the search engine of {namespace}: {', '.join(indices)}"


@message
def putting_settings_back(step: str, namespace: str) -> str:
    """A restore has replaced the engine's persistent settings."""
    return f"{step}: the search engine of {namespace} gets its own persistent settings back"
