"""Search engines that a user installs beside the releases (Camunda 8.9 and later), and their passwords in both regions."""

import base64
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.observation.pods import is_ready
from drill.procedure.versions import OwnEngine
from drill.regions import Region
from sandbox.patience import allowed

_HELM_SECONDS = 120


class Engines:
    """Installs a search engine in a region, as a user does before the region's release."""

    def __init__(
        self, engine: OwnEngine, helm: Path, chart: Path, values: Path, env: Mapping[str, str]
    ) -> None:
        """Take what is installed.

        :param engine: how its parts are called.
        :param helm: the command.
        :param chart: the folder of its chart.
        :param values: what the drill adds to the chart's own.
        :param env: the command's environment, with the administrator's kubeconfig.
        """
        self._engine = engine
        self._argv = (str(helm), "install", engine.release, str(chart), "--values", str(values))
        self._env = dict(env)

    def install(self, region: Region) -> None:
        """Install it in a region's namespace, which is there; its password is a new one each time.

        :raises DrillError: helm failed.
        """
        place = ("--kube-context", region.context, "--namespace", region.namespace)
        done = subprocess.run(
            (*self._argv, *place),
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
            timeout=allowed(_HELM_SECONDS),
        )
        if done.returncode:
            last = done.stderr.strip()[-500:]
            raise DrillError(f"the search engine of {region.city} could not be installed: {last}")

    def not_ready(self, view: ClusterView, region: Region) -> str | None:
        """Return what a region's search engine lacks to be ready, or None."""
        pods = view.pods(region.namespace, self._engine.selector)
        unready = [pod["metadata"]["name"] for pod in pods if not is_ready(pod)]
        if unready or not pods:
            return f"not ready: {', '.join(unready) or 'there are no pods'}"
        return None

    def share_passwords(self, views: Mapping[Region, ClusterView]) -> None:
        """Put the password of each region's engine into a Secret of both regions, over what was there.

        :raises ClusterCallFailed: a cluster did not answer.
        """
        passwords = {region: self._password(view, region) for region, view in views.items()}
        for region, view in views.items():
            for owner, password in passwords.items():
                self._put(view, region, f"{self._engine.copies}{owner.index}", password)

    def _password(self, view: ClusterView, region: Region) -> str:
        path = f"/api/v1/namespaces/{region.namespace}/secrets/{self._engine.secret}"
        encoded = view.call("GET", path)["data"][self._engine.user]
        return base64.b64decode(encoded).decode()

    def _put(self, view: ClusterView, region: Region, name: str, password: str) -> None:
        path = f"/api/v1/namespaces/{region.namespace}/secrets"
        secret = {"metadata": {"name": name}, "stringData": {self._engine.user: password}}
        with suppress(ClusterCallFailed):  # there is none yet
            view.call("DELETE", f"{path}/{name}")
        view.call("POST", path, secret)
