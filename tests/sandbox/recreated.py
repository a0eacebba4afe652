"""Two real regions as step B1 leaves them: a survivor with its failover installation, and a recreated region.

All three installations are made at once, with the values of the program itself: quicker than a loss, a failover
and a recreation, and the same brokers and search engines for what comes next.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from clients.cluster.kubernetes import Cluster
from clients.files import read_values
from drill.observation.cluster import ClusterView
from drill.observation.load.process import LoadProcess
from drill.observation.records import record_ids
from drill.processes import MARK, end_marked
from drill.regions import REGIONS, Region
from drill.settings import STACK_SECRETS, DrillSettings, Paths, stack_config
from drill.testbed.lifecycle import share_backup
from dualregion.chart import installations, values
from dualregion.config.settings import Settings
from dualregion.procedure import FAIL_BACK, Role
from dualregion.procedure.topology import Installation, Topology
from dualregion.procedure.versions import VERSIONS
from dualregion.state.progress import Incident
from sandbox.patience import allowed
from sandbox.regions import Sandbox
from sandbox.setup import tools
from sandbox.versions import OLDEST, shape_of
from steps import failback
from steps.context import StepContext

LONDON, PARIS = REGIONS
LOST = PARIS.index
ENGINE_POD = "camunda-elasticsearch-master-0"
_LOAD_RATE = 15.0
"""So slow that exporters flush for their delay, and not because a bulk is full."""
_SLOW_FLUSH = {VERSIONS["8.5"].exporter.variable(LONDON.index, "ARGS_BULK_DELAY"): "20"}
"""The survivor's exporter keeps records for as long as that: what the engines differ by at a pause.

