"""What can be wrong with what a chart renders, by codes that users may accept."""

from dataclasses import dataclass
from enum import StrEnum

from messages import Message
from messages.chart import rendered as messages


class Code(StrEnum):
    """The kinds of findings; `chart.accept` takes these words."""

    TEMPLATE = "template"
    """Helm does not render it."""
    NAME = "name"
    """What the program addresses by name is not there, or is called otherwise."""
    PORT = "port"
    """It listens elsewhere."""
    PATH = "path"
    """It answers at other paths."""
    LABEL = "label"
    """Labels by which pods are found are others, or others' too."""
    REPLICAS = "replicas"
    """Not as many brokers as the ids are for."""
    ENVIRONMENT = "environment"
    """Brokers get another environment than the program sets."""
    EXPORTER = "exporter"
    """Brokers export to more than the two search engines."""
    STORAGE = "storage"
    """Brokers whose data no claim keeps."""
    INGRESS = "ingress"
    """An Ingress that no API server takes."""
    SCOPE = "scope"
    """Something that both releases of a region would own."""
    REFUSED = "refused"
    """The API server refuses it."""
    VALUE = "value"
    """A value of the user's that never reaches Helm."""
    PROBE = "probe"
    """A probe that restarts sleeping brokers."""
    POLICY = "policy"
    """A network policy that opens what the isolation closes."""
    EXTRA = "extra"
    """The failover installation runs more than it needs, a third time."""

    @property
    def is_fatal(self) -> bool:
        """Whether a step of the procedure cannot be done with it; the others are warned of."""
        return self not in (Code.PROBE, Code.POLICY, Code.EXTRA)


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with what the chart renders.

    :ivar stages: in which releases, in the words of `rendered.releases`.
    """

    code: Code
    sentence: Message
    stages: tuple[str, ...] = ()

    @property
    def message(self) -> Message:
        """It with its code, and where it was seen."""
        return messages.chart_finding(self.code.value, self.sentence, self.stages)

    def __str__(self) -> str:
        return self.message
