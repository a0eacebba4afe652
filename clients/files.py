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
from messages import Message
from messages.chart import files as messages

REFERENCE_VALUES = Path(__file__).parent.parent / "dualregion" / "reference-values.yaml"
"""The values used when the user names none: the shape of the reference set-up."""


def read_values(paths: Sequence[str], project: Path) -> Values:
    """Return the user's merged Helm values, those of the reference set-up if no file is named.

    :param paths: values files, the later ones over the earlier; relative ones start at the project.
    :raises ConfigError: naming every file that cannot be read or is no YAML map.
    """
    files = [project / name for name in paths] or [REFERENCE_VALUES]
    return _merged(files, "values")


def read_failover_values(paths: Sequence[str], project: Path) -> Values:
    """Return the merged Helm values of the failover installation, none if no file is named; raises as `read_values`.

    :param paths: see `read_values`.
    """
    return _merged([project / name for name in paths], "failoverValues")


def _merged(files: Sequence[Path], setting: str) -> Values:
    problems: list[Message] = []
    documents: list[Mapping[str, Any]] = []
    for each in files:
        try:
            documents.append(_read_map(each, setting))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return merge_all(documents)


def _read_map(path: Path, setting: str) -> Mapping[str, Any]:
    document = _read(path, setting)
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        kind = {list: "a list", str: "a text", bool: "a boolean"}.get(type(document), "a number")
        raise ConfigError([messages.values_not_a_map(setting, str(path), kind)])
    return document


def _read(path: Path, setting: str) -> Any:
    """Return the document of a file as Helm reads it; the error of a refused one quotes nothing of it.

    :param setting: the setting that names the file.
    """
    try:
        return helm_yaml.read(path.read_bytes())
    except OSError as error:
        reason = str(error.strerror)
        raise ConfigError([messages.values_unreadable(setting, str(path), reason)]) from None
    except helm_yaml.BadYaml as error:
        refused = messages.values_not_yaml(setting, str(path), error.line, error.message)
        raise ConfigError([refused]) from None


def check_chart(chart: ChartSettings, project: Path) -> None:
    """Check that a chart given as a path is there, and the very one; the provider checks the others in every preview.

    :raises ConfigError: if it is not.
    """
    path = project / chart.name
    is_archive = chart.is_path and path.is_file()
    if chart.is_path and not is_archive and not (path / "Chart.yaml").is_file():
        raise ConfigError([messages.no_chart(chart.name, str(path))])
    if chart.digest is not None:
        _check_digest(chart, path if is_archive else None)


def _check_digest(chart: ChartSettings, archive: Path | None) -> None:
    """Check that the chart's archive is the one that the digest is of."""
    if archive is None:
        raise ConfigError([messages.digest_of_no_archive(chart.name)])
    try:
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError([messages.chart_unreadable(str(archive), str(error.strerror))]) from None
    if found != str(chart.digest).removeprefix("sha256:"):
        raise ConfigError([messages.another_digest(str(chart.digest), str(archive), found)])


_HELM = "camunda.io/helmCLIVersion"
"""The annotation of Camunda's charts that names the versions of Helm that they are made for."""


def chart_version(chart: ChartSettings, project: Path) -> ChartVersion:
    """Return a chart's name and version: of a folder or archive by its Chart.yaml, else by the settings.

    :raises ConfigError: if there is no Chart.yaml that tells.
    """
    if not chart.is_path:
        return ChartVersion(chart.name.rsplit("/", 1)[-1], str(chart.version or ""))
    path = project / chart.name
    try:
        about = helm_yaml.read(_chart_yaml(path))
        name, version = str(about["name"]), str(about["version"])
        notes = about.get("annotations")
        helm = notes.get(_HELM, "") if isinstance(notes, Mapping) else ""
        return ChartVersion(name, version, str(helm))
    except (OSError, tarfile.TarError, helm_yaml.BadYaml, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError([messages.no_chart_version(chart.name, str(path), reason)]) from None


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
