"""Settings: every bad input is refused before anything changes, in a sentence that can be acted on.

An operator meets these messages in the middle of an incident. Each must name the key as typed in
the configuration, the value given and what is allowed, and all problems must be told at once, so
that one round fixes them. A secret's value must never be among what is told.
"""

from typing import Any

import pytest

from dualregion import brokers
from dualregion.config.forms import MOST_BROKERS
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.procedure import Phase, Role
from messages import Message
from messages.config import forms
from messages.config import settings as messages
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
from tests.raising import assert_message, raises


def problems(**changes: Any) -> tuple[Any, ...]:
    with pytest.raises(ConfigError) as caught:
        Settings.parse(raw(**changes))
    return caught.value.problems


def _acl_region(index: int, cut: Any = (), **changes: Any) -> dict[str, Any]:
    return region(index, podCidrs=list(cut), networkAcls=acls(index, **changes))


refused, missing = messages.setting_refused, messages.setting_missing
PHASES = forms.word_needed("'normal', 'failover', 'failback-pending' or 'restored'")
SIZES = forms.cluster_size_needed(MOST_BROKERS)
BAD: list[tuple[str, dict[str, Any], Message]] = [
    (
        "unknown phase",
        {"phase": "failovr"},
        refused(
            "phase",
            "'failovr'",
            PHASES,
        ),
    ),
    (
        "empty phase",
        {"phase": ""},
        refused(
            "phase",
            "''",
            PHASES,
        ),
    ),
    (
        "phase in capitals",
        {"phase": "Failover"},
        refused(
            "phase",
            "'Failover'",
            PHASES,
        ),
    ),
    (
        "failback without a bucket",
        {"phase": "failback-pending", "lostRegion": 1},
        messages.backup_setting_missing(
            setting="bucket", phase="failback-pending", repository_type="s3"
        ),
    ),
    (
        "failback without a folder",
        {"phase": "restored", "lostRegion": 1, "backup": {"type": "fs"}},
        messages.backup_setting_missing(setting="location", phase="restored", repository_type="fs"),
    ),
    (
        "a repository that is only read",
        {"backup": {"settings": {"bucket": "b", "readonly": "true"}}},
        messages.repository_not_writable(key="backup.settings.readonly", shown="'true'"),
    ),
    (
        "a repository by its address",
        {"backup": {"type": "url"}},
        messages.repository_not_writable(key="backup.type", shown="'url'"),
    ),
    (
        "no time to search",
        {"searchSeconds": 0},
        refused("searchSeconds", "0", forms.whole_number_needed(low=1, high=3600)),
    ),
    (
        "days to search",
        {"searchSeconds": 86400},
        refused("searchSeconds", "86400", forms.whole_number_needed(low=1, high=3600)),
    ),
    (
        "storage of another type",
        {"backup": storage() | {"type": "fs"}},
        messages.buckets_need_s3("fs"),
    ),
    (
        "a bucket in two places",
        {"backup": storage() | {"settings": {"bucket": "mine"}}},
        messages.bucket_set_twice("backup.settings.bucket"),
    ),
    (
        "one bucket",
        {"backup": storage(buckets=[{"name": "only-one"}])},
        missing("backup.storage.buckets[1]", forms.required()),
    ),
    (
        "a bucket name that is none",
        {"backup": storage(buckets=[{"name": "Mine"}, {"name": "yours"}])},
        refused("backup.storage.buckets[0].name", "'Mine'", forms.bucket_name_needed()),
    ),
    (
        "one bucket twice",
        {"backup": storage(buckets=[{"name": "mine"}, {"name": "mine"}])},
        messages.bucket_twice("mine"),
    ),
    (
        "both buckets in one AWS region",
        {
            "backup": storage(
                buckets=[{"name": n, "awsRegion": "eu-west-2"} for n in ("aaa", "bbb")]
            )
        },
        messages.bucket_region_twice("eu-west-2"),
    ),
    (
        "a bucket to make without knowing where",
        {"backup": storage(create=True, buckets=[{"name": "mine"}, {"name": "yours"}])},
        messages.aws_region_missing(region=0, setting="backup.storage.create is true"),
    ),
    (
        "keys of AWS for another store",
        {
            "backup": storage(
                access="keys",
                buckets=[{"name": n, "endpoint": "https://store"} for n in ("aaa", "bbb")],
            )
        },
        messages.store_not_on_aws(
            region=0, endpoint="https://store", setting="backup.storage.access is 'keys'"
        ),
    ),
    (
        "a role without an identity provider",
        {"backup": storage(access="role")},
        messages.oidc_provider_missing(0),
    ),
    (
        "an identity provider that is none",
        {"backup": storage(buckets=[{"name": "aaa", "oidcProviderArn": "x"}, {"name": "bbb"}])},
        refused("backup.storage.buckets[0].oidcProviderArn", "'x'", forms.oidc_provider_needed()),
    ),
    (
        "unknown access",
        {"backup": storage(access="root")},
        refused(
            "backup.storage.access", "'root'", forms.word_needed(allowed="'own', 'keys' or 'role'")
        ),
    ),
    (
        "one key from two places",
        {
            "backup": storage(access="keys"),
            "elasticsearchSecret": {"name": "env", "data": {"S3_SECRET_KEY": "hush"}},
        },
        messages.key_from_two_places("S3_SECRET_KEY"),
    ),
    ("lostRegion missing", {"phase": "failover"}, messages.lost_region_missing("failover")),
    (
        "lostRegion 2",
        {"phase": "failover", "lostRegion": 2},
        refused("lostRegion", "2", forms.lost_region_id_needed()),
    ),
    (
        "lostRegion -1",
        {"phase": "failover", "lostRegion": -1},
        refused("lostRegion", "-1", forms.lost_region_id_needed()),
    ),
    (
        "lostRegion by name",
        {"phase": "failover", "lostRegion": "paris"},
        refused("lostRegion", "'paris'", forms.lost_region_id_needed()),
    ),
    (
        "lostRegion a boolean",
        {"phase": "failover", "lostRegion": True},
        refused("lostRegion", "True", forms.lost_region_id_needed()),
    ),
    (
        "lostRegion 2 in phase normal",
        {"lostRegion": 2},
        refused("lostRegion", "2", forms.lost_region_id_needed()),
    ),
    (
        "region missing",
        {"region": None},
        missing("region", forms.region_id_needed()),
    ),
    ("region 2", {"region": 2}, refused("region", "2", forms.region_id_needed())),
    (
        "region a boolean",
        {"region": False},
        refused("region", "False", forms.region_id_needed()),
    ),
    (
        "odd cluster size",
        {"clusterSize": 5},
        refused("clusterSize", "5", SIZES),
    ),
    (
        "cluster size 2",
        {"clusterSize": 2},
        refused("clusterSize", "2", SIZES),
    ),
    (
        "cluster size 0",
        {"clusterSize": 0},
        refused("clusterSize", "0", SIZES),
    ),
    (
        "negative cluster size",
        {"clusterSize": -4},
        refused("clusterSize", "-4", SIZES),
    ),
    (
        "cluster size a word",
        {"clusterSize": "eight"},
        refused("clusterSize", "'eight'", SIZES),
    ),
    (
        "cluster size a fraction",
        {"clusterSize": 8.5},
        refused("clusterSize", "8.5", SIZES),
    ),
    (
        "size without quorum after failover",
        {"clusterSize": 6, "partitionCount": 6},
        refused("clusterSize", "6", SIZES),
    ),
    (
        "size whose failback could never end",
        {"clusterSize": 6, "partitionCount": 1, "replicationFactor": 6},
        refused("clusterSize", "6", SIZES),
    ),
    (
        "no address ranges, and no other isolation",
        {"isolation": None},
        messages.isolation_missing(0),
    ),
    (
        "address ranges of one region only",
        {"isolation": None, "regions": [region(0, podCidrs=["10.180.0.0/16"]), region(1)]},
        messages.isolation_missing(1),
    ),
    *(
        (
            f"chart version {version}",
            {"chart": {"name": "camunda-platform", "version": version}},
            refused("chart.version", repr(version), forms.chart_version_needed()),
        )
        for version in ("10", "^10.11.3", "10.x", ">=10.0.0 <11", "latest")
    ),
    (
        "no chart version",
        {"chart": {"name": "camunda-platform", "version": ""}},
        missing("chart.version", forms.chart_version_needed()),
    ),
    (
        "isolation misspelt",
        {"isolation": "mine"},
        refused("isolation", "'mine'", forms.word_needed(allowed="'policies' or 'own'")),
    ),
    *(
        (
            f"release {name}",
            {"release": name},
            refused("release", repr(name), forms.release_name_without_component_needed(component)),
        )
        for name, component in (
            ("elasticsearch-c8", "elasticsearch"),
            ("camunda-operate", "operate"),
            ("my-tasklist", "tasklist"),
            ("zeebe-gateway", "zeebe-gateway"),
        )
    ),
    (
        "replication without quorum after failover",
        {"replicationFactor": 2},
        messages.quorum_not_restored(
            cluster_size=8,
            replication_factor=2,
            region=0,
            brokers=(0, 1, 3, 4, 5, 7),
            partitions=(2, 3, 6, 7),
        ),
    ),
    (
        "no replicas",
        {"replicationFactor": 0},
        refused("replicationFactor", "0", forms.whole_number_needed(low=1, high=64)),
    ),
    (
        "more replicas than brokers",
        {"replicationFactor": 9},
        messages.more_replicas_than_brokers(replication_factor=9, cluster_size=8),
    ),
    (
        "no partitions",
        {"partitionCount": 0},
        refused("partitionCount", "0", forms.whole_number_needed(low=1, high=8192)),
    ),
    (
        "equal namespaces",
        {"regions": [region(0), region(1, namespace="camunda-london")]},
        messages.value_twice(
            key="regions[1].namespace", value="camunda-london", other="regions[0].namespace"
        ),
    ),
    (
        "failover namespace equal to the own one",
        {"regions": [region(0, failoverNamespace="camunda-london"), region(1)]},
        messages.value_twice(
            key="regions[0].failoverNamespace", value="camunda-london", other="regions[0].namespace"
        ),
    ),
    (
        "equal failover namespaces",
        {"regions": [region(0, failoverNamespace="f"), region(1, failoverNamespace="f")]},
        messages.value_twice(
            key="regions[1].failoverNamespace", value="f", other="regions[0].failoverNamespace"
        ),
    ),
    (
        "default failover namespace equal to the other region's",
        {
            "regions": [
                region(0, namespace="camunda", failoverNamespace=None),
                region(1, namespace="camunda-failover"),
            ]
        },
        messages.value_twice(
            key="regions[1].namespace",
            value="camunda-failover",
            other="regions[0].failoverNamespace",
        ),
    ),
    (
        "equal contexts",
        {"regions": [region(0), region(1, kubeContext="cluster-london")]},
        messages.value_twice(
            key="regions[1].kubeContext", value="cluster-london", other="regions[0].kubeContext"
        ),
    ),
    (
        "no regions",
        {"regions": None},
        missing("regions", forms.two_regions_needed()),
    ),
    (
        "one region",
        {"regions": [region(0)]},
        missing("regions[1]", forms.two_regions_needed()),
    ),
    (
        "three regions",
        {"regions": [region(0), region(1), region(1)]},
        refused("regions", "a list", forms.two_regions_needed()),
    ),
    (
        "regions a map",
        {"regions": {"london": region(0)}},
        refused("regions", "a map", forms.two_regions_needed()),
    ),
    (
        "region without namespace",
        {"regions": [region(0), {"name": "paris", "kubeContext": "cluster-paris"}]},
        missing("regions[1].namespace", forms.required()),
    ),
    (
        "a list of the stack's own, as --path makes one",
        {"regions": [{"podCidrs": ["10.180.0.0/16"]}]},
        messages.regions_incomplete(
            ("regions[0].name", "regions[0].kubeContext", "regions[0].namespace", "regions[1]")
        ),
    ),
    (
        "a key of a region outside of it",
        {"podcidrs": ["10.180.0.0/16"]},
        messages.unknown_setting("podcidrs", "regions[0].podCidrs"),
    ),
    (
        "an unknown key that is like none",
        {"colour": "blue"},
        messages.unknown_setting("colour", None),
    ),
    (
        "a key of a Secret that is no text",
        {"elasticsearchSecret": {"name": "s", "data": {"KEY": {"secure": "v1:x"}}}},
        messages.setting_refused("elasticsearchSecret.data.KEY", None, forms.secret_text_needed()),
    ),
    (
        "misspelt key of a region",
        {"regions": [region(0, kubecontext="x"), region(1)]},
        messages.unknown_setting("regions[0].kubecontext", "regions[0].kubeContext"),
    ),
    (
        "namespace that Kubernetes refuses",
        {"regions": [region(0, namespace="Camunda_London"), region(1)]},
        refused("regions[0].namespace", "'Camunda_London'", forms.dns_label_needed()),
    ),
    (
        "release that Kubernetes refuses",
        {"release": "Camunda 8"},
        refused("release", "'Camunda 8'", forms.release_name_needed(most=31)),
    ),
    ("unknown key", {"lostregion": 1}, messages.unknown_setting("lostregion", "lostRegion")),
    (
        "unknown key of the chart",
        {"chart": {"versoin": "10"}},
        messages.unknown_setting("chart.versoin", "chart.version"),
    ),
    (
        "values a text",
        {"values": "my.yaml"},
        refused("values", "'my.yaml'", forms.list_needed(key="values")),
    ),
    (
        "deadline zero",
        {"deadlineSeconds": 0},
        refused("deadlineSeconds", "0", forms.whole_number_needed(low=1, high=604800)),
    ),
    (
        "deadline a word",
        {"deadlineSeconds": "15m"},
        refused("deadlineSeconds", "'15m'", forms.whole_number_needed(low=1, high=604800)),
    ),
    (
        "pod range without mask",
        {"regions": [region(0, podCidrs=["10.0.0.0"]), region(1)]},
        refused("regions[0].podCidrs[0]", "'10.0.0.0'", forms.address_range_needed()),
    ),
    (
        "pod range with an impossible mask",
        {"regions": [region(0, podCidrs=["10.180.0.0/99"]), region(1)]},
        refused("regions[0].podCidrs[0]", "'10.180.0.0/99'", forms.address_range_needed()),
    ),
    (
        "pod range with an impossible address",
        {"regions": [region(0, podCidrs=["10.380.0.0/16"]), region(1)]},
        refused("regions[0].podCidrs[0]", "'10.380.0.0/16'", forms.address_range_needed()),
    ),
    (
        "pod range with host bits",
        {"regions": [region(0, podCidrs=["10.180.0.1/16"]), region(1)]},
        refused(
            "regions[0].podCidrs[0]",
            "'10.180.0.1/16'",
            forms.range_start_needed(meant="10.180.0.0/16"),
        ),
    ),
    (
        "equal pod ranges, the survivor would cut itself off",
        {
            "regions": [
                region(0, podCidrs=["10.180.0.0/16"]),
                region(1, podCidrs=["10.180.0.0/16"]),
            ]
        },
        messages.pod_ranges_overlap(one="10.180.0.0/16", two="10.180.0.0/16"),
    ),
    (
        "overlapping pod ranges, the survivor would cut itself off",
        {
            "regions": [
                region(0, podCidrs=["10.180.0.0/16"]),
                region(1, podCidrs=["10.0.0.0/8"]),
            ]
        },
        messages.pod_ranges_overlap(one="10.180.0.0/16", two="10.0.0.0/8"),
    ),
    (
        "an id that is no network ACL's",
        {"regions": with_acls(ids=["subnet-0a1b2c3d"])},
        refused(
            "regions[0].networkAcls.ids[0]", "'subnet-0a1b2c3d'", forms.network_acl_id_needed()
        ),
    ),
    (
        "an id that is too short",
        {"regions": with_acls(ids=["acl-0abc"])},
        refused("regions[0].networkAcls.ids[0]", "'acl-0abc'", forms.network_acl_id_needed()),
    ),
    (
        "no network ACL at all",
        {"regions": with_acls(ids=[])},
        refused("regions[0].networkAcls.ids", "[]", forms.more_entries_needed(least=1)),
    ),
    (
        "a network ACL twice",
        {"regions": [region(0, podCidrs=["10.180.0.0/16"]), _acl_region(1, ids=[*ACLS[1] * 2])]},
        messages.network_acl_twice(key="regions[1].networkAcls.ids", acl="acl-0fedcba987654321f"),
    ),
    (
        "a network ACL of both regions",
        {"regions": with_acls(ids=ACLS[0])},
        messages.network_acl_of_both_regions("acl-0123456789abcdef0"),
    ),
    (
        "network ACLs in no AWS region",
        {"regions": with_acls(awsRegion="eu-west-2a")},
        refused("regions[0].networkAcls.awsRegion", "'eu-west-2a'", forms.aws_region_needed()),
    ),
    (
        "network ACLs without AWS region",
        {"regions": [region(0), region(1, networkAcls={"ids": ACLS[1]})]},
        missing("regions[1].networkAcls.awsRegion", forms.required()),
    ),
    (
        "nothing to cut in the network ACLs",
        {"regions": [region(0), _acl_region(1)]},
        messages.nothing_to_cut(region=1, peer=0),
    ),
    (
        "everything to cut in the network ACLs",
        {"regions": [region(0, podCidrs=["::/0"]), _acl_region(1)]},
        refused("regions[0].podCidrs[0]", "'::/0'", forms.smaller_range_needed()),
    ),
    *(
        (
            f"a first rule number of {number}",
            {"regions": with_acls(firstRuleNumber=number)},
            refused(
                "regions[0].networkAcls.firstRuleNumber",
                repr(number),
                forms.whole_number_needed(1, 32766),
            ),
        )
        for number in (0, 32767, "ten")
    ),
    (
        "more rules than numbers",
        {"regions": with_acls(firstRuleNumber=32766)},
        messages.rule_numbers_exhausted(region=0, first=32766, last=32767, most=32766),
    ),
    (
        "a chain without an end",
        {"dns": {"chain": True}, "regions": [region(0, dnsAddresses=["10.0.0.1"]), region(1)]},
        messages.dns_addresses_missing(region=1, name="paris"),
    ),
    (
        "a chain that leads back",
        {"regions": [region(each, dnsAddresses=["10.0.0.1"]) for each in (0, 1)]},
        messages.dns_address_twice(one="10.0.0.1", two="10.0.0.1"),
    ),
    (
        "a DNS address that is a name",
        {"regions": [region(0), region(1, dnsAddresses=["dns.example"])]},
        refused("regions[1].dnsAddresses[0]", "'dns.example'", forms.dns_address_needed()),
    ),
    (
        "a DNS address with an impossible port",
        {"regions": [region(0), region(1, dnsAddresses=["10.0.0.1:0"])]},
        refused("regions[1].dnsAddresses[0]", "'10.0.0.1:0'", forms.dns_address_needed()),
    ),
    (
        "more DNS addresses than CoreDNS takes",
        {"regions": [region(0), region(1, dnsAddresses=[f"10.0.0.{n}" for n in range(16)])]},
        refused("regions[1].dnsAddresses", "a list", forms.fewer_entries_needed(most=15)),
    ),
    (
        "a ConfigMap without namespace",
        {"dns": {"configMap": "coredns"}},
        refused("dns.configMap", "'coredns'", forms.config_map_needed()),
    ),
    (
        "a chain that is no boolean",
        {"dns": {"chain": "perhaps"}},
        refused("dns.chain", "'perhaps'", forms.truth_value_needed()),
    ),
]


