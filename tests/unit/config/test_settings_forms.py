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

from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from sandbox.patience import allowed
from tests.inputs.examples import raw, region, settings, storage, with_acls
from tests.inputs.random_inputs import Seeds, plain, problems_of

PYDANTIC = re.compile(
    r"\b(?:Input should|instance of|valid (?:string|tuple|dictionary|list|integer|boolean)|tuple|dict\b|NoneType|"
    r"Settings\b|pydantic|str\b|int\b|bool\b|Value error|function-|unable to parse|type=|Extra inputs|Field required)"
)
SECRET = "hunter2-XyZ"


def refusal(**changes: Any) -> str:
    """Return the one sentence by which a configuration is refused."""
    with pytest.raises(ConfigError) as caught:
        settings(**changes)
    assert all(len(each.splitlines()) == 1 for each in caught.value.problems)
    assert not any(PYDANTIC.search(each) for each in caught.value.problems), caught.value.problems
    return "\n".join(caught.value.problems)


def both(**changes: Any) -> dict[str, Any]:
    """Return regions of which the second has these keys."""
    return {"regions": [region(0), region(1, **changes)]}


BAD: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    (
        "values a text",
        {"values": "camunda.yaml"},
        ("values is 'camunda.yaml'", "a list is needed", "values[0]"),
    ),
    ("a chart without a name", {"chart": {"name": " "}}, ("chart.name is ' '", "is needed")),
    ("chart a text", {"chart": "./c.tgz"}, ("chart is './c.tgz'", "a map is needed")),
    (
        "a fraction",
        {"backup": {"settings": {"chunk_size": 1.5}}},
        ("backup.settings.chunk_size is 1.5", "in quotes"),
    ),
    (
        "a version that is a fraction",
        {"chart": {"version": 10.11}},
        ("chart.version is 10.11", "in quotes"),
    ),
    ("a map for a text", {"release": {"a": 1}}, ("release is a map", "a text is needed")),
    ("regions a number", {"regions": 2}, ("regions is 2", "two entries")),
    ("a region a text", {"regions": ["london", region(1)]}, ("regions[0] is 'london'", "a map")),
    ("a boolean that is none", {"adopt": "perhaps"}, ("adopt is 'perhaps'", "true or false")),
    (
        "a partition too many",
        {"partitionCount": 100_000_000},
        ("partitionCount is 100000000", "8192"),
    ),
    ("brokers too many", {"clusterSize": 10**12}, ("clusterSize is 1000000000000", "at most 512")),
    (
        "a number of any length",
        {"clusterSize": "9" * 5000},
        ("clusterSize is '999", "divisible by 4"),
    ),
    (
        "a deadline of years",
        {"deadlineSeconds": 10**9},
        ("deadlineSeconds is 1000000000", "to 604800"),
    ),
    (
        "a hook's deadline",
        {"hooks": {"notify": {"url": f"https://x/{SECRET}", "deadlineSeconds": 10**9}}},
        ("hooks.notify.deadlineSeconds is set", "from 1 to 86400"),
    ),
    (
        "a netmask",
        both(podCidrs=["10.181.0.0/255.255.0.0"]),
        ("regions[1].podCidrs[0]", "the length of its mask"),
    ),
    (
        "a host mask",
        both(podCidrs=["10.181.0.0/0.0.255.255"]),
        ("regions[1].podCidrs[0]", "length"),
    ),
    ("host bits", both(podCidrs=["10.181.0.1/16"]), ("regions[1].podCidrs[0]", "host bits")),
    (
        "IPv4 in IPv6",
        both(podCidrs=["::ffff:10.0.0.0/104"]),
        ("regions[1].podCidrs[0]", "its own form"),
    ),
    ("a zone of a link", both(podCidrs=["fe80::%eth0/64"]), ("regions[1].podCidrs[0]",)),
    ("a leading zero", both(podCidrs=["10.181.0.0/016"]), ("regions[1].podCidrs[0]",)),
    ("everything", both(podCidrs=["0.0.0.0/0"]), ("regions[1].podCidrs[0]", "everything")),
    (
        "a namespace of Kubernetes",
        both(namespace="default"),
        ("regions[1].namespace is 'default'", "step R"),
    ),
    ("another one", both(namespace="kube-system"), ("regions[1].namespace", "kube-*")),
    (
        "a failover namespace",
        both(failoverNamespace="kube-public"),
        ("regions[1].failoverNamespace",),
    ),
    (
        "a namespace whose failover namespace is too long",
        {"regions": [region(0), region(1, namespace="n" * 55, failoverNamespace=None)]},
        ("regions[1].failoverNamespace is not set", "64 characters", "at most 63"),
    ),
    ("a namespace too long", both(namespace="n" * 64), ("regions[1].namespace", "1 to 63")),
    ("one name twice", both(name="london"), ("regions[1].name is 'london'", "regions[0].name")),
    ("no name", both(name=" "), ("regions[1].name is ' '", "one line")),
    (
        "a context over lines",
        both(kubeContext="a\nb"),
        ("regions[1].kubeContext is 'a\\nb'", "one line"),
    ),
    ("a release too long", {"release": "r" * 32}, ("release is", "1 to 31")),
    (
        "a release that begins with a digit",
        {"release": "8camunda"},
        ("release is '8camunda'", "a letter first"),
    ),
    (
        "a release that the chart swallows",
        {"release": "my-elasticsearch"},
        ("release", "'elasticsearch'"),
    ),
    (
        "a stack of an organization",
        {"peerStack": "acme/project/region1"},
        ("peerStack", "bare name"),
    ),
    (
        "a key of a Secret",
        {"elasticsearchSecret": {"name": "s", "data": {"A B": "x"}}},
        ("elasticsearchSecret.data",),
    ),
    (
        "one address in two writings",
        {
            "regions": [
                region(0, dnsAddresses=["10.0.0.53"]),
                region(1, dnsAddresses=["10.0.0.53:53"]),
            ]
        },
        ("10.0.0.53 and 10.0.0.53:53", "the same"),
    ),
    (
        "one in three",
        {
            "regions": [
                region(0, dnsAddresses=["fd00::35"]),
                region(1, dnsAddresses=["[FD00:0:0::0035]:53"]),
            ]
        },
        ("the same",),
    ),
    (
        "IPv4 as IPv6",
        {
            "regions": [
                region(0, dnsAddresses=["10.0.0.53"]),
                region(1, dnsAddresses=["::ffff:10.0.0.53"]),
            ]
        },
        ("the same",),
    ),
    ("itself", both(dnsAddresses=["127.0.0.1"]), ("regions[1].dnsAddresses[0]", "to itself")),
    ("nowhere", both(dnsAddresses=["[::]:53"]), ("regions[1].dnsAddresses[0]", "nowhere")),
    ("a port of zeros", both(dnsAddresses=["10.0.0.1:053"]), ("regions[1].dnsAddresses[0]",)),
    (
        "no selector",
        {"dns": {"loadBalancer": {"selector": {}}}},
        ("dns.loadBalancer.selector is {}", "at least 1"),
    ),
    (
        "no label",
        {"dns": {"loadBalancer": {"selector": {"a": "b c"}}}},
        ("dns.loadBalancer.selector.a",),
    ),
    (
        "no annotation",
        {"dns": {"loadBalancer": {"annotations": {"a b": "c"}}}},
        ("dns.loadBalancer.annotations", "key"),
    ),
    ("no key of a ConfigMap", {"dns": {"key": "a/b"}}, ("dns.key is 'a/b'",)),
    (
        "DNS in a namespace that goes",
        {
            "dns": {"chain": True, "configMap": "camunda-paris/coredns"},
            "regions": [region(each, dnsAddresses=[f"10.0.{each}.1"]) for each in (0, 1)],
        },
        ("dns.configMap", "'camunda-paris'", "another namespace"),
    ),
    (
        "an account in a namespace that goes",
        {"rights": {"subject": "serviceaccount:camunda-london:me"}},
        ("rights.subject", "'camunda-london'", "another namespace"),
    ),
    ("a repository's name", {"backup": {"repository": "a/b"}}, ("backup.repository is 'a/b'",)),
    ("a repository's type", {"backup": {"type": "S 3"}}, ("backup.type is 'S 3'", "is needed")),
    (
        "one store in two writings",
        {
            "backup": storage(
                buckets=[
                    {"name": "aaa", "endpoint": e} for e in ("https://store", "HTTPS://Store.:443/")
                ]
            )
        },
        ("buckets[1].name is 'aaa'", "the same as"),
    ),
    (
        "a bucket like an address",
        {"backup": storage(buckets=[{"name": "10.0.0.1"}, {"name": "bbb"}])},
        ("buckets[0].name", "no IP"),
    ),
    (
        "an endpoint that is none",
        {"backup": storage(buckets=[{"name": "aaa", "endpoint": "https://a b"}, {"name": "bbb"}])},
        ("buckets[0].endpoint",),
    ),
    (
        "a kubeconfig's content",
        {"kubeconfig": f"apiVersion: v1\nusers: [{{user: {{token: {SECRET}}}}}]"},
        ("kubeconfig is set", "the path of a file"),
    ),
    (
        "the same in JSON",
        {"kubeconfig": f'{{"token": "{SECRET}"}}'},
        ("kubeconfig is set", "the path of a file"),
    ),
]


@pytest.mark.parametrize(("changes", "told"), [pytest.param(*case[1:], id=case[0]) for case in BAD])
def test_what_is_refused_is_told_in_the_operators_words(
    changes: dict[str, Any], told: tuple[str, ...]
) -> None:
    found = refusal(**changes)
    assert all(each in found for each in told), found
    assert SECRET not in found


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
    with pytest.raises(ConfigError) as caught:
        Settings.of_configuration(texts | {key: text}, secret=[key])
    assert SECRET not in str(caught.value)
    assert key in str(caught.value)


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
            assert SECRET not in problem, problem
            assert len(problem) < 1000, problem
            top = re.match(r"[A-Za-z]+", problem)
            assert top, problem
            assert top[0] in TOP, problem


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
