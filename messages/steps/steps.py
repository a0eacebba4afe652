"""What steps wait for, what is to be done if it does not come, and what they refuse."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed

# --- Waiting


@message
def deadline_exceeded(
    step: str, seconds: float, what: Message, last_seen: Message, hint: Message | None
) -> str:
    """A step waited for its whole deadline: what for, what was observed last, and what to do."""
    return (
        f"{step}: timed out after {seconds:.0f} s waiting until {what}. Last observed: {last_seen}. "
        f"{f'{hint} ' if hint else ''}Run again to continue."
    )


@message
def look_behind_service() -> str:
    """What to do: the service that was called is not ready, so what is awaited was not observed."""
    return "What that call goes to is not ready: look at its pods, `kubectl get pods` in its namespace, and their logs."


@message
def look_at_reach() -> str:
    """What to do: a call was not answered at all."""
    return "Look at that cluster's API server, and your way to it: `kubectl get nodes` with its context."


@message
def wait_done(step: str, what: Message, seconds: float) -> str:
    """A progress line: what was awaited is so."""
    return f"{step}: done: {what} ({seconds:.1f} s)"


@message
def wait_goes_on(step: str, what: Message, seconds: float, reason: str) -> str:
    """A progress line: what is awaited is not so yet, and why."""
    return f"{step}: waiting until {what}: {seconds:.0f} s; {reason}"


@message
def seen_once() -> str:
    """What must be so twice in a row was so once."""
    return "seen once, and looked at once more"


@message
def seen_for_a_while(seconds: float) -> str:
    """What must stay so for some seconds is so now."""
    return f"waiting until it has been so for {seconds:g} s"


# --- What to do


@message
def look_at_pods(kubectl: str) -> str:
    """What to do: the pods show the reason."""
    return f"Look at the pods: {kubectl} get pods."


@message
def look_at_gateway(kubectl: str, deployment: str) -> str:
    """What to do: the gateway's log shows the reason."""
    return f"Look at the gateway's log: {kubectl} logs deployment/{deployment}."


@message
def look_at_brokers() -> str:
    """What to do: the brokers' pods and logs show the reason."""
    return "Look at the broker pods and their logs."


@message
def look_at_brokers_of_survivor() -> str:
    """What to do: the surviving region's brokers show the reason."""
    return "Look at the survivor's broker pods and their logs."


@message
def look_at_brokers_of_both_regions() -> str:
    """What to do: the brokers of both regions show the reason."""
    return "Look at the broker pods of both regions and their logs."


@message
def look_at_broker_log(broker: str, namespace: str) -> str:
    """What to do: a broker's log shows the reason."""
    return f"Look at the log of {broker} in {namespace}."


@message
def look_at_topology() -> str:
    """What to do: the gateway takes an order only if every broker has joined."""
    return "The gateway needs every broker for it: look at the topology and the brokers' logs."


@message
def look_at_region_and_dns() -> str:
    """What to do: the other region's brokers have not joined."""
    return "If the other region's brokers are missing, look at its pods and at the DNS between the regions."


@message
def look_at_dns_and_network() -> str:
    """What to do: the brokers of a recreated region have not joined."""
    return "Look at the DNS and the network between the regions, and at the brokers' logs."


@message
def look_at_engines_and_network() -> str:
    """What to do: exporters write to the search engines of both regions."""
    return (
        "Look at both regions' search engines, at the network from here to the other region's (port 9200), and at the "
        "brokers' logs."
    )


@message
def look_at_engines_here() -> str:
    """What to do: exporters write to both search engines of the surviving region."""
    return "Look at both search engines of this region: their health, disks and the brokers' logs."


@message
def look_at_engines_of_both_regions() -> str:
    """What to do: exporters write to the search engines of both regions."""
    return "Look at both regions' search engines: their health, disks and the brokers' logs."


