"""Whatever a configuration holds, it is taken or refused in sentences that an operator understands.

Each names the key as typed, the value unless it is secret, and what is allowed; pydantic's words are for programmers.
"""

import json
import random
import re
import typing
from typing import Any

import pytest
from pydantic import BaseModel

from dualregion.config.forms import MOST_BROKERS
from dualregion.config.keys import keys_at
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from messages import Message
from messages.config import forms
from messages.config import settings as messages
from sandbox.patience import allowed
from tests.inputs.examples import raw, region, settings, storage, with_acls
from tests.inputs.random_inputs import Seeds, plain, problems_of

PYDANTIC = re.compile(
    r"\b(?:Input should|instance of|valid (?:string|tuple|dictionary|list|integer|boolean)|tuple|dict\b|NoneType|"
    r"Settings\b|pydantic|str\b|int\b|bool\b|Value error|function-|unable to parse|type=|Extra inputs|Field required)"
)
SECRET = "hunter2-XyZ"


def refusal(**changes: Any) -> tuple[Any, ...]:
    """Return the messages by which a configuration is refused."""
    with pytest.raises(ConfigError) as caught:
        settings(**changes)
    assert all(len(each.splitlines()) == 1 for each in caught.value.problems)
    assert not any(PYDANTIC.search(each) for each in caught.value.problems), caught.value.problems
    return caught.value.problems


def both(**changes: Any) -> dict[str, Any]:
    """Return regions of which the second has these keys."""
    return {"regions": [region(0), region(1, **changes)]}


