"""Settings: every bad input is refused before anything changes, in a sentence that can be acted on.

An operator meets these messages in the middle of an incident. Each must name the key as typed in
the configuration, the value given and what is allowed, and all problems must be told at once, so
that one round fixes them. A secret's value must never be among what is told.
"""

from typing import Any

import pytest

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.procedure import Phase, Role
from tests.inputs.examples import (
    ACLS,
    acls,
    failover,
    raw,
    region,
    settings,
    storage,
    with_acls,
    with_cidrs,
    with_roles,
)


def problems(**changes: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Settings.parse(raw(**changes))
    return caught.value.problems


def _acl_region(index: int, cut: Any = (), **changes: Any) -> dict[str, Any]:
    return region(index, podCidrs=list(cut), networkAcls=acls(index, **changes))


BAD: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    (
        "unknown phase",
        {"phase": "failovr"},
        ("phase", "'failovr'", "normal, failover, failback-pending, restored"),
    ),
    ("empty phase", {"phase": ""}, ("phase", "''", "normal, failover, failback-pending, restored")),
    (
        "phase in capitals",
        {"phase": "Failover"},
        ("phase", "'Failover'", "normal, failover, failback-pending, restored"),
    ),
    (
        "failback without a bucket",
        {"phase": "failback-pending", "lostRegion": 1},
        ("backup.settings.bucket", "is not set", "pulumi config set --path"),
    ),
    (
        "failback without a folder",
        {"phase": "restored", "lostRegion": 1, "backup": {"type": "fs"}},
        ("backup.settings.location", "type 'fs'"),
    ),
    (
        "a repository that is only read",
        {"backup": {"settings": {"bucket": "b", "readonly": "true"}}},
        ("backup.settings.readonly", "snapshot is written there"),
    ),
    ("a repository by its address", {"backup": {"type": "url"}}, ("backup.type", "only be read")),
    ("no time to search", {"searchSeconds": 0}, ("searchSeconds", "0")),
    ("days to search", {"searchSeconds": 86400}, ("searchSeconds", "86400")),
    (
        "storage of another type",
        {"backup": storage() | {"type": "fs"}},
        ("backup.type", "'fs'", "backup.storage", "s3"),
    ),
    (
        "a bucket in two places",
        {"backup": storage() | {"settings": {"bucket": "mine"}}},
        ("backup.settings.bucket", "backup.storage", "one of the two"),
    ),
    (
        "one bucket",
        {"backup": storage(buckets=[{"name": "only-one"}])},
        ("backup.storage.buckets",),
    ),
    (
        "a bucket name that is none",
        {"backup": storage(buckets=[{"name": "Mine"}, {"name": "yours"}])},
        ("backup.storage.buckets[0].name", "'Mine'", "3 to 63"),
    ),
    (
        "one bucket twice",
        {"backup": storage(buckets=[{"name": "mine"}, {"name": "mine"}])},
        ("backup.storage.buckets[1].name", "'mine'", "backup.settings.bucket"),
    ),
    (
        "both buckets in one AWS region",
        {
            "backup": storage(
                buckets=[{"name": n, "awsRegion": "eu-west-2"} for n in ("aaa", "bbb")]
            )
        },
        ("backup.storage.buckets[1].awsRegion", "'eu-west-2'", "lose both"),
    ),
    (
        "a bucket to make without knowing where",
        {"backup": storage(create=True, buckets=[{"name": "mine"}, {"name": "yours"}])},
        ("backup.storage.buckets[0].awsRegion", "not set", "create is true", "eu-west-2"),
    ),
    (
        "keys of AWS for another store",
        {
            "backup": storage(
                access="keys",
                buckets=[{"name": n, "endpoint": "https://store"} for n in ("aaa", "bbb")],
            )
        },
        ("backup.storage.buckets[0].endpoint", "access is 'keys'", "elasticsearchSecret"),
    ),
    (
        "a role without an identity provider",
        {"backup": storage(access="role")},
        ("backup.storage.buckets[0].oidcProviderArn", "not set", "access is 'role'"),
    ),
    (
        "an identity provider that is none",
        {"backup": storage(buckets=[{"name": "aaa", "oidcProviderArn": "x"}, {"name": "bbb"}])},
        ("backup.storage.buckets[0].oidcProviderArn", "'x'", "arn:aws:iam::ACCOUNT"),
    ),
    (
        "unknown access",
        {"backup": storage(access="root")},
        ("backup.storage.access", "'root'", "'own', 'keys' or 'role'"),
    ),
    (
        "one key from two places",
        {
            "backup": storage(access="keys"),
            "elasticsearchSecret": {"name": "env", "data": {"S3_SECRET_KEY": "hush"}},
        },
        ("elasticsearchSecret.data.S3_SECRET_KEY", "access is 'keys'", "pulumi config rm"),
    ),
    ("lostRegion missing", {"phase": "failover"}, ("lostRegion", "not set", "failover", "0", "1")),
    ("lostRegion 2", {"phase": "failover", "lostRegion": 2}, ("lostRegion", "2", "0 and 1")),
    ("lostRegion -1", {"phase": "failover", "lostRegion": -1}, ("lostRegion", "-1", "0 and 1")),
    (
        "lostRegion by name",
        {"phase": "failover", "lostRegion": "paris"},
        ("lostRegion", "'paris'", "0 and 1"),
    ),
    (
        "lostRegion a boolean",
        {"phase": "failover", "lostRegion": True},
        ("lostRegion", "True", "0 and 1"),
    ),
    ("lostRegion 2 in phase normal", {"lostRegion": 2}, ("lostRegion", "2", "0 and 1")),
    ("region missing", {"region": None}, ("region", "not set", "0 or 1")),
    ("region 2", {"region": 2}, ("region", "2", "0 or 1")),
    ("region a boolean", {"region": False}, ("region", "False", "0 or 1")),
    ("odd cluster size", {"clusterSize": 5}, ("clusterSize", "5", "divisible by 4", "4 or more")),
    ("cluster size 2", {"clusterSize": 2}, ("clusterSize", "2", "divisible by 4", "4 or more")),
    ("cluster size 0", {"clusterSize": 0}, ("clusterSize", "0", "divisible by 4", "4 or more")),
    (
        "negative cluster size",
        {"clusterSize": -4},
        ("clusterSize", "-4", "divisible by 4", "4 or more"),
    ),
    ("cluster size a word", {"clusterSize": "eight"}, ("clusterSize", "'eight'", "divisible by 4")),
    ("cluster size a fraction", {"clusterSize": 8.5}, ("clusterSize", "8.5", "divisible by 4")),
    (
        "size without quorum after failover",
        {"clusterSize": 6, "partitionCount": 6},
        ("clusterSize", "6", "divisible by 4", "the failback never end"),
    ),
    (
        "size whose failback could never end",
        {"clusterSize": 6, "partitionCount": 1, "replicationFactor": 6},
        ("clusterSize", "6", "divisible by 4", "a broker would run nowhere"),
    ),
    (
        "no address ranges, and no other isolation",
        {"isolation": None},
        ("regions[0].podCidrs is not set", "isolation own", "both stacks"),
    ),
    (
        "address ranges of one region only",
        {"isolation": None, "regions": [region(0, podCidrs=["10.180.0.0/16"]), region(1)]},
        ("regions[1].podCidrs is not set", "isolation own"),
    ),
    *(
        (
            f"chart version {version}",
            {"chart": {"name": "camunda-platform", "version": version}},
            ("chart.version", repr(version) if version else "not set", "10.11.3"),
        )
        for version in ("", "10", "^10.11.3", "10.x", ">=10.0.0 <11", "latest")
    ),
    ("isolation misspelt", {"isolation": "mine"}, ("isolation", "'mine'", "policies, own")),
    *(
        (
            f"release {name}",
            {"release": name},
            ("release", repr(name), "it must not hold"),
        )
        for name in ("elasticsearch-c8", "camunda-operate", "my-tasklist", "zeebe-gateway")
    ),
    (
        "replication without quorum after failover",
        {"replicationFactor": 2},
        ("replicationFactor", "2", "partition", "quorum"),
    ),
    ("no replicas", {"replicationFactor": 0}, ("replicationFactor", "0", "1 to clusterSize (8)")),
    (
        "more replicas than brokers",
        {"replicationFactor": 9},
        ("replicationFactor", "9", "1 to clusterSize (8)"),
    ),
    ("no partitions", {"partitionCount": 0}, ("partitionCount", "0", "at least 1")),
    (
        "equal namespaces",
        {"regions": [region(0), region(1, namespace="camunda-london")]},
        ("regions[1].namespace", "'camunda-london'", "regions[0].namespace", "must differ"),
    ),
    (
        "failover namespace equal to the own one",
        {"regions": [region(0, failoverNamespace="camunda-london"), region(1)]},
        ("regions[0].failoverNamespace", "'camunda-london'", "regions[0].namespace"),
    ),
    (
        "equal failover namespaces",
        {"regions": [region(0, failoverNamespace="f"), region(1, failoverNamespace="f")]},
        ("regions[1].failoverNamespace", "'f'", "regions[0].failoverNamespace"),
    ),
    (
        "default failover namespace equal to the other region's",
        {
            "regions": [
                region(0, namespace="camunda", failoverNamespace=None),
                region(1, namespace="camunda-failover"),
            ]
        },
        ("regions[1].namespace", "'camunda-failover'", "regions[0].failoverNamespace"),
    ),
    (
        "equal contexts",
        {"regions": [region(0), region(1, kubeContext="cluster-london")]},
        ("regions[1].kubeContext", "'cluster-london'", "regions[0].kubeContext"),
    ),
    ("no regions", {"regions": None}, ("regions", "not set", "two entries")),
    ("one region", {"regions": [region(0)]}, ("regions[1]", "not set")),
    ("three regions", {"regions": [region(0), region(1), region(1)]}, ("regions", "two entries")),
    ("regions a map", {"regions": {"london": region(0)}}, ("regions", "two entries")),
    (
        "region without namespace",
        {"regions": [region(0), {"name": "paris", "kubeContext": "cluster-paris"}]},
        ("regions[1].namespace", "not set"),
    ),
    (
        "misspelt key of a region",
        {"regions": [region(0, kubecontext="x"), region(1)]},
        ("regions[0].kubecontext", "spelling"),
    ),
    (
        "namespace that Kubernetes refuses",
        {"regions": [region(0, namespace="Camunda_London"), region(1)]},
        ("regions[0].namespace", "'Camunda_London'", "lower-case letters"),
    ),
    ("release that Kubernetes refuses", {"release": "Camunda 8"}, ("release", "'Camunda 8'")),
    ("unknown key", {"lostregion": 1}, ("lostregion", "not a setting", "spelling")),
    ("unknown key of the chart", {"chart": {"versoin": "10"}}, ("chart.versoin", "not a setting")),
    (
        "values a text",
        {"values": "my.yaml"},
        ("values", "'my.yaml'", "a list is needed", "pulumi config set --path 'values[0]'"),
    ),
    ("deadline zero", {"deadlineSeconds": 0}, ("deadlineSeconds", "0", "from 1 to")),
    ("deadline a word", {"deadlineSeconds": "15m"}, ("deadlineSeconds", "'15m'", "a whole number")),
    (
        "pod range without mask",
        {"regions": [region(0, podCidrs=["10.0.0.0"]), region(1)]},
        ("regions[0].podCidrs[0]", "'10.0.0.0'"),
    ),
    (
        "pod range with an impossible mask",
        {"regions": [region(0, podCidrs=["10.180.0.0/99"]), region(1)]},
        ("regions[0].podCidrs[0]", "'10.180.0.0/99'"),
    ),
    (
        "pod range with an impossible address",
        {"regions": [region(0, podCidrs=["10.380.0.0/16"]), region(1)]},
        ("regions[0].podCidrs[0]", "'10.380.0.0/16'"),
    ),
    (
        "pod range with host bits",
        {"regions": [region(0, podCidrs=["10.180.0.1/16"]), region(1)]},
        ("regions[0].podCidrs[0]", "'10.180.0.1/16'"),
    ),
    (
        "equal pod ranges, the survivor would cut itself off",
        {
            "regions": [
                region(0, podCidrs=["10.180.0.0/16"]),
                region(1, podCidrs=["10.180.0.0/16"]),
            ]
        },
        ("podCidrs", "10.180.0.0/16"),
    ),
    (
        "overlapping pod ranges, the survivor would cut itself off",
        {
            "regions": [
                region(0, podCidrs=["10.180.0.0/16"]),
                region(1, podCidrs=["10.0.0.0/8"]),
            ]
        },
        ("podCidrs", "10.180.0.0/16", "10.0.0.0/8"),
    ),
    (
        "an id that is no network ACL's",
        {"regions": with_acls(ids=["subnet-0a1b2c3d"])},
        ("regions[0].networkAcls.ids[0]", "'subnet-0a1b2c3d'", "acl- and 8 or 17"),
    ),
    (
        "an id that is too short",
        {"regions": with_acls(ids=["acl-0abc"])},
        ("regions[1].networkAcls.ids[0]", "'acl-0abc'", "8 or 17"),
    ),
    (
        "no network ACL at all",
        {"regions": with_acls(ids=[])},
        ("regions[0].networkAcls.ids", "[]", "at least 1"),
    ),
    (
        "a network ACL twice",
        {"regions": [region(0, podCidrs=["10.180.0.0/16"]), _acl_region(1, ids=[*ACLS[1] * 2])]},
        ("regions[1].networkAcls.ids", ACLS[1][0], "twice"),
    ),
    (
        "a network ACL of both regions",
        {"regions": with_acls(ids=ACLS[0])},
        ("regions[0].networkAcls.ids", "regions[1].networkAcls.ids", ACLS[0][1], "of their own"),
    ),
    (
        "network ACLs in no AWS region",
        {"regions": with_acls(awsRegion="eu-west-2a")},
        ("regions[0].networkAcls.awsRegion", "'eu-west-2a'", "such as eu-west-2"),
    ),
    (
        "network ACLs without AWS region",
        {"regions": [region(0), region(1, networkAcls={"ids": ACLS[1]})]},
        ("regions[1].networkAcls.awsRegion", "not set"),
    ),
    (
        "nothing to cut in the network ACLs",
        {"regions": [region(0), _acl_region(1)]},
        ("regions[0].podCidrs is not set", "regions[1].networkAcls", "VPC CNI", "leave"),
    ),
    (
        "everything to cut in the network ACLs",
        {"regions": [region(0, podCidrs=["::/0"]), _acl_region(1)]},
        ("regions[0].podCidrs", "::/0", "everything"),
    ),
    *(
        (
            f"a first rule number of {number}",
            {"regions": with_acls(firstRuleNumber=number)},
            ("regions[0].networkAcls.firstRuleNumber", str(number), told),
        )
        for number, told in ((0, "from 1"), (32767, "to 32766"), ("ten", "a whole number"))
    ),
    (
        "more rules than numbers",
        {"regions": with_acls(firstRuleNumber=32766)},
        ("regions[0].networkAcls.firstRuleNumber", "32766", "up to 32767", "lower one"),
    ),
    (
        "a chain without an end",
        {"dns": {"chain": True}, "regions": [region(0, dnsAddresses=["10.0.0.1"]), region(1)]},
        ("regions[1].dnsAddresses", "not set", "dns.chain is true", "dns.loadBalancer"),
    ),
    (
        "a chain that leads back",
        {"regions": [region(each, dnsAddresses=["10.0.0.1"]) for each in (0, 1)]},
        ("regions[0].dnsAddresses", "regions[1].dnsAddresses", "10.0.0.1", "ask itself"),
    ),
    (
        "a DNS address that is a name",
        {"regions": [region(0), region(1, dnsAddresses=["dns.example"])]},
        ("regions[1].dnsAddresses[0]", "'dns.example'", "IP address", "dig +short"),
    ),
    (
        "a DNS address with an impossible port",
        {"regions": [region(0), region(1, dnsAddresses=["10.0.0.1:0"])]},
        ("regions[1].dnsAddresses[0]", "'10.0.0.1:0'", "IP address"),
    ),
    (
        "more DNS addresses than CoreDNS takes",
        {"regions": [region(0), region(1, dnsAddresses=[f"10.0.0.{n}" for n in range(16)])]},
        ("regions[1].dnsAddresses", "at most 15"),
    ),
    (
        "a ConfigMap without namespace",
        {"dns": {"configMap": "coredns"}},
        ("dns.configMap", "'coredns'", "/"),
    ),
    ("a chain that is no boolean", {"dns": {"chain": "perhaps"}}, ("dns.chain", "'perhaps'")),
]


