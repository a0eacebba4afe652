"""Reading the user's values files and checking that the chart is there."""

import hashlib
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dualregion.chart import helm_yaml
from dualregion.chart.adoption import ChartVersion
from dualregion.chart.values import Values, merge_all
from dualregion.config.settings import ChartSettings
from dualregion.errors import ConfigError

REFERENCE_VALUES = Path(__file__).parent.parent / "dualregion" / "reference-values.yaml"
"""The values used when the user names none: the shape of the reference set-up."""


def read_values(
    paths: Sequence[str], project: Path, default: Path | None = REFERENCE_VALUES
) -> Values:
    """Return the user's merged Helm values.

    :param paths: values files, the later ones over the earlier; relative ones start at the project.
    :param default: the file that is read if there are no paths; None for no values then.
    :raises ConfigError: naming every file that cannot be read or is no YAML map.
    """
    problems: list[str] = []
    documents: list[Mapping[str, Any]] = []
    for path in [project / name for name in paths] or ([default] if default else []):
        try:
            documents.append(_read_map(path))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return merge_all(documents)


def _read_map(path: Path) -> Mapping[str, Any]:
    document = _read(path, "values")
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        kind = {list: "a list", str: "a text", bool: "a boolean"}.get(type(document), "a number")
        raise ConfigError([f"values: file {path} holds {kind}; Helm values are a map"])
    return document


def _read(path: Path, key: str) -> Any:
    """Return the document of a file as Helm reads it; the error of a refused one quotes nothing of it.

    :param key: the setting that names the file.
    """
    try:
        return helm_yaml.read(path.read_bytes())
    except OSError as error:
        raise ConfigError([f"{key}: file {path} cannot be read: {error.strerror}"]) from None
    except helm_yaml.BadYaml as error:
        raise ConfigError(
            [f"{key}: file {path} is not YAML that Helm takes: line {error.line}: {error}"]
        ) from None


def check_chart(chart: ChartSettings, project: Path) -> None:
    """Check that a chart given as a path is there, and the very one; the provider checks the others in every preview.

    :raises ConfigError: if it is not.
    """
    path = project / chart.name
    is_archive = chart.is_path and path.is_file()
    if chart.is_path and not is_archive and not (path / "Chart.yaml").is_file():
        raise ConfigError(
            [
                f"chart.name is {chart.name!r}, but there is no chart at {path}: name a folder with a Chart.yaml, "
                "an archive, a chart of chart.repository, or an oci:// address"
            ]
        )
    if chart.digest is not None:
        _check_digest(chart, path if is_archive else None)


def _check_digest(chart: ChartSettings, archive: Path | None) -> None:
    """Check that the chart's archive is the one that the digest is of."""
    if archive is None:
        raise ConfigError(
            [
                f"chart.digest is set, but chart.name is {chart.name!r}, which is no archive on this machine: fetch it once "
                f"(`helm pull`), and name the archive, or `pulumi config rm --path chart.digest`"
            ]
        )
    try:
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError([f"chart.name: {archive} cannot be read: {error.strerror}"]) from None
    if found != str(chart.digest).removeprefix("sha256:"):
        raise ConfigError(
            [
                f"chart.digest is {chart.digest}, but {archive} has sha256:{found}: it is another archive than you have "
                "pinned; compare `sha256sum`, and change chart.digest only if that is the chart you mean"
            ]
        )


def chart_version(chart: ChartSettings, project: Path) -> ChartVersion:
    """Return a chart's name and version: of a folder or archive by its Chart.yaml, else by the settings.

    :raises ConfigError: if there is no Chart.yaml that tells.
    """
    if not chart.is_path:
        return ChartVersion(chart.name.rsplit("/", 1)[-1], str(chart.version or ""))
    path = project / chart.name
    try:
        about = helm_yaml.read(_chart_yaml(path))
        return ChartVersion(str(about["name"]), str(about["version"]))
    except (OSError, tarfile.TarError, helm_yaml.BadYaml, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(
            [
                f"chart.name is {chart.name!r}, but {path} has no readable Chart.yaml with a name and a "
                f"version ({reason})"
            ]
        ) from None


def _chart_yaml(path: Path) -> bytes:
    if path.is_dir():
        return (path / "Chart.yaml").read_bytes()
    with tarfile.open(path) as archive:
        # The chart's own lies in the archive's one folder; its subcharts' lie deeper.
        for name in archive.getnames():
            content = archive.extractfile(name) if Path(name).match("?*/Chart.yaml") else None
            if content and name.count("/") == 1:
                return content.read()
    raise KeyError("Chart.yaml")
