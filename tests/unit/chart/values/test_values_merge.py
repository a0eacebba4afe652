"""Values files are merged as the real Helm merges them, nulls and lists included, over a chart's own defaults."""

import base64
import copy
import json
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from dualregion.chart.values import merge_all
from tests.inputs.random_inputs import Seeds
from tests.unit.chart.test_chart import helm

KEYS = ("a", "b", "c")


def _value(source: random.Random, depth: int) -> Any:
    kind = source.randrange(10)
    if kind < 5 and depth:
        return _map(source, depth - 1)
    if kind < 7:
        return [source.choice((1, None, "x", {}, {"a": 1}, [])) for _ in range(source.randrange(3))]
    return source.choice((None, None, "", "text", 0, 1.5, True, False, "null", {}, []))


def _map(source: random.Random, depth: int) -> dict[str, Any]:
    return {key: _value(source, depth) for key in source.sample(KEYS, source.randrange(1, 4))}


def rendered(folder: Path, defaults: Any, files: Sequence[Any]) -> Any:
    """Return the values that a chart's templates get from Helm."""
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text(json.dumps(defaults))
    (folder / "templates" / "all.yaml").write_text("all: {{ toJson .Values | b64enc }}\n")
    command = [helm(), "template", "c", str(folder)]
    for number, document in enumerate(files):
        path = folder.parent / f"{number}.json"
        path.write_text(json.dumps(document))
        command += ["--values", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(base64.b64decode(yaml.safe_load(done.stdout)["all"]))


def test_merged_files_are_to_helm_what_the_files_one_by_one_are(
    tmp_path: Path, seeds: Seeds
) -> None:
    """Many cases, each below a key of its own, in one run of Helm."""
    for number, source in enumerate(seeds(3)):
        cases = [f"case{case}" for case in range(150)]
        defaults, *files = (
            {case: _map(source, 3) for case in cases} for _ in range(source.choice((3, 4)))
        )
        kept = copy.deepcopy(files)
        merged = merge_all(files)
        assert files == kept, "what is merged is left as it is"
        chart = tmp_path / str(number) / "chart"
        one_by_one = rendered(chart, defaults, files)
        at_once = rendered(chart, defaults, [merged])
        for case in cases:
            assert at_once[case] == one_by_one[case], (
                [each[case] for each in (defaults, *files)],
                merged[case],
            )


def test_helm_alone_merges_maps_as_the_program_does(tmp_path: Path, seeds: Seeds) -> None:
    """Without a chart's defaults what templates get is the merged document itself, but for its nulls."""
    for number, source in enumerate(seeds(2)):
        files = [{f"case{case}": _map(source, 3) for case in range(150)} for _ in range(3)]
        found = rendered(tmp_path / str(number) / "chart", {}, files)
        assert _without_nulls(found) == _without_nulls(merge_all(files))


def _without_nulls(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _without_nulls(each) for key, each in document.items() if each is not None}
    return document
