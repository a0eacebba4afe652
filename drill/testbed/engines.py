"""Search engines that a user installs beside the releases (Camunda 8.9 and later), and whether both regions have their passwords."""

import base64
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from drill.errors import DrillError
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

    def passwords_unshared(self, views: Mapping[Region, ClusterView]) -> list[str]:
        """Return which Secrets of which region do not hold the password of a region's engine; none is shown.

        :raises ClusterCallFailed: a cluster did not answer, or a Secret is missing.
        """
        passwords = {region: self._password(view, region) for region, view in views.items()}
        names = {owner: f"{self._engine.copies}{owner.index}" for owner in passwords}
        return [
            f"{names[owner]} in {region.city} holds another password than that of {owner.city}"
            for region, view in views.items()
            for owner, password in passwords.items()
            if self._held(view, region, names[owner]) != password
        ]

    def passwords_shown(
        self, views: Mapping[Region, ClusterView], folders: Iterable[Path]
    ) -> list[str]:
        """Return which files hold the password of a region's engine, as it is, or as a Secret or a login has it; none is shown.

        :raises ClusterCallFailed: a cluster did not answer.
        """
        passwords = [self._password(view, region).encode() for region, view in views.items()]
        logins = [f"{self._engine.user}:".encode() + each for each in passwords]
        secret = [*passwords, *map(base64.b64encode, (*passwords, *logins))]
        files = (each for folder in folders for each in sorted(folder.rglob("*")) if each.is_file())
        return [str(each) for each in files if any(one in each.read_bytes() for one in secret)]

    def _password(self, view: ClusterView, region: Region) -> str:
        return self._held(view, region, self._engine.secret)

    def _held(self, view: ClusterView, region: Region, name: str) -> str:
        path = f"/api/v1/namespaces/{region.namespace}/secrets/{name}"
        encoded = view.call("GET", path)["data"][self._engine.user]
        return base64.b64decode(encoded).decode()
