"""The program's own steps on rehearsal brokers: a region is lost, the failover is made, and the failback to its end.

Kubernetes and the search engines are doubles here; brokers, gateways and their management API are the rehearsal's, as
the sandbox has them. So the double that the unit tests of these steps go by (`tests.fakes.cluster_management`) and the
rehearsal broker are held against the same steps, in seconds instead of a drill's minutes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from clients.cluster import forward
from dualregion.procedure.versions import VERSIONS
from steps.cluster_api import failback
from tests.contract.asking import whole
from tests.contract.loopback import Loopback
from tests.contract.target import Gateway, ask
from tests.fakes.cluster_regions import ApiWorld, whole_incident
from tests.fakes.kubernetes import Document, FakeKubernetes, Reply, forwarded, serving


@dataclass
class RehearsedWorld(ApiWorld):
    """Both regions, whose brokers are processes on loopback addresses; a pod that ends ends its process.

    :ivar asked: what was asked of the management API that changes something.
    """

    loopback: Loopback = field(kw_only=True)
    asked: list[str] = field(default_factory=list, kw_only=True)

    def lose(self) -> None:
        self.loopback.kill(*self.lost_ids)
        self.loopback.sinks[self.lost].stop()
        super().lose()

    def reinstalls(self) -> None:
        self.loopback.wipe(*self.lost_ids)
        self.loopback.sinks[self.lost].empty()
        self.loopback.sinks[self.lost].start()
        super().reinstalls()
        self.loopback.start(*self.lost_ids)

    def tick(self) -> None:
        super().tick()
        for namespace, living in self.brokers.items():
            for ordinal, id_ in enumerate(self.ids(namespace)):
                # What has ended is started again, as a kubelet does.
                if living.runs(ordinal):
                    self.loopback.start(id_)

    def end(self, pod: Document) -> None:
        super().end(pod)
        ordinal = int(pod["metadata"]["name"].rsplit("-", 1)[1])
        self.loopback.stop(self.ids(pod["metadata"]["namespace"])[ordinal])

    def orders(self) -> list[str]:
        return self.asked

    def _becomes_ready(self, id_: int) -> bool:
        url = f"{self.loopback.target().brokers[id_]}/actuator/health/readiness"
        return ask("GET", url, within=2.0).status == 200

    @property
    def _gateway(self) -> Gateway:
        """A gateway of the survivor's region that is ready."""
        target = self.loopback.target()
        if not target.gateways:
            return target.gateway
        ready = (each for each in self.kept_ids if self._becomes_ready(each))
        return target.gateways[next(ready, self.kept_ids[0])]

    def _management(self, fake: FakeKubernetes, method: str, path: str, body: Any) -> Reply | None:
        query = f"?{urlencode(fake.query, doseq=True)}" if fake.query else ""
        if method != "GET" and "dryRun" not in query:
            self.asked.append(f"{method} {path}")
        return _asked(method, f"{self._gateway.management}{path}{query}", body)

    def _rest(self, method: str, path: str, body: Any) -> Reply | None:
        return _asked(method, f"{self._gateway.rest}{path}", body)

    def _broker(
        self, namespace: str, ordinal: int, method: str, path: str, body: Any
    ) -> Reply | None:
        url = self.loopback.target().brokers[self.ids(namespace)[ordinal]]
        return _asked(method, f"{url}{path}", body)


def _asked(method: str, url: str, body: Any) -> Reply:
    answer = ask(method, url, body, within=30.0)
    if answer.status == 0:
        return Reply(503, "nobody answers")
    return Reply(answer.status, answer.content)


@contextmanager
def rehearsed(folder: Path, binary: Path, version: str, lost: int) -> Iterator[RehearsedWorld]:
    form = VERSIONS[version].exporter
    names = tuple(form.id_of(region) for region in (0, 1))
    with Loopback(folder / "brokers", binary, version, exporters=names) as loopback:
        whole(loopback.target())
        with serving() as near, serving() as far:
            yield RehearsedWorld(lost, VERSIONS[version], near, far, folder, loopback=loopback)


@pytest.mark.parametrize(
    ("version", "lost"), [("8.7", 1), ("8.7", 0), ("8.8", 0), ("8.10", 1), ("8.10", 0)], ids=str
)
def test_an_incident_from_the_loss_to_the_end(
    tmp_path: Path, binary: Path, monkeypatch: pytest.MonkeyPatch, version: str, lost: int
) -> None:
    monkeypatch.setattr(failback, "STILL_SECONDS", 3.0)
    monkeypatch.setattr(forward, "_exchange", forwarded)
    with rehearsed(tmp_path, binary, version, lost) as here:
        whole_incident(here, lambda step, role: print(step, here.prove(step, role)))
        whole(here.loopback.target())
        assert [each.split("/")[-1] for each in here.orders()] == [
            *(["brokers"] if version == "8.7" else ["cluster"]),
            "disable",
            "pause",
            "enable",
            "resume",
            *(["brokers"] if version == "8.7" else ["cluster"]),
        ]
        assert here.all_faults() == []
