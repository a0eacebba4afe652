"""The sandbox for real: two regions on this machine, used as a user would, lost, recreated, and taken away.

The tests build on each other and run in the order of this file: starting two regions for each would cost more
than all of them together. Only images that the set-up makes are used.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest
import yaml

from components.camunda import isolation_policy
from sandbox.errors import SandboxError
from sandbox.patience import allowed
from sandbox.regions import Delayed, Sandbox, machine
from sandbox.setup import tools
from tests.checkout import CHECKOUT

pytestmark = pytest.mark.sandbox

ROOT = CHECKOUT / "out" / "test-sandbox"
WAIT_SECONDS = allowed(90.0)
REGIONS = ("london", "paris")
WATCHED = tuple(Path(p) for p in ("/run", "/var/lib", "/var/log", "/opt", "/usr/libexec", "/etc"))
"""Where processes of a node like to leave something."""

NAMESPACE = "camunda-{region}"
MANIFESTS = """
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data, namespace: {namespace}}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: {namespace}, labels: {{app: web}}}}
spec:
  securityContext: {{runAsUser: 1001, fsGroup: 1001}}
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: localhost/busybox:1
    command: [/bin/sh, -c]
    args: ["echo hello from {region} >/data/index.html; echo serving; exec httpd -f -p 8080 -h /data"]
    resources: {{requests: {{cpu: 10m, memory: 16Mi}}}}
    readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: 1}}
    volumeMounts: [{{name: data, mountPath: /data}}]
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {namespace}}}
spec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web-hl, namespace: {namespace}}}
spec: {{clusterIP: None, selector: {{app: web}}, ports: [{{port: 8080}}]}}
"""


@pytest.fixture(scope="module")
def before() -> set[str]:
    """What the machine's folders held before the sandbox."""
    return entries()


@pytest.fixture(scope="module")
def sandbox(before: set[str]) -> Iterator[Sandbox]:
    made = Sandbox(tools.load(), ROOT)
    made.down()
    made.up()
    yield made
    made.down()


def entries() -> set[str]:
    return {
        str(path)
        for folder in WATCHED
        if folder.is_dir()
        for path in folder.iterdir()
        if not path.name.startswith("cdr-")  # sandboxes of other checkouts come and go
    }


