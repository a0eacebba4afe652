"""Moving a search engine's data to the recreated region, and proving that nothing is lost on the way.

Long work is started without waiting and then polled. How long it may take is not known beforehand, so
a wait ends only when nothing has moved for the whole deadline. Nothing here starts or stops exporting:
that no broker exports to the recreated region's engine meanwhile is for the caller to see to.
"""

import dataclasses
from collections.abc import Callable, Iterable
from time import monotonic

from clients.cluster.kubernetes import CallFailed, understood
from clients.search_engine import SearchEngine
from dualregion.errors import DeadlineExceeded, DualRegionError, Refused
from dualregion.observed.search_engine.documents import counts_differ, missing_templates
from dualregion.observed.search_engine.health import not_served
from dualregion.observed.search_engine.marks import Marks
from dualregion.observed.search_engine.records import (
    PartitionRecords,
    lacking_partitions,
    missing_records,
)
from dualregion.observed.search_engine.repositories import Repository
from dualregion.observed.search_engine.restores import (
    RestoreProgress,
    restore_pending,
    restore_progress,
)
from dualregion.observed.search_engine.snapshots import Snapshot, snapshot_bad
from messages import Message
from messages.clients import search_engine as messages
from messages.observed.brokers import all_of
from messages.steps import progress
from steps.context import Evidence
from steps.polling import Unchanged, Waiting

PATIENCE_SECONDS = 30.0
"""How long a call that is refused is tried again, at most. Exporting is paused meanwhile, and what an
engine refuses for that long (a bucket that is not there, missing rights) does not pass by itself."""


def take_snapshot(
    survivor: SearchEngine, waiting: Waiting, repository: Repository, name: str, incident: str
) -> Snapshot:
    """Register the repository, take a snapshot and judge it.

    :param name: unique for each attempt; one of this name and incident is the same attempt, gone on with.
    :raises DualRegionError: if it cannot be taken, or is not whole.
    """
    hint = messages.look_at_engine(survivor.namespace)
    _patient(waiting).until_none(
        messages.engine_served(survivor.namespace),
        lambda: not_served(survivor.health()),
        hint,
    )
    register(survivor, waiting, repository, readonly=False)
    _retry_briefly(
        waiting,
        messages.snapshot_begins(survivor.namespace, name),
        lambda: _start_once(survivor, waiting, repository, name, incident),
        hint,
    )
    snapshot = _finished(survivor, waiting, repository, name, incident)
    problem = snapshot_bad(snapshot)
    if problem:
        raise DualRegionError(
            messages.snapshot_unusable(waiting.step, survivor.namespace, problem, hint)
        )
    return snapshot


def _start_once(
    survivor: SearchEngine, waiting: Waiting, repository: Repository, name: str, incident: str
) -> None:
    found = survivor.snapshot(repository.name, name)
    if found is None:
        survivor.start_snapshot(repository.name, name, incident)
    elif found.incident != incident:
        raise DualRegionError(
            messages.snapshot_of_another(
                step=waiting.step,
                repository=repository.name,
                snapshot=name,
                uuid=found.uuid,
                purpose=found.incident or "",
                incident=incident,
            )
        )


def _finished(
    survivor: SearchEngine, waiting: Waiting, repository: Repository, name: str, incident: str
) -> Snapshot:
    """Wait until a snapshot has ended, well or badly; one that the engine has forgotten is begun again.

    An engine that is restarted whole forgets what it was taking, and the repository never holds it.
    """
    ended: list[Snapshot] = []

    def still_running() -> Message | None:
        found = survivor.snapshot(repository.name, name)
        if found is None:
            survivor.start_snapshot(repository.name, name, incident)
            return messages.snapshot_begun_again(repository.name)
        if found.running:
            return survivor.snapshot_progress(repository.name, name)
        ended.append(found)
        return None

    what, hint = (
        messages.snapshot_ends(survivor.namespace, name),
        messages.look_at_engine(survivor.namespace),
    )
    _while_it_moves(waiting, what, still_running, hint)
    return ended[-1]


