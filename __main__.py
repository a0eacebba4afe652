"""The program: settings, what is observed, what is decided on it, what is declared, what is told."""

import gc

# Looking for garbage among thousands of imported classes is a tenth of a run's time.
gc.disable()

import os
from dataclasses import replace
from pathlib import Path

from pulumi import export, log

from clients.kubernetes import Cluster
from components.ending import before_any_change, ending_clearly
from components.outputs import outputs
from components.region import Region, RegionArgs
from components.stacks import read_own, read_peer, reading_both, settings_of_stack
from steps.before import checks, situation
from steps.context import StepContext

PROJECT = Path(__file__).parent


def main() -> None:
    """Declare what this stack's phase demands, or say in one message why it cannot be."""
    with before_any_change():
        ctx = _decided()
    region = Region(f"region{ctx.settings.region}", RegionArgs(ctx, str(PROJECT)))
    for name, value in outputs(ctx, region).items():
        export(name, value)
    # Nor is any looked for there in the gates, which may wait for long, or at the process's end.
    gc.freeze()
    gc.enable()


def _decided() -> StepContext:
    """Return what is to be declared, and where its steps work.

    :raises DualRegionError: if it must not be, or cannot be known.
    """
    settings = settings_of_stack(PROJECT)
    files = situation.of_files(settings, PROJECT, os.environ)
    own, peer = read_own(), read_peer(settings.peer_stack_name)
    cluster = Cluster(settings.kubeconfig, settings.own.kube_context)
    seen = situation.of_cluster(settings, cluster, own, peer, log)
    decided = situation.decide(settings, files, cluster, seen, log)
    read_again = reading_both(settings.peer_stack_name)
    return checks.of_all(replace(decided, read_stacks=read_again, project=PROJECT), log)


ending_clearly(main)
