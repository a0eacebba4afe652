"""What is found in a cluster before the program knows it."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from clients.survey import FoundRelease, Survey, survey
from tests.fakes.kubernetes import FakeKubernetes, Reply, kubeconfig
from tests.raising import assert_message

CONTEXT = "cluster-london"


def record(namespace: str, chart: str = "camunda-platform", **values: Any) -> dict[str, Any]:
    """Return the Secret in which Helm keeps a release."""
    content = {
        "name": "camunda",
        "chart": {"metadata": {"name": chart, "version": "10.11.3"}},
        "config": values,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(content).encode()))
    return {
        "metadata": {
            "name": f"sh.helm.release.v1.{namespace}.v1",
            "namespace": namespace,
            "labels": {"owner": "helm", "status": "deployed", "version": "1"},
        },
        "data": {"release": base64.b64encode(packed).decode()},
    }


def node(name: str, *cidrs: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"podCIDRs": list(cidrs)}}


@pytest.fixture
def look(kubernetes: FakeKubernetes, tmp_path: Path) -> Any:
    kubernetes.put("/api/v1/namespaces", {"metadata": {"name": "kube-system", "uid": "1"}})
    return lambda: survey(kubeconfig(tmp_path, kubernetes.url, CONTEXT), CONTEXT)


def test_releases_of_the_chart_are_found_in_all_namespaces(
    kubernetes: FakeKubernetes, look: Any
) -> None:
    kubernetes.put("/api/v1/secrets", record("camunda", zeebe={"clusterSize": "4"}))
    kubernetes.put("/api/v1/secrets", record("shop", chart="shop"))
    assert look().releases == (
        FoundRelease("camunda", "camunda", "10.11.3", {"zeebe": {"clusterSize": "4"}}),
    )


def test_the_range_that_kubeadm_gave_outweighs_those_of_the_nodes(
    kubernetes: FakeKubernetes, look: Any
) -> None:
    kubernetes.put("/api/v1/nodes", node("a", "10.192.0.0/24"))
    assert look().pod_cidrs == ("10.192.0.0/24",)
    text = "networking:\n  podSubnet: 10.192.0.0/16,fd00:192::/56\n"
    configured = {"metadata": {"name": "kubeadm-config"}, "data": {"ClusterConfiguration": text}}
    kubernetes.put("/api/v1/namespaces/kube-system/configmaps", configured)
    assert look().pod_cidrs == ("10.192.0.0/16", "fd00:192::/56")


def test_the_ranges_of_nodes_are_joined(kubernetes: FakeKubernetes, look: Any) -> None:
    nodes = [node("a", "10.1.0.0/24", "fd00::/64"), node("b", "10.1.1.0/24"), node("c")]
    kubernetes.put("/api/v1/nodes", *nodes)
    assert look().pod_cidrs == ("10.1.0.0/23", "fd00::/64")


def test_what_may_not_be_looked_at_is_left_out_with_its_reason(
    kubernetes: FakeKubernetes, look: Any
) -> None:
    kubernetes.broken["/api/v1/secrets"] = Reply(403, {"message": "forbidden"})
    kubernetes.put("/api/v1/nodes", node("a", "10.1.0.0/24"))
    found = look()
    assert (found.releases, found.pod_cidrs) == ((), ("10.1.0.0/24",))
    assert_message(found.problems[0], "call-refused", status=403)


def test_a_record_of_another_form_is_no_release(kubernetes: FakeKubernetes, look: Any) -> None:
    kubernetes.put("/api/v1/secrets", record("camunda") | {"data": {"release": "bm90IGhlbG0="}})
    found = look()
    assert found.releases == ()
    assert [each.code for each in found.problems] == ["unexpected-form"]


def test_a_cluster_that_does_not_answer_is_left_out(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "http://127.0.0.1:9", CONTEXT)
    assert survey(path, CONTEXT) == Survey(problems=survey(path, CONTEXT).problems)
    assert [each.code for each in survey(path, CONTEXT).problems] == ["cluster-unreachable"]
    assert [each.code for each in survey(path, "other").problems] == ["no-such-context"]