def restore_snapshot(
    recreated: SearchEngine,
    waiting: Waiting,
    repository: Repository,
    snapshot: Snapshot,
    *,
    begun: Callable[[], None] = lambda: None,
) -> Evidence:
    """Make the recreated region's engine hold what the snapshot holds, and nothing else.

    Indices that are there are what an attempt that was interrupted has left: they are deleted first.

    :param begun: called as soon as the engine has the snapshot's global state, and works on its shards.
    :raises DualRegionError: if the snapshot is not the one seen there, or a shard cannot be restored.
    """
    register(recreated, waiting, repository, readonly=True)
    _wait_until_visible(recreated, waiting, repository, snapshot)
    hint = messages.look_at_engine_to_restore(recreated.namespace)

    def begin() -> None:
        # Both together: a call whose answer got lost may have begun a restore all the same.
        _delete_remains(recreated, waiting)
        recreated.restore(repository.name, snapshot.name)

    _retry_briefly(
        waiting, messages.restore_begins(recreated.namespace, snapshot.name), begin, hint
    )
    begun()
    seen: list[RestoreProgress] = []

    def pending() -> Message | None:
        health, recoveries = recreated.health(), recreated.recoveries()
        progress = understood(
            recreated,
            lambda: restore_progress(snapshot, repository.name, health, recoveries),
        )
        _refuse_failing(recreated, waiting, progress, hint)
        seen.append(progress)
        return restore_pending(progress)

    _while_it_moves(
        waiting, messages.restore_ends(recreated.namespace, snapshot.name), pending, hint
    )
    health = waiting.answer(
        messages.engine_health_known(recreated.namespace), recreated.health, hint
    )
    return {
        "snapshot": str(snapshot),
        "restored": str(seen[-1].message),
        "health": f"{health.status}, {health.nodes} nodes",
    }


def _wait_until_visible(
    recreated: SearchEngine, waiting: Waiting, repository: Repository, snapshot: Snapshot
) -> None:
    """See in another engine the very snapshot that was taken: by its uuid, as names can be given again."""

    def look() -> Message | None:
        found = recreated.snapshot(repository.name, snapshot.name)
        if found is None:
            return messages.snapshot_not_visible(repository.name)
        if found.uuid != snapshot.uuid:
            return messages.another_snapshot(found.uuid)
        return snapshot_bad(found)

    _patient(waiting).until_none(
        messages.snapshot_visible(recreated.namespace, snapshot.name, snapshot.uuid),
        look,
        messages.look_at_repository(repository.name),
    )


def _delete_remains(recreated: SearchEngine, waiting: Waiting) -> None:
    remains = recreated.indices()
    if remains:
        waiting.say(progress.deleting_remains(waiting.step, recreated.namespace, remains))
        recreated.delete_indices(remains)


def _refuse_failing(
    recreated: SearchEngine, waiting: Waiting, progress: RestoreProgress, hint: Message
) -> None:
    """End a wait that nothing can end any more: the engine has given a shard up.

    :raises DualRegionError: naming the shard and the engine's reason.
    """
    shard = progress.failing
    reason = recreated.given_up(shard.index, shard.number) if shard else None
    if reason:
        raise DualRegionError(
            messages.restore_failed(
                step=waiting.step,
                namespace=recreated.namespace,
                reason=reason,
                done=progress.done,
                total=progress.total,
                hint=hint,
            )
        )


