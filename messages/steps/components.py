"""How a run of the program ends before its time."""

from collections.abc import Sequence

from messages.catalogue import message, with_code


@message
def nothing_was_changed(problems: Sequence[str]) -> str:
    """The program refuses to begin, or cannot; each reason has a code of its own."""
    dash = "- " if len(problems) > 1 else ""
    return "\n".join(("nothing was changed:", *(f"{dash}{with_code(each)}" for each in problems)))


@message
def unforeseen(error: str) -> str:
    """An error that the program did not foresee; what it was stays hidden, as it may hold secrets."""
    return f"an error that the program did not foresee ({error}): please report it with this line"


@message
def call_failed(work: str, problem: str) -> str:
    """A step's call to the cluster failed."""
    return f"{work}: {problem}. Run the same `pulumi up` again."


@message
def not_deleted_either(name: str) -> str:
    """After the first refusal of a run nothing more is deleted."""
    return f"{name} is not deleted either, as something else is needed"


@message
def peer_stack_unreadable(stack: str, problem: str) -> str:
    """The other region's stack does not exist, or cannot be read."""
    return (
        f"stack {stack} of the other region cannot be read ({problem}): create it with `pulumi stack init {stack}`, or set "
        "its name with `pulumi config set peerStack NAME`"
    )


@message
def state_backend_failed(problem: str) -> str:
    """The state backend does not answer."""
    return f"Pulumi cannot read the state: {problem}"


@message
def proved_before(step: str) -> str:
    """The state has forgotten a step whose record is in the cluster."""
    return f"{step}: proved before, as its record in the cluster shows; the state had forgotten it"


@message
def aws_package_missing(settings: Sequence[str], package: str) -> str:
    """Something is made on AWS, and the package for it is not installed."""
    return (
        f"{' and '.join(settings)} {'makes' if len(settings) == 1 else 'make'} something on AWS, which needs package "
        f"{package}: `pip install --require-hashes -r requirements.lock -r requirements-aws.lock`"
    )
