"""A drill on clusters of others: what its settings file says, and what it does not take from the sandbox."""

from pathlib import Path

import pytest
import yaml

from drill.errors import DrillError
from drill.regions import REGIONS
from drill.settings import DrillSettings, Paths
from drill.testbed.foreign import ForeignSettings, flattened
from dualregion.config.settings import Settings

FILE = {
    "kubeconfig": "staging.kubeconfig",
    "contexts": ["kind-a", "kind-b"],
    "podCidrs": [["10.244.0.0/17"], ["10.244.128.0/17", "fd00::/64"]],
    "program": {
        "chart": {"name": "./chart.tgz"},
        "values": ["mine.yaml"],
        "backup": {"type": "s3", "settings": {"bucket": "drills", "path_style_access": True}},
        "deadlineSeconds": 1200,
    },
}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "staging.yaml"
    path.write_text(yaml.safe_dump(FILE | changes))
    return path


def test_paths_in_a_settings_file_start_at_its_folder(tmp_path: Path) -> None:
    found = ForeignSettings.read(written(tmp_path))
    assert found.kubeconfig == str(tmp_path / "staging.kubeconfig")
    assert found.program["values"] == [str(tmp_path / "mine.yaml")]
    assert found.program["chart"] == {"name": f"{tmp_path}/./chart.tgz".replace("/./", "/")}


def test_a_chart_of_a_repository_is_no_path(tmp_path: Path) -> None:
    chart = {"name": "camunda-platform", "version": "10.11.3"}
    found = ForeignSettings.read(written(tmp_path, program={"chart": chart}))
    assert found.program["chart"] == chart


def test_the_stacks_settings_are_the_users_and_nothing_of_the_sandboxs(tmp_path: Path) -> None:
    found = ForeignSettings.read(written(tmp_path))
    config = found.config(DrillSettings(cluster_size=8), Paths(Path("/srv/checkout")), REGIONS[1])
    assert "/srv/checkout" not in str(config)
    assert "rehearsal" not in str(config)
    assert "10.180.0.0/16" not in str(config)
    assert config["regions[0].kubeContext"] == "cluster-london"
    assert config["regions[1].podCidrs[1]"] == "fd00::/64"
    assert config["backup.settings.path_style_access"] == "true"
    assert config["deadlineSeconds"] == "1200"
    assert config["clusterSize"] == "8"


def test_the_stacks_settings_are_settings_of_the_program(tmp_path: Path) -> None:
    found = ForeignSettings.read(written(tmp_path, program={"values": ["mine.yaml"]}))
    config = found.config(DrillSettings(), Paths(), REGIONS[0])
    plain = {key: value for key, value in config.items() if "[" not in key and "." not in key}
    regions = [
        {
            "name": each.city,
            "kubeContext": each.context,
            "namespace": each.namespace,
            "podCidrs": [each.pod_cidr],
        }
        for each in REGIONS
    ]
    assert Settings.parse({**plain, "regions": regions}).cluster_size == 4


def test_without_address_ranges_the_isolation_is_left_to_the_owners_of_the_clusters(
    tmp_path: Path,
) -> None:
    found = ForeignSettings.read(written(tmp_path, podCidrs=[[], []]))
    config = found.config(DrillSettings(), Paths(), REGIONS[0])
    assert config["isolation"] == "own"
    given = ForeignSettings.read(written(tmp_path)).config(DrillSettings(), Paths(), REGIONS[0])
    assert "isolation" not in given


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"contexts": ["a"]}, "contexts", id="one context"),
        pytest.param({"contexts": ["a", "a"]}, "both contexts are 'a'", id="the same twice"),
        pytest.param({"context": "a"}, "context", id="an unknown key"),
    ],
)
def test_an_unusable_file_is_refused(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    with pytest.raises(DrillError, match=told):
        ForeignSettings.read(written(tmp_path, **changes))


def test_a_file_that_is_not_there_or_no_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DrillError, match="nowhere"):
        ForeignSettings.read(tmp_path / "nowhere.yaml")
    (tmp_path / "bad.yaml").write_text(": [")
    with pytest.raises(DrillError, match="bad"):
        ForeignSettings.read(tmp_path / "bad.yaml")


def test_a_document_is_flattened_as_pulumi_takes_paths() -> None:
    document = {"a": {"b": [1, {"c": True}]}, "d": "text"}
    assert flattened(document) == {"a.b[0]": "1", "a.b[1].c": "true", "d": "text"}
