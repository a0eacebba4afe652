"""The script's side of the race: the procedure's own commands, in files beside this one, and the values that they take.

The script's step marks are read into the same records as those of the program's stacks, so that both are judged alike.
"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial, reduce
from pathlib import Path
from typing import Any

import yaml

from drill.errors import DrillError
from drill.observation.cluster import ClusterView
from drill.own_images import helm_chart
from drill.regions import BROKERS, REGIONS, RELEASE, REPLICATION_FACTOR, Region
from drill.report.report import PhaseTimes, StepTime
from drill.scenario.adopting import helm_install, make_secret, not_whole
from drill.scenario.scenario import note_broker
from drill.settings import BACKUP_LOCATION, SECRET_NAME, Incident, chart_of, values_files
from drill.testbed.context import DrillContext

SCRIPTS = Path(__file__).parent
STACK = "script"
"""What the records of the script's steps name in a stack's place."""
_LONGEST_SECONDS = 900
_MARK = re.compile(r"^@(begin|end|mark) (\S+) (\d+\.\d+)$", re.MULTILINE)
_BASE, _FAILOVER = "camunda-values.yml", "camunda-values-failover.yml"
_CONTACT_POINTS = "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS"
_SEARCH_SERVICE = f"{RELEASE}-elasticsearch-master-hl"

Values = dict[str, Any]


# --- the values, as the guide and its generator have them -------------------------------------------------


def merged(documents: Iterable[Mapping[str, Any]]) -> Values:
    """Return Helm values merged as Helm does it: maps deeply, anything else replaced."""

    def over(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> Values:
        together = dict(base)
        for key, value in overlay.items():
            both = isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
            together[key] = over(base[key], value) if both else value
        return together

    return reduce(over, documents, Values())


def base_values(documents: Iterable[Mapping[str, Any]], size: int, lost: Region | None) -> Values:
    """Return `camunda-values.yml` as the operator has it after pasting what the guide's generator prints.

    :param documents: the values of the set-up, later ones over earlier.
    :param size: brokers of both regions together.
    :param lost: the region whose exporter is pointed at the failover engine; None for the normal set-up.
    """
    values = merged(documents)
    namespaces = [each.namespace for each in REGIONS]
    if lost is not None:
        namespaces[lost.index] = lost.other.failover_namespace
    wanted = {_CONTACT_POINTS: contact_points(size)} | {
        f"ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION{index}_ARGS_URL": (
            f"http://{_SEARCH_SERVICE}.{namespace}.svc.cluster.local:9200"
        )
        for index, namespace in enumerate(namespaces)
    }
    kept = [entry for entry in values["zeebe"]["env"] if entry["name"] not in wanted]
    generated = [{"name": name, "value": value} for name, value in wanted.items()]
    sizes = {"clusterSize": size, "partitionCount": size, "replicationFactor": REPLICATION_FACTOR}
    values["zeebe"] |= {name: str(number) for name, number in sizes.items()}
    values["zeebe"]["env"] = [*kept, *generated]
    return values


def contact_points(size: int) -> str:
    """Return the brokers of both regions, the regions in turn, as the guide's generator lists them."""
    return ",".join(
        f"{BROKERS}-{ordinal}.{BROKERS}.{region.namespace}.svc.cluster.local:26502"
        for ordinal in range(size // len(REGIONS))
        for region in REGIONS
    )


def region_values(region: Region) -> Values:
    """Return what `regionN/camunda-values.yml` adds to the base."""
    return {"global": {"multiregion": {"regionId": region.index}}}


def failover_values(survivor: Region) -> Values:
    """Return what the survivor's `camunda-values-failover.yml` adds to the base."""
    return {
        "global": {
            "multiregion": {"regionId": survivor.other.index, "installationType": "failOver"}
        },
        "operate": {"enabled": False},
        "tasklist": {"enabled": False},
    }


def isolation(lost: Region) -> Values:
    """Return the network policy that the procedure proposes: nothing to or from the lost region's pods."""
    elsewhere = [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [lost.pod_cidr]}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "isolate-lost-region"},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": elsewhere}],
            "egress": [{"to": elsewhere}],
        },
    }


def environment(incident: Incident, size: int, chart: Sequence[str], work: Path) -> dict[str, str]:
    """Return the variables of the procedure's 'Environment prerequisites', for the region that is lost.

    :param work: a folder for temporary files.
    """
    survivor, lost = incident.survivor, incident.lost
    return {
        "CLUSTER_SURVIVING": survivor.context,
        "CLUSTER_RECREATED": lost.context,
        "CAMUNDA_NAMESPACE_SURVIVING": survivor.namespace,
        "CAMUNDA_NAMESPACE_FAILOVER": survivor.failover_namespace,
        "CAMUNDA_NAMESPACE_RECREATED": lost.namespace,
        "REGION_SURVIVING": survivor.stack,
        "REGION_RECREATED": lost.stack,
        "HELM_RELEASE_NAME": RELEASE,
        "HELM_CHART": chart[0],
        "CLUSTER_SIZE": str(size),
        "BACKUP_LOCATION": BACKUP_LOCATION,
        "TMPDIR": str(work),
    }


# --- what a script has told -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """The marks of a script's output, in seconds since the epoch."""

    steps: tuple[StepTime, ...]
    moments: Mapping[str, float]


def told(output: str) -> Told:
    """Return what a script has told of its steps; one that it did not end is left out."""
    begun: dict[str, float] = {}
    moments: dict[str, float] = {}
    steps = []
    for kind, name, text in _MARK.findall(output):
        at = float(text)
        if kind == "begin":
            begun[name] = at
        elif kind == "mark":
            moments[name] = at
        elif name in begun:
            steps.append(_step(name, begun[name], at))
    return Told(tuple(steps), moments)


