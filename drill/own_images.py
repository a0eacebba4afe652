"""What a drill installs where the user brings images of their own: Helm values and chart. Pure."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sandbox.own.images import Chart, Image, OwnImages, Reference

_KEYS = {
    "zeebe": ("zeebe", "zeebeGateway"),
    "operate": ("operate",),
    "tasklist": ("tasklist",),
    "elasticsearch": ("elasticsearch",),
}
"""Under which keys of the chart's values a part's image stands."""
_OVERLAYS = {
    "zeebe": "real-brokers.yaml",
    "operate": "real-operate.yaml",
    "tasklist": "real-tasklist.yaml",
    "elasticsearch": "real-elasticsearch.yaml",
}
"""What real parts need otherwise than the rehearsal's, in sandbox/values."""
_REHEARSAL_VERSION = "-rehearsal"
"""What the version of the rehearsal's own broker ends with."""


def image_values(own: OwnImages) -> dict[str, Any]:
    """Return the Helm values that name the user's images."""
    return {
        key: {"image": _image(image.reference)}
        for part, image in own.parts().items()
        for key in _KEYS[part]
    }


def overlays(own: OwnImages, folder: Path) -> tuple[Path, ...]:
    """Return the values files, of those in `folder`, that the user's parts need."""
    return tuple(folder / _OVERLAYS[part] for part in own.parts())


def chart_config(chart: Chart) -> dict[str, str]:
    """Return the program's settings of a chart."""
    found = {"name": chart.name, "version": chart.version, "repository": chart.repository}
    return {f"chart.{key}": value for key, value in found.items() if value}


def helm_chart(chart: Chart) -> tuple[str, ...]:
    """Return how plain `helm install` names a chart."""
    version = ("--version", chart.version) if chart.version else ()
    repository = ("--repo", chart.repository) if chart.repository else ()
    return (chart.name, *version, *repository)


def broker_used(version: str, pods: Iterable[Mapping[str, Any]], own: OwnImages | None) -> str:
    """Return which broker was used, for people.

    :param version: the gateway's own word (`gatewayVersion`).
    :param pods: the brokers', as the API server describes them.
    :param own: the user's images, if any.
    """
    kind = "rehearsal broker" if version.endswith(_REHEARSAL_VERSION) else "Zeebe"
    names = sorted({each["image"] for pod in pods for each in pod["spec"]["containers"]})
    return f"{kind} {version}, image {', '.join(_sourced(name, own) for name in names)}"


def _sourced(name: str, own: OwnImages | None) -> str:
    images = [image for _, image in own.all_images()] if own else []
    source = next((each.source for each in images if _is(each, name)), None)
    return f"{name} (from {source})" if source else name


def _is(image: Image, name: str) -> bool:
    try:
        return image.reference == Reference.parse(name)
    except ValueError:  # a name by digest
        return False


def _image(reference: Reference) -> dict[str, str]:
    return {
        "registry": reference.registry,
        "repository": reference.repository,
        "tag": reference.tag,
        # A digest of the values given would outrank the tag.
        "digest": "",
    }
