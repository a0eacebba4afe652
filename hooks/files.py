"""Reading the user's values files and checking that the chart is there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dualregion.errors import ConfigError
from dualregion.settings import ChartSettings
from dualregion.values import Values, merge_all

REFERENCE_VALUES = Path(__file__).parent.parent / "dualregion" / "reference-values.yaml"
"""The values used when the user names none: the shape of the reference set-up."""


def read_values(paths: Sequence[str], project: Path) -> Values:
    """Return the user's merged Helm values.

    :param paths: values files, the later ones over the earlier; relative ones start at the project.
    :raises ConfigError: naming every file that cannot be read or is no YAML map.
    """
    problems: list[str] = []
    documents: list[Mapping[str, Any]] = []
    for path in [project / name for name in paths] or [REFERENCE_VALUES]:
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
