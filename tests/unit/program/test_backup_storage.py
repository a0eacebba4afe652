"""The backup buckets on AWS: what the engine is asked for, and what it must never be asked for.

A public bucket, a right too many or a key in plain text is not seen until it is too late, so each
rule is held over everything that is declared, and each is shown to find what it is there for.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from components.region import Region, RegionArgs
from dualregion.config.settings import Settings
from dualregion.iam import access_policy, role_arn, tls_only_policy, trust_policy, with_role
from dualregion.observed.search_engine.repositories import Repository
from messages.steps.components import aws_package_missing
from steps.search_engine import engines
from tests.checkout import CHECKOUT
from tests.fakes.pulumi_engine import (
    PROJECT,
    SECRETS,
    Engine,
    Recorder,
    Registered,
    declared,
    of_type,
    run,
    site_of,
)
from tests.inputs.examples import OIDC_PROVIDER, failover, settings, storage, with_roles
from tests.raising import raises
from tests.unit.program.storage_rules import violations

KEY_ID, KEY = "AKIDEXAMPLE", "the-users-own-secret"
BUCKET_PARTS = {
    "Bucket",
    "BucketPublicAccessBlock",
    "BucketServerSideEncryptionConfiguration",
    "BucketVersioning",
    "BucketPolicy",
    "BucketLifecycleConfiguration",
}


@dataclass
class Aws(Engine):
    """An engine on which IAM hands out an access key."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        identity, outputs = super().new_resource(args)
        if args.typ.endswith(":AccessKey"):
            return KEY_ID, outputs | {"secret": KEY}
        return identity, outputs


def asked_for(found: Settings) -> Recorder:
    name = f"region{found.region}"
    return run(lambda: Region(name, RegionArgs(site_of(found), PROJECT)), Aws())[1]


def on_aws(recorder: Recorder) -> dict[str, Registered]:
    """Return what is asked for on AWS, by kind."""
    return {
        each.type.rpartition(":")[2]: each
        for each in recorder.found.values()
        if each.type.startswith("aws:")
    }


@pytest.fixture(scope="module", params=[(0, 1), (1, 0)], ids=["region 1 lost", "region 0 lost"])
def made(request: pytest.FixtureRequest) -> tuple[Settings, Recorder]:
    """A survivor whose bucket and keys are made by its stack."""
    region, lost = request.param
    found = failover(region, lost=lost, backup=storage(create=True, access="keys"))
    return found, asked_for(found)


@pytest.mark.parametrize(
    "backup",
    [
        pytest.param({}, id="no storage"),
        pytest.param({"settings": {"bucket": "mine"}}, id="one bucket of the operator's"),
        pytest.param({"type": "fs", "settings": {"location": "/backup"}}, id="a folder"),
        pytest.param(storage(), id="two buckets of the operator's"),
    ],
)
def test_nothing_is_made_on_aws_unless_it_is_asked_for(backup: dict[str, Any]) -> None:
    found = failover(0, lost=1, backup=backup)
    recorder = declared(site_of(found))
    assert on_aws(recorder) == {}
    assert of_type(recorder, SECRETS) == {}


def test_the_aws_package_is_not_even_read_unless_it_is_asked_for() -> None:
    """It is large, and everybody waits for a preview."""
    program = (
        "import sys, components.region, components.outputs\n"
        "from tests.fakes.pulumi_engine import declared, site_of\n"
        "from tests.inputs.examples import settings\n"
        "declared(site_of(settings()))\n"
        "sys.exit('pulumi_aws' in sys.modules)\n"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, check=False).returncode == 0
    )


def test_without_the_aws_package_the_operator_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pulumi_aws", None)
    monkeypatch.delitem(sys.modules, "components.aws.backup_storage", raising=False)
    missing = aws_package_missing(["backup.storage"], "pulumi_aws")
    with raises("nothing-was-changed", pulumi.RunError, problems=[missing]):
        asked_for(settings(backup=storage(create=True)))


