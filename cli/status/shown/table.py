"""`dualregion status` for people: the first lines, tables that fit a terminal, and what is next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cli.report.record import namespace_of
from cli.stacks.read import RegionStack, Update
from cli.status.guidance.checkout import Behind
from cli.status.health import Health, Status
from cli.status.observed.observe import InstallationStatus
from cli.status.observed.partitions import Partition, namespaces_of_brokers
from cli.status.service import Commands, Exports
from dualregion.observed.zeebe_answers import Replica

COLOURS = {
    Health.HEALTHY: "green",
    Health.MID_PROCEDURE: "yellow",
    Health.DEGRADED: "red",
    Health.CANNOT_TELL: "magenta",
    Health.UNSAFE: "bold red",
}


_STATES = {
    Commands.ACCEPTED: "green",
    Exports.RUNNING: "green",
    Exports.PAUSED_SOFTLY: "yellow",
    Commands.UNKNOWN: "magenta",
    Exports.UNKNOWN: "magenta",
}
"""The colours of the first lines; all else is red."""


def screen(status: Status, now: datetime | None = None, *, full: bool = False) -> RenderableType:
    """Return the whole status: what counts first, what is next last, and between them what has room.

    :param now: what ages are counted to; the present unless given.
    :param full: whether all is shown, also at a terminal that has no room for it.
    """
    return _Screen(status, now or datetime.now(UTC), full)


def short(status: Status) -> RenderableType:
    """Return what counts, and what is next: a few lines."""
    return Group(opening(status), *_next(status))


def opening(status: Status) -> RenderableType:
    """Return the verdict, and whether Camunda works."""
    service = status.service
    lines = (
        ("commands", service.commands_line, service.commands),
        ("exporting", service.exporting_line, service.exporting),
        ("web apps", service.web_apps_line, None),
    )
    return Group(
        _head(status),
        *(
            _Labelled(f"{name:<11}", Text(line, "" if state is None else _STATES.get(state, "red")))
            for name, line, state in lines
        ),
    )


@dataclass(frozen=True)
class _Labelled:
    """A text behind its label; what is wrapped begins below the text."""

    label: str
    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width - len(self.label), 1)
        for number, line in enumerate(self.text.wrap(console, width)):
            yield Text.assemble(" " * len(self.label) if number else self.label, line)


@dataclass(frozen=True)
class _Screen:
    """The status, fitted to the window: tables that have no room in it are left out, and named."""

    status: Status
    now: datetime
    full: bool

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> RenderResult:
        whole = self.full or not console.is_terminal
        yield opening(self.status)
        last = Group(*_next(self.status))
        room = console.size.height - 2 - _height(console, opening(self.status), last)
        room -= _wrapped_rows(console, self.status)
        findings = list(_findings(self.status))
        shown = findings if whole else _fitting(console, findings, room, least=1)
        yield from shown
        room -= _height(console, *shown) + 1
        tables = self._tables(detailed=whole)
        fitting = tables if whole else _fitting(console, tables, room)
        yield from fitting
        if len(shown) < len(findings) or len(fitting) < len(tables):
            yield Text("\nmore: dualregion status --full", "dim")
        elif self.status.next:
            yield Text()
        yield last

    def _tables(self, *, detailed: bool) -> list[RenderableType]:
        status = self.status
        found: list[RenderableType] = [_stacks(status, self.now, detailed=detailed)]
        return [*found, *_topology(status, detailed=detailed)]


def _height(console: Console, *parts: RenderableType) -> int:
    return sum(len(console.render_lines(each, pad=False)) for each in parts)


def _fitting(
    console: Console, parts: Sequence[RenderableType], room: int, *, least: int = 0
) -> list[RenderableType]:
    """Return the first parts that fit into so many rows, and no fewer than `least`."""
    shown: list[RenderableType] = []
    for each in parts:
        room -= _height(console, each)
        if room < 0 and len(shown) >= least:
            break
        shown.append(each)
    return shown


def _findings(status: Status) -> Iterator[RenderableType]:
    for each in status.findings:
        yield _Labelled("- ", Text(each.message, COLOURS[each.health]))


def _next(status: Status) -> Iterator[RenderableType]:
    """Yield what is next; what is to be typed stays in one piece, to be copied."""
    for label, line, is_typed in status.next.lines() if status.next else ():
        if is_typed:
            yield Text(f"{label}{line}", "bold", no_wrap=True, overflow="ignore")
        else:
            yield _Labelled(label, Text(line))


def _wrapped_rows(console: Console, status: Status) -> int:
    """Return how many rows more the terminal needs for what is to be typed than there are lines."""
    lines = status.next.lines() if status.next else ()
    return sum(
        (len(label) + len(line) - 1) // console.width for label, line, typed in lines if typed
    )


def topology(status: Status) -> RenderableType:
    """Return what runs, for an operator who is to decide."""
    return Group(*_topology(status, detailed=True), Text())


def _topology(status: Status, *, detailed: bool) -> Iterator[RenderableType]:
    yield _installations(status, detailed=detailed)
    if status.view.value is not None:
        yield _brokers(status)
    if any(each.leader is not None or each.phases for each in status.partitions):
        yield _partitions(status)


def _head(status: Status) -> Text:
    words = f"phase {status.phase}"
    if status.lost is not None:
        name = status.stacks[status.lost].settings.own.name
        words += f", region {status.lost} ({name}) lost"
    if status.incident is not None:
        words += f", incident {status.incident.number}"
    return Text.assemble((str(status.health).upper(), COLOURS[status.health]), f"  {words}")


def table(title: str, *columns: str) -> Table:
    """Return an empty table of the look that all commands have."""
    # A title may be wider than its table.
    whole = Text(title, "bold", no_wrap=True, overflow="ignore")
    found = Table(title=whole, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        found.add_column(column, overflow="fold")
    return found


def row(to: Table, *cells: object) -> None:
    """Add a row of cells, plain unless they are rich's own text; what is unknown is a dash."""
    to.add_row(*(cell if isinstance(cell, Text) else _plain(cell) for cell in cells))


