"""Commands whose modules are read only when they run: together they take a second, for which `--help` would wait."""

import ast
import gc
import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from typer import Typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info, get_group
from typer.models import CommandInfo


class LazyGroup(TyperGroup):
    """A group of commands, each in a module that is read when it is run, or its own help is asked for.

    :cvar MODULES: the module of each command, under the heading that the help lists it. In the module a function has the
        command's name; if it has a group `app`, the command is that group.
    """

    MODULES: ClassVar[Mapping[str, Mapping[str, str]]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = _Commands(self.MODULES)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (of Typer)
        """Return the commands' names, in their order."""
        return list(self.commands)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the help, of each command only what a list shows."""
        with self.commands.only_listed():
            super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Return the commands that begin so, for a shell."""
        with self.commands.only_listed():
            return super().shell_complete(ctx, incomplete)


class _Commands(Mapping[str, Any]):
    """The commands by name, made when they are asked for."""

    def __init__(self, modules: Mapping[str, Mapping[str, str]]) -> None:
        self._modules = {name: each[name] for each in modules.values() for name in each}
        self._headings = {name: heading for heading, each in modules.items() for name in each}
        self._make = command_of

    def __getitem__(self, name: str) -> Any:
        made = self._make(self._modules[name], name)
        made.rich_help_panel = self._headings[name]
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    @contextmanager
    def only_listed(self) -> Iterator[None]:
        """Make of each only what a list shows."""
        self._make = summary_of
        try:
            yield
        finally:
            self._make = command_of


def command_of(module: str, name: str) -> Any:
    """Return a command, by its module."""
    # Looking for garbage among thousands of imported classes takes a quarter of the time of reading them.
    gc.disable()
    try:
        found = importlib.import_module(module)
    finally:
        gc.enable()
    group = getattr(found, "app", None)
    if isinstance(group, Typer):
        made: Any = get_group(group)
    else:
        info = CommandInfo(name, callback=getattr(found, _function(name)))
        made = get_command_from_info(
            info, pretty_exceptions_short=False, rich_markup_mode="markdown"
        )
    made.name = name
    return made


def summary_of(module: str, name: str) -> Any:
    """Return a command with nothing but its name and its help, by its module's source alone."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module {module}", name=module)
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    documented = {
        node.name: ast.get_docstring(node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    return TyperCommand(name, help=documented.get(_function(name)))


def _function(name: str) -> str:
    return name.replace("-", "_")
