"""The section `backup` of the configuration: where the failback's snapshot lies, and who makes that place."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from dualregion.config.forms import AwsRegion, Endpoint, Text, matching, store_of
from dualregion.config.sections.section import Model
from messages import Message
from messages.config import forms
from messages.config import settings as messages

KEY_NAMES = ("S3_ACCESS_KEY", "S3_SECRET_KEY")
"""What the reference values read from the search engine's Secret."""


def _setting(value: object) -> object:
    if isinstance(value, str | int):
        return value
    raise ValueError(forms.scalar_needed())


RepositorySettings = dict[str, Annotated[str | int | bool, BeforeValidator(_setting)]]
"""A snapshot repository's settings, as the search engine takes them."""


def _bucket_name(text: str) -> str:
    """Refuse what S3 would refuse. Source: Amazon S3, 'General purpose bucket naming rules'."""
    named = re.fullmatch(r"(?!xn--)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text)
    if not named or ".." in text or re.fullmatch(r"[0-9]+(\.[0-9]+){3}", text):
        raise ValueError(forms.bucket_name_needed())
    return text


def _oidc_provider(text: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:oidc-provider/\S+", text):
        raise ValueError(forms.oidc_provider_needed())
    return text


class Access(StrEnum):
    """How the search engines get at the buckets: `backup.storage.access`."""

    OWN = "own"
    """By what the operator gives them: a Secret, or a role attached in their values."""
    KEYS = "keys"
    """By the access key of an IAM user that the program makes."""
    ROLE = "role"
    """By an IAM role that the program makes for their service account (IRSA)."""


class BucketSettings(Model):
    """The bucket of one region; its place in the list `buckets` is that region's id."""

    name: Annotated[Text, AfterValidator(_bucket_name)]
    aws_region: AwsRegion | None = None
    """Where it lies; required if the program makes anything on AWS."""
    endpoint: Endpoint | None = None
    """The address of an S3-compatible store; none for AWS."""
    oidc_provider_arn: Annotated[Text, AfterValidator(_oidc_provider)] | None = None
    """The IAM OIDC provider of the region's cluster; required with access `role`."""

    @property
    def repository(self) -> RepositorySettings:
        """What of a repository's settings follows from the bucket."""
        if self.endpoint is None:
            return {"bucket": self.name}
        return {"bucket": self.name, "endpoint": self.endpoint, "path_style_access": True}


class StorageSettings(Model):
    """A bucket for each region: the failback uses the survivor's."""

    buckets: tuple[BucketSettings, BucketSettings]
    create: bool = False
    """Whether each region's stack makes its bucket; otherwise both exist."""
    access: Access = Access.OWN

    @property
    def on_aws(self) -> bool:
        """Whether the program makes anything on AWS."""
        return self.create or self.access is not Access.OWN


class BackupSettings(Model):
    """Where the failback's snapshot lies: a place that the search engines of both regions reach.

    It must outlive the lost region. Source: procedure, 'Failback' step 3.
    """

    repository: Annotated[
        Text,
        matching(
            r"""(?![_.-])[^\s\\/*?"<>|,#\x00-\x1f]{1,128}""",
            forms.repository_name_needed,
        ),
    ] = "camunda_backup"
    """The name under which both search engines register it."""
    type: Annotated[Text, matching(r"[a-z][-_a-z0-9]{0,62}", forms.repository_type_needed)] = "s3"
    """The repository's type as the search engine knows it: `s3`, `fs`, `gcs`, `azure`, ..."""
    settings: RepositorySettings = Field(default_factory=dict)
    """The type's own settings. For `s3`: `bucket`; `client` (default camunda) and `base_path` (default backups)."""
    storage: StorageSettings | None = None
    """A bucket for each region, instead of `settings.bucket`."""

    @property
    def complete(self) -> RepositorySettings:
        """The settings with the defaults of their type."""
        defaults: RepositorySettings = {}
        if self.type == "s3":
            # Without keys in its keystore the engine knows no other client.
            by_role = self.storage is not None and self.storage.access is Access.ROLE
            client = "default" if by_role else "camunda"
            defaults = {"client": client, "base_path": "backups"}
        return defaults | self.settings

    @property
    def missing(self) -> str | None:
        """The setting that its type cannot do without, if it is not set."""
        if self.storage:
            return None
        needed = {"s3": "bucket", "gcs": "bucket", "azure": "container", "fs": "location"}
        key = needed.get(self.type)
        return key if key and not self.settings.get(key) else None


def readonly_problem(backup: BackupSettings) -> Message | None:
    """Return why nothing could be written to the repository, or None: the survivor's snapshot goes there."""
    if backup.type == "url":
        return messages.repository_not_writable("backup.type", "'url'")
    readonly = backup.settings.get("readonly", False)
    if str(readonly).lower() == "false":
        return None
    return messages.repository_not_writable("backup.settings.readonly", repr(readonly))


def storage_problem(backup: BackupSettings) -> Message | None:
    """Return why the buckets cannot be used as they are configured, or None."""
    if backup.storage is None:
        return None
    if backup.type != "s3":
        return messages.buckets_need_s3(backup.type)
    both = sorted({"bucket", "endpoint"} & backup.settings.keys())
    if both:
        return messages.bucket_set_twice(f"backup.settings.{both[0]}")
    found = (check(backup.storage) for check in _CHECKS)
    return next((problem for problem in found if problem), None)


def _store(bucket: BucketSettings) -> tuple[str, int, str] | None:
    return store_of(bucket.endpoint) if bucket.endpoint else None


def _check_apart(storage: StorageSettings) -> Message | None:
    """Refuse buckets that one loss would take both."""
    first, second = storage.buckets
    if first.name == second.name and _store(first) == _store(second):
        return messages.bucket_twice(second.name)
    if first.aws_region and first.aws_region == second.aws_region:
        return messages.bucket_region_twice(first.aws_region)
    return None


def _check_aws(storage: StorageSettings) -> Message | None:
    """Refuse to make something on AWS without knowing where, or in a store that is not AWS's."""
    if not storage.on_aws:
        return None
    what = "create is true" if storage.create else f"access is {storage.access.value!r}"
    setting = f"backup.storage.{what}"
    for region, bucket in enumerate(storage.buckets):
        if bucket.endpoint:
            return messages.store_not_on_aws(region, bucket.endpoint, setting)
        if not bucket.aws_region:
            return messages.aws_region_missing(region, setting)
    return None


def _check_role(storage: StorageSettings) -> Message | None:
    if storage.access is not Access.ROLE:
        return None
    lacking = (region for region, each in enumerate(storage.buckets) if not each.oidc_provider_arn)
    return next(map(messages.oidc_provider_missing, lacking), None)


_CHECKS: tuple[Callable[[StorageSettings], Message | None], ...] = (
    _check_apart,
    _check_aws,
    _check_role,
)
