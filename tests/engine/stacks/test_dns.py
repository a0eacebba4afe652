"""DNS chaining on the real engine and API servers: the live Corefile is edited, followed, fixed and given back.

Each test has a ConfigMap of its own, of the shape of a real cluster's: nothing reads it here. That CoreDNS takes it
over, and that names resolve, is tests/sandbox/test_dns_chain.py's.
"""

import json
import re
from typing import Any

import pytest

from dualregion.corefile import BEGIN, block, unchained
from tests.engine.project import Project

pytestmark = pytest.mark.engine

CITIES = ("london", "paris")
OWN = """\
# ours
.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
    }
    forward . /etc/resolv.conf
    reload
}"""
STUB = "\nstub.example {\n    forward . 10.0.0.9\n}\n"


@pytest.fixture
def chained(project: Project) -> Project:
    """A project that chains its regions, in a ConfigMap that is there in both clusters."""
    for city in CITIES:
        write(project, city, OWN)
    chain = {
        "dns.chain": True,
        "dns.configMap": f"kube-system/{config_map(project)}",
        "regions[0].dnsAddresses[0]": "10.180.0.53",
        "regions[1].dnsAddresses[0]": "10.181.0.53",
        # What is written here is waited for, on machines that may be slow.
        "deadlineSeconds": 20,
    }
    project.both(**chain)
    return project


def config_map(project: Project) -> str:
    return f"coredns-{project.namespaces[0]}"


def write(project: Project, city: str, corefile: str) -> None:
    """Overwrite all of a Corefile, as another tool does."""
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": config_map(project), "namespace": "kube-system"},
        "data": {"Corefile": corefile, "other": "kept"},
    }
    said = project.kubectl(
        city, "apply", "--server-side", "--force-conflicts", "-f", "-", given=json.dumps(document)
    )
    assert "serverside-applied" in said


def data(project: Project, city: str = "london") -> dict[str, str]:
    found = project.kubectl(
        city, "get", "configmap", config_map(project), "-n", "kube-system", "-o", "json"
    )
    return dict(json.loads(found)["data"])


def wanted(project: Project, address: str = "10.181.0.53", other: int = 1) -> str:
    namespace = project.namespaces[other]
    zones = [f"{each}.svc.cluster.local" for each in (namespace, f"{namespace}-failover")]
    return block(zones, [address])


def must_up(project: Project, stack: str = "region0") -> str:
    run = project.up(stack)
    assert run.exit_status == 0, run.output
    return run.output


def test_it_is_previewed_written_followed_and_given_back(chained: Project) -> None:
    preview = chained.preview("region0")
    assert preview.exit_status == 0, preview.output
    paris = chained.namespaces[1]
    zones = f"{paris}.svc.cluster.local {paris}-failover.svc.cluster.local"
    assert re.search(rf'zones *: "{zones}"', preview.output)
    assert re.search(r'forwarders *: "10\.181\.0\.53"', preview.output)
    assert data(chained)["Corefile"] == OWN, "a preview has written"

    must_up(chained)
    assert data(chained) == {"Corefile": wanted(chained) + OWN, "other": "kept"}
    assert data(chained, "paris")["Corefile"] == OWN, "the other region's is its own stack's"
    assert chained.unchanged("region0")

    # The user goes on editing, and the other region's DNS moves.
    write(chained, "london", data(chained)["Corefile"] + STUB)
    assert chained.unchanged("region0"), "the user's own part is no business of the program"
    chained.both(**{"regions[1].dnsAddresses[0]": "10.181.7.53"})
    assert "10.181.7.53" in chained.preview("region0").output
    must_up(chained)
    assert data(chained)["Corefile"] == wanted(chained, "10.181.7.53") + OWN + STUB

    chained.both(**{"dns.chain": False})
    must_up(chained)
    assert data(chained) == {"Corefile": OWN + STUB, "other": "kept"}
    assert chained.unchanged("region0")


def test_a_chain_that_was_overwritten_is_written_again(chained: Project) -> None:
    must_up(chained)
    for _ in range(2):
        write(chained, "london", OWN)
        assert "is written again" in chained.preview("region0").output
        must_up(chained)
        assert data(chained)["Corefile"] == wanted(chained) + OWN
        assert chained.unchanged("region0")


def test_a_zone_of_the_users_own_is_refused_before_anything_changes(chained: Project) -> None:
    name = f"{chained.namespaces[1]}-failover.svc.cluster.local"
    conflicting = f"{OWN}\n{name}:53 {{\n    forward . 10.181.0.53\n}}\n"
    write(chained, "london", conflicting)
    for run in (chained.preview("region0"), chained.up("region0")):
        assert run.exit_status != 0
        assert "nothing was changed" in run.output
        assert f"a server block for {name}:53 of its own" in run.output
        assert "Traceback" not in run.output
    assert not [urn for urn in chained.state("region0") if "kubernetes:" in urn]
    assert data(chained)["Corefile"] == conflicting