@message
def look_at_exporters(namespace: str) -> str:
    """What to do: the recreated region's engine is to be empty until the copy is made."""
    return f"Brokers must not export to {namespace} yet; look at its indices and at the exporters' URLs."


@message
def look_at_api_server(region: str) -> str:
    """What to do: a record cannot be written."""
    return f"Look at the API server of region {region}, and at the rights there."


@message
def look_at_controller(kubectl: str, stateful_set: str) -> str:
    """What to do: the controller of StatefulSets does not work."""
    return (
        "Look at the StatefulSet and at the cluster's controller manager: "
        f"{kubectl} describe statefulset {stateful_set}."
    )


@message
def look_at_namespace(context: str, namespace: str) -> str:
    """What to do: something keeps a namespace from ending."""
    return f"Look at what keeps it: kubectl --context {context} describe namespace {namespace}."


@message
def look_at_gateway_pod(namespace: str) -> str:
    """What to do: a gateway does not see all brokers."""
    return f"Look at its log; as a last resort delete its pod in {namespace}."


@message
def run_again() -> str:
    """What to do: Pulumi has not made everything."""
    return "Run `pulumi up` again."


@message
def compare_values() -> str:
    """What to do: brokers do not have the environment that was installed."""
    return "Run `pulumi up` again; if it stays, compare `helm get values` with the preview."


@message
def each_stack_repoints() -> str:
    """What to do: the brokers of the other stack export elsewhere."""
    return "Each stack has to pass step B4 first."


@message
def back_out_if_resumed() -> str:
    """What to do: exporting was resumed in the midst of a failback."""
    return "If exporting was resumed by hand, back out: set phase failover on both stacks, and begin the failback again."


@message
def back_out_if_deleted(namespace: str) -> str:
    """What to do: the failover installation is gone, and exporters are paused."""
    return f"If namespace {namespace} was deleted by hand before exporting went on, back out."


@message
def back_out() -> str:
    """What to do about a copy that lacks records, once brokers may not be kept from it any more."""
    return (
        "Exporting stays paused, so nothing is lost. To go on, back out and begin the failback again: set phase failover "
        "on both stacks and run `pulumi up` on the survivor's, then set phase failback-pending. `pulumi up` alone ends "
        "here again, unless retention has deleted what is old in one region and is yet to do so in the other"
    )


@message
def copy_again() -> str:
    """What to do about a copy that lacks records."""
    return (
        "The next run takes a new snapshot and restores it; if that ends in the same way, back out (set phase failover on "
        "both stacks) and begin the failback again. Nothing is lost as long as exporting is paused"
    )


@message
def scale_to_nothing(kubectl: str) -> str:
    """What to do: Operate and Tasklist were scaled up in the midst of a failback."""
    return f"Scale them to 0: {kubectl} scale deployment --replicas=0 NAME."


@message
def retire_failover(stack: str) -> str:
    """What to do: the failover installation is still there."""
    return f"Run `pulumi up` on stack {stack}; look at what keeps the namespace."


@message
def cut_or_back_out(gateway: Message, region: str, stack: str) -> str:
    """What to do: the lost region's brokers are still in the topology."""
    return (
        f"{gateway} If region {region} is really lost, cut the network between the regions. If its failback is backed out "
        f"of, run `pulumi up` on stack {stack} in phase failover: it removes them."
    )


@message
def lost_region_works(partition: int, lost_name: str, own_name: str) -> str:
    """What is seen in F2: a region that was cut off still works with brokers of the survivor."""
    return (
        f"partition {partition} has just carried out a command in region {lost_name}, for which it needs brokers of "
        f"{own_name}: that region lives, and brokers here follow its leaders, although the network policies exist"
    )


@message
def cut_what_policies_leave(lost_name: str) -> str:
    """What to do then: policies may leave connections that are there already, and come late to a pod that starts."""
    return (
        f"Cut the network between the regions by other means (routes, security groups, network ACLs), or stop the brokers "
        f"of region {lost_name}: network policies may leave connections that were made before them, or while a pod started."
    )


