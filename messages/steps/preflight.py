"""What is refused, or a person is warned of, before anything is changed."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed


@message
def retired(namespace: str) -> str:
    """A warning: nothing guards the region's installation any more."""
    return (
        f"retire is {namespace!r}: `pulumi destroy --run-program` deletes this region's installation with all its data, "
        "without asking what it is needed for; `pulumi config rm retire` if it is to stay"
    )


@message
def not_yet_granted(namespace: str) -> str:
    """A progress line: a run was killed before the program had its rights in a namespace that it had made."""
    return (
        f"what namespace {namespace} holds is looked at once the program has its rights in it, before anything is "
        "installed there"
    )


@message
def changes_allowed(changes: Sequence[str]) -> str:
    """A warning: changes pass that are refused otherwise."""
    return (
        f"changes of {listed(changes)} pass, as allowChanges says: take that out when they are done"
    )


@message
def found_again(region: str, steps: Sequence[str]) -> str:
    """A warning: the stack's state is empty, and the cluster is not."""
    return (
        f"the state of this stack holds nothing of region {region} any more, but the cluster does: what runs there is "
        f"taken over, and steps {listed(steps)} count as proved, as their records say"
    )


@message
def proved_on_what_is_gone(step: str, names: Sequence[str]) -> str:
    """A warning: what proved a step was deleted or recreated."""
    return (
        f"what {step} was proved on is gone or was recreated ({listed(names)}): it is proved again"
    )


@message
def waiting_for(reason: Message) -> str:
    """What this stack waits for."""
    return f"waiting: {reason}"


@message
def contradiction(problem: Message) -> str:
    """The program was about to declare something that contradicts itself: a fault of the program."""
    return f"{problem}. That is a fault of this program: please report it"


@message
def region_answers_now(region: str) -> str:
    """A region that was to be cleaned answers now, and did not when its deletion should have been asked about."""
    return (
        f"region {region} answers now, and did not when it was looked whether its deletion must be asked about; nothing "
        "of it was deleted. Run the same command again: it asks first"
    )


@message
def empty_return(region: int, name: str, peer: str, namespace: str, context: str) -> str:
    """A region of a running cluster is empty: brokers that start there without their data could lose work."""
    return (
        f"region {name} worked together with region {peer}, and now namespace {namespace} of kube context {context!r} is "
        "empty: brokers that start there without their data could lose acknowledged work. If the region was lost, set "
        f"phase failover and lostRegion {region} on both stacks, and then fail back; if not, check the context"
    )


@message
def engine_not_installed(version: str, namespace: str, context: str, selector: str) -> str:
    """The version's chart brings no search engine, and none is installed where the release is to be."""
    return (
        f"namespace {namespace} of kube context {context!r} has no search engine (StatefulSets with {selector}), and the "
        f"chart of Camunda {version} brings none: install it there first, with its password, and run again "
        "(docs/prepare/search-engine.md); if it is called otherwise, say so in searchEngine"
    )


@message
def leftovers(
    namespace: str, left: Sequence[str], is_failover: bool, context: str, volumes: Sequence[str]
) -> str:
    """A namespace holds something where an installation is to begin with nothing."""
    what = "the failover installation" if is_failover else "a recreated region"
    kubectl = f"kubectl --context {context} delete"
    retained = f", and `{kubectl} pv {' '.join(volumes)}`" if volumes else ""
    return (
        f"namespace {namespace} holds {listed(left)}: {what} starts from nothing, as its old data must not come back; "
        f"if it is not needed any more, delete it (`{kubectl} namespace {namespace}`{retained}), then run `pulumi up` "
        "again"
    )


@message
def not_made_in_lost_region(name: str, region: str) -> str:
    """Nothing is made in a region that is called lost: its brokers' ids may be in use elsewhere."""
    return (
        f"{name}: region {region} is lost: nothing is made in it before its failback. What its state remembers is gone "
        "from the cluster; run `pulumi up` here again once the other region has taken over"
    )


@message
def not_changed_in_lost_region(name: str, region: str) -> str:
    """Nothing is changed in a region that is called lost: it may be healthy, and called lost by mistake."""
    return (
        f"{name}: region {region} is called lost, so nothing in it is changed, but it is not as its stack's last update "
        "left it. If the region is not lost, set phase normal again; if it is, run `pulumi up` here again once the other "
        "region has taken over: then it is cleaned"
    )


@message
def no_survivor(region: str, namespace: str, context: str, stateful_set: str) -> str:
    """A failover needs a running surviving region, and nothing is installed there."""
    return (
        f"region {region} is to survive, but no survivor runs there: StatefulSet {stateful_set} not found in namespace "
        f"{namespace} (context {context!r}). Check lostRegion, namespace and context"
    )


@message
def unsafe_distribution(problem: Message, cluster_size: int, replication_factor: int) -> str:
    """The partitions of the live cluster lie so that a failover would not bring it back."""
    return (
        f"{problem}: the live cluster does not hold its partitions as a new one would (clusterSize {cluster_size}, "
        f"replicationFactor {replication_factor}); it began on an older version, or with another partitioning. A failover "
        "would not bring it back"
    )


@message
def distribution_unknown(reason: Message) -> str:
    """It is unknown whether a failover reaches a quorum."""
    return f"{reason}: whether the failover reaches a quorum cannot be known beforehand"


@message
def loss_not_visible(region: str, reason: Message) -> str:
    """The surviving region's gateways do not show yet whether the other region is lost."""
    return f"whether {region} is lost cannot be seen from here yet: {reason}"


@message
def lost_region_cut_off(region: str, ready: Message) -> str:
    """The region called lost lives, and is cut off from the surviving one."""
    return (
        f"the survivor does not see region {region}, but its cluster answers, and {ready} there: it lives, and is cut off. "
        "Keep the network between the regions cut until it is clean"
    )


@message
def brokers_leave(region: str) -> str:
    """Awaited before a failover: gateways see brokers for a while that have just died; what needs them stands still."""
    return f"the brokers of {region} leave the topology, or what needs them stands still"


@message
def lost_brokers_still_listed(region: str, brokers: Message, survivor: str) -> str:
    """A progress line: a region is as good as seen lost, and gateways still list its brokers."""
    return (
        f"{brokers}, but the API server of {region} is silent, {survivor} leads no partition, and none carries out a "
        "command. Nothing is cut off, and no broker started, before they are out of sight"
    )


@message
def brokers_ready_there(brokers: Sequence[str], namespace: str) -> str:
    """Brokers of the region called lost are ready."""
    return f"{listed(brokers)} of {namespace} ready"


@message
def cluster_answers_there(ready: Message) -> str:
    """Why a region is not lost: its cluster answers, and brokers are ready there."""
    return f"its cluster answers, and {ready} there"


@message
def command_carried_out(partition: int) -> str:
    """Why a region is not lost: a partition that needs its brokers has carried out a command."""
    return f"partition {partition} has just carried out a command, for which it needs brokers of that region"


@message
def region_not_lost(lost_region: int, lost_name: str, reason: Message, region: int) -> str:
    """The region called lost is up."""
    return (
        f"lostRegion is {lost_region} ({lost_name}), but {reason}: region {lost_name} is still up. If region {region} is "
        f"the lost one, set lostRegion {region} on both stacks. If {lost_name} is only partly down, cut the network "
        "between the regions first. Nothing was changed"
    )
