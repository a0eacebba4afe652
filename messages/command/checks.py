"""What `dualregion preflight` checks (`check-...`), what it finds, and how to fix it (`fix-...`)."""

from collections.abc import Sequence

from messages.catalogue import message
from messages.words import bytes_of, duration, listed, some_of

# --- The checks -----------------------------------------------------------------------------------------------------


@message
def check_stacks_alike() -> str:
    """Both stacks must have the same settings, but for those of a stack's own."""
    return "both stacks are configured alike"


@message
def check_quorum() -> str:
    """Every partition keeps its quorum with the failover brokers, whichever region is lost."""
    return "quorum after either loss"


@message
def check_values() -> str:
    """The Helm values can be read, and the procedure can work with them."""
    return "Helm values"


@message
def check_keys_encrypted() -> str:
    """The search engine's keys are kept as secrets, encrypted in the stacks' settings files and states."""
    return "elasticsearchSecret is encrypted"


@message
def check_as_installed(stack: str) -> str:
    """A failover would change nothing but what it must."""
    return f"stack {stack} is installed as it is configured"


@message
def check_backend() -> str:
    """The state backend must be there when a region, or this machine, is not."""
    return "the state backend outlasts either region"


@message
def check_isolation(region: str) -> str:
    """How the region is cut off when it is lost."""
    return f"isolation of region {region}"


@message
def check_at_rest(stack: str) -> str:
    """No run of Pulumi holds the stack, and none has left anything pending."""
    return f"stack {stack} is at rest"


@message
def check_region_answers(region: str) -> str:
    """The region's API server answers."""
    return f"region {region} answers"


@message
def check_partitions() -> str:
    """Every partition has a leader and all replicas, healthy."""
    return "every partition is complete"


@message
def check_gateway(region: str) -> str:
    """Network and DNS between the regions work: each gateway sees the brokers of both."""
    return f"the gateway of region {region} sees all brokers"


@message
def check_exporting() -> str:
    """The exporters of every replica of every partition work."""
    return "every broker exports"


@message
def check_failover_complete() -> str:
    """A failback follows on a failover that is complete."""
    return "the failover is complete"


@message
def check_snapshot_place() -> str:
    """The configuration says where the snapshot of the search engine goes."""
    return "where the snapshot goes"


@message
def check_rights(region: str) -> str:
    """A stack has the rights in its own region that the procedure needs."""
    return f"rights in region {region}"


@message
def check_gitops(region: str) -> str:
    """Neither Argo CD nor Flux puts back what the procedure changes in the region."""
    return f"no GitOps tool holds the release in region {region}"


@message
def check_peer_rights(region: str) -> str:
    """The other region's stack has the rights in this region that a failback needs."""
    return f"rights of the other stack in region {region}"


@message
def check_region_clean(region: str) -> str:
    """A recreated region starts from nothing."""
    return f"region {region} is clean"


@message
def check_secrets(region: str) -> str:
    """The search engine's Secret is there, if the program does not make it."""
    return f"Secrets in region {region}"


@message
def check_repository(region: str) -> str:
    """The region's search engine can write to the snapshot repository."""
    return f"the snapshot repository from region {region}"


@message
def check_engine(region: str) -> str:
    """A failback could copy all indices of the region's search engine."""
    return f"the search engine of region {region} can be copied"


@message
def check_passwords(region: str) -> str:
    """Brokers of the region get in to the search engines of both: with the password of each, and since it was changed."""
    return f"passwords of both search engines in region {region}"


@message
def check_dns_chain(region: str) -> str:
    """The region's CoreDNS resolves the other region's names, as `dns.chain` wants it."""
    return f"DNS chain of region {region}"


@message
def check_rendered(region: str) -> str:
    """Every release of the procedure renders what the steps address, and the API server would take it."""
    return f"what the chart renders in region {region}"


@message
def check_room(region: str) -> str:
    """The failover brokers and their search engine fit on the region's nodes."""
    return f"room for failover brokers in region {region}"


