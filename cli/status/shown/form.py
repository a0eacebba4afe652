"""The form of the document that `dualregion status --json` prints; docs/reference/status.schema.json is made of it.

A key may be added, and is never removed, nor does it ever mean something else without another `schemaVersion`.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from cli.status.health import Health
from cli.status.service import Commands, Exports, WebApps
from dualregion.procedure import Phase, Role

_FORM = ConfigDict(extra="forbid", use_attribute_docstrings=True)
Region = Annotated[int, Field(ge=0, le=1)]


@with_config(_FORM)
class FindingForm(TypedDict):
    """Something that the operator must know."""

    health: Health
    """What it amounts to."""
    code: str
    """What it is; docs/errors.md has all codes."""
    sentence: str
    """For people; it may change."""


@with_config(_FORM)
class CommandsForm(TypedDict):
    """Whether Camunda accepts commands."""

    state: Commands
    partitions: int
    """How many there are."""
    accepting: int | None
    """How many have a leader, and so accept commands; null if that is unknown."""
    sentence: str


@with_config(_FORM)
class ExportingForm(TypedDict):
    """Whether records are exported to Elasticsearch."""

    state: Exports
    partitions: int
    """How many there are."""
    exporting: int | None
    """How many export; null if that is unknown."""
    sentence: str


@with_config(_FORM)
class WebAppsForm(TypedDict):
    """Whether Operate and Tasklist of a region are up."""

    region: Region
    name: str
    state: WebApps


@with_config(_FORM)
class ServiceForm(TypedDict):
    """Whether Camunda works, as its users see it."""

    commands: CommandsForm
    exporting: ExportingForm
    webApps: list[WebAppsForm]


@with_config(_FORM)
class AnswerForm(TypedDict):
    """One way to answer a decision."""

    code: str
    what: str
    commands: list[str]
    """What to type then."""


@with_config(_FORM)
class NextForm(TypedDict):
    """The next thing to do."""

    who: str
    """The stack whose turn it is, or `operator`."""
    code: str
    what: str
    command: str
    """What to type, without `dualregion`."""
    dualregion: str | None
    """The command that does it and what follows; null if none does."""
    answers: list[AnswerForm]
    """If it is a decision, the ways to answer it; else empty."""


@with_config(_FORM)
class StepForm(TypedDict):
    """A step that is ahead."""

    stack: str
    step: str
    title: str


@with_config(_FORM)
class UpdateForm(TypedDict):
    """A run of Pulumi on a stack."""

    kind: str
    """Such as `update`."""
    result: str
    """`succeeded`, `failed` or `in-progress`."""
    message: str
    start: str
    """A moment, by ISO 8601."""
    end: str | None


@with_config(_FORM)
class StackForm(TypedDict):
    """A stack, as its configuration here and its state have it."""

    name: str
    region: Region
    role: Role
    phase: Phase
    """The phase that is set here."""
    behind: bool
    """Whether the configuration here is behind the states: `phase` of the document is the one that is in effect."""
    lastPhase: Phase | None
    """That of its last update; null if it was never updated."""
    progress: list[str]
    """The steps that are proved."""
    waitingFor: str | None
    """What it waited for when it last succeeded, for people."""
    waiting: dict[str, Any] | None
    """The same for programs: docs/reference/outputs.md."""
    lastUpdate: UpdateForm | None
    locks: list[str] | None
    """Who holds it; null if the state backend does not show that."""
    pendingOperations: list[str]


@with_config(_FORM)
class PodForm(TypedDict):
    """A broker's pod."""

    id: int
    """The broker's id."""
    pod: str
    ready: bool
    silence: str | None
    """Why it does not answer whether it exports."""
    code: str | None
    """The code of that reason."""


@with_config(_FORM)
class InstallationForm(TypedDict):
    """An installation of Camunda that is there."""

    silence: None
    code: None
    namespace: str
    workloads: dict[str, tuple[int, int]]
    """By name: how many pods are ready, of how many wanted."""
    brokers: list[PodForm]
    searchEngineSilence: str | None
    """Why its search engine does not answer."""
    searchEngineCode: str | None


@with_config(_FORM)
class SilentForm(TypedDict):
    """An installation that could not be looked at."""

    silence: str
    code: str | None


@with_config(_FORM)
class RegionForm(TypedDict):
    """A region, as its cluster shows it."""

    region: Region
    name: str
    context: str
    silence: str | None
    """Why its API server does not answer; null if it does."""
    code: str | None
    installations: dict[str, InstallationForm | SilentForm | None]
    """`normal` and `failover`; null if there is none."""


@with_config(_FORM)
class BrokerForm(TypedDict):
    """A broker, as a gateway sees it."""

    id: int
    host: str
    leads: list[int]
    """Partitions."""
    follows: list[int]


@with_config(_FORM)
class PartitionForm(TypedDict):
    """A partition, as gateway, brokers and search engines show it."""

    partition: int
    leader: int | None
    followers: list[int]
    missing: list[int]
    """Brokers that should hold a replica now, and are not seen to."""
    unhealthy: list[int]
    exporters: list[str]
    """The phases of its replicas' exporters: mostly one."""
    positions: list[int | None]
    """The last record in each of `searchEngines`."""
    lag: int | None


@with_config(_FORM)
class StatusForm(TypedDict):
    """What `dualregion status --json` finds."""

    health: Health
    findings: list[FindingForm]
    """The gravest first."""
    service: ServiceForm
    phase: Phase
    lostRegion: Region | None
    incident: str | None
    """Such as `1-region1-lost`; null in phase normal."""
    next: NextForm | None
    """Null if nothing is to be done."""
    ahead: list[StepForm]
    stacks: list[StackForm]
    regions: list[RegionForm]
    brokers: list[BrokerForm] | None
    """Null if no gateway answers."""
    partitions: list[PartitionForm]
    searchEngines: list[str]
    """The namespaces of the two search engines that are exported to."""


@with_config(_FORM)
class HeadForm(TypedDict):
    """What every JSON document of the command begins with."""

    schemaVersion: Literal[1]
    """Of the form of all documents."""
    observedAt: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    """When it was printed."""


@with_config(_FORM)
class StatusDocument(HeadForm, StatusForm):
    """What `dualregion status --json` prints."""


@with_config(_FORM)
class ProblemForm(TypedDict):
    """Why there is no answer."""

    code: str
    sentence: str


@with_config(_FORM)
class ErrorForm(TypedDict):
    """Why the command failed."""

    problems: list[ProblemForm]


@with_config(_FORM)
class ErrorDocument(HeadForm):
    """What any command prints with `--json` if it fails; the exit status is not 0."""

    error: ErrorForm
