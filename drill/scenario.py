"""The drill itself, stage by stage, as an operator would go through the procedure.

Everything starts here and everything is taken down here, whatever happens in between: success, a failed
check, an error, Ctrl-C. The report is written in each case.
"""

import platform
import shlex
import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from drill import checks, measure
from drill.checks import Check
from drill.cluster import ClusterView
from drill.errors import DrillError
from drill.findings import Findings, report_of, steps_of
from drill.loadlog import LoadLog
from drill.loadprocess import LoadProcess
from drill.ownership import OwnProcesses, leftovers
from drill.progress import Progress
from drill.regions import (
    REGIONS,
    REPLICATION_FACTOR,
    ExpectedBrokers,
    Region,
    brokers_after_failover,
    brokers_in_normal,
    quorum,
)
from drill.report import PhaseTimes, Report, write
from drill.settings import DrillSettings, Places, Until, stack_config
from drill.stacks import Run, Stacks, copy_program, environment
from drill.waiting import wait_for
from drill.watch import ExportWatch, MemoryWatch
from sandbox.cache import cache_root
from sandbox.errors import SandboxError
from sandbox.regions import Sandbox
from sandbox.setup import ensure
from sandbox.setup.tools import Tools

FAILOVER_STEPS = ("F1", "F2", "F3")

_MOST_TURNS = 6
"""Each stack in turn; phase normal needs three, so twice as many mean that they wait for each other."""
_WARM_SECONDS = 10.0
"""Load before the loss: long enough that exporters, which flush every five seconds, have flushed it."""
_WARM_BOUND_SECONDS = 120.0
_DOWN_TRIES = 3
_SETTLE_SECONDS = 60.0
"""How long something may take to become so that the program has already proved once."""
_EXPORT_BOUND_SECONDS = 180.0
"""How long the exporters may take to catch up after the load has stopped."""


