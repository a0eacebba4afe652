"""What a drill is asked to do, and where it does it."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drill.errors import DrillError
from drill.observation.access import SUBJECTS, kubeconfig
from drill.own_images import chart_config, overlays
from drill.procedure.model import Procedure, Until
from drill.procedure.versions import DEFAULT_VERSION, VERSIONS, Camunda
from drill.regions import REGION_COUNT, REGIONS, REPLICATION_FACTOR, Region
from sandbox.own.images import Chart, OwnImages
from sandbox.versions import shape_of

CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_LOST = 1
DEFAULT_RATE = min(20.0, max(10.0, 5.0 * (os.cpu_count() or 1)))
"""Process instances a second: more would show no more, and keep the cores from what is rehearsed."""
REAL_BROKERS_RATE = 10.0
"""The same where brokers are real: with more they take both cores from what is rehearsed."""
BACKUP_LOCATION = "/backup"
"""Where a search engine's container has the shared folder: `snapshotRepoPath` of the rehearsal's values."""


SECRET_NAME = "elasticsearch-env-secret"  # noqa: S105
SECRET_DATA = {"S3_ACCESS_KEY": "rehearsal", "S3_SECRET_KEY": "rehearsal"}
"""The reference values demand this Secret; the rehearsal's engine does not read the keys."""


@dataclass(frozen=True)
class Patience:
    """How long the drill waits, in seconds, before it takes something for broken.

    :ivar warm: for the first instance of every partition in both search engines.
    :ivar settled: for something to become so that the program has already proved once.
    :ivar exported: for the exporters to catch up after the load has stopped.
    :ivar installed: for a plain Helm installation to work.
    """

    warm: float
    settled: float
    exported: float
    installed: float


REAL_BROKERS = Patience(warm=600.0, settled=60.0, exported=180.0, installed=300.0)
REHEARSAL_BROKERS = Patience(warm=300.0, settled=60.0, exported=120.0, installed=180.0)
"""Brokers start in a second; the search engines take what real ones take."""
_SOON = 30.0


def has_real_brokers(images: OwnImages | None) -> bool:
    """Return whether the brokers are the user's: then they are taken for real ones, slow and large."""
    return images is not None and images.part("zeebe") is not None


def default_rate(images: OwnImages | None) -> float:
    """Return how many process instances a second are created unless another one is given."""
    return REAL_BROKERS_RATE if has_real_brokers(images) else DEFAULT_RATE


@dataclass(frozen=True)
class Incident:
    """One loss of a region and all that follows it; `number` counts from 1."""

    number: int
    lost: Region

    @property
    def survivor(self) -> Region:
        """The region that lives on."""
        return self.lost.other


_LEAST = (
    ("interrupt", Until.FAILOVER, "only the ups of the failover and the failback are interrupted"),
    ("zombie", Until.FAILOVER, "no region is lost, so none comes back"),
    ("back_out", Until.FAILBACK_PENDING, "there is no failback to back out of"),
    ("late_flush", Until.FAILBACK_PENDING, "there is no failback"),
)
"""Option -> how far the drill must go at least, and why."""
_EXCLUDED = (
    ("interrupt", "back_out", "both run the ups of the failback again"),
    ("interrupt", "late_flush", "both run the ups of the failback again"),
    ("back_out", "late_flush", "a late flush is backed out of anyway"),
    ("interrupt", "zombie", "the link must come back between the two stacks' turns"),
    ("adopt", "on", "what runs in your own clusters is emptied"),
    ("by_script", "on", "the script's values are the sandbox's"),
    ("by_script", "by_pulumi", "one of them takes the turns"),
    ("by_script", "interrupt", "there is no `pulumi up` to interrupt"),
    ("by_script", "zombie", "the script knows no region that comes back"),
    ("by_script", "back_out", "the script goes one way"),
    ("by_script", "late_flush", "the script knows no copy that is refused"),
    ("by_script", "adopt", "without the program nothing is adopted"),
    ("by_script", "images", "the script's values are the rehearsal's"),
    ("by_script", "clock_skew", "the script asks no clock"),
    ("zombie", "on", "the drill cannot cut your own clusters off"),
    ("late_flush", "on", "it is the rehearsal broker that flushes late on purpose"),
    ("images", "on", "your own clusters have their images, and the --on file the values"),
)
"""Options that exclude each other, and why."""
_ONLY_OF_DEFAULT = (
    (
        "late_flush",
        "it makes a gap between two search engines of the survivor, of which there is one",
    ),
    ("adopt", "what plain Helm installs without this program is worked out for that version alone"),
    ("by_script", "the script has the commands of that version's procedure"),
)
"""Options of a drill of the default version alone, and why."""
_NEEDS = (
    ("consent", "on", "it is for your own clusters"),
    ("two_operators", "zombie", "with it alone both regions live"),
    ("without_isolation", "zombie", "a dead region stays away by itself"),
)
"""Option -> another one without which it does nothing, and why."""


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