@pytest.mark.parametrize(("changes", "told"), [pytest.param(*case[1:], id=case[0]) for case in BAD])
def test_bad_input_is_refused_naming_key_value_and_what_is_allowed(
    changes: dict[str, Any], told: tuple[str, ...]
) -> None:
    found = problems(**changes)
    assert any(all(word in problem for word in told) for problem in found), found
    assert all(len(problem.splitlines()) == 1 for problem in found)


@pytest.mark.parametrize("named", ["camunda-london-failover", "london", True, ""])
def test_what_retires_nothing_is_refused(named: object) -> None:
    (problem,) = problems(retire=named)
    assert problem.startswith("retire is ")


def test_an_installation_is_retired_by_its_own_namespace() -> None:
    assert settings(retire="camunda-london").is_retired
    assert not settings(region=1, retire="camunda-london").is_retired
    assert not settings().is_retired


def test_all_wrong_values_are_told_at_once() -> None:
    found = problems(phase="failover", lostRegion=7, clusterSize=5, partitionCount=0)
    assert {problem.split(" ")[0] for problem in found} == {
        "lostRegion",
        "clusterSize",
        "partitionCount",
    }


def test_all_malformed_values_are_told_at_once() -> None:
    found = problems(phase="x", region=None, release="A b", misspelt=1, deadlineSeconds=-3)
    assert {problem.split(" ")[0] for problem in found} == {
        "phase",
        "region",
        "release",
        "misspelt",
        "deadlineSeconds",
    }