def test_each_stack_makes_its_own_regions_bucket_there(made: tuple[Settings, Recorder]) -> None:
    found, recorder = made
    asked = on_aws(recorder)
    assert asked.keys() == {*BUCKET_PARTS, "User", "UserPolicy", "AccessKey"}
    name = ("acme-camunda-london", "acme-camunda-paris")[found.region]
    assert {asked[part].inputs["bucket"] for part in BUCKET_PARTS} == {name}
    provider = recorder.found[f"aws::region{found.region}-backup"]
    assert provider.inputs["region"] == ("eu-west-2", "eu-west-3")[found.region]
    assert {each.provider for each in asked.values()} == {f"aws::{provider.name}"}


def test_the_bucket_is_private_encrypted_and_versioned(made: tuple[Settings, Recorder]) -> None:
    asked = on_aws(made[1])
    assert asked["BucketPublicAccessBlock"].inputs | {"bucket": ""} == {
        "bucket": "",
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    (rule,) = asked["BucketServerSideEncryptionConfiguration"].inputs["rules"]
    assert rule == {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
    versioning = asked["BucketVersioning"].inputs["versioningConfiguration"]
    assert versioning == {"status": "Enabled"}


def test_what_the_search_engine_has_not_deleted_never_expires(
    made: tuple[Settings, Recorder],
) -> None:
    """An old object may belong to the newest snapshot: only the search engine knows."""
    asked = on_aws(made[1])["BucketLifecycleConfiguration"]
    (rule,) = asked.inputs["rules"]
    assert rule["expiration"] == {"expiredObjectDeleteMarker": True}
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert "transitions" not in rule
    assert any(each.startswith("BucketVersioning::") for each in asked.depends_on)


def test_a_bucket_outlives_its_declaration_with_all_that_protects_it_and_a_key_does_not(
    made: tuple[Settings, Recorder],
) -> None:
    kept = {kind for kind, each in on_aws(made[1]).items() if each.retained}
    assert kept == BUCKET_PARTS


def test_the_bucket_is_not_reached_without_tls() -> None:
    found = settings(backup=storage()).backup.storage
    assert found is not None
    (statement,) = tls_only_policy(found.buckets[0])["Statement"]
    assert statement == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::acme-camunda-london", "arn:aws:s3:::acme-camunda-london/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def policy_of(found: Settings) -> dict[str, list[str]]:
    """Return the allowed actions by resource."""
    assert found.backup.storage is not None
    document = access_policy(found, found.backup.storage)
    assert {each["Effect"] for each in document["Statement"]} == {"Allow"}
    return {each["Resource"]: sorted(each["Action"]) for each in document["Statement"]}


def test_a_search_engine_writes_its_own_bucket_and_only_reads_the_other_one() -> None:
    assert policy_of(settings(region=1, backup=storage())) == {
        "arn:aws:s3:::acme-camunda-paris": [
            "s3:GetBucketLocation",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
        ],
        "arn:aws:s3:::acme-camunda-paris/backups/*": [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ],
        "arn:aws:s3:::acme-camunda-london": ["s3:GetBucketLocation", "s3:ListBucket"],
        "arn:aws:s3:::acme-camunda-london/backups/*": ["s3:GetObject"],
    }


@pytest.mark.parametrize(
    ("base_path", "objects"),
    [("a/b", "a/b/*"), ("/a/", "a/*"), ("", "*")],
    ids=["deeper", "with slashes", "the whole bucket"],
)
def test_the_rights_follow_the_base_path(base_path: str, objects: str) -> None:
    backup = storage() | {"settings": {"base_path": base_path}}
    assert f"arn:aws:s3:::acme-camunda-london/{objects}" in policy_of(settings(backup=backup))


@pytest.mark.parametrize(
    ("aws_region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_rights_name_the_partition_that_the_bucket_is_in(
    aws_region: str, partition: str
) -> None:
    buckets = [{"name": "first-bucket", "awsRegion": aws_region}, {"name": "second-bucket"}]
    assert f"arn:{partition}:s3:::first-bucket" in policy_of(
        settings(backup=storage(buckets=buckets))
    )


def test_the_user_gets_just_that_policy(made: tuple[Settings, Recorder]) -> None:
    found, recorder = made
    asked = on_aws(recorder)
    assert found.backup.storage is not None
    document = json.loads(asked["UserPolicy"].inputs["policy"])
    assert document == access_policy(found, found.backup.storage)
    assert asked["UserPolicy"].inputs["user"] == asked["User"].inputs["name"]


def test_the_keys_are_in_every_namespace_and_secret_to_the_engine(
    made: tuple[Settings, Recorder],
) -> None:
    recorder = made[1]
    secrets = of_type(recorder, SECRETS)
    assert secrets.keys() == {"normal-namespace", "failover-namespace"}
    for secret in secrets.values():
        assert secret.inputs["metadata"]["name"] == "elasticsearch-env-secret"
        data = secret.inputs["stringData"]
        assert rpc.is_rpc_secret(data)
        assert rpc.unwrap_rpc_secret(data) == {"S3_ACCESS_KEY": KEY_ID, "S3_SECRET_KEY": KEY}
    assert "secret" in on_aws(recorder)["AccessKey"].secret_outputs


def test_what_else_the_search_engine_is_given_stays_beside_the_keys() -> None:
    given = {"name": "search-env", "data": {"ELASTIC_PASSWORD": "hush"}}
    recorder = asked_for(settings(backup=storage(access="keys"), elasticsearchSecret=given))
    (secret,) = of_type(recorder, SECRETS).values()
    assert secret.inputs["metadata"]["name"] == "search-env"
    assert rpc.unwrap_rpc_secret(secret.inputs["stringData"]) == {
        "ELASTIC_PASSWORD": "hush",
        "S3_ACCESS_KEY": KEY_ID,
        "S3_SECRET_KEY": KEY,
    }


def test_a_lost_regions_stack_keeps_bucket_and_keys_though_it_declares_nothing_else() -> None:
    found = failover(1, lost=1, backup=storage(create=True, access="keys"))
    recorder = asked_for(found)
    assert on_aws(recorder).keys() == {*BUCKET_PARTS, "User", "UserPolicy", "AccessKey"}
    assert of_type(recorder, SECRETS) == {}


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"create": True}, BUCKET_PARTS),
        ({"access": "keys"}, {"User", "UserPolicy", "AccessKey"}),
        ({"access": "role", "buckets": with_roles()}, {"Role", "RolePolicy"}),
    ],
    ids=["a bucket only", "keys for a bucket that exists", "a role for a bucket that exists"],
)
def test_each_part_is_optional(changes: dict[str, Any], kinds: set[str]) -> None:
    recorder = asked_for(settings(backup=storage(**changes)))
    assert on_aws(recorder).keys() == kinds
    assert violations(recorder.found.values()) == []


