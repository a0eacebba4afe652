"""What the stand-in chart makes of the values that a dual-region program sets.

Pinned here because a failover rests on it: names and labels that the program looks for, the order
of the environment (a name may stand twice and the last one counts), the broker ids that
`startup.sh` computes, and when the pods' template changes at all. `startup.sh` is run, not read: a
script that contains the right words may still not work.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.patience import allowed
from tests.checkout import CHECKOUT
from tests.parts import set_up

Values = Mapping[str, Any]
Manifest = dict[str, Any]

CHART = CHECKOUT / "sandbox/charts/camunda-platform"
REFERENCE = CHECKOUT / "dualregion/reference-values.yaml"
REHEARSAL = CHECKOUT / "sandbox/values/rehearsal.yaml"
ENGINE = REHEARSAL.with_name("rehearsal-elasticsearch.yaml")
REAL_PARTS = ("brokers", "elasticsearch", "operate", "tasklist")
NAMESPACE = "camunda-london"

CONTACT_POINTS = "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS"
OWN_EXPORTER_URL = "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCH_ARGS_URL"


def test_the_rehearsals_environment_holds_the_references_entries() -> None:
    """Helm replaces lists whole, so the rehearsal's values repeat them."""
    reference, rehearsal = (
        yaml.safe_load(each.read_text())["zeebe"]["env"] for each in (REFERENCE, REHEARSAL)
    )
    assert rehearsal[: len(reference)] == reference


@cache
def helm() -> str:
    """Return the helm binary: the one on PATH, else the sandbox's."""
    return shutil.which("helm") or str(set_up().helm)


