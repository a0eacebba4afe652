"""What is wrong with the environment of a run."""

from messages.catalogue import Message, message


@message
def variable_refused(name: str, value: str, risk: Message) -> str:
    """An environment variable would change what a run does, and no argument of the program can override it."""
    return f"environment variable {name} is {value!r}: {risk}; `unset {name}` and run again"


@message
def state_saved_late() -> str:
    """The state would not be saved after each resource."""
    return (
        "the state would be saved at the end only, and an interrupted run would forget what it made"
    )


@message
def failures_ignored() -> str:
    """A run would continue after a failed step."""
    return "a run would continue after a failed step, and could delete what is still needed"


@message
def others_overwritten() -> str:
    """The provider would overwrite fields that others own."""
    return "the program would overwrite what others have set in objects of the cluster"


@message
def others_taken_over() -> str:
    """The provider would take over objects that it has not made."""
    return "the program would take over objects of the cluster that it has not made"


@message
def step_in_parts() -> str:
    """A run would be limited to some resources."""
    return "a run would carry out a part of a step only"


@message
def replaced() -> str:
    """A run would replace resources that are to stay."""
    return "a run would replace what it is to keep"


@message
def not_refreshed() -> str:
    """The refresh before a run would be left out."""
    return "a lost region's state would be trusted without a look at the cluster"
