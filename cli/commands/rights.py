"""`dualregion rights`."""

from typing import Annotated

import typer
import yaml

from cli.common import ProjectOptions, ending_clearly, region_of
from cli.completion import regions
from cli.stacks.read import Reading
from dualregion.rbac import manifests


def rights(
    context: typer.Context,
    region: Annotated[
        list[str],
        typer.Option(
            metavar="REGION",
            help="Whose cluster, by its number, 0 or 1, or its name.",
            autocompletion=regions,
        ),
    ],
) -> None:
    """Print what gives the program the rights that it needs in a region's cluster, and no other.

    The cluster's administrator applies it before the program first works there, and again when the cluster
    was recreated. To whom the rights are given stands in the configuration: `rights.subject`.

    For example:

        dualregion rights --region london | kubectl --context cluster-london apply -f -
    """
    options: ProjectOptions = context.obj
    with ending_clearly():
        both = Reading(options.project(), options.names()).settings
        index = region_of(region, "--region", lambda: [each.name for each in both[0].regions])
        typer.echo(yaml.safe_dump_all(manifests(both[index], index), sort_keys=False), nl=False)
