"""The drill as the clusters' administrator: who may do what, and the kubeconfigs of those who may do little.

Each region's stack has a kubeconfig of its own: in its own cluster it is known as one service account, in the
other region's cluster as another, and each has the rights that `dualregion rights` prints and no more.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from drill.check import Check, check_of
from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.regions import REGIONS, Region

_NAMESPACE = "camunda-access"
_OWN, _PEER = "own-stack", "other-stack"
_TOKEN_SECONDS = 24 * 3600
"""Beyond any drill, kept ones included."""

SUBJECTS = {
    "rights.subject": f"serviceaccount:{_NAMESPACE}:{_OWN}",
    "rights.peerSubject": f"serviceaccount:{_NAMESPACE}:{_PEER}",
}
"""The program's settings that name both service accounts; they are called the same in both clusters."""

USERS = {
    f"system:serviceaccount:{_NAMESPACE}:{name}": side
    for name, side in ((_OWN, "own"), (_PEER, "peer"))
}
"""What an API server calls them -> whose stack it is: its own region's, or the other one's."""

REFUSED_PATH = "/api/v1/namespaces/kube-system/secrets"
"""What the drill asks for as each of them, to see that it is refused."""


class Access:
    """Gives both stacks their way into the clusters, and gives it again where a region was recreated."""

    def __init__(
        self, kubectl: Path, administrator: Path, folder: Path, audit: Sequence[Path]
    ) -> None:
        """Take the way in of who may do everything.

        :param kubectl: the command.
        :param administrator: the kubeconfig.
        :param folder: where the stacks' kubeconfigs go.
        :param audit: of each region, where its API server writes its audit log.
        """
        self._kubectl = kubectl
        self._audit = audit
        self._administrator = administrator
        self._folder = folder
        self._tokens: dict[Region, Mapping[str, str]] = {}
        self._alone = Lock()

    def kubeconfig(self, stack: Region) -> Path:
        """Return where the kubeconfig of a region's stack is."""
        return kubeconfig(self._folder, stack)

    def admit(self, region: Region, manifests: str) -> None:
        """Make both service accounts in a region's cluster, give them their rights, and write both kubeconfigs.

        :param region: whose cluster it is, just made.
        :param manifests: what `dualregion rights` prints for it.
        :raises DrillError: the cluster refused something of it.
        """
        self._apply(region, yaml.safe_dump_all(_accounts()))
        self._apply(region, manifests)
        view = ClusterView(self._administrator, region.context)
        tokens = {name: _token(view, name) for name in (_OWN, _PEER)}
        # Both regions may be admitted at the same time, and each stack's kubeconfig names both.
        with self._alone:
            self._tokens[region] = tokens
            for stack in REGIONS:
                self._write(stack)

    def check_modest(self, region: Region) -> Check:
        """Both stacks' credentials are refused what is no business of theirs in a region's cluster."""
        problems = []
        for stack in REGIONS:
            view = ClusterView(self.kubeconfig(stack), region.context)
            try:
                view.call("GET", REFUSED_PATH)
                problems.append(f"{stack.stack} may read the Secrets of kube-system")
            except ClusterCallFailed as error:
                if ": 403 " not in str(error):
                    problems.append(str(error))
        return check_of(
            f"Both stacks work in {region.city} with logins that are refused the cluster's Secrets",
            problems,
            "403 Forbidden",
        )

    def audit_log(self, region: Region) -> Iterator[str]:
        """Yield the lines of a region's audit log; none of a region that is lost."""
        for path in sorted(self._audit[region.index].glob("*.log")):
            with path.open(encoding="utf-8") as log:
                yield from log

    def _apply(self, region: Region, documents: str) -> None:
        at = (f"--kubeconfig={self._administrator}", f"--context={region.context}")
        done = subprocess.run(
            [str(self._kubectl), *at, "apply", "-f", "-"],
            input=documents,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DrillError(f"the rights in {region.city} could not be given: {done.stderr}")

    def _write(self, stack: Region) -> None:
        given = yaml.safe_load(self._administrator.read_text())
        clusters = {each["name"]: each["cluster"] for each in given["clusters"]}
        tokens = {
            region.context: named[_OWN if region == stack else _PEER]
            for region, named in self._tokens.items()
        }
        path = self.kubeconfig(stack)
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(yaml.safe_dump(_document(clusters, tokens)))
        os.replace(new, path)


def kubeconfig(folder: Path, stack: Region) -> Path:
    """Return where the kubeconfig of a region's stack is."""
    return folder / f"kubeconfig-{stack.stack}"


def _accounts() -> Iterable[dict[str, Any]]:
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}
    for name in (_OWN, _PEER):
        metadata = {"name": name, "namespace": _NAMESPACE}
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _token(view: ClusterView, name: str) -> str:
    path = f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts/{name}/token"
    wanted = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_SECONDS},
    }
    return str(view.call("POST", path, wanted)["status"]["token"])


def _document(clusters: Mapping[str, Any], tokens: Mapping[str, str]) -> dict[str, Any]:
    """Return a kubeconfig with one context for each token."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": clusters[name]} for name in tokens],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in tokens],
    }