B2 waits for twice as long, and refuses to begin with a deadline that is shorter.
"""
_PATIENCE_SECONDS = allowed(600.0)


@dataclass
class Recreated:
    """The two regions, and what the tests do with them."""

    sandbox: Sandbox
    paths: Paths
    said: list[str] = field(default_factory=list)

    def ctx(self, region: Region, deadline: int = 300) -> StepContext:
        """Return where the steps of a region's stack work."""
        settings = self._settings(region, deadline)
        role = Role.SURVIVOR if region is LONDON else Role.RECREATED
        return StepContext(
            Cluster(str(self.sandbox.kubeconfig), region.context),
            settings,
            Topology(role, tuple(self._installations(region))),
            self._say,
            incident=Incident(1, LOST),
        )

    def view(self, region: Region) -> ClusterView:
        """Return the drill's own look at a region, which shares nothing with the program's."""
        return ClusterView(self.sandbox.kubeconfig, region.context, 60)

    def kubectl(self, region: Region, *arguments: str, given: str = "") -> str:
        """Run kubectl in a region; return what it prints."""
        return self._run([str(tools.load().kubectl), *self._at(region), *arguments], given)

    def logs(self) -> str:
        """Return the last words of each pod: what a test that failed leaves."""
        found = []
        for region in REGIONS:
            for namespace in (region.namespace, region.failover_namespace):
                names = self.kubectl(region, "-n", namespace, "get", "pods", "-o", "name").split()
                for name in names:
                    said = self.kubectl(region, "-n", namespace, "logs", "--tail=40", name)
                    found.append(f"--- {region.city}, {namespace}, {name}\n{said}")
        return "\n".join(found)

    def install(self) -> None:
        """Install everything, and wait until step B1 is proved."""
        for region in REGIONS:
            for each in self._installations(region):
                self._install(region, each)
        failback.join(self.ctx(PARIS, deadline=900))

    @contextmanager
    def load(self) -> Iterator[None]:
        """Create process instances without pause; begin when records have come to both engines."""
        process = LoadProcess(
            tools.load().kubectl,
            self.sandbox.kubeconfig,
            LONDON,
            rate=_LOAD_RATE,
            log=self.paths.folder / "load.jsonl",
            errors=self.paths.folder / "load-errors.log",
        )
        view = self.view(LONDON)
        try:
            for namespace in (LONDON.namespace, LONDON.failover_namespace):
                eventually(lambda namespace=namespace: view.document_count(namespace) > 0)  # type: ignore[misc]
            yield
        finally:
            process.stop()

    def lost_for_good(self) -> set[str]:
        """Return which records the failover engine holds and the recreated one never gets.

        The exporters of the recreated engine go on where those of the failover engine have stopped.
        """
        view = self.view(LONDON)
        eventually(unchanging(lambda: view.document_count(LONDON.failover_namespace)))
        kept = set(record_ids(self.view(PARIS), PARIS.namespace, self._say))
        return set(record_ids(view, LONDON.failover_namespace, self._say)) - kept

    def _settings(self, region: Region, deadline: int) -> Settings:
        config = nested(
            stack_config(DrillSettings(lost=(LOST,)), self.paths, region) | STACK_SECRETS
        )
        return Settings.parse(
            {
                **config,
                "phase": "failback-pending",
                "lostRegion": str(LOST),
                "deadlineSeconds": round(allowed(deadline)),
                "kubeconfig": str(self.sandbox.kubeconfig),
            }
        )

    def _installations(self, region: Region) -> Sequence[Installation]:
        return [_flushing_late(each) for each in self._specs(region)]

    def _specs(self, region: Region) -> Sequence[Installation]:
        settings = self._settings(region, 300)
        base = read_values(settings.values, self.paths.checkout)
        if region is LONDON:
            return (
                installations.own(settings, base, replaced_region=LOST),
                installations.failover(settings, base, replaced_region=LOST),
            )
        return (
            installations.own(
                settings,
                base,
                replaced_region=LOST,
                installation_type=FAIL_BACK,
                web_apps=False,
            ),
        )

    def _install(self, region: Region, spec: Installation) -> None:
        self.kubectl(region, "create", "namespace", spec.namespace)
        secret = ("create", "secret", "generic", "elasticsearch-env-secret")
        keys = ("--from-literal=S3_ACCESS_KEY=no", "--from-literal=S3_SECRET_KEY=no")
        self.kubectl(region, "--namespace", spec.namespace, *secret, *keys)
        at = [f"--kubeconfig={self.sandbox.kubeconfig}", f"--kube-context={region.context}"]
        chart = ["install", "camunda", str(shape_of(OLDEST).chart), "--values", "-"]
        argv = [str(tools.load().helm), *at, f"--namespace={spec.namespace}", *chart]
        self._run(argv, yaml.safe_dump(spec.values))

    def _at(self, region: Region) -> list[str]:
        return [f"--kubeconfig={self.sandbox.kubeconfig}", f"--context={region.context}"]

    def _run(self, argv: Sequence[str], given: str) -> str:
        done = subprocess.run(
            argv,
            input=given,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
        return done.stdout

    def _say(self, line: str) -> None:
        self.said.append(line)
        print(line, flush=True)


@contextmanager
def recreated() -> Iterator[Recreated]:
    """Start two regions and install everything; take all away at the end, whatever happened."""
    paths = Paths(name="test-failback")
    made = Recreated(Sandbox(tools.load(), paths.sandbox), paths)
    made.sandbox.down()
    shutil.rmtree(paths.folder, ignore_errors=True)
    paths.folder.mkdir(parents=True)
    os.environ[MARK] = str(paths.folder)
    try:
        made.sandbox.up()
        share_backup(paths)
        made.install()
        yield made
    finally:
        del os.environ[MARK]
        end_marked(MARK, str(paths.folder))
        made.sandbox.down()
        shutil.rmtree(paths.folder)


def _flushing_late(spec: Installation) -> Installation:
    zeebe = spec.values["zeebe"]
    late = {**zeebe, "env": values.set_env(zeebe["env"], _SLOW_FLUSH)}
    return replace(spec, values={**spec.values, "zeebe": late})


def unchanging(count: Callable[[], int]) -> Callable[[], bool]:
    """Return a question: whether a number has not changed for longer than exporters take to write their buffers."""
    last, since = -1, time.monotonic()

    def asked() -> bool:
        nonlocal last, since
        now = count()
        if now != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since >= 6.0

    return asked


def eventually(question: Callable[[], object]) -> None:
    """Wait until the answer is true; a call that fails is no answer."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    last: object = None
    while not last or isinstance(last, Exception):
        assert time.monotonic() < deadline, f"never became true: {question}, last seen: {last}"
        time.sleep(0.5)
        try:
            last = question()
        except Exception as error:
            last = error


def nested(config: Mapping[str, str]) -> dict[str, Any]:
    """Return configuration that is set by paths (`regions[0].name`) as Pulumi gives it to the program."""
    tree: dict[str, Any] = {}
    for path, value in config.items():
        *parents, last = re.findall(r"[^.\[\]]+", path)
        inner = tree
        for each in parents:
            inner = inner.setdefault(each, {})
        inner[last] = value
    found: dict[str, Any] = _listed(tree)
    return found


def _listed(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if all(key.isdigit() for key in tree):
        return [_listed(value) for value in tree.values()]
    return {key: _listed(value) for key, value in tree.items()}
