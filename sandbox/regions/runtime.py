"""Carrying out a region's plan: start, wait, and take away."""

import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from sandbox.errors import SandboxError
from sandbox.patience import allowed
from sandbox.progress import Progress
from sandbox.regions import machine, seed
from sandbox.regions.cluster import CLUSTER_ERRORS, Cluster
from sandbox.regions.host import cgroups, commands, network, probes, processes
from sandbox.regions.model import File, FileThere, Place, Process, Region
from sandbox.regions.parts import pki, storage, syncing
from sandbox.regions.parts.access import Credentials
from sandbox.regions.plan import Plan

POLL_SECONDS = 0.1
START_SECONDS = 120.0
"""How long one thing may be waited for at the start. It takes a few seconds on an idle machine; 20 times that
says that it will not come."""
_ADDED_SECONDS = 10.0
END_SECONDS = 60.0
"""How long killed processes may need to be gone: big ones give back their memory first, on a machine that is busy
with the other region."""


class Interrupted(SandboxError):
    """The start of this region was given up because the other one's failed."""


def prepare(region: Region) -> Credentials:
    """Make folders, control group, network namespace and certificates; return the administrator's."""
    for folder in (region.folder, region.logs, region.folder / "pids"):
        folder.mkdir(parents=True, exist_ok=True)
    power_on(region)
    return pki.create(region)


def power_on(region: Region) -> None:
    """Make what a region has besides its disks: sockets, control group and network namespace."""
    region.run_folder.mkdir(exist_ok=True)
    machine.make_mount_places(region)
    cgroups.create(region.cgroup)
    commands.run(
        ["ip", "netns", "add", region.netns],
        f"make the network namespace {region.netns}",
        remedy="It needs root and a kernel with network namespaces; in a container, run it privileged.",
    )
    machine.ip_batch(region, network.namespace_batch(region), "set up the region's network")
    probes.in_netns(region.netns, _forward_packets)


def remove(region: Region) -> None:
    """Remove everything of the region that is left, in whatever state it is.

    :raises SandboxError: something resists; run again.
    """
    power_off(region)
    machine.remove_tree(region.folder)


def power_off(region: Region) -> None:
    """Remove everything of the region but its disks: what a power cut leaves nothing of.

    :raises SandboxError: something resists; run again.
    """
    cgroups.empty(region.cgroup, allowed(END_SECONDS))
    processes.forget(region)
    machine.remove_netns(region.netns)
    machine.remove_tree(region.run_folder)
    cgroups.remove(region.cgroup, allowed(END_SECONDS))


def keep_logs(region: Region, target: Path) -> Path:
    """Copy the region's logs to a folder of its name below `target` and return that folder."""
    kept = target / region.name
    shutil.rmtree(kept, ignore_errors=True)
    if region.logs.is_dir():
        shutil.copytree(region.logs, kept)
    return kept


def add(region: Region, process: Process, seconds: float = _ADDED_SECONDS) -> None:
    """Start another process of a region that runs, and wait until it is ready.

    :param seconds: how long it may take on a quick machine.
    :raises SandboxError: the region is lost, or the process ended or did not become ready; it is gone then.
    """
    if not cgroups.processes(region.cgroup):
        raise SandboxError(f"{region.name} is lost.")
    if isinstance(process.ready, FileThere):
        process.ready.path.unlink(missing_ok=True)
    _write(process.files)
    processes.start(region, process)
    deadline = time.monotonic() + allowed(seconds)
    while seen := _unready(region, process):
        if process.name in processes.ended(region) or time.monotonic() > deadline:
            processes.end(region, process.name)
            lines = processes.last_lines(region, process.name)
            raise SandboxError(
                f"{process.name} of {region.name}: {seen}. Its last log lines:\n{lines}"
            )
        time.sleep(POLL_SECONDS)


def _unready(region: Region, process: Process) -> str | None:
    """Return what is missing until a process is ready, asked from its own network namespace; None if nothing is."""
    probe = process.ready
    if probe is None:
        return None
    if process.place is Place.MACHINE:
        return probes.unready(probe)
    return probes.in_netns(region.netns, lambda: probes.unready(probe))


