"""The events of Pulumi's engine, as plain values: changes, progress lines, errors."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation import EngineEvent, OpType, StepEventMetadata

from cli.stacks.read import STACK_TYPE
from dualregion.procedure import STEP_IDS
from messages import read_back

_COLOURS = re.compile(r"<\{%[^%]*%\}>")
_HOOK = re.compile(r'^before hook "[^"]*" failed: ')
_STEP = re.compile(rf"^({'|'.join(STEP_IDS)}): (.*)", re.DOTALL)
_NOISE = (
    "update failed",
    "preview failed",
    "an unhandled error occurred: program exited",
    "resource registration failed",
    "using pulumi-",
)
"""Lines that follow every error without its reason, or name the plugin that is used."""
_EMPTY = (
    "Resource is always ready",
    "Resource is current",
    "Resource scheduled for deletion",
)
"""What the Kubernetes provider reports while it deletes or awaits something, without naming it."""
_CLUSTERS = "kubernetes:"
"""The types of what lies in a cluster begin so; the rest is Pulumi's own bookkeeping."""
_QUIET = (OpType.SAME, OpType.REFRESH, OpType.READ)


@dataclass(frozen=True)
class Change:
    """What an update does, or would do, to a resource.

    :ivar kind: the resource's type without its package, such as `Release`.
    """

    operation: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.operation} {self.kind} {self.name}"


@dataclass(frozen=True)
class Line:
    """A line that the program reports while it runs.

    :ivar step: the step that reports it, or empty.
    """

    step: str
    text: str
    severity: str = "info"

    @classmethod
    def of(cls, message: str, severity: str = "info") -> "Line":
        """Read a message of the engine."""
        text = _HOOK.sub("", _COLOURS.sub("", message).strip())
        found = _STEP.match(text)
        return cls(found[1], found[2], severity) if found else cls("", text, severity)


@dataclass
class EventCollector:
    """Collects the events of one run of the engine.

    :ivar on_line: is called with each line at once.
    :ivar on_change: is called with each change that was made, or would be.
    :ivar outputs: the stack's own, as far as they are known.
    """

    on_line: Callable[[Line], None] = lambda _: None
    on_change: Callable[[Change], None] = lambda _: None
    changes: list[Change] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    outputs: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, event: EngineEvent) -> None:
        """Take one event of the engine."""
        diagnostic = event.diagnostic_event
        if diagnostic is not None and diagnostic.severity != "debug":
            self._line(Line.of(diagnostic.message, diagnostic.severity))
        made = event.res_outputs_event
        if made is not None and made.metadata.type == STACK_TYPE and made.metadata.new is not None:
            self.outputs = made.metadata.new.outputs or {}
        if made is not None and _is_change(made.metadata):
            kind = made.metadata.type.rsplit(":", 1)[-1]
            name = made.metadata.urn.rsplit("::", 1)[-1]
            change = Change(str(made.metadata.op.value), kind, name)
            self.changes.append(change)
            self.on_change(change)

    def _line(self, line: Line) -> None:
        if not line.text or line.text in _EMPTY or any(noise in line.text for noise in _NOISE):
            return
        if line.severity == "error":
            self.errors.append(f"{line.step}: {line.text}" if line.step else line.text)
        self.lines.append(line)
        self.on_line(line)

    @property
    def refusal(self) -> str:
        """The program's errors; a message if it is one with its code at its end."""
        return read_back("\n".join(dict.fromkeys(self.errors)))


def _is_change(made: StepEventMetadata) -> bool:
    return made.op not in _QUIET and made.type.startswith(_CLUSTERS)