def test_the_message_has_one_line_for_each_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.parse(raw(clusterSize=5, partitionCount=0))
    assert str(caught.value).splitlines() == [f"- {each}" for each in caught.value.problems]


def test_a_refused_size_names_the_brokers_and_partitions_that_are_the_reason() -> None:
    (problem,) = problems(clusterSize=4, partitionCount=4, replicationFactor=2)
    assert "region 0 only brokers 0, 1, 3 run" in problem
    assert "partition 2, 3 would have no quorum" in problem


def test_the_operators_own_isolation_is_said_once() -> None:
    assert not settings().cuts_by_policies
    assert settings(isolation=None, regions=with_cidrs()).cuts_by_policies
    assert settings(release="my-zeebe").release == "my-zeebe"


@pytest.mark.parametrize("size", range(2, 33, 2))
def test_the_brokers_that_sleep_in_a_failback_are_those_that_the_failover_replaces(
    size: int,
) -> None:
    """Of an accepted size each id runs exactly once between B1 and B7; of any other one runs nowhere."""
    for lost in (0, 1):
        asleep = {
            each
            for ordinal, each in enumerate(brokers.region_broker_ids(size, lost))
            if brokers.sleeps(ordinal)
        }
        complete = asleep == set(brokers.failover_broker_ids(size, lost))
        assert complete == (size % 4 == 0)
        refused = [each for each in _problems_of_size(size) if each.startswith("clusterSize")]
        assert complete == (not refused)


