"""Calls to the cluster management API (Camunda 8.6 and later)."""

from messages.catalogue import Message, message


@message
def coordinator_silent(namespace: str, call: str, reason: Message) -> str:
    """The member that decides on the cluster's configuration does not answer: as long as broker 0 is lost, it cannot."""
    return (
        f"the gateway of {namespace} does not reach the cluster's coordinator for {call}: {reason}"
    )


@message
def change_not_possible(namespace: str, call: str, reason: str) -> str:
    """A change of the cluster's configuration is refused, and would be refused again; the reason is the cluster's own."""
    return f"the gateway of {namespace} refuses {call}: {reason}"


@message
def other_change_pending(namespace: str, call: str, reason: str) -> str:
    """A change of the configuration is not accepted, as another one is under way; the reason is the cluster's own."""
    return f"the gateway of {namespace} does not accept {call} now: {reason}"


@message
def management_refuses(namespace: str, call: str, status: int, reason: str) -> str:
    """The management API answers with a status that is not expected."""
    return f"the gateway of {namespace} answered {status} to {call}: {reason}"
