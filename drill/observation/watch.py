"""Threads that look at the regions and the machine while the drill runs, once a second."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil

from drill.errors import ClusterCallFailed
from drill.observation.cluster import (
    ClusterView,
    exporters_paused,
    highest_positions,
)
from drill.observation.measure import ExportSample
from drill.processes import OwnProcesses

_SAMPLE_SECONDS = 1.0
_GIB = 1024**3

_Answer = TypeVar("_Answer")


class _Sampler:
    """A thread that does one thing again and again until stopped."""

    def __init__(self, name: str) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """End the sampling, and wait for the last sample."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            began = time.monotonic()
            self.sample()
            self._stopped.wait(max(0.1, _SAMPLE_SECONDS - (time.monotonic() - began)))

    def sample(self) -> None:
        """Take one sample."""
        raise NotImplementedError


class ExportWatch(_Sampler):
    """Samples exporting: positions and pauses on the brokers, documents in a region's search engine.

    And whether that region's web applications are ready.
    """

    def __init__(
        self, view: ClusterView, namespace: str, also: Sequence[str], record_to: Path
    ) -> None:
        """Engine and web applications are those of `namespace`; the brokers there and in `also` are asked."""
        super().__init__("export-watch")
        self._view = view
        self._namespace = namespace
        self._brokers_in = tuple((view, each) for each in (namespace, *also))
        self._record_to = record_to
        self._samples: list[ExportSample] = []
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="export-watch")

    def add_brokers(self, view: ClusterView, namespace: str) -> None:
        """From now on ask also the brokers of this namespace, which may be in another cluster."""
        self._brokers_in = (*self._brokers_in, (view, namespace))

    @property
    def samples(self) -> list[ExportSample]:
        """What was seen so far."""
        return list(self._samples)

    def sample(self) -> None:
        """Ask the engine and every broker once; what does not answer is left out."""
        count = self._pool.submit(_or_none, lambda: self._view.document_count(self._namespace))
        apps = self._pool.submit(_or_none, lambda: self._view.web_apps(self._namespace))
        asked = [
            self._pool.submit(_or_none, partial(view.partitions, *place))
            for view, namespace in self._brokers_in
            for place in _or_none(partial(_brokers, view, namespace)) or []
        ]
        answers = [answer for future in asked if (answer := future.result()) is not None]
        web_apps = apps.result()
        sample = ExportSample(
            time.monotonic(),
            count.result(),
            highest_positions(answers),
            paused=exporters_paused(answers),
            web_apps_down=None if web_apps is None else bool(web_apps.missing),
        )
        self._samples.append(sample)
        with self._record_to.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(sample)) + "\n")

    def stop(self) -> None:
        """End the sampling and its threads."""
        super().stop()
        self._pool.shutdown()


class MemoryWatch(_Sampler):
    """Samples how much memory the drill takes: its own processes, and the machine as a whole."""

    def __init__(self, own: OwnProcesses) -> None:
        super().__init__("memory-watch")
        self._own = own
        self._available_before = psutil.virtual_memory().available
        self._peak_own = 0
        self._peak_machine = 0

    @property
    def peak_gib(self) -> float | None:
        """Resident memory of all processes of the drill, pages shared by several counted for each: an upper bound.

        None when there was no sample.
        """
        return self._peak_own / _GIB or None

    @property
    def peak_machine_gib(self) -> float | None:
        """How much less memory the machine had available than at the start, whatever took it; None without a sample."""
        return self._peak_machine / _GIB or None

    def sample(self) -> None:
        """Add up what the drill's processes hold at the moment."""
        self._peak_own = max(self._peak_own, self._own.resident_bytes())
        taken = self._available_before - psutil.virtual_memory().available
        self._peak_machine = max(self._peak_machine, taken)


def _brokers(view: ClusterView, namespace: str) -> list[tuple[str, str]]:
    """Return the brokers' pods as namespace and name."""
    return [
        (pod["metadata"]["namespace"], pod["metadata"]["name"])
        for pod in view.broker_pods([namespace])
    ]


def _or_none(ask: Callable[[], _Answer]) -> _Answer | None:
    try:
        return ask()
    except ClusterCallFailed:
        return None
