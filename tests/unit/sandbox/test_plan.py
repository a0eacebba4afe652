"""The whole plan of a region, as data: what is started with which arguments and files, without starting it.

London's is pinned by a golden file, so that every change of an argument or a file is seen in a review; Paris's is the
same with other names and addresses. To write it again after an intended change:
`pytest tests/unit/sandbox/test_plan.py --record`, then read the diff.
"""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from sandbox.regions.host import network
from sandbox.regions.model import Place, Process, SocketOpen, regions, sandbox_id
from sandbox.regions.parts import access, control_plane, dns
from sandbox.regions.parts.node import private_mounts
from sandbox.regions.plan import Plan, plan
from sandbox.setup.tools import Tools
from tests.checkout import GOLDEN

PLAN = GOLDEN / "sandbox-plan-london.txt"
ROOT = Path("/checkout/out/sandbox")
PORT = 40000
LONGEST_SOCKET_PATH = 107  # of a unix socket, by the kernel
UNLIKE = {"london": "paris", "10.180.": "10.181.", "10.255.0.1": "10.255.0.2"}
"""What differs in the regions' plans."""


def some_tools() -> Tools:
    paths: dict[str, object] = {
        field.name: Path("/tools") / field.name.replace("_", "-") for field in fields(Tools)
    }
    paths["pulumi_path"] = (Path("/tools"),)
    return Tools(**paths)  # type: ignore[arg-type]


def some_plan(index: int, nodes: bool = True, root: Path = ROOT) -> Plan:
    return plan(regions(root)[index], some_tools(), PORT, nodes)


def processes(made: Plan) -> Iterator[Process]:
    return (process for wave in made.waves for process in wave)


def rendered(made: Plan) -> str:
    region = made.region
    parts = [
        "# network namespace",
        network.namespace_batch(region),
        "# link",
        network.link_command(region) + network.link_end_batch(region),
        "# link cut",
        network.cut_batch(region),
        "# manifests",
        yaml.safe_dump_all(made.manifests, sort_keys=False, width=10_000),
    ]
    parts += [f"# file {file.path} {file.mode:o}\n{file.text}" for file in made.files]
    for number, wave in enumerate(made.waves):
        for process in wave:
            environment = "".join(f"\n  env {name}={value}" for name, value in process.env.items())
            parts.append(
                f"# wave {number}: {process.name} in {process.place}\n  "
                + "\n  ".join(process.argv)
                + f"{environment}\n  ready: {process.ready!r}\n"
            )
            parts += [f"## folder {folder}\n" for folder in process.folders]
            parts += [f"## file {file.path} {file.mode:o}\n{file.text}" for file in process.files]
    return "\n".join(parts).replace(region.sandbox_id, "cdr-ID")


def test_what_is_done_to_the_link_is_of_what_leaves_by_it_and_replaces_what_was_done_before() -> (
    None
):
    london = regions(ROOT)[0]
    lossy = network.impairment(london, "numgen random mod 100 < 20 drop")
    assert lossy.count('oifname "to-paris" numgen random mod 100 < 20 drop') == 2
    assert "iifname" not in lossy
    again = network.impairment(london, "")
    assert "drop" not in again
    assert lossy.startswith(again)


def test_names_that_are_held_stand_first_and_nothing_is_left_of_them() -> None:
    own = dns.corefile(regions(ROOT)[0], chained=True)
    held = dns.holding(own, {"a.b.svc.cluster.local": "10.180.0.7"})
    block = held.partition("}")[0]
    assert "10.180.0.7 a.b.svc.cluster.local" in block
    assert "fallthrough" in block
    again = dns.holding(held, {"c.b.svc.cluster.local": "10.180.0.8"})
    assert "10.180.0.7" not in again
    assert "10.180.0.8" in again
    assert dns.holding(again, {}) == own


def test_the_whole_plan_of_london_is_as_reviewed(pytestconfig: pytest.Config) -> None:
    text = rendered(some_plan(0))
    if pytestconfig.getoption("--record"):
        PLAN.write_text(text)
    assert text == PLAN.read_text()


def test_paris_is_london_with_other_names_and_addresses() -> None:
    swapped = UNLIKE | {paris: london for london, paris in UNLIKE.items()}
    either = "|".join(map(re.escape, swapped))
    paris = re.sub(either, lambda found: swapped[found[0]], rendered(some_plan(1)))
    assert paris == rendered(some_plan(0))


def test_the_regions_share_no_path_or_name() -> None:
    london, paris = (
        rendered(some_plan(0)),
        r"/checkout/out/sandbox/paris|/run/cdr-ID-paris|cdr-ID/paris",
    )
    assert not re.findall(paris, london)


def test_each_region_reaches_the_other_only_by_route_and_name() -> None:
    for made in (some_plan(0), some_plan(1)):
        other = made.region.other
        naming = [
            file.path.name
            for process in processes(made)
            for file in process.files
            if other.address in file.text or other.name in file.text
        ]
        assert naming == ["Corefile"]


