"""How long `dualregion status` takes to answer (`make status-answer ROUNDS=3`): goals are 2 s, with a silent region 5 s.

The real command, as a process; the real `pulumi`, on a state backend of its own; both regions are API servers of the
tests, on loopback, with Camunda installed. A silent one takes no connection: its queue is full, as if packets were lost.
Besides the seconds that an operator waits, the seconds of the processor are shown, of `pulumi` too: a busy machine
changes them little.
"""

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from drill.operators.stacks import environment
from sandbox.setup import tools
from tests.benchmarks.spread import spread
from tests.checkout import CHECKOUT
from tests.fakes.kubernetes import (
    FakeKubernetes,
    Reply,
    broker_pods,
    kubeconfig_of,
    serving,
    stateful_set,
)
from tests.inputs.examples import NAMES, raw

STACKS = ("region0", "region1")
PARTITIONS = 4
_CHAIN = "dualregion:index:Region$dualregion:index:"
_RELEASE, _CONFIG_MAP = "kubernetes:helm.sh/v3:Release", "kubernetes:core/v1:ConfigMap"


class Case(NamedTuple):
    """What is measured: the options of `status`, and whether region 1 is silent."""

    name: str
    options: tuple[str, ...] = ()
    is_silent: bool = False


CASES = (
    Case("both regions up"),
    Case("the same, --short", ("--short",)),
    Case("one region silent", is_silent=True),
    Case("the same, --short", ("--short",), is_silent=True),
)


class Seconds(NamedTuple):
    """Of one answer: what the operator waits, and what the processor works."""

    waited: float
    worked: float


def main(rounds: int) -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory(prefix="status-answer-") as name, ExitStack() as stack:
        folder = Path(name)
        servers = [stack.enter_context(serving()) for _ in NAMES]
        for region, server in enumerate(servers):
            _install(server, f"camunda-{NAMES[region]}")
        silent = stack.enter_context(_silent())
        env = _environment(folder)
        _make_stacks(folder, env)
        print("| `status` | exit status | seconds waited | seconds of the processor |")
        print("|---|---|---|---|")
        for case in CASES:
            second = silent if case.is_silent else servers[1].url
            urls = (servers[0].url, second)
            contexts = dict(zip((f"cluster-{each}" for each in NAMES), urls, strict=True))
            env["KUBECONFIG"] = kubeconfig_of(folder, contexts)
            ended, taken = _measured(case, folder, env, rounds)
            columns = ([each.waited for each in taken], [each.worked for each in taken])
            cells = " | ".join(spread(each, 2) for each in columns)
            print(f"| {case.name} | {ended} | {cells} |", flush=True)


def _measured(
    case: Case, folder: Path, env: Mapping[str, str], rounds: int
) -> tuple[str, list[Seconds]]:
    command = [str(CHECKOUT / "bin" / "dualregion"), "-C", str(folder), "status", *case.options]
    endings, taken = set(), []
    # The first one reads its modules from the disk.
    for number in range(rounds + 1):
        before, began = _worked(), time.monotonic()
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
        waited = time.monotonic() - began
        endings.add(done.returncode)
        if number:
            taken.append(Seconds(waited, _worked() - before))
    return " or ".join(map(str, sorted(endings))), taken


def _worked() -> float:
    """Return the seconds of the processor that all processes which have ended took."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


# --- the world --------------------------------------------------------------------------------------------


@contextmanager
def _silent() -> Iterator[str]:
    """Give the address of a server that takes no connection, and refuses none."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


