"""Looking at the regions and judging what is seen, for the stages to use at their ends."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from drill.checks import checks, failback_checks
from drill.errors import DrillError
from drill.observation import measure
from drill.observation.cluster import ClusterView
from drill.observation.records import not_exported, record_ids
from drill.operators.command_checks import HEALTHY
from drill.regions import REGIONS, ExpectedBrokers, Region, brokers_after_failover, quorum
from drill.testbed.context import DrillContext
from drill.together import together

_READ_SECONDS = 60.0
"""For one batch of records: ten thousand, sorted, out of a small engine on a busy machine."""


def ask_in_normal(ctx: DrillContext) -> None:
    """Ask `dualregion status` with both regions healthy."""
    ctx.ask_status("normal", "in phase normal", HEALTHY, "status-normal")


def check_topology(
    ctx: DrillContext, phase: str, region: Region, expected: ExpectedBrokers, members: int
) -> None:
    """Check what a region's gateway sees: brokers, leaders, and so many healthy members of each partition."""
    view, count = ctx.view(region), ctx.settings.partition_count
    ctx.check(
        phase,
        lambda: checks.topology_is(view.topology(region.namespace), expected, count),
        lambda: checks.partitions_are_led(view.topology(region.namespace), count, members),
    )


def check_failed_over(ctx: DrillContext, phase: str, survivor: Region) -> None:
    """Check that the survivor works for both regions: brokers and quorum, and where each broker exports to."""
    expected = brokers_after_failover(ctx.settings.cluster_size, survivor.other.index)
    check_topology(ctx, phase, survivor, expected, quorum())
    engines = {
        survivor.index: survivor.namespace,
        survivor.other.index: survivor.failover_namespace,
    }
    pods = ctx.view(survivor).broker_pods(list(engines.values()))
    ctx.check(phase, checks.exporters_point_at(pods, engines))


def check_commands(ctx: DrillContext, phase: str, since: float, after: str) -> None:
    """Check, with the load running, that commands are accepted on every partition."""
    with ctx.progress.stage(f"Checking that commands are accepted {after}"):
        ctx.check(
            phase,
            lambda: checks.commands_accepted(
                ctx.read_load().partitions_since(since), ctx.settings.partition_count, after
            ),
        )


def check_exporting(ctx: DrillContext, phase: str, since: float, after: str) -> None:
    """Check, with the load running, that every partition is exported."""
    partitions = ctx.settings.partitions
    with ctx.progress.stage(f"Checking that records are exported {after}"):
        ctx.check(
            phase,
            lambda: checks.positions_moving(
                measure.partitions_moved(
                    ctx.exports.samples if ctx.exports else (), since, partitions
                ),
                len(partitions),
                after,
            ),
        )


def check_exporters_run(ctx: DrillContext, phase: str) -> None:
    """Check that no exporter of any broker of both regions is paused."""
    views = ctx.views()
    brokers = {region: [region.namespace] for region in REGIONS}
    settings = ctx.settings
    ctx.check(
        phase,
        lambda: failback_checks.exporters_run(
            partitions_of_ready(views, brokers),
            settings.cluster_size,
            settings.partition_count,
        ),
    )


def partitions_of_ready(
    views: Mapping[Region, ClusterView], namespaces: Mapping[Region, Sequence[str]]
) -> dict[str, dict[str, Any]]:
    """Return what every ready broker in some namespaces of the regions answers of its partitions."""
    return {
        pod: partitions
        for region, names in namespaces.items()
        for pod, partitions in views[region].partitions_of_ready(names).items()
    }


def deployments(views: Mapping[Region, ClusterView]) -> dict[str, list[dict[str, Any]]]:
    """Return the Deployments of each region's own namespace."""
    return {region.namespace: view.deployments(region.namespace) for region, view in views.items()}


def check_gone(ctx: DrillContext, phase: str, region: Region, namespace: str) -> None:
    """Check that nothing of an installation is left in a region's cluster: namespace, claims, volumes."""
    view = ctx.view(region)
    ctx.check(
        phase,
        lambda: failback_checks.nothing_is_left(
            namespace,
            view.namespaces(),
            view.claims(namespace),
            view.volumes_of(namespace),
        ),
    )


def check_kept(ctx: DrillContext, phase: str, engines: Mapping[Region, str], since: float) -> None:
    """Look for every instance that was sent after `since` in each of the search engines."""
    keys = sorted(ack.key for ack in ctx.results.load.sent_after(since))
    for region, namespace in engines.items():
        found: set[int] = set()
        where = f"the search engine of {namespace}"
        with ctx.progress.stage(f"Looking for {len(keys)} instances in {where}"):
            _look_for(ctx, keys, found, ctx.view(region), namespace)
        ctx.check(phase, checks.instances_kept(keys, found, where))
        if namespace == region.namespace:
            ctx.results.found[region.index] = frozenset(found)


def check_records(ctx: DrillContext, phase: str) -> None:
    """Compare the exported records of both regions' search engines, once all is exported."""
    views = ctx.views(_READ_SECONDS)
    with ctx.progress.stage("Comparing the exported records of both regions"):
        _wait_until_exported(ctx, views)
        read = together(
            *(
                partial(record_ids, view, region.namespace, ctx.progress.write)
                for region, view in views.items()
            )
        )
        held = dict(zip(views, read, strict=True))
        known = ctx.results.known_records.union(*held.values())
        ctx.results.known_records = known
        ctx.results.records = {region.index: frozenset(ids) for region, ids in held.items()}
        ctx.progress.write(f"  {len(known)} records")
    named = {f"{region.city}'s search engine": ids for region, ids in held.items()}
    ctx.check(phase, failback_checks.records_are_complete(known, named))


def _wait_until_exported(ctx: DrillContext, views: Mapping[Region, ClusterView]) -> None:
    """Wait until both engines hold equally many records, and every exporter has written all, or until time is up."""
    brokers = {region: [region.namespace] for region in views}

    def missing() -> str | None:
        counts = [view.document_count(region.namespace) for region, view in views.items()]
        lacking = not_exported(partitions_of_ready(views, brokers), ctx.settings.partitions)
        if lacking is None and len(set(counts)) > 1:
            return f"they hold {' and '.join(map(str, counts))} records"
        return lacking

    try:
        ctx.wait("all is exported to both search engines", missing, ctx.settings.patience.exported)
    except DrillError as error:
        # The comparison that follows has what is missing where.
        ctx.progress.write(f"  {error}")


def _look_for(
    ctx: DrillContext, keys: Sequence[int], found: set[int], view: ClusterView, namespace: str
) -> None:
    """Add to `found` the keys that the engine knows, until it knows all or time is up."""

    def missing() -> str | None:
        found.update(view.instances_found(namespace, [k for k in keys if k not in found]))
        lacking = len(keys) - len(found)
        return f"{lacking} of {len(keys)} are not there yet" if lacking else None

    try:
        ctx.wait("all are exported", missing, ctx.settings.patience.exported)
    except DrillError as error:
        ctx.progress.write(f"  {error}")