@message
def cut_by_hand(gateway: Message, region: str) -> str:
    """What to do: the lost region's brokers are still in the topology, and nothing was cut off."""
    return (
        f"Nothing was cut off. {gateway} If region {region} is only partly down, cut the network between the regions "
        "yourself."
    )


@message
def look_at_brokers_until_then(namespace: str, region: str) -> str:
    """What to do: partitions need the failover brokers, which are to be deleted."""
    return (
        f"The failover brokers stay until then. Look at the broker pods of {namespace} and of region {region}, and their "
        "logs."
    )


# --- What is awaited


@message
def record_written(name: str, namespace: str) -> str:
    """Awaited after a step is proved: its record is what shows it later."""
    return f"the record {name} of what is proved is written in {namespace}"


@message
def record_not_written(step: str, name: str, namespace: str, reason: Message, hint: Message) -> str:
    """The record of a proved step cannot be written, for a reason that does not pass by itself."""
    return f"{step}: the record {name} of what is proved is not written in {namespace}: {reason}. {hint}"


@message
def brokers_ready(count: int, namespace: str) -> str:
    """Awaited in N."""
    return f"the {count} brokers of {namespace} are ready"


@message
def failover_brokers_ready(count: int, namespace: str) -> str:
    """Awaited in F2."""
    return f"{count} failover brokers in {namespace} are ready"


@message
def brokers_rolled_out(namespace: str) -> str:
    """Awaited where brokers have a new configuration."""
    return f"the brokers of {namespace} are rolled out"


@message
def engine_ready(namespace: str) -> str:
    """Awaited where the chart brings a search engine."""
    return f"the search engine of {namespace} is ready"


@message
def engine_not_watched(namespace: str) -> str:
    """A search engine that the chart does not bring is not awaited."""
    return f"the search engine of {namespace} is none of the chart's, and is not looked at"


@message
def cluster_complete(brokers: int) -> str:
    """Awaited wherever all brokers of both regions take part."""
    return f"all {brokers} brokers joined and every partition is complete"


@message
def commands_accepted() -> str:
    """Awaited where commands must be accepted; the one that is sent leaves nothing behind."""
    return "a command is accepted on every partition"


@message
def several_refuse_commands(first: Message, others: int) -> str:
    """Several partitions do not process commands."""
    return f"{first} (and {others} more)"


@message
def gateway_answers() -> str:
    """Awaited where the brokers are listed as evidence."""
    return "the gateway answers"


@message
def web_apps_available(namespace: str) -> str:
    """Awaited in N."""
    return f"the gateway and the web apps of {namespace} are available"


@message
def web_apps_up(namespace: str) -> str:
    """Awaited in B5."""
    return f"Operate and Tasklist of {namespace} are up"


@message
def web_apps_down(namespace: str) -> str:
    """Awaited in B2."""
    return f"Operate and Tasklist of {namespace} are down"


@message
def web_apps_stay_down(namespace: str) -> str:
    """Awaited in B3 and B4: they must not write to an engine that is copied."""
    return f"Operate and Tasklist of {namespace} are still down"


@message
def lost_brokers_gone(region: str, namespace: str) -> str:
    """Awaited in F1."""
    return f"the brokers of {region} ({namespace}) are gone from the topology"


@message
def policies_exist() -> str:
    """Awaited in F1."""
    return "the network policies exist"


@message
def policies_missing(policies: Sequence[str]) -> str:
    """Network policies of the isolation are not there."""
    return f"missing: {listed(policies)}"


@message
def failover_brokers_joined(brokers: Sequence[int]) -> str:
    """Awaited in F2."""
    return f"failover broker {listed(brokers)} joined"


@message
def partitions_have_quorum() -> str:
    """Awaited in F2."""
    return "every partition has a leader and quorum"


@message
def partitions_have_leaders() -> str:
    """Why stale brokers are not restarted all at once."""
    return "every partition has a leader"