def _problems_of_size(size: int) -> tuple[str, ...]:
    try:
        settings(clusterSize=size)
    except ConfigError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param({"name": "s", "data": {"S3_SECRET_KEY": 123454321.5}}, id="key a fraction"),
        pytest.param({"name": "s", "data": {"123454321 ": "x"}}, id="key for a value"),
        pytest.param({"name": "s", "data": "123454321"}, id="data a text"),
        pytest.param("123454321", id="secret a text"),
        pytest.param(
            {"name": "s", "data": {"a": "b"}, "S3_SECRET_KEY": "123454321"}, id="misplaced"
        ),
        pytest.param({"data": {"S3_SECRET_KEY": "123454321"}}, id="without name"),
    ],
)
def test_no_message_shows_a_secrets_value(secret: Any) -> None:
    found = problems(elasticsearchSecret=secret)
    assert any("elasticsearchSecret" in problem for problem in found)
    assert not any("123454321" in problem for problem in found)


def test_settings_never_show_a_secrets_value() -> None:
    shown = settings(elasticsearchSecret={"name": "s", "data": {"S3_SECRET_KEY": "hush-hush"}})
    assert "hush-hush" not in repr(shown)


def test_defaults_are_the_procedures_reference_set_up() -> None:
    found = settings()
    assert (found.phase, found.lost_region) == (Phase.NORMAL, None)
    assert (found.cluster_size, found.partition_count, found.replication_factor) == (8, 8, 4)
    assert found.release == "camunda"
    assert found.chart.name == "camunda-platform"
    assert found.chart.version == "10.11.3"
    assert found.chart.repository == "https://helm.camunda.io"
    assert found.values == ()
    assert found.deadline_seconds == 900
    assert found.kubeconfig is None
    assert found.elasticsearch_secret is None
    assert all(each.pod_cidrs == () for each in found.regions)
    assert not found.dns.chain
    assert not found.dns.load_balancer.create
    assert (found.dns.namespace, found.dns.name, found.dns.key) == (
        "kube-system",
        "coredns",
        "Corefile",
    )