@dataclass(frozen=True)
class DrillSettings:
    """One drill: which regions are lost one after the other, how many brokers, how far, and what stays up.

    With `interrupt` every `pulumi up` of the procedure is killed at each of its points, and run again.
    With `back_out` each failback is backed out of once, with exporters paused, and begun again.
    With `by_pulumi` the drill takes the turns by plain `pulumi up`, and not by the runbook command `dualregion`.
    With `late_flush` a broker of the recreated region writes its buffers only after the copy was made: the copy must be
    refused, and the failback backed out of and begun again.
    With `zombie` a region is not killed but cut off, and comes back alive after the failover; `without_isolation`
    leaves out what keeps it away then, which the drill must notice. With `two_operators`, which is a drill with `zombie`,
    both regions are called lost at nearly the same moment.
    With `adopt` both regions are installed by plain Helm first, and the program takes over what runs.
    With `on`, a file, it takes place on clusters that are there already; `consent` names their contexts.
    With `images`, names of the user's own, the sandbox runs these.
    `camunda` is the version that is rehearsed.
    With `start_delay` every broker takes so many seconds longer to start, as real ones do.
    With `gateways` each installation has so many gateways, where these are apart from brokers; with `engine_nodes` so many
    nodes of the search engine, where the chart brings it.
    With `clock_skew` the clock of the operator's machine is so many seconds ahead of all others; below 0, behind.
    With `by_script` there is no program: the procedure's own commands are run by a script (`drill.race`).
    With several incidents each one but the last is followed by a failback, so `until` must be `restored`.
    """

    lost: tuple[int, ...] = (1,)
    cluster_size: int = 4
    until: Until = Until.RESTORED
    keep: bool = False
    rate: float = DEFAULT_RATE
    interrupt: bool = False
    back_out: bool = False
    by_pulumi: bool = False
    zombie: bool = False
    without_isolation: bool = False
    two_operators: bool = False
    adopt: bool = False
    on: Path | None = None
    consent: str = ""
    images: OwnImages | None = None
    late_flush: bool = False
    camunda: str = DEFAULT_VERSION
    start_delay: float = 0.0
    gateways: int = 1
    engine_nodes: int = 1
    clock_skew: float = 0.0
    by_script: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be rehearsed.

        :raises DrillError: with the value and what is allowed.
        """
        if self.camunda not in VERSIONS:
            raise DrillError(f"--camunda {self.camunda}: known are {', '.join(VERSIONS)}")
        wrong = (*self._wrong_values(), *self._wrong_together(), *self._wrong_for_version())
        for refusal in wrong:
            raise DrillError(refusal)

    def _wrong_values(self) -> Iterator[str]:
        lost = ",".join(map(str, self.lost))
        if not self.lost or any(region not in range(REGION_COUNT) for region in self.lost):
            yield f"--lost or --incidents {lost}: there are regions 0 and 1"
        if len(self.lost) > 1 and self.until is not Until.RESTORED:
            yield (
                f"--incidents {lost} with --until {self.until}: a region can only be lost again "
                "after a failback; several incidents need --until restored"
            )
        if self.gateways < 1 or self.engine_nodes < 1:
            yield f"--gateways {self.gateways}, --engine-nodes {self.engine_nodes}: give 1 or more"
        if self.gateways > 1 and self.version.is_unified:
            yield f"--gateways {self.gateways}: in {self.camunda} each broker is a gateway"
        if self.engine_nodes > 1 and self.version.own_engine is not None:
            yield f"--engine-nodes {self.engine_nodes}: the chart of {self.camunda} brings no search engine"
        if self.start_delay < 0:
            yield f"--start-delay {self.start_delay:g}: give seconds, 0 or more"
        if self.start_delay and (has_real_brokers(self.images) or self.on):
            yield "--start-delay: it is the rehearsal broker that starts late on purpose"
        if self.late_flush and has_real_brokers(self.images):
            yield (
                "--late-flush: it is the rehearsal broker that flushes late on purpose; not with brokers of your own"
            )
        step = self.procedure.size_step
        if self.cluster_size < REPLICATION_FACTOR or self.cluster_size % step:
            yield (
                f"--cluster-size {self.cluster_size}: with {REPLICATION_FACTOR} copies of each partition "
                f"a failover restores quorum only for multiples of {step}, from {REPLICATION_FACTOR} on"
            )

    def _wrong_together(self) -> Iterator[str]:
        for name, least, why in _LEAST:
            if getattr(self, name) and not self.until.reaches(least):
                yield f"{_option(name)} with --until {self.until}: {why}"
        for name, other, why in _EXCLUDED:
            if getattr(self, name) and getattr(self, other):
                yield f"{_option(name)} and {_option(other)}: give one of them; {why}"
        for name, other, why in _NEEDS:
            if getattr(self, name) and not getattr(self, other):
                yield f"{_option(name)} goes with {_option(other)} only: {why}"

    def _wrong_for_version(self) -> Iterator[str]:
        if self.camunda == DEFAULT_VERSION:
            return
        for name, why in _ONLY_OF_DEFAULT:
            if getattr(self, name):
                yield f"{_option(name)} with --camunda {self.camunda}: {why}"
        if self.images and self.images.parts():
            yield (
                f"--images with --camunda {self.camunda}: which values name a part's image is known of "
                f"{DEFAULT_VERSION} alone; rehearse with them on clusters of yours, --on"
            )

    @property
    def version(self) -> Camunda:
        """What is known of the version of Camunda."""
        return VERSIONS[self.camunda]

    @property
    def procedure(self) -> Procedure:
        """The procedure by which that version recovers."""
        return self.version.procedure

    @property
    def stacks_at_once(self) -> bool:
        """Whether both stacks may be worked on at the same time.

        Not where Pulumi is killed: its file backend then has what users' have, files beside each state that another
        `pulumi` may find half written.
        """
        return not self.interrupt

    @property
    def by_command(self) -> bool:
        """Whether `dualregion` takes the turns.

        What is killed in an interrupted drill is `pulumi up` itself, and a zombie comes back between two of them, as a
        late flush comes between two of them.
        """
        others = (self.by_pulumi, self.by_script, self.interrupt, self.zombie, self.late_flush)
        return not any(others)

    @property
    def by_helm(self) -> bool:
        """Whether both regions are installed by plain Helm, before the program or without it."""
        return self.adopt or self.by_script

    @property
    def patience(self) -> Patience:
        """How long the drill waits: on clusters of others, too, brokers are taken for real ones."""
        real = self.on is not None or has_real_brokers(self.images)
        found = REAL_BROKERS if real else REHEARSAL_BROKERS
        # Records that the procedure itself loses never come.
        return replace(found, exported=_SOON) if self.by_script else found

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """The incidents, in their order."""
        return tuple(
            Incident(number, REGIONS[region]) for number, region in enumerate(self.lost, start=1)
        )

    @property
    def partition_count(self) -> int:
        """As many partitions as brokers, as in the reference setup."""
        return self.cluster_size

    @property
    def partitions(self) -> range:
        """The partitions' ids."""
        return range(1, self.partition_count + 1)


