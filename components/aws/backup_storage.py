"""The backup buckets on AWS: this region's bucket, and its search engine's identity.

Imported only when `backup.storage` wants something on AWS, as the AWS package is needed by nothing else.
What belongs to the bucket stays in AWS when it is no longer declared: snapshots outlive the program.
"""

import json

import pulumi
import pulumi_aws as aws

from components.aws.provider import aws_provider
from dualregion.config.sections.backup import KEY_NAMES, Access, StorageSettings
from dualregion.config.settings import Settings
from dualregion.iam import access_policy, identity_name, tls_only_policy, trust_policy

KEEP_DELETED_DAYS = 30
"""How long what the search engine has deleted or overwritten can still be brought back."""
ABANDONED_UPLOAD_DAYS = 7
"""After how long the parts of an unfinished upload are removed."""


class BackupStorage(pulumi.ComponentResource):
    """The region's bucket and its search engine's identity, as far as the settings want them made.

    The other region's bucket is only named, in the identity's rights: nothing here asks an AWS region
    that may be lost.

    :ivar keys: what goes into the search engine's Secret; empty without access `keys`.
    """

    keys: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: Settings,
        storage: StorageSettings,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("dualregion:index:BackupStorage", name, None, opts)
        # The settings have checked that it is there.
        provider = aws_provider(name, storage.buckets[settings.region].aws_region or "", self)
        inside = pulumi.ResourceOptions(parent=self, provider=provider)
        if storage.create:
            _bucket(name, settings, storage, inside)
        self.keys = {}
        if storage.access is Access.KEYS:
            self.keys = _user(name, settings, storage, inside)
        elif storage.access is Access.ROLE:
            _role(name, settings, storage, inside)
        self.register_outputs({})


def _bucket(
    name: str, settings: Settings, storage: StorageSettings, opts: pulumi.ResourceOptions
) -> None:
    """Make the bucket: private, encrypted, versioned, and reached by TLS only."""
    wanted = storage.buckets[settings.region]
    kept = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True))
    bucket = aws.s3.Bucket(name, bucket=wanted.name, opts=kept).bucket
    private = aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=kept,
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        name,
        bucket=bucket,
        # S3's own keys: a key of KMS would be one more thing that a lost region takes along.
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
        opts=kept,
    )
    versioning = aws.s3.BucketVersioning(
        name, bucket=bucket, versioning_configuration={"status": "Enabled"}, opts=kept
    )
    aws.s3.BucketPolicy(
        name,
        bucket=bucket,
        policy=json.dumps(tls_only_policy(wanted)),
        # S3 refuses the two at once.
        opts=_after(kept, private),
    )
    _lifecycle(name, bucket, _after(kept, versioning))


def _lifecycle(name: str, bucket: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
    """Remove what the search engine itself has deleted, some time later, and nothing else.

    Snapshots share objects, so an old object may belong to the newest snapshot: only the search engine
    knows. Old incidents' snapshots are deleted through it.
    """
    aws.s3.BucketLifecycleConfiguration(
        name,
        bucket=bucket,
        rules=[
            {
                "id": "deleted-by-the-search-engine",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrent_version_expiration": {"noncurrent_days": KEEP_DELETED_DAYS},
                "expiration": {"expired_object_delete_marker": True},
                "abort_incomplete_multipart_upload": {
                    "days_after_initiation": ABANDONED_UPLOAD_DAYS
                },
            }
        ],
        opts=opts,
    )


def _user(
    name: str, settings: Settings, storage: StorageSettings, opts: pulumi.ResourceOptions
) -> dict[str, pulumi.Output[str]]:
    """Make an IAM user with the least rights, and return its key, which is secret to Pulumi."""
    user = aws.iam.User(name, name=identity_name(settings, storage), opts=opts)
    policy = json.dumps(access_policy(settings, storage))
    aws.iam.UserPolicy(name, user=user.name, policy=policy, opts=opts)
    key = aws.iam.AccessKey(name, user=user.name, opts=opts)
    values = (key.id, key.secret)
    return {
        each: pulumi.Output.secret(value) for each, value in zip(KEY_NAMES, values, strict=True)
    }


def _role(
    name: str, settings: Settings, storage: StorageSettings, opts: pulumi.ResourceOptions
) -> None:
    """Make an IAM role with the least rights, for the search engine's service account alone."""
    role = aws.iam.Role(
        name,
        name=identity_name(settings, storage),
        assume_role_policy=json.dumps(trust_policy(settings, storage)),
        opts=opts,
    )
    policy = json.dumps(access_policy(settings, storage))
    aws.iam.RolePolicy(name, role=role.name, policy=policy, opts=opts)


def _after(opts: pulumi.ResourceOptions, *before: pulumi.Resource) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(before)))
