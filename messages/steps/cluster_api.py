"""The procedure by the cluster API (Camunda 8.6 and later): what is awaited, refused, and what to do."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed

# --- What to do


@message
def look_at_change(kubectl: str, gateway: str) -> str:
    """What to do: a change of the cluster's configuration does not end."""
    return (
        "Each operation is carried out by the broker that it names, which tries again for as long as it fails: look at "
        "that broker's log, and leave its pod alone while it works. A change that names a broker that is gone never ends: "
        f"as a last resort end it as it stands, by `{kubectl} port-forward service/{gateway} 9600` and `curl -X DELETE "
        "localhost:9600/actuator/cluster/changes/ID`. What is done by then stays done, and this step does the rest."
    )


@message
def look_at_members(change: Message) -> str:
    """What to do: the gateway takes an order to the exporters only while every member answers."""
    return f"The gateway needs every member for it: look at the brokers' logs. {change}"


@message
def look_at_recreated(kubectl: str) -> str:
    """What to do: the recreated region's brokers are not in sight, or end again and again."""
    return (
        f"Look at the pods and logs there: {kubectl} get pods. Brokers end with code 3, and start again, when they meet the "
        "cluster that has removed them. Both regions' brokers must resolve and reach each other (port 26502)."
    )


@message
def look_at_profiles(namespace: str) -> str:
    """What to do: the web apps that the brokers run are others than the release says."""
    return f"Look at `spring.profiles.active` in the brokers' configuration in {namespace}; run `pulumi up` again."


@message
def scale_by_hand(kubectl: str) -> str:
    """What to do: Operate and Tasklist run while their search engine is to be copied."""
    return f"Run `pulumi up` again; what Helm does not know of, scale to 0: {kubectl} scale deployment --replicas=0 NAME."


# --- What is awaited


@message
def all_members(brokers: int) -> str:
    """Awaited in N, B6 and B7."""
    return f"all {brokers} brokers are members, and every partition has its replicas on them"


@message
def kept_in_sight(brokers: Sequence[int]) -> str:
    """Awaited in F1: of two regions the one that is called lost must not be the one that is left."""
    return f"broker {listed(brokers)} of this region is in the topology"


@message
def removal_shown() -> str:
    """Awaited in F1: a dry run, which changes nothing."""
    return "a dry run shows that nothing but the lost brokers would be removed"


@message
def lost_removed(brokers: Sequence[int]) -> str:
    """Awaited in F2."""
    return f"broker {listed(brokers)} is removed from the cluster"


@message
def brokers_as_released(namespace: str) -> str:
    """Awaited in F2: a failback that is backed out of may have left another configuration."""
    return f"the brokers of {namespace} run what the release says"


@message
def partitions_led_steadily() -> str:
    """Awaited in F2: the brokers that remain keep the new configuration once every partition has worked for a while."""
    return "every partition is led by the brokers that remain, for some seconds"


@message
def exporter_disabled(exporters: Sequence[str]) -> str:
    """Awaited in F3."""
    return f"exporter {listed(exporters)} is disabled on every partition"


@message
def outsiders_in_sight(brokers: Sequence[int]) -> str:
    """Awaited in B1: they run, and hold nothing until they are added."""
    return f"broker {listed(brokers)} is in sight, and no member of the cluster"


@message
def exports_stand_still(namespace: str) -> str:
    """Awaited in B2, with exporters paused: what they had buffered is still written."""
    return f"nothing is written to the search engine of {namespace} any more"


@message
def exports_still_come(seconds: float) -> str:
    """Positions or engine have moved a moment ago: brokers write what they have buffered."""
    return f"waiting until neither positions nor engine have moved for {seconds:g} s"


@message
def engine_holds_nothing(namespace: str) -> str:
    """Records were exported, and the engine that they went to has no index: it is not the one, or has lost all."""
    return f"exporters have exported records, and the search engine of {namespace} holds no index"


@message
def copy_lies_apart() -> str:
    """Awaited in B3, before anything is restored."""
    return "no broker can write to the recreated region's search engine"


