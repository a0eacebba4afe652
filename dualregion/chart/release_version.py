"""Whether chart and images are of the Camunda version that `camundaVersion` names: the procedures differ. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dualregion.chart import values
from dualregion.chart.adoption import ChartVersion
from dualregion.config.settings import Settings
from dualregion.procedure.versions import VERSIONS, CamundaVersion
from messages import Message
from messages.config import settings as messages

PROVIDER_HELM = 3
"""The major version of the Helm within Pulumi's Kubernetes provider (pulumi/pulumi-kubernetes issue 4190)."""
_MAJOR = re.compile(r"(?:^|,)\s*v?(\d+)")
_NUMBER = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


def contradictions(
    settings: Settings, chart: ChartVersion, base: Mapping[str, Any]
) -> list[Message]:
    """Return what of the chart and the images is of another version than the one that is set, or cannot be installed.

    A chart that is numbered as none of Camunda's own, and an image tag that is no version, say nothing.

    :param base: the user's merged values.
    """
    return [
        *_of_chart(settings, chart),
        *_of_helm(settings, chart),
        *_of_images(settings, base),
    ]


def old_patch(settings: Settings, base: Mapping[str, Any]) -> Message | None:
    """Return that the image is older than the patch level from which on this procedure is known to work well, or None."""
    wanted = settings.version.recommended_patch
    if not wanted:
        return None
    for key, tag in _tags(settings.version, base):
        if _number(tag) and _number(tag) < _number(wanted):
            return messages.patch_is_old(key, tag, wanted)
    return None


def _of_chart(settings: Settings, chart: ChartVersion) -> Iterator[Message]:
    version = settings.version
    found = _NUMBER.match(chart.version)
    of = next(
        (each for each in VERSIONS.values() if found and each.chart_major == int(found[1])), None
    )
    if of is not None and of != version:
        yield messages.chart_of_other_version(
            "the chart's version", chart.version, version.minor, version.chart_major, of.minor
        )


def _of_helm(settings: Settings, chart: ChartVersion) -> Iterator[Message]:
    """Refuse a chart that says to be for newer Helms only; one that is not on this machine is taken for Camunda's own."""
    usual = settings.version.helm_major
    asked = chart.helm or (str(usual) if not settings.chart.is_path else "")
    majors = [int(each) for each in _MAJOR.findall(asked)]
    if majors and min(majors) > PROVIDER_HELM:
        yield messages.chart_needs_helm(str(chart), asked, PROVIDER_HELM)


def _of_images(settings: Settings, base: Mapping[str, Any]) -> Iterator[Message]:
    version = settings.version
    for key, tag in _tags(version, base):
        found = _NUMBER.match(tag)
        if found and f"{found[1]}.{found[2]}" != version.minor:
            yield messages.image_of_other_version(key, tag, version.minor)


def _tags(version: CamundaVersion, base: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the tags that the values give the brokers' image, with their keys."""
    for path in ((version.brokers.component, "image", "tag"), ("global", "image", "tag")):
        tag = values.at(base, *path)
        if tag:
            yield ".".join(path), str(tag)


def _number(text: str) -> tuple[int, ...]:
    found = _NUMBER.match(text)
    return tuple(int(each or 0) for each in found.groups()) if found else ()
