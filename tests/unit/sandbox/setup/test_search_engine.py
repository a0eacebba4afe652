"""The search engine's start script, run for real against a stand-in for Java that shows what it was given."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from sandbox.setup.parts.classes import ARCHIVE
from sandbox.setup.parts.images import FILES

SCRIPT = FILES / "elasticsearch" / "start.sh"


def start(folder: Path, **env: str) -> tuple[dict[str, object], str]:
    """Run the script; return the settings that it wrote and the arguments that Java got."""
    (folder / "bin").mkdir(exist_ok=True)
    for name, script in (
        ("java", 'echo "$@"'),
        ("hostname", 'echo "${1:+10.180.0.7 }" | tr -d " "'),
    ):
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / "bin" / name).chmod(0o755)
    done = subprocess.run(
        ["bash", str(SCRIPT)],
        env={
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "TMPDIR": str(folder),
            "OPENSEARCH_HOME": str(FILES / "elasticsearch"),
            "DATA_DIR": str(folder / "data"),
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ChildProcessError(done.stderr)
    return yaml.safe_load(
        (folder / "opensearch" / "config" / "opensearch.yml").read_text()
    ), done.stdout


def test_one_node_by_default(tmp_path: Path) -> None:
    settings, java = start(tmp_path, MY_POD_NAME="camunda-elasticsearch-master-0")
    assert settings["discovery.type"] == "single-node"
    assert settings["http.host"] == "0.0.0.0"
    assert settings["path.repo"] == "/backup"
    assert settings["transport.publish_host"] == "10.180.0.7"
    assert "-Xms192m -Xmx192m" in java
    assert f"-dataPath {tmp_path / 'data'}" in java


def test_the_chart_of_one_replica_names_its_service_and_stays_one_node(tmp_path: Path) -> None:
    settings, _ = start(
        tmp_path,
        MY_POD_NAME="camunda-elasticsearch-master-0",
        ELASTICSEARCH_CLUSTER_HOSTS="camunda-elasticsearch-master-hl.camunda-london.svc.cluster.local,",
        ELASTICSEARCH_CLUSTER_MASTER_HOSTS="camunda-elasticsearch-master-0 ",
        ELASTICSEARCH_TOTAL_NODES="1",
    )
    assert settings["discovery.type"] == "single-node"


@pytest.mark.parametrize(("ordinal", "founds"), [(0, True), (1, False)])
def test_of_two_replicas_the_first_founds_the_cluster(
    tmp_path: Path, ordinal: int, founds: bool
) -> None:
    settings, _ = start(
        tmp_path,
        MY_POD_NAME=f"camunda-elasticsearch-master-{ordinal}",
        ELASTICSEARCH_CLUSTER_HOSTS="camunda-elasticsearch-master-hl.camunda-london.svc.cluster.local,",
        ELASTICSEARCH_CLUSTER_MASTER_HOSTS="camunda-elasticsearch-master-0 camunda-elasticsearch-master-1 ",
        ELASTICSEARCH_TOTAL_NODES="2",
    )
    assert "discovery.type" not in settings
    assert settings["discovery.seed_hosts"] == [
        "camunda-elasticsearch-master-hl.camunda-london.svc.cluster.local"
    ]
    founders = settings.get("cluster.initial_cluster_manager_nodes")
    assert founders == (["10.180.0.7:9300"] if founds else None)


def test_hosts_alone_also_make_a_cluster(tmp_path: Path) -> None:
    hosts = "es-0.es,es-1.es"
    first, _ = start(tmp_path, MY_POD_NAME="es-0", ELASTICSEARCH_CLUSTER_HOSTS=hosts)
    second, _ = start(tmp_path, MY_POD_NAME="es-1", ELASTICSEARCH_CLUSTER_HOSTS=hosts)
    assert first["discovery.seed_hosts"] == second["discovery.seed_hosts"] == ["es-0.es", "es-1.es"]
    assert "cluster.initial_cluster_manager_nodes" in first
    assert "cluster.initial_cluster_manager_nodes" not in second


def test_heap_backup_folder_and_cluster_name_are_honoured(tmp_path: Path) -> None:
    settings, java = start(
        tmp_path,
        ELASTICSEARCH_HEAP_SIZE="256m",
        ELASTICSEARCH_FS_SNAPSHOT_REPO_PATH="/snapshots",
        ELASTICSEARCH_CLUSTER_NAME="london",
    )
    assert settings["path.repo"] == "/snapshots"
    assert "-Xms256m -Xmx256m" in java
    assert "-clusterName london" in java


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ChildProcessError, match=r"start\.sh: .* cannot write to .*/data"):
        start(tmp_path)


def test_the_address_is_the_pods_if_it_is_told(tmp_path: Path) -> None:
    settings, _ = start(tmp_path, MY_POD_IP="10.180.0.9")
    assert settings["transport.publish_host"] == "10.180.0.9"


def test_the_archive_of_classes_is_used_if_there_is_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(FILES / "elasticsearch", home)
    assert "-XX:AOTCache" not in start(tmp_path, OPENSEARCH_HOME=str(home))[1]
    (home / ARCHIVE).touch()
    assert f"-XX:AOTCache={home / ARCHIVE} " in start(tmp_path, OPENSEARCH_HOME=str(home))[1]


def test_the_class_path_has_the_same_order_everywhere(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(FILES / "elasticsearch", home)
    (home / "lib").mkdir()
    for name in ("b.jar", "a-1.jar", "B.jar", "a_1.jar"):
        (home / "lib" / name).touch()
    _, java = start(tmp_path, OPENSEARCH_HOME=str(home), LC_ALL="C.UTF-8")
    jars = ":".join(f"{home}/lib/{name}" for name in ("B.jar", "a-1.jar", "a_1.jar", "b.jar"))
    assert f"-cp {jars} " in java


def test_only_the_module_that_serves_http_is_run(tmp_path: Path) -> None:
    _, java = start(tmp_path)
    assert "-moduleTypes org.opensearch.transport.Netty4Plugin " in java


def test_http_can_be_kept_to_the_pod_itself(tmp_path: Path) -> None:
    settings, java = start(
        tmp_path, ELASTICSEARCH_HTTP_HOST="127.0.0.1", ELASTICSEARCH_HTTP_PORT_NUMBER="9201"
    )
    assert settings["http.host"] == "127.0.0.1"
    assert "-baseHttpPort 9200 " in java
    assert "-baseHttpPort 9199 " in start(tmp_path)[1]
