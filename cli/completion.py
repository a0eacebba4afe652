"""What a shell may complete an option's value to. It reads the project's files at most, and fails silently."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from cli.stacks.names import DEFAULT_STACKS
from dualregion.errors import ConfigError

Offers = list[tuple[str, str]]
"""Values, each with what it means."""
_STACK_FILE = "Pulumi.{stack}.yaml"


def regions(context: typer.Context, incomplete: str) -> Offers:
    """Return the regions, by their names and numbers."""
    named = [str(each.get("name") or "") for each in _setting(context, "regions") or ()]
    offered = [(name, f"region {number}") for number, name in enumerate(named) if name]
    offered += [(str(number), name or "region") for number, name in enumerate(named or ("", ""))]
    return _beginning(offered, incomplete)


def stacks(context: typer.Context, incomplete: str) -> Offers:
    """Return the stacks that have a file here, as pairs with a comma."""
    folder = next(iter(_sources(context)), (Path(), {}))[0]
    found = sorted(each.name.split(".")[1] for each in folder.glob(_STACK_FILE.format(stack="*")))
    pairs = (f"{first},{second}" for first in found for second in found if first != second)
    return _beginning(((each, "") for each in pairs), incomplete)


def stops(context: typer.Context, incomplete: str) -> Offers:
    """Return the steps after which a failover, or a failback, may be stopped."""
    # Read here, as are the other parts of the program: no command but completion needs them for its options.
    from cli.stacks.region_steps import stops_of  # noqa: PLC0415
    from dualregion.procedure import Phase  # noqa: PLC0415
    from dualregion.procedure.versions import DEFAULT, VERSIONS  # noqa: PLC0415

    version = VERSIONS.get(str(_setting(context, "camundaVersion") or DEFAULT))
    if version is None:
        return []
    is_failover = context.info_name == "failover"
    phases = (Phase.FAILOVER,) if is_failover else (Phase.FAILBACK_PENDING, Phase.RESTORED)
    found = stops_of(version.procedure, phases, 1)
    return _beginning(((each.id, each.title) for each in found), incomplete)


def explained(incomplete: str) -> Offers:
    """Return what can be explained: steps, and the codes of messages."""
    from dualregion.procedure import CAMUNDA_8_5, CLUSTER_API  # noqa: PLC0415
    from messages import CATALOGUE  # noqa: PLC0415
    from messages.explained import modules  # noqa: PLC0415

    modules()
    steps = {
        each.id: each.title
        for procedure in (CLUSTER_API, CAMUNDA_8_5)
        for turn in procedure.turns
        for each in turn.steps
    }
    codes = ((code, (made.__doc__ or "").partition("\n")[0]) for code, made in CATALOGUE.items())
    return _beginning([*sorted(steps.items()), *sorted(codes)], incomplete)


def _beginning(offered: Iterable[tuple[str, str]], incomplete: str) -> Offers:
    return [(value, about) for value, about in offered if value.startswith(incomplete)]


def _setting(context: typer.Context, key: str) -> Any:
    """Return a setting as a file has it; None if none has, or it is not of its form."""
    for _, found in _sources(context):
        declared = found.get(key)
        if isinstance(declared, Mapping):
            declared = declared.get("value", declared.get("default"))
        if declared is not None:
            is_whole = key != "regions" or _are_maps(declared)
            return declared if is_whole else None
    return None


def _are_maps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)


def _sources(context: typer.Context) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the settings of the files that count, the stacks' before the project's, each with its folder."""
    from cli.stacks.project import Project  # noqa: PLC0415

    given = context.find_root().params
    try:
        project = Project(Path(given.get("folder") or Path.cwd()))
    except ConfigError:
        return
    for stack in str(given.get("stacks") or DEFAULT_STACKS).split(","):
        file = project.settings_file(stack.strip())
        yield file.parent, _settings_in(file, project.name)
    yield project.folder, _settings_in(project.folder / "Pulumi.yaml", project.name)


def _settings_in(file: Path, project: str) -> Mapping[str, Any]:
    from cli.stacks.files import Source  # noqa: PLC0415

    try:
        config = Source.read(file.name, file.read_bytes()).config
    except (OSError, ConfigError):
        return {}
    return {str(key).removeprefix(f"{project}:"): each for key, each in config.items()}