def kubectl(sandbox: Sandbox, region: str, *arguments: str, given: str | None = None) -> str:
    """Run kubectl in the region's Camunda namespace, as a user would; return what it prints."""
    done = subprocess.run(
        [
            str(tools.load().kubectl),
            f"--kubeconfig={sandbox.kubeconfig}",
            f"--context=cluster-{region}",
            f"--namespace={NAMESPACE.format(region=region)}",
            *arguments,
        ],
        input=given,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def deploy(sandbox: Sandbox, region: str) -> None:
    manifests = MANIFESTS.format(region=region, namespace=NAMESPACE.format(region=region))
    kubectl(sandbox, region, "apply", "-f", "-", given=manifests)


def wait_ready(sandbox: Sandbox, region: str) -> None:
    timeout = f"--timeout={WAIT_SECONDS:.0f}s"
    kubectl(sandbox, region, "wait", "--for=condition=Ready", "pod/web", timeout)


def address(sandbox: Sandbox, region: str, kind: str) -> str:
    path = {"pod": "{.status.podIP}", "service": "{.spec.clusterIP}"}[kind]
    return kubectl(sandbox, region, "get", kind, "web", f"-o=jsonpath={path}")


def fetch(sandbox: Sandbox, region: str, host: str, port: int, namespace: str = "") -> str:
    """Ask `host`:`port` for its page from the region's pod; return the answer, empty if there is none."""
    request = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {host} {port} || true"
    place = [f"--namespace={namespace}"] if namespace else []
    return kubectl(sandbox, region, *place, "exec", "web", "--", "sh", "-c", request)


def resolve(sandbox: Sandbox, region: str, name: str) -> str:
    """Look the name up from the region's pod; return all that the look-up said."""
    return kubectl(sandbox, region, "exec", "web", "--", "sh", "-c", f"nslookup {name} || true")


def eventually(question: Callable[[], object]) -> None:
    """Wait until the answer is true."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not question():
        assert time.monotonic() < deadline, f"never became true: {question}"
        time.sleep(0.2)


def command_lines() -> dict[int, str]:
    found = psutil.process_iter(["cmdline"])
    return {each.pid: " ".join(each.info["cmdline"] or ()) for each in found}


def traces(sandbox: Sandbox) -> list[str]:
    """Everything by which the machine still knows the sandbox."""
    marks = (sandbox.id, f"{ROOT}/")
    own = {os.getpid(), os.getppid()}
    found = [
        line
        for pid, line in command_lines().items()
        if pid not in own and any(mark in line for mark in marks)
    ]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    found += [line for line in mounts if any(mark in line for mark in marks)]
    found += [str(path) for path in Path("/run").glob(f"**/{sandbox.id}*")]
    cgroups = subprocess.run(
        ["find", "/sys/fs/cgroup", "-name", f"{sandbox.id}*"],
        capture_output=True,
        text=True,
        check=True,
    )
    found += cgroups.stdout.split()
    found += [str(ROOT)] if ROOT.exists() else []
    return found


@pytest.mark.parametrize("region", REGIONS)
def test_a_pod_with_a_claim_runs(sandbox: Sandbox, region: str) -> None:
    deploy(sandbox, region)
    wait_ready(sandbox, region)
    assert kubectl(sandbox, region, "logs", "web") == "serving\n"
    folders = [path.name for path in (ROOT / region / "volumes").iterdir()]
    assert len(folders) == 1
    assert folders[0].endswith(f"{NAMESPACE.format(region=region)}_data")


@pytest.mark.parametrize(("region", "other"), [REGIONS, REGIONS[::-1]])
def test_a_pod_reaches_the_other_region_by_name(sandbox: Sandbox, region: str, other: str) -> None:
    pod = address(sandbox, other, "pod")
    name = f"web-hl.camunda-{other}.svc.cluster.local"
    # a ready pod's name and its routes follow a moment later
    eventually(lambda: pod in resolve(sandbox, region, name))
    eventually(lambda: f"hello from {other}" in fetch(sandbox, region, pod, 8080))


@pytest.mark.parametrize("region", REGIONS)
def test_services_lead_to_their_pods(sandbox: Sandbox, region: str) -> None:
    service = address(sandbox, region, "service")
    eventually(lambda: service in resolve(sandbox, region, "web"))
    eventually(lambda: f"hello from {region}" in fetch(sandbox, region, service, 80))
    # the API server, as a pod's client library finds it
    script = 'nc -w 2 "$KUBERNETES_SERVICE_HOST" 443 </dev/null && echo open'
    assert "open" in kubectl(sandbox, region, "exec", "web", "--", "sh", "-c", script)


@pytest.mark.parametrize("kind", ["services/web:80", "pods/web:8080"])
@pytest.mark.parametrize("region", REGIONS)
def test_the_api_servers_proxy_leads_to_pods(sandbox: Sandbox, region: str, kind: str) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE.format(region=region)}/{kind}/proxy/"
    assert f"hello from {region}" in kubectl(sandbox, region, "get", "--raw", path)


def test_port_forward_leads_to_a_pod(sandbox: Sandbox) -> None:
    arguments = ["--context=cluster-paris", "--namespace=camunda-paris", "port-forward", "pod/web"]
    with subprocess.Popen(
        [str(tools.load().kubectl), f"--kubeconfig={sandbox.kubeconfig}", *arguments, ":8080"],
        stdout=subprocess.PIPE,
        text=True,
    ) as forward:
        try:
            assert forward.stdout is not None
            port = int(forward.stdout.readline().split(" -> ")[0].rsplit(":", 1)[1])
            with urlopen(f"http://127.0.0.1:{port}/", timeout=WAIT_SECONDS) as answer:
                assert b"hello from paris" in answer.read()
        finally:
            forward.terminate()


def test_the_kubelet_answers_the_api_server_only(sandbox: Sandbox) -> None:
    node = sandbox.regions[0]
    asked = subprocess.run(
        [
            *("nsenter", f"--net=/run/netns/{node.netns}", "curl", "--silent", "--insecure"),
            *("--write-out", "%{http_code}", "--output", "/dev/null"),
            f"https://{node.address}:10250/pods",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.stdout == "401"


def test_up_again_changes_nothing(sandbox: Sandbox) -> None:
    known = sandbox.status().regions
    sandbox.up()
    again = sandbox.status().regions
    assert [each.server for each in again] == [each.server for each in known]
    assert fetch(sandbox, "london", "127.0.0.1", 8080)


def test_status_says_what_there_is(sandbox: Sandbox) -> None:
    seen = sandbox.status()
    assert (seen.up, seen.nodes, seen.link) == (True, True, "up")
    for region in seen.regions:
        assert (region.state, region.api_answers, region.node_ready) == ("up", True, True)
        assert region.pods
        assert region.ended == ()
        assert region.memory_bytes is None or region.memory_bytes > 0
    assert json.loads(json.dumps(seen.as_json()))["regions"][1]["name"] == "paris"


def test_the_cut_link_swallows_packets_and_comes_back(sandbox: Sandbox) -> None:
    pod = address(sandbox, "paris", "pod")
    sandbox.cut_link()
    assert sandbox.status().link == "cut"
    assert fetch(sandbox, "london", pod, 8080) == ""
    assert fetch(sandbox, "paris", "127.0.0.1", 8080)
    sandbox.restore_link()
    assert sandbox.status().link == "up"
    eventually(lambda: "hello from paris" in fetch(sandbox, "london", pod, 8080))
    name = "web-hl.camunda-paris.svc.cluster.local"
    eventually(lambda: pod in resolve(sandbox, "london", name))


def seconds_of(ask: Callable[[], object]) -> float:
    began = time.monotonic()
    ask()
    return time.monotonic() - began


def test_what_comes_by_the_link_can_be_late_and_is_in_time_again(sandbox: Sandbox) -> None:
    pod = address(sandbox, "paris", "pod")

    def ask() -> None:
        assert "hello from paris" in fetch(sandbox, "london", pod, 8080)

    ask()
    in_time = seconds_of(ask)
    for region in (0, 1):
        sandbox.delay(region, Delayed.LINK, 400)
    # A connection and an answer are two round trips at least.
    assert seconds_of(ask) > in_time + 1.0
    assert sandbox.status().regions[0].ended == ()
    sandbox.delay(0, Delayed.LINK, 0)
    # However what holds packets back ends, all pass as before.
    os.kill(int((ROOT / "paris" / "pids" / "delay-link").read_text()), signal.SIGKILL)
    eventually(lambda: seconds_of(ask) < in_time + 0.6)
    sandbox.delay(1, Delayed.LINK, 0)
    assert sandbox.status().regions[1].ended == ()


def test_the_api_server_can_be_slow(sandbox: Sandbox) -> None:
    def ask() -> None:
        assert kubectl(sandbox, "london", "get", "--raw", "/readyz") == "ok"

    in_time = seconds_of(ask)
    sandbox.delay(0, Delayed.API_SERVER, 1500)
    assert seconds_of(ask) > in_time + 1.4
    assert kubectl(sandbox, "paris", "get", "--raw", "/readyz") == "ok"
    sandbox.delay(0, Delayed.API_SERVER, 0)
    ask()


def _answers(sandbox: Sandbox, region: str, name: str, address: str) -> bool:
    return address in resolve(sandbox, region, name)


def test_names_can_be_held(sandbox: Sandbox) -> None:
    name = "web-hl.camunda-london.svc.cluster.local"
    pod = address(sandbox, "london", "pod")
    assert pod in resolve(sandbox, "london", name)
    sandbox.hold_names(0, {name: "10.180.0.250"})
    for region in REGIONS:
        eventually(partial(_answers, sandbox, region, name, "10.180.0.250"))
    assert pod not in resolve(sandbox, "london", name)
    sandbox.hold_names(0, {})
    eventually(lambda: pod in resolve(sandbox, "london", name))


def isolation(sandbox: Sandbox, region: int) -> str:
    """The policy that the program makes in each namespace of a survivor."""
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "isolate-lost-region"},
        "spec": isolation_policy([sandbox.regions[1 - region].range]),
    }
    return yaml.safe_dump(policy)


def test_policies_cut_the_other_region_both_ways_and_nothing_else(sandbox: Sandbox) -> None:
    apart = MANIFESTS.format(region="london", namespace="elsewhere")
    kubectl(sandbox, "london", "--namespace=elsewhere", "apply", "-f", "-", given=apart)
    ready = ("wait", "--for=condition=Ready", "pod/web", f"--timeout={WAIT_SECONDS:.0f}s")
    kubectl(sandbox, "london", "--namespace=elsewhere", *ready)
    ours, theirs = address(sandbox, "london", "pod"), address(sandbox, "paris", "pod")
    spared = kubectl(
        sandbox,
        "london",
        "--namespace=elsewhere",
        "get",
        "pod",
        "web",
        "-o=jsonpath={.status.podIP}",
    )
    eventually(lambda: "hello from paris" in fetch(sandbox, "london", theirs, 8080))
    eventually(lambda: "hello from london" in fetch(sandbox, "paris", ours, 8080))

    kubectl(sandbox, "london", "apply", "-f", "-", given=isolation(sandbox, 0))
    eventually(lambda: fetch(sandbox, "london", theirs, 8080) == "")
    eventually(lambda: fetch(sandbox, "paris", ours, 8080) == "")
    # within the region: pods, services, names, the API server both ways
    assert "hello from london" in fetch(sandbox, "london", spared, 8080)
    assert "hello from london" in fetch(sandbox, "london", ours, 8080, namespace="elsewhere")
    service = address(sandbox, "london", "service")
    assert "hello from london" in fetch(sandbox, "london", service, 80)
    assert service in resolve(sandbox, "london", "web")
    assert theirs in resolve(sandbox, "london", "web-hl.camunda-paris.svc.cluster.local")
    script = 'nc -w 2 "$KUBERNETES_SERVICE_HOST" 443 </dev/null && echo open'
    assert "open" in kubectl(sandbox, "london", "exec", "web", "--", "sh", "-c", script)
    proxied = "/api/v1/namespaces/camunda-london/pods/web:8080/proxy/"
    assert "hello from london" in kubectl(sandbox, "london", "get", "--raw", proxied)
    # another namespace, and what has none
    assert "hello from paris" in fetch(sandbox, "london", theirs, 8080, namespace="elsewhere")
    assert "hello from london" in fetch(sandbox, "paris", spared, 8080)
    assert "hello from paris" in fetch(sandbox, "paris", theirs, 8080)

    # a pod that starts later is cut as well
    kubectl(sandbox, "london", "delete", "pod/web")
    deploy(sandbox, "london")
    wait_ready(sandbox, "london")
    later = address(sandbox, "london", "pod")
    eventually(lambda: fetch(sandbox, "london", theirs, 8080) == "")
    eventually(lambda: fetch(sandbox, "paris", later, 8080) == "")

    kubectl(sandbox, "london", "delete", "networkpolicy/isolate-lost-region")
    eventually(lambda: "hello from paris" in fetch(sandbox, "london", theirs, 8080))
    eventually(lambda: "hello from london" in fetch(sandbox, "paris", later, 8080))
    kubectl(sandbox, "london", "delete", "namespace/elsewhere")


def test_a_claim_goes_with_its_folder(sandbox: Sandbox) -> None:
    volumes = ROOT / "london" / "volumes"
    assert any(volumes.iterdir())
    kubectl(sandbox, "london", "delete", "pod/web", "pvc/data")
    eventually(lambda: not any(volumes.iterdir()))
    eventually(lambda: "pvc-" not in kubectl(sandbox, "london", "get", "pv", "-o=name"))
    deploy(sandbox, "london")
    wait_ready(sandbox, "london")


def test_a_second_command_is_refused_while_one_works(sandbox: Sandbox) -> None:
    with subprocess.Popen(
        ["flock", str(machine.lock_file(ROOT)), "sh", "-c", "echo locked; cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(SandboxError, match="Another command"):
            sandbox.cut_link()
        holder.stdin.close()


def test_a_region_without_power_comes_back_on_its_disks(sandbox: Sandbox) -> None:
    former = sandbox.status().regions[0]
    uid = kubectl(sandbox, "london", "get", "pod/web", "-o=jsonpath={.metadata.uid}")
    kubectl(sandbox, "london", "exec", "web", "--", "sh", "-c", "echo kept >/data/kept.txt")
    sandbox.power_cycle(0)
    seen = sandbox.status()
    assert (seen.link, seen.regions[0].server, seen.regions[0].ended) == ("up", former.server, ())
    restarts = "-o=jsonpath={.status.containerStatuses[0].restartCount}"
    eventually(lambda: kubectl(sandbox, "london", "get", "pod/web", restarts) != "0")
    wait_ready(sandbox, "london")
    assert kubectl(sandbox, "london", "get", "pod/web", "-o=jsonpath={.metadata.uid}") == uid
    assert kubectl(sandbox, "london", "exec", "web", "--", "cat", "/data/kept.txt") == "kept\n"
    theirs = address(sandbox, "paris", "pod")
    ours = address(sandbox, "london", "pod")
    eventually(lambda: "hello from paris" in fetch(sandbox, "london", theirs, 8080))
    eventually(lambda: "hello from london" in fetch(sandbox, "paris", ours, 8080))


def test_an_api_server_is_killed_and_runs_again(sandbox: Sandbox) -> None:
    former = sandbox.status().regions[0].server
    uid = kubectl(sandbox, "london", "get", "pod/web", "-o=jsonpath={.metadata.uid}")
    (before,) = pids_of("kube-apiserver", "london")
    sandbox.restart(0, "kube-apiserver")
    (after,) = pids_of("kube-apiserver", "london")
    assert after != before
    seen = sandbox.status().regions[0]
    assert (seen.server, seen.ended, seen.api_answers) == (former, (), True)
    assert kubectl(sandbox, "london", "get", "pod/web", "-o=jsonpath={.metadata.uid}") == uid
    with pytest.raises(SandboxError, match=r"runs no mistake, but anchor, .*kube-apiserver"):
        sandbox.restart(0, "mistake")


def pids_of(process: str, region: str) -> list[int]:
    """Return the processes of a region that are called so."""
    folder = f"{ROOT}/{region}/"
    return [
        pid for pid, line in command_lines().items() if f"/{process} " in line and folder in line
    ]


def test_only_a_lost_region_is_recreated(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="not lost"):
        sandbox.recreate(1)


def test_a_lost_region_is_gone_and_comes_back_empty(sandbox: Sandbox) -> None:
    former = sandbox.status().regions[1].server
    pod = address(sandbox, "paris", "pod")
    begun = time.time()
    moment = sandbox.lose(1)
    assert begun <= moment <= time.time()
    london, paris = sandbox.status().regions
    assert (london.state, london.node_ready, paris.state) == ("up", True, "lost")
    assert not paris.api_answers
    assert not (ROOT / "paris").exists()
    assert not [line for line in command_lines().values() if f"{ROOT}/paris/" in line]
    assert fetch(sandbox, "london", pod, 8080) == ""
    with pytest.raises(SandboxError, match="lost already"):
        sandbox.lose(1)
    with pytest.raises(SandboxError, match="no link while paris is lost"):
        sandbox.restore_link()
    with pytest.raises(SandboxError, match="paris is lost"):
        sandbox.up()

    sandbox.recreate(1)
    seen = sandbox.status()
    assert (seen.regions[1].state, seen.link) == ("up", "up")
    assert seen.regions[1].server != former
    spaces = kubectl(sandbox, "paris", "get", "namespaces", "-o=name")
    assert "camunda-paris" not in spaces
    assert not kubectl(sandbox, "paris", "get", "pv,pods", "-A", "-o=name")
    deploy(sandbox, "paris")
    wait_ready(sandbox, "paris")
    pod = address(sandbox, "paris", "pod")
    name = "web-hl.camunda-paris.svc.cluster.local"
    eventually(lambda: pod in resolve(sandbox, "london", name))
    eventually(lambda: "hello from paris" in fetch(sandbox, "london", pod, 8080))


def test_a_process_that_ended_is_named(sandbox: Sandbox) -> None:
    pid = int((ROOT / "london" / "pids" / "kube-scheduler").read_text())
    os.kill(pid, 9)
    eventually(lambda: sandbox.status().regions[0].ended == ("kube-scheduler",))
    with pytest.raises(SandboxError, match="kube-scheduler of london has ended"):
        sandbox.up()


def test_down_leaves_nothing_even_when_state_is_missing(sandbox: Sandbox, before: set[str]) -> None:
    assert traces(sandbox)
    (ROOT / "sandbox.json").unlink()
    shutil.rmtree(ROOT / "london" / "pids")
    sandbox.down()
    eventually(lambda: not traces(sandbox))
    if not [path for path in Path("/run").glob("cdr-*-*") if path.is_dir()]:
        assert entries() - before == set()
    sandbox.down()


def start_and_signal(number: signal.Signals) -> None:
    """Start the sandbox in another process, and send the signal while the API servers are starting."""
    script = (
        "from pathlib import Path; from sandbox.regions import Sandbox; "
        f"from sandbox.setup import tools; Sandbox(tools.load(), Path({str(ROOT)!r})).up(nodes=False)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT.parents[1]) as start:
        eventually((ROOT / "london" / "pids" / "kube-apiserver").exists)
        start.send_signal(number)


def test_an_interrupted_start_takes_itself_away(sandbox: Sandbox) -> None:
    start_and_signal(signal.SIGINT)
    assert traces(sandbox) == []


def test_a_killed_start_is_cleared_by_the_next(sandbox: Sandbox) -> None:
    start_and_signal(signal.SIGKILL)
    assert not sandbox.status().up
    sandbox.up(nodes=False)
    try:
        for region in sandbox.status().regions:
            assert (region.state, region.api_answers, region.node_ready) == ("up", True, None)
        config: dict[str, Any] = yaml.safe_load(sandbox.kubeconfig.read_text())
        assert len(config["contexts"]) == 2
    finally:
        sandbox.down()
    eventually(lambda: not traces(sandbox))


def test_a_failed_start_says_why_and_keeps_only_its_logs(sandbox: Sandbox) -> None:
    broken = replace(tools.load(), kube_controller_manager=Path("/bin/false"))
    with pytest.raises(SandboxError, match=r"kube-controller-manager of (london|paris) ended"):
        Sandbox(broken, ROOT).up(nodes=False)
    assert traces(sandbox) == []
    logs = ROOT.with_name(f"{ROOT.name}-logs") / "london"
    assert (logs / "kube-apiserver.log").exists()
    shutil.rmtree(logs.parent)
