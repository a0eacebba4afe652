"""What a drill is asked to do: what cannot be rehearsed is refused, and the stacks are configured for the rest."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.errors import DrillError
from drill.procedure.model import Until
from drill.procedure.versions import VERSIONS
from drill.regions import REGIONS
from drill.settings import (
    STACK_SECRETS,
    DrillSettings,
    Paths,
    backup_values,
    chart_of,
    delayed,
    lost_regions,
    stack_config,
    values_files,
)
from drill.testbed.lifecycle import write_counts
from sandbox.own.images import OwnImages

IMAGES = OwnImages.model_validate({"images": {"zeebe": {"image": "camunda/zeebe:8.5.25"}}})
ON = Path("clusters.yaml")


@pytest.mark.parametrize(
    "wrong",
    [
        {"lost": (2,)},
        {"lost": ()},
        {"lost": (1, -1)},
        {"lost": (1, 0), "until": Until.FAILOVER},
        {"cluster_size": 6},
        {"cluster_size": 0},
        {"interrupt": True, "until": Until.NORMAL},
        {"interrupt": True, "back_out": True},
        {"interrupt": True, "zombie": True},
        {"interrupt": True, "late_flush": True},
        {"back_out": True, "until": Until.FAILOVER},
        {"back_out": True, "late_flush": True},
        {"zombie": True, "until": Until.NORMAL},
        {"late_flush": True, "until": Until.FAILOVER},
        {"without_isolation": True},
        {"two_operators": True},
        {"consent": "a,b"},
        {"on": ON, "adopt": True},
        {"on": ON, "zombie": True},
        {"on": ON, "late_flush": True},
        {"on": ON, "images": IMAGES},
        {"late_flush": True, "images": IMAGES},
        {"camunda": "8.4"},
        {"camunda": "8.8", "cluster_size": 5},
        {"camunda": "8.8", "cluster_size": 2},
        {"camunda": "8.8", "late_flush": True},
        {"camunda": "8.8", "adopt": True},
        {"camunda": "8.8", "images": IMAGES},
        {"camunda": "8.8", "by_script": True},
        {"by_script": True, "by_pulumi": True},
        {"by_script": True, "interrupt": True},
        {"by_script": True, "zombie": True},
        {"by_script": True, "on": ON},
        {"start_delay": -1.0},
        {"start_delay": 10.0, "images": IMAGES},
        {"start_delay": 10.0, "on": ON},
        {"gateways": 0},
        {"gateways": 2, "camunda": "8.8"},
        {"engine_nodes": 0},
        {"engine_nodes": 2, "camunda": "8.9"},
        {"clock_skew": 60.0, "by_script": True},
    ],
)
def test_a_drill_that_cannot_be_done_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DrillError):
        DrillSettings(**wrong)


@pytest.mark.parametrize(
    ("options", "by_command"),
    [
        ({}, True),
        ({"by_pulumi": True}, False),
        ({"interrupt": True}, False),
        ({"zombie": True}, False),
        ({"late_flush": True}, False),
        ({"by_script": True}, False),
    ],
)
def test_the_command_takes_the_turns_unless_something_happens_between_them(
    options: dict[str, Any], by_command: bool
) -> None:
    assert DrillSettings(**options).by_command is by_command


def test_a_drill_goes_to_restored_by_default_and_each_incident_has_its_survivor() -> None:
    assert DrillSettings().until is Until.RESTORED
    assert [
        (each.number, each.lost.city, each.survivor.city)
        for each in DrillSettings(lost=(1, 0, 0)).incidents
    ] == [(1, "paris", "london"), (2, "london", "paris"), (3, "london", "paris")]


@pytest.mark.parametrize(
    ("lost", "incidents", "regions"),
    [(None, "", (1,)), (0, "", (0,)), (None, "1,0", (1, 0)), (None, " 0, 0", (0, 0))],
)
def test_the_lost_regions_of_the_options(
    lost: int | None, incidents: str, regions: tuple[int, ...]
) -> None:
    assert lost_regions(lost, incidents) == regions


@pytest.mark.parametrize(
    ("lost", "incidents", "says"),
    [(0, "1,0", "give one of them"), (None, "1,paris", "as in 1,0"), (None, "1,", "as in 1,0")],
)
def test_options_that_name_no_regions_are_refused(
    lost: int | None, incidents: str, says: str
) -> None:
    with pytest.raises(DrillError, match=says):
        lost_regions(lost, incidents)


def test_without_isolation_no_region_has_pod_addresses() -> None:
    isolated, open_ = (
        set(stack_config(DrillSettings(zombie=True, without_isolation=out), Paths(), REGIONS[0]))
        for out in (False, True)
    )
    assert isolated - open_ == {"regions[0].podCidrs[0]", "regions[1].podCidrs[0]"}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_configuration_is_what_the_program_takes(version: str) -> None:
    from dualregion.config.settings import Settings  # noqa: PLC0415 (only this test knows the program)

    config = stack_config(DrillSettings(cluster_size=8, camunda=version), Paths(), REGIONS[1])
    settings = Settings.parse(nested(config | STACK_SECRETS))
    assert settings.camunda_version == version
    assert settings.own.namespace == "camunda-paris"
    assert settings.rights.subject != settings.rights.peer_subject
    other = stack_config(DrillSettings(), Paths(), REGIONS[0])["kubeconfig"]
    assert settings.kubeconfig not in (None, other)
    assert settings.backup.type == "fs"
    assert settings.backup.settings == {"location": "/backup"}


def nested(config: dict[str, str]) -> dict[str, object]:
    """Do with `a.b` and `a[0].b` what `pulumi config set --path` does."""
    result: dict[str, object] = {}
    for path, value in config.items():
        place: object = result
        parts = path.replace("[", ".[").split(".")
        for part, after in zip(parts, [*parts[1:], None], strict=True):
            fresh = scalar(value) if after is None else [] if after.startswith("[") else {}
            place = put(place, part, fresh)
    return result


def scalar(value: str) -> object:
    """Return what becomes of a text: truth values and whole numbers are made of it, and nothing else."""
    return yaml.safe_load(value) if value.isdigit() or value in ("true", "false") else value


def put(place: object, part: str, fresh: object) -> object:
    if isinstance(place, list):
        index = int(part[1:-1])
        if index == len(place):
            place.append(fresh)
        return place[index]
    assert isinstance(place, dict)
    return place.setdefault(part, fresh)


def test_what_a_version_does_not_have_is_not_configured() -> None:
    former = stack_config(DrillSettings(), Paths(), REGIONS[0])
    later = stack_config(DrillSettings(camunda="8.6", cluster_size=6), Paths(), REGIONS[0])
    assert "camundaVersion" not in former
    assert later["camundaVersion"] == "8.6"
    assert {key for key in former if "failoverNamespace" in key}
    assert not {key for key in later if "failoverNamespace" in key}


@pytest.mark.parametrize("version", VERSIONS)
def test_chart_and_values_are_there(version: str) -> None:
    settings = DrillSettings(camunda=version)
    chart = Path(chart_of(settings).name)
    assert yaml.safe_load((chart / "Chart.yaml").read_text())["appVersion"] == f"{version}.x"
    generated = Paths().backup_values
    files = values_files(settings, Paths())
    assert all(path.is_file() for path in files if path != generated)
    # It is for the search engine's chart, where that is another one.
    assert (generated in files) is (settings.version.own_engine is None)


def test_both_search_engines_mount_one_folder_where_the_repository_is() -> None:
    config = stack_config(DrillSettings(), Paths(), REGIONS[0])
    paths = [Path(path) for key, path in config.items() if key.startswith("values[")]
    assert paths[-1] == Paths().backup_values
    rehearsal = yaml.safe_load(paths[1].read_text())["elasticsearch"]
    (volume,) = backup_values(Paths().backup)["elasticsearch"]["extraVolumes"]
    # Helm replaces lists whole: every volume that is mounted must be among ours, or the chart's own.
    mounted = {each["name"]: each["mountPath"] for each in rehearsal["extraVolumeMounts"]}
    assert mounted.pop("empty-dir")
    assert mounted == {volume["name"]: config["backup.settings.location"]}
    assert rehearsal["snapshotRepoPath"] == config["backup.settings.location"]
    alone = backup_values(Paths().backup, own_engine=True)
    assert alone == backup_values(Paths().backup)["elasticsearch"]
    assert volume["hostPath"] == {"path": str(Paths().backup), "type": "Directory"}
    assert Paths().backup.is_relative_to(Paths().folder)


class TestStartDelay:
    """The rehearsal broker's own setting, beside what its environment has anyway."""

    def test_the_environment_that_counts_is_kept(self) -> None:
        first = {"zeebe": {"env": [{"name": "OLD", "value": "1"}]}}
        last = {"zeebe": {"env": [{"name": "KEPT", "value": "2"}]}}
        found = delayed([first, last, {"operate": {}}], 10)
        late = {"name": "REHEARSAL_START_DELAY", "value": "10s"}
        assert found == {"zeebe": {"env": [{"name": "KEPT", "value": "2"}, late]}}

    def test_it_stands_there_once(self) -> None:
        once = delayed([{"orchestration": {"env": [{"name": "A", "value": "1"}]}}], 0.5)
        twice = delayed([once], 2)["orchestration"]["env"]
        assert [entry["value"] for entry in twice] == ["1", "2s"]

    def test_values_without_brokers_are_refused(self) -> None:
        with pytest.raises(DrillError):
            delayed([{"zeebe": {}}, {}], 10)

    @pytest.mark.parametrize("camunda", VERSIONS)
    def test_the_brokers_of_every_version_can_start_late(self, camunda: str) -> None:
        plain, late = DrillSettings(camunda=camunda), DrillSettings(camunda=camunda, start_delay=10)
        paths = Paths(Path("checkout"))
        assert paths.delay_values in values_files(late, paths)
        assert paths.delay_values not in values_files(plain, paths)
        files = [each for each in values_files(plain, Paths()) if each.exists()]
        (values,) = delayed([yaml.safe_load(each.read_text()) for each in files], 10).values()
        assert values["env"][-1]["value"] == "10s"


def test_several_gateways_and_nodes_are_values_over_all_that_name_one(tmp_path: Path) -> None:
    plain, two = DrillSettings(), DrillSettings(gateways=2, engine_nodes=3)
    paths = Paths(tmp_path)
    paths.folder.mkdir(parents=True)
    for settings in (plain, two):
        write_counts(settings, paths)
        assert paths.count_values.exists() == (paths.count_values in values_files(settings, paths))
    assert yaml.safe_load(paths.count_values.read_text()) == {
        "zeebeGateway": {"replicas": 2},
        "elasticsearch": {"master": {"replicaCount": 3}},
    }
