"""Helm's own records, fixed after an interrupted `pulumi up`.

A killed run can leave a release that Pulumi's state does not know: Helm would refuse to install it
again ("cannot re-use a name that is still in use"), or to upgrade it ("another operation is in
progress"). Such a record is taken away here, its objects are kept: the install or upgrade that
follows takes them over, and no broker restarts for it. A record of an operation of others is left alone. Source: Helm
3's storage (Secrets `sh.helm.release.v1.<name>.v<revision>` with labels owner, name, status, version).
"""

import base64
import gzip
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clients.kubernetes import Cluster
from dualregion.chart.adoption import ChartVersion, RunningRelease
from dualregion.chart.begun import Begun
from dualregion.chart.sent_values import differ, same
from dualregion.errors import Refused
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


def begun_in(cluster: Cluster, namespace: str) -> Begun | None:
    """Return what a run of ours has last begun with the release of a namespace, or None."""
    found = cluster.config_map(namespace, NOTE)
    return None if found is None else Begun.read(found.data or {})


def is_interrupted_install(
    cluster: Cluster,
    namespace: str,
    release: str,
    values: Mapping[str, Any],
    *,
    is_ours: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> bool:
    """Return whether Helm has a record of an install that an interrupted run of ours has begun.

    :param values: the values of the install to come; the same values prove that the release is ours.
    :param is_ours: whether other values prove it, too.
    :raises Refused: if a release of this name was installed by others, or is being.
    """
    _settle(cluster, namespace, release)
    records = _records(cluster, namespace, release)
    if not records:
        return False
    _refuse_others(cluster, namespace, release, records)
    installed = _decode(records[-1])
    found = installed.get("config") or {}
    if not same(found, values) and not is_ours(found):
        raise Refused(
            f"namespace {namespace} already holds a Helm release {release!r} "
            f"(revision {installed.get('version')}) that this stack did not install: adopt it "
            "(docs/adopting.md), or uninstall it if it is a leftover, then run `pulumi up` again"
        )
    return True


def begin_install(cluster: Cluster, namespace: str, release: str, begun: Begun, say: Say) -> None:
    """Note that an install begins, and make way for it: take away the records of one that was interrupted.

    The note comes first: a run that is killed here is known by it, though Helm knows nothing more of the release.
    """
    _note(cluster, namespace, begun)
    records = _records(cluster, namespace, release)
    if records:
        say(f"release {release} in {namespace} was installed by an interrupted run: taking it over")
    for record in records:
        cluster.delete_secret(namespace, record.metadata.name)


def unrecorded_upgrade(
    cluster: Cluster,
    namespace: str,
    release: str,
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
    records = _records(cluster, namespace, release)
    if not records or _is_begun_install(records):
        return None
    latest = records[-1]
    if _status(latest) in _UNFINISHED or (
        recorded is not None and differ(_decode(latest).get("config") or {}, recorded, wanted)
    ):
        return _revision(latest)
    return None


def begin_upgrade(cluster: Cluster, namespace: str, release: str, begun: Begun, say: Say) -> None:
    """Take away the record of an upgrade that an interrupted run has begun and not ended; note that one begins.

    :param begun: the upgrade; its revision is found here.
    :raises Refused: if others may be at work on the release.
    """
    _settle(cluster, namespace, release)
    records = _records(cluster, namespace, release)
    _refuse_others(cluster, namespace, release, records)
    for record in filter(_is_pending, records):
        say(
            f"release {release} in {namespace}: clearing the {_status(record)} of an interrupted run"
        )
        cluster.delete_secret(namespace, record.metadata.name)
    ended = [_revision(record) for record in records if not _is_pending(record)]
    _note(cluster, namespace, replace(begun, revision=max(ended, default=0) + 1))


def _note(cluster: Cluster, namespace: str, begun: Begun) -> None:
    cluster.apply_config_map(namespace, NOTE, begun.data)


def _refuse_others(cluster: Cluster, namespace: str, release: str, records: list[Any]) -> None:
    """Refuse to touch an operation that is neither ours nor so old that it cannot be under way any more.

    :raises Refused: naming the operation, and what to do.
    """
    pending = [record for record in records if _is_pending(record)]
    if not pending:
        return
    begun = begun_in(cluster, namespace)
    for record in pending:
        if begun is not None and begun.is_of(
            _revision(record), _decode(record).get("config") or {}
        ):
            continue
        since = record.metadata.creation_timestamp
        if since is not None and (datetime.now(UTC) - since).total_seconds() > OTHERS_SECONDS:
            continue
        raise Refused(
            f"release {release} in namespace {namespace} is {_status(record)} (revision {_revision(record)}, since "
            f"{_moment(since)}), and no run of this program has begun that: another helm may be at work. Wait "
            "for its end, then run `pulumi up` again. If that helm is known to be gone: "
            f"`{cluster.kubectl(namespace)} delete secret {record.metadata.name}`; after "
            f"{OTHERS_SECONDS / 60:.0f} minutes `pulumi up` does so itself"
        )


def _moment(since: datetime | None) -> str:
    return "a moment that is not known" if since is None else f"{since:%Y-%m-%d %H:%M:%S %Z}"


def running(cluster: Cluster, namespace: str, release: str) -> RunningRelease | None:
    """Return a release by Helm's latest record of it, or None.

    If an adoption was interrupted, by the latest of the records that were set aside for it.
    """
    records = _records(cluster, namespace, release)
    if not records or _is_begun_install(records):
        kept = cluster.secrets(namespace, f"{_SET_ASIDE}={release}")
        records = _numbered(kept) or records
    if not records:
        return None
    found = _decode(records[-1])
    chart = found.get("chart") or {}
    about = chart.get("metadata") or {}
    return RunningRelease(
        int(found["version"]),
        str((found.get("info") or {}).get("status", "")),
        ChartVersion(str(about.get("name", "")), str(about.get("version", ""))),
        found.get("config") or {},
        chart.get("values") or {},
    )


def set_aside(cluster: Cluster, namespace: str, release: str) -> None:
    """Take Helm's records of a release away, and keep each under another name: nothing of them is lost."""
    records = _records(cluster, namespace, release)
    for record in () if _is_begun_install(records) else records:
        about = record.metadata
        cluster.apply_secret(
            namespace,
            # Helm counts from 1 again after an adoption: another record may have had this name.
            f"set-aside.{about.name}.{str(about.uid)[:8]}",
            dict(record.data),
            {_SET_ASIDE: release, "version": about.labels["version"]},
        )
    for record in records:
        cluster.delete_secret(namespace, record.metadata.name)


def _is_begun_install(records: list[Any]) -> bool:
    """Whether these records are of an install that never ended."""
    return len(records) == 1 and _status(records[0]) in ("pending-install", "failed")


def _settle(cluster: Cluster, namespace: str, release: str) -> None:
    """Give a pending operation that may still be at work the time to end."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        records = _records(cluster, namespace, release)
        if not any(map(_is_pending, records)):
            return
        time.sleep(0.5)


def _records(cluster: Cluster, namespace: str, release: str) -> list[Any]:
    return _numbered(cluster.secrets(namespace, f"owner=helm,name={release}"))


def _numbered(found: list[Any]) -> list[Any]:
    """Return records in the order of their revisions."""
    return sorted(found, key=_revision)


def _status(record: Any) -> str:
    return str(record.metadata.labels.get("status", ""))


def _is_pending(record: Any) -> bool:
    return _status(record).startswith("pending-")


def _revision(record: Any) -> int:
    return int(record.metadata.labels["version"])


def _decode(record: Any) -> dict[str, Any]:
    packed = base64.b64decode(base64.b64decode(record.data["release"]))
    document: dict[str, Any] = json.loads(gzip.decompress(packed))
    return document
