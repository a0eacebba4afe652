"""A copy of the program with two stacks of its own, and what engine tests do with it."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from drill.observation.access import Access
from drill.operators.stacks import Run, Stacks
from drill.processes import MARK, end_marked
from drill.regions import REGIONS
from dualregion.procedure.topology import INCIDENT_LABEL, STEP_LABEL
from sandbox.setup.tools import Tools
from tests.checkout import CHECKOUT

CITIES = ("london", "paris")
STACKS = ("region0", "region1")
DEADLINE = 7
"""After how many seconds a gate gives up: it always does where no broker runs, but not before its turn on a busy machine."""


@dataclass
class Project:
    """A copy of the program with two stacks of its own."""

    folder: Path
    stacks: Stacks
    env: dict[str, str]
    tools: Tools
    namespaces: tuple[str, str]
    chart: Path

    def config(self, stack: str, **values: Any) -> None:
        """Set configuration keys of a stack."""
        self.stacks.configure(stack, {key: str(value) for key, value in values.items()})

    def both(self, **values: Any) -> None:
        """Set configuration keys of both stacks."""
        for stack in STACKS:
            self.config(stack, **values)

    def up(self, stack: str) -> Run:
        """Run `pulumi up`."""
        return self.stacks.up(stack, "engine test")

    def with_environment(self, env: Mapping[str, str]) -> Stacks:
        """Return the same stacks, run with another environment."""
        return Stacks(self.tools.pulumi, self.folder, env, self.folder / "logs", lambda _: None)

    def up_with_preview(self, stack: str) -> Run:
        """Run `pulumi up` as a user does: its preview first, and the update only if that is well."""
        return self.stacks.run("up", stack, "up", "--yes")

    def preview(self, stack: str) -> Run:
        """Run `pulumi preview --diff`."""
        return self.stacks.preview(stack)

    def unchanged(self, stack: str) -> bool:
        """Return whether a preview finds nothing to change."""
        return self.stacks.preview_expecting_no_change(stack).exit_status == 0

    def outputs(self, stack: str) -> dict[str, Any]:
        """Return the stack's outputs."""
        return self.stacks.outputs(stack)

    def state(self, stack: str) -> list[str]:
        """Return the URNs that the stack's state holds."""
        document = self.stacks.run("export", stack, "stack", "export", quiet=True).output
        deployment = yaml.safe_load(document)["deployment"]
        return [resource["urn"] for resource in deployment.get("resources") or ()]

    def held(self, stack: str) -> Path:
        """Export the stack's state."""
        path = self.folder / f"{stack}-held.json"
        done = self.stacks.run("export", stack, "stack", "export", "--file", str(path))
        assert done.exit_status == 0, done.output
        return path

    def hold_again(self, stack: str, held: Path) -> None:
        """Give a stack a former state back, as a run leaves it that is killed before it saves what it has done."""
        done = self.stacks.run("import", stack, "stack", "import", "--file", str(held))
        assert done.exit_status == 0, done.output

    def pretend_taken_over(self, stack: str, lost_region: int) -> None:
        """Give region 0's stack what a whole failover leaves, the record too: only a drill can make it for real."""
        self.pretend_proved(stack, lost_region, "F3", "failover")

    def pretend_proved(
        self, stack: str, lost_region: int, step: str, phase: str, *, labelled: bool = False
    ) -> None:
        """Give region 0's stack the gate of a step, its record in the cluster, and the outputs of a phase.

        With its labels the record is the program's own; without them the next `up` makes it again, and proves the step.
        """
        data = {"step": step, "incident": f"1-region{lost_region}-lost"}
        name = f"dual-region-{step.lower()}"
        record = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": self.namespaces[0],
                "labels": {STEP_LABEL: step, INCIDENT_LABEL: data["incident"]} if labelled else {},
            },
            "data": data,
        }
        made = self.kubectl("london", "apply", "-f", "-", given=json.dumps(record))
        assert "created" in made, made
        path = self.held(stack)
        document = json.loads(path.read_text())
        resources = document["deployment"]["resources"]
        root = next(each for each in resources if each["type"] == "pulumi:pulumi:Stack")
        root["outputs"] = root.get("outputs", {}) | {"phase": phase, "lostRegion": lost_region}
        namespace = next(
            each for each in resources if each["type"] == "kubernetes:core/v1:Namespace"
        )
        head = "::".join(namespace["urn"].split("::")[:2])
        chain = "dualregion:index:Region$dualregion:index:Gate$kubernetes:core/v1:ConfigMap"
        gate = {key: namespace[key] for key in ("custom", "provider") if key in namespace} | {
            "urn": f"{head}::{chain}::{step}",
            "type": "kubernetes:core/v1:ConfigMap",
            "id": f"{self.namespaces[0]}/{name}",
            "parent": root["urn"],
            "outputs": {"data": data},
        }
        resources.append(gate)
        path.write_text(json.dumps(document))
        self.hold_again(stack, path)

    def killed_up(self, stack: str, at: str) -> str:
        """Run `pulumi up` and kill it (SIGKILL, all of it) when a line with this text appears."""
        pulumi = [str(self.tools.pulumi), "up", "--yes", "--skip-preview", "--stack", stack]
        process = subprocess.Popen(
            [*pulumi, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        seen = []
        assert process.stdout
        for line in process.stdout:
            seen.append(line)
            if at in line:
                break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        # Pulumi's plugins are in sessions of their own and outlive it.
        end_marked(MARK, self.env[MARK])
        return "".join(seen)

    def kubectl(self, city: str, *arguments: str, given: str = "") -> str:
        """Run kubectl in a region and return what it prints."""
        argv = [str(self.tools.kubectl), "--context", f"cluster-{city}", *arguments]
        done = subprocess.run(
            argv, env=self.env, input=given, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr


def dualregion(
    project: Project, *arguments: str, given: str = "", folder: Path | None = None
) -> tuple[int, str]:
    """Run the command in the project's environment; return its exit status and all that it printed.

    folder: the project folder that it works in; the test's own if None.
    """
    done = subprocess.run(
        [str(CHECKOUT / "bin" / "dualregion"), "-C", str(folder or project.folder), *arguments],
        env=project.env | {"COLUMNS": "200"},
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def admit(project: Project, access: Access, region: int) -> None:
    exit_status, manifests = dualregion(project, "rights", "--region", str(region))
    assert exit_status == 0, manifests
    access.admit(REGIONS[region], manifests)
