"""The sandbox: two regions, and what can be done to them."""

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, RLock
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console

from sandbox.errors import SandboxError
from sandbox.patience import allowed
from sandbox.progress import Progress
from sandbox.regions import machine, runtime, status
from sandbox.regions.cluster import CLUSTER_ERRORS, Cluster
from sandbox.regions.host import cgroups, commands, network, processes
from sandbox.regions.model import NAMES, Region, regions
from sandbox.regions.parts import access, dns
from sandbox.regions.parts.access import Credentials
from sandbox.regions.parts.delays import Delayed, delay, process_name
from sandbox.regions.plan import Plan, plan
from sandbox.regions.runtime import END_SECONDS

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools


class Sandbox:
    """Two real one-node Kubernetes regions on this machine, joined by a link.

    All state lies in `root` and in what the kernel knows by the sandbox's id, so any later command, also after
    a crash, finds what there is.

    :param tools: the binaries to run; None for one that only looks (`status`) and removes (`down`).
    :param root: state folder, made by `up` and removed by `down`; one sandbox a folder.
    :param console: where progress is shown; None for standard error.
    """

    def __init__(self, tools: "Tools | None", root: Path, console: Console | None = None) -> None:
        self._tools = tools
        self._root = root.resolve()
        self._console = console or Console(stderr=True)
        self._turn = RLock()
        self.regions = regions(self._root)
        self.id = self.regions[0].sandbox_id
        self.kubeconfig = self._root / "kubeconfig"
        self._record = self._root / "sandbox.json"
        self.logs = self._root.parent / f"{self._root.name}-logs"

    # --- commands --------------------------------------------------------------------------------------

    def up(self, nodes: bool = True, dns_chain: bool = True, images: Path | None = None) -> None:
        """Start both regions and wait until both can be worked with; a sandbox that runs is left as it is.

        :param nodes: False starts only API server, etcd and controller manager of each: quick, but no pod runs.
        :param dns_chain: False leaves it to other means that the regions resolve each other's names; those that
            are recreated, too.
        :param images: containerd's root folder with the images, instead of the set-up's own; also of regions that
            are recreated.
        :raises SandboxError: the machine lacks something, or a region did not start; its logs are kept then,
            and nothing else is.
        """
        with self._working(demanded=False) as progress:
            if self._is_up(nodes, dns_chain, images):
                progress.say(f"the sandbox is up already; kubeconfig: {self.kubeconfig}")
                return
            if self._traces():
                progress.say("clearing what an interrupted command left")
                self._remove(progress)
            if nodes:
                machine.check_space(self._root)
                self._check_overlay()
            made = {"nodes": nodes, "dnsChain": dns_chain, "images": images and str(images)}
            self._start(self.regions, made, progress)
            self._write(self._record, json.dumps(made))
            progress.say(f"[green]the sandbox is up[/green]; export KUBECONFIG={self.kubeconfig}")

    def down(self) -> None:
        """Remove the sandbox and all its traces, in whatever state it is.

        :raises SandboxError: a process or a mount resists; run it again.
        """
        with self._working(demanded=False) as progress:
            if not self._traces():
                progress.say("no sandbox of this checkout is there")
                return
            self._remove(progress)
            progress.say("the sandbox is gone")

    def status(self) -> status.SandboxStatus:
        """Return what there is now, asked of the machine and of the API servers.

        :raises SandboxError: not root.
        """
        machine.check(self._root)
        return status.observe(self.regions, self.kubeconfig)

    def lose(self, region: int) -> float:
        """Lose a region without warning: its network first, then every process of it at once, then its disks.

        :param region: 0 (london) or 1 (paris).
        :returns: the moment of the loss, in seconds since the epoch.
        :raises SandboxError: there is no such region, or it is lost already.
        """
        lost = self._region(region)
        with self._working() as progress:
            if not cgroups.processes(lost.cgroup):
                raise SandboxError(
                    f"{lost.name} is lost already. `python -m sandbox recreate {lost.name}` recreates it."
                )
            moment = time.time()
            # A dying kernel would still tell every peer that its connection ends; a lost region tells nothing.
            if status.link_state(self.regions) == "up":
                machine.ip_batch(lost.other, network.cut_batch(lost.other), "cut the link")
            count = cgroups.kill(lost.cgroup)
            seconds = time.time() - moment
            progress.say(f"lost: {count} processes killed within {seconds:.3f} s", lost.name)
            runtime.remove(lost)
            progress.say("its disks are gone", lost.name)
        return moment

    def recreate(self, region: int) -> None:
        """Recreate a lost region: an empty cluster, at another port, with another certificate authority.

        :raises SandboxError: the region is not lost, or did not start; its logs are kept then.
        """
        new = self._region(region)
        with self._working() as progress:
            if cgroups.processes(new.cgroup) and (new.folder / "complete").exists():
                raise SandboxError(
                    f"{new.name} is not lost. Only a lost region can be recreated: "
                    f"`python -m sandbox lose {new.name}` loses it, with all its data."
                )
            runtime.remove(new)
            self._start((new,), self._made(), progress)

    def power_cycle(self, region: int) -> None:
        """Take a region's power away without warning, and start it again on the disks that it had.

        Every process of it is killed at once, and what stands in the kernel alone goes: network, connections, mounts.
        Its address, certificates and objects stay, and its pods start again by themselves.

        :param region: 0 (london) or 1 (paris).
        :raises SandboxError: no such region, it is lost, or it did not start again.
        """
        which = self._region(region)
        with self._working() as progress:
            if not cgroups.processes(which.cgroup):
                raise SandboxError(f"{which.name} is lost: it has no disks to start on.")
            link = status.link_state(self.regions)
            if link == "up":  # as in a loss: it tells its peers nothing
                machine.ip_batch(which.other, network.cut_batch(which.other), "cut the link")
            count = cgroups.kill(which.cgroup)
            progress.say(f"without power: {count} processes killed", which.name)
            runtime.power_off(which)
            runtime.power_on(which)
            self._start_on_its_disks(which, progress)
            self._make_link()
            if link == "cut":
                for each in self.regions:
                    machine.ip_batch(each, network.cut_batch(each), "keep the link cut")

    def restart(self, region: int, process: str) -> None:
        """Kill a process of a region, and start it again, as a machine's supervisor does.

        :param region: 0 (london) or 1 (paris).
        :param process: its name, such as `kube-apiserver`.
        :raises SandboxError: no such region or process, it is lost, or the process did not start again; it is gone then.
        """
        where = self._region(region)
        with self._working() as progress:
            known = {each.name: each for wave in self._on_its_disks(where).waves for each in wave}
            if process not in known:
                raise SandboxError(f"{where.name} runs no {process}, but {', '.join(known)}.")
            processes.end(where, process)
            runtime.add(where, known[process], runtime.START_SECONDS)
            progress.say(f"{process} was killed, and runs again", where.name)

    def cut_link(self) -> None:
        """Cut the link between the regions: each lives on, packets to the other vanish.

        :raises SandboxError: a region is lost, so there is no link.
        """
        self._change_link("cut", network.cut_batch)

    def restore_link(self) -> None:
        """Restore the link between the regions.

        :raises SandboxError: a region is lost, so there is no link.
        """
        self._change_link("restored", network.restore_batch)

    def slow(self, region: int, namespace: str, pod: str, cores: float | None) -> None:
        """Give a pod less CPU time from now on, or, with None, as much as it had.

        It lasts until the pod is replaced.

        :param region: 0 (london) or 1 (paris).
        :param namespace: the pod's.
        :param pod: its name.
        :param cores: how many CPUs' worth of time it gets, e.g. 0.05; above 0.
        :raises SandboxError: no such region or pod, or it has no container yet.
        """
        if cores is not None and cores <= 0:
            raise SandboxError(f"{cores} CPUs are none: give a number above 0, such as 0.05.")
        where = self._region(region)
        with self._working() as progress:
            uid = self._pod_uid(where, namespace, pod)
            if not uid or not cgroups.limit_cpu(where.cgroup, uid, cores):
                raise SandboxError(
                    f"{where.name} runs no pod {pod} in namespace {namespace}. "
                    f"`kubectl --context {where.context} -n {namespace} get pods` shows those that it has."
                )
            how = "as much CPU time as it had" if cores is None else f"{cores:g} CPUs"
            progress.say(f"{namespace}/{pod} gets {how}", where.name)

    def impair_link(self, region: int, verdict: str) -> None:
        """Do something to all packets that leave a region by the link, until it is called again or the region is lost.

        :param region: 0 (london) or 1 (paris).
        :param verdict: of a rule of `nft`, such as `drop`; empty to let all pass again.
        :raises SandboxError: no such region, or it is lost.
        """
        where = self._region(region)
        with self._working() as progress:
            rules = network.impairment(where, verdict)
            inside = ["nsenter", f"--net=/run/netns/{where.netns}", "--", "nft", "-f", "-"]
            commands.run(inside, f"change what leaves {where.name} by the link", rules)
            progress.say(f"what leaves by the link: {verdict or 'passes again'}", where.name)

    def hold_names(self, region: int, names: Mapping[str, str]) -> None:
        """Let a region's DNS give certain addresses for names, until it is called again or its Corefile is changed.

        :param region: 0 (london) or 1 (paris): who asks there, or asks by the other region's DNS, is told so.
        :param names: name -> address; none for those that the names have.
        :raises SandboxError: no such region, or it has no DNS.
        """
        where = self._region(region)
        with self._working():
            path = dns.corefile_path(where)
            self._write(path, dns.holding(path.read_text(), names))
            self._signal(where, dns.COREDNS, signal.SIGUSR1)

    def delay(self, region: int, what: Delayed, milliseconds: int) -> None:
        """Let something come late, until it is called again, the region is lost, or, of the link, the other one is.

        :param region: 0 (london) or 1 (paris): where it comes late.
        :param what: that.
        :param milliseconds: by how much; 0 for not any more.
        :raises SandboxError: no such region, it is lost, or its kernel cannot hold packets back.
        """
        where = self._region(region)
        with self._working() as progress:
            processes.end(where, process_name(what))
            if milliseconds:
                runtime.add(where, delay(where, self._needed_tools(), what, milliseconds))
            progress.say(f"{what} comes {milliseconds} ms late", where.name)

    def freeze(self, region: int, process: str, *, frozen: bool) -> None:
        """Stop a process of a region without ending it, as if it hung; or let it go on.

        :param region: 0 (london) or 1 (paris).
        :param process: its name, such as `kube-apiserver`.
        :raises SandboxError: no such region, or it has no such process.
        """
        self._signal(self._region(region), process, signal.SIGSTOP if frozen else signal.SIGCONT)

    # --- parts -----------------------------------------------------------------------------------------

    def _signal(self, region: Region, process: str, number: signal.Signals) -> None:
        pid = processes.pid(region, process)
        if pid not in cgroups.processes(region.cgroup):
            raise SandboxError(f"{region.name} runs no {process}.")
        os.kill(pid, number)

    @contextmanager
    def _working(self, *, demanded: bool = True) -> Iterator[Progress]:
        """Hold the sandbox for a command; another thread of this process waits for its turn.

        :param demanded: whether it must be there.
        :raises SandboxError: it is not, another command holds it, or this machine cannot have one.
        """
        machine.check(self._root)
        with self._turn, machine.locked(self._root):
            if demanded and not self._record.exists():
                raise SandboxError(
                    "No sandbox of this checkout is up. Start one with `python -m sandbox up`."
                )
            yield Progress(self._console)

    def _change_link(self, what: str, batch: "network.Batch") -> None:
        with self._working() as progress:
            if status.link_state(self.regions) == "none":
                lost = next(each.name for each in self.regions if not machine.has_netns(each.netns))
                raise SandboxError(
                    f"There is no link while {lost} is lost. `python -m sandbox recreate {lost}` makes both."
                )
            for region in self.regions:
                machine.ip_batch(region, batch(region), "change the link")
            progress.say(f"the link is {what}")

    def _pod_uid(self, region: Region, namespace: str, pod: str) -> str | None:
        try:
            return Cluster(self.kubeconfig, region).pod_uid(namespace, pod)
        except CLUSTER_ERRORS as error:
            raise SandboxError(
                f"The API server of {region.name} does not answer: {error}. `python -m sandbox status` tells more."
            ) from error

    def _check_overlay(self) -> None:
        try:
            machine.check_overlay(self._root)
        except BaseException:
            self._remove_root()
            raise

    def _start(self, which: tuple[Region, ...], made: dict[str, Any], progress: Progress) -> None:
        """Start the given regions, side by side, and their link; take them away again when one fails."""
        try:
            self._start_all(which, made, progress)
        except BaseException as error:
            self._give_up(which, error, progress)
            if isinstance(error, OSError):
                raise SandboxError(f"The sandbox could not be started: {error}.") from error
            raise

    def _give_up(self, which: tuple[Region, ...], error: BaseException, progress: Progress) -> None:
        """Keep the logs and remove what was started."""
        kept = " and ".join(str(runtime.keep_logs(region, self.logs)) for region in which)
        how = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        progress.say(f"[red]{how}; cleaning up; logs are kept in {kept}[/red]")
        try:
            if len(which) == len(self.regions):
                self._remove(progress)
            for region in which:
                runtime.remove(region)
        except SandboxError as second:
            raise SandboxError(f"{error}\nCleaning up failed too: {second}") from error

    def _start_all(
        self, which: tuple[Region, ...], made: dict[str, Any], progress: Progress
    ) -> None:
        tools = self._needed_tools()
        if made["images"]:
            tools = replace(tools, image_seed=Path(made["images"]))
        former = (access.port_in(self._read_kubeconfig(), region) for region in self.regions)
        taken = {port for port in former if port is not None}
        plans = []
        for region in which:
            credentials = runtime.prepare(region)
            port = machine.free_port(taken)
            taken.add(port)
            self._publish(region, port, credentials)
            plans.append(plan(region, tools, port, made["nodes"], made["dnsChain"]))
        self._make_link()
        progress.say("networks, link and certificates are made")
        abort = Event()
        starts = [runtime.Start(each, self.kubeconfig, progress, abort) for each in plans]
        with ThreadPoolExecutor(max_workers=len(starts)) as pool:
            try:
                _first_failure([pool.submit(start.run) for start in starts])
            finally:
                abort.set()

    def _start_on_its_disks(self, region: Region, progress: Progress) -> None:
        """Start all processes of a region that was complete."""
        runtime.Start(self._on_its_disks(region), self.kubeconfig, progress, Event()).run()

    def _on_its_disks(self, region: Region) -> Plan:
        """Return the plan of a region that was complete: its images and objects are there."""
        made, port = self._made(), access.port_in(self._read_kubeconfig(), region)
        if port is None:
            raise SandboxError(f"{self.kubeconfig} does not name {region.name} any more.")
        whole = plan(region, self._needed_tools(), port, made["nodes"], made["dnsChain"])
        return replace(whole, image_seed=None, manifests=())

    def _make_link(self) -> None:
        if not all(machine.has_netns(region.netns) for region in self.regions):
            return  # the other region is lost too; recreating it makes the link
        for region in filter(status.has_link_end, self.regions):
            with suppress(SandboxError):  # it has gone by itself meanwhile
                machine.ip_batch(region, network.drop_batch(region), "remove the former link")
        commands.run(
            ["ip", "-batch", "-"],
            "make the link between the regions",
            network.link_command(self.regions[0]),
            remedy="It needs a kernel with veth devices (modprobe veth).",
        )
        for region in self.regions:
            machine.ip_batch(region, network.link_end_batch(region), "set up the link")

    def _publish(self, region: Region, port: int, credentials: Credentials) -> None:
        config = access.kubeconfig_with(self._read_kubeconfig(), region, port, credentials)
        self._write(self.kubeconfig, yaml.safe_dump(config, sort_keys=False))

    def _read_kubeconfig(self) -> dict[str, Any]:
        try:
            return yaml.safe_load(self.kubeconfig.read_text()) or {}
        except FileNotFoundError:
            return {}

    def _write(self, path: Path, text: str) -> None:
        """Write for the owner only, and at once: a reader sees the old file or the new one."""
        new = path.with_name(f".{path.name}.new")
        new.touch(mode=0o600)
        new.write_text(text)
        os.replace(new, path)

    def _remove(self, progress: Progress) -> None:
        for region in self.regions:
            cgroups.kill(region.cgroup)
        for region in self.regions:
            runtime.remove(region)
            progress.say("removed", region.name)
        cgroups.empty(f"/{self.id}", allowed(END_SECONDS))
        cgroups.remove(f"/{self.id}", allowed(END_SECONDS))
        for name in machine.netns_names(self.id):
            machine.remove_netns(name)
        for mount in machine.mounts_of(self.id, self._root):
            commands.run(["umount", "--lazy", mount], f"unmount {mount}")
        machine.remove_mount_places()
        self._remove_root()

    def _remove_root(self) -> None:
        # by name: whatever else was put into the folder is not ours
        for name in ("kubeconfig", ".kubeconfig.new", "sandbox.json", ".sandbox.json.new"):
            (self._root / name).unlink(missing_ok=True)
        machine.remove_tree(self._root / "overlay-trial")
        if self._root.is_dir() and not any(self._root.iterdir()):
            self._root.rmdir()

    def _traces(self) -> bool:
        """Say whether anything of the sandbox is there, remembered or not."""
        return (
            cgroups.exists(f"/{self.id}")
            or bool(machine.netns_names(self.id))
            or any(region.run_folder.exists() or region.folder.exists() for region in self.regions)
            or self._root.exists()
        )

    def _is_up(self, nodes: bool, dns_chain: bool, images: Path | None) -> bool:
        """Say whether the sandbox runs as asked.

        :raises SandboxError: it runs otherwise: without what is asked for, or with a region lost.
        """
        if not self._record.exists():
            return False
        living = [region for region in self.regions if cgroups.processes(region.cgroup)]
        if not living:
            return False
        made = self._made()
        differs = {
            "without nodes": nodes and not made["nodes"],
            "with its own DNS chain": made["dnsChain"] and not dns_chain,
            "without its own DNS chain": dns_chain and not made["dnsChain"],
            "with other images": made["images"] != (images and str(images)),
        }
        for how in (how for how, is_so in differs.items() if is_so):
            raise SandboxError(
                f"The sandbox is up {how}. `python -m sandbox down` removes it, then start it again."
            )
        for region in self.regions:
            if region not in living or not (region.folder / "complete").exists():
                raise SandboxError(
                    f"The sandbox is up, but {region.name} is lost. Recreate it with "
                    f"`python -m sandbox recreate {region.name}`, or start over with `python -m sandbox down`."
                )
            for name in processes.ended(region):
                raise SandboxError(
                    f"The sandbox is up, but {name} of {region.name} has ended. Its last log lines:\n"
                    f"{processes.last_lines(region, name)}\nStart over with `python -m sandbox down`."
                )
        return True

    def _made(self) -> dict[str, Any]:
        """Return how `up` has made the sandbox."""
        remembered = json.loads(self._record.read_text())
        return {"dnsChain": True, "images": None, **remembered}

    def _region(self, index: int) -> Region:
        if index not in (0, 1):
            raise SandboxError(
                f"There is no region {index}. Regions are 0 ({NAMES[0]}) and 1 ({NAMES[1]})."
            )
        return self.regions[index]

    def _needed_tools(self) -> "Tools":
        if self._tools is None:
            raise SandboxError("The sandbox's tools are not there. Run `make setup`.")
        return self._tools


def _first_failure(futures: "list[Future[None]]") -> None:
    """Wait for all of them; raise what failed first, as soon as it fails."""
    for done in as_completed(futures):
        done.result()
