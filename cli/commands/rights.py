"""`dualregion rights`."""

from typing import Annotated

import typer
import yaml

from cli.commands.common import ProjectOptions, ending_clearly
from cli.stacks.read import Reading
from dualregion.rbac import manifests


def rights(
    context: typer.Context,
    region: Annotated[
        int, typer.Option(min=0, max=1, help="Whose cluster, 0 or 1.", show_default=False)
    ],
) -> None:
    """Print what gives the program the rights that it needs in a region's cluster, and no other.

    The cluster's administrator applies it before the program first works there, and again when the cluster
    was recreated. To whom the rights are given stands in the configuration: `rights.subject`.

    For example:

        dualregion rights --region 0 | kubectl --context cluster-london apply -f -
    """
    options: ProjectOptions = context.obj
    with ending_clearly():
        settings = Reading(options.project(), options.names()).settings[region]
        typer.echo(yaml.safe_dump_all(manifests(settings, region), sort_keys=False), nl=False)