def test_a_role_is_for_the_search_engines_service_account_alone() -> None:
    found = settings(backup=storage(access="role", buckets=with_roles()))
    asked = on_aws(asked_for(found))
    assert found.backup.storage is not None
    document = json.loads(asked["Role"].inputs["assumeRolePolicy"])
    assert document == trust_policy(found, found.backup.storage)
    (statement,) = document["Statement"]
    issuer = f"{OIDC_PROVIDER.partition('oidc-provider/')[2]}/eu-west-2"
    assert statement["Principal"] == {"Federated": f"{OIDC_PROVIDER}/eu-west-2"}
    assert statement["Condition"]["StringEquals"] == {
        f"{issuer}:aud": "sts.amazonaws.com",
        f"{issuer}:sub": [
            "system:serviceaccount:camunda-london:elasticsearch-snapshots",
            "system:serviceaccount:camunda-london-failover:elasticsearch-snapshots",
        ],
    }


def test_with_a_role_the_search_engine_runs_as_its_service_account_and_wants_no_keys() -> None:
    found = settings(backup=storage(access="role", buckets=with_roles()))
    base = {
        "elasticsearch": {
            "extraEnvVarsSecret": "elasticsearch-env-secret",
            "initScripts": {"init-keystore.sh": "wants keys", "mine.sh": "kept"},
            "master": {"replicaCount": 2},
        }
    }
    engine = with_role(base, found)["elasticsearch"]
    assert found.backup.storage is not None
    arn = role_arn(found, found.backup.storage)
    assert arn == "arn:aws:iam::123456789012:role/acme-camunda-london"
    assert engine["master"] == {
        "replicaCount": 2,
        "serviceAccount": {
            "create": True,
            "name": "elasticsearch-snapshots",
            "annotations": {"eks.amazonaws.com/role-arn": arn},
        },
    }
    assert engine["extraEnvVarsSecret"] == ""
    assert engine["initScripts"]["mine.sh"] == "kept"
    assert "aws-web-identity-token-file" in engine["initScripts"]["init-keystore.sh"]
    assert asked_role_name(found) == arn.rpartition("/")[2]