class Drill:
    """One drill, from a bare machine to a report."""

    def __init__(self, settings: DrillSettings, places: Places, progress: Progress) -> None:
        self._settings = settings
        self._places = places
        self._progress = progress
        self._sandbox = Sandbox(None, places.sandbox, progress.console)
        self._own = OwnProcesses(str(places.folder), self._sandbox.id)
        self._found = Findings()
        self._memory = MemoryWatch(self._own)
        self._exports: ExportWatch | None = None
        self._load: LoadProcess | None = None

    def run(self, on_teardown: Callable[[], None]) -> Report:
        """Carry the drill out and return its report, which is also written; never raises for what failed.

        Args:
            on_teardown: called when the taking down begins, which must not be interrupted.
        """
        reason = None
        try:
            self._rehearse()
        except (DrillError, SandboxError) as error:
            reason = str(error)
        except Exception as error:
            trace = self._places.logs / "traceback.txt"
            trace.write_text(traceback.format_exc())
            reason = f"an error of the drill itself, {type(error).__name__}: {error} (see {trace})"
        on_teardown()
        reason = self._take_down(reason)
        report = report_of(self._settings, self._found, self._progress.stages, reason)
        write(report, self._places.folder)
        return report

    # --- the procedure ---------------------------------------------------------------------------------

    def _rehearse(self) -> None:
        settings = self._settings
        tools = self._start_regions()
        self._make_stacks(tools)
        self._to_normal()
        self._start_load(tools)
        if settings.until is Until.NORMAL:
            self._check_service("normal", since=time.monotonic(), after="in phase normal")
            self._stop_load()
            self._check_kept("normal", {r: r.namespace for r in REGIONS}, since=0.0)
            return
        self._mistake_a_healthy_region()
        self._lose_region()
        self._fail_over()
        self._check_failover()

    def _start_regions(self) -> Tools:
        with self._progress.stage("Setting up the tools"):
            tools = ensure(self._progress.console)
        self._sandbox = Sandbox(tools, self._places.sandbox, self._progress.console)
        self._found.machine = _machine()
        self._memory.start()
        with self._progress.stage("Starting the two regions"):
            self._sandbox.up()
        return tools

    def _make_stacks(self, tools: Tools) -> None:
        with self._progress.stage("Preparing the two stacks"):
            places = self._places
            copy_program(places.checkout, places.project)
            (places.folder / "state").mkdir()
            env = environment(
                places.folder,
                self._sandbox.kubeconfig,
                tools.pulumi_path,
                own_build=tools.pulumi.is_relative_to(cache_root()),
            )
            _write_env_file(env, places.folder)
            self._stacks = Stacks(
                tools.pulumi, places.project, env, places.logs, self._progress.say
            )
            for region in REGIONS:
                self._stacks.create(region.stack, stack_config(self._settings, places, region))
            self._found.versions["pulumi"] = self._stacks.version()
            self._found.versions["python"] = platform.python_version()
            self._view = self._view_of(self._settings.survivor)

    def _to_normal(self) -> None:
        began = time.monotonic()
        outputs = {}
        for turn in range(_MOST_TURNS):
            region = REGIONS[turn % len(REGIONS)]
            with self._progress.stage(f"Phase normal: pulumi up on {region.stack}"):
                self._stacks.must_up(region.stack, "drill: both regions to phase normal")
                outputs = {each: self._stacks.outputs(each.stack) for each in REGIONS}
            if turn and not any(each.get("waitingFor") for each in outputs.values()):
                break
        steps = [step for each in REGIONS for step in steps_of(each.stack, outputs[each])]
        self._found.phases.append(PhaseTimes("normal", time.monotonic() - began, tuple(steps)))
        self._check_topology(
            "normal", brokers_in_normal(self._settings.cluster_size), REPLICATION_FACTOR
        )
        for region in REGIONS:
            self._found.add(
                "normal", checks.stack_says(outputs[region], region, "normal", "member")
            )
            self._found.add("normal", checks.steps_are_proved(outputs[region], region, ("N",)))
        topology = self._view.topology(self._settings.survivor.namespace)
        self._found.versions["zeebe"] = str(topology.get("gatewayVersion"))
        self._found.versions["kubernetes"] = self._view.call("GET", "/version")["gitVersion"]

    def _start_load(self, tools: Tools) -> None:
        survivor, places = self._settings.survivor, self._places
        with self._progress.stage(f"Starting the load on {survivor.city}"):
            self._load = LoadProcess(
                tools.kubectl,
                self._sandbox.kubeconfig,
                survivor,
                rate=self._settings.rate,
                log=places.load_log,
                errors=places.logs / "load-client.log",
            )
            self._exports = ExportWatch(
                ClusterView(self._sandbox.kubeconfig, survivor.context, read_seconds=3.0),
                survivor.namespace,
                [survivor.failover_namespace],
                places.export_log,
            )
            self._exports.start()
            views = {region: self._view_of(region) for region in REGIONS}
            wait_for(
                "instances are created and exported in both regions",
                lambda: self._not_warm(views),
                _WARM_BOUND_SECONDS,
                self._progress.say,
            )
            self._progress.say(f"  {len(self._read_load().acks)} instances acknowledged so far")

    def _not_warm(self, views: dict[Region, ClusterView]) -> str | None:
        log = self._read_load()
        if not log.acks:
            return f"no command was accepted yet {dict(log.errors) or ''}"
        if time.monotonic() - log.acks[0].at < _WARM_SECONDS:
            return f"{len(log.acks)} instances were created in a few seconds only"
        missing = set(self._settings.partitions) - log.partitions_since(0.0)
        if missing:
            return f"partition {sorted(missing)} has accepted no command"
        for region, view in views.items():
            if not view.document_count(region.namespace):
                return f"the search engine in {region.city} has no record"
        return None

    def _mistake_a_healthy_region(self) -> None:
        """Call the region lost while it lives: the wrong move that would cost most must be refused."""
        survivor, lost = self._settings.survivor, self._settings.lost_region
        with self._progress.stage(f"Calling {lost.city} lost while it lives: must be refused"):
            self._stacks.configure(
                survivor.stack, {"phase": "failover", "lostRegion": str(lost.index)}
            )
            preview = self._stacks.preview(survivor.stack)
            self._found.add(
                "normal", checks.healthy_region_is_refused(preview.exit_status, preview.output)
            )

    def _lose_region(self) -> None:
        with self._progress.stage(f"Losing region {self._settings.lost} without warning"):
            loss = self._sandbox.lose(self._settings.lost)
            # The sandbox tells the wall clock's moment; measures go by the clock that never jumps.
            self._found.loss = time.monotonic() - (time.time() - loss)

    def _fail_over(self) -> None:
        survivor, lost = self._settings.survivor, self._settings.lost_region
        wanted = {"phase": "failover", "lostRegion": str(lost.index)}
        began = time.monotonic()
        with self._progress.stage(f"Phase failover: pulumi preview --diff on {survivor.stack}"):
            self._stacks.configure(survivor.stack, wanted)
            preview = self._stacks.preview(survivor.stack)
            self._found.add(
                "failover",
                checks.preview_shows(preview.output, survivor, FAILOVER_STEPS),
            )
            _demand(preview, "pulumi preview")
        with self._progress.stage(f"Phase failover: pulumi up on {survivor.stack}, the survivor"):
            self._found.up_began = time.monotonic()
            try:
                self._stacks.must_up(survivor.stack, f"drill: region {lost.index} is lost")
            finally:
                self._found.failover_end = time.monotonic()
        outputs = self._stacks.outputs(survivor.stack)
        known = self._found.phases[0].steps
        self._found.phases.append(
            PhaseTimes(
                "failover",
                self._found.failover_end - began,
                tuple(steps_of(survivor.stack, outputs, known)),
            )
        )
        self._found.add(
            "failover",
            checks.stack_says(outputs, survivor, "failover", "survivor"),
            checks.steps_are_proved(outputs, survivor, FAILOVER_STEPS),
        )
        with self._progress.stage(f"Phase failover: pulumi up on {lost.stack}, the lost region"):
            self._stacks.configure(lost.stack, wanted)
            run = self._stacks.up(lost.stack, f"drill: region {lost.index} is lost")
            said = self._stacks.outputs(lost.stack)
            self._found.add(
                "failover",
                checks.lost_stack_is_no_dead_end(run.exit_status, run.output, said),
                checks.stack_says(said, lost, "failover", "lost"),
            )

    def _check_failover(self) -> None:
        settings, survivor = self._settings, self._settings.survivor
        end = self._found.failover_end or time.monotonic()
        both = (survivor.namespace, survivor.failover_namespace)
        with self._progress.stage("Checking the survivor"):
            expected = brokers_after_failover(settings.cluster_size, settings.lost)
            self._check_topology("failover", expected, quorum())
            engines = {survivor.index: both[0], settings.lost: both[1]}
            self._found.add(
                "failover", checks.exporters_point_at(self._view.broker_pods(both), engines)
            )
        self._check_service("failover", since=end, after="after the failover")
        with self._progress.stage("Saying preview and up again, with nothing to do"):
            before = [pod for namespace in both for pod in self._view.pods(namespace)]
            preview = self._stacks.preview_expecting_no_change(survivor.stack)
            self._found.noop_preview_seconds = preview.seconds
            again = self._stacks.up(survivor.stack, "drill: nothing to do")
            after = [pod for namespace in both for pod in self._view.pods(namespace)]
            self._found.add(
                "failover",
                checks.no_change(preview.exit_status, preview.seconds),
                checks.nothing_restarted(again.exit_status, before, after),
            )
        self._stop_load()
        self._check_kept("failover", {survivor: survivor.namespace}, since=0.0)
        # What the lost engine had already taken is not exported again: only what came later counts.
        self._check_kept(
            "failover", {survivor: survivor.failover_namespace}, since=self._found.loss or 0.0
        )

    # --- parts -----------------------------------------------------------------------------------------

    def _check_topology(self, phase: str, expected: ExpectedBrokers, members: int) -> None:
        namespace, count = self._settings.survivor.namespace, self._settings.partition_count
        self._found.add(
            phase,
            self._settled(
                lambda: checks.topology_is(self._view.topology(namespace), expected, count)
            ),
            self._settled(
                lambda: checks.partitions_are_led(self._view.topology(namespace), count, members)
            ),
        )

    def _check_service(self, phase: str, since: float, after: str) -> None:
        """Check, with the load running, that commands are accepted and exported on every partition."""
        settings = self._settings
        with self._progress.stage(f"Checking that commands are accepted and exported {after}"):
            self._found.add(
                phase,
                self._settled(
                    lambda: checks.commands_accepted(
                        self._read_load().partitions_since(since), settings.partition_count, after
                    )
                ),
                self._settled(
                    lambda: checks.positions_moving(
                        measure.partitions_moved(
                            self._exports.samples if self._exports else (),
                            since,
                            settings.partitions,
                        ),
                        settings.partition_count,
                        after,
                    )
                ),
            )

    def _stop_load(self) -> None:
        with self._progress.stage("Stopping the load"):
            self._found.watched_until = time.monotonic()
            self._end_load()
            self._progress.say(f"  {len(self._found.load.acks)} instances acknowledged")

    def _end_load(self) -> None:
        if self._load:
            self._found.load = self._load.stop()
            self._load = None
        if self._exports:
            self._exports.stop()
            self._found.exports = self._exports.samples
            self._exports = None

    def _check_kept(self, phase: str, engines: dict[Region, str], since: float) -> None:
        """Look for every instance that was sent after `since` in each of the search engines."""
        keys = sorted(ack.key for ack in self._found.load.sent_after(since))
        for region, namespace in engines.items():
            found: set[int] = set()
            where = f"the search engine of {namespace}"
            with self._progress.stage(f"Looking for {len(keys)} instances in {where}"):
                self._look_for(keys, found, self._view_of(region), namespace)
            self._found.add(phase, checks.instances_kept(keys, found, where))
            if region is self._settings.survivor and not since:
                self._found.found = frozenset(found)

    def _look_for(
        self, keys: Sequence[int], found: set[int], view: ClusterView, namespace: str
    ) -> None:
        """Add to `found` the keys that the engine knows, until it knows all or time is up."""

        def missing() -> str | None:
            found.update(view.instances_found(namespace, [k for k in keys if k not in found]))
            lacking = len(keys) - len(found)
            return f"{lacking} of {len(keys)} are not there yet" if lacking else None

        try:
            wait_for("all are exported", missing, _EXPORT_BOUND_SECONDS, self._progress.say)
        except DrillError as error:
            self._progress.say(f"  {error}")

    def _settled(self, check: Callable[[], Check]) -> Check:
        """Return a check's outcome as soon as it holds, or the last one when time is up."""
        outcome: list[Check] = []

        def failing() -> str | None:
            outcome[:] = [check()]
            return None if outcome[0].ok else outcome[0].detail

        try:
            wait_for("this holds", failing, _SETTLE_SECONDS, self._progress.say)
        except DrillError as error:
            self._progress.say(f"  {error}")
        if not outcome:
            raise DrillError("the survivor's cluster did not answer while it was checked")
        return outcome[0]

    def _read_load(self) -> LoadLog:
        if self._load is None:
            raise DrillError("the load client is not running")
        return self._load.read()

    def _view_of(self, region: Region) -> ClusterView:
        return ClusterView(self._sandbox.kubeconfig, region.context)

    # --- the end ---------------------------------------------------------------------------------------

    def _take_down(self, reason: str | None) -> str | None:
        """Take everything down, whatever of it fails; return the reason of a failure, its own included."""
        reasons = [reason] if reason else []
        for part in (self._end_measuring, self._keep_evidence, self._remove_all):
            try:
                part(bool(reasons))
            except Exception as error:
                what = str(error) if isinstance(error, SandboxError) else repr(error)
                reasons.append(f"the taking down failed: {what}")
        return "; and ".join(reasons) or None

    def _end_measuring(self, _: bool) -> None:
        if self._load:
            self._found.watched_until = time.monotonic()
        self._end_load()
        self._memory.stop()
        self._found.peak_memory_gib = self._memory.peak_gib
        self._found.peak_machine_memory_gib = self._memory.peak_machine_gib

    def _remove_all(self, _: bool) -> None:
        if self._settings.keep:
            self._progress.say("Everything stays up (--keep)")
            return
        with self._progress.stage("Taking everything down"):
            self._sandbox_down()
            left = self._own.end_all() + leftovers(self._places.sandbox, self._sandbox.id)
            self._found.checks.append(checks.nothing_left(left))

    def _sandbox_down(self) -> None:
        """Take the sandbox down, again if need be: another Ctrl-C also ends the command it just runs.

        What resists to the last is left to the check for leftovers, which names it.
        """
        for _ in range(_DOWN_TRIES):
            try:
                self._sandbox.down()
                return
            except SandboxError as error:
                self._progress.say(f"  {error}")

    def _keep_evidence(self, failed: bool) -> None:
        """After a failure, copy the regions' and the pods' logs, which are gone with the sandbox otherwise."""
        if not failed and all(check.ok for check in self._found.checks):
            return
        kept = []
        for region in self._sandbox.regions:
            for folder in (region.logs, region.folder / "pod-logs"):
                if folder.is_dir():
                    target = self._places.logs / region.name / folder.name
                    kept.append(shutil.copytree(folder, target, dirs_exist_ok=True))
        if kept:
            self._progress.say(f"  the regions' and pods' logs are kept in {self._places.logs}")


