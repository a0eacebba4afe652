"""What an update would change that is not to change now."""

from messages.catalogue import Message, message


@message
def put_it_back(change: str) -> str:
    """What to do about a size that differs in phase normal."""
    return f"Put it back; only if you know that the cluster follows: {_allow(change)}"


@message
def put_it_back_until_the_failback_is_done(phase: str, change: str) -> str:
    """What to do about a change in an incident."""
    return (
        f"In phase {phase!r} only what the procedure needs is changed: put it back until the failback is done; if it must "
        f"be now: {_allow(change)}"
    )


def _allow(change: str) -> str:
    return f"`pulumi config set --path 'allowChanges[0]' {change}`"


@message
def namespace_changed(setting: str, name: str, wanted: str, installed: str) -> str:
    """An installation's namespace is another one than it is installed in."""
    return f"{setting} of region {name} is {wanted!r}{_beside(installed)}"


@message
def release_changed(wanted: str, installed: str) -> str:
    """The release has another name than the one that is installed."""
    return f"release is {wanted!r}{_beside(installed)}"


def _beside(installed: str) -> str:
    return (
        f", but {installed!r} is installed: another one would be installed beside it, with the same brokers, and this one "
        f"deleted with its data; set it back to {installed!r}"
    )


@message
def size_changed(
    setting: str, wanted: int, installed: int, stack: str | None, remedy: Message
) -> str:
    """clusterSize, partitionCount or replicationFactor is another one than a stack's brokers have; None is this stack."""
    return (
        f"{setting} is {wanted}, but the brokers of {_named(stack)} were installed with {installed}: brokers of different "
        f"sizes do not agree on who holds which partition. {remedy}"
    )


@message
def program_changed(version: str, last: str, stack: str | None, remedy: Message) -> str:
    """A stack was last updated by another version of this program; None is this stack."""
    return f"this is version {version} of the program, but {_named(stack)} was last updated by version {last}. {remedy}"


@message
def version_changed(wanted: str, installed: str, stack: str | None) -> str:
    """In an incident camundaVersion is another one than the survivor's brokers run; None is this stack."""
    return (
        f"camundaVersion is {wanted!r}, but {_named(stack)} was last updated with {installed!r}, and steps of that "
        f"version's procedure are under way: set it, and the chart, back to {installed!r} until the failback is done; "
        "upgrade Camunda in phase normal"
    )


@message
def chart_changed(wanted: str, installed: str, remedy: Message) -> str:
    """Another version of the chart is installed."""
    return f"the chart is {wanted}, but {installed} is installed. {remedy}"


@message
def values_changed(namespace: str, difference: Message, remedy: Message) -> str:
    """The Helm values are not those of the last update."""
    return f"the Helm values of {namespace} differ from those installed: {difference}. {remedy}"


@message
def image_differs(namespace: str, difference: Message, remedy: Message) -> str:
    """The recreated region's brokers would have another image than the surviving region's, which they are to join."""
    return f"brokers of {namespace} would have another image than the survivor's: {difference}. {remedy}"


def _named(stack: str | None) -> str:
    return f"stack {stack}" if stack else "this stack"
