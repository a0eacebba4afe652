"""`dualregion dns`."""

from typing import Annotated

import typer

from cli.common import ProjectOptions, ending_clearly, print_json
from cli.stacks.read import Reading
from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.corefile import block_for
from dualregion.errors import ConfigError
from messages.command import driving as messages

Part = dict[str, str]
"""What belongs into one region's CoreDNS, and where."""


def dns(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
) -> None:
    """Print what belongs into each region's CoreDNS, so that it resolves the other region's names.

    With `dns.chain` the program writes it there by itself. It asks the stacks' configuration only.

    For example:

        dualregion dns

        dualregion dns --json | jq -r '.regions[0].block'
    """
    options: ProjectOptions = context.obj
    with ending_clearly(as_json=as_json):
        parts = parts_of(Reading(options.project(), options.names()).settings[0])
        if as_json:
            print_json({"regions": parts})
        else:
            typer.echo("\n".join(_text(each) for each in parts))


def parts_of(settings: Settings) -> list[Part]:
    """Return the part of each region.

    :raises ConfigError: if the DNS of a region has no address.
    """
    missing = [
        messages.dns_address_missing(index, each.name, settings.regions[brokers.other(index)].name)
        for index, each in enumerate(settings.regions)
        if not each.dns_addresses
    ]
    if missing:
        raise ConfigError(missing)
    return [
        {
            "name": each.name,
            "context": each.kube_context,
            "configMap": settings.dns.config_map,
            "key": settings.dns.key,
            "block": block_for(settings, index),
        }
        for index, each in enumerate(settings.regions)
    ]


def _text(part: Part) -> str:
    namespace, _, name = part["configMap"].partition("/")
    return (
        f"# Region {part['name']}: put this before or after all else in key {part['key']}, by\n"
        f"#   kubectl --context {part['context']} -n {namespace} edit configmap {name}\n"
        "# Where CoreDNS imports a ConfigMap coredns-custom (AKS and others), put it there instead, under a key\n"
        "# such as camunda.server\n"
        f"{part['block']}"
    )