def _plain(cell: object) -> str:
    return escape("-" if cell in (None, "") else str(cell))


def _stacks(status: Status, now: datetime, *, detailed: bool) -> Table:
    found = table("\nStacks", "stack", "region", "role", "phase", "proved", "last update")
    waits: list[str] = []
    for stack in status.stacks:
        row(
            found,
            stack.name,
            stack.settings.own.name,
            stack.settings.role,
            _phase(stack, status.behind),
            " ".join(stack.state.held.gates),
            _update(stack.last, now, detailed=detailed),
        )
        if stack.waiting_for:
            waits.append(f"{stack.name} waits: {stack.waiting_for}")
    if waits:
        found.caption, found.caption_justify = Text("\n".join(waits)), "left"
    return found


def _phase(stack: RegionStack, behind: Behind | None) -> str:
    wanted, reached = stack.settings.phase, stack.state.held.phase
    if behind is not None and stack.name in behind.stacks:
        return f"{wanted} (here: {behind.phase})"
    return str(wanted) if wanted == reached else f"{wanted} (last update: {reached or 'none'})"


def _update(last: Update | None, now: datetime, *, detailed: bool) -> str:
    if last is None:
        return "never"
    message = f", {last.by_command}" if detailed and last.by_command else ""
    return f"{last.kind} {last.result} {ago((now - last.start).total_seconds())} ago{message}"


def ago(seconds: float) -> str:
    """Return a span of time in its largest unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _installations(status: Status, *, detailed: bool) -> Table:
    found = table("\nInstallations", "region", "namespace", "pods ready", "brokers")
    for region_status in status.region_statuses:
        if region_status.error:
            row(found, region_status.name, None, region_status.error, None)
        for kind, result in region_status.installations.items():
            if result.value is not None:
                row(
                    found,
                    region_status.name,
                    result.value.namespace,
                    _pods(result.value, detailed=detailed),
                    _ids(result.value),
                )
            elif result.error:
                row(found, region_status.name, kind, result.error, None)
    return found


def _pods(installation: InstallationStatus, *, detailed: bool) -> str:
    """Return how many pods of each workload are ready; in few words if all are."""
    found = installation.workloads
    short = [each for each in found if each.ready < each.wanted]
    named = ", ".join(
        f"{each.name.partition('-')[2]} {each.ready}/{each.wanted}"
        for each in (found if detailed else short)
    )
    if detailed or not short:
        return named or f"all {sum(each.ready for each in found)}"
    return named if len(short) == len(found) else f"{named}; the others all"


def _ids(installation: InstallationStatus) -> str:
    return " ".join(
        f"{each.broker}" if each.ready else f"({each.broker})" for each in installation.brokers
    )


def _brokers(status: Status) -> Table:
    found = table(
        "\nBrokers and partitions (L leads, F follows, ! unhealthy)",
        "broker",
        "at",
        *(str(each.number) for each in status.partitions),
    )
    view, places = status.view.value, namespaces_of_brokers(status.region_statuses)
    for broker in sorted(view.brokers if view else (), key=lambda each: each.id):
        held = {copy.partition: copy for copy in broker.replicas}
        cells = (_letter(held.get(each.number)) for each in status.partitions)
        at = places.get(broker.id, namespace_of(broker.host))
        row(found, broker.id, at, *cells)
    return found


def _letter(copy: Replica | None) -> str:
    if copy is None:
        return "."
    return ("L" if copy.is_leader else "F") + ("" if copy.healthy else "!")


def _partitions(status: Status) -> Table:
    first, second = (_place(status, each) for each in status.engines)
    title = "\nPartitions, and the last record that their exporters have written in each place"
    found = table(
        title, "partition", "leader", "followers", "missing", "exporters", first, second, "lag"
    )
    for each in status.partitions:
        row(
            found,
            each.number,
            each.leader,
            _numbers(each.followers),
            _numbers(each.missing),
            _phases(each),
            *each.positions,
            each.lag,
        )
    return found


def _place(status: Status, namespace: str) -> str:
    """Return a namespace by its region's name: a heading is broken between words only."""
    for region in status.stacks[0].settings.regions:
        if namespace == region.namespace:
            return region.name
        if namespace == region.failover:
            return f"{region.name} failover"
    return namespace


def _phases(partition: Partition) -> str:
    return " and ".join(each or "not ready" for each in partition.phases)


def _numbers(found: tuple[int, ...]) -> str:
    return " ".join(map(str, found))
