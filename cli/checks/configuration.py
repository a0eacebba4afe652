"""Checks of the configuration of both stacks by their files alone: no Pulumi, no backend, no cluster is asked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.checks.offline import differing
from cli.stacks.files import Source, stack_file
from cli.stacks.sources import Configuration, Place, Unjudged
from clients.charts import defaults_of
from clients.files import chart_version, check_chart, read_failover_values, read_values
from dualregion.chart.fit import misfits
from dualregion.config.environment import environment_problems
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.iam import with_role
from messages import Message
from messages.command import driving
from messages.command import setting_up as messages

_ENVIRONMENT = "environment"
"""Where what is wrong with an environment variable stands."""


@dataclass(frozen=True)
class Remark:
    """Something that is wrong with the configuration, or advice on it.

    :ivar place: where; None if it is no file.
    :ivar stacks: of which stacks.
    :ivar is_advice: whether the program works with it all the same.
    """

    message: Message
    place: Place | None
    stacks: tuple[str, ...]
    is_advice: bool = False


@dataclass
class _Found:
    """What is found, each thing once, however many stacks have it."""

    remarks: dict[tuple[Message, str], Remark] = field(default_factory=dict)

    def add(
        self, message: Message, place: Place | None, stack: str, *, is_advice: bool = False
    ) -> None:
        key = (message, str(place))
        before = self.remarks[key].stacks if key in self.remarks else ()
        self.remarks[key] = Remark(message, place, (*before, stack), is_advice)


def check(folder: Path, stacks: tuple[str, str], environ: Mapping[str, str]) -> tuple[Remark, ...]:
    """Return everything that is wrong with the configuration of both stacks, and advice on it.

    :param folder: the project's.
    :param environ: the environment variables, of which some would change what a run does.
    """
    found = _Found()
    for problem in environment_problems(environ):
        found.add(problem, None, _ENVIRONMENT)
    usable: dict[str, tuple[Source, Settings]] = {}
    for stack in stacks:
        checked = _check_stack(folder, stack, found)
        if checked is not None:
            usable[stack] = checked
    if len(usable) == len(stacks):
        _check_both(usable, found)
    return tuple(found.remarks.values())


def _check_stack(folder: Path, stack: str, found: _Found) -> tuple[Source, Settings] | None:
    """Check a stack's files; return its own one and its settings if they are usable."""
    project = _source(folder, "Pulumi.yaml", stack, found)
    own = project and _source(folder, stack_file(project, stack), stack, found)
    if project is None or own is None:
        return None
    if not isinstance(project.content.get("name"), str):
        found.add(messages.project_without_name(project.name), Place(project.name, 1), stack)
        return None
    configuration = Configuration(project, own)
    if configuration.has_environment:
        place = Place(own.name, own.line(("environment",)))
        found.add(messages.environment_not_read(own.name), place, stack, is_advice=True)
    try:
        settings = configuration.settings(str(folder.absolute()))
    except Unjudged:
        found.add(messages.encrypted_not_judged(stack), None, stack, is_advice=True)
        return None
    except ConfigError as error:
        for problem in error.problems:
            found.add(problem, configuration.place(problem), stack)
        return None
    for problem in _of_files(settings, folder):
        found.add(problem, configuration.place(problem), stack)
    for advice in _advice(settings):
        found.add(advice, configuration.place(advice), stack, is_advice=True)
    return own, settings


def _source(folder: Path, name: str, stack: str, found: _Found) -> Source | None:
    try:
        return Source.read(name, (folder / name).read_bytes())
    except OSError as error:
        found.add(messages.config_file_missing(name, str(error.strerror)), Place(name, 1), stack)
    except ConfigError as error:
        for problem in error.problems:
            found.add(problem, Place(name, int(problem.facts.get("line", 1))), stack)
    return None


def _of_files(settings: Settings, folder: Path) -> Iterator[Message]:
    """Yield what is wrong with chart and values, as far as this machine has them."""
    problems: list[Message] = []

    def read(ask: Callable[[], object]) -> None:
        try:
            ask()
        except ConfigError as error:
            problems.extend(error.problems)

    read(lambda: check_chart(settings.chart, folder))
    if not problems:
        read(lambda: chart_version(settings.chart, folder))
    read(lambda: read_values(settings.values, folder))
    read(lambda: read_failover_values(settings.failover_values, folder))
    if not problems:
        read(lambda: problems.extend(_conflicts(settings, folder)))
    yield from problems


def _conflicts(settings: Settings, folder: Path) -> list[Message]:
    base = with_role(read_values(settings.values, folder), settings)
    of_failover = read_failover_values(settings.failover_values, folder)
    defaults = defaults_of(settings.chart, folder)
    return misfits(settings, chart_version(settings.chart, folder), base, of_failover, defaults)


def _advice(settings: Settings) -> Iterator[Message]:
    if settings.backup.missing:
        yield messages.snapshot_place_not_set(settings.backup.missing)
    if not settings.chart.is_path:
        yield messages.chart_of_repository(settings.chart.name)


def _check_both(usable: Mapping[str, tuple[Source, Settings]], found: _Found) -> None:
    """Check what both stacks must have in common, and what they must not."""
    (first, (_, one)), (second, (file, two)) = usable.items()
    place = Place(file.name, 1)
    if one.region == two.region:
        problem = driving.stacks_of_one_region((first, second), one.region)
        found.add(problem, place, second)
    if differences := differing(one, two):
        keys = tuple(str(Settings.model_fields[each].alias) for each in differences)
        found.add(messages.stacks_differ_in(keys), place, second)