def clear(places: Places, progress: Progress) -> None:
    """Take down what an earlier drill kept or, killed, left behind, and empty the drill's folder.

    Raises:
        SandboxError: something of it resists.
    """
    sandbox = Sandbox(None, places.sandbox, progress.console)
    sandbox.down()
    OwnProcesses(str(places.folder), sandbox.id).end_all()
    for path in places.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in ("lock", "drill.log"):
            path.unlink()
    places.logs.mkdir()


def _demand(run: Run, what: str) -> None:
    if run.exit_status:
        raise DrillError(
            f"`{what}` ended with exit status {run.exit_status}; all of its output is in {run.log}, "
            f"its last lines:\n{run.last_lines()}"
        )


def _machine() -> dict[str, object]:
    return {
        "cpus": psutil.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / 1024**3, 1),
        "kernel": platform.release(),
        "loadAverageAtStart": round(psutil.getloadavg()[0], 2),
    }


def _write_env_file(env: dict[str, str], folder: Path) -> None:
    """Write what a shell needs to work on a kept drill: `. out/drill/env.sh`."""
    names = [name for name in env if name.startswith("PULUMI_") or name in ("KUBECONFIG", "PATH")]
    lines = [f"export {name}={shlex.quote(env[name])}\n" for name in sorted(names)]
    (folder / "env.sh").write_text("".join(lines))
