"""The JSON schemas for editors: they are the models', take what is shipped, and refuse what is broken."""

from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
import yaml

from dualregion.config import schema
from dualregion.config.settings import Settings
from tests.checkout import CHECKOUT
from tests.inputs.examples import acls, raw, region, storage, with_acls
from tools import config_schemas

STACK = jsonschema.Draft7Validator(schema.of_stack())
PROJECT = jsonschema.Draft7Validator(schema.of_project())
SECURE = {"secure": "v1:abc"}
WHOLE = raw(
    regions=with_acls(),
    backup=storage(create=True, access="keys"),
    chart={"name": "./chart", "digest": "0" * 64, "accept": ["probe"]},
    clusterSize="8",
    kubeconfig=True,
    dns={"chain": True, "loadBalancer": {"create": False}},
    elasticsearchSecret={"name": "keys", "data": {"S3_ACCESS_KEY": SECURE}},
    hooks={"notify": {"url": SECURE, "deadlineSeconds": 5}, "trafficReroute": {"command": ["a"]}},
    rights={"subject": "group:operators", "extra": ["jobs.batch"]},
    allowChanges=["values"],
    phase="failover",
    lostRegion=1,
)
"""A configuration with all kinds of values."""


def stack(**changes: Any) -> dict[str, Any]:
    """Return a stack's file with these settings, and one of another namespace."""
    config = {f"camunda-dual-region:{key}": value for key, value in (WHOLE | changes).items()}
    return {"secretsprovider": "passphrase", "config": config | {"aws:profile": "mine"}}


def project(**changes: Any) -> dict[str, Any]:
    """Return a Pulumi.yaml that declares these settings."""
    config = {key: {"type": "object", "default": value} for key, value in (WHOLE | changes).items()}
    return {"name": "mine", "runtime": "python", "config": config | {"aws:profile": "mine"}}


def test_they_are_published_as_they_are() -> None:
    for file, text in config_schemas.documents().items():
        assert file.read_text() == text, "run `python -m tools.config_schemas`"


@pytest.mark.parametrize("validator", [STACK, PROJECT])
def test_they_are_schemas(validator: jsonschema.Draft7Validator) -> None:
    validator.check_schema(validator.schema)


def test_what_is_shipped_is_taken() -> None:
    PROJECT.validate(yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text()))
    for index in (0, 1):
        STACK.validate(yaml.safe_load((CHECKOUT / f"Pulumi.region{index}.yaml").read_text()))


def test_a_configuration_with_everything_is_taken() -> None:
    STACK.validate(stack())
    STACK.validate(stack(elasticsearchSecret=SECURE))
    STACK.validate({"config": None})
    PROJECT.validate(project())
    PROJECT.validate({"name": "mine", "runtime": "python", "config": {"phase": "normal"}})


BROKEN: list[Mapping[str, Any]] = [
    {"lostregion": 1},
    {"phase": "failed-over"},
    {"region": 2},
    {"region": "one"},
    {"clusterSize": 2},
    {"clusterSize": 8.5},
    {"regions": [region(0)]},
    {"regions": [region(0), region(1), region(1)]},
    {"regions": [region(0), {"name": "paris"}]},
    {"regions": [region(0), region(1, podcidrs=["10.0.0.0/8"])]},
    {"regions": [region(0), region(1, namespace="Camunda")]},
    {"regions": [region(0), region(1, podCidrs="10.0.0.0/8")]},
    {"regions": [region(0), region(1, networkAcls=acls(0, ids=[]))]},
    {"values": "camunda.yaml"},
    {"backup": "my-bucket"},
    {"backup": {"storage": {"buckets": []}}},
    {"chart": {"accept": ["everything"]}},
    {"dns": {"chain": "perhaps"}},
    {"hooks": {"notify": {"deadlineSeconds": 0}}},
    {"allowChanges": ["all"]},
    {"acceptLoss": "all of it"},
]


@pytest.mark.parametrize("change", BROKEN, ids=str)
def test_what_is_broken_is_refused(change: Mapping[str, Any]) -> None:
    assert not STACK.is_valid(stack(**change))
    assert not PROJECT.is_valid(project(**change))


@pytest.mark.parametrize("change", BROKEN, ids=str)
def test_what_a_schema_refuses_the_program_refuses(change: Mapping[str, Any]) -> None:
    """An editor that marks what works would be wrong."""
    with pytest.raises(Exception):  # noqa: B017, PT011
        Settings.parse(raw(regions=with_acls(), **change))


def test_every_setting_tells_what_it_means() -> None:
    found = schema.of_stack()["$defs"]
    keys = {str(each.alias) for each in Settings.model_fields.values()}
    assert {key for key in keys if not found[key].get("description")} == set()
    assert found["RegionSettings"]["properties"]["podCidrs"]["description"]
