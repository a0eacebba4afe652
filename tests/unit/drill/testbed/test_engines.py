"""Search engines beside the releases: installed by helm, and whether each region's password is known in both."""

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
        self.copies: dict[str, str] = {}

    def pods(self, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        assert selector == OwnEngine().selector
        return self._pods

    def call(self, method: str, path: str, body: Any = None) -> Any:
        del body
        name = path.rpartition("/")[2]
        assert method == "GET"
        if name == "elasticsearch-es-elastic-user":
            return {"data": {"elastic": self._password}}
        if name not in self.copies:
            raise ClusterCallFailed("404")
        return {"data": {"elastic": base64.b64encode(self.copies[name].encode()).decode()}}


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


def test_each_region_must_hold_the_passwords_that_both_engines_have_now(tmp_path: Path) -> None:
    made, london, paris = engines(tmp_path), View("first"), View("second")
    views = {LONDON: london, PARIS: paris}
    with pytest.raises(ClusterCallFailed):
        made.passwords_unshared(views)
    for view in views.values():
        view.copies = {
            "elasticsearch-es-password-region-0": "first",
            "elasticsearch-es-password-region-1": "second",
        }
    assert made.passwords_unshared(views) == []
    recreated = View("third")
    recreated.copies = dict(paris.copies) | {"elasticsearch-es-password-region-1": "third"}
    (found,) = made.passwords_unshared({LONDON: london, PARIS: recreated})
    assert found == (
        "elasticsearch-es-password-region-1 in london holds another password than that of paris"
    )


@pytest.mark.parametrize("shown", ["a wOrd-of-london b", "d09yZC1vZi1sb25kb24="])
def test_a_file_that_shows_a_password_is_found(tmp_path: Path, shown: str) -> None:
    made = engines(tmp_path)
    views = {LONDON: View("wOrd-of-london"), PARIS: View("wOrd-of-paris")}
    inside = tmp_path / "logs" / "one"
    inside.mkdir(parents=True)
    (inside / "harmless.log").write_text("Secret elasticsearch-es-elastic-user, key elastic")
    assert made.passwords_shown(views, [tmp_path / "logs"]) == []
    (inside / "up.log").write_text(shown)
    assert made.passwords_shown(views, [tmp_path / "logs"]) == [str(inside / "up.log")]
