"""`dualregion dns`: the text to paste, of the stacks' configuration alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from cli.commands.dns import parts_of
from dualregion.corefile import block
from dualregion.errors import ConfigError
from tests.fakes import pulumi_command
from tests.inputs.examples import region, settings
from tests.raising import raises

REGIONS = [region(0, dnsAddresses=["10.180.0.53"]), region(1, dnsAddresses=["10.181.0.53"])]
LONDON = ("camunda-london.svc.cluster.local", "camunda-london-failover.svc.cluster.local")
PARIS = ("camunda-paris.svc.cluster.local", "camunda-paris-failover.svc.cluster.local")


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    fake = pulumi_command.install(tmp_path, monkeypatch)
    pulumi_command.make_project(tmp_path)

    def answer(*arguments: str, regions: object = REGIONS) -> Result:
        for index in (0, 1):
            fake.stack(f"region{index}", index, regions=regions)
        return CliRunner().invoke(app, ["--project", str(tmp_path), "dns", *arguments])

    return answer


def test_each_regions_block_is_shown_with_its_place(run: Run) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    london, paris = done.output.split("# Region paris")
    assert block(PARIS, ["10.181.0.53"]) in london
    assert "kubectl --context cluster-london -n kube-system edit configmap coredns" in london
    assert block(LONDON, ["10.180.0.53"]) in paris
    assert "coredns-custom" in paris


def test_as_json(run: Run) -> None:
    parts = json.loads(run("--json").output)["regions"]
    assert [each["context"] for each in parts] == ["cluster-london", "cluster-paris"]
    assert parts[1]["block"] == block(LONDON, ["10.180.0.53"])
    assert {(each["configMap"], each["key"]) for each in parts} == {
        ("kube-system/coredns", "Corefile")
    }


def test_without_addresses_it_is_refused_for_each_region(run: Run) -> None:
    regions = [region(0), region(1)]
    assert run(regions=regions).exit_code == 1
    with raises("several-problems", ConfigError) as refused:
        parts_of(settings(regions=regions))
    assert refused.value.codes == ("dns-address-missing",) * 2