def lost_regions(lost: int | None, incidents: str) -> tuple[int, ...]:
    """Return which regions are lost, of the options `--lost` and `--incidents`.

    :param lost: the one region, or None for the default.
    :param incidents: several, such as `1,0`; empty for one incident.
    :raises DrillError: both were given, or `incidents` is no list of numbers.
    """
    if not incidents:
        return (DEFAULT_LOST if lost is None else lost,)
    if lost is not None:
        raise DrillError(
            f"--lost {lost} and --incidents {incidents}: give one of them, --incidents for several"
        )
    try:
        return tuple(int(part) for part in incidents.split(","))
    except ValueError:
        raise DrillError(
            f"--incidents {incidents}: give the regions that are lost one after the other, as in 1,0"
        ) from None


class Paths:
    """The drill's files, all in one folder of the checkout."""

    def __init__(self, checkout: Path = CHECKOUT, name: str = "drill") -> None:
        """Take the folder of this name among what the checkout makes."""
        self.checkout = checkout
        self.folder = folder = checkout / "out" / name
        """Everything of the drill; kept between drills, emptied at the start of the next."""
        self.sandbox = folder / "sandbox"
        """State of the drill's own sandbox."""
        self.project = folder / "project"
        """The copy of the program, with the drill's own stack files."""
        self.logs = folder / "logs"
        """One log for each pulumi command, the load client, and the regions' own after a failure."""
        self.states = folder / "state"
        """The stacks' states: what Pulumi's file backend keeps."""
        self.backup = folder / "backup"
        """The folder of snapshots, which both regions' search engines share."""
        self.backup_values = folder / "backup.yaml"
        """The Helm values that mount it."""
        self.image_values = folder / "own-images.yaml"
        """The Helm values that name the user's own images."""
        self.delay_values = folder / "start-delay.yaml"
        """The Helm values with which brokers start late."""
        self.count_values = folder / "counts.yaml"
        """The Helm values with which there are several gateways, or nodes of the search engine."""
        self.plain_values = folder / "plain.yaml"
        """The Helm values that a set-up without this program generates for itself."""
        self.incident_page = folder / "incident.html"
        """The runbook command's page of the last incident."""
        self.announcements = folder / "announcements.jsonl"
        """What the drill's own hooks were called with."""
        self.command = checkout / "bin" / "dualregion"
        """The runbook command."""
        self.reference_values = checkout / "dualregion" / "reference-values.yaml"
        """The values of Camunda's reference set-up, for charts in which brokers and gateway are apart."""
        self.own_overlays = checkout / "sandbox" / "values"
        """The folder of what real parts need otherwise than the rehearsal's."""

    def load_log(self, number: int) -> Path:
        """Return the events of a load client: of an incident by its number, 0 without a loss."""
        return self.folder / f"load{_suffix(number)}.jsonl"

    def export_log(self, number: int) -> Path:
        """Return exported positions and document counts over time, of an incident as `load_log`."""
        return self.folder / f"exports{_suffix(number)}.jsonl"