@pytest.mark.parametrize(
    ("changes", "expected"), [pytest.param(*case[1:], id=case[0]) for case in BAD]
)
def test_bad_input_is_refused_naming_key_value_and_what_is_allowed(
    changes: dict[str, Any], expected: Message
) -> None:
    found = problems(**changes)
    assert expected in found
    assert all(len(problem.splitlines()) == 1 for problem in found)


@pytest.mark.parametrize("named", ["camunda-london-failover", "london", True, ""])
def test_what_retires_nothing_is_refused(named: object) -> None:
    (problem,) = problems(retire=named)
    assert_message(problem, "setting-refused", key="retire")


def test_an_installation_is_retired_by_its_own_namespace() -> None:
    assert settings(retire="camunda-london").is_retired
    assert not settings(region=1, retire="camunda-london").is_retired
    assert not settings().is_retired


def test_all_wrong_values_are_told_at_once() -> None:
    found = problems(phase="failover", lostRegion=7, clusterSize=5, partitionCount=0)
    assert [each.facts["key"] for each in found] == ["lostRegion", "clusterSize", "partitionCount"]


def test_all_contradictions_are_told_at_once() -> None:
    found = problems(phase="failover", replicationFactor=9, retire="mine")
    assert {each.code for each in found} == {
        "lost-region-missing",
        "more-replicas-than-brokers",
        "setting-refused",
    }