class Start:
    """The start of one region that is prepared.

    :param plan: what is started.
    :param kubeconfig: names the region's API server.
    :param abort: set by another thread to give up waiting.
    """

    def __init__(self, plan: Plan, kubeconfig: Path, progress: Progress, abort: Event) -> None:
        self._plan = plan
        self._region = plan.region
        self._cluster = Cluster(kubeconfig, plan.region)
        self._progress = progress
        self._abort = abort

    def run(self) -> None:
        """Start everything of the plan and wait until the region can be worked with.

        :raises SandboxError: something failed, or did not become ready; says what, with its last log lines.
        """
        plan, region = self._plan, self._region
        _write(plan.files)
        if plan.image_seed:
            seed.copy(plan.image_seed, region.containerd_root)
            self._progress.say("container images are in place", region.name)
        *first, last = plan.waves
        for wave in first:
            self._start(wave)
        if plan.manifests:
            self._apply(plan.manifests)
        self._start(last)
        self._wait_for_cluster()
        (region.folder / "complete").touch()
        self._progress.say("[green]region is ready[/green]", region.name)

    def _start(self, wave: tuple[Process, ...]) -> None:
        for process in wave:
            for folder in process.folders:
                folder.mkdir(parents=True, exist_ok=True)
            _write(process.files)
            processes.start(self._region, process)
        for process in wave:
            self._wait_for_process(process)
        names = ", ".join(process.name for process in wave)
        self._progress.say(f"started {names}", self._region.name)

    def _wait_for_process(self, process: Process) -> None:
        self._wait(process.name, partial(_unready, self._region, process), blame=process.name)

    def _apply(self, manifests: tuple[dict[str, Any], ...]) -> None:
        system = syncing.NAMESPACE
        # The API server makes it by itself, a moment after it says that it is ready.
        self._wait(
            f"the namespace {system}",
            _answered(lambda: None if self._cluster.has_namespace(system) else "not there"),
            "kube-apiserver",
        )
        try:
            self._cluster.create(manifests)
        except CLUSTER_ERRORS as error:
            raise SandboxError(
                f"The API server of {self._region.name} refused the objects of storage or DNS: {error}"
            ) from error

    def _wait_for_cluster(self) -> None:
        cluster, has_node = self._cluster, self._plan.has_node
        namespaces = ("default", storage.NAMESPACE) if has_node else ("default",)
        questions: list[tuple[str, Callable[[], str | None], str]] = [
            (
                "the default service accounts",
                lambda: _missing(cluster.without_default_account(namespaces)),
                "kube-controller-manager",
            )
        ]
        if has_node:
            storage_class = storage.STORAGE_CLASS
            questions += [
                ("the node", cluster.node_unready, "kubelet"),
                (
                    f"the StorageClass {storage_class}",
                    lambda: None if cluster.has_storage_class(storage_class) else "not there",
                    "kube-apiserver",
                ),
            ]
        for what, question, blame in questions:
            self._wait(what, _answered(question), blame)

    def _wait(self, what: str, question: Callable[[], str | None], blame: str) -> None:
        """Ask until the answer is None; a process that has ended meanwhile, or the deadline, is an error."""
        region = self._region
        limit = allowed(START_SECONDS)
        deadline = time.monotonic() + limit
        while (seen := question()) is not None:
            if self._abort.is_set():
                raise Interrupted(f"The start of {region.name} was given up.")
            for name in processes.ended(region):
                raise SandboxError(
                    f"{name} of {region.name} ended while {what} was waited for. Its last log lines:\n"
                    f"{processes.last_lines(region, name)}"
                )
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"{what} of {region.name} was not ready within {limit:.0f} s; last seen: {seen}. "
                    f"Last log lines of {blame}:\n{processes.last_lines(region, blame)}"
                )
            time.sleep(POLL_SECONDS)


def _forward_packets() -> None:
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _write(files: tuple[File, ...]) -> None:
    for file in files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file.mode)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(file.text)


def _missing(names: list[str]) -> str | None:
    return f"missing in {', '.join(names)}" if names else None


def _answered(question: Callable[[], str | None]) -> Callable[[], str | None]:
    """Take a refused or unanswered request for an answer to wait on."""

    def ask() -> str | None:
        try:
            return question()
        except CLUSTER_ERRORS as error:
            return str(error)

    return ask
