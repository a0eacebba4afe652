"""What must never be among the resources of a program: rules over what the engine is asked for."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pulumi.runtime import rpc

from dualregion.config.sections.backup import KEY_NAMES
from tests.fakes.pulumi_engine import Registered

BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
DOCUMENTS = ("policy", "assumeRolePolicy")


def violations(resources: Iterable[Registered]) -> list[str]:
    """Return a sentence for each rule that is broken, and by what."""
    asked = list(resources)
    return [
        *(f"{each} is public" for each in _public(asked)),
        *(f"{each} may be reached without TLS" for each in _without_tls(asked)),
        *(f"{each} allows more than named actions" for each in _wildcards(asked)),
        *(f"{each} holds a key in plain text" for each in _plain_keys(asked)),
    ]


def statements(resource: Registered) -> Iterator[dict[str, Any]]:
    """Yield the statements of a resource's policy documents."""
    for name in DOCUMENTS:
        if name in resource.inputs:
            yield from json.loads(resource.inputs[name])["Statement"]


def _buckets(asked: list[Registered]) -> dict[str, Registered]:
    return {each.inputs["bucket"]: each for each in asked if each.type.endswith("s3/bucket:Bucket")}


def _public(asked: list[Registered]) -> Iterator[str]:
    blocked = {
        each.inputs["bucket"]
        for each in asked
        if each.type.endswith(":BucketPublicAccessBlock")
        and all(each.inputs.get(block) is True for block in BLOCKS)
    }
    yield from _buckets(asked).keys() - blocked
    for each in asked:
        if str(each.inputs.get("acl", "private")) != "private":
            yield each.name
        for statement in statements(each):
            if statement["Effect"] == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}):
                yield each.name


def _without_tls(asked: list[Registered]) -> Iterable[str]:
    refusing = {
        each.inputs["bucket"]
        for each in asked
        if each.type.endswith(":BucketPolicy")
        for statement in statements(each)
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    return _buckets(asked).keys() - refusing


def _wildcards(asked: list[Registered]) -> Iterator[str]:
    for each in asked:
        for statement in statements(each):
            actions = statement["Action"]
            named = [actions] if isinstance(actions, str) else actions
            resources = statement.get("Resource", ())
            everything = "*" in ([resources] if isinstance(resources, str) else resources)
            if statement["Effect"] == "Allow" and (everything or any("*" in one for one in named)):
                yield each.name


def _plain_keys(asked: list[Registered]) -> Iterator[str]:
    for each in asked:
        is_key = each.type.endswith(":AccessKey")
        if _names_a_key(each.inputs) or (is_key and "secret" not in each.secret_outputs):
            yield each.name


def _names_a_key(value: Any) -> bool:
    """Whether a key stands anywhere in a value, but for what is secret to the engine."""
    if rpc.is_rpc_secret(value):
        return False
    if isinstance(value, Mapping):
        return bool(value.keys() & set(KEY_NAMES)) or any(map(_names_a_key, value.values()))
    return isinstance(value, list) and any(map(_names_a_key, value))