def test_all_malformed_values_are_told_at_once() -> None:
    found = problems(phase="x", region=None, release="A b", misspelt=1, deadlineSeconds=-3)
    assert {each.facts["key"] for each in found} == {
        "phase",
        "region",
        "release",
        "misspelt",
        "deadlineSeconds",
    }


def test_the_error_holds_every_problem() -> None:
    with raises("several-problems", ConfigError) as caught:
        Settings.parse(raw(clusterSize=5, partitionCount=0))
    assert caught.value.codes == ("setting-refused", "setting-refused")
    assert_message(caught.value.message, "several-problems", problems=caught.value.problems)


def test_a_refused_size_names_the_brokers_and_partitions_that_are_the_reason() -> None:
    with raises("quorum-not-restored", ConfigError, region=0, brokers=(0, 1, 3), partitions=(2, 3)):
        settings(clusterSize=4, partitionCount=4, replicationFactor=2)


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
        assert complete == (
            refused("clusterSize", repr(size), SIZES) not in _problems_of_size(size)
        )


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
    assert any("elasticsearchSecret" in each.facts["key"] for each in found)
    assert not any("123454321" in f"{each} {each.facts}" for each in found)


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
                    with raises("quorum-not-restored", ConfigError):
                        Settings.parse(config)
                elif any(_risky(size, count, factor, lost) for lost in (0, 1)):
                    with raises("commands-could-be-lost", ConfigError):
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