def test_the_failover_namespace_is_the_regions_own_with_a_suffix_unless_named() -> None:
    plain = {key: value for key, value in region(0).items() if key != "failoverNamespace"}
    found = settings(regions=[plain, region(1, failoverNamespace="elsewhere")])
    assert [each.failover for each in found.regions] == ["camunda-london-failover", "elsewhere"]


def test_keys_are_read_in_camel_case_as_the_user_types_them() -> None:
    found = settings(
        phase="failover",
        lostRegion=1,
        clusterSize=4,
        partitionCount=3,
        replicationFactor=4,
        peerStack="paris-prod",
        deadlineSeconds=60,
        kubeconfig="~/.kube/other",
        elasticsearchSecret={"name": "elasticsearch-env-secret", "data": {"S3_ACCESS_KEY": "a"}},
    )
    assert found.lost_region == 1
    assert (found.cluster_size, found.partition_count) == (4, 3)
    assert found.peer_stack_name == "paris-prod"
    assert found.deadline_seconds == 60
    assert found.elasticsearch_secret is not None
    assert found.elasticsearch_secret.plain() == {"S3_ACCESS_KEY": "a"}


@pytest.mark.parametrize(
    "address", ["10.192.0.53", "10.192.0.53:5353", "fd00::53", "[fd00::53]:5353"]
)
def test_dns_addresses_are_what_coredns_takes(address: str) -> None:
    found = settings(regions=[region(0, dnsAddresses=[address]), region(1)])
    assert found.regions[0].dns_addresses == (address,)