refused, missing = messages.setting_refused, messages.setting_missing
SIZES = forms.cluster_size_needed(MOST_BROKERS)
BAD: list[tuple[str, dict[str, Any], Message]] = [
    (
        "values a text",
        {"values": "camunda.yaml"},
        refused("values", "'camunda.yaml'", forms.list_needed(key="values")),
    ),
    (
        "a chart without a name",
        {"chart": {"name": " "}},
        refused("chart.name", "' '", forms.chart_needed()),
    ),
    (
        "chart a text",
        {"chart": "./c.tgz"},
        refused("chart", "'./c.tgz'", forms.map_needed(keys_at(Settings, ["chart"]))),
    ),
    (
        "a fraction",
        {"backup": {"settings": {"chunk_size": 1.5}}},
        refused("backup.settings.chunk_size", "1.5", forms.scalar_needed()),
    ),
    (
        "a version that is a fraction",
        {"chart": {"version": 10.11}},
        refused("chart.version", "10.11", forms.text_needed()),
    ),
    (
        "a map for a text",
        {"release": {"a": 1}},
        refused("release", "a map", forms.text_needed()),
    ),
    (
        "regions a number",
        {"regions": 2},
        refused("regions", "2", forms.two_regions_needed()),
    ),
    (
        "a region a text",
        {"regions": ["london", region(1)]},
        refused("regions[0]", "'london'", forms.map_needed(keys_at(Settings, ["regions", 0]))),
    ),
    (
        "a boolean that is none",
        {"adopt": "perhaps"},
        refused("adopt", "'perhaps'", forms.truth_value_needed()),
    ),
    (
        "a partition too many",
        {"partitionCount": 100_000_000},
        refused("partitionCount", "100000000", forms.whole_number_needed(low=1, high=8192)),
    ),
    (
        "brokers too many",
        {"clusterSize": 10**12},
        refused("clusterSize", "1000000000000", SIZES),
    ),
    (
        "a number of any length",
        {"clusterSize": "9" * 5000},
        refused(
            "clusterSize",
            "'9999999999999999999999999999999999999999999999999999999999999999999999999999999...",
            SIZES,
        ),
    ),
    (
        "a deadline of years",
        {"deadlineSeconds": 10**9},
        refused("deadlineSeconds", "1000000000", forms.whole_number_needed(low=1, high=604800)),
    ),
    (
        "a hook's deadline",
        {"hooks": {"notify": {"url": f"https://x/{SECRET}", "deadlineSeconds": 10**9}}},
        refused("hooks.notify.deadlineSeconds", None, forms.whole_number_needed(low=1, high=86400)),
    ),
    (
        "a netmask",
        both(podCidrs=["10.181.0.0/255.255.0.0"]),
        refused("regions[1].podCidrs[0]", "'10.181.0.0/255.255.0.0'", forms.address_range_needed()),
    ),
    (
        "a host mask",
        both(podCidrs=["10.181.0.0/0.0.255.255"]),
        refused("regions[1].podCidrs[0]", "'10.181.0.0/0.0.255.255'", forms.address_range_needed()),
    ),
    (
        "host bits",
        both(podCidrs=["10.181.0.1/16"]),
        refused(
            "regions[1].podCidrs[0]",
            "'10.181.0.1/16'",
            forms.range_start_needed(meant="10.181.0.0/16"),
        ),
    ),
    (
        "IPv4 in IPv6",
        both(podCidrs=["::ffff:10.0.0.0/104"]),
        refused("regions[1].podCidrs[0]", "'::ffff:10.0.0.0/104'", forms.ipv4_range_needed()),
    ),
    (
        "a zone of a link",
        both(podCidrs=["fe80::%eth0/64"]),
        refused("regions[1].podCidrs[0]", "'fe80::%eth0/64'", forms.address_range_needed()),
    ),
    (
        "a leading zero",
        both(podCidrs=["10.181.0.0/016"]),
        refused("regions[1].podCidrs[0]", "'10.181.0.0/016'", forms.address_range_needed()),
    ),
    (
        "everything",
        both(podCidrs=["0.0.0.0/0"]),
        refused("regions[1].podCidrs[0]", "'0.0.0.0/0'", forms.smaller_range_needed()),
    ),
    (
        "a namespace of Kubernetes",
        both(namespace="default"),
        refused("regions[1].namespace", "'default'", forms.own_namespace_needed()),
    ),
    (
        "another one",
        both(namespace="kube-system"),
        refused("regions[1].namespace", "'kube-system'", forms.own_namespace_needed()),
    ),
    (
        "a failover namespace",
        both(failoverNamespace="kube-public"),
        refused("regions[1].failoverNamespace", "'kube-public'", forms.own_namespace_needed()),
    ),
    (
        "a namespace whose failover namespace is too long",
        {"regions": [region(0), region(1, namespace="n" * 55, failoverNamespace=None)]},
        messages.failover_namespace_too_long(
            region=1,
            namespace="nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn-failover",
            most=63,
        ),
    ),
    (
        "a namespace too long",
        both(namespace="n" * 64),
        refused(
            "regions[1].namespace",
            "'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'",
            forms.dns_label_needed(),
        ),
    ),
    (
        "one name twice",
        both(name="london"),
        messages.value_twice(key="regions[1].name", value="london", other="regions[0].name"),
    ),
    (
        "no name",
        both(name=" "),
        refused("regions[1].name", "' '", forms.line_needed()),
    ),
    (
        "a context over lines",
        both(kubeContext="a\nb"),
        refused("regions[1].kubeContext", "'a\\nb'", forms.line_needed()),
    ),
    (
        "a release too long",
        {"release": "r" * 32},
        refused(
            "release", "'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr'", forms.release_name_needed(most=31)
        ),
    ),
    (
        "a release that begins with a digit",
        {"release": "8camunda"},
        refused("release", "'8camunda'", forms.release_name_needed(most=31)),
    ),
    (
        "a release that the chart swallows",
        {"release": "my-elasticsearch"},
        refused(
            "release",
            "'my-elasticsearch'",
            forms.release_name_without_component_needed(component="elasticsearch"),
        ),
    ),
    (
        "a stack of an organization",
        {"peerStack": "acme/project/region1"},
        refused("peerStack", "'acme/project/region1'", forms.stack_name_needed()),
    ),
    (
        "a key of a Secret",
        {"elasticsearchSecret": {"name": "s", "data": {"A B": "x"}}},
        messages.key_refused("elasticsearchSecret.data", forms.data_key_needed()),
    ),
    (
        "one address in two writings",
        {
            "regions": [
                region(0, dnsAddresses=["10.0.0.53"]),
                region(1, dnsAddresses=["10.0.0.53:53"]),
            ]
        },
        messages.dns_address_twice(one="10.0.0.53", two="10.0.0.53:53"),
    ),
    (
        "one in three",
        {
            "regions": [
                region(0, dnsAddresses=["fd00::35"]),
                region(1, dnsAddresses=["[FD00:0:0::0035]:53"]),
            ]
        },
        messages.dns_address_twice(one="fd00::35", two="[FD00:0:0::0035]:53"),
    ),
    (
        "IPv4 as IPv6",
        {
            "regions": [
                region(0, dnsAddresses=["10.0.0.53"]),
                region(1, dnsAddresses=["::ffff:10.0.0.53"]),
            ]
        },
        messages.dns_address_twice(one="10.0.0.53", two="::ffff:10.0.0.53"),
    ),
    (
        "itself",
        both(dnsAddresses=["127.0.0.1"]),
        refused("regions[1].dnsAddresses[0]", "'127.0.0.1'", forms.reachable_address_needed()),
    ),
    (
        "nowhere",
        both(dnsAddresses=["[::]:53"]),
        refused("regions[1].dnsAddresses[0]", "'[::]:53'", forms.reachable_address_needed()),
    ),
    (
        "a port of zeros",
        both(dnsAddresses=["10.0.0.1:053"]),
        refused("regions[1].dnsAddresses[0]", "'10.0.0.1:053'", forms.dns_address_needed()),
    ),
    (
        "no selector",
        {"dns": {"loadBalancer": {"selector": {}}}},
        refused("dns.loadBalancer.selector", "{}", forms.more_entries_needed(least=1)),
    ),
    (
        "no label",
        {"dns": {"loadBalancer": {"selector": {"a": "b c"}}}},
        refused("dns.loadBalancer.selector.a", "'b c'", forms.label_value_needed()),
    ),
    (
        "no annotation",
        {"dns": {"loadBalancer": {"annotations": {"a b": "c"}}}},
        messages.key_refused("dns.loadBalancer.annotations.a b", forms.label_name_needed()),
    ),
    (
        "no key of a ConfigMap",
        {"dns": {"key": "a/b"}},
        refused("dns.key", "'a/b'", forms.data_key_needed()),
    ),
    (
        "DNS in a namespace that goes",
        {
            "dns": {"chain": True, "configMap": "camunda-paris/coredns"},
            "regions": [region(each, dnsAddresses=[f"10.0.{each}.1"]) for each in (0, 1)],
        },
        messages.namespace_is_deleted(key="dns.configMap", namespace="camunda-paris"),
    ),
    (
        "an account in a namespace that goes",
        {"rights": {"subject": "serviceaccount:camunda-london:me"}},
        messages.namespace_is_deleted(key="rights.subject", namespace="camunda-london"),
    ),
    (
        "a repository's name",
        {"backup": {"repository": "a/b"}},
        refused("backup.repository", "'a/b'", forms.repository_name_needed()),
    ),
    (
        "a repository's type",
        {"backup": {"type": "S 3"}},
        refused("backup.type", "'S 3'", forms.repository_type_needed()),
    ),
    (
        "one store in two writings",
        {
            "backup": storage(
                buckets=[
                    {"name": "aaa", "endpoint": e} for e in ("https://store", "HTTPS://Store.:443/")
                ]
            )
        },
        messages.bucket_twice("aaa"),
    ),
    (
        "a bucket like an address",
        {"backup": storage(buckets=[{"name": "10.0.0.1"}, {"name": "bbb"}])},
        refused("backup.storage.buckets[0].name", "'10.0.0.1'", forms.bucket_name_needed()),
    ),
    (
        "an endpoint that is none",
        {"backup": storage(buckets=[{"name": "aaa", "endpoint": "https://a b"}, {"name": "bbb"}])},
        refused(
            "backup.storage.buckets[0].endpoint", "'https://a b'", forms.store_address_needed()
        ),
    ),
    (
        "a kubeconfig's content",
        {"kubeconfig": f"apiVersion: v1\nusers: [{{user: {{token: {SECRET}}}}}]"},
        refused("kubeconfig", None, forms.file_path_needed()),
    ),
    (
        "the same in JSON",
        {"kubeconfig": f'{{"token": "{SECRET}"}}'},
        refused("kubeconfig", None, forms.file_path_needed()),
    ),
]