@message
def check_failover_clean(region: str) -> str:
    """The failover installation starts from nothing."""
    return f"the failover namespace of region {region} is clean"


@message
def check_hook(key: str) -> str:
    """The program of a hook of your own is there and may be executed; no hook is called."""
    return f"hook {key}"


@message
def check_service(service: str) -> str:
    """The address of a service is one that Apprise knows; nothing is sent."""
    return f"service {service}"


# --- What they find -------------------------------------------------------------------------------------------------


@message
def stacks_differ(keys: Sequence[str]) -> str:
    """These settings are not the same on both stacks."""
    return f"they differ in {listed(keys)}"


@message
def holders_unknown(reason: str) -> str:
    """No gateway answers which broker holds which partition."""
    return f"no gateway answers which broker holds which partition: {reason}"


@message
def copies_not_seen(partitions: Sequence[int]) -> str:
    """Not all replicas of these partitions are seen, so their quorum cannot be computed."""
    return f"not all copies of partition {listed(partitions)} are seen"


@message
def quorum_kept(brokers_without_0: Sequence[int], brokers_without_1: Sequence[int]) -> str:
    """Which brokers have the quorum after a failover, for either loss."""
    return f"region 0 lost: broker {listed(brokers_without_0)}; region 1 lost: broker {listed(brokers_without_1)}"


@message
def installed_values_unknown() -> str:
    """The stack's state does not show the values of its release, which its next `pulumi up` records."""
    return "its state does not show the values that it was installed with"


@message
def keys_in_plain(stacks: Sequence[str]) -> str:
    """The search engine's keys are readable in the settings files and states of these stacks."""
    return f"its data are readable in the settings and the state of stack {listed(stacks)}"


@message
def backend_on_this_machine(backend: str) -> str:
    """The states lie in a folder of this machine, and are gone when it is."""
    return f"it is {backend}, a folder of this machine"


@message
def backend_in_use(backend: str) -> str:
    """The state backend that is logged in to."""
    return backend


@message
def pod_cidrs_missing() -> str:
    """Without `podCidrs` nothing cuts the lost region off but what you do yourself."""
    return "podCidrs is not set: F1 only proves the isolation, and makes none"


@message
def isolated_by(rules: Sequence[str]) -> str:
    """What cuts the region off."""
    return "; ".join(("network policies", *rules))


@message
def locked_by(locks: Sequence[str]) -> str:
    """A run of Pulumi holds the stack, or was killed and has left its lock."""
    return f"locked by {listed(locks)}"


@message
def left_pending(operations: Sequence[str]) -> str:
    """A killed run has left these operations in the stack's state."""
    return f"left pending: {listed(operations)}"


@message
def nothing_pending(locks_shown: bool) -> str:
    """The stack is at rest, as far as its backend shows."""
    hidden = "" if locks_shown else "; this backend does not show locks: Pulumi heeds them"
    return f"nothing is pending{hidden}"


@message
def partitions_not_complete(partitions: Sequence[int]) -> str:
    """These partitions lack a leader or a replica."""
    return f"partition {listed(partitions)} is not"


@message
def not_installed_there() -> str:
    """The region holds no installation."""
    return "nothing is installed there"


@message
def brokers_not_seen(brokers: Sequence[int]) -> str:
    """A gateway does not see these brokers."""
    return f"it does not see broker {listed(brokers)}"


@message
def no_region_lost() -> str:
    """There is nothing to fail back from."""
    return "no region is lost"


@message
def step_missing(step: str) -> str:
    """The last step of the failover is not proved."""
    return f"{step} is not proved"


@message
def snapshot_place_missing(setting: str) -> str:
    """The snapshot repository's place is not configured."""
    return f"backup.settings.{setting} is not set"


@message
def not_exporting(replicas: Sequence[str]) -> str:
    """These exporters are paused, or their phase is unknown."""
    return listed(replicas)


