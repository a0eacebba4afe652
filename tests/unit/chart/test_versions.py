"""What the stand-in charts of Camunda 8.6 to 8.10 make, and which values, images and engine go with them."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.errors import SandboxError
from sandbox.patience import allowed
from sandbox.setup.parts.archive import Layer
from sandbox.setup.parts.images import PLACEHOLDER, broker_image, placeholder_names
from sandbox.versions import OLDEST, VERSIONS, shape_of
from tests.unit.chart import test_chart
from tests.unit.chart.test_chart import (
    COMMON,
    CONTACT_POINTS,
    REFERENCE,
    Rendered,
    checksum,
    container,
    effective_env,
    env_names,
    installation,
    ports,
    stubs,
    web_app,
)

__all__ = ["stubs"]

APART = [minor for minor, each in VERSIONS.items() if not each.is_unified and minor != OLDEST]
UNIFIED = [minor for minor, each in VERSIONS.items() if each.is_unified]
WITH_ENGINE = [minor for minor in UNIFIED if VERSIONS[minor].has_engine]
WITHOUT_ENGINE = [minor for minor in UNIFIED if not VERSIONS[minor].has_engine]
BROKERS = {
    "ServiceAccount/camunda-zeebe",
    "Service/camunda-zeebe",
    "Service/camunda-zeebe-gateway",
    "StatefulSet/camunda-zeebe",
}
CONNECTORS = {
    "ServiceAccount/camunda-connectors",
    "Service/camunda-connectors",
    "Deployment/camunda-connectors",
}
SUBCHART = {
    "ServiceAccount/camunda-elasticsearch-master",
    "Service/camunda-elasticsearch",
    "Service/camunda-elasticsearch-master-hl",
    "StatefulSet/camunda-elasticsearch-master",
}


def apart(minor: str, values: Mapping[str, Any]) -> Rendered:
    """Return what the chart of 8.6 or 8.7 makes."""
    shape = shape_of(minor)
    return Rendered(values, (REFERENCE, *shape.values), shape.chart)


def unified(minor: str, region: int = 0, **orchestration: Any) -> Rendered:
    """Return what the chart of 8.8 or later makes, in one of two regions."""
    shape = shape_of(minor)
    sizes = {"clusterSize": "8", "partitionCount": "8", "replicationFactor": "4"}
    multiregion = {"regions": 2, "regionId": region}
    values = {
        "global": {"multiregion": multiregion},
        "orchestration": {**sizes, **orchestration},
    }
    return Rendered(values, shape.values, shape.chart)


def profiles(rendered: Rendered) -> str:
    """Return the profiles that the brokers run."""
    active = application(rendered)["spring"]["profiles"]["active"]
    assert isinstance(active, str)
    return active


def configuration(rendered: Rendered) -> dict[str, str]:
    """Return the content of the brokers' ConfigMap, by the name that the brokers' volume has."""
    volumes = rendered.brokers["spec"]["template"]["spec"]["volumes"]
    (name,) = [each["configMap"]["name"] for each in volumes if "configMap" in each]
    data: dict[str, str] = rendered.get("ConfigMap", name)["data"]
    return data


def application(rendered: Rendered) -> dict[str, Any]:
    """Return the brokers' application.yaml."""
    read: dict[str, Any] = yaml.safe_load(configuration(rendered)["application.yaml"])
    return read


# --- which there are


@pytest.mark.parametrize("minor", VERSIONS)
def test_a_charts_folder_says_its_version_and_is_written_once(minor: str) -> None:
    chart = shape_of(minor).chart
    read = yaml.safe_load((chart / "Chart.yaml").read_text())
    assert (read["name"], read["version"]) == ("camunda-platform", VERSIONS[minor].chart)
    assert read["appVersion"] == f"{minor}.x"
    assert shape_of(minor).chart == chart
    assert not list(chart.parent.parent.glob(".new-*"))


def test_the_oldest_chart_is_the_folder_that_people_are_shown() -> None:
    assert shape_of(OLDEST).chart == test_chart.CHART


def test_an_unknown_version_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SandboxError, match=r"no Camunda 8\.4\..*8\.5, .*8\.10"):
        shape_of("8.4")


@pytest.mark.parametrize("minor", VERSIONS)
def test_every_image_that_is_asked_for_is_there_and_plays_this_version(minor: str) -> None:
    version = VERSIONS[minor]
    rendered = unified(minor) if version.is_unified else apart(minor, installation())
    asked = {
        f"docker.io/{each['image'].removeprefix('docker.io/')}"
        for item in rendered.manifests
        if item["kind"] in {"StatefulSet", "Deployment"}
        for each in item["spec"]["template"]["spec"]["containers"]
    }
    made = broker_image(version, (Layer(Path("none"), ""),))
    engine = {each for each in asked if "bitnami" in each}
    assert asked <= {*made.names, *placeholder_names(), *engine}
    assert f"docker.io/{container(rendered.brokers)['image']}" in made.names
    assert made.env["REHEARSAL_CAMUNDA_VERSION"] == minor
    assert PLACEHOLDER not in asked


# --- 8.6 and 8.7