def _install(server: FakeKubernetes, namespace: str) -> None:
    """Put an installation into a cluster: brokers, gateway, search engine, web apps."""
    region, apps = (
        NAMES.index(namespace.removeprefix("camunda-")),
        f"/apis/apps/v1/namespaces/{namespace}",
    )
    engine = stateful_set(2)
    engine["metadata"]["name"] = "camunda-elasticsearch-master"
    server.put(f"{apps}/statefulsets", stateful_set(2), engine)
    ready = {"replicas": 1, "readyReplicas": 1}
    for name in ("zeebe-gateway", "operate", "tasklist"):
        server.put(
            f"{apps}/deployments",
            {
                "metadata": {"name": f"camunda-{name}"},
                "spec": {"replicas": 1, "selector": {}, "template": {}},
                "status": ready,
            },
        )
    server.put(f"/api/v1/namespaces/{namespace}/pods", *broker_pods(namespace, 2))
    gateway = f"{namespace}/services/camunda-zeebe-gateway:8080"
    server.behind(gateway, "/v1/topology", Reply(200, {"brokers": list(map(_broker, range(4)))}))
    for ordinal in range(2):
        states = {str(each): _state(2 * ordinal + region, each) for each in _partitions()}
        broker = f"{namespace}/pods/camunda-zeebe-{ordinal}:9600"
        server.behind(broker, "/actuator/partitions", Reply(200, states))
    buckets = [
        {"key": each, "doc_count": 7, "lowest": {"value": 1.0}, "highest": {"value": 9.0}}
        for each in _partitions()
    ]
    found = {"_shards": {"failed": 0}, "aggregations": {"partitions": {"buckets": buckets}}}
    search = f"{namespace}/services/camunda-elasticsearch-master-hl:9200"
    for path in ("_refresh", "_search"):
        server.behind(search, f"/zeebe-record*/{path}", Reply(200, found), method="POST")


def _partitions() -> range:
    return range(1, PARTITIONS + 1)


def _broker(number: int) -> dict[str, Any]:
    partitions = [
        {
            "partitionId": each,
            "role": "leader" if each == number + 1 else "follower",
            "health": "healthy",
        }
        for each in _partitions()
    ]
    host = f"camunda-zeebe-{number // 2}.camunda-zeebe.camunda-{NAMES[number % 2]}.svc"
    return {"nodeId": number, "host": host, "partitions": partitions}


def _state(broker: int, partition: int) -> dict[str, Any]:
    return {
        "role": "LEADER" if partition == broker + 1 else "FOLLOWER",
        "exporterPhase": "EXPORTING",
        "exportedPosition": 9,
        "processedPosition": 9,
    }


# --- the stacks -------------------------------------------------------------------------------------------


def _environment(folder: Path) -> dict[str, str]:
    found = tools.load()
    return environment(
        folder / "pulumi",
        folder / "kubeconfig",
        found.pulumi_path,
        own_build=True,
        helm=found.helm,
    )


def _make_stacks(folder: Path, env: Mapping[str, str]) -> None:
    """Make the project and both stacks, which have proved N."""
    (folder / "Pulumi.yaml").write_text("name: camunda-dual-region\nruntime: python\n")
    for region, stack in enumerate(STACKS):
        _pulumi(folder, env, "stack", "init", stack, "--no-select")
        file = folder / f"Pulumi.{stack}.yaml"
        config = raw(region=region, clusterSize=4, partitionCount=PARTITIONS)
        document = yaml.safe_load(file.read_text()) if file.exists() else {}
        document["config"] = {f"camunda-dual-region:{key}": each for key, each in config.items()}
        file.write_text(yaml.safe_dump(document))
        held = json.loads(_pulumi(folder, env, "stack", "export", "--stack", stack))
        held["deployment"]["resources"] = list(_resources(region, stack))
        state = folder / f"{stack}.json"
        state.write_text(json.dumps(held))
        _pulumi(folder, env, "stack", "import", "--stack", stack, "--file", str(state))


def _resources(region: int, stack: str) -> Iterator[dict[str, Any]]:
    """Yield what a stack holds that was installed; Helm's release is as large as a real one's."""
    head = f"urn:pulumi:{stack}::camunda-dual-region::"
    outputs = {"phase": "normal", "region": region, "lostRegion": None, "waitingFor": None}
    yield {
        "urn": f"{head}pulumi:pulumi:Stack::camunda-dual-region-{stack}",
        "type": "pulumi:pulumi:Stack",
        "outputs": outputs,
    }
    values = yaml.safe_load((CHECKOUT / "dualregion" / "reference-values.yaml").read_text())
    yield {
        "urn": f"{head}{_CHAIN}Camunda${_RELEASE}::normal",
        "type": _RELEASE,
        "outputs": {"__inputs": {"values": values}, "manifest": "x" * 60_000},
    }
    yield {
        "urn": f"{head}{_CHAIN}Gate${_CONFIG_MAP}::N",
        "type": _CONFIG_MAP,
        "outputs": {"data": {"step": "N", "incident": "none", "seconds": "2.5"}},
    }


def _pulumi(folder: Path, env: Mapping[str, str], *what: str) -> str:
    done = subprocess.run(
        ["pulumi", "--non-interactive", *what],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"pulumi {' '.join(what)}: {done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(int(sys.argv[1]))