def test_annotations_that_pulumi_stores_as_something_else_are_texts() -> None:
    annotations = {"example/internal": True, "example/weight": 3}
    found = settings(dns={"loadBalancer": {"annotations": annotations}})
    assert found.dns.load_balancer.annotations == {
        "example/internal": "true",
        "example/weight": "3",
    }


def test_numbers_that_pulumi_stores_as_text_are_read() -> None:
    found = settings(phase="failover", lostRegion="1", clusterSize="4", region="0")
    assert (found.lost_region, found.cluster_size, found.region) == (1, 4, 0)


@pytest.mark.parametrize("region_id", [0, 1])
@pytest.mark.parametrize(
    ("lost", "bucket"), [(1, "acme-camunda-london"), (0, "acme-camunda-paris")]
)
def test_a_failback_uses_the_survivors_bucket_on_either_stack(
    region_id: int, lost: int, bucket: str
) -> None:
    found = settings(
        region=region_id, phase="failback-pending", lostRegion=lost, backup=storage(access="keys")
    )
    assert found.repository_settings == {
        "client": "camunda",
        "base_path": "backups",
        "bucket": bucket,
    }


def test_with_a_role_the_search_engine_uses_the_client_that_needs_no_keys() -> None:
    found = failover(0, 1, backup=storage(access="role", buckets=with_roles()))
    assert found.repository_settings["client"] == "default"


