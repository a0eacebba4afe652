"""The chart on this machine: fetched by helm if it is not there, its defaults, and what it renders."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dualregion.chart import helm_yaml
from dualregion.chart.values import Values, merge
from dualregion.config.settings import ChartSettings
from dualregion.errors import DualRegionError
from dualregion.procedure.topology import Installation
from messages.chart import files as messages

HELM_SECONDS = 60
"""How long one call of helm may take; rendering takes a fraction of a second, fetching a few."""
_SHOWN = 400


class NoHelm(DualRegionError):
    """There is no usable helm: nothing can be rendered, and nothing is known of it."""


class NotFetched(DualRegionError):
    """The chart cannot be fetched: nothing is known of what it renders."""


class NotRendered(DualRegionError):
    """Helm does not render the chart with these values."""


def helm() -> str:
    """Return the helm on PATH.

    :raises NoHelm: if there is none.
    """
    found = shutil.which("helm")
    if found is None:
        raise NoHelm(messages.no_helm())
    return found


@contextmanager
def fetched(chart: ChartSettings, project: Path) -> Iterator[Path]:
    """Have the chart as a folder or archive: where it is, or fetched by helm for as long as the context lasts.

    :raises NoHelm: if helm is needed and not there.
    :raises NotFetched: if it cannot be fetched.
    """
    if chart.is_path:
        yield project / chart.name
        return
    with TemporaryDirectory(prefix="dualregion-chart-") as folder:
        repository = ("--repo", chart.repository) if chart.repository and not chart.is_oci else ()
        version = ("--version", chart.version) if chart.version else ()
        done = _run("pull", chart.name, *repository, *version, "--destination", folder)
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or not archives:
            raise NotFetched(messages.chart_not_fetched(chart.name, _last(done.stderr)))
        yield archives[0]


def render(chart: Path, release: str, spec: Installation, version: str) -> list[dict[str, Any]]:
    """Return the objects of a release.

    :param version: the API server's, which templates may ask for; empty for helm's own guess.
    :raises NoHelm: if there is no helm.
    :raises NotRendered: with helm's reason.
    """
    known = ("--kube-version", version) if version else ()
    done = _run(
        *("template", release, str(chart), "--namespace", spec.namespace, "--skip-tests"),
        *(*known, "--values", "-"),
        given=json.dumps(spec.values),
    )
    if done.returncode:
        raise NotRendered(messages.chart_not_rendered(_last(done.stderr)))
    try:
        found = list(helm_yaml.read_all(done.stdout.encode()))
    except helm_yaml.BadYaml as error:
        raise NotRendered(messages.rendered_not_yaml(error.line, error.message)) from None
    return [each for each in found if each and isinstance(each, dict)]


def defaults_of(chart: ChartSettings, project: Path) -> Values:
    """Return the own values of a chart on this machine; of another one nothing, as only the provider reads it."""
    return (defaults(project / chart.name) or {}) if chart.is_path else {}


def defaults(chart: Path) -> Values | None:
    """Return a chart's own values, those of subcharts under their names; None if they cannot be read."""
    try:
        files = _values_of_folder(chart) if chart.is_dir() else _values_of_archive(chart)
    except (OSError, tarfile.TarError, helm_yaml.BadYaml):
        return None
    merged: Values = {}
    # The deeper ones first: a chart's values outweigh its subcharts'.
    for place in sorted(files, key=len, reverse=True):
        document = files[place]
        for name in reversed(place):
            document = {name: document}
        merged = merge(merged, document)
    return merged


def _values_of_folder(chart: Path) -> dict[tuple[str, ...], Mapping[str, Any]]:
    found = {_place(each.relative_to(chart)): each for each in chart.rglob("values.yaml")}
    return {place: _map(path.read_bytes()) for place, path in found.items() if place is not None}


def _values_of_archive(chart: Path) -> dict[tuple[str, ...], Mapping[str, Any]]:
    found: dict[tuple[str, ...], Mapping[str, Any]] = {}
    with tarfile.open(chart) as archive:
        for name in archive.getnames():
            inside = Path(*Path(name).parts[1:])
            content = archive.extractfile(name) if inside.name == "values.yaml" else None
            place = _place(inside)
            if content is not None and place is not None:
                found[place] = _map(content.read())
    return found


def _place(path: Path) -> tuple[str, ...] | None:
    """Return which subchart, in which one, a values file belongs to: `charts/a/charts/b/values.yaml` to (a, b)."""
    parts = path.parent.parts
    if len(parts) % 2 or any(each != "charts" for each in parts[::2]):
        return None
    return parts[1::2]


def _map(content: bytes) -> Mapping[str, Any]:
    document = helm_yaml.read(content)
    return document if isinstance(document, Mapping) else {}


def _run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [helm(), *arguments]
    try:
        return subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, timeout=HELM_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise NotFetched(messages.helm_not_ended(arguments[0], HELM_SECONDS)) from None
    except OSError as error:
        raise NoHelm(messages.helm_not_started(str(error.strerror))) from None


def _last(said: str) -> str:
    """Return what helm says of its failure."""
    lines = [
        line.removeprefix("Error: ") for line in said.splitlines() if line.startswith("Error: ")
    ]
    return (lines[-1] if lines else said.strip() or "no output")[-_SHOWN:]