def _step(name: str, start: float, end: float) -> StepTime:
    first, last = (
        datetime.fromtimestamp(each, UTC).isoformat(timespec="milliseconds")
        for each in (start, end)
    )
    return StepTime(id=name, stack=STACK, seconds=end - start, start=first, end=last)


# --- the run ----------------------------------------------------------------------------------------------


@dataclass
class ByScript:
    """One heat's operator: installs by plain Helm, and takes the procedure's steps by the scripts."""

    ctx: DrillContext
    incident: Incident
    moments: Mapping[str, float] | None = None
    """What the script has marked besides its steps, in seconds since the epoch."""

    @property
    def _folder(self) -> Path:
        return self.ctx.paths.folder / "kubernetes"

    def install(self) -> None:
        """Install both regions by plain Helm, and wait until they work together.

        :raises DrillError: helm failed, or the brokers do not find each other in time.
        """
        ctx = self.ctx
        self._write_values()
        for region in REGIONS:
            with ctx.progress.stage(f"Installing {region.city} by plain helm"):
                self._prepare(region, region.namespace)
                self._prepare(region, region.failover_namespace)
                helm_install(
                    ctx.tools.helm,
                    helm_chart(chart_of(ctx.settings)),
                    [self._folder / _BASE, self._folder / region.stack / _BASE],
                    region=region.index,
                    context=region.context,
                    namespace=region.namespace,
                    env=self._env(),
                )
        with ctx.progress.stage("Waiting until both regions work together"):
            for region in REGIONS:
                ctx.wait(
                    f"every pod of {region.city} is ready and every partition complete",
                    partial(not_whole, ctx, region),
                    ctx.settings.patience.installed,
                )
        note_broker(ctx, self.incident.survivor)

    def fail_over(self) -> None:
        """Take the steps of 'Failover'.

        :raises DrillError: a command failed, or the script hangs.
        """
        self._run("failover")

    def recreated(self) -> None:
        """Make what the guide has before the failback: the Secret in the recreated region."""
        self._prepare(self.incident.lost, self.incident.lost.namespace)

    def fail_back(self) -> None:
        """Take the steps of 'Failback'.

        :raises DrillError: a command failed, or the script hangs.
        """
        episode = self.ctx.results.episodes[-1]
        episode.failback_began = time.monotonic()
        try:
            self._run("failback")
        finally:
            episode.failback_end = time.monotonic()

    def _run(self, phase: str) -> None:
        ctx, stacks = self.ctx, self.ctx.stacks
        began = time.monotonic()
        chart = helm_chart(chart_of(ctx.settings))
        variables = environment(
            self.incident, ctx.settings.cluster_size, chart, Path(stacks.env["TMPDIR"])
        )
        variables |= {name: self._env()[name] for name in ("KUBECONFIG", "PATH")}
        argv = (
            *("env", "-C", str(self._folder), *(f"{k}={v}" for k, v in variables.items())),
            *("timeout", str(_LONGEST_SECONDS), "bash", str(SCRIPTS / f"{phase}.sh")),
        )
        with ctx.progress.stage(f"Phase {phase}: the procedure's own commands, by script"):
            run = stacks.execute(f"script-{phase}", argv)
        found = told(run.output)
        self.moments = {**(self.moments or {}), **found.moments}
        ctx.results.phases.append(
            PhaseTimes(
                name=phase,
                seconds=time.monotonic() - began,
                steps=found.steps,
                incident=self.incident.number,
            )
        )
        if run.exit_status:
            raise DrillError(
                f"the script {phase}.sh ended with exit status {run.exit_status}; all of its output is in {run.log}, "
                f"its last lines:\n{run.last_lines()}"
            )

    def _env(self) -> dict[str, str]:
        """Return the environment of the hand that types: the administrator's, of both clusters."""
        tools, env = self.ctx.tools, self.ctx.stacks.env
        path = f"{tools.helm.parent}:{tools.kubectl.parent}:{env['PATH']}"
        return {**env, "KUBECONFIG": str(self.ctx.clusters.kubeconfig), "PATH": path}

    def _prepare(self, region: Region, namespace: str) -> None:
        """Make a namespace with the engine's Secret, as far as they are not there."""
        view = self.ctx.view(region)
        if namespace not in view.namespaces():
            view.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        if not _has_secret(view, namespace):
            make_secret(self.ctx, region, namespace)

    def _write_values(self) -> None:
        ctx, incident = self.ctx, self.incident
        documents = [
            yaml.safe_load(each.read_text(encoding="utf-8"))
            for each in values_files(ctx.settings, ctx.paths)
        ]
        size = ctx.settings.cluster_size
        normal = base_values(documents, size, None)
        files = {
            _BASE: normal,
            "camunda-values-in-normal.yml": normal,
            "camunda-values-in-failover.yml": base_values(documents, size, incident.lost),
            "isolation.yml": isolation(incident.lost),
            f"{incident.survivor.stack}/{_FAILOVER}": failover_values(incident.survivor),
        }
        files |= {f"{each.stack}/{_BASE}": region_values(each) for each in REGIONS}
        for name, values in files.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


def _has_secret(view: ClusterView, namespace: str) -> bool:
    secrets = view.call("GET", f"/api/v1/namespaces/{namespace}/secrets")["items"]
    return any(each["metadata"]["name"] == SECRET_NAME for each in secrets)