@pytest.mark.parametrize("minor", APART)
def test_up_to_8_7_the_objects_are_those_of_8_5(minor: str) -> None:
    rendered = apart(minor, installation("normal"))
    assert rendered.names() == COMMON | web_app("operate") | web_app("tasklist")
    assert container(rendered.brokers)["name"] == "zeebe"
    labels = rendered.brokers["metadata"]["labels"]
    assert labels["helm.sh/chart"] == f"camunda-platform-{VERSIONS[minor].chart}"
    assert labels["app.kubernetes.io/version"] == VERSIONS[minor].image


def test_8_7_knows_no_kinds_of_installations() -> None:
    ordinary = apart("8.7", installation("normal"))
    for kind in ("failOver", "failBack"):
        assert apart("8.7", installation(kind)).manifests == ordinary.manifests
    replicas = [
        apart("8.6", installation(kind)).brokers["spec"]["replicas"] for kind in ("", "failOver")
    ]
    assert replicas == [4, 2]
    defaults = yaml.safe_load((shape_of("8.7").chart / "values.yaml").read_text())
    assert "installationType" not in defaults["global"]["multiregion"]


# --- 8.8 and later


@pytest.mark.parametrize("minor", UNIFIED)
def test_from_8_8_on_one_stateful_set_is_all_of_it(minor: str) -> None:
    rendered = unified(minor)
    kind = "configuration-unified" if minor == "8.8" else "configuration"
    engine = SUBCHART if minor in WITH_ENGINE else set()
    assert rendered.names() == BROKERS | CONNECTORS | engine | {f"ConfigMap/camunda-zeebe-{kind}"}
    spec = rendered.brokers["spec"]
    assert spec["replicas"] == 4
    assert spec["podManagementPolicy"] == "Parallel"
    assert spec["serviceName"] == "camunda-zeebe"
    assert container(rendered.brokers)["name"] == "orchestration"
    assert container(rendered.brokers)["command"] == ["bash", "/usr/local/bin/startup.sh"]
    labels = spec["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "zeebe-broker"
    assert labels["app.kubernetes.io/version"] == VERSIONS[minor].image
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    mounts = {each["mountPath"] for each in container(rendered.brokers)["volumeMounts"]}
    assert {"/usr/local/camunda/config/application.yaml", "/usr/local/camunda/data"} <= mounts


@pytest.mark.parametrize("minor", UNIFIED)
def test_both_services_are_the_brokers_and_the_gateways_has_ready_ones_alone(minor: str) -> None:
    rendered = unified(minor)
    headless, gateway = (
        rendered.get("Service", name) for name in ("camunda-zeebe", "camunda-zeebe-gateway")
    )
    served = {"server": 9600, "http": 8080, "grpc": 26500}
    between = {"internal": 26502, "command": 26501}
    assert ports(gateway) == served
    assert ports(headless) == ({"server": 9600} if minor == "8.8" else served) | between
    assert headless["spec"]["clusterIP"] == "None"
    assert headless["spec"]["publishNotReadyAddresses"] is True
    assert "publishNotReadyAddresses" not in gateway["spec"]
    for each in (headless, gateway):
        assert each["spec"]["selector"] == rendered.brokers["spec"]["selector"]["matchLabels"]
    assert gateway["metadata"]["labels"]["app.kubernetes.io/component"] == "zeebe-gateway"


@pytest.mark.parametrize(("region", "ids"), [(0, "0 2 4 6"), (1, "1 3 5 7")])
@pytest.mark.parametrize("minor", UNIFIED)
def test_each_pod_starts_the_broker_of_its_id(
    minor: str, region: int, ids: str, stubs: Path
) -> None:
    script = configuration(unified(minor, region))["startup.sh"]
    told = stubs / "camunda"
    told.write_text('#!/bin/sh\necho "node $VALUES_ORCHESTRATION_NODE_ID"\n')
    told.chmod(0o755)
    script = script.replace("/usr/local/camunda/bin/", "")
    found = [
        re.search(r"^node (\d+)$", _run(script, stubs, ordinal), re.MULTILINE)
        for ordinal in range(4)
    ]
    assert [each and each[1] for each in found] == ids.split()


def _run(script: str, folder: Path, ordinal: int) -> str:
    return subprocess.run(
        ["bash", "-c", script],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "K8S_NAME": f"camunda-zeebe-{ordinal}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=allowed(60),
    ).stdout


@pytest.mark.parametrize("minor", UNIFIED)
def test_a_profile_that_is_switched_replaces_the_brokers(minor: str) -> None:
    login = "identity" if minor == "8.8" else "admin"
    on, off = unified(minor), unified(minor, profiles={"operate": False, "tasklist": False})
    assert set(profiles(on).split(",")) == {
        "broker",
        "operate",
        "tasklist",
        login,
        "consolidated-auth",
    }
    assert set(profiles(off).split(",")) == {"broker", login, "consolidated-auth"}
    assert checksum(on) != checksum(off)
    for each in (on, off):
        each.brokers["spec"]["template"]["metadata"]["annotations"].pop("checksum/config")
    assert on.brokers == off.brokers


@pytest.mark.parametrize("minor", UNIFIED)
def test_without_a_login_there_is_no_profile_of_it(minor: str) -> None:
    shape = shape_of(minor)
    values = {
        "global": {"security": {"authentication": {"method": "none"}}},
    }
    rendered = Rendered(values, shape.values, shape.chart)
    assert set(profiles(rendered).split(",")) == {"broker", "operate", "tasklist", "auth"}


@pytest.mark.parametrize("minor", UNIFIED)
def test_connectors_are_on_unless_they_are_switched_off(minor: str) -> None:
    shape = shape_of(minor)
    assert Rendered({}, shape.values, shape.chart).names() >= CONNECTORS
    off = Rendered({"connectors": {"enabled": False}}, shape.values, shape.chart)
    assert not off.names() & CONNECTORS


@pytest.mark.parametrize("minor", UNIFIED)
def test_the_kind_of_installation_is_refused_in_8_8_and_ignored_later(minor: str) -> None:
    shape = shape_of(minor)
    values = {"global": {"multiregion": {"installationType": "failOver"}}}
    if minor == "8.8":
        with pytest.raises(ChildProcessError, match=r"installationType.*has been removed"):
            Rendered(values, shape.values, shape.chart)
    else:
        plain = Rendered({}, shape.values, shape.chart)
        assert Rendered(values, shape.values, shape.chart).manifests == plain.manifests


@pytest.mark.parametrize("minor", UNIFIED)
def test_contact_points_of_two_regions_are_the_charts_in_8_8_alone(minor: str) -> None:
    read = application(unified(minor))
    older = read["zeebe"]["broker"]["cluster"].get("initialContactPoints")
    newer = read["camunda"]["cluster"].get("initial-contact-points")
    points = [f"camunda-zeebe-{each}.${{K8S_SERVICE_NAME}}:26502" for each in range(8)]
    assert (older, newer) == ((points, None) if minor == "8.8" else (None, None))
    assert read["zeebe"]["broker"]["network"]["advertisedHost"] == (
        "${K8S_NAME}.${K8S_SERVICE_NAME}.${K8S_NAMESPACE}.svc"
    )
    assert read["camunda"]["cluster"]["size"] == "8"
    assert CONTACT_POINTS not in env_names(unified(minor).brokers)


@pytest.mark.parametrize("minor", UNIFIED)
def test_the_charts_own_exporter_is_there_unless_it_is_switched_off(minor: str) -> None:
    assert "exporters" not in application(unified(minor))["zeebe"]["broker"]
    on = application(unified(minor, exporters={"camunda": {"enabled": True}}))
    own = on["zeebe"]["broker"]["exporters"]["camundaexporter"]
    assert own["className"] == "io.camunda.exporter.CamundaExporter"


@pytest.mark.parametrize("minor", WITHOUT_ENGINE)
def test_from_8_9_on_engines_ask_for_a_password_that_comes_from_secrets(minor: str) -> None:
    env = {each["name"]: each for each in container(unified(minor).brokers)["env"]}
    wanted = {"VALUES_ELASTICSEARCH_PASSWORD": "elasticsearch-es-elastic-user"} | {
        f"CAMUNDA_DATA_EXPORTERS_CAMUNDAREGION{region}_ARGS_CONNECT_PASSWORD": (
            f"elasticsearch-es-password-region-{region}"
        )
        for region in (0, 1)
    }
    assert {
        name: each["valueFrom"]["secretKeyRef"]["name"]
        for name, each in env.items()
        if "secretKeyRef" in each.get("valueFrom", {})
    } == wanted
    storage = application(unified(minor))["camunda"]["data"]["secondary-storage"]
    assert storage["elasticsearch"]["url"] == "http://elasticsearch-es-http:9200"


@pytest.mark.parametrize("minor", WITHOUT_ENGINE)
def test_from_8_9_on_a_chart_must_be_told_where_documents_are_kept(minor: str) -> None:
    with pytest.raises(ChildProcessError, match=r"orchestration\.data\.secondaryStorage\.type"):
        Rendered({}, (), shape_of(minor).chart)


# --- values


@pytest.mark.parametrize("minor", UNIFIED)
def test_values_leave_to_the_program_what_is_the_programs(minor: str) -> None:
    for file in shape_of(minor).values:
        own = yaml.safe_load(file.read_text()).get("orchestration", {})
        assert not {"clusterSize", "partitionCount", "replicationFactor", "profiles"} & set(own)
        names = [each["name"] for each in own.get("env", [])]
        assert not [each for each in names if each.endswith(("CONTACTPOINTS", "_URL"))]


@pytest.mark.parametrize("minor", UNIFIED)
def test_every_exporter_is_the_versions(minor: str) -> None:
    env = effective_env(unified(minor).brokers)
    prefix = "ZEEBE_BROKER" if minor == "8.8" else "CAMUNDA_DATA"
    for region in (0, 1):
        name = f"{prefix}_EXPORTERS_CAMUNDAREGION{region}_CLASSNAME"
        assert env[name] == "io.camunda.exporter.CamundaExporter"