@message
def exporter_enabled(exporter: str, source: str) -> str:
    """Awaited in B4."""
    return f"exporter {exporter} is enabled on every partition, where {source} stands"


@message
def lost_added(brokers: Sequence[int]) -> str:
    """Awaited in B6."""
    return f"broker {listed(brokers)} is a member again, with its replicas"


@message
def exporters_enabled() -> str:
    """Awaited in N and B7."""
    return "the exporters of both regions are enabled on every partition"


# --- Why not yet


@message
def profiles_unknown(namespace: str) -> str:
    """The brokers' configuration does not show which web apps they run."""
    return f"the configuration of the brokers in {namespace} has no `spring.profiles.active`"


@message
def profiles_differ(namespace: str, active: Sequence[str], wanted: Sequence[str]) -> str:
    """The brokers run other web apps than the release says."""
    return f"the brokers of {namespace} run {listed(active) or 'no web app'}, and not {listed(wanted) or 'none'}"


@message
def holds_replicas(brokers: Sequence[int]) -> str:
    """Brokers that are no members yet are seen with partitions."""
    return f"broker {listed(brokers)} has partitions already"


@message
def restarts_seen(brokers: Sequence[str], counts: Sequence[int], seconds: float) -> str:
    """The recreated region's brokers have run for a moment only, or restart again and again."""
    shown = (f"{broker}: {count}" for broker, count in zip(brokers, counts, strict=True))
    return f"waiting until no broker has restarted for {seconds:g} s (restarts, of {listed(shown)})"


# --- What is refused, and what fails


@message
def change_refused(step: str, reason: Message) -> str:
    """The cluster refuses a change that the step needs."""
    return f"{step}: {reason}. Nothing was changed by this call; the topology shows the members and their partitions"


@message
def change_not_completed(step: str, reason: Message) -> str:
    """A change of the cluster's configuration has failed, or a person has ended it."""
    return f"{step}: {reason}. What it had done by then stays done. Run again: what is missing is asked for once more"


@message
def removal_would_harm(step: str, problem: Message) -> str:
    """A dry run shows that the removal would take away something else than the lost region's brokers."""
    return (
        f"{step}: the lost region's brokers are not removed: {problem}. Compare `clusterSize`, `partitionCount`, "
        "`replicationFactor`, `region` and `lostRegion` with the topology. Nothing was changed"
    )


@message
def addition_would_harm(step: str, problem: Message) -> str:
    """A dry run shows that the addition would do something else than let the recreated region's brokers join."""
    return (
        f"{step}: the recreated region's brokers are not added: {problem}. Compare `clusterSize`, `partitionCount` and "
        "`replicationFactor` with the topology. Nothing was changed"
    )


@message
def paused_softly(step: str, where: Message) -> str:
    """Exporters are paused the soft way: a hard pause on top of it leaves what a partition cannot start with."""
    return (
        f"{step}: {where}. A soft pause must end before: POST /actuator/exporting/resume at the gateway's port 9600 "
        "(camunda/camunda issue 55838), and run again"
    )


@message
def exporting_goes_on() -> str:
    """What became of exporting when B2 failed."""
    return "Exporting was resumed. The web apps stay down until the failback goes on or is backed out of"


@message
def exports_do_not_settle(step: str, namespace: str, reason: Message, resumed: Message) -> str:
    """The surviving region's search engine does not stand still although exporters are paused."""
    return (
        f"{step}: the search engine of {namespace} does not stand still: {reason}. Does anything else write to it? Look at "
        f"its health and load; run again to try again. {resumed}"
    )


@message
def copy_not_apart(step: str, reason: Message) -> str:
    """Nothing is restored into a search engine that brokers may write to."""
    return (
        f"{step}: nothing is restored into the recreated region's search engine, as brokers may write to it: {reason}. Back "
        "out (set phase failover on both stacks), and begin the failback again"
    )


# --- Progress


@message
def hangs_at_start() -> str:
    """Why a broker is restarted: it runs, and its management port never answers, as when no peer resolved at its start."""
    return "it runs, and does not answer for more than a minute"
