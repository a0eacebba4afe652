"""The failback's dangerous moments, on rehearsal brokers and real search engines.

What must be refused is brought about for real, and what could lose records is made to lose them. The tests build
on each other and run in the order of this file.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dualregion.errors import DeadlineExceeded, DualRegionError, Refused
from dualregion.observed import zeebe_answers
from dualregion.observed.search_engine.repositories import Repository
from dualregion.observed.search_engine.snapshots import Snapshot, snapshot_bad
from dualregion.procedure import B3
from messages.observed import engines as messages
from messages.steps.steps import copy_again, engines_can_be_copied
from steps import broker_views, failback
from steps.context import StepContext
from steps.polling import Waiting
from steps.search_engine import engines, snapshots
from tests.sandbox.recreated import (
    ENGINE_POD,
    LONDON,
    PARIS,
    Recreated,
    eventually,
    recreated,
)

pytestmark = pytest.mark.sandbox

SLOW_CORES = 0.3
ATTEMPTS = 10
"""How often a freeze is tried, as the survivor's exporters may have flushed by chance just before it."""

FOUND_BY_COMPARISON = "the search engine of camunda-paris differ: index zeebe-record_"
FOUND_BY_POSITION = "every record that the failover one does"
"""How step B3 says that the copy lacks records."""


@pytest.fixture(scope="module")
def regions(request: pytest.FixtureRequest) -> Iterator[Recreated]:
    failed = request.session.testsfailed
    with recreated() as made:
        yield made
        if request.session.testsfailed > failed:
            print(made.logs())


def wait_for_lag(ctx: StepContext) -> None:
    """Wait until the survivor's engine is behind, as it is most of the time."""
    eventually(
        lambda: snapshots.lacking(engines.surviving_engine(ctx), engines.failover_engine(ctx))
    )


def resume(ctx: StepContext) -> None:
    """Let exporting go on, on every broker."""
    eventually(
        lambda: (
            ctx.installation.zeebe.resume() is None
            and failback._out_of_phase(ctx, "EXPORTING") is None
        )
    )


def test_a_region_that_is_not_clean_is_refused_by_name(regions: Recreated) -> None:
    with pytest.raises(Refused) as refused:
        failback.prove_clean(regions.ctx(LONDON))
    # Helm's records are Secrets of that region, which the survivor's stack has no right to see.
    for left in (
        "statefulset/camunda-zeebe",
        "pod/camunda-zeebe-0",
        "claim/data-camunda-zeebe-0",
        "volume/pvc-",
    ):
        assert left in str(refused.value)


def test_sleepers_are_not_woken_while_failover_brokers_live(regions: Recreated) -> None:
    with pytest.raises(DeadlineExceeded, match="camunda-london-failover still exists"):
        failback.wake(regions.ctx(PARIS, deadline=3))
    assert "camunda-zeebe-0" in regions.kubectl(PARIS, "-n", PARIS.namespace, "get", "pods")


@pytest.fixture
def slow(regions: Recreated) -> Iterator[None]:
    """The survivor's engine gets little CPU time, under load."""
    regions.sandbox.slow(0, LONDON.namespace, ENGINE_POD, SLOW_CORES)
    try:
        with regions.load():
            yield
    finally:
        regions.sandbox.slow(0, LONDON.namespace, ENGINE_POD, None)


