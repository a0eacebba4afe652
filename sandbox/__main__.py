"""The sandbox's command: `python -m sandbox`."""

import signal
import sys
from types import FrameType

import typer
from rich.console import Console

from sandbox import setup as set_up
from sandbox.cli import register
from sandbox.errors import SandboxError
from sandbox.licences.entries import listed
from sandbox.licences.really import complaints, with_licences
from sandbox.setup import fetched as fetched_list

app = typer.Typer(
    help="Two real one-node Kubernetes regions on one machine, for rehearsals and tests.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
register(app)


@app.command()
def setup(
    prune: bool = typer.Option(
        False, help="Also remove parts that other versions of the project made."
    ),
) -> None:
    """Make everything that the sandbox needs and this machine lacks; what is there stays."""
    set_up.ensure(Console(), prune_old=prune)


@app.command()
def fetched() -> None:
    """Show what the set-up fetched, each with its licence; fail if something is not on the list of licences."""
    items, entries = fetched_list.load(), listed()
    for line in with_licences(items, entries):
        print(line)
    if wrong := complaints(items, entries):
        raise SandboxError("\n".join(wrong))


def main() -> None:
    """Run the command; a failure is one clear message and exit status 1."""
    # A plain kill would leave half-made things: let it unwind like Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except SandboxError as error:
        Console(stderr=True).print(f"Error: {error}", style="red", soft_wrap=True, markup=False)
        sys.exit(1)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
