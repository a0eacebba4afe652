"""Looking at the regions and judging what is seen, for the stages to use at their ends."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from drill.checks import checks, cluster_checks, failback_checks
from drill.errors import DrillError
from drill.observation import measure
from drill.observation.cluster import ClusterView
from drill.observation.pods import is_ready
from drill.observation.records import not_exported, record_ids
from drill.observation.web_apps import WebApps
from drill.operators.command_checks import HEALTHY
from drill.procedure.cluster_api import ENABLED
from drill.procedure.model import Membership, Place, Situation, Until
from drill.regions import REGIONS, ExpectedBrokers, Region, replicas
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


def check_situation(ctx: DrillContext, label: str, phase: Until, lost: Region) -> None:
    """Check what the survivor's cluster must be like at the end of a phase, and where its brokers export to."""
    check_seen(ctx, label, phase, lost, by=lost.other)
    check_addresses(ctx, label, phase, lost)


def check_seen(ctx: DrillContext, label: str, phase: Until, lost: Region, by: Region) -> None:
    """Check what a region's gateway must see of the cluster at the end of a phase."""
    situation = ctx.settings.procedure.situations[phase]
    expected = situation.brokers(ctx.settings.cluster_size, lost.index)
    check_topology(ctx, label, by, expected, situation.healthy)
    if situation.membership:
        _check_membership(ctx, label, situation, situation.membership, lost=lost, by=by)


def check_addresses(ctx: DrillContext, label: str, phase: Until, lost: Region) -> None:
    """Check which search engines the brokers export to at the end of a phase."""
    situation, survivor = ctx.settings.procedure.situations[phase], lost.other
    engines = {survivor.index: survivor.namespace, lost.index: situation.engine.of(lost)[1]}
    pods = [pod for pod in broker_pods(ctx, situation.at, lost) if is_ready(pod)]
    # Those outside of the cluster may never be ready before they are added.
    pods += broker_pods(ctx, situation.outside, lost)
    variable_of = ctx.settings.version.address_variable
    ctx.check(label, checks.exporters_point_at(pods, engines, variable_of))


def _check_membership(
    ctx: DrillContext,
    label: str,
    situation: Situation,
    membership: Membership,
    *,
    lost: Region,
    by: Region,
) -> None:
    """Check the cluster's configuration: members and their partitions, sizes, exporters."""
    size, view, where = ctx.settings.cluster_size, ctx.view(by), by.namespace
    members, outsiders = situation.members(size, lost), situation.outsiders(size, lost)
    exporter_to = ctx.settings.version.exporter_to
    exporters = {
        exporter_to(lost.other.index): ENABLED,
        exporter_to(lost.index): membership.lost_exporter,
    }
    ctx.check(
        label,
        lambda: cluster_checks.members_are(view.configuration(where), replicas(size, members)),
        lambda: cluster_checks.sizes_are(
            view.topology(where), len(members), membership.replication_factor
        ),
        lambda: cluster_checks.exporters_are(view.exporters(where), exporters),
    )
    if outsiders:
        ctx.check(
            label, lambda: cluster_checks.outsiders_hold_nothing(view.topology(where), outsiders)
        )


def broker_pods(ctx: DrillContext, places: Sequence[Place], lost: Region) -> list[dict[str, Any]]:
    """Return the broker pods of some installations."""
    return [
        pod
        for region, namespace in (place.of(lost) for place in places)
        for pod in ctx.view(region).broker_pods([namespace])
    ]


def partitions_at(ctx: DrillContext, phase: Until, lost: Region) -> dict[str, dict[str, Any]]:
    """Return what every broker that holds partitions at the end of a phase answers of them."""
    brokers: dict[Region, list[str]] = {}
    for region, namespace in (
        place.of(lost) for place in ctx.settings.procedure.situations[phase].at
    ):
        brokers.setdefault(region, []).append(namespace)
    return partitions_of_ready(ctx.views(), brokers)


def member_count(ctx: DrillContext, phase: Until, lost: Region) -> int:
    """Return how many brokers hold partitions at the end of a phase."""
    situation = ctx.settings.procedure.situations[phase]
    return len(situation.members(ctx.settings.cluster_size, lost))


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


def check_web_apps_ready(ctx: DrillContext, label: str, regions: Sequence[Region]) -> None:
    """Check that the web applications of regions are ready."""
    views = {region: ctx.view(region) for region in regions}
    ctx.check(label, lambda: failback_checks.web_apps_ready(_web_apps(views)))


def check_web_apps_off(ctx: DrillContext, label: str) -> None:
    """Check that no web application of either region runs."""
    views = ctx.views()
    ctx.check(label, lambda: failback_checks.web_apps_off(_web_apps(views)))


def _web_apps(views: Mapping[Region, ClusterView]) -> dict[str, WebApps]:
    """Return how the web applications stand in each region's own namespace."""
    return {region.namespace: view.web_apps(region.namespace) for region, view in views.items()}


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