def test_a_cluster_without_that_config_map_is_refused(chained: Project) -> None:
    chained.both(**{"dns.configMap": "kube-system/elsewhere"})
    up = chained.up("region0")
    assert up.exit_status != 0
    assert "there is no key Corefile of ConfigMap kube-system/elsewhere" in up.output


def test_another_config_map_is_followed(chained: Project) -> None:
    """A key of a ConfigMap that CoreDNS imports is made, and the Corefile given back."""
    must_up(chained)
    custom = f"{config_map(chained)}-custom"
    assert "created" in chained.kubectl(
        "london", "create", "configmap", custom, "-n", "kube-system"
    )
    chained.both(**{"dns.configMap": f"kube-system/{custom}", "dns.key": "camunda.server"})
    must_up(chained)
    assert data(chained)["Corefile"] == OWN
    path = ("get", "configmap", custom, "-n", "kube-system", "-o", "jsonpath={.data}")
    assert json.loads(chained.kubectl("london", *path)) == {"camunda.server": wanted(chained)}
    chained.both(**{"dns.chain": False})
    must_up(chained)
    assert "svc.cluster.local" not in chained.kubectl("london", *path)


def test_in_an_incident_nothing_of_it_keeps_the_survivor_from_anything(chained: Project) -> None:
    must_up(chained)
    write(chained, "london", OWN + f"\n{chained.namespaces[1]}.svc.cluster.local {{\n}}\n")
    broken = data(chained)
    chained.both(phase="failover", lostRegion=1, **{"regions[1].dnsAddresses[0]": "10.9.9.9"})
    up = chained.up("region0")
    assert "F1: timed out" in up.output, "it went as far as without brokers it can"
    assert "DNS" not in up.output
    assert data(chained) == broken
    assert any("dns-chain" in urn for urn in chained.state("region0"))


def test_a_lost_region_that_answers_gives_its_corefile_back(chained: Project) -> None:
    must_up(chained, "region1")
    assert BEGIN in data(chained, "paris")["Corefile"]
    assert chained.up("region0").exit_status in (0, 1)
    chained.both(phase="failover", lostRegion=1)
    chained.pretend_taken_over("region0", lost_region=1)
    must_up(chained, "region1")
    assert data(chained, "paris")["Corefile"] == OWN
    assert BEGIN in data(chained)["Corefile"], "the survivor's stays"
    assert not [urn for urn in chained.state("region1") if "dns-chain" in urn]


def test_a_recreated_region_is_chained_before_its_brokers(chained: Project) -> None:
    """The survivor's block follows with B0, the recreated region's comes before its release."""
    must_up(chained)
    chained.both(phase="failover", lostRegion=1)
    assert "F1: timed out" in chained.up("region0").output
    chained.pretend_taken_over("region0", lost_region=1)
    moved: dict[str, Any] = {
        "backup.type": "fs",
        "backup.settings.location": "/backup",
        "regions[1].dnsAddresses[0]": "10.181.7.53",
    }
    chained.both(phase="failback-pending", **moved)
    must_up(chained)
    assert data(chained)["Corefile"] == wanted(chained, "10.181.7.53") + OWN
    assert data(chained, "paris")["Corefile"] == OWN
    up = chained.up("region1")
    assert "B1: timed out" in up.output
    lines = up.output.splitlines()
    order = [
        next(index for index, line in enumerate(lines) if text in line)
        for text in ("ConfigMap dns-chain created", "Release normal creating")
    ]
    assert order == sorted(order), up.output
    assert unchained(data(chained, "paris")["Corefile"]) == OWN
    assert data(chained, "paris")["Corefile"] == wanted(chained, "10.180.0.53", 0) + OWN


def test_the_load_balancer_is_made_not_waited_for_and_removed(project: Project) -> None:
    project.both(**{"dns.loadBalancer.create": True})
    must_up(project)
    path = ("get", "service", "internal-dns-lb", "-n", "kube-system", "-o", "json")
    service = json.loads(project.kubectl("london", *path))
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["selector"] == {"k8s-app": "kube-dns"}
    assert [(each["port"], each["protocol"]) for each in service["spec"]["ports"]] == [(53, "TCP")]
    assert project.unchanged("region0")
    project.both(**{"dns.loadBalancer.create": False})
    must_up(project)
    assert "NotFound" in project.kubectl("london", *path)


def test_what_a_killed_run_has_made_and_not_noted_can_be_changed_later(chained: Project) -> None:
    """The record is made a second time, over the first; a later change of it is the program's still."""
    chained.both(**{"dns.chain": False})
    must_up(chained)
    before = chained.held("region0")
    chained.both(**{"dns.chain": True})
    must_up(chained)
    chained.hold_again("region0", before)
    must_up(chained)
    chained.both(**{"regions[1].dnsAddresses[0]": "10.181.7.53"})
    must_up(chained)
    assert data(chained)["Corefile"] == wanted(chained, "10.181.7.53") + OWN
