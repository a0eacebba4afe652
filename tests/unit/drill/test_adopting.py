"""A drill that adopts: what it installs by hand is what the program would, and its checks can fail."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.files import REFERENCE_VALUES
from drill.regions import REGIONS
from drill.scenario import adopting
from drill.settings import DrillSettings, Paths, stack_config, values_files
from dualregion.chart.adoption import ChartVersion, RunningRelease, differences
from dualregion.chart.demands import conflicts
from dualregion.chart.values import merge
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.state.progress import Stack

LONDON = REGIONS[0]
CHART = ChartVersion("camunda-platform", "10.11.3")


@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize("region", [0, 1])
def test_the_reference_setups_own_values_are_what_the_program_would_install(
    size: int, region: int
) -> None:
    """Both are worked out apart, from the same guide: if they differ, adopting is refused to everybody."""
    base: dict[str, Any] = yaml.safe_load(REFERENCE_VALUES.read_text())
    namespaces = [each.namespace for each in REGIONS]
    given = merge(base, adopting.plain_values(base, namespaces, size))
    running = merge(given, {"global": {"multiregion": {"regionId": region}}})
    regions = [
        {"name": each.city, "kubeContext": each.context, "namespace": each.namespace}
        for each in REGIONS
    ]
    settings = Settings.parse(
        {
            "region": region,
            "regions": regions,
            "isolation": "own",
            "clusterSize": size,
            "partitionCount": size,
        }
    )
    assert conflicts(given, settings) == []
    (spec,) = desired(settings, given, Stack()).installations
    release = RunningRelease(1, "deployed", CHART, running, {})
    assert differences(release, CHART, spec.values) == []


def test_the_stacks_adopt_with_the_values_that_helm_had() -> None:
    paths = Paths(Path("/srv/checkout"))
    config = stack_config(DrillSettings(adopt=True), paths, LONDON)
    values = [text for key, text in sorted(config.items()) if key.startswith("values[")]
    assert config["adopt"] == "true"
    assert values == [str(path) for path in values_files(DrillSettings(adopt=True), paths)]
    assert values[-1] == str(paths.plain_values)
    assert "adopt" not in stack_config(DrillSettings(), paths, LONDON)