def test_a_store_that_speaks_s3_is_told_by_its_endpoint() -> None:
    buckets = [{"name": "snapshots", "endpoint": f"https://store.{each}"} for each in "ab"]
    found = failover(1, 0, backup=storage(buckets=buckets))
    assert found.repository_settings | {"client": "", "base_path": ""} == {
        "client": "",
        "base_path": "",
        "bucket": "snapshots",
        "endpoint": "https://store.b",
        "path_style_access": True,
    }


def test_without_buckets_the_repository_is_just_what_the_operator_says() -> None:
    backup = {"type": "s3", "settings": {"bucket": "mine", "base_path": "x"}}
    found = failover(0, 1, backup=backup)
    assert found.repository_settings == {"client": "camunda", "base_path": "x", "bucket": "mine"}


@pytest.mark.parametrize(
    ("region_id", "lost", "role"),
    [(0, 0, Role.LOST), (0, 1, Role.SURVIVOR), (1, 0, Role.SURVIVOR), (1, 1, Role.LOST)],
)
def test_the_role_follows_from_the_lost_region(region_id: int, lost: int, role: Role) -> None:
    assert failover(region_id, lost).role is role


def test_a_lost_region_left_over_from_an_incident_means_nothing_in_phase_normal() -> None:
    assert settings(lostRegion=0).role is Role.MEMBER


@pytest.mark.parametrize("region_id", [0, 1])
def test_the_peer_is_the_other_region(region_id: int) -> None:
    found = settings(region=region_id)
    assert found.own.namespace == region(region_id)["namespace"]
    assert found.peer.namespace == region(1 - region_id)["namespace"]
    assert found.peer_stack_name == f"region{1 - region_id}"


@pytest.mark.parametrize(
    ("name", "is_path", "is_oci"),
    [
        pytest.param("camunda-platform", False, False, id="of a repository"),
        pytest.param("oci://registry.example/charts/camunda-platform", False, True, id="OCI"),
        pytest.param("./charts/camunda-platform", True, False, id="relative folder"),
        pytest.param("/srv/camunda-platform-10.11.3.tgz", True, False, id="archive"),
    ],
)
def test_where_a_chart_comes_from(name: str, is_path: bool, is_oci: bool) -> None:
    chart = settings(chart={"name": name}).chart
    assert (chart.is_path, chart.is_oci) == (is_path, is_oci)


def test_every_size_is_accepted_exactly_if_a_failover_restores_quorum_and_forgets_nothing() -> None:
    for size in range(4, 21, 4):
        for factor in range(1, size + 1):
            for count in (1, 3, size, size + 1):
                stuck = [
                    brokers.partitions_without_quorum(
                        brokers.alive_after_failover(size, lost),
                        cluster_size=size,
                        partition_count=count,
                        replication_factor=factor,
                    )
                    for lost in (0, 1)
                ]
                config = raw(clusterSize=size, replicationFactor=factor, partitionCount=count)
                if any(stuck):
                    with pytest.raises(ConfigError, match="no quorum"):
                        Settings.parse(config)
                elif any(_risky(size, count, factor, lost) for lost in (0, 1)):
                    with pytest.raises(ConfigError, match="could forget"):
                        Settings.parse(config)
                else:
                    assert Settings.parse(config).cluster_size == size


def _risky(size: int, count: int, factor: int, lost: int) -> bool:
    """Look at every quorum that may have acknowledged, and every one that may elect afterwards."""
    survivors = set(brokers.region_broker_ids(size, 1 - lost))
    fresh = set(brokers.failover_broker_ids(size, lost))
    needed = factor // 2 + 1
    for partition in range(1, count + 1):
        holders = set(brokers.replicas(partition, size, factor))
        old, new = len(holders & survivors), len(holders & fresh)
        knowing = max(0, needed - (len(holders) - old))
        ignorant = old - knowing + new
        if knowing == 0 or ignorant >= needed:
            return True
    return False
