"""What of an installation is not as it is to be: its pods, gateways, brokers and web apps."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed


@message
def container_waits(pod: str, reason: str, details: str) -> str:
    """A container of a pod is not started; reason and details are Kubernetes' own."""
    return f"{pod}: {reason} {details}".rstrip()


@message
def pod_not_scheduled(pod: str, reason: str) -> str:
    """No node takes a pod; the reason is Kubernetes' own."""
    return f"{pod}: {reason}"


def _because(trouble: Message | None) -> str:
    return f"; {trouble}" if trouble else ""


@message
def no_stateful_set(name: str, namespace: str) -> str:
    """A StatefulSet is not there."""
    return f"StatefulSet {name} does not exist in {namespace}"


@message
def not_yet_observed(kind: str, name: str, generation: int) -> str:
    """The last change of a StatefulSet or Deployment was not processed by its controller yet."""
    return f"{kind} {name}: generation {generation} not yet observed by its controller"


@message
def scaled_to_nothing(name: str, namespace: str) -> str:
    """A StatefulSet has no replicas."""
    return f"StatefulSet {name} in {namespace} is scaled to nothing"


@message
def brokers_not_updated(updated: int, wanted: int, namespace: str) -> str:
    """Some brokers run an old configuration."""
    return f"{updated} of {wanted} brokers in {namespace} run the new configuration"


@message
def brokers_not_ready(ready: int, wanted: int, namespace: str, trouble: Message | None) -> str:
    """Some brokers are not ready."""
    return f"{ready} of {wanted} brokers in {namespace} ready{_because(trouble)}"


@message
def no_engine_installed(namespace: str, selector: str) -> str:
    """The search engine that is to be installed beside the chart is not there."""
    return (
        f"there is no search engine in {namespace} ({selector}): this version's chart brings none, so install it there "
        "first, and run again (docs/prepare/search-engine.md)"
    )


@message
def engine_nodes_not_ready(ready: int, wanted: int, namespace: str, trouble: Message | None) -> str:
    """Some nodes of the search engine are not ready."""
    return f"{ready} of {wanted} search engine nodes in {namespace} ready{_because(trouble)}"


@message
def wrong_environment(owner: str, variable: str, found: str | None, wanted: str) -> str:
    """A broker, or the template of all, has another environment than it is to have."""
    return f"{owner} has {variable}={found!r}, wanted is {wanted!r}"


@message
def variable_left(owner: str, variable: str) -> str:
    """A broker, or the template of all, has a variable that it is to have during a copy only."""
    return f"{owner} still has {variable}"


@message
def no_gateway_ready(namespace: str, trouble: Message | None) -> str:
    """No gateway is ready."""
    return f"no gateway of {namespace} is ready{_because(trouble)}"


@message
def unexpected_status(asked: str, status: int, path: str, answer: str) -> str:
    """A gateway or broker answers with a status that is not expected."""
    return f"{asked} answered {status} to {path}" + (f": {answer}" if answer else "")


@message
def command_unanswered(partition: int, reason: Message) -> str:
    """A partition's command got no answer."""
    return f"partition {partition}: {reason}"


@message
def command_refused(partition: int, status: int, answer: str) -> str:
    """A partition does not process commands."""
    return f"partition {partition} answered {status} {answer}"


@message
def order_refused(namespace: str, order: str, reason: str) -> str:
    """The gateway refuses to pause or resume exporting."""
    return f"the gateway of {namespace} refuses to {order} exporting: {reason}"


@message
def resumption_refused(broker: str, namespace: str, reason: str) -> str:
    """A broker refuses to resume exporting."""
    return f"{broker} in {namespace} refuses to resume exporting: {reason}"


@message
def broker_missing(broker: str, namespace: str) -> str:
    """A broker's pod is not there."""
    return f"{broker} in {namespace} is not there yet"


@message
def broker_awake(broker: str, namespace: str) -> str:
    """A broker is ready that is to sleep until its id is free."""
    return f"{broker} in {namespace} is ready, but should sleep: another broker has its id"


@message
def broker_not_asleep(broker: str, namespace: str, trouble: Message | None) -> str:
    """A broker that is to sleep does not run."""
    return f"{broker} in {namespace} does not sleep yet{_because(trouble)}"


@message
def broker_not_ready(broker: str, namespace: str, trouble: Message | None) -> str:
    """A broker is not ready."""
    return f"{broker} in {namespace} is not ready{_because(trouble)}"


@message
def broker_replaced(broker: str, namespace: str) -> str:
    """A broker's pod is being replaced."""
    return f"{broker} in {namespace} is being replaced"


@message
def restart_delayed(broker: str, namespace: str, reason: Message) -> str:
    """A broker is not restarted yet, as another one is down or a partition lacks a replica."""
    return f"{broker} in {namespace} is not restarted before that: {reason}"


@message
def broker_does_not_run(broker: str, namespace: str, trouble: Message | None) -> str:
    """A broker's container does not run."""
    return f"{broker} in {namespace} does not run yet{_because(trouble)}"


@message
def sleepers_not_ready(ready: int, wanted: int, trouble: Message | None) -> str:
    """Some of the brokers that slept are not ready."""
    return f"{ready} of {wanted} of them are ready{_because(trouble)}"


@message
def app_still_wanted(name: str, namespace: str, replicas: int) -> str:
    """A web app is not scaled down."""
    return f"{name} in {namespace} is still wanted with {replicas} replicas"


@message
def app_pods_left(pods: Sequence[str], ownerless: Sequence[str], namespace: str) -> str:
    """Pods of a web app are still there; scaling does not end those without an owner."""
    shown = (
        f"{each} (of no Deployment: delete it by hand)" if each in ownerless else each
        for each in pods
    )
    return f"{listed(shown)} in {namespace} not gone yet"


@message
def no_deployment(name: str, namespace: str) -> str:
    """The gateway or a web app is not there, though the values enable it."""
    return f"there is no Deployment {name} in {namespace}, though the values enable it"


@message
def app_not_scaled_back(name: str, namespace: str) -> str:
    """A web app that the failback has scaled down is still down."""
    return f"{name} in {namespace} is not scaled back yet"


@message
def app_not_ready(
    ready: int, wanted: int, name: str, namespace: str, trouble: Message | None
) -> str:
    """Some pods of the gateway or a web app are not ready."""
    return f"{ready} of {wanted} pods of {name} in {namespace} ready{_because(trouble)}"


@message
def gateway_secret_missing(namespace: str, secret: str, key: str) -> str:
    """The Secret with the password for the gateway's REST API is not there, or lacks a key."""
    return (
        f"namespace {namespace} has no Secret {secret} with the key {key}, by which the gateway is logged in to: make it there "
        "as in the other region (docs/reference/configuration.md#gateway-login)"
    )


@message
def gateway_login_refused(namespace: str, user: str, secret: str, key: str) -> str:
    """The gateway's REST API does not take the password of its Secret."""
    return (
        f"the gateway of {namespace} does not let user {user} in with the password of Secret {secret} (key {key}): is it that "
        "user's, and is the user known to this cluster (docs/reference/configuration.md#gateway-login)?"
    )
