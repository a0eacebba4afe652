"""The sandbox's command: `python -m sandbox`."""

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sandbox import setup as set_up
from sandbox.errors import SandboxError
from sandbox.licences.entries import listed
from sandbox.licences.really import complaints, with_licences
from sandbox.own import seed as own_seed
from sandbox.own.images import OwnImages
from sandbox.regions import ROOT, Sandbox
from sandbox.regions.model import NAMES
from sandbox.regions.status import RegionStatus, SandboxStatus
from sandbox.setup import fetched as fetched_list
from sandbox.setup import tools
from sandbox.versions import shape_of

app = typer.Typer(
    help="Two real one-node Kubernetes regions on one machine, for rehearsals and tests.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

RegionArgument = Annotated[
    str, typer.Argument(metavar="REGION", help=f"{NAMES[0]} or 0, {NAMES[1]} or 1")
]


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


@app.command()
def charts(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Of Camunda, such as 8.8.")],
) -> None:
    """Show what a rehearsal of a version installs: options for helm, of the search engine's chart first if it has one."""
    shape = shape_of(version)
    if shape.engine_chart:
        print(shape.engine_chart)
    print(shape.chart, *(f"--values {each}" for each in shape.values))


@app.command()
def up(
    nodes: Annotated[
        bool, typer.Option(help="Without nodes: only API server, etcd and controller manager.")
    ] = True,
    dns_chain: Annotated[
        bool,
        typer.Option(
            help="Let each region resolve the other's Camunda namespaces; without, you must see to it by other means."
        ),
    ] = True,
    images: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Images of your own for any part: a file, see the docs."),
    ] = None,
) -> None:
    """Start both regions, or say that they run."""
    own = OwnImages.read(images) if images else None
    found = tools.load()
    seed = own_seed.ensure(Console(stderr=True), own, found.image_seed) if own else None
    Sandbox(found, ROOT).up(nodes=nodes, dns_chain=dns_chain, images=seed)


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show both regions: alive or lost, API, node, pods, memory, and the link."""
    seen = Sandbox(None, ROOT).status()
    if as_json:
        print(json.dumps(seen.as_json(), indent=2))
    else:
        _show(seen)


@app.command()
def down() -> None:
    """Remove the sandbox; nothing of it is left, also after a crash."""
    Sandbox(None, ROOT).down()


@app.command()
def lose(region: RegionArgument) -> None:
    """Lose a region without warning: network, processes and disks."""
    index = _index(region)
    _sandbox().lose(index)


@app.command()
def cut_link() -> None:
    """Cut the link between the regions; both live on."""
    _sandbox().cut_link()


@app.command()
def restore_link() -> None:
    """Restore the link between the regions."""
    _sandbox().restore_link()


@app.command()
def recreate(region: RegionArgument) -> None:
    """Recreate a lost region: an empty cluster at another address."""
    index = _index(region)
    _sandbox().recreate(index)


@app.command()
def power_cycle(region: RegionArgument) -> None:
    """Kill all of a region at once, and start it again on the disks that it had."""
    index = _index(region)
    _sandbox().power_cycle(index)


@app.command()
def slow(
    region: RegionArgument,
    pod: Annotated[str, typer.Argument(metavar="NAMESPACE/POD", help="As kubectl shows them.")],
    cores: Annotated[
        float | None,
        typer.Option(help="CPUs' worth of time, e.g. 0.05; left out: as much as it had."),
    ] = None,
) -> None:
    """Give a pod little CPU time, until it is replaced: to see what a slow search engine does."""
    namespace, _, name = pod.partition("/")
    if not name:
        raise SandboxError(f"'{pod}' names no pod: give NAMESPACE/POD.")
    _sandbox().slow(_index(region), namespace, name, cores)


def _sandbox() -> Sandbox:
    return Sandbox(tools.load(), ROOT)


def _index(region: str) -> int:
    names = {**{name: index for index, name in enumerate(NAMES)}, "0": 0, "1": 1}
    if region not in names:
        raise SandboxError(
            f"There is no region '{region}'. Regions are {NAMES[0]} (0) and {NAMES[1]} (1)."
        )
    return names[region]


def _show(seen: SandboxStatus) -> None:
    console = Console()
    if not seen.up:
        console.print("No sandbox of this checkout is up. Start one with `python -m sandbox up`.")
        if all(region.state == "lost" for region in seen.regions):
            return
    table = Table("region", "state", "API", "node", "pods", "memory / peak")
    table.add_column("server", no_wrap=True)
    for region in seen.regions:
        table.add_row(*_row(region))
    console.print(table)
    console.print(
        f"link {seen.link}, memory {_mib(seen.memory_bytes)}, peak {_mib(seen.memory_peak_bytes)} "
        "(with page cache)",
        highlight=False,
    )
    for region in seen.regions:
        for name in region.ended:
            console.print(f"[red]{name} of {region.name} has ended[/red]")
    print(f"export KUBECONFIG={seen.kubeconfig}")


def _row(region: RegionStatus) -> list[str]:
    return [
        region.name,
        region.state,
        "answers" if region.api_answers else "-",
        {True: "Ready", False: "not ready", None: "-"}[region.node_ready],
        "-" if region.pods is None else str(region.pods),
        f"{_mib(region.memory_bytes)} / {_mib(region.memory_peak_bytes)}",
        region.server or "-",
    ]


def _mib(count: int | None) -> str:
    return "-" if count is None else f"{count / 2**20:.0f} MiB"


def main() -> None:
    """Run the command; a failure is one clear message and exit status 1."""
    # A plain kill would leave half-made things: let it unwind like Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except SandboxError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"The machine refused: {error}. `python -m sandbox down` clears what is left.")


def _fail(why: str) -> None:
    Console(stderr=True).print(f"Error: {why}", style="red", soft_wrap=True, markup=False)
    sys.exit(1)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
