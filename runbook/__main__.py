"""The command `dualregion`."""

import typer

from runbook import carrying_out, history, plan, preflight, report, status
from runbook.commands import CHECKOUT, DEFAULT_STACKS, Place, ProjectFolder, StackNames

app = typer.Typer(
    name="dualregion",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback()
def main(
    context: typer.Context,
    folder: ProjectFolder = CHECKOUT,
    stacks: StackNames = DEFAULT_STACKS,
) -> None:
    """Camunda 8.5 in two regions: how it stands, and the way through the loss of one.

    Everything it does can be done with plain `pulumi`, too. It uses your Pulumi backend, passphrase and
    kubeconfig, and holds no state of its own. See docs/runbook-command.md.
    """
    context.obj = Place(folder, stacks)


app.command()(status.status)
app.command()(history.history)
app.command()(preflight.preflight)
app.command()(report.report)
app.add_typer(plan.app, name="plan")
app.command()(carrying_out.failover)
app.command()(carrying_out.failback)


if __name__ == "__main__":
    app(prog_name="dualregion")
