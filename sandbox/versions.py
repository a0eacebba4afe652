"""What the sandbox has for each version of Camunda: the stand-in chart, values for rehearsals, a search engine, images.

A chart's version stands in its folder, and Helm takes it from nowhere else. So the templates of charts of one shape lie
in `sandbox/charts` once, and the folder of each version's chart is written from them when it is asked for.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from sandbox.errors import SandboxError

_HERE = Path(__file__).parent
_VALUES = _HERE / "values"
_CHARTS = _HERE / "charts"
_BASE = _CHARTS / "camunda-platform"
"""As it stands, the chart of the oldest version. Brokers, gateway and web applications are apart in it."""
_UNIFIED = _CHARTS / "orchestration"
"""What charts have where one process is all of these; the rest they have of the base."""
_ENGINE = _CHARTS / "search-engine"
"""The chart of a search engine with a password, which is installed beside one that brings none."""
_SHARED_TEMPLATES = ("_elasticsearch.tpl", "_helpers.tpl", "connectors.yaml", "elasticsearch.yaml")
_SHARED_VALUES = ("connectors", "elasticsearch")
_WRITTEN = _HERE.parent / "out" / "charts"
"""Where folders of charts are written, each under a name with a hash of its content."""


@dataclass(frozen=True)
class CamundaVersion:
    """One version of Camunda, as the sandbox has it.

    :ivar minor: as users name it, such as `8.6`.
    :ivar image: the tag of its images here: the newest patch that its chart named in August 2026.
    :ivar chart: the version of the chart camunda-platform.
    :ivar values: files of a rehearsal, later ones over earlier ones.
    :ivar defaults: files of defaults of a chart in which one process is broker, gateway and web applications.
    :ivar has_kinds: whether its chart knows kinds of installations (`global.multiregion.installationType`).
    :ivar has_engine: whether its chart brings the search engine.
    """

    minor: str
    image: str
    chart: str
    values: tuple[str, ...]
    defaults: tuple[str, ...] = ()
    has_kinds: bool = False
    has_engine: bool = True

    @property
    def is_unified(self) -> bool:
        """Whether one process is broker, gateway and web applications."""
        return bool(self.defaults)


_APART = ("rehearsal-elasticsearch.yaml", "rehearsal.yaml")
_ALL = (
    CamundaVersion(*("8.5", "8.5.25", "10.11.3"), _APART, has_kinds=True),
    CamundaVersion(*("8.6", "8.6.39", "11.12.3"), (*_APART, "rehearsal-8.6.yaml"), has_kinds=True),
    CamundaVersion(*("8.7", "8.7.37", "12.13.3"), (*_APART, "rehearsal-8.7.yaml")),
    CamundaVersion(
        *("8.8", "8.8.36", "13.12.7"),
        values=(
            "rehearsal-elasticsearch.yaml",
            "rehearsal-orchestration.yaml",
            "rehearsal-8.8.yaml",
        ),
        defaults=("values.yaml", "values-8.8.yaml"),
    ),
    CamundaVersion(
        *("8.9", "8.9.17", "14.8.4"),
        values=("rehearsal-orchestration.yaml", "rehearsal-8.9.yaml"),
        defaults=("values.yaml", "values-8.9.yaml"),
        has_engine=False,
    ),
    CamundaVersion(
        *("8.10", "8.10.0", "15.0.0"),
        values=("rehearsal-orchestration.yaml", "rehearsal-8.9.yaml", "rehearsal-8.10.yaml"),
        defaults=("values.yaml", "values-8.9.yaml"),
        has_engine=False,
    ),
)
VERSIONS = {each.minor: each for each in _ALL}
"""All of them, by `CamundaVersion.minor`, the oldest first."""
OLDEST = _ALL[0].minor


@dataclass(frozen=True)
class Shape:
    """What is installed in a rehearsal of one version.

    :ivar chart: the folder of the stand-in chart.
    :ivar values: Helm values for it, later files over earlier ones; what the program sets itself is not in them.
    :ivar engine_chart: the folder of the search engine's chart, where `chart` brings none. It is installed first, into
        the same namespace, under any name.
    """

    chart: Path
    values: tuple[Path, ...]
    engine_chart: Path | None


def shape_of(minor: str) -> Shape:
    """Return what a rehearsal of a version installs, and write the chart's folder if it is not there.

    :param minor: a key of `VERSIONS`.
    :raises SandboxError: the sandbox does not have this version.
    """
    if minor not in VERSIONS:
        raise SandboxError(f"The sandbox has no Camunda {minor}. It has {', '.join(VERSIONS)}.")
    version = VERSIONS[minor]
    return Shape(
        chart=_BASE if minor == OLDEST else _written(version),
        values=tuple(_VALUES / name for name in version.values),
        engine_chart=None if version.has_engine else _ENGINE,
    )


def _written(version: CamundaVersion) -> Path:
    """Write a chart's folder, unless it is there, and return it: it appears complete, or not at all."""
    files = tuple(_files_of(version))
    key = hashlib.sha256(repr(files).encode()).hexdigest()[:12]
    target = _WRITTEN / f"{version.minor}-{key}"
    chart = target / _BASE.name
    if chart.is_dir():
        return chart
    _WRITTEN.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_WRITTEN, prefix=".new-") as folder:
        made = Path(folder) / target.name
        for name, text in files:
            file = made / chart.name / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        # Another process may have written the same meanwhile.
        with suppress(OSError):
            os.rename(made, target)
    return chart


def _files_of(version: CamundaVersion) -> Iterator[tuple[str, str]]:
    """Yield what the folder of a version's chart holds: names and texts."""
    chart = yaml.safe_load((_BASE / "Chart.yaml").read_text())
    chart |= {
        "version": version.chart,
        "appVersion": f"{version.minor}.x",
        "description": f"Stand-in for the chart camunda-platform {version.chart} (Camunda {version.minor}).",
    }
    yield "Chart.yaml", yaml.safe_dump(chart, sort_keys=False)
    yield "values.yaml", yaml.safe_dump(_defaults_of(version), sort_keys=False)
    for file in _templates_of(version):
        yield f"templates/{file.name}", file.read_text()


def _templates_of(version: CamundaVersion) -> Iterable[Path]:
    base = _BASE / "templates"
    if not version.is_unified:
        return sorted(base.iterdir())
    return [
        *(base / name for name in _SHARED_TEMPLATES),
        *sorted((_UNIFIED / "templates").iterdir()),
    ]


def _defaults_of(version: CamundaVersion) -> dict[str, Any]:
    """Return the values that a version's chart has by default."""
    base = yaml.safe_load((_BASE / "values.yaml").read_text())
    if version.is_unified:
        own = [yaml.safe_load((_UNIFIED / name).read_text()) for name in version.defaults]
        base = reduce(_merged, own, {name: base[name] for name in _SHARED_VALUES})
    elif not version.has_kinds:
        del base["global"]["multiregion"]["installationType"]
    return _tagged(base, version.image)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values as Helm does."""
    both = {
        name: _merged(under[name], over[name])
        for name in under.keys() & over.keys()
        if isinstance(under[name], Mapping) and isinstance(over[name], Mapping)
    }
    return {**under, **over, **both}


def _tagged(values: Mapping[str, Any], tag: str) -> dict[str, Any]:
    """Give all of Camunda's own images one tag, Connectors' too."""
    return {
        component: content | {"image": content["image"] | {"tag": tag}}
        if content.get("image", {}).get("repository", "").startswith("camunda/")
        else content
        for component, content in values.items()
    }
