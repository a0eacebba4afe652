"""Search engines beside the releases: installed by helm, and each region's password known in both."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.procedure.versions import OwnEngine
from drill.regions import REGIONS
from drill.testbed.engines import Engines
from tests.unit.drill.checks.cluster_cases import pod

LONDON, PARIS = REGIONS


class View(ClusterView):
    """A cluster with the engine's own Secret, pods of it, and what is put there."""

    def __init__(self, password: str, *pods: dict[str, Any]) -> None:
        self._password = base64.b64encode(password.encode()).decode()
        self._pods = list(pods)
        self.secrets: dict[str, dict[str, str]] = {}

    def pods(self, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        assert selector == OwnEngine().selector
        return self._pods

    def call(self, method: str, path: str, body: Any = None) -> Any:
        name = path.rpartition("/")[2]
        if method == "GET":
            assert name == "elasticsearch-es-elastic-user"
            return {"data": {"elastic": self._password}}
        if method == "DELETE":
            if name not in self.secrets:
                raise ClusterCallFailed("404")
            return self.secrets.pop(name)
        made = body["metadata"]["name"]
        assert made not in self.secrets
        self.secrets[made] = body["stringData"]
        return body


def engines(folder: Path, end: str = "exit 0") -> Engines:
    helm = folder / "helm"
    helm.write_text(f'#!/bin/sh\necho "$*" >> {folder}/asked\n{end}\n')
    helm.chmod(0o755)
    return Engines(OwnEngine(), helm, folder / "chart", folder / "v.yaml", {"PATH": os.defpath})


def test_an_engine_is_installed_in_the_regions_namespace(tmp_path: Path) -> None:
    engines(tmp_path).install(PARIS)
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith(f"install elasticsearch {tmp_path}/chart --values {tmp_path}/v.yaml")
    assert "--kube-context cluster-paris --namespace camunda-paris" in asked


def test_helms_refusal_ends_the_drill(tmp_path: Path) -> None:
    with pytest.raises(DrillError, match="engine of paris could not be installed: no room"):
        engines(tmp_path, "echo no room >&2; exit 1").install(PARIS)


def test_it_is_waited_for_until_each_pod_is_ready(tmp_path: Path) -> None:
    made = engines(tmp_path)
    assert made.not_ready(View("x", pod("elasticsearch-0")), PARIS) is None
    unready = View("x", pod("elasticsearch-0"), pod("elasticsearch-1", ready=None))
    assert made.not_ready(unready, PARIS) == "not ready: elasticsearch-1"
    assert made.not_ready(View("x"), PARIS) == "not ready: there are no pods"


def test_both_regions_know_both_passwords_and_a_new_one_takes_the_place_of_the_former(
    tmp_path: Path,
) -> None:
    made, london = engines(tmp_path), View("first")
    views = {LONDON: london, PARIS: View("second")}
    made.share_passwords(views)
    expected = {
        "elasticsearch-es-password-region-0": {"elastic": "first"},
        "elasticsearch-es-password-region-1": {"elastic": "second"},
    }
    assert [view.secrets for view in views.values()] == [expected, expected]
    recreated = View("third")
    made.share_passwords({LONDON: london, PARIS: recreated})
    expected["elasticsearch-es-password-region-1"] = {"elastic": "third"}
    assert london.secrets == recreated.secrets == expected
