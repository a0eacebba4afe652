"""Whether a GitOps tool holds what the program changes: Argo CD, Flux. Pure.

Either puts back what differs from its source, which a failover and a failback do on purpose.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Tool(StrEnum):
    """What reconciles an object."""

    ARGO = "Argo CD application"
    KUSTOMIZATION = "Flux Kustomization"
    HELM_RELEASE = "Flux HelmRelease"


@dataclass(frozen=True, order=True)
class Owner:
    """What reconciles an object.

    :ivar name: its name, with its namespace in front if that is known; empty if it is not known.
    """

    tool: Tool
    name: str = ""

    def __str__(self) -> str:
        return f"{self.tool} {self.name}".strip()

    @property
    def pause(self) -> str:
        """The command that pauses it."""
        namespace, _, name = self.name.rpartition("/")
        if self.tool is Tool.ARGO:
            return f"argocd app set {name or 'APPLICATION'} --sync-policy none"
        kind = "kustomization" if self.tool is Tool.KUSTOMIZATION else "helmrelease"
        return f"flux suspend {kind} {name or 'NAME'} -n {namespace or 'NAMESPACE'}"


@dataclass(frozen=True)
class Metadata:
    """What an object says of itself.

    :ivar managers: who has written its fields.
    """

    kind: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    managers: Sequence[str] = ()
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" in {self.namespace}" if self.namespace else "")


_ARGO = "argocd.argoproj.io/"
_INSTANCE = "app.kubernetes.io/instance"
_KUSTOMIZE, _HELM = "kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/"
_MANAGERS = {
    "argocd-controller": Tool.ARGO,
    "argocd-application-controller": Tool.ARGO,
    "kustomize-controller": Tool.KUSTOMIZATION,
    "helm-controller": Tool.HELM_RELEASE,
}


def owners(found: Metadata, release: str) -> tuple[Owner, ...]:
    """Return what reconciles an object, as far as its metadata tell.

    :param release: the Helm release, whose name the chart itself writes into the label that Argo CD may use, too.
    """
    known = {*_argo(found, release), *_flux(found)}
    named = {each.tool for each in known if each.name}
    # Its name is better than the mere fact.
    return tuple(sorted(each for each in known if each.name or each.tool not in named))


def _argo(found: Metadata, release: str) -> Iterator[Owner]:
    tracked, _, of = found.annotations.get(f"{_ARGO}tracking-id", "").partition(":")
    # One that names another object was copied with its manifest, and Argo CD overlooks it.
    if tracked and of.rpartition("/")[2] == found.name:
        yield Owner(Tool.ARGO, tracked)
    for instance in (found.labels.get(f"{_ARGO}instance"), found.labels.get(_INSTANCE)):
        if instance and (instance != release or instance == found.labels.get(f"{_ARGO}instance")):
            yield Owner(Tool.ARGO, instance)
    marks = {*found.labels, *found.annotations} - {f"{_ARGO}tracking-id"}
    if any(each.startswith(_ARGO) for each in marks) or _wrote(found, Tool.ARGO):
        yield Owner(Tool.ARGO)


def _flux(found: Metadata) -> Iterator[Owner]:
    if found.annotations.get(f"{_KUSTOMIZE}reconcile") == "disabled":
        return
    for prefix, tool in ((_KUSTOMIZE, Tool.KUSTOMIZATION), (_HELM, Tool.HELM_RELEASE)):
        name, namespace = (found.labels.get(f"{prefix}{key}", "") for key in ("name", "namespace"))
        if name:
            yield Owner(tool, f"{namespace}/{name}".strip("/"))
        if _wrote(found, tool):
            yield Owner(tool)


def _wrote(found: Metadata, tool: Tool) -> bool:
    return any(_MANAGERS.get(each) is tool for each in found.managers)
