"""Who may do what with the backup buckets, and what the search engine's values need for it.

Each region's search engine has an identity of its own, made by its own stack. It may read and write its
region's bucket and read the other one's: in a failback the recreated region restores from the
survivor's bucket, and no key passes from one stack to the other (docs/develop/adr/0003-backup-buckets.md).
"""

from collections.abc import Mapping
from typing import Any

from dualregion import brokers
from dualregion.chart.values import Values, merge
from dualregion.config.sections.backup import Access, BucketSettings, StorageSettings
from dualregion.config.settings import Settings

Document = dict[str, Any]
"""An AWS policy document."""

SERVICE_ACCOUNT = "elasticsearch-snapshots"
"""What the search engine's pods run as, with access `role`."""

_PROVIDER = ":oidc-provider/"
_CONFIG = "/opt/bitnami/elasticsearch/config/repository-s3"
_LINK_TOKEN = f"""\
#!/bin/bash
set -e
# Elasticsearch reads a service account's token only from its own configuration folder.
mkdir -p {_CONFIG}
ln -sf "$AWS_WEB_IDENTITY_TOKEN_FILE" {_CONFIG}/aws-web-identity-token-file
"""


def access_policy(settings: Settings, storage: StorageSettings) -> Document:
    """Return the least rights that this region's search engine needs.

    Source: Elasticsearch, 'S3 repository', recommended permissions. ListBucket has no condition on the
    prefix: with one, S3 answers 403 instead of 404 to a look at a key that is not there.
    """
    base_path = str(settings.backup.complete["base_path"])
    own = storage.buckets[settings.region]
    peer = storage.buckets[brokers.other(settings.region)]
    return _document(
        _allow(_arn(own), "s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"),
        _allow(
            _objects(own, base_path),
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        ),
        _allow(_arn(peer), "s3:ListBucket", "s3:GetBucketLocation"),
        _allow(_objects(peer, base_path), "s3:GetObject"),
    )


def tls_only_policy(bucket: BucketSettings) -> Document:
    """Return the bucket's own policy: nothing is done with it without TLS."""
    return _document(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [_arn(bucket), f"{_arn(bucket)}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def trust_policy(settings: Settings, storage: StorageSettings) -> Document:
    """Return who may take the role: the search engine's service account in this region's namespaces."""
    provider = _oidc_provider(settings, storage)
    issuer = provider.partition(_PROVIDER)[2]
    namespaces = (settings.own.namespace, settings.own.failover)
    accounts = [f"system:serviceaccount:{each}:{SERVICE_ACCOUNT}" for each in namespaces]
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": accounts}
            },
        }
    )


def identity_name(settings: Settings, storage: StorageSettings) -> str:
    """Return the name of this region's IAM user or role: IAM is global, so it is told by the bucket's."""
    return storage.buckets[settings.region].name


def role_arn(settings: Settings, storage: StorageSettings) -> str:
    """Return the role's ARN; it is in the account of the cluster's identity provider."""
    account = _oidc_provider(settings, storage).partition(_PROVIDER)[0]
    return f"{account}:role/{identity_name(settings, storage)}"


def with_role(base: Mapping[str, Any], settings: Settings) -> Values:
    """Return the user's values; with access `role` the search engine runs as the role's service account.

    The keystore script of the reference values, which wants keys, gives way to one that links the token.
    """
    storage = settings.backup.storage
    if storage is None or storage.access is not Access.ROLE:
        return dict(base)
    account = {
        "create": True,
        "name": SERVICE_ACCOUNT,
        "annotations": {"eks.amazonaws.com/role-arn": role_arn(settings, storage)},
    }
    engine: Values = {
        "master": {"serviceAccount": account},
        "initScripts": {"init-keystore.sh": _LINK_TOKEN},
    }
    if settings.elasticsearch_secret is None:
        # Nothing makes that Secret, and pods that name it would not start.
        engine["extraEnvVarsSecret"] = ""
    return merge(base, {"elasticsearch": engine})


def _oidc_provider(settings: Settings, storage: StorageSettings) -> str:
    """Return the provider's ARN, which the settings have checked to be there."""
    return storage.buckets[settings.region].oidc_provider_arn or ""


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(resource: str, *actions: str) -> Document:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def _arn(bucket: BucketSettings) -> str:
    region = bucket.aws_region or ""
    partition = next(
        (name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws"
    )
    return f"arn:{partition}:s3:::{bucket.name}"


_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""AWS regions whose ARNs begin otherwise than with `arn:aws:`."""


def _objects(bucket: BucketSettings, base_path: str) -> str:
    return "/".join(filter(None, (_arn(bucket), base_path.strip("/"), "*")))