@message
def exporters_unknown(brokers: Sequence[str]) -> str:
    """These brokers are ready and do not answer whether they export."""
    return "; ".join(brokers)


@message
def replicas_not_asked(asked: int, seen: int) -> str:
    """Fewer replicas were asked about their exporters than there are."""
    return f"{asked} of {seen} replicas that are seen were asked"


@message
def replicas_export(replicas: int) -> str:
    """All replicas were asked, and all export."""
    return f"{replicas} replicas export"


@message
def rights_missing(rights: Sequence[str]) -> str:
    """These rights are missing, each as verb, resource and namespace."""
    return listed(rights)


@message
def secret_missing(secret: str, namespaces: Sequence[str]) -> str:
    """The values name a Secret that is not there."""
    return f"{secret} is not in {' and '.join(namespaces)}"


@message
def repository_verified(kind: str) -> str:
    """The repository was registered under a name of its own, written to, and removed again."""
    return f"{kind}, written to and verified"


@message
def streams_not_copied(streams: str) -> str:
    """A failback copies indices, but no data streams; Camunda has none."""
    return f"data streams {streams} are not copied"


@message
def password_copy_missing(secret: str, namespace: str, owner: str) -> str:
    """Brokers would find no password of a search engine when they start."""
    return f"{namespace} has no Secret {secret} with the password of the search engine of {owner}"


@message
def password_copy_differs(secret: str, namespace: str, owner: str) -> str:
    """Brokers that start now would be given another password than the one of the search engine's own Secret."""
    return f"Secret {secret} in {namespace} holds another password than the search engine of {owner} has"


@message
def brokers_hold_old_password(names: Sequence[str], namespace: str) -> str:
    """A search engine's password was changed after these brokers started: they read it only then."""
    return f"{listed(names)} in {namespace} started before a password was changed last"


@message
def values_not_read() -> str:
    """Nothing can be rendered without the Helm values; see the check of these."""
    return "the Helm values cannot be read"


@message
def chain_missing() -> str:
    """The Corefile lacks the chain, or has another one."""
    return "it is not in the Corefile as it should be"


@message
def nothing_installed(namespace: str) -> str:
    """There are no brokers by which the failover brokers' needs are known."""
    return f"nothing is installed in {namespace}"


@message
def no_engine_to_go_by(namespace: str) -> str:
    """There is no search engine by which the failover one's needs are known."""
    return f"{namespace} holds no search engine to go by"


@message
def pod_does_not_fit(needs: str, pods: int) -> str:
    """No node has room for one of the pods, or may have it beside the others."""
    return f"no node has {needs} left for one of {pods} pods, and may have it beside the others"


@message
def pods_fit(pods: int) -> str:
    """The failover brokers and their search engine fit."""
    return f"{pods} pods fit"


@message
def namespace_holds(namespace: str, left: Sequence[str]) -> str:
    """Leftovers of an earlier installation, each by name."""
    return f"{namespace} holds {listed(left)}"


@message
def installed_by_failback() -> str:
    """The region is not empty, as the failback that is under way has installed it."""
    return "installed by the failback that is under way"


@message
def program_missing(hook: str) -> str:
    """The hook's command cannot be started."""
    return f"{hook}: there is no such program, or it may not be executed"


@message
def hook_not_called(hook: str) -> str:
    """The hook is usable, as far as is known without calling it."""
    return f"{hook}, not called"


@message
def notification_not_sent(kind: str) -> str:
    """The service's address is complete, as far as is known without sending anything."""
    return f"{kind}, nothing sent: `dualregion notify --test` sends something"


@message
def gitops_owns(owners: Sequence[str], objects: Sequence[str]) -> str:
    """Argo CD or Flux reconciles parts of the release: it would put back what a failover and a failback change."""
    return (
        f"{listed(owners)} holds {some_of(objects)}, and would put back what a failover and a failback change, such as "
        "where brokers export to"
    )