def values_files(settings: DrillSettings, paths: Paths) -> tuple[Path, ...]:
    """Return the Helm values that are installed, later files over earlier ones.

    The reference values come first, where there are any of the version, and over them what a rehearsal needs.

    The user's own stand over a rehearsal's, and below what the drill cannot do without: the shared folder, the
    images that are there, and what was installed before it is adopted.
    """
    reference = () if settings.version.is_unified else (paths.reference_values,)
    files = [*reference, *shape_of(settings.camunda).values]
    if own := settings.images:
        files += [*overlays(own, paths.own_overlays), *own.values]
    if settings.start_delay:
        files.append(paths.delay_values)
    if counts(settings):
        files.append(paths.count_values)
    if settings.version.own_engine is None:
        files.append(paths.backup_values)
    if own:
        files.append(paths.image_values)
    if settings.adopt:
        files.append(paths.plain_values)
    return tuple(files)


def chart_of(settings: DrillSettings) -> Chart:
    """Return the chart that is installed: the user's, or the stand-in of the version."""
    own = settings.images and settings.images.chart
    return own or Chart(name=str(shape_of(settings.camunda).chart))


_BROKER_SECTIONS = ("zeebe", "orchestration")
"""Where charts have their brokers: in one of them one process is broker, gateway and web applications."""
_START_DELAY = "REHEARSAL_START_DELAY"
"""The rehearsal broker's own: how long it waits before it does anything."""