@pytest.mark.parametrize(
    ("changes", "key", "meant"),
    [
        ({"elasticsearch_secret": "hunter2-XyZ"}, "elasticsearch_secret", "elasticsearchSecret"),
        (
            {"elasticsearch_secret": {"name": "a", "data": {"K": ["hunter2-XyZ"]}}},
            "elasticsearch_secret",
            "elasticsearchSecret",
        ),
        ({"lost_region": 1}, "lost_region", "lostRegion"),
        ({"lost_region": 1, "lostRegion": 1}, "lost_region", "lostRegion"),
        ({"regions": [region(0, pod_cidrs=[]), region(1)]}, "regions[0].pod_cidrs", None),
        (
            {"hooks": {"traffic_reroute": {"url": "https://x/hunter2-XyZ"}}},
            "hooks.traffic_reroute",
            None,
        ),
        ({"dns": {"load_balancer": {"create": True}}}, "dns.load_balancer", None),
        (
            {"backup": {"storage": {"oidc_provider_arn": "x"}}},
            "backup.storage.oidc_provider_arn",
            None,
        ),
    ],
    ids=str,
)
def test_a_key_by_its_name_in_python_is_unknown_and_its_value_not_shown(
    changes: dict[str, Any], key: str, meant: str | None
) -> None:
    found = problems(**changes)
    (told,) = [each for each in found if each.facts["key"] == key]
    assert_message(told, "unknown-setting", key=key)
    assert meant is None or told == messages.unknown_setting(key, meant)
    assert not any("hunter2" in each for each in found)