def prove_equal(
    survivor: SearchEngine,
    recreated: SearchEngine,
    waiting: Waiting,
    remedy: Message,
    *,
    as_copied: bool = True,
) -> Evidence:
    """Prove that both engines hold the same number of documents in each index, and the same templates.

    :param remedy: what to do if they do not.
    :param as_copied: whether the recreated engine must hold no other index; later, retention may have deleted what
        is old in the survivor's alone.
    :raises Refused: naming what differs.
    """
    hint = messages.look_at_engine_pods()
    ours = waiting.answer(
        messages.documents_counted(survivor.namespace), survivor.document_counts, hint
    )
    theirs = waiting.answer(
        messages.documents_counted(recreated.namespace), recreated.document_counts, hint
    )
    if not as_copied:
        theirs = {index: count for index, count in theirs.items() if index in ours}
    problem = counts_differ(ours, theirs)
    if problem:
        raise Refused(
            messages.copy_differs(
                waiting.step, survivor.namespace, recreated.namespace, problem, remedy
            )
        )
    wanted = waiting.answer(messages.templates_listed(survivor.namespace), survivor.templates, hint)
    found = waiting.answer(
        messages.templates_listed(recreated.namespace), recreated.templates, hint
    )
    missing = missing_templates(wanted, found)
    if missing:
        raise Refused(
            messages.copy_lacks_templates(
                waiting.step, survivor.namespace, recreated.namespace, missing, remedy
            )
        )
    return {
        "documents": f"{sum(ours.values())} in {len(ours)} indices, the same in both regions",
        "templates": ", ".join(wanted) or "none",
    }


def prove_equal_records(
    survivor: SearchEngine, recreated: SearchEngine, waiting: Waiting, remedy: Message
) -> Evidence:
    """Prove that both engines hold the same number of documents in each index of the exporters.

    For when web apps are at work again in both regions, and write to the other indices.

    :raises Refused: naming what differs.
    """
    hint = messages.look_at_engine_pods()
    ours = waiting.answer(
        messages.documents_counted(survivor.namespace), survivor.document_counts, hint
    )
    theirs = waiting.answer(
        messages.documents_counted(recreated.namespace), recreated.document_counts, hint
    )
    ours = {index: each for index, each in ours.items() if index.startswith(survivor.record_prefix)}
    problem = counts_differ(ours, {index: theirs[index] for index in ours if index in theirs})
    if problem:
        raise Refused(
            messages.copy_differs(
                waiting.step, survivor.namespace, recreated.namespace, problem, remedy
            )
        )
    return {
        "recordsCopied": f"{sum(ours.values())} in {len(ours)} indices, the same in both regions"
    }


def is_copied(survivor: SearchEngine, recreated: SearchEngine, waiting: Waiting) -> bool:
    """Return whether the recreated engine holds all that the survivor's holds, down to the last operation on each shard.

    So it is after an attempt that was interrupted, or whose record could not be written. Whatever was written to the
    survivor's engine since, also in the place of what was there before, has moved a shard's last operation.
    """

    def look() -> bool:
        return bool(recreated.indices()) and recreated.marks() == survivor.marks()

    try:
        return _patient(waiting).answer(messages.copy_known(recreated.namespace), look)
    except DeadlineExceeded:
        # As after a restore that was interrupted: shards that do not serve yet. What is not seen is copied.
        return False


def forget(recreated: SearchEngine, waiting: Waiting, repository: Repository) -> None:
    """Take the read-only registration away again: the region's own backups may need the name.

    What lies in the repository stays.
    """
    _retry_briefly(
        waiting,
        messages.repository_forgotten(recreated.namespace, repository.name),
        lambda: recreated.forget_repository(repository.name),
        messages.look_at_engine_log(recreated.namespace),
    )


def lacking(holder: SearchEngine, failover: SearchEngine) -> Message | None:
    """Return which records of the failover engine another engine lacks at this moment, or None."""
    wanted = failover.records()
    return missing_records(holder.records(within=wanted), wanted)


class RecordsMissing(DualRegionError):
    """The survivor's engine does not hold all that the failover engine holds, or it is not known to."""