@cache
def _render(chart: Path, values: str, files: tuple[Path, ...]) -> str:
    command = [helm(), "template", "camunda", str(chart), "--namespace", NAMESPACE]
    for file in files:
        command += ["--values", str(file)]
    result = subprocess.run(
        [*command, "--values", "-"], input=values, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise ChildProcessError(result.stderr)
    return result.stdout


class Rendered:
    """The manifests of one installation."""

    def __init__(
        self,
        values: Values,
        files: tuple[Path, ...] = (REFERENCE, ENGINE, REHEARSAL),
        chart: Path = CHART,
    ) -> None:
        text = _render(chart, json.dumps(values), files)
        found = yaml.load_all(text, yaml.CSafeLoader)
        self.manifests: list[Manifest] = [item for item in found if item]

    def names(self) -> set[str]:
        """Return every object as `Kind/name`."""
        return {f"{item['kind']}/{item['metadata']['name']}" for item in self.manifests}

    def get(self, kind: str, name: str) -> Manifest:
        """Return one object."""
        found = [
            item
            for item in self.manifests
            if (item["kind"], item["metadata"]["name"]) == (kind, name)
        ]
        assert len(found) == 1, f"{kind}/{name} in {sorted(self.names())}"
        return found[0]

    @property
    def brokers(self) -> Manifest:
        """The brokers' StatefulSet."""
        return self.get("StatefulSet", "camunda-zeebe")

    @property
    def search_engine(self) -> Manifest:
        """The search engine's StatefulSet."""
        return self.get("StatefulSet", "camunda-elasticsearch-master")

    def startup_script(self) -> str:
        """Return the brokers' start script."""
        script = self.get("ConfigMap", "camunda-zeebe-configuration")["data"]["startup.sh"]
        assert isinstance(script, str)
        return script


def container(workload: Manifest) -> Manifest:
    """Return the one container of a workload."""
    (only,) = workload["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def env_names(workload: Manifest) -> list[str]:
    """Return the names of a container's environment, in order."""
    return [entry["name"] for entry in container(workload)["env"]]


def effective_env(workload: Manifest) -> dict[str, str]:
    """Return the environment as Kubernetes sees it: the last of two equal names counts."""
    return {entry["name"]: entry.get("value", "") for entry in container(workload)["env"]}


def installation(kind: str = "", region: int = 0, size: int = 8, **more: Any) -> dict[str, Any]:
    """Return the values that a program sets over the files."""
    return {
        "global": {"multiregion": {"regions": 2, "regionId": region, "installationType": kind}},
        "zeebe": {"clusterSize": size, "partitionCount": size, "replicationFactor": 4},
        **more,
    }


def ports(service: Manifest) -> dict[str, int]:
    """Return a service's ports by name."""
    return {port["name"]: port["port"] for port in service["spec"]["ports"]}


# --- objects, names and labels


COMMON = {
    "ServiceAccount/camunda-zeebe",
    "ServiceAccount/camunda-zeebe-gateway",
    "ConfigMap/camunda-zeebe-configuration",
    "ConfigMap/camunda-zeebe-gateway-configuration",
    "Service/camunda-zeebe",
    "Service/camunda-zeebe-gateway",
    "StatefulSet/camunda-zeebe",
    "Deployment/camunda-zeebe-gateway",
    "ServiceAccount/camunda-elasticsearch-master",
    "ConfigMap/camunda-elasticsearch-init-scripts",
    "Service/camunda-elasticsearch",
    "Service/camunda-elasticsearch-master-hl",
    "StatefulSet/camunda-elasticsearch-master",
}


def web_app(name: str) -> set[str]:
    """Return the objects of Operate or Tasklist."""
    return {
        f"ServiceAccount/camunda-{name}",
        f"ConfigMap/camunda-{name}-configuration",
        f"Service/camunda-{name}",
        f"Deployment/camunda-{name}",
    }


@pytest.mark.parametrize("kind", ["", "failOver", "failBack"])
@pytest.mark.parametrize("region", [0, 1])
def test_an_installation_has_exactly_these_objects(kind: str, region: int) -> None:
    rendered = Rendered(installation(kind, region))
    assert rendered.names() == COMMON | web_app("operate") | web_app("tasklist")


def test_web_apps_that_are_off_leave_nothing() -> None:
    off = {"enabled": False}
    rendered = Rendered(installation("failBack", operate=off, tasklist=off))
    assert rendered.names() == COMMON


def test_a_search_engine_that_is_off_leaves_nothing() -> None:
    rendered = Rendered(installation(elasticsearch={"enabled": False}))
    assert not [name for name in rendered.names() if "elasticsearch" in name]


@pytest.mark.parametrize(
    ("workload", "component"),
    [
        ("StatefulSet/camunda-zeebe", "zeebe-broker"),
        ("Deployment/camunda-zeebe-gateway", "zeebe-gateway"),
        ("Deployment/camunda-operate", "operate"),
        ("Deployment/camunda-tasklist", "tasklist"),
    ],
)
def test_workloads_select_their_pods_by_the_known_labels(workload: str, component: str) -> None:
    manifest = Rendered(installation()).get(*workload.split("/"))
    labels = manifest["spec"]["template"]["metadata"]["labels"]
    selected = manifest["spec"]["selector"]["matchLabels"]
    known = {
        "app": "camunda-platform",
        "app.kubernetes.io/name": "camunda-platform",
        "app.kubernetes.io/instance": "camunda",
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/part-of": "camunda-platform",
        "app.kubernetes.io/component": component,
    }
    assert selected == known
    assert selected.items() <= labels.items()
    assert selected.items() <= manifest["metadata"]["labels"].items()
    assert labels["app.kubernetes.io/version"] == "8.5.25"
    assert labels["helm.sh/chart"] == "camunda-platform-10.11.3"


def test_search_engine_has_the_labels_of_its_own_chart() -> None:
    manifest = Rendered(installation()).search_engine
    assert manifest["spec"]["selector"]["matchLabels"] == {
        "app.kubernetes.io/instance": "camunda",
        "app.kubernetes.io/name": "elasticsearch",
        "app.kubernetes.io/component": "master",
    }
    labels = manifest["spec"]["template"]["metadata"]["labels"]
    assert manifest["spec"]["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize(
    ("service", "headless", "expected"),
    [
        ("camunda-zeebe", True, {"http": 9600, "internal": 26502, "command": 26501}),
        ("camunda-zeebe-gateway", False, {"http": 9600, "gateway": 26500, "rest": 8080}),
        ("camunda-elasticsearch-master-hl", True, {"tcp-rest-api": 9200, "tcp-transport": 9300}),
        ("camunda-elasticsearch", False, {"tcp-rest-api": 9200, "tcp-transport": 9300}),
        ("camunda-operate", False, {"http": 80}),
        ("camunda-tasklist", False, {"http": 80}),
    ],
)
def test_services_have_the_known_ports(
    service: str, headless: bool, expected: dict[str, int]
) -> None:
    rendered = Rendered(installation())
    manifest = rendered.get("Service", service)
    spec = manifest["spec"]
    assert ports(manifest) == expected
    assert (spec.get("clusterIP") == "None") is headless
    assert spec.get("publishNotReadyAddresses", False) is headless
    selecting = [
        item["metadata"]["name"]
        for item in rendered.manifests
        if item["kind"] in {"StatefulSet", "Deployment"}
        and spec["selector"].items() <= item["spec"]["template"]["metadata"]["labels"].items()
    ]
    assert len(selecting) == 1


# --- brokers: how many, and who they are


@pytest.mark.parametrize(
    ("kind", "size", "replicas"),
    [
        ("", 4, 2),
        ("", 8, 4),
        ("failOver", 4, 1),
        ("failOver", 8, 2),
        ("failBack", 4, 2),
        ("failBack", 8, 4),
        ("failBack", 12, 6),
        ("failOver", 12, 3),
    ],
)
@pytest.mark.parametrize("region", [0, 1])
def test_replicas(kind: str, size: int, replicas: int, region: int) -> None:
    assert Rendered(installation(kind, region, size)).brokers["spec"]["replicas"] == replicas


def test_brokers_start_together_and_are_replaced_one_by_one() -> None:
    spec = Rendered(installation()).brokers["spec"]
    assert spec["podManagementPolicy"] == "Parallel"
    assert spec["updateStrategy"] == {"type": "RollingUpdate"}
    assert spec["serviceName"] == "camunda-zeebe"


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """A folder with a broker that tells its id, and a sleep that tells how long it was asked to."""
    for name, line in {"broker": "$ZEEBE_BROKER_CLUSTER_NODEID", "sleep": "sleeps $*"}.items():
        file = tmp_path / name
        file.write_text(f'#!/bin/sh\necho "{line}"\n')
        file.chmod(0o755)
    return tmp_path


def start(script: str, stubs: Path, ordinal: int, **env: str) -> str:
    """Run a start script as the pod of this ordinal; return what it started."""
    run = subprocess.run(
        ["bash", "-c", script.replace("/usr/local/zeebe/bin/broker", str(stubs / "broker"))],
        env={
            "PATH": f"{stubs}:{os.environ['PATH']}",
            "K8S_NAME": f"camunda-zeebe-{ordinal}",
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=allowed(60),
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


ASLEEP = "sleeps infinity"


@pytest.mark.parametrize(
    ("kind", "region", "started"),
    [
        ("", 0, ["0", "2", "4", "6"]),
        ("", 1, ["1", "3", "5", "7"]),
        # regionId is the lost region's: every second one of its brokers.
        ("failOver", 0, ["0", "4"]),
        ("failOver", 1, ["1", "5"]),
        ("failBack", 0, [ASLEEP, "2", ASLEEP, "6"]),
        ("failBack", 1, [ASLEEP, "3", ASLEEP, "7"]),
    ],
)
def test_each_pod_starts_the_broker_of_its_id(
    kind: str, region: int, started: list[str], stubs: Path
) -> None:
    rendered = Rendered(installation(kind, region, size=8))
    script = rendered.startup_script()
    replicas = rendered.brokers["spec"]["replicas"]
    assert [start(script, stubs, ordinal) for ordinal in range(replicas)] == started


def test_an_id_from_outside_counts_more(stubs: Path) -> None:
    script = Rendered(installation()).startup_script()
    assert start(script, stubs, 1, ZEEBE_BROKER_CLUSTER_NODEID="42") == "42"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[str]]:
    """The start script of a sleeping pod, running with the real `sleep`."""
    script = Rendered(installation("failBack")).startup_script()
    process = subprocess.Popen(
        ["bash", "-c", script],
        env={"PATH": os.environ["PATH"], "K8S_NAME": "camunda-zeebe-0"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    # In a container the sleep ends with the script; here it is left behind.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_sleeping_pod_ends_when_it_is_told_to(sleeper: subprocess.Popen[str]) -> None:
    assert sleeper.stderr is not None
    seen = ""
    while "wait" not in seen:
        seen = sleeper.stderr.readline()
        assert seen, "the script ended before it slept"
    sleeper.terminate()
    sleeper.wait(timeout=allowed(60))


def test_the_script_and_the_configuration_stand_where_the_image_looks() -> None:
    brokers = Rendered(installation()).brokers
    mounts = {mount["mountPath"]: mount for mount in container(brokers)["volumeMounts"]}
    assert mounts["/usr/local/bin/startup.sh"]["subPath"] == "startup.sh"
    assert mounts["/usr/local/zeebe/config/application.yaml"]["subPath"] == "application.yaml"
    assert mounts["/usr/local/zeebe/data"]["name"] == "data"
    volumes = {item["name"]: item for item in brokers["spec"]["template"]["spec"]["volumes"]}
    assert volumes["config"]["configMap"] == {
        "name": "camunda-zeebe-configuration",
        "defaultMode": 0o754,
    }
    (claim,) = brokers["spec"]["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"


def test_the_brokers_configuration_carries_the_cluster() -> None:
    config = Rendered(installation(size=4)).get("ConfigMap", "camunda-zeebe-configuration")
    broker = yaml.safe_load(config["data"]["application.yaml"])["zeebe"]["broker"]
    assert broker["cluster"] == {
        "clusterName": "camunda-zeebe",
        "clusterSize": 4,
        "partitionsCount": 4,
        "replicationFactor": 4,
    }
    assert broker["network"]["internalApi"]["port"] == 26502
    assert "exporters" not in broker


# --- environment


def test_the_users_environment_comes_last_and_in_order() -> None:
    reference = yaml.safe_load(REFERENCE.read_text())["zeebe"]["env"]
    own = [*reference, {"name": CONTACT_POINTS, "value": "one,two"}, {"name": "LAST", "value": "1"}]
    values = installation()
    values["zeebe"]["env"] = own
    brokers = Rendered(values).brokers
    names = env_names(brokers)
    assert names[: -len(own)] == [
        "LC_ALL",
        "K8S_NAME",
        "K8S_SERVICE_NAME",
        "K8S_NAMESPACE",
        "ZEEBE_BROKER_NETWORK_ADVERTISEDHOST",
        CONTACT_POINTS,
        "ZEEBE_LOG_LEVEL",
        "ZEEBE_BROKER_GATEWAY_ENABLE",
        "JAVA_TOOL_OPTIONS",
        "K8S_POD_NAME",
    ]
    assert container(brokers)["env"][-len(own) :] == own
    assert names.count(CONTACT_POINTS) == 2
    assert effective_env(brokers)[CONTACT_POINTS] == "one,two"


def test_brokers_of_two_regions_advertise_their_namespace() -> None:
    env = effective_env(Rendered(installation()).brokers)
    assert env["ZEEBE_BROKER_NETWORK_ADVERTISEDHOST"] == (
        "$(K8S_NAME).$(K8S_SERVICE_NAME).$(K8S_NAMESPACE).svc"
    )
    assert env["ZEEBE_BROKER_GATEWAY_ENABLE"] == "false"


def test_the_charts_own_contact_points_name_every_pod_of_the_namespace() -> None:
    points = effective_env(Rendered(installation(size=4)).brokers)[CONTACT_POINTS]
    host = "$(K8S_SERVICE_NAME)-{}.$(K8S_SERVICE_NAME).$(K8S_NAMESPACE).svc:26502,"
    assert points == " ".join(host.format(ordinal) for ordinal in range(4))


def test_the_chart_brings_an_exporter_of_its_own_unless_told_not_to() -> None:
    assert OWN_EXPORTER_URL not in env_names(Rendered(installation()).brokers)
    values = installation()
    values["global"]["elasticsearch"] = {"disableExporter": False}
    rendered = Rendered(values)
    assert effective_env(rendered.brokers)[OWN_EXPORTER_URL] == "http://camunda-elasticsearch:9200"
    config = rendered.get("ConfigMap", "camunda-zeebe-configuration")["data"]["application.yaml"]
    exporters = yaml.safe_load(config)["zeebe"]["broker"]["exporters"]
    assert exporters["elasticsearch"]["args"]["url"] == "http://camunda-elasticsearch:9200"


def test_the_gateway_asks_the_brokers_service() -> None:
    gateway = Rendered(installation()).get("Deployment", "camunda-zeebe-gateway")
    env = effective_env(gateway)
    assert env["ZEEBE_STANDALONE_GATEWAY"] == "true"
    assert env["ZEEBE_GATEWAY_CLUSTER_INITIALCONTACTPOINTS"] == "camunda-zeebe:26502"
    assert env["ZEEBE_GATEWAY_CLUSTER_MESSAGECOMPRESSION"] == "GZIP"
    assert gateway["spec"]["replicas"] == 1


def test_the_older_key_of_the_gateway_is_honoured() -> None:
    rendered = Rendered({**installation(), "zeebe-gateway": {"replicas": 3}})
    gateway = rendered.get("Deployment", "camunda-zeebe-gateway")
    assert gateway["spec"]["replicas"] == 3


# --- what makes the pods change


def pod_template(rendered: Rendered) -> Manifest:
    """Return what decides whether the brokers' pods are replaced."""
    template = rendered.brokers["spec"]["template"]
    assert isinstance(template, dict)
    return template


def checksum(rendered: Rendered) -> str:
    """Return the annotation by which a change of the configuration reaches the pods."""
    value = pod_template(rendered)["metadata"]["annotations"]["checksum/config"]
    assert re.fullmatch("[0-9a-f]{64}", value)
    return str(value)


def test_waking_the_sleeping_pods_changes_the_checksum_and_nothing_else() -> None:
    asleep, awake = (pod_template(Rendered(installation(kind))) for kind in ("failBack", ""))
    assert asleep != awake
    for template in (asleep, awake):
        template["metadata"]["annotations"].pop("checksum/config")
    assert asleep == awake


@pytest.mark.parametrize(
    "change",
    [
        {"zeebe": {"env": [{"name": OWN_EXPORTER_URL, "value": "http://elsewhere:9200"}]}},
        {"zeebe": {"resources": {"limits": {"memory": "1Gi"}}}},
        {"operate": {"enabled": False}, "tasklist": {"enabled": False}},
        {"zeebeGateway": {"replicas": 2}},
        {"elasticsearch": {"master": {"replicaCount": 2}}},
    ],
    ids=["env", "resources", "web-apps", "gateway", "search-engine"],
)
def test_the_checksum_is_the_configurations_alone(change: dict[str, Any]) -> None:
    values = installation()
    changed = {**values, **change, "zeebe": {**values["zeebe"], **change.get("zeebe", {})}}
    assert checksum(Rendered(changed)) == checksum(Rendered(values))


def test_switching_the_web_apps_leaves_the_brokers_alone() -> None:
    off = {"enabled": False}
    changed = Rendered(installation(operate=off, tasklist=off))
    assert changed.brokers == Rendered(installation()).brokers


# --- probes, search engine, values files


def test_rehearsals_probe_quickly_and_ask_for_little() -> None:
    rendered = Rendered(installation())
    probe = container(rendered.brokers)["readinessProbe"]
    assert probe["httpGet"] == {
        "path": "/actuator/health/readiness",
        "port": 9600,
        "scheme": "HTTP",
    }
    assert probe["periodSeconds"] == 1
    workloads = [
        item for item in rendered.manifests if item["kind"] in {"StatefulSet", "Deployment"}
    ]
    assert len(workloads) == 5
    for workload in workloads:
        assert container(workload)["imagePullPolicy"] == "IfNotPresent"
        assert container(workload)["readinessProbe"]["periodSeconds"] <= 2
        assert container(workload)["resources"]["requests"]["cpu"] in {"1m", "10m"}
        assert not workload["spec"]["template"]["spec"].get("initContainers")


def test_without_the_rehearsals_values_the_probes_are_the_charts() -> None:
    rendered = Rendered(installation(), files=(REFERENCE,))
    assert container(rendered.brokers)["readinessProbe"]["periodSeconds"] == 30
    engine = container(rendered.search_engine)["readinessProbe"]
    assert engine["exec"]["command"] == ["/opt/bitnami/scripts/elasticsearch/healthcheck.sh"]
    assert engine["initialDelaySeconds"] == 90
    assert rendered.search_engine["spec"]["replicas"] == 2


def test_a_single_search_engine_looks_for_no_others() -> None:
    env = effective_env(Rendered(installation()).search_engine)
    assert env["ELASTICSEARCH_HEAP_SIZE"] == "192m"
    assert not [name for name in env if "HOSTS" in name]


def test_two_search_engines_find_each_other() -> None:
    values = installation(elasticsearch={"master": {"replicaCount": 2}})
    env = effective_env(Rendered(values).search_engine)
    domain = "camunda-elasticsearch-master-hl.camunda-london.svc.cluster.local"
    assert env["ELASTICSEARCH_CLUSTER_HOSTS"] == f"{domain},"
    assert env["ELASTICSEARCH_ADVERTISED_HOSTNAME"] == f"$(MY_POD_NAME).{domain}"
    assert env["ELASTICSEARCH_TOTAL_NODES"] == "2"
    assert env["ELASTICSEARCH_MINIMUM_MASTER_NODES"] == "2"
    assert env["ELASTICSEARCH_CLUSTER_MASTER_HOSTS"].split() == [
        "camunda-elasticsearch-master-0",
        "camunda-elasticsearch-master-1",
    ]


def test_the_search_engine_gets_its_secret_and_its_scripts() -> None:
    rendered = Rendered(installation(), files=(REFERENCE,))
    engine = container(rendered.search_engine)
    assert engine["envFrom"] == [{"secretRef": {"name": "elasticsearch-env-secret"}}]
    mounts = {mount["mountPath"]: mount["name"] for mount in engine["volumeMounts"]}
    assert mounts["/docker-entrypoint-initdb.d/init-scripts"] == "custom-init-scripts"
    script = rendered.get("ConfigMap", "camunda-elasticsearch-init-scripts")["data"]
    assert "s3.client.camunda.secret_key" in script["init-keystore.sh"]


def test_the_backup_folder_can_be_shared_by_naming_another_source() -> None:
    source = {"name": "backup", "hostPath": {"path": "/shared", "type": "Directory"}}
    engine = Rendered(installation(elasticsearch={"extraVolumes": [source]})).search_engine
    assert source in engine["spec"]["template"]["spec"]["volumes"]
    assert {"name": "backup", "mountPath": "/backup"} in container(engine)["volumeMounts"]
    assert effective_env(engine)["ELASTICSEARCH_FS_SNAPSHOT_REPO_PATH"] == "/backup"


def test_the_search_engines_network_policy_lets_all_in_unless_it_is_off() -> None:
    as_the_chart = installation(elasticsearch={"master": {"networkPolicy": {"enabled": True}}})
    policy = Rendered(as_the_chart).get("NetworkPolicy", "camunda-elasticsearch-master")
    assert policy["spec"]["ingress"] == [{"ports": [{"port": 9200}, {"port": 9300}]}]
    assert policy["spec"]["egress"] == [{}]
    # The rehearsal's values have it off: it would let a lost region in that comes back.
    assert "NetworkPolicy/camunda-elasticsearch-master" not in Rendered(installation()).names()


@pytest.mark.parametrize("file", [REFERENCE, ENGINE, REHEARSAL], ids=lambda file: file.name)
def test_values_files_leave_to_the_program_what_is_the_programs(file: Path) -> None:
    values = yaml.safe_load(file.read_text())
    zeebe = values.get("zeebe", {})
    assert not {"clusterSize", "partitionCount", "replicationFactor"} & set(zeebe)
    names = [entry["name"] for entry in zeebe.get("env", [])]
    assert CONTACT_POINTS not in names
    assert not [name for name in names if name.endswith("_ARGS_URL")]
    assert set(values.get("global", {}).get("multiregion", {})) <= {"regions"}


def test_the_rehearsals_values_serve_alone_too() -> None:
    rendered = Rendered(installation(), files=(ENGINE, REHEARSAL))
    assert "envFrom" not in container(rendered.search_engine)
    assert rendered.brokers["spec"]["replicas"] == 4


def test_real_parts_get_what_they_need_whatever_the_rehearsals_own_have(tmp_path: Path) -> None:
    real = [REHEARSAL.with_name(f"real-{part}.yaml") for part in REAL_PARTS]
    values = yaml.safe_load(REHEARSAL.read_text())
    for key in ("zeebe", "zeebeGateway"):
        values[key] |= {
            "resources": {"limits": {"memory": "16Mi"}},
            "javaOpts": "",
            "readinessProbe": {"timeoutSeconds": 1},
        }
    small = tmp_path / "rehearsal.yaml"
    small.write_text(yaml.safe_dump(values))
    rendered = Rendered(installation(), files=(REFERENCE, ENGINE, small, *real))
    workloads = [
        ("StatefulSet", "camunda-zeebe"),
        ("Deployment", "camunda-zeebe-gateway"),
        ("StatefulSet", "camunda-elasticsearch-master"),
        ("Deployment", "camunda-operate"),
        ("Deployment", "camunda-tasklist"),
    ]
    found = [container(rendered.get(*each)) for each in workloads]
    assert [each["resources"]["limits"]["memory"] for each in found] == [
        "1Gi",
        "512Mi",
        "2Gi",
        "1536Mi",
        "1536Mi",
    ]
    assert {each["readinessProbe"]["timeoutSeconds"] for each in found} == {5}
    options = effective_env(rendered.brokers)["JAVA_TOOL_OPTIONS"]
    assert "-Xmx256m" in options
    assert "diskUsageCommandWatermark=0.98" in options
    assert effective_env(rendered.search_engine)["ELASTICSEARCH_HEAP_SIZE"] == "512m"
