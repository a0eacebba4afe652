"""Writing metrics where Prometheus' textfile collector reads them, or to standard output."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from cli.errors import Exit
from cli.metrics import families, found
from cli.metrics.families import COMMON, Command, Sample
from cli.metrics.option import STANDARD_OUTPUT
from cli.stacks.project import Project
from dualregion import VERSION
from dualregion.errors import ConfigError, DualRegionError
from messages.command import driving as messages

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


@dataclass
class Metrics:
    """The metrics of one run of a command.

    :ivar target: a file, `-`, or None for nowhere.
    :ivar names: the stacks of both regions.
    """

    target: str | None
    command: Command
    project: Project
    names: tuple[str, str]
    _began: float = field(default_factory=time.time)
    _samples: list[Sample] = field(default_factory=list)

    @property
    def replaces_output(self) -> bool:
        """Whether the metrics are printed, so that nothing else may be."""
        return self.target == STANDARD_OUTPUT

    def add(self, samples: Iterable[Sample], exit_status: int) -> None:
        """Take what was found, and how the command will end."""
        now = time.time()
        self._samples += [
            families.RUN_TIME.at(now, self.command),
            families.RUN_SECONDS.at(now - self._began, self.command),
            families.RUN_EXIT.at(exit_status, self.command),
            families.RUN_VERSION.at(1, self.command, VERSION),
            *samples,
        ]

    def write(self) -> None:
        """Write them in one go: a collector reads the former ones, or these.

        :raises ConfigError: if the file cannot be written.
        """
        if self.target is None:
            return
        # Read here, as no other command needs it.
        from prometheus_client import generate_latest, write_to_textfile  # noqa: PLC0415

        common = (self.project.name, ",".join(self.names))
        registry = _registry(self._samples, common)
        if self.target == STANDARD_OUTPUT:
            typer.echo(generate_latest(registry).decode(), nl=False)
            return
        try:
            write_to_textfile(os.path.expanduser(self.target), registry)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError([messages.metrics_not_written(self.target, reason)]) from None


@contextmanager
def exported(
    target: str | None, command: Command, project: Project, names: tuple[str, str]
) -> Iterator[Metrics]:
    """Write the metrics at the end of the block, also if it has failed: old ones would look as if all were well."""
    metrics = Metrics(target, command, project, names)
    try:
        yield metrics
    except DualRegionError:
        metrics.add(found.of_silence() if command is Command.STATUS else (), Exit.CANNOT_TELL)
        metrics.write()
        raise
    metrics.write()


def _registry(samples: Iterable[Sample], common: tuple[str, ...]) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry, Gauge  # noqa: PLC0415

    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for each in samples:
        metric = each.metric
        gauge = gauges.get(metric.name) or Gauge(
            metric.full_name, metric.text, (*COMMON, *metric.labels), registry=registry
        )
        gauges[metric.name] = gauge
        gauge.labels(*common, *each.labels).set(each.value)
    return registry
