"""Reading the user's values files and checking that the chart is there."""

import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dualregion.adoption import ChartVersion
from dualregion.errors import ConfigError
from dualregion.settings import ChartSettings
from dualregion.values import Values, merge_all

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
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([f"values: file {path} cannot be read: {reason}"]) from None
    except yaml.YAMLError as error:
        where = str(error).replace("\n", " ")
        raise ConfigError([f"values: file {path} is not YAML: {where}"]) from None
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        kind = type(document).__name__
        raise ConfigError([f"values: file {path} holds a {kind}; Helm values are a map"])
    return document


def check_chart(chart: ChartSettings, project: Path) -> None:
    """Check that a chart given as a path is there; the provider checks the others in every preview.

    :raises ConfigError: if it is not.
    """
    if not chart.is_path:
        return
    path = project / chart.name
    if path.is_file() or (path / "Chart.yaml").is_file():
        return
    raise ConfigError(
        [
            f"chart.name is {chart.name!r}, but there is no chart at {path}: name a folder with a Chart.yaml, "
            "an archive, a chart of chart.repository, or an oci:// address"
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
        about = yaml.safe_load(_chart_yaml(path))
        return ChartVersion(str(about["name"]), str(about["version"]))
    except (OSError, tarfile.TarError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(
            [f"chart.name is {chart.name!r}, but {path} has no readable Chart.yaml: {error}"]
        ) from None


def chart_defaults(chart: ChartSettings, project: Path) -> Values:
    """Return a chart's own values, of a folder or archive; of another source nothing, as only the provider reads it.

    :raises ConfigError: if they cannot be read.
    """
    if not chart.is_path:
        return {}
    path = project / chart.name
    try:
        found = yaml.safe_load(_chart_file(path, "values.yaml"))
    except (OSError, KeyError):
        return {}
    except (tarfile.TarError, yaml.YAMLError, ValueError) as error:
        raise ConfigError(
            [f"chart.name is {chart.name!r}, but {path} has no readable values.yaml: {error}"]
        ) from None
    return dict(found) if isinstance(found, Mapping) else {}


def _chart_yaml(path: Path) -> str:
    return _chart_file(path, "Chart.yaml")


def _chart_file(path: Path, file: str) -> str:
    """Return one of a chart's own files.

    :raises KeyError: if an archive does not have it.
    """
    if path.is_dir():
        return (path / file).read_text()
    with tarfile.open(path) as archive:
        # The chart's own lies in the archive's one folder; its subcharts' lie deeper.
        for name in archive.getnames():
            content = archive.extractfile(name) if Path(name).match(f"?*/{file}") else None
            if content and name.count("/") == 1:
                return content.read().decode()
    raise KeyError(file)