def test_without_its_wait_the_freeze_loses_records(
    regions: Recreated, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = regions.ctx(LONDON, deadline=60)
    monkeypatch.setattr(failback, "_wait_for_records", lambda *_: "not waited for")
    error = None
    for _ in range(ATTEMPTS):
        wait_for_lag(ctx)
        failback.freeze(ctx)
        error = refusal_of_copy(ctx)
        if error:
            break
        resume(ctx)
    # The next step finds it, and says that the pause lasts and how to back out. Which of its proofs does depends
    # on when the survivor's exporter flushes: after the copy was compared with its source, or just before.
    assert FOUND_BY_COMPARISON in str(error) or FOUND_BY_POSITION in str(error)
    assert "EXPORTERS ARE PAUSED" in str(error)
    lost = regions.lost_for_good()
    print(f"lost without the wait: {len(lost)} records")
    resume(ctx)
    assert lost


def refusal_of_copy(ctx: StepContext) -> DualRegionError | None:
    try:
        failback.copy(ctx)
    except DualRegionError as error:
        return error
    return None


def test_with_its_wait_the_freeze_loses_nothing(
    regions: Recreated, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = regions.ctx(LONDON)
    at_the_pause: list[str | None] = []
    wait = failback._wait_for_records

    def look_and_wait(ctx: StepContext, waiting: Waiting) -> str:
        at_the_pause.append(
            waiting.answer(
                engines_can_be_copied(),
                lambda: (
                    snapshots.lacking(engines.surviving_engine(ctx), engines.failover_engine(ctx))
                    or "nothing"
                ),
            )
        )
        return wait(ctx, waiting)

    monkeypatch.setattr(failback, "_wait_for_records", look_and_wait)
    for _ in range(ATTEMPTS):
        wait_for_lag(ctx)
        if freeze_unless_deposed(ctx) and at_the_pause[-1] != "nothing":
            break
        resume(ctx)
    assert "the other engine" in str(at_the_pause[-1]), "it never lagged: the test shows nothing"
    print(f"at the pause: {at_the_pause[-1]}")
    evidence = failback.copy(ctx)
    assert "the same in both regions" in evidence["documents"]
    assert regions.lost_for_good() == set()


def freeze_unless_deposed(ctx: StepContext) -> bool:
    """Freeze; return whether it was reached, and not refused as a partition's leader changed in the pause."""
    before = zeebe_answers.leaders(failback._exporting(ctx))
    try:
        failback.freeze(ctx)
    except DualRegionError as error:
        changed = zeebe_answers.deposed(before, zeebe_answers.leaders(failback._exporting(ctx)))
        if changed is None:
            raise
        print(f"refused, as {changed}: {error}")
        return False
    return True


def test_a_restore_that_fails_is_named_and_done_again(regions: Recreated) -> None:
    """The exporters are paused from the test before."""
    ctx = regions.ctx(LONDON)
    waiting = ctx.waiting(B3)
    ours, theirs = engines.surviving_engine(ctx), engines.recreated_engine(ctx)
    taken = snapshots.take_snapshot(
        ours, waiting, engines.repository(ctx), "spoilt", str(ctx.incident)
    )
    spoil(regions.paths.backup)
    with pytest.raises(DualRegionError, match="cannot restore shard") as failed:
        snapshots.restore_snapshot(theirs, waiting, engines.repository(ctx), taken)
    assert "deleted and restored again" in str(failed.value)
    # The damage is in files that a further snapshot would build upon: a place that is whole, then.
    whole = elsewhere(regions, engines.repository(ctx))
    again = snapshots.take_snapshot(ours, waiting, whole, "whole", str(ctx.incident))
    snapshots.restore_snapshot(theirs, waiting, whole, again)
    assert (
        "the same in both regions"
        in snapshots.prove_equal(ours, theirs, waiting, copy_again())["documents"]
    )


def spoil(backup: Path) -> None:
    """Take the largest data files out of a repository, as a bucket that expires its objects does."""
    files = sorted(backup.rglob("__*"), key=lambda path: path.stat().st_size)
    assert files
    for path in files[-3:]:
        path.unlink()


def elsewhere(regions: Recreated, former: Repository) -> Repository:
    folder = regions.paths.backup / "elsewhere"
    folder.mkdir()
    folder.chmod(0o777)
    return Repository(
        "elsewhere", former.type, {"location": f"{former.settings['location']}/elsewhere"}
    )


def test_a_snapshot_of_another_incident_is_not_taken_for_this_one(regions: Recreated) -> None:
    ctx = regions.ctx(LONDON)
    whole = Repository("elsewhere", "fs", {"location": "/backup/elsewhere"})
    with pytest.raises(
        DualRegionError, match="taken for 1-region1-lost and not for 2-region1-lost"
    ):
        snapshots.take_snapshot(
            engines.surviving_engine(ctx), ctx.waiting(B3), whole, "whole", "2-region1-lost"
        )


def test_an_index_that_is_not_served_is_not_copied_in_part(regions: Recreated) -> None:
    ctx = regions.ctx(LONDON, deadline=5)
    own = engines.surviving_engine(ctx)
    nowhere = {
        "settings": {"index.routing.allocation.require.rack": "none", "number_of_replicas": 0}
    }
    made = ctx.cluster.ask("PUT", own.target, "/unserved?wait_for_active_shards=0", nowhere)
    assert made.status == 200, made.body
    try:
        with pytest.raises(DualRegionError, match=messages.shards_not_served(["unserved/0"])):
            snapshots.take_snapshot(
                own, ctx.waiting(B3), engines.repository(ctx), "in-part", str(ctx.incident)
            )
        # One that is taken all the same gets a part, which is judged as that.
        body = {"indices": "unserved", "partial": True}
        path = f"/_snapshot/{engines.repository(ctx).name}/forced?wait_for_completion=true"
        ctx.cluster.ask("PUT", own.target, path, body)
        found = own.snapshot(engines.repository(ctx).name, "forced")
        assert isinstance(found, Snapshot)
        assert found.state == "PARTIAL"
        assert "PARTIAL, 1 of 1 shards failed" in str(snapshot_bad(found))
    finally:
        ctx.cluster.ask("DELETE", own.target, "/unserved")


def test_a_pause_that_is_refused_with_status_200_is_no_pause(regions: Recreated) -> None:
    """The last test: a broker is taken away, so that a partition lacks a replica."""
    ctx = regions.ctx(LONDON)
    resume(ctx)
    scale = ("scale", "statefulset", "camunda-zeebe", "--replicas=0")
    regions.kubectl(LONDON, "-n", LONDON.failover_namespace, *scale)
    eventually(lambda: "broker 1" in str(broker_views.incomplete(ctx)))
    refusal = ctx.installation.zeebe.pause()
    assert "Expected 4 members of partition" in str(refusal)
    with pytest.raises(DeadlineExceeded, match="paused on every partition of every broker"):
        failback.freeze(regions.ctx(LONDON, deadline=45))
    ready = regions.kubectl(LONDON, "-n", LONDON.namespace, "get", "deployment", "camunda-operate")
    assert "0/0" not in ready, "the web apps stay down although nothing is paused"
