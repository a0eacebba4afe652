"""Helm's own records, fixed after an interrupted `pulumi up`.

A killed run can leave a release that Pulumi's state does not know: Helm would refuse to install it
again ("cannot re-use a name that is still in use"), or to upgrade it ("another operation is in
progress"). Such a record is taken away here, its objects are kept: the install or upgrade that
follows takes them over, and no broker restarts for it. A record of an operation of others is left alone.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clients import helm
from clients.helm import HelmRecord
from clients.installation import LiveInstallation
from dualregion.chart.adoption import ChartVersion, RunningRelease
from dualregion.chart.begun import Begun
from dualregion.chart.sent_values import differ, same
from dualregion.errors import Refused
from messages.steps import progress
from messages.steps import releases as messages
from steps.polling import Say

_UNFINISHED = ("pending-upgrade", "pending-rollback", "failed")
_SET_ASIDE = "camunda-dual-region/set-aside"
"""The label of a record that was Helm's before its release was adopted; its value is the release."""
NOTE = "dual-region-helm"
"""The ConfigMap in which a run notes what it is about to do with the namespace's release (`dualregion.chart.begun`)."""
PATIENCE_SECONDS = 15.0
"""How long a pending operation of ours may still be at work: Helm's part outlives a killed run for a moment."""
OTHERS_SECONDS = 3600.0
"""How long one of others may be: `helm upgrade --wait` takes as long as its --timeout says, 5 minutes by default."""


def begun_in(at: LiveInstallation) -> Begun | None:
    """Return what a run of ours has last begun with the release of a namespace, or None."""
    found = at.cluster.config_map(at.namespace, NOTE)
    return None if found is None else Begun.read(found.data or {})


def is_interrupted_install(
    at: LiveInstallation,
    values: Mapping[str, Any],
    *,
    is_ours: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> bool:
    """Return whether Helm has a record of an install that an interrupted run of ours has begun.

    :param values: the values of the install to come; the same values prove that the release is ours.
    :param is_ours: whether other values prove it, too.
    :raises Refused: if a release of this name was installed by others, or is being.
    """
    _settle(at)
    records = at.helm_records()
    if not records:
        return False
    _refuse_others(at, records)
    found = records[-1].values
    if not same(found, values) and not is_ours(found):
        raise Refused(messages.release_of_others(at.release, at.namespace, records[-1].revision))
    return True


def begin_install(at: LiveInstallation, begun: Begun, say: Say) -> None:
    """Note that an install begins, and make way for it: take away the records of one that was interrupted.

    The note comes first: a run that is killed here is known by it, though Helm knows nothing more of the release.
    """
    _note(at, begun)
    records = at.helm_records()
    if records:
        say(progress.taking_over_install(at.release, at.namespace))
    for record in records:
        at.cluster.delete_secret(at.namespace, record.name)


def unrecorded_upgrade(
    at: LiveInstallation,
    wanted: Mapping[str, Any],
    recorded: Mapping[str, Any] | None,
) -> int | None:
    """Return the revision of an upgrade that Pulumi's state knows nothing of, or None.

    A run was killed in it, or just after it, or the release was upgraded by hand. Refresh takes the values of such a
    revision for those at work, but what is to be taken away is compared with the values that the last saved update
    gave (Kubernetes provider 4.25, three-way merge in the Release's Diff): of the two, one is as it is wanted and
    the other is not, and Pulumi sees nothing to do now, or keeps what it should take away later.

    :param wanted: the values that the release is to have.
    :param recorded: those that the last update in Pulumi's state gave it; None if that cannot be seen.
    """
    records = at.helm_records()
    if not records or _is_begun_install(records):
        return None
    latest = records[-1]
    if latest.status in _UNFINISHED or (
        recorded is not None and differ(latest.values, recorded, wanted)
    ):
        return latest.revision
    return None


def begin_upgrade(at: LiveInstallation, begun: Begun, say: Say) -> None:
    """Take away the record of an upgrade that an interrupted run has begun and not ended; note that one begins.

    :param begun: the upgrade; its revision is found here.
    :raises Refused: if others may be at work on the release.
    """
    _settle(at)
    records = at.helm_records()
    _refuse_others(at, records)
    for record in (each for each in records if each.is_pending):
        say(progress.clearing_pending(at.release, at.namespace, record.status))
        at.cluster.delete_secret(at.namespace, record.name)
    ended = [record.revision for record in records if not record.is_pending]
    _note(at, replace(begun, revision=max(ended, default=0) + 1))


def _note(at: LiveInstallation, begun: Begun) -> None:
    at.cluster.apply_config_map(at.namespace, NOTE, begun.data)


def _refuse_others(at: LiveInstallation, records: list[HelmRecord]) -> None:
    """Refuse to touch an operation that is neither ours nor so old that it cannot be under way any more.

    :raises Refused: naming the operation, and what to do.
    """
    pending = [record for record in records if record.is_pending]
    if not pending:
        return
    begun = begun_in(at)
    for record in pending:
        if begun is not None and begun.is_of(record.revision, record.values):
            continue
        since = record.created
        if since is not None and (datetime.now(UTC) - since).total_seconds() > OTHERS_SECONDS:
            continue
        raise Refused(
            messages.operation_of_others(
                release=at.release,
                namespace=at.namespace,
                status=record.status,
                revision=record.revision,
                since=None if since is None else f"{since:%Y-%m-%d %H:%M:%S %Z}",
                kubectl=at.kubectl,
                secret=record.name,
                minutes=round(OTHERS_SECONDS / 60),
            )
        )


def running(at: LiveInstallation) -> RunningRelease | None:
    """Return a release by Helm's latest record of it, or None.

    If an adoption was interrupted, by the latest of the records that were set aside for it.
    """
    records = at.helm_records()
    if not records or _is_begun_install(records):
        kept = at.cluster.secrets(at.namespace, f"{_SET_ASIDE}={at.release}")
        records = helm.in_order(kept) or records
    if not records:
        return None
    found = records[-1].content
    chart = found.get("chart") or {}
    about = chart.get("metadata") or {}
    return RunningRelease(
        int(found["version"]),
        str((found.get("info") or {}).get("status", "")),
        ChartVersion(str(about.get("name", "")), str(about.get("version", ""))),
        found.get("config") or {},
        chart.get("values") or {},
    )


def set_aside(at: LiveInstallation) -> None:
    """Take Helm's records of a release away, and keep each under another name: nothing of them is lost."""
    records = at.helm_records()
    for record in () if _is_begun_install(records) else records:
        secret = record.secret
        at.cluster.apply_secret(
            at.namespace,
            # Helm counts from 1 again after an adoption: another record may have had this name.
            f"set-aside.{record.name}.{str(secret.metadata.uid)[:8]}",
            dict(secret.data),
            {_SET_ASIDE: at.release, "version": str(record.revision)},
        )
    for record in records:
        at.cluster.delete_secret(at.namespace, record.name)


def _is_begun_install(records: list[HelmRecord]) -> bool:
    """Whether these records are of an install that never ended."""
    return len(records) == 1 and records[0].status in ("pending-install", "failed")


def _settle(at: LiveInstallation) -> None:
    """Give a pending operation that may still be at work the time to end."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        records = at.helm_records()
        if not any(each.is_pending for each in records):
            return
        time.sleep(0.5)