STACK_SECRETS = {f"elasticsearchSecret.data.{key}": value for key, value in SECRET_DATA.items()}
"""What stands encrypted beside `stack_config`."""


def backup_values(shared: Path, *, own_engine: bool = False) -> dict[str, Any]:
    """Return the Helm values that let both regions' search engines share one folder of this machine.

    The other volume mounts of the rehearsal's values stay; of the volumes there is this one. With `own_engine` they are
    for the chart of an engine that is installed beside the release.
    """
    folder = {"path": str(shared), "type": "Directory"}
    volumes = {"extraVolumes": [{"name": "backup", "hostPath": folder}]}
    return volumes if own_engine else {"elasticsearch": volumes}


def delayed(documents: Iterable[Mapping[str, Any]], seconds: float) -> dict[str, Any]:
    """Return the Helm values with which brokers start late.

    :param documents: the values that are installed, later ones over earlier: Helm replaces lists whole, so what the last
        of them has in its brokers' environment is kept.
    :param seconds: how much longer a broker takes to start.
    :raises DrillError: none of them has an environment of brokers.
    """
    found = [
        (section, document[section]["env"])
        for document in documents
        for section in _BROKER_SECTIONS
        if (document.get(section) or {}).get("env")
    ]
    if not found:
        raise DrillError(
            "no values have an environment of brokers, so none can be made to start late"
        )
    section, env = found[-1]
    kept = [entry for entry in env if entry["name"] != _START_DELAY]
    return {section: {"env": [*kept, {"name": _START_DELAY, "value": f"{seconds:g}s"}]}}


def counts(settings: DrillSettings) -> dict[str, Any]:
    """Return the Helm values with which there is more than one of what there is one of otherwise; none for none."""
    values: dict[str, Any] = {}
    if settings.gateways > 1:
        values["zeebeGateway"] = {"replicas": settings.gateways}
    if settings.engine_nodes > 1:
        values["elasticsearch"] = {"master": {"replicaCount": settings.engine_nodes}}
    return values


def stack_config(settings: DrillSettings, paths: Paths, region: Region) -> dict[str, str]:
    """Return the program's configuration for one stack, as `pulumi config set --path` takes it."""
    config = {
        "phase": "normal",
        "region": str(region.index),
        "clusterSize": str(settings.cluster_size),
        "partitionCount": str(settings.partition_count),
        "replicationFactor": str(REPLICATION_FACTOR),
        "kubeconfig": str(kubeconfig(paths.folder, region)),
        **SUBJECTS,
        **chart_config(chart_of(settings)),
        # What is adopted has found each other before, without the program.
        "dns.chain": "false" if settings.adopt else "true",
        # The sandbox's DNS takes both, and a look-up for a lost region fails sooner by UDP.
        "dns.tcp": "false",
        "backup.type": "fs",
        "backup.settings.location": BACKUP_LOCATION,
        "elasticsearchSecret.name": SECRET_NAME,
    }
    if settings.camunda != DEFAULT_VERSION:
        config["camundaVersion"] = settings.camunda
    if settings.adopt:
        config["adopt"] = "true"
    for index, path in enumerate(values_files(settings, paths)):
        config[f"values[{index}]"] = str(path)
    for each in REGIONS:
        at = f"regions[{each.index}]"
        config |= {
            f"{at}.name": each.city,
            f"{at}.kubeContext": each.context,
            f"{at}.namespace": each.namespace,
            f"{at}.dnsAddresses[0]": each.dns_address,
        }
        if settings.procedure.has_failover_installation:
            config[f"{at}.failoverNamespace"] = each.failover_namespace
        if not settings.without_isolation:
            config[f"{at}.podCidrs[0]"] = each.pod_cidr
    if settings.without_isolation:
        config["isolation"] = "own"
    return config


def _suffix(number: int) -> str:
    return f"-{number}" if number > 1 else ""
