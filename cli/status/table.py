"""`dualregion status` for people: tables that fit a terminal."""

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cli.report.record import namespace_of
from cli.stacks.read import RegionStack, Update
from cli.status.health import Health, Status
from cli.status.observe import InstallationStatus
from cli.status.partitions import Partition, namespaces_of_brokers
from dualregion.observed.zeebe_answers import Replica

COLOURS = {
    Health.HEALTHY: "green",
    Health.MID_PROCEDURE: "yellow",
    Health.DEGRADED: "red",
    Health.CANNOT_TELL: "magenta",
    Health.UNSAFE: "bold red",
}


def screen(status: Status, now: datetime | None = None) -> RenderableType:
    """Return the whole status.

    :param now: what ages are counted to; the present unless given.
    """
    parts: list[RenderableType] = [_head(status)]
    parts += [Text(f"- {each.message}", COLOURS[each.health]) for each in status.findings]
    if status.next:
        parts.append(Text(str(status.next)))
    return Group(*parts, _stacks(status, now or datetime.now(UTC)), topology(status))


def topology(status: Status) -> RenderableType:
    """Return what runs, for an operator who is to decide."""
    parts: list[RenderableType] = [_installations(status)]
    if status.view.value is not None:
        parts.append(_brokers(status))
    return Group(*parts, _partitions(status), Text())


def _head(status: Status) -> Text:
    words = f"phase {status.phase}"
    if status.lost is not None:
        name = status.stacks[status.lost].settings.own.name
        words += f", region {status.lost} ({name}) lost, incident {status.incident}"
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


def _stacks(status: Status, now: datetime) -> Table:
    found = table(
        "\nStacks", "stack", "region", "role", "phase", "proved", "waits for", "last update"
    )
    for stack in status.stacks:
        row(
            found,
            stack.name,
            stack.settings.own.name,
            stack.settings.role,
            _phase(stack),
            " ".join(stack.state.held.gates),
            stack.state.outputs.get("waitingFor"),
            _update(stack.last, now),
        )
    return found


def _phase(stack: RegionStack) -> str:
    wanted, reached = stack.settings.phase, stack.state.held.phase
    return str(wanted) if wanted == reached else f"{wanted} (last update: {reached or 'none'})"


def _update(last: Update | None, now: datetime) -> str:
    if last is None:
        return "never"
    message = f", {last.message}" if last.message else ""
    return f"{last.kind} {last.result} {ago((now - last.start).total_seconds())} ago{message}"


def ago(seconds: float) -> str:
    """Return a span of time in its largest unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _installations(status: Status) -> Table:
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
                    _pods(result.value),
                    _ids(result.value),
                )
            elif result.error:
                row(found, region_status.name, kind, result.error, None)
    return found


def _pods(installation: InstallationStatus) -> str:
    return ", ".join(
        f"{each.name.partition('-')[2]} {each.ready}/{each.wanted}"
        for each in installation.workloads
    )


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
    first, second = status.engines
    title = "\nPartitions, and what their exporters have written"
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


def _phases(partition: Partition) -> str:
    return " and ".join(each or "not ready" for each in partition.phases)


def _numbers(found: tuple[int, ...]) -> str:
    return " ".join(map(str, found))
