"""What the two stacks hold: configuration, state, outputs, the last update and locks."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any, TypeVar

from cli.stacks.files import Source
from cli.stacks.locks import Lock, locks_of
from cli.stacks.project import Project, read_project
from cli.stacks.run_message import RunMessage
from cli.stacks.sources import Configuration, Unjudged
from clients.parallel import begin
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.procedure.waits import Awaited
from dualregion.state import progress
from dualregion.state.held import name_of, nodes_of, records_of, stack_of
from messages.command import driving as messages

T = TypeVar("T")

STACK_TYPE = "pulumi:pulumi:Stack"
"""The resource whose outputs are the stack's."""
_PROVIDER_TYPE, _RELEASE_TYPE = "pulumi:providers:kubernetes", "kubernetes:helm.sh/v3:Release"


@dataclass(frozen=True)
class Update:
    """A run of Pulumi on a stack.

    :ivar kind: e.g. `update` or `destroy`.
    :ivar result: `succeeded`, `failed` or `in-progress`.
    :ivar message: its first line.
    :ivar said: what the command wrote of it; None if that was not the command.
    :ivar phase: the phase that was configured then; empty if the history does not hold it.
    :ivar lost_region: the same of the lost region.
    :ivar pulumi: the version of Pulumi that ran.
    """

    kind: str
    result: str
    message: str
    start: datetime
    end: datetime | None = None
    said: RunMessage | None = None
    phase: str = ""
    lost_region: int | None = None
    pulumi: str = ""

    @property
    def by_command(self) -> str:
        """Its message if `dualregion` ran it; else Pulumi takes that of the folder's last git commit, which is about nothing here."""
        return self.message if self.said is not None else ""


@dataclass(frozen=True)
class State:
    """What a stack's state holds.

    :ivar held: what the program itself reads of it.
    :ivar outputs: of the last update that succeeded.
    :ivar records: each gate's record, by step id; newer than the outputs after a failed update.
    :ivar pending: operations that a killed run has left, as `creating NAME`.
    :ivar versions: of what made it: `program`, `pulumi`, `provider`, `chart` and `camunda`, as far as it names them.
    """

    held: progress.Stack = field(default_factory=progress.Stack)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, deployment: Mapping[str, Any]) -> "State":
        """Read an exported state.

        It is read as the program reads it.
        """
        resources = deployment.get("resources") or ()
        outputs = next(
            (each.get("outputs") or {} for each in resources if each["type"] == STACK_TYPE), {}
        )
        nodes = nodes_of({each["urn"]: each.get("outputs") or {} for each in resources})
        pending = tuple(
            f"{each['type']} {name_of(each['resource']['urn'])}"
            for each in deployment.get("pending_operations") or ()
        )
        versions = dict(_versions(deployment, outputs))
        return cls(stack_of(outputs, nodes), outputs, records_of(nodes), pending, versions)

    @property
    def awaited(self) -> Awaited | None:
        """What the stack waits for since its last update; None for nothing, and for a code that is not known."""
        waiting = self.outputs.get("waiting")
        code = waiting.get("code") if isinstance(waiting, Mapping) else None
        return Awaited(code) if code in tuple(Awaited) else None