@message
def exporters_repointed(namespace: str) -> str:
    """Awaited in F3."""
    return f"StatefulSet and pods of {namespace} have the exporters' new addresses"


@message
def exporters_as_before(namespace: str) -> str:
    """Awaited from B4 on."""
    return f"StatefulSet and pods of {namespace} have the exporters' original addresses"


@message
def half_of_the_brokers_asleep(namespace: str) -> str:
    """Awaited in B1."""
    return f"the odd brokers of {namespace} are ready, the even ones asleep"


@message
def leftovers_known(namespace: str) -> str:
    """Awaited in B0, and before the recreated region's install, where the search engine is not the chart's."""
    return f"the search engine of {namespace} says what it holds"


@message
def engine_empty(namespace: str) -> str:
    """Awaited in B1."""
    return f"the search engine of {namespace} is green and empty"


@message
def awake_brokers_joined(brokers: Sequence[int]) -> str:
    """Awaited in B1."""
    return f"broker {listed(brokers)} joined and every partition is complete"


@message
def engines_can_be_copied() -> str:
    """Awaited in B2, before anything is paused."""
    return "both search engines report whether they can be copied"


@message
def engine_holds_records(namespace: str) -> str:
    """Awaited in B2 where no record was found."""
    return f"the search engine of {namespace} reports whether it holds records"


@message
def failover_records_known(recreated: str, failover: str) -> str:
    """Awaited before brokers export to the copy."""
    return f"the search engines of {recreated} and {failover} report which records they hold"


@message
def failover_namespace_gone(namespace: str, region: str) -> str:
    """Awaited in B6."""
    return f"namespace {namespace} and its volumes are gone from region {region}"


@message
def failover_brokers_gone() -> str:
    """Awaited in B6: brokers that sleep take their ids."""
    return "no failover broker is in the topology"


@message
def gateway_sees_all(namespace: str, brokers: int) -> str:
    """Awaited in B7: the recreated region's own gateway works, too."""
    return f"the gateway of {namespace} sees all {brokers} brokers, too"


@message
def restarts_by_hand(namespace: str) -> str:
    """Awaited before brokers are restarted one after the other."""
    return f"the brokers of {namespace} restart only by hand"


@message
def broker_renewed(broker: str, namespace: str, sleeps: bool) -> str:
    """Awaited for each broker in turn."""
    return f"{broker} in {namespace} {'sleeps in' if sleeps else 'runs'} the new configuration"


@message
def complete_after_rollout(namespace: str) -> str:
    """Awaited after brokers were restarted."""
    return f"every partition is complete, as all brokers of {namespace} run the new configuration"


@message
def sleepers_awake(count: int, namespace: str) -> str:
    """Awaited in B7."""
    return f"{count} sleeping brokers of {namespace} are awake and every partition is complete"


@message
def not_needed_any_more(namespace: str) -> str:
    """Awaited before the failover installation is deleted."""
    return f"every partition works without the failover brokers of {namespace}, before they are deleted"


@message
def out_of_sight(region: str) -> str:
    """Awaited before the lost region is cut off: afterwards that it is not seen proves nothing."""
    return f"the brokers of {region} are out of sight, before anything cuts them off"


@message
def namespace_free(namespace: str) -> str:
    """Awaited before the failover namespace is made again."""
    return f"namespace {namespace} may be made, and no former one is being deleted"


@message
def rights_effective(namespace: str) -> str:
    """Awaited after a RoleBinding was made."""
    return f"RBAC in namespace {namespace} is effective"


@message
def look_at_subject(context: str) -> str:
    """What to do: a RoleBinding gives rights to someone else."""
    return f"Is the user of kube context {context} the one that rights.subject names?"


# --- What steps refuse


@message
def lost_region_unreachable(step: str, reason: Message, region: str) -> str:
    """A failback begins, and the lost region's cluster does not answer."""
    return (
        f"{step}: {reason}. A failback needs region {region} again: recreate its cluster, update its context in the "
        "kubeconfig, and run `pulumi up` again. Nothing was changed"
    )