@message
def gitops_owns_namespaces(namespaces: Sequence[str]) -> str:
    """Argo CD or Flux holds a namespace, and nothing of the release in it: it may be made again, which does no harm."""
    return f"a GitOps tool holds {listed(namespaces)} alone, which does no harm"


# --- How long it would take -----------------------------------------------------------------------------------------


@message
def estimate_of_failover(commands_seconds: float, seconds: float) -> str:
    """How long a failover would take, from its start: about, see docs/reference/preflight.md."""
    return (
        f"a failover would take about {duration(commands_seconds)} until commands are accepted, and "
        f"{duration(seconds)} in all"
    )


@message
def estimate_of_failback(
    seconds: float, paused_seconds: float, held_bytes: int, documents: int, restarts: int
) -> str:
    """How long a failback would take, by what there is to copy and to restart: about, see docs/reference/preflight.md."""
    return (
        f"a failback would take about {duration(seconds)}, with exporters paused for {duration(paused_seconds)}: "
        f"{bytes_of(held_bytes)} in {documents} documents to copy, {restarts} brokers to restart one after the other"
    )


@message
def failback_not_estimated(reason: str) -> str:
    """How long a failback would take is not known, as it is not known how much there is to copy."""
    return f"how long a failback would take is unknown: {reason}"


@message
def estimated_by_past(name: str) -> str:
    """The estimate goes by a recovery that was carried out."""
    return f"estimated by {name}, for what there is now"


@message
def estimated_by_reference() -> str:
    """The estimate goes by reference figures, as no recovery was carried out here; a rehearsal gives better ones."""
    return (
        "estimated by reference figures, as these stacks have carried out none: name a rehearsal by --drill "
        "(docs/reference/preflight.md)"
    )


@message
def past_not_read(path: str, reason: str) -> str:
    """The file of `--drill` cannot be read."""
    return f"{path} cannot be read ({reason})"


@message
def past_not_understood(path: str) -> str:
    """The file of `--drill` is of another kind."""
    return f"{path} is neither report.json of a drill nor what `dualregion history --json` prints"


@message
def past_incomplete(path: str) -> str:
    """The file of `--drill` tells of no recovery that was carried to its end."""
    return f"{path} tells of no recovery that was carried to B7"


@message
def checks_made(checks: int, failed: int, unknown: int) -> str:
    """How many checks of a preflight there were, and how many of them do not hold."""
    if not failed and not unknown:
        return f"all {checks} checks hold"
    return f"{failed} failed, {unknown} unknown, of {checks} checks"


# --- How to fix it --------------------------------------------------------------------------------------------------


@message
def fix_access() -> str:
    """A check could not be made."""
    return "fix access or connectivity, then run again"


@message
def fix_settings() -> str:
    """Settings that both stacks share belong in Pulumi.yaml."""
    return "set these keys once, in Pulumi.yaml, or alike on both stacks"


@message
def fix_distribution() -> str:
    """The cluster's partitions lie in a way that no failover can handle."""
    return "a cluster of this distribution cannot be failed over: docs/incident/messages.md"


@message
def fix_values() -> str:
    """The Helm values must be changed."""
    return "fix the files that `values` names"


@message
def fix_keys_in_plain() -> str:
    """A key that was readable may have been read: it is replaced, and kept as a secret."""
    return (
        "make new keys, and set each with `pulumi config set --secret --path elasticsearchSecret.data.KEY VALUE`: what was "
        "readable may have been read"
    )


@message
def fix_installed(stack: str) -> str:
    """What is configured must be installed before an incident."""
    return f"`pulumi up --stack {stack}` while nothing is lost"


@message
def fix_backend() -> str:
    """The states must lie elsewhere."""
    return "`pulumi login` to a backend that outlasts either region and this machine"


@message
def fix_isolation() -> str:
    """The network between the regions must be cut in an incident."""
    return "set podCidrs, or have another way to cut the network between the regions at hand"