def wait_for_equal_records(
    survivor: SearchEngine,
    failover: SearchEngine,
    waiting: Waiting,
    quiet_seconds: float,
    never: Callable[[Iterable[int]], Message | None],
) -> dict[int, PartitionRecords]:
    """Wait until the survivor's engine holds all that the failover engine holds, and both are quiet.

    Whether they are quiet costs the same however much they hold. What they hold is counted only once they are, and again
    only if something came meanwhile; it costs the more the more records the failover engine holds, whatever the survivor's
    holds from before.

    :param quiet_seconds: how long nothing new must have come; brokers still flush what they have
        buffered after a pause.
    :param never: asked while partitions lack records: why theirs will not come, or None.
    :returns: the survivor's records, of those that both engines must hold.
    :raises RecordsMissing: with the last reason why it was not reached by the deadline, or why it never will be.
    """
    quiet, counted = Unchanged(monotonic), _Counted(survivor, failover)

    def look() -> Message | None:
        marks = (failover.record_marks(), survivor.record_marks())
        if quiet.seconds(marks) < quiet_seconds:
            return messages.records_still_come(quiet_seconds)
        lacks = counted.lacks(marks)
        reason = all_of(tuple(lacks.values()))
        why = never(lacks) if lacks else None
        if reason and why:
            raise RecordsMissing(messages.records_never_come(reason, why))
        return reason

    reason = waiting.last_reason(
        messages.records_equal(survivor.namespace, failover.namespace), look
    )
    if reason:
        raise RecordsMissing(reason)
    return counted.held


_Pair = tuple[Marks, Marks]
"""What is written in the failover engine and in the survivor's."""


class _Counted:
    """Counts what two engines hold, and not again as long as nothing was written to them.

    :ivar held: the survivor's records, within the failover engine's ranges, when last counted.
    """

    def __init__(self, survivor: SearchEngine, failover: SearchEngine) -> None:
        self._survivor, self._failover = survivor, failover
        self._marks: _Pair | None = None
        self._lacks: dict[int, Message] = {}
        self.held: dict[int, PartitionRecords] = {}

    def lacks(self, marks: _Pair) -> dict[int, Message]:
        """Return what the survivor's engine lacks, by partition."""
        if marks != self._marks:
            # The failover engine first: what comes later to the survivor's does not count against it.
            wanted = self._failover.records()
            self.held = self._survivor.records(within=wanted)
            self._lacks = lacking_partitions(self.held, wanted)
            self._marks = marks
        return self._lacks


def register(
    search: SearchEngine, waiting: Waiting, repository: Repository, *, readonly: bool
) -> None:
    """Register a repository, and see that every node of the engine can use it.

    :raises DualRegionError: with the engine's reason.
    """
    _retry_briefly(
        waiting,
        messages.repository_usable(search.namespace, repository.name, repository.type),
        lambda: search.register_repository(repository, readonly=readonly),
        messages.look_at_backup(),
    )


def _retry_briefly(waiting: Waiting, what: Message, act: Callable[[], None], hint: Message) -> None:
    """Do something that an engine may refuse for a moment; what it refuses for good ends the wait.

    :raises DualRegionError: with the engine's reason.
    """

    def attempt() -> None:
        try:
            act()
        except CallFailed as error:
            if not error.may_pass:
                raise DualRegionError(
                    messages.engine_refused_for_good(waiting.step, error.message, hint)
                ) from None
            raise

    _patient(waiting).until_none(what, attempt, hint)


def _patient(waiting: Waiting) -> Waiting:
    return dataclasses.replace(
        waiting, deadline_seconds=min(PATIENCE_SECONDS, waiting.deadline_seconds)
    )


def _while_it_moves(
    waiting: Waiting, what: Message, look: Callable[[], Message | None], hint: Message
) -> None:
    """Look until there is no reason left; the deadline begins again as long as something moves.

    Only what was not seen before counts as moving: reasons that take turns do not.

    :raises DeadlineExceeded: if nothing has moved for a whole deadline.
    """
    start = monotonic()
    before: set[str] = set()
    seen: set[str] = set()

    def look_and_note() -> Message | None:
        reason = look()
        if reason is not None:
            seen.add(reason)
        return reason

    while (reason := waiting.last_reason(what, look_and_note)) is not None:
        # One look may take a whole deadline, so what one deadline saw is compared with those before.
        if (before and seen <= before) or (not before and len(seen) < 2):
            raise DeadlineExceeded(
                messages.has_not_moved(
                    step=waiting.step,
                    what=what,
                    deadline=waiting.deadline_seconds,
                    seconds=monotonic() - start,
                    last_seen=reason,
                    hint=hint,
                )
            )
        before |= seen
        seen.clear()
