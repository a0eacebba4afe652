"""Two clusters that are there already, such as two kind clusters or a staging pair, as the ground of a drill.

No machine is killed there. Unless a command of the user's loses the region, its pods are killed and its
network is cut by a policy, and the drill's own way to its API server leads nowhere until it is recreated.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from drill.errors import DrillError
from drill.processes import MARK
from drill.regions import REGIONS, Region
from drill.settings import DrillSettings, Paths, stack_config
from drill.waiting import wait_for
from sandbox.patience import allowed

_NOWHERE = "https://127.0.0.1:9"
"""Where a lost region's context leads: to a port on which nothing listens."""
_COMMAND_SECONDS = 1800
_KUBECTL_SECONDS = 120
_GONE_SECONDS = 300.0
_ANSWER_SECONDS = 300.0
_KINDS = "pods,statefulsets,deployments,services,persistentvolumeclaims,secrets,configmaps"
_EVERYWHERE = ("kube-root-ca.crt",)
"""What every namespace holds by itself."""
_OWN_KEYS = (
    *("chart.", "values[", "backup.", "elasticsearchSecret.", "dns."),
    *("kubeconfig", "rights."),
)
"""What of the drill's own configuration is the sandbox's."""

Write = Callable[[str], None]


class ForeignSettings(BaseModel):
    """Where a drill runs that does not make its own clusters: a file's content, keys in camelCase.

    :ivar kubeconfig: with both contexts; `$KUBECONFIG` or the usual one by default.
    :ivar contexts: of region 0 and region 1.
    :ivar pod_cidrs: the address ranges of either region's pods, for the isolation.
    :ivar lose_command: loses a region, instead of what the drill does; its environment names the region.
    :ivar recreate_command: recreates it, empty.
    :ivar program: settings of the program, as in `Pulumi.yaml`: chart, values, backup and the like.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )

    kubeconfig: str | None = None
    contexts: tuple[str, str]
    pod_cidrs: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    lose_command: tuple[str, ...] = ()
    recreate_command: tuple[str, ...] = ()
    program: dict[str, Any] = {}

    @classmethod
    def read(cls, path: Path) -> "ForeignSettings":
        """Read a settings file; relative paths in it start at its folder.

        :raises DrillError: it cannot be read, or is unusable.
        """
        try:
            found = cls.model_validate(yaml.safe_load(path.read_text()))
        except (OSError, yaml.YAMLError, ValidationError) as error:
            raise DrillError(f"--on {path}: {error}") from None
        if found.contexts[0] == found.contexts[1]:
            raise DrillError(f"--on {path}: both contexts are {found.contexts[0]!r}")
        program, folder = dict(found.program), path.resolve().parent
        if "values" in program:
            program["values"] = [str(folder / name) for name in program["values"]]
        chart = program.get("chart") or {}
        if str(chart.get("name", "")).startswith("."):
            program["chart"] = {**chart, "name": str(folder / chart["name"])}
        place = found.kubeconfig and str(folder / os.path.expanduser(found.kubeconfig))
        return found.model_copy(update={"program": program, "kubeconfig": place})

    def config(self, settings: DrillSettings, paths: Paths, region: Region) -> dict[str, str]:
        """Return the program's configuration for one stack, as `stack_config` does for the sandbox."""
        config = {
            key: value
            for key, value in stack_config(settings, paths, region).items()
            if not key.startswith(_OWN_KEYS) and not re.search(r"\.(podCidrs|dnsAddresses)\[", key)
        }
        if not all(self.pod_cidrs):
            config["isolation"] = "own"
        for index, ranges in enumerate(self.pod_cidrs):
            config |= {f"regions[{index}].podCidrs[{n}]": each for n, each in enumerate(ranges)}
        return config | flattened(self.program)


def flattened(value: Any, path: str = "") -> dict[str, str]:
    """Return a document as the paths and texts that `pulumi config set --path` takes."""
    if isinstance(value, Mapping):
        parts = [(f"{path}.{key}".lstrip("."), each) for key, each in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}[{index}]", each) for index, each in enumerate(value)]
    elif isinstance(value, bool):
        return {path: str(value).lower()}
    else:
        return {path: str(value)}
    return {key: text for name, each in parts for key, text in flattened(each, name).items()}