def asked_role_name(found: Settings) -> str:
    return str(on_aws(asked_for(found))["Role"].inputs["name"])


def test_with_a_role_a_secret_of_the_operators_stays_in_the_values() -> None:
    secret = {"name": "search-env", "data": {"ELASTIC_PASSWORD": "hush"}}
    found = settings(
        backup=storage(access="role", buckets=with_roles()), elasticsearchSecret=secret
    )
    base = {"elasticsearch": {"extraEnvVarsSecret": "search-env"}}
    assert with_role(base, found)["elasticsearch"]["extraEnvVarsSecret"] == "search-env"


@pytest.mark.parametrize("backup", [{}, storage(), storage(create=True, access="keys")])
def test_without_a_role_the_values_stay_as_they_are(backup: dict[str, Any]) -> None:
    base = {"elasticsearch": {"extraEnvVarsSecret": "elasticsearch-env-secret"}}
    assert with_role(base, settings(backup=backup)) == base


def test_the_failback_registers_the_survivors_bucket() -> None:
    backup = storage() | {"repository": "incidents"}
    ctx = site_of(failover(1, lost=0, backup=backup))
    assert engines.repository(ctx) == Repository(
        "incidents",
        "s3",
        {"client": "camunda", "base_path": "backups", "bucket": "acme-camunda-paris"},
    )


def test_everything_that_is_declared_keeps_to_the_rules(made: tuple[Settings, Recorder]) -> None:
    assert violations(made[1].found.values()) == []


def broken(recorder: Recorder, kind: str, **inputs: Any) -> list[str]:
    """Return what the rules find after a change of one kind of resource; None takes an input away."""
    changed = [
        replace(each, inputs={k: v for k, v in (each.inputs | inputs).items() if v is not None})
        if each.type.rpartition(":")[2] == kind
        else each
        for each in recorder.found.values()
    ]
    return violations(changed)


def allowing(**changes: Any) -> str:
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/*"}
    return json.dumps({"Statement": [statement | changes]})


@pytest.mark.parametrize(
    ("kind", "inputs", "found"),
    [
        ("BucketPublicAccessBlock", {"blockPublicPolicy": False}, "is public"),
        ("BucketPublicAccessBlock", {"ignorePublicAcls": None}, "is public"),
        ("BucketPublicAccessBlock", {"bucket": "another-bucket"}, "is public"),
        ("Bucket", {"acl": "public-read"}, "is public"),
        ("BucketPolicy", {"policy": allowing(Principal="*")}, "is public"),
        ("BucketPolicy", {"policy": allowing(Principal={"AWS": "*"})}, "is public"),
        ("BucketPolicy", {"bucket": "another-bucket"}, "without TLS"),
        ("UserPolicy", {"policy": allowing(Action="s3:*")}, "more than named actions"),
        ("UserPolicy", {"policy": allowing(Action=["s3:Get*"])}, "more than named actions"),
        ("UserPolicy", {"policy": allowing(Resource="*")}, "more than named actions"),
        ("Secret", {"stringData": {"S3_SECRET_KEY": KEY}}, "a key in plain text"),
        ("Release", {"values": {"env": [{"S3_ACCESS_KEY": KEY_ID}]}}, "a key in plain text"),
    ],
)
def test_each_rule_finds_what_it_is_there_for(
    made: tuple[Settings, Recorder], kind: str, inputs: dict[str, Any], found: str
) -> None:
    assert [each for each in broken(made[1], kind, **inputs) if found in each]


def test_a_bucket_without_any_block_and_a_key_that_state_shows_are_found(
    made: tuple[Settings, Recorder],
) -> None:
    every = list(made[1].found.values())
    open_one = [each for each in every if not each.type.endswith(":BucketPublicAccessBlock")]
    assert len(violations(open_one)) == 1
    shown = [replace(each, secret_outputs=frozenset()) for each in every]
    assert len(violations(shown)) == 1
