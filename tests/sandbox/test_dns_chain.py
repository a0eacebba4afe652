"""DNS chaining for real: what the program writes is what CoreDNS takes, and names resolve by it.

Two regions without the sandbox's own chain; CoreDNS follows the ConfigMap as in any cluster.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.cluster.kubernetes import Cluster
from dualregion.config.settings import Settings
from dualregion.corefile import chained
from dualregion.decision.desired import desired
from dualregion.state.progress import Stack
from sandbox.regions import Sandbox
from sandbox.setup import tools
from steps import dns
from steps.context import StepContext
from tests.checkout import CHECKOUT
from tests.inputs.examples import region
from tests.sandbox.test_sandbox import address, deploy, eventually, kubectl, resolve, wait_ready
from tests.unit.config.test_corefile import ADDRESSES, COREFILES, EKS, ZONES

pytestmark = pytest.mark.sandbox

ROOT = CHECKOUT / "out" / "test-dns-chain"
NAMES = ("london", "paris")
_ALONE = ("AKS", "empty, a key of coredns-custom")
"""What is a Corefile only together with another file."""


def starts(corefile: str, folder: Path) -> str:
    """Start CoreDNS in a network of its own; return what it said until it served, or ended."""
    path = folder / "Corefile"
    path.write_text(corefile, newline="")
    command = ["unshare", "--net", str(tools.load().coredns), "-conf", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if line.startswith("CoreDNS-"):
                break
        process.kill()
    return said


def without_a_cluster(corefile: str) -> str:
    """Take out what needs a cluster, or a resolver, to start."""
    lines = corefile.replace("/etc/resolv.conf", "10.0.0.2").splitlines(keepends=True)
    kept, inside = [], False
    for line in lines:
        inside = inside or line.strip().startswith("kubernetes ")
        if not inside and line.strip() != "loop":
            kept.append(line)
        inside = inside and line.partition("#")[0].strip() != "}"
    return "".join(kept)


@pytest.mark.parametrize("name", [name for name in COREFILES if name not in _ALONE])
def test_coredns_takes_a_chained_corefile(name: str, tmp_path: Path) -> None:
    corefile = without_a_cluster(COREFILES[name]).replace("tls://", "")
    said = starts(chained(corefile, ZONES, ADDRESSES), tmp_path)
    assert "CoreDNS-" in said, said
    assert {f"{zone}.:53" for zone in ZONES} <= set(said.splitlines())


def test_coredns_refuses_a_zone_twice(tmp_path: Path) -> None:
    """It is why the program refuses it first."""
    own = without_a_cluster(EKS)
    said = starts(f"{chained(own, ZONES, ADDRESSES)}{ZONES[1]} {{\n    errors\n}}\n", tmp_path)
    assert "it is already defined" in said


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(tools.load(), ROOT)
    made.down()
    try:
        made.up(dns_chain=False)
        for name in NAMES:
            deploy(made, name)
        for name in NAMES:
            wait_ready(made, name)
        yield made
    finally:
        made.down()


def ctx(sandbox: Sandbox, index: int, tcp: bool = True) -> StepContext:
    """Return where the program's hooks work in a region of the sandbox."""
    settings = Settings.parse(
        {
            "region": index,
            "isolation": "own",
            "regions": [
                region(each.index, dnsAddresses=[each.address]) for each in sandbox.regions
            ],
            "dns": {"chain": True, "tcp": tcp},
            "kubeconfig": str(sandbox.kubeconfig),
            "deadlineSeconds": 60,
        }
    )
    cluster = Cluster(str(sandbox.kubeconfig), settings.own.kube_context)
    return StepContext(cluster, settings, desired(settings, {}, Stack()), print)


def corefile(sandbox: Sandbox, name: str) -> str:
    found = kubectl(sandbox, name, "get", "configmap", "coredns", "-n", "kube-system", "-o", "json")
    return str(json.loads(found)["data"]["Corefile"])


@pytest.mark.parametrize(("index", "tcp"), [(0, True), (1, True), (0, False)])
def test_a_region_resolves_the_other_ones_names_by_the_programs_chain(
    sandbox: Sandbox, index: int, tcp: bool
) -> None:
    own, other = NAMES[index], NAMES[1 - index]
    name, pod = f"web-hl.camunda-{other}.svc.cluster.local", address(sandbox, other, "pod")
    before = corefile(sandbox, own)
    assert pod not in resolve(sandbox, own, name)

    dns.chain(ctx(sandbox, index, tcp))
    began = time.monotonic()
    eventually(lambda: pod in resolve(sandbox, own, name))
    print(f"resolved {time.monotonic() - began:.1f} s after the Corefile was written")
    assert address(sandbox, own, "service") in resolve(sandbox, own, "web"), "its own names went"

    dns.unchain(ctx(sandbox, index), "kube-system/coredns", "Corefile")
    assert corefile(sandbox, own) == before
    eventually(lambda: pod not in resolve(sandbox, own, name))


def test_a_region_that_is_recreated_has_no_chain_until_the_program_makes_it(
    sandbox: Sandbox,
) -> None:
    dns.chain(ctx(sandbox, 0))
    sandbox.lose(1)
    assert not dns.missing(ctx(sandbox, 0).cluster, ctx(sandbox, 0).settings, 0), "none is asked"
    sandbox.recreate(1)
    assert dns.missing(ctx(sandbox, 1).cluster, ctx(sandbox, 1).settings, 1)
    deploy(sandbox, "paris")
    wait_ready(sandbox, "paris")
    pod = address(sandbox, "paris", "pod")
    name = "web-hl.camunda-paris.svc.cluster.local"
    eventually(lambda: pod in resolve(sandbox, "london", name))