@pytest.mark.parametrize(
    ("changes", "expected"), [pytest.param(*case[1:], id=case[0]) for case in BAD]
)
def test_what_is_refused_is_told_in_the_operators_words(
    changes: dict[str, Any], expected: Message
) -> None:
    found = refusal(**changes)
    assert expected in found
    assert SECRET not in "".join(f"{each} {each.facts}" for each in found)


def configuration(**texts: str) -> Settings:
    """Return settings as Pulumi keeps them."""
    plain_texts = {
        "region": "0",
        "regions": json.dumps([region(0), region(1)]),
        "isolation": "own",
    }
    return Settings.of_configuration(plain_texts | texts, "/project")


def test_what_pulumi_makes_numbers_of_stays_a_text() -> None:
    assert configuration(peerStack="2024").peer_stack_name == "2024"
    assert configuration(peerStack="1e3").peer_stack_name == "1e3"
    assert (
        settings(regions=[region(0, name=1), region(1, namespace=2024)]).regions[1].namespace
        == "2024"
    )
    found = settings(elasticsearchSecret={"name": "s", "data": {"K": 12345, "L": True}})
    assert found.elasticsearch_secret is not None
    assert found.elasticsearch_secret.plain() == {"K": "12345", "L": "true"}


def test_an_empty_text_stands_for_none() -> None:
    found = settings(kubeconfig="", peerStack="", chart={"name": "repo/c", "repository": ""})
    assert (found.kubeconfig, found.peer_stack_name) == (None, "region1")
    assert found.chart.repository is None
    assert settings(regions=[region(0, failoverNamespace=""), region(1)]).own.failover == (
        "camunda-london-failover"
    )


