"""The script's side: the values that an operator has after pasting what the guide's generator prints, and its marks."""

import subprocess
from pathlib import Path

import pytest

from drill.race.by_script import (
    SCRIPTS,
    STACK,
    base_values,
    environment,
    failover_values,
    isolation,
    merged,
    told,
)
from drill.regions import REGIONS
from drill.settings import Incident

LONDON, PARIS = REGIONS
DOCUMENTS = (
    {"zeebe": {"env": [{"name": "OLD", "value": "1"}], "pvcSize": "1Gi"}, "operate": {"a": 1}},
    {
        "zeebe": {
            "env": [
                {"name": "KEPT", "value": "2"},
                {"name": "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL", "value": "old"},
            ]
        },
        "operate": {"b": 2},
    },
)


def env_of(lost: int | None, size: int = 4) -> dict[str, str]:
    values = base_values(DOCUMENTS, size, None if lost is None else REGIONS[lost])
    names = [entry["name"] for entry in values["zeebe"]["env"]]
    assert len(names) == len(set(names))
    return {entry["name"]: entry["value"] for entry in values["zeebe"]["env"]}


def urls(lost: int | None) -> list[str]:
    found = env_of(lost)
    names = (f"ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION{each}_ARGS_URL" for each in (0, 1))
    return [found[name].split(".")[1] for name in names]


def test_values_are_merged_as_helm_does_it() -> None:
    assert merged(DOCUMENTS)["operate"] == {"a": 1, "b": 2}
    assert merged(DOCUMENTS)["zeebe"]["pvcSize"] == "1Gi"
    assert merged(DOCUMENTS)["zeebe"]["env"][0]["name"] == "KEPT"
    assert DOCUMENTS[0]["operate"] == {"a": 1}


@pytest.mark.parametrize(
    ("lost", "namespaces"),
    [
        (None, ["camunda-london", "camunda-paris"]),
        (1, ["camunda-london", "camunda-london-failover"]),
        (0, ["camunda-paris-failover", "camunda-paris"]),
    ],
)
def test_the_lost_regions_exporter_is_pointed_at_the_failover_engine(
    lost: int | None, namespaces: list[str]
) -> None:
    assert urls(lost) == namespaces


def test_contact_points_are_the_regions_in_turn_and_the_rest_stays() -> None:
    found = env_of(None, size=8)
    hosts = found["ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS"].split(",")
    assert [each.split(".")[0][-1] + each.split(".")[2][-1] for each in hosts] == [
        *("0n", "0s", "1n", "1s", "2n", "2s", "3n", "3s")
    ]
    assert found["KEPT"] == "2"
    assert base_values(DOCUMENTS, 8, None)["zeebe"]["clusterSize"] == "8"


def test_failover_brokers_have_the_lost_regions_ids() -> None:
    multiregion = failover_values(LONDON)["global"]["multiregion"]
    assert multiregion == {"regionId": 1, "installationType": "failOver"}


def test_the_isolation_lets_all_through_but_the_lost_region() -> None:
    spec = isolation(PARIS)["spec"]
    for peers in (spec["ingress"][0]["from"], spec["egress"][0]["to"]):
        assert peers == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [PARIS.pod_cidr]}}]


def test_the_environment_is_of_the_region_that_is_lost() -> None:
    found = environment(Incident(1, LONDON), 4, ("chart",), Path("/tmp"))
    assert found["CLUSTER_SURVIVING"] == "cluster-paris"
    assert found["CLUSTER_RECREATED"] == "cluster-london"
    assert found["CAMUNDA_NAMESPACE_FAILOVER"] == "camunda-paris-failover"
    assert (found["REGION_SURVIVING"], found["REGION_RECREATED"]) == ("region1", "region0")


def test_the_scripts_marks_are_records_of_steps() -> None:
    output = "@begin F1 100.0\nnoise\n@end F1 101.5\n@begin F2 102.0\n@mark installed 103.25\n"
    found = told(output)
    assert found.moments == {"installed": 103.25}
    (step,) = found.steps
    assert (step.id, step.stack, step.seconds) == ("F1", STACK, 1.5)
    assert (step.start, step.end) == (
        "1970-01-01T00:01:40.000+00:00",
        "1970-01-01T00:01:41.500+00:00",
    )


@pytest.mark.parametrize("output", ["", "@end F1 1.0\n", "@begin F1 soon\n", " @begin F1 1.0\n"])
def test_what_is_no_mark_is_no_step(output: str) -> None:
    assert told(output).steps == ()


def test_a_mark_after_an_answer_without_a_line_feed_is_read() -> None:
    script = f". {SCRIPTS / 'lib.sh'}; begin B3; printf '{{}}'; mark copied; printf '{{}}'; end B3"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    found = told(done.stdout)
    assert [step.id for step in found.steps] == ["B3"]
    assert [*found.moments] == ["copied"]


@pytest.mark.parametrize("name", ["failover.sh", "failback.sh", "lib.sh"])
def test_the_scripts_are_of_the_shells_grammar(name: str) -> None:
    done = subprocess.run(["bash", "-n", SCRIPTS / name], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_each_step_that_begins_ends() -> None:
    for name in ("failover.sh", "failback.sh"):
        lines = (SCRIPTS / name).read_text().splitlines()
        marks = [line.split() for line in lines if line.startswith(("begin ", "end "))]
        assert [kind for kind, _ in marks] == ["begin", "end"] * (len(marks) // 2)
        assert all(first[1] == last[1] for first, last in zip(marks[::2], marks[1::2], strict=True))
