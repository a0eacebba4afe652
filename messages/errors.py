"""What errors of every kind have in common."""

from collections.abc import Sequence

from messages.catalogue import message


@message
def several_problems(problems: Sequence[str]) -> str:
    """Several things are wrong, each with a message of its own; all can be fixed at once."""
    return "\n".join(f"- {each}" for each in problems)