def test_a_path_is_read_once_for_all_who_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert configuration(kubeconfig="~/kc").kubeconfig == "/home/me/kc"
    assert configuration(kubeconfig="kc").kubeconfig == "/project/kc"
    assert configuration(kubeconfig="/kc").kubeconfig == "/kc"
    assert configuration().kubeconfig is None
    assert settings(values=["~/v.yaml"]).values == ("/home/me/v.yaml",)
    assert settings(chart={"name": "~/c.tgz"}).chart.is_path


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("release", f"{SECRET} x"),
        ("regions", f'["{SECRET}", "{SECRET}"]'),
        (
            "regions",
            f'[{{"name": "{SECRET}", "kubeContext": "a", "namespace": "b"}}, {{"name": "{SECRET}", "kubeContext": "c", "namespace": "d"}}]',
        ),
        ("backup", f'{{"type": "{SECRET}"}}'),
        ("rights", f'{{"subject": "group:{SECRET}", "peerSubject": "group:{SECRET}"}}'),
    ],
)
def test_what_pulumi_keeps_as_a_secret_is_not_shown(key: str, text: str) -> None:
    texts = {"region": "0", "regions": json.dumps([region(0), region(1)])}
    found = problems_of(Settings.of_configuration, texts | {key: text}, None, [key])
    assert found
    assert SECRET not in "".join(f"{each} {each.facts}" for each in found)


@pytest.mark.timeout(allowed(60))
@pytest.mark.parametrize("size", [4, 256, 512])
def test_the_largest_cluster_is_judged_at_once(size: int) -> None:
    """Sizes without bounds took longer than anybody waits."""
    for factor in (1, 4, 64, size):
        changes = {"clusterSize": size, "partitionCount": 8192, "replicationFactor": factor}
        found = problems_of(Settings.parse, raw(**changes))
        assert (found == ()) == (factor == 4), found


def keys_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return every key of a section, as it is typed."""
    found = []
    for name, each in model.model_fields.items():
        key = prefix + (each.alias or name)
        found.append(key)
        for inner in _models(each.annotation):
            found += keys_of(inner, f"{key}.")
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for each in typing.get_args(annotation) for found in _models(each)]


KEYS = keys_of(Settings)
TOP = {key for key in KEYS if "." not in key}


def test_every_key_is_tried() -> None:
    assert {"values", "regions.podCidrs", "hooks.notify.url", "backup.storage.buckets.name"} <= set(
        KEYS
    )


def _put(document: Any, path: list[str], value: Any) -> None:
    """Set a key of a configuration, in the second entry of a list."""
    for key in path[:-1]:
        document = document.setdefault(key, {})
        if isinstance(document, list) and document:
            document = document[-1]
        if not isinstance(document, dict):
            return
    document[path[-1]] = value


def test_random_configurations_are_taken_or_refused_in_words(seeds: Seeds) -> None:
    """A value of any type at any key: no crash, and each sentence names a key of the configuration."""
    words = ("true", "08", "1e3", "http://x", "a,b", "[]", "üü", "10.0.0.1", "..", "-")
    for source in seeds(800):
        document = _usable(source)
        for key in source.sample(KEYS, source.randrange(1, 4)):
            value = source.choice((plain(source), plain(source), source.choice(words)))
            if key.startswith(("elasticsearchSecret", "hooks")) and isinstance(value, str):
                value = SECRET
            _put(document, key.split("."), value)
        problems = problems_of(Settings.parse, document)
        for problem in problems:
            assert not PYDANTIC.search(_without_values(problem)), problem
            assert len(problem.splitlines()) == 1, problem
            assert SECRET not in f"{problem} {problem.facts}", problem
            assert len(problem) < 1000, problem
            assert re.split(r"[.\[]", problem.facts.get("key", "region"))[0] in TOP, problem


def _without_values(problem: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", problem)


def _usable(source: random.Random) -> dict[str, Any]:
    """Return a usable configuration with everything that has a section of its own."""
    return raw(
        regions=source.choice((with_acls(), [region(0), region(1)])),
        backup=source.choice((storage(), {"settings": {"bucket": "mine"}})),
        phase=source.choice(("normal", "failover", "failback-pending")),
        lostRegion=source.choice((0, 1)),
        hooks=source.choice(({}, {"notify": {"url": "https://x"}})),
    )
