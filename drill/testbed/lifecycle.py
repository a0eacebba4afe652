"""The beginning and the end of a drill: regions and stacks are made, and everything is taken down again."""

import os
import platform
import shlex
import shutil
from functools import partial
from pathlib import Path

import psutil
import yaml

from drill.checks import announced, checks
from drill.observation.access import Access
from drill.observation.watch import MemoryWatch
from drill.operators.clock import skewed
from drill.operators.stacks import Stacks, copy_program, environment, temporary_files
from drill.own_images import image_values
from drill.processes import OwnProcesses, leftovers
from drill.progress import Progress
from drill.regions import REGIONS, Region
from drill.report.results import Results
from drill.settings import (
    STACK_SECRETS,
    DrillSettings,
    Paths,
    backup_values,
    counts,
    delayed,
    stack_config,
    values_files,
)
from drill.testbed.clusters import Clusters
from drill.testbed.context import DrillContext
from drill.testbed.engines import Engines
from drill.testbed.foreign import ForeignPair, ForeignSettings
from drill.together import together
from sandbox.cache import cache_root
from sandbox.errors import SandboxError
from sandbox.own import seed as own_seed
from sandbox.regions import Sandbox
from sandbox.setup import ensure
from sandbox.setup.tools import Tools
from sandbox.versions import shape_of

_DOWN_TRIES = 3
_PLUGINS_END_SECONDS = 10.0
"""How long Pulumi's plugins may outlive a `pulumi` that has been ended: they notice by themselves."""
_SEARCH_ENGINE_USER = 1001
"""Who writes snapshots: the user of the search engine's container."""