@message
def region_not_clean(
    *, step: str, region: str, namespace: str, left: Sequence[str], stack: str, context: str
) -> str:
    """A failback begins, and the lost region still holds something of Camunda."""
    return (
        f"{step}: region {region} is not clean, its namespace {namespace} holds {listed(left)}. Old data must not come "
        "back. Let its own stack remove what it knows of (`pulumi config set phase failover` and `pulumi up` on stack "
        f"{stack}), or delete the rest: kubectl --context {context} delete namespace {namespace} (and `delete pv` for "
        "volumes that are kept). Then run `pulumi up` again"
    )


@message
def copy_would_fail(step: str, problems: Sequence[str]) -> str:
    """The search engine cannot be copied: found before anything was paused for it."""
    return f"{step}: {'; '.join(problems)}. Nothing was changed"


@message
def quiet_beyond_deadline(quiet: int, deadline: int) -> str:
    """The exporters keep records for so long that B2 could never be proved within its deadline."""
    return (
        f"nothing may come from the paused exporters for {quiet} s, twice their ARGS_BULK_DELAY, and deadlineSeconds is "
        f"{deadline}: set it to {2 * quiet} or more"
    )


@message
def survivor_lacks_records(step: str, namespace: str, reason: Message, resumed: Message) -> str:
    """The surviving region's search engine does not get all records of the failover one."""
    return (
        f"{step}: the survivor's search engine does not hold all that the failover one does: {reason}. Look at the health "
        f"and load of the search engine in {namespace}; run again to try again. {resumed}"
    )


@message
def exporting_resumed() -> str:
    """What became of exporting when B2 failed."""
    return "Exporting was resumed, and the web apps are scaled back"


@message
def exporting_not_resumed(reason: Message) -> str:
    """What became of exporting when B2 failed."""
    return f"Exporting could not be resumed: {reason}"


@message
def copy_lacks_records(step: str, missing: Message, remedy: Message) -> str:
    """The recreated region's search engine lacks records that the failover one holds."""
    return (
        f"{step}: the recreated region's search engine does not hold every record that the failover one does: {missing}. "
        f"They were written after the snapshot, or the copy has lost them. {remedy}"
    )


@message
def brokers_export_to_copy(
    step: str, namespace: str, reason: Message, broker_namespace: str
) -> str:
    """Nothing is restored into a search engine that brokers export to."""
    return (
        f"{step}: nothing is restored into the search engine of {namespace}, as brokers may export to it already: {reason} "
        f"({broker_namespace}). Run `pulumi up` on both stacks again; if it stays, back out with phase failover on both "
        "stacks"
    )


@message
def claim_visible() -> str:
    """Awaited in F0 and F1: another operator's run reads it."""
    return "the state backend shows this failover's claim"


@message
def claim_not_visible() -> str:
    """The state of the stack does not hold the claim."""
    return "the state backend does not show it yet"


@message
def look_at_checkpoints() -> str:
    """What to do: Pulumi does not save the state during a run."""
    return "`pulumi stack export` must show it; is PULUMI_SKIP_CHECKPOINTS set?"


@message
def no_other_claim() -> str:
    """Awaited in F0 for a moment: another operator may claim the other region at the same time."""
    return "no other failover is claimed"


@message
def rival_claim(stack: str, incident: str) -> str:
    """The other stack has begun to claim a failover for this region."""
    return f"stack {stack} claims incident {incident} and has not confirmed it"


@message
def given_up_region_lives(incident: str, region: str, brokers: Sequence[str], context: str) -> str:
    """The loss of a region is accepted, and its brokers are ready."""
    return (
        f"acceptLoss is {incident}, but region {region} lives: {listed(brokers)} ready in kube context {context!r}. Two "
        "clusters would accept commands. Take it back (`pulumi config rm acceptLoss`) and go on with that region; or end "
        "its brokers first, if they are to be given up"
    )
