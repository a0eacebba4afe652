"""The drill itself, stage by stage, as an operator would go through the procedure.

Whatever happens in between, success, a failed check, an error, Ctrl-C: everything is taken down, and the
report is written.
"""

import time
import traceback
from collections.abc import Callable
from typing import Any

from drill.checks import checks
from drill.errors import DrillError, DrillInterrupted
from drill.own_images import broker_told
from drill.progress import Progress
from drill.regions import REGIONS, REPLICATION_FACTOR, brokers_in_normal
from drill.report.findings import Findings, report_of, steps_of
from drill.report.readable import write
from drill.report.report import PhaseTimes, Report
from drill.scenario.adopting import check_adopted, check_previews, install_by_helm, pods_of_both
from drill.scenario.incident import rehearse_incident
from drill.scenario.judging import (
    ask_in_normal,
    check_commands,
    check_exporting,
    check_kept,
    check_topology,
)
from drill.settings import DrillSettings, Places, Until
from drill.testbed.lifecycle import Lifecycle
from drill.testbed.rig import Rig
from sandbox.errors import SandboxError


class Drill:
    """One drill, from a bare machine to a report."""

    def __init__(self, settings: DrillSettings, places: Places, progress: Progress) -> None:
        self._settings = settings
        self._places = places
        self._progress = progress
        self._found = Findings()
        self._lifecycle = Lifecycle(settings, places, progress, self._found)

    def run(self, on_teardown: Callable[[], None]) -> Report:
        """Carry the drill out and return its report, which is also written; never raises for what failed.

        Args:
            on_teardown: called when the taking down begins, which must not be interrupted.
        """
        reason = None
        try:
            self._rehearse(self._lifecycle.start())
        except (DrillError, DrillInterrupted, SandboxError) as error:
            reason = str(error)
        except Exception as error:
            trace = self._places.logs / "traceback.txt"
            trace.write_text(traceback.format_exc())
            reason = f"an error of the drill itself, {type(error).__name__}: {error} (see {trace})"
        on_teardown()
        reason = self._lifecycle.take_down(reason)
        report = report_of(self._settings, self._found, self._progress, reason)
        write(report, self._places.folder)
        return report

    def _rehearse(self, rig: Rig) -> None:
        to_normal(rig)
        if self._settings.until is Until.NORMAL:
            stay_in_normal(rig)
            return
        for incident in self._settings.incidents:
            rehearse_incident(rig, incident)


def to_normal(rig: Rig) -> None:
    """Install both regions, or adopt what runs, and check that they work together.

    Raises:
        DrillError: an `up` failed, or the stacks wait for each other.
    """
    before = _adopting(rig)
    began = time.monotonic()
    outputs = rig.take_turns(
        "normal",
        REGIONS[0],
        "both regions to phase normal",
        # Adopting is for one region after the other, as its guide has it.
        at_once=rig.settings.stacks_at_once and not rig.settings.adopt,
    )
    steps = [step for each in REGIONS for step in steps_of(each.stack, outputs[each])]
    rig.found.phases.append(
        PhaseTimes(name="normal", seconds=time.monotonic() - began, steps=tuple(steps))
    )
    first = rig.settings.incidents[0].survivor
    expected = brokers_in_normal(rig.settings.cluster_size)
    check_topology(rig, "normal", first, expected, REPLICATION_FACTOR)
    for region in REGIONS:
        rig.found.add(
            "normal",
            checks.stack_says(outputs[region], region, "normal", "member"),
            checks.steps_are_proved(outputs[region], region, ("N",)),
        )
    if rig.settings.adopt:
        check_adopted(rig, before)
    view = rig.view(first)
    version = str(view.topology(first.namespace).get("gatewayVersion"))
    brokers = view.broker_pods([first.namespace])
    rig.found.broker = broker_told(version, brokers, rig.settings.images)
    rig.found.versions["zeebe"] = version
    rig.found.versions["kubernetes"] = view.call("GET", "/version")["gitVersion"]


def _adopting(rig: Rig) -> list[dict[str, Any]]:
    """In a drill that adopts, install by plain Helm and preview; return the pods that must live on."""
    if not rig.settings.adopt:
        return []
    install_by_helm(rig)
    check_previews(rig)
    return pods_of_both(rig)


def stay_in_normal(rig: Rig) -> None:
    """Put both regions under load and lose none.

    Raises:
        DrillError: the load could not be started.
    """
    rig.start_load(rig.settings.incidents[0].survivor, number=0)
    ask_in_normal(rig)
    rig.await_exports()
    since = time.monotonic()
    check_commands(rig, "normal", since, "in phase normal")
    check_exporting(rig, "normal", since, "in phase normal")
    rig.stop_load()
    check_kept(rig, "normal", {region: region.namespace for region in REGIONS}, since=0.0)
