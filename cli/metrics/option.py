"""The option by which a command writes metrics."""

from typing import Annotated

import typer

STANDARD_OUTPUT = "-"

PrometheusFile = Annotated[
    str | None,
    typer.Option(
        "--prometheus",
        metavar="FILE",
        help="Write metrics there for Prometheus' textfile collector, in one go; `-`: print them instead.",
    ),
]


def one_output(target: str | None, as_json: bool) -> None:
    """Refuse two documents on standard output.

    :raises BadParameter: if both are to be printed.
    """
    if as_json and target == STANDARD_OUTPUT:
        raise typer.BadParameter("--json and --prometheus - exclude each other: name a file")