class ForeignPair:
    """Two clusters of others, of which the drill takes four namespaces and nothing more."""

    def __init__(
        self, settings: ForeignSettings, kubectl: Path, kubeconfig: Path, consent: str, write: Write
    ) -> None:
        """Take two clusters without touching them yet.

        :param settings: which, and how a region is lost.
        :param kubectl: the command.
        :param kubeconfig: where the drill's own is written: it has these two contexts and no other.
        :param consent: the contexts whose namespaces may be emptied, `A,B`; else empty.
        :param write: is given a line for what is done.
        """
        self.kubeconfig = kubeconfig
        self._settings = settings
        self._kubectl = str(kubectl)
        self._consent = consent
        self._write = write
        self._is_ours = False
        self._lost: set[int] = set()

    def up(self) -> None:
        """See that both clusters answer and that the drill's namespaces are free.

        :raises DrillError: a cluster does not answer; or a namespace holds something, without consent.
        """
        self._write_kubeconfig()
        occupied = {
            f"{namespace} of context {self._context(region)}": held
            for region in REGIONS
            for namespace in _namespaces(region)
            if (held := self._held(region, namespace))
        }
        if occupied and sorted(self._consent.split(",")) != sorted(self._settings.contexts):
            what = "; ".join(f"{place} holds {', '.join(held)}" for place, held in occupied.items())
            raise DrillError(
                f"{what}. A drill destroys what is in its namespaces: if that may be, add "
                f"--consent {','.join(self._settings.contexts)}. Nothing was changed"
            )
        self._is_ours = True
        for region in REGIONS:
            self._empty(region)

    def lose(self, region: int) -> float:
        """Lose a region, by the user's command or by killing its pods.

        :returns: the moment at which it began, in seconds since the epoch.
        :raises DrillError: the command failed.
        """
        lost, moment = REGIONS[region], time.time()
        if self._settings.lose_command:
            self._run_command(self._settings.lose_command, lost)
        else:
            self._kill(lost)
        self._lost.add(region)
        self._write_kubeconfig()
        return moment

    def recreate(self, region: int) -> None:
        """Recreate a lost region, by the user's command, and empty its namespaces.

        :raises DrillError: the command failed, or the cluster does not answer in time.
        """
        if self._settings.recreate_command:
            self._run_command(self._settings.recreate_command, REGIONS[region])
        wait_for(
            f"the cluster of context {self._settings.contexts[region]} answers",
            lambda: self._unreachable(REGIONS[region]),
            _ANSWER_SECONDS,
            self._write,
        )
        self._empty(REGIONS[region])
        self._lost.discard(region)
        self._write_kubeconfig()

    def down(self) -> None:
        """Empty the drill's namespaces, if they were the drill's to begin with; clusters stay.

        :raises DrillError: one resists.
        """
        for region in REGIONS if self._is_ours else ():
            if self._unreachable(region) is None:
                self._empty(region)

    def left(self) -> list[str]:
        """Return which of the drill's namespaces are there still."""
        return [
            f"namespace {namespace} of context {self._context(region)}"
            for region in (REGIONS if self._is_ours else ())
            if self._unreachable(region) is None
            for namespace in self._existing(region)
        ]

    def cut_link(self) -> None:
        """Refuse: the network between such clusters is not the drill's.

        :raises DrillError: always.
        """
        self._cannot("cut")

    def restore_link(self) -> None:
        """Refuse, as `cut_link`.

        :raises DrillError: always.
        """
        self._cannot("restore")

    def _cannot(self, what: str) -> NoReturn:
        raise DrillError(f"a drill on your own clusters cannot {what} the link between them")

    def _context(self, region: Region) -> str:
        return self._settings.contexts[region.index]

    def _kill(self, region: Region) -> None:
        """Cut the namespaces' network first, as far as it is enforced: a dead region closes no connection."""
        for namespace in self._existing(region):
            self._ask(region, "apply", "-f", "-", given=json.dumps(_cut_off(namespace)))
            inside = ("-n", namespace)
            found = self._ask(region, "get", "statefulsets,deployments", "-o", "name", *inside)
            if found:
                self._ask(region, "scale", "--replicas=0", *found.split(), *inside)
            self._ask(
                *(region, "delete", "pods", "--all", "--grace-period=0", "--force", "--wait=false"),
                *inside,
            )
        self._write(f"  all pods of {region.city} are killed, and its network is cut by a policy")

    def _empty(self, region: Region) -> None:
        """Delete the drill's namespaces, claims included, and wait until they are gone."""
        existing = self._existing(region)
        if not existing:
            return
        self._ask(region, "delete", "namespace", "--wait=false", "--ignore-not-found", *existing)
        wait_for(
            f"namespace {', '.join(existing)} of context {self._context(region)} is gone",
            lambda: ", ".join(self._existing(region)) or None,
            _GONE_SECONDS,
            self._write,
        )

    def _existing(self, region: Region) -> list[str]:
        found = self._ask(region, "get", "namespaces", "-o", "name").split()
        return [each for each in _namespaces(region) if f"namespace/{each}" in found]

    def _held(self, region: Region, namespace: str) -> list[str]:
        """Return some of what a namespace holds."""
        found = self._ask(
            *(region, "get", _KINDS, "-n", namespace, "-o", "name"), "--ignore-not-found"
        )
        return [each for each in found.split() if not each.endswith(_EVERYWHERE)][:3]

    def _unreachable(self, region: Region) -> str | None:
        """Return why the region's cluster does not answer, or None."""
        try:
            self._ask(region, "get", "namespace", "kube-system", "--request-timeout=5s")
        except DrillError as error:
            return str(error)
        return None

    def _ask(self, region: Region, *arguments: str, given: str = "") -> str:
        """Run kubectl on the user's own context of a region, and return what it prints."""
        return self._kubectl_output("--context", self._context(region), *arguments, given=given)

    def _kubectl_output(self, *arguments: str, given: str = "") -> str:
        place = self._settings.kubeconfig
        argv = [self._kubectl, *([f"--kubeconfig={place}"] if place else []), *arguments]
        try:
            done = subprocess.run(
                argv,
                input=given,
                capture_output=True,
                text=True,
                check=False,
                timeout=allowed(_KUBECTL_SECONDS),
            )
        except subprocess.TimeoutExpired:
            raise DrillError(f"`kubectl {' '.join(arguments)}` does not end") from None
        if done.returncode:
            raise DrillError(f"`kubectl {' '.join(arguments)}`: {done.stderr.strip()[-300:]}")
        return done.stdout

    def _write_kubeconfig(self) -> None:
        """Write the drill's own kubeconfig: the user's two contexts, under the names that the drill uses."""
        made: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
        made |= {"clusters": [], "users": [], "contexts": []}
        for region in REGIONS:
            view = ("config", "view", "--minify", "--flatten", "--raw", "-o", "json")
            with suppress(KeyError, IndexError, TypeError):
                found = json.loads(self._ask(region, *view))
                cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
                if region.index in self._lost:
                    cluster = {"server": _NOWHERE}
                made["clusters"].append({"name": region.context, "cluster": cluster})
                made["users"].append({"name": region.context, "user": user})
                both = {"cluster": region.context, "user": region.context}
                made["contexts"].append({"name": region.context, "context": both})
        if len(made["contexts"]) < len(REGIONS):
            raise DrillError(
                f"the kubeconfig lacks cluster or user of {' or '.join(self._settings.contexts)}"
            )
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(made))

    def _run_command(self, command: Sequence[str], region: Region) -> None:
        """Run a command of the user's, whose environment names the region."""
        # What it starts is not the drill's to end.
        env = {name: value for name, value in os.environ.items() if name != MARK}
        named = {"DRILL_REGION": str(region.index), "DRILL_CONTEXT": self._context(region)}
        self._write(f"  {command[0]} {' '.join(command[1:])}")
        try:
            done = subprocess.run(
                command,
                env={**env, **named},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=allowed(_COMMAND_SECONDS),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DrillError(f"{command[0]}: {error}") from None
        if done.returncode:
            last = (done.stderr or done.stdout).strip()[-300:]
            raise DrillError(f"{command[0]} ended with exit status {done.returncode}: {last}")


def _namespaces(region: Region) -> tuple[str, str]:
    return region.namespace, region.failover_namespace


def _cut_off(namespace: str) -> dict[str, Any]:
    """Return a NetworkPolicy that lets nothing in or out."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "drill-lost", "namespace": namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
