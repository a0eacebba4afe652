"""What every stage of a drill works with: the regions, the stacks, and what is measured meanwhile."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from drill.check import Check
from drill.errors import DrillError
from drill.observation.access import Access
from drill.observation.cluster import READ_SECONDS, ClusterView
from drill.observation.load.log import LoadLog
from drill.observation.load.process import LoadProcess
from drill.observation.watch import ExportWatch
from drill.operators.interrupter import Interrupter
from drill.operators.meddler import Meddler
from drill.operators.stacks import Run, Stacks
from drill.operators.turns import Outputs, take_turns
from drill.procedure.model import Until
from drill.progress import Progress
from drill.regions import REGIONS, Region
from drill.report.report import PhaseTimes
from drill.report.results import Episode, Results, steps_of
from drill.settings import DrillSettings, Paths
from drill.testbed.clusters import Clusters
from drill.testbed.command import Command
from drill.testbed.engines import Engines
from drill.together import together
from drill.waiting import wait_for
from sandbox.setup.tools import Tools

T = TypeVar("T")
_GATE_POLL_SECONDS = 0.5
"""How often the program's gates look: half of it too late, on average, is each end of a waiting seen."""


@dataclass
class DrillContext:
    """Two regions with their stacks, and the load client and watch that run at the moment."""

    settings: DrillSettings
    paths: Paths
    progress: Progress
    clusters: Clusters
    tools: Tools
    stacks: Stacks
    access: Access | None
    results: Results
    engines: Engines | None = None
    """What installs search engines, where charts bring none."""
    load: LoadProcess | None = field(default=None, init=False)
    exports: ExportWatch | None = field(default=None, init=False)
    incident: int = field(default=0, init=False)
    """The number of the incident that is rehearsed at the moment, 0 before the first."""
    _rights: dict[Region, str] = field(default_factory=dict, init=False)
    """What `dualregion rights` prints for each region, the same for a cluster that was recreated."""
    interrupter: Interrupter = field(init=False)
    meddler: Meddler | None = field(default=None, init=False)
    """What lets something go wrong in the midst of an `up`."""
    command: Command = field(init=False)

    def __post_init__(self) -> None:
        self.command = Command(
            self.stacks,
            self.paths.command,
            self.progress.write,
            self.results.answers,
        )
        self.interrupter = Interrupter(self.stacks, self.view, self.progress, self.results.turns)

    # --- asking ----------------------------------------------------------------------------------------

    def view(self, region: Region, read_seconds: float = READ_SECONDS) -> ClusterView:
        """Return a fresh view of a region's cluster, which is another one after the region was recreated."""
        return ClusterView(
            self.clusters.kubeconfig, region.context, read_seconds, self.settings.version
        )

    def views(self, read_seconds: float = READ_SECONDS) -> dict[Region, ClusterView]:
        """Return a fresh view of each region's cluster."""
        return {region: self.view(region, read_seconds) for region in REGIONS}

    def together(self, *works: Callable[[], T]) -> list[T]:
        """Do as `drill.together`, or one after the other where both stacks may not be worked on at the same time."""
        if self.settings.stacks_at_once:
            return together(*works)
        return [work() for work in works]

    def wait(self, what: str, missing: Callable[[], str | None], seconds: float) -> None:
        """Wait as `wait_for` does; what was waited too long is in the report.

        :raises DrillError: it was still missing after `seconds`.
        """
        self.progress.add_waiting(wait_for(what, missing, seconds, self.progress.write))

    def check(self, label: str, *checks: Check | Callable[[], Check]) -> None:
        """Note the outcome of checks; what is given as a function is tried until it holds, or time is up."""
        self.results.add(
            label, *(self._settled(each) if callable(each) else each for each in checks)
        )

    def _settled(self, check: Callable[[], Check]) -> Check:
        outcome: list[Check] = []

        def failing() -> str | None:
            outcome[:] = [check()]
            return None if outcome[0].ok else outcome[0].detail

        try:
            self.wait("this holds", failing, self.settings.patience.settled)
        except DrillError as error:
            self.progress.write(f"  {error}")
            if not outcome:
                raise DrillError(f"nothing could be checked: {error}") from None
        return outcome[0]

    # --- the clusters' administrator -------------------------------------------------------------------

    def learn_rights(self) -> None:
        """Let `dualregion rights` print what both stacks need in each region's cluster, which need not be there yet.

        :raises DrillError: the command failed.
        """
        if self.access is not None:
            printed = together(*(partial(self.command.rights, each.index) for each in REGIONS))
            self._rights = dict(zip(REGIONS, printed, strict=True))

    def admit(self, region: Region) -> None:
        """Give both stacks their rights in a region's cluster of the drill's own, which was just made.

        :raises DrillError: the cluster refuses them.
        """
        if self.access is None:
            return
        with self.progress.stage(
            f"Giving both stacks their rights in {region.city}, and no others"
        ):
            manifests = self._rights[region]
            self.access.admit(region, manifests)
            self.results.audit.grant(region, manifests)
            self.check("rights", self.access.check_modest(region))

    def install_engines(self, regions: Sequence[Region]) -> None:
        """Install the search engines of regions that were just made, where the user does so.

        Each has a password of its own, which is the program's to bring to the brokers.

        :raises DrillError: one could not be installed, or does not become ready.
        """
        if self.engines is None:
            return
        engines = self.engines
        with self.progress.stage("Installing search engines"):
            together(*(partial(engines.install, region) for region in regions))
            for region in regions:
                self.wait(
                    f"the search engine of {region.city} is ready",
                    partial(engines.not_ready, self.view(region), region),
                    self.settings.patience.installed,
                )

    def read_audit(self, region: Region) -> None:
        """Take in what a region's audit log has so far; the log goes with the region."""
        if self.access is not None:
            self.results.audit.take_in(region, self.access.audit_log(region))

    # --- pulumi ----------------------------------------------------------------------------------------

    def up(self, region: Region, message: str) -> Run:
        """Run `pulumi up` on a region's stack; its end is the caller's to judge."""
        return self.stacks.up(region.stack, f"drill: {message}")

    def must_up(self, region: Region, phase: str, message: str) -> Outputs:
        """Run `pulumi up` on a region's stack and return the stack's outputs.

        In an interrupted drill it is killed at each of its points and run again, but in phase `normal`.

        :raises DrillError: it failed; the message ends with its last lines.
        """
        if self.meddler is not None and phase != Until.NORMAL:
            run = self.meddler.up(region, f"drill: {message}")
        elif self.settings.interrupt and phase != Until.NORMAL:
            run = self.interrupter.up(region, phase, self.incident, f"drill: {message}")
        else:
            run = self.up(region, message)
        self.stacks.require(run)
        return self.stacks.outputs(region.stack)

    def take_turns(
        self,
        phase: str,
        first: Region,
        message: str,
        parts: Mapping[Region, str] | None = None,
        at_once: bool = False,
    ) -> dict[Region, Outputs]:
        """Run `pulumi up` on both stacks in turn until both have reached the phase.

        :param phase: what both stacks are configured for.
        :param first: the region that begins.
        :param message: what stands in the stacks' history.
        :param parts: what each region is in the incident, shown in the progress.
        :param at_once: run both at the same time instead, which saves time where their order is of no meaning.
        :raises DrillError: an `up` failed, or too many turns did not lead there.
        """
        return take_turns(
            (first, first.other),
            phase,
            lambda each: self._turn(each, phase, message, parts),
            at_once=at_once,
        )

    def _turn(
        self, region: Region, phase: str, message: str, parts: Mapping[Region, str] | None = None
    ) -> Outputs:
        """Run `pulumi up` on one stack as a stage of the drill; arguments and errors as `take_turns`."""
        part = f", {parts[region]}" if parts else ""
        with self.progress.stage(f"Phase {phase}: pulumi up on {region.stack}{part}"):
            return self.must_up(region, phase, message)

    def both_outputs(self) -> dict[Region, Outputs]:
        """Return the outputs of both stacks."""
        return {region: self.stacks.outputs(region.stack) for region in REGIONS}

    def record_phase(self, name: str, seconds: float, outputs: Mapping[Region, Outputs]) -> None:
        """Note how long a phase took and its steps, in each of which the program has waited once."""
        known = self.results.steps
        steps = [
            step for region, each in outputs.items() for step in steps_of(region.stack, each, known)
        ]
        steps.sort(key=lambda step: step.start)
        self.progress.add_waiting(len(steps) * _GATE_POLL_SECONDS / 2)
        phase = PhaseTimes(name=name, seconds=seconds, steps=tuple(steps), incident=self.incident)
        self.results.phases.append(phase)

    def ask_status(self, label: str, when: str, expected: int, log: str = "") -> None:
        """In a drill by the runbook command, ask it how both regions stand, and check its answer.

        `log` is what the log of what an operator sees is called, if not as others of the command.
        """
        if self.settings.by_command:
            with self.progress.stage(f"Asking `dualregion status` {when}"):
                self.check(label, *self.command.status(when, expected, log))

    # --- load and watch --------------------------------------------------------------------------------

    def start_load(self, survivor: Region, number: int) -> Episode:
        """Begin an episode: load on a region's gateway, and a watch on its exporting.

        :param survivor: the region that will not be lost.
        :param number: of the incident, 0 without one.
        """
        self.incident = number
        episode = Episode(survivor.other.index)
        self.results.episodes.append(episode)
        with self.progress.stage(f"Starting the load on {survivor.city}"):
            self.load = LoadProcess(
                self.tools.kubectl,
                self.clusters.kubeconfig,
                survivor,
                rate=self.settings.rate,
                log=self.paths.load_log(number),
                errors=self.paths.logs / f"load-client-{survivor.city}-{number}.log",
            )
            self.exports = ExportWatch(
                self.view(survivor, read_seconds=3.0),
                survivor.namespace,
                self.settings.procedure.namespaces(survivor)[1:],
                self.paths.export_log(number),
            )
            self.exports.start()
        return episode

    def await_exports(self) -> None:
        """Wait until the load's first instance of every partition is in both search engines.

        :raises DrillError: no command was accepted and exported in time.
        """
        views = self.views()
        with self.progress.stage("Waiting for the load's first instances in both search engines"):
            self.wait(
                "instances are created and exported in both regions",
                lambda: self._not_warm(views),
                self.settings.patience.warm,
            )
            self.progress.write(f"  {len(self.read_load().acks)} instances acknowledged so far")

    def read_load(self) -> LoadLog:
        """Return what the load client has written so far.

        :raises DrillError: it does not run, or has ended by itself.
        """
        if self.load is None:
            raise DrillError("the load client is not running")
        return self.load.read()

    def stop_load(self) -> None:
        """End the episode: the load client, then the watch."""
        with self.progress.stage("Stopping the load"):
            self.end_load()
            self.progress.write(f"  {len(self.results.load.acks)} instances acknowledged")

    def end_load(self) -> None:
        """Do what `stop_load` does, silently, and with whatever of it runs."""
        if self.load:
            episode = self.results.episodes[-1]
            episode.watched_until = time.monotonic()
            episode.load = self.load.stop()
            self.load = None
        if self.exports:
            self.exports.stop()
            self.results.episodes[-1].exports = self.exports.samples
            self.exports = None

    def _not_warm(self, views: dict[Region, ClusterView]) -> str | None:
        """Return what is missing until the first instance of every partition is in both search engines."""
        log = self.read_load()
        first = {ack.partition: ack.key for ack in reversed(log.acks)}
        if not first:
            return f"no command was accepted yet {dict(log.errors) or ''}"
        missing = set(self.settings.partitions) - set(first)
        if missing:
            return f"partition {sorted(missing)} has accepted no command"
        for region, view in views.items():
            keys = list(first.values())
            lacking = len(keys) - len(view.instances_found(region.namespace, keys))
            if lacking:
                return (
                    f"the search engine in {region.city} lacks {lacking} of the first {len(keys)}"
                )
        return None