def _versions(
    deployment: Mapping[str, Any], outputs: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield the versions that an exported state names."""
    resources = deployment.get("resources") or ()
    providers = (each for each in resources if each["type"] == _PROVIDER_TYPE)
    releases = (each.get("outputs") or {} for each in resources if each["type"] == _RELEASE_TYPE)
    status: Mapping[str, Any] = next(
        (found for each in releases if isinstance(found := each.get("status"), Mapping)), {}
    )
    chart = f"{status.get('chart') or ''} {status.get('version') or ''}".strip()
    named = {
        "program": outputs.get("programVersion"),
        "pulumi": (deployment.get("manifest") or {}).get("version"),
        "provider": next(((each.get("outputs") or {}).get("version") for each in providers), None),
        "chart": chart or outputs.get("chart"),
        "camunda": status.get("appVersion"),
    }
    yield from ((name, str(version)) for name, version in named.items() if version)


@dataclass(frozen=True)
class RegionStack:
    """A region's stack, as it is now.

    :ivar last: the last update; None if there was none, or it was not asked for.
    :ivar locks: None if the backend does not show them.
    """

    name: str
    settings: Settings
    state: State
    last: Update | None = None
    locks: tuple[Lock, ...] | None = None

    @property
    def waiting_for(self) -> str | None:
        """What the stack waits for; None if that is not known any more, as an update failed since."""
        if self.last is not None and self.last.result == "failed":
            return None
        found = self.state.outputs.get("waitingFor")
        return None if found is None else str(found)


Both = tuple[RegionStack, RegionStack]
"""The stacks of region 0 and region 1."""


ReadSettings = Callable[[Project, str], Settings]
"""How a stack's settings are read."""


def read_settings(project: Project, stack: str) -> Settings:
    """Return a stack's settings, as the program gets them.

    :raises ConfigError: naming the stack and every problem.
    """
    prefix = f"{project.name}:"
    configuration = project.configuration(stack)
    texts = {
        key.removeprefix(prefix): each.value
        for key, each in configuration.items()
        if key.startswith(prefix)
    }
    secret = [key.removeprefix(prefix) for key, each in configuration.items() if each.secret]
    try:
        return Settings.of_configuration(texts, str(project.folder.absolute()), secret)
    except ConfigError as error:
        raise _of_stack(stack, error) from None


def visible_settings(project: Project, stack: str) -> Settings:
    """Return a stack's settings without what is encrypted in them, for looking only: that needs no passphrase.

    They are read from the files. `pulumi` is asked if these do not show all of it, or if there is none.

    :raises ConfigError: naming the stack and every problem.
    """
    file = project.settings_file(stack)
    try:
        # The project's file too is as it is now: it may have changed since the last look.
        whole = read_project(project.folder)[1]
        found = Configuration(whole, Source.read(file.name, file.read_bytes()))
        if not found.has_environment:
            return found.settings(str(project.folder.absolute()))
    except ConfigError as error:
        raise _of_stack(stack, error) from None
    except (OSError, Unjudged):
        pass
    return read_settings(project, stack)


def _of_stack(stack: str, error: ConfigError) -> ConfigError:
    return ConfigError([messages.of_stack(stack, each) for each in error.problems])


class Reading:
    """Both stacks being read.

    The configuration comes first, as the regions can be asked as soon as it is known; the rest is on its
    way meanwhile.

    :param names: the stacks, in whatever order.
    :param settings: how a stack's settings are read: with its secrets, or without.
    """

    def __init__(
        self,
        project: Project,
        names: tuple[str, str],
        settings: ReadSettings = read_settings,
    ) -> None:
        self._project, self._names = project, names
        self._settings = [self._begin(name, settings) for name in names]

    def _begin(self, name: str, read: Callable[[Project, str], T]) -> "Future[T]":
        return begin(lambda: self._project.ask(name, partial(read, self._project, name)))

    @cached_property
    def settings(self) -> tuple[Settings, Settings]:
        """The settings of region 0's and region 1's stack.

        :raises ConfigError: if they are not usable, or not those of two regions.
        :raises PulumiFailed: if they cannot be read.
        """
        first, second = sorted(
            (each.result() for each in self._settings), key=lambda each: each.region
        )
        if first.region == second.region:
            raise ConfigError([messages.stacks_of_one_region(self._names, first.region)])
        return first, second

    def begin_state(self, *, with_last: bool = True) -> Callable[[], Both]:
        """Begin to read all else; return what waits for it, and raises as `settings`."""
        backend = begin(self._project.backend)
        states = [self._begin(name, _state) for name in self._names]
        lasts = {name: self._begin(name, _last) for name in self._names if with_last}

        def stacks() -> Both:
            url = backend.result()
            found = [
                RegionStack(
                    name,
                    settings.result(),
                    state.result(),
                    lasts[name].result() if with_last else None,
                    locks_of(url, self._project.name, name),
                )
                for name, settings, state in zip(self._names, self._settings, states, strict=True)
            ]
            first, second = sorted(found, key=lambda each: each.settings.region)
            return first, second

        return stacks

    def stacks(self) -> Both:
        """Return both stacks, without their last updates, which only `status` shows; raises as `settings`."""
        wait = self.begin_state(with_last=False)
        # Whether they are of two regions is reported first.
        _ = self.settings
        return wait()


def _state(project: Project, stack: str) -> State:
    return State.of(project.state(stack))


def _last(project: Project, stack: str) -> Update | None:
    found = project.history(stack, latest=1)
    return _update(found[0], project.name) if found else None


def updates(project: Project, stack: str) -> tuple[Update, ...]:
    """Return every run of Pulumi on a stack, the latest first.

    :raises PulumiFailed: if it cannot be read.
    """
    found = project.ask(stack, lambda: project.history(stack))
    return tuple(_update(each, project.name) for each in found)


def _update(found: Mapping[str, Any], project: str) -> Update:
    lost, phase = (
        found["config"].get(f"{project}:{key}", {}).get("value", "")
        for key in ("lostRegion", "phase")
    )
    ended = found.get("endTime")
    return Update(
        found["kind"],
        found["result"],
        (found["message"].splitlines() or [""])[0],
        datetime.fromisoformat(found["startTime"]),
        ended and datetime.fromisoformat(ended),
        RunMessage.parse(found["message"]),
        phase,
        int(lost) if lost in ("0", "1") else None,
        str(found["environment"].get("pulumi.version", "")),
    )