@message
def fix_lock(stack: str) -> str:
    """A run is under way, or was killed."""
    return (
        f"wait for that run; if it is gone, `pulumi cancel --stack {stack}` and `pulumi up`; what is still pending "
        f"then: `pulumi refresh --clear-pending-creates --stack {stack}`"
    )


@message
def fix_region_access(context: str) -> str:
    """The region's API server must be reachable from here."""
    return f"kubectl --context {context} get nodes; look at the kubeconfig and your login"


@message
def fix_brokers() -> str:
    """Some brokers are down or unhealthy."""
    return "`dualregion status`; fix the brokers it names"


@message
def fix_network() -> str:
    """The regions do not reach each other."""
    return "network and DNS between the regions, in both directions; then the brokers' logs"


@message
def fix_no_failover() -> str:
    """A failback follows on a failover."""
    return "`dualregion failover`, if a region is lost"


@message
def fix_failover(lost: int) -> str:
    """The failover must be completed first."""
    return f"`dualregion failover --lost {lost}`"


@message
def fix_backup(setting: str) -> str:
    """The snapshot needs a place."""
    return f"pulumi config set --path backup.settings.{setting} NAME, on both stacks"


@message
def fix_exporting() -> str:
    """Exporters are paused or fail."""
    return "docs/incident/exporters-paused.md; or that broker's log and search engine"


@message
def fix_backup_pause() -> str:
    """Exporters are paused as by a backup of Camunda."""
    return "run again after the backup; if none runs, resume as `dualregion status` shows"


@message
def fix_rights(context: str, region: int) -> str:
    """The cluster's administrator must grant the rights."""
    return (
        f"have kube context {context} be rights.subject, or rights.peerSubject, and let the cluster's administrator "
        f"apply what `dualregion rights --region {region}` prints"
    )


@message
def fix_secret() -> str:
    """The Secret must be made."""
    return (
        "set elasticsearchSecret on both stacks, or make the Secret there (docs/prepare/backup.md)"
    )


@message
def fix_repository() -> str:
    """The search engine must be able to write there."""
    return (
        "backup, the bucket's keys and rights, and the network from there (docs/prepare/backup.md)"
    )


@message
def fix_engine() -> str:
    """Indices must be made copyable."""
    return "fix these indices, at the latest before a failback"


@message
def fix_passwords() -> str:
    """The passwords must be brought to both regions, and brokers restarted."""
    return (
        "bring the password to both regions and restart the brokers one at a time: docs/prepare/search-engine.md, 'A "
        "password that you change'"
    )


@message
def fix_chart() -> str:
    """The chart's values must be changed, or a finding accepted."""
    return "docs/reference/helm-values.md, 'What the chart renders'"


@message
def fix_chain(stack: str) -> str:
    """The program writes the chain."""
    return f"`pulumi up` on stack {stack}"


@message
def fix_corefile() -> str:
    """The Corefile must be changed by hand."""
    return "fix that Corefile"


@message
def fix_room(region: str) -> str:
    """The region's nodes are too few or too small."""
    return f"more or larger nodes in region {region}, or smaller requests"


@message
def fix_leftovers(context: str, namespace: str) -> str:
    """The namespace must be emptied."""
    return f"look at it, then kubectl --context {context} delete namespace {namespace}; of kept volumes: delete pv"


@message
def fix_hook(key: str) -> str:
    """The hook's command must be changed, or made executable."""
    return f"fix hooks.{key}.command, or chmod +x (docs/prepare/hooks.md)"


@message
def fix_service(key: str) -> str:
    """The service's address must be one that Apprise knows."""
    return f"fix {key}.url (docs/prepare/hooks.md), then `dualregion notify --test`"


@message
def fix_gitops(commands: Sequence[str]) -> str:
    """The tool must be paused before a failover or failback, or the release taken out of it."""
    return (
        f"take the release out of it, or pause it before a failover and a failback: {'; '.join(commands)} "
        "(docs/prepare/gitops.md)"
    )