class Lifecycle:
    """Starts what a drill needs and takes it down, whatever became of it in between."""

    def __init__(
        self, settings: DrillSettings, paths: Paths, progress: Progress, results: Results
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._progress = progress
        self._results = results
        self._sandbox = Sandbox(None, paths.sandbox, progress.console)
        self._own = OwnProcesses(str(paths.folder), self._sandbox.id)
        self._memory = MemoryWatch(self._own)
        self._ctx: DrillContext | None = None
        self._foreign = ForeignSettings.read(settings.on) if settings.on else None
        self._pair: ForeignPair | None = None

    def start(self) -> DrillContext:
        """Start both regions and prepare their stacks.

        :raises SandboxError: a tool could not be made, or a region did not start.
        :raises DrillError: pulumi refused a stack or its configuration.
        """
        with self._progress.stage("Setting up the tools"):
            tools = ensure(self._progress.console)
            images = self._own_images(tools)
        self._sandbox = Sandbox(tools, self._paths.sandbox, self._progress.console)
        self._results.machine = _machine()
        self._memory.start()
        share_backup(self._paths, own_engine=self._settings.version.own_engine is not None)
        write_delay(self._settings, self._paths)
        write_counts(self._settings, self._paths)
        # The stacks' configuration needs no cluster, only the place of a kubeconfig.
        clusters = self._clusters(tools)
        made: list[DrillContext] = []
        together(
            lambda: self._start_clusters(images),
            lambda: made.append(self._make_context(tools, clusters)),
        )
        (ctx,) = made
        together(*(partial(ctx.admit, region) for region in REGIONS))
        ctx.install_engines(REGIONS)
        return ctx

    def _access(self, tools: Tools) -> Access | None:
        """Return who gives the stacks their rights; on clusters of others that is not the drill."""
        if self._foreign:
            return None
        logs = [each.audit for each in self._sandbox.regions]
        return Access(tools.kubectl, self._sandbox.kubeconfig, self._paths.folder, logs)

    def _engines(self, tools: Tools, stacks: Stacks, clusters: Clusters) -> Engines | None:
        """Return what installs search engines, where charts bring none; on clusters of others that is not the drill."""
        engine, chart = (
            self._settings.version.own_engine,
            shape_of(self._settings.camunda).engine_chart,
        )
        if self._foreign or engine is None or chart is None:
            return None
        env = {**stacks.env, "KUBECONFIG": str(clusters.kubeconfig)}
        return Engines(engine, tools.helm, chart, self._paths.backup_values, env)

    def take_down(self, reason: str | None) -> str | None:
        """Take everything down, whatever of it fails; return the reason of a failure, its own included."""
        reasons = [reason] if reason else []
        for part in (
            self._end_commands,
            self._end_measuring,
            self._read_audit,
            self._keep_evidence,
            self._remove_all,
        ):
            try:
                part(bool(reasons))
            except Exception as error:
                what = str(error) if isinstance(error, SandboxError) else repr(error)
                reasons.append(f"the taking down failed: {what}")
        return "; and ".join(reasons) or None

    def _own_images(self, tools: Tools) -> Path | None:
        """Return the image seed with the user's own images, or None where there are none."""
        own = self._settings.images
        return own_seed.ensure(self._progress.console, own, tools.image_seed) if own else None

    def _clusters(self, tools: Tools) -> Clusters:
        """Return where the drill takes place, untouched yet."""
        if self._foreign is None:
            return self._sandbox
        kubeconfig = self._paths.folder / "kubeconfig"
        self._pair = ForeignPair(
            self._foreign, tools.kubectl, kubeconfig, self._settings.consent, self._progress.write
        )
        return self._pair

    def _start_clusters(self, images: Path | None) -> None:
        """Start the sandbox, or see that the clusters that are there can be used."""
        if self._pair:
            with self._progress.stage("Looking at the two clusters"):
                self._pair.up()
            return
        with self._progress.stage("Starting the two regions"):
            # What is to be adopted runs before the program: elsewhere the program chains their DNS.
            self._sandbox.up(dns_chain=self._settings.by_helm, images=images)

    def _make_context(self, tools: Tools, clusters: Clusters) -> DrillContext:
        with self._progress.stage("Preparing the two stacks"):
            stacks = self._make_stacks(tools, clusters)
            self._ctx = ctx = DrillContext(
                self._settings,
                self._paths,
                self._progress,
                clusters,
                tools,
                stacks,
                self._access(tools),
                self._results,
                self._engines(tools, stacks, clusters),
            )
            ctx.learn_rights()
            return ctx

    def _make_stacks(self, tools: Tools, clusters: Clusters) -> Stacks:
        paths = self._paths
        if own := self._settings.images:
            values = yaml.safe_dump(image_values(own))
            paths.image_values.write_text(values, encoding="utf-8")
        copy_program(paths.checkout, paths.project)
        env = environment(
            paths.folder,
            clusters.kubeconfig,
            tools.pulumi_path,
            own_build=tools.pulumi.is_relative_to(cache_root()),
            helm=tools.helm,
        )
        announced.install(paths.project)
        env["DUALREGION_PROJECT"] = str(paths.project)
        env["DUALREGION_OPERATOR"] = announced.OPERATOR
        _write_env_file(env, paths)
        if not self._foreign:
            # The administrator's: whatever does not go by the stacks' own finds none.
            env["KUBECONFIG"] = str(paths.folder / "no-kubeconfig")
        if self._settings.stacks_at_once:
            # Without the files beside each state, which are of no use, and which a reader may find half written.
            env["PULUMI_BACKEND_URL"] += "?metadata=skip"
        if seconds := self._settings.clock_skew:
            env = skewed(env, seconds)
        stacks = Stacks(tools.pulumi, paths.project, env, paths.logs, self._progress.write)
        stacks.create([region.stack for region in REGIONS])
        together(*(partial(self._configure, stacks, region) for region in REGIONS))
        self._results.versions["pulumi"] = stacks.version()
        self._results.versions["python"] = platform.python_version()
        return stacks

    def _configure(self, stacks: Stacks, region: Region) -> None:
        config = self._foreign.config if self._foreign else stack_config
        wanted = config(self._settings, self._paths, region) | announced.config()
        stacks.configure(region.stack, wanted)
        if not self._foreign:
            stacks.configure_secrets(region.stack, STACK_SECRETS)

    def _end_commands(self, _: bool) -> None:
        """End what an interruption has left running: nothing may be worked on while it is taken down."""
        if self._ctx:
            self._ctx.stacks.close()

    def _end_measuring(self, _: bool) -> None:
        if self._ctx:
            self._ctx.end_load()
        self._memory.stop()
        self._results.peak_memory_gib = self._memory.peak_gib
        self._results.peak_machine_memory_gib = self._memory.peak_machine_gib

    def _read_audit(self, _: bool) -> None:
        if self._ctx:
            for region in REGIONS:
                self._ctx.read_audit(region)

    def _remove_all(self, _: bool) -> None:
        if self._settings.keep:
            self._progress.write("Everything stays up (--keep)")
            return
        with self._progress.stage("Taking everything down"):
            self._sandbox_down()
            left = self._pair_down()
            left += self._own.end_all(_PLUGINS_END_SECONDS)
            left += leftovers(self._paths.sandbox, self._sandbox.id)
            for folder in (self._paths.backup, temporary_files(self._paths.folder)):
                shutil.rmtree(folder, ignore_errors=True)
            self._results.checks.append(checks.nothing_left(left))

    def _pair_down(self) -> list[str]:
        """Empty the drill's namespaces in clusters of others; return what is left there."""
        if self._pair is None:
            return []
        self._pair.down()
        return self._pair.left()

    def _sandbox_down(self) -> None:
        """Take the sandbox down, again if need be: another Ctrl-C also ends the command it just runs.

        What resists to the last is left to the check for leftovers, which names it.
        """
        for _ in range(_DOWN_TRIES):
            try:
                self._sandbox.down()
                return
            except SandboxError as error:
                self._progress.write(f"  {error}")

    def _keep_evidence(self, failed: bool) -> None:
        """After a failure, copy the regions' and the pods' logs, which are gone with the sandbox otherwise."""
        if not failed and all(check.ok for check in self._results.checks):
            return
        kept = []
        for region in self._sandbox.regions:
            for folder in (region.logs, region.folder / "pod-logs"):
                if folder.is_dir():
                    target = self._paths.logs / region.name / folder.name
                    kept.append(shutil.copytree(folder, target, dirs_exist_ok=True))
        if kept:
            self._progress.write(f"  the regions' and pods' logs are kept in {self._paths.logs}")


def clear(paths: Paths, progress: Progress) -> None:
    """Take down what an earlier drill kept or, killed, left behind, and empty the drill's folder.

    :raises SandboxError: something of it resists.
    """
    sandbox = Sandbox(None, paths.sandbox, progress.console)
    sandbox.down()
    OwnProcesses(str(paths.folder), sandbox.id).end_all()
    for path in paths.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in ("lock", "drill.log"):
            path.unlink()
    paths.logs.mkdir()


def share_backup(paths: Paths, *, own_engine: bool = False) -> None:
    """Make the folder that both regions' search engines mount, and the values that mount it."""
    paths.backup.mkdir()
    os.chown(paths.backup, _SEARCH_ENGINE_USER, _SEARCH_ENGINE_USER)
    values = backup_values(paths.backup, own_engine=own_engine)
    paths.backup_values.write_text(yaml.safe_dump(values), encoding="utf-8")


def write_delay(settings: DrillSettings, paths: Paths) -> None:
    """Write the values with which brokers start late, if they are to."""
    if settings.start_delay:
        others = [each for each in values_files(settings, paths) if each.exists()]
        documents = (yaml.safe_load(each.read_text(encoding="utf-8")) for each in others)
        values = delayed(documents, settings.start_delay)
        paths.delay_values.write_text(yaml.safe_dump(values), encoding="utf-8")


def write_counts(settings: DrillSettings, paths: Paths) -> None:
    """Write the values with which there are several gateways or nodes of the search engine, if there are to be."""
    if values := counts(settings):
        paths.count_values.write_text(yaml.safe_dump(values), encoding="utf-8")


def _machine() -> dict[str, object]:
    return {
        "cpus": psutil.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / 1024**3, 1),
        "kernel": platform.release(),
        "loadAverageAtStart": round(psutil.getloadavg()[0], 2),
    }


def _write_env_file(env: dict[str, str], paths: Paths) -> None:
    """Write what a shell needs to work on a kept drill: `. out/drill/env.sh`."""
    names = [
        name
        for name in env
        if name.startswith(("PULUMI_", "DUALREGION_")) or name in ("KUBECONFIG", "PATH")
    ]
    lines = [f"export {name}={shlex.quote(env[name])}\n" for name in sorted(names)]
    (paths.folder / "env.sh").write_text("".join(lines))
