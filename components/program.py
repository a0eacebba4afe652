"""The program of a Pulumi project: settings, what is observed, what is decided on it, what is declared, what is told.

A project's `__main__.py` calls `run`: that of this checkout, and that of a folder made by `dualregion init`.
"""

import gc

# Looking for garbage among thousands of imported classes is a tenth of a run's time.
gc.disable()

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from pulumi import export, log

from clients.cluster.kubernetes import Cluster
from components.ending import before_any_change, ending_clearly
from components.outputs import outputs
from components.region import Region, RegionArgs
from components.stacks import read_own, read_peer, reading_both, settings_of_stack
from steps.before import checks, situation
from steps.context import StepContext


def run(project: Path) -> None:
    """Declare what the stack's phase demands, or say in one message why it cannot be.

    :param project: the folder of Pulumi.yaml, from which relative paths start.
    :raises pulumi.RunError: with that message.
    """
    ending_clearly(partial(_declare, project))


def _declare(project: Path) -> None:
    with before_any_change():
        ctx = _decided(project)
    region = Region(f"region{ctx.settings.region}", RegionArgs(ctx, str(project)))
    for name, value in outputs(ctx, region).items():
        export(name, value)
    # Nor is any looked for there in the gates, which may wait for long, or at the process's end.
    gc.freeze()
    gc.enable()


def _decided(project: Path) -> StepContext:
    """Return what is to be declared, and where its steps work.

    :raises DualRegionError: if it must not be, or cannot be known.
    """
    settings = settings_of_stack(project)
    files = situation.of_files(settings, project, os.environ)
    own, peer = read_own(), read_peer(settings.peer_stack_name)
    cluster = Cluster(settings.kubeconfig, settings.own.kube_context)
    seen = situation.of_cluster(settings, cluster, own, peer, log)
    decided = situation.decide(settings, files, cluster, seen, log)
    read_again = reading_both(settings.peer_stack_name)
    return checks.of_all(replace(decided, read_stacks=read_again, project=project), log)