def test_without_the_dns_chain_no_region_names_the_other_one() -> None:
    for index in (0, 1):
        made = plan(regions(ROOT)[index], some_tools(), PORT, nodes=True, dns_chain=False)
        written = [file.text for process in processes(made) for file in process.files]
        texts = [*written, yaml.safe_dump_all(made.manifests)]
        assert not [text for text in texts if made.region.other.name in text]
        corefiles = [text for text in texts if "kubernetes cluster.local" in text]
        assert len(corefiles) == 2, "the file that it starts with, and the ConfigMap"


def test_two_checkouts_get_two_ids() -> None:
    assert sandbox_id(Path("/a/out/sandbox")) != sandbox_id(Path("/b/out/sandbox"))
    assert sandbox_id(Path("/a/out/sandbox")) == sandbox_id(Path("/a/x/../out/sandbox"))


def test_sockets_fit_however_long_the_path_of_the_checkout_is() -> None:
    made = some_plan(0, root=Path("/long" * 60) / "out" / "sandbox")
    sockets = [
        process.ready.path for process in processes(made) if isinstance(process.ready, SocketOpen)
    ]
    # kubelet and containerd make theirs at these places of the region's own mounts
    sockets += [place / "device-plugins" / "kubelet.sock" for place in private_mounts(made.region)]
    assert sockets
    assert all(len(str(path)) <= LONGEST_SOCKET_PATH for path in sockets)


def test_only_the_listener_is_in_the_machines_own_network() -> None:
    for made in (some_plan(0), some_plan(1, nodes=False)):
        outside = [process.name for process in processes(made) if process.place is Place.MACHINE]
        assert outside == ["haproxy"]


def test_without_nodes_nothing_runs_pods_and_the_rest_is_the_same() -> None:
    made, whole = some_plan(0, nodes=False), some_plan(0)
    for with_nodes, without in zip(whole.waves, made.waves, strict=True):
        assert [each for each in with_nodes if each in without] == list(without)
    assert made.files == whole.files
    names = [process.name for process in processes(made)]
    assert names == ["anchor", "etcd", "kube-apiserver", "haproxy", "kube-controller-manager"]
    assert made.image_seed is None
    assert made.manifests == ()


@pytest.mark.parametrize("nodes", [True, False], ids=["nodes", "no-nodes"])
def test_the_audit_log_is_the_regions_own_and_bounded(nodes: bool) -> None:
    made = some_plan(0, nodes)
    (server,) = (process for process in processes(made) if process.name == "kube-apiserver")
    (policy,) = server.files
    given = dict(part.split("=", 1) for part in server.argv if part.startswith("--audit"))
    assert given["--audit-policy-file"] == str(policy.path)
    assert Path(given["--audit-log-path"]).parent == made.region.audit
    assert made.region.audit.parent == made.region.folder, "it goes with the region"
    assert int(given["--audit-log-maxsize"]) * (1 + int(given["--audit-log-maxbackup"])) == 100
    # 0 would be no limit
    assert int(given["--audit-log-maxbackup"]) > 0


def test_only_what_service_accounts_of_others_than_the_cluster_ask_for_is_written_down() -> None:
    (policy,) = control_plane.api_server(regions(ROOT)[0], some_tools()).files
    document = yaml.safe_load(policy.text)
    assert document["omitStages"] == ["RequestReceived"]
    # The first rule that fits counts; what none fits is not written.
    written = [rule for rule in document["rules"] if rule["level"] != "None"]
    assert written == [{"level": "Metadata", "userGroups": ["system:serviceaccounts"]}]
    assert document["rules"].index(written[0]) == len(document["rules"]) - 1
    left_out = document["rules"][:-1]
    assert {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]} in left_out
    assert {"level": "None", "nonResourceURLs": ["*"]} in left_out


def test_the_kubeconfig_names_both_regions_and_forgets_what_is_replaced() -> None:
    london, paris = regions(ROOT)
    first = access.Credentials("ca1", "crt1", "key1")
    second = access.Credentials("ca2", "crt2", "key2")
    config = access.kubeconfig_with({}, london, 1001, first)
    config = access.kubeconfig_with(config, paris, 1002, first)
    config = access.kubeconfig_with(config, paris, 1003, second)
    assert [context["name"] for context in config["contexts"]] == [
        "cluster-london",
        "cluster-paris",
    ]
    assert access.port_in(config, london) == 1001
    assert access.port_in(config, paris) == 1003
    paris_cluster = config["clusters"][1]["cluster"]
    assert paris_cluster == {
        "server": "https://127.0.0.1:1003",
        "certificate-authority-data": "ca2",
    }
    assert config["users"][1]["user"] == {
        "client-certificate-data": "crt2",
        "client-key-data": "key2",
    }
    assert access.port_in({}, london) is None
