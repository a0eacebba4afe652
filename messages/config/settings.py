"""What is wrong with the configuration."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed


@message
def setting_missing(key: str, rule: Message) -> str:
    """A setting is needed and not set."""
    return f"{key} is not set: {rule}"


@message
def setting_refused(key: str, shown: str | None, rule: Message) -> str:
    """A setting has a value that is not allowed; of a secret the value is not shown."""
    value = "is not allowed as it is set (not shown)" if shown is None else f"is {shown}"
    return f"{key} {value}: {rule}"


@message
def key_refused(key: str, rule: Message) -> str:
    """A map of the configuration has a key that is not allowed in it; it is not shown, as it may be a secret."""
    return f"{key} has a key that is not allowed there: {rule}"


@message
def unknown_setting(key: str, alike: str | None = None) -> str:
    """The program has no such setting; where one is spelt alike, it is named."""
    meant = f"did you mean {alike}?" if alike else "check its spelling"
    return f"{key} is not a setting of this program: {meant} (docs/reference/configuration.md)"


@message
def regions_incomplete(missing: Sequence[str]) -> str:
    """Entries of `regions` have no name: a stack's own list, as `--path` makes one, replaces that of Pulumi.yaml."""
    return (
        f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} not set: two entries are needed, each with name, "
        "kubeContext and namespace. `pulumi config set --path 'regions[0]...'` makes a list of the stack's own, which "
        "replaces the whole list of Pulumi.yaml: `pulumi config rm regions` on that stack, and write it in Pulumi.yaml"
    )


@message
def nested_too_deep() -> str:
    """The configuration is nested deeper than it can be read."""
    return "the configuration is nested too deep to be read"


@message
def lost_region_missing(phase: str) -> str:
    """Every phase but `normal` needs to know which region is lost."""
    return (
        f"lostRegion is not set, but phase is {phase!r}: set the region that is lost on both stacks, `pulumi config set "
        "lostRegion 0` or `1`"
    )


@message
def value_twice(key: str, value: str, other: str) -> str:
    """Two settings that tell the regions apart are equal: names, kube contexts, namespaces, buckets or their AWS regions."""
    return f"{key} is {value!r}, the same as {other}: the two must differ"


@message
def failover_namespace_too_long(region: int, namespace: str, most: int) -> str:
    """The failover namespace is made of the region's own, and longer than Kubernetes takes."""
    return (
        f"regions[{region}].failoverNamespace is not set, and {namespace!r}, made of regions[{region}].namespace, has "
        f"{len(namespace)} characters: at most {most} are allowed; set failoverNamespace to a shorter name"
    )


@message
def namespace_is_deleted(key: str, namespace: str) -> str:
    """Something that must outlive an incident is in a namespace that the procedure deletes."""
    return (
        f"{key} is in namespace {namespace!r}, which is one of the regions' own: it would be deleted with it when a lost "
        "region is cleaned (step R) or a failback ends (B6); put it into another namespace"
    )


@message
def bucket_twice(name: str) -> str:
    """Both regions would use one bucket."""
    return (
        f"backup.storage.buckets[1].name is {name!r}, the same as buckets[0].name: each region needs a bucket of its own; "
        "set one that no loss of a region takes along in backup.settings.bucket instead"
    )


@message
def bucket_region_twice(aws_region: str) -> str:
    """Both buckets would be lost with one region of AWS."""
    return (
        f"backup.storage.buckets[1].awsRegion is {aws_region!r}, the same as buckets[0].awsRegion: with it both buckets "
        "would be lost"
    )


@message
def pod_ranges_overlap(one: str, two: str) -> str:
    """The pods of both regions have common addresses."""
    return (
        f"regions[0].podCidrs holds {one} and regions[1].podCidrs {two}, which overlap: the isolation would cut a region "
        "off from its own pods; set the ranges of each region's pods alone"
    )


@message
def isolation_missing(region: int) -> str:
    """Nothing would keep the brokers of a lost region away from the survivor."""
    return (
        f"regions[{region}].podCidrs is not set, so nothing would keep that region's brokers away once it is lost: set the "
        "address ranges of the pods of both regions, in Pulumi.yaml; or, if you cut the network between the regions yourself "
        "in an incident (firewall, routes, peering), `pulumi config set isolation own` on both stacks"
    )


@message
def more_replicas_than_brokers(replication_factor: int, cluster_size: int) -> str:
    """A partition cannot have more replicas than there are brokers."""
    return f"replicationFactor is {replication_factor}: allowed is 1 to clusterSize ({cluster_size}), and 4 is what works"


@message
def quorum_not_restored(
    cluster_size: int,
    replication_factor: int,
    region: int,
    brokers: Sequence[int],
    partitions: Sequence[int],
) -> str:
    """With these sizes a failover could not restore the quorum of every partition."""
    return (
        f"clusterSize is {cluster_size} with replicationFactor {replication_factor}: after a failover of region {region} "
        f"only brokers {listed(brokers)} run, and partition {listed(partitions)} would have no quorum; use "
        "replicationFactor 4"
    )


@message
def commands_could_be_lost(replication_factor: int, region: int, partitions: Sequence[int]) -> str:
    """With these sizes a failover could lose commands that were acknowledged."""
    return (
        f"replicationFactor is {replication_factor}: a failover of region {region} could lose acknowledged commands of "
        f"partition {listed(partitions)}, as the lost region may hold the only up-to-date copies, or empty failover "
        "brokers outvote them; use replicationFactor 4"
    )


@message
def removal_could_lose_commands(
    replication_factor: int, region: int, partitions: Sequence[int]
) -> str:
    """After the forced removal of a region's brokers, those that are left might not know every acknowledged command."""
    return (
        f"replicationFactor is {replication_factor}: once the brokers of region {region} are removed by force, partition "
        f"{listed(partitions)} might be led by a broker that does not know all that was acknowledged; with "
        "replicationFactor 4, two replicas in each region, every one that is left does"
    )


@message
def no_failover_installation(key: str, version: str) -> str:
    """From Camunda 8.6 on nothing is installed in a failover."""
    return (
        f"{key} is set, but Camunda {version} has no failover installation: lost brokers are removed from the cluster by "
        "its management API; leave it out"
    )


@message
def chart_of_other_version(key: str, given: str, version: str, major: int, of: str) -> str:
    """The chart, or an image, is of another version of Camunda than `camundaVersion`."""
    return (
        f"{key} is {given}, which installs Camunda {of}, but camundaVersion is {version}: a chart {major}.x installs "
        f"that; set the one that runs, as the procedures differ"
    )


@message
def chart_needs_helm(chart: str, given: str, carried: int) -> str:
    """The chart is made for a newer Helm than the one within Pulumi's Kubernetes provider, which would fail to render it."""
    return (
        f"the chart {chart} demands Helm {given}, but Pulumi's Kubernetes provider, which installs it, carries "
        f"Helm {carried}: stay on the version before until it carries a newer one (docs/reference/helm-values.md)"
    )


@message
def image_of_other_version(key: str, given: str, version: str) -> str:
    """The values name an image of another version of Camunda than `camundaVersion`."""
    return f"{key} is {given}, but camundaVersion is {version}: set the one that runs, as the procedures differ"


@message
def no_gateway_login(version: str) -> str:
    """The section `gatewayLogin` is for versions whose REST API asks for a login."""
    return (
        f"gatewayLogin: the gateway of Camunda {version} is asked without a login; remove the section, which is for 8.8 and "
        "later (docs/reference/configuration.md#gateway-login)"
    )


@message
def engine_of_chart(version: str) -> str:
    """The section `searchEngine` addresses an engine beside the chart, and this version's chart brings its own."""
    return (
        f"searchEngine: the chart of Camunda {version} brings its search engine, which this program finds by the release's "
        "name; remove the section, which is for 8.9 and later (docs/reference/configuration.md#search-engine)"
    )


@message
def engine_access_not_given(access: str, version: str) -> str:
    """`backup.storage.access` gives the chart's search engine its way to the buckets; an engine beside the chart gets none."""
    return (
        f"backup.storage.access is {access!r}, but the search engine of Camunda {version} is not installed by this program, "
        "so neither is its way to the buckets: give it one yourself, and set access to own (docs/prepare/backup.md)"
    )


@message
def patch_is_old(key: str, tag: str, recommended: str) -> str:
    """The brokers' image is older than the patch level that has the fixes this procedure relies on."""
    return f"{key} is {tag}: use {recommended} or later, whose fixes a failover by the cluster management API relies on"


@message
def backup_setting_missing(setting: str, phase: str, repository_type: str) -> str:
    """The failback copies the search engine through a snapshot repository, which lacks a setting."""
    return (
        f"backup.settings.{setting} is not set, but phase is {phase!r}: the failback copies the survivor's search engine "
        f"through a snapshot repository of type {repository_type!r}; `pulumi config set --path backup.settings.{setting} NAME`, or set "
        "another backup.type"
    )


@message
def repository_not_writable(key: str, shown: str) -> str:
    """The snapshot repository can only be read."""
    return (
        f"{key} is {shown}: the survivor's snapshot is written to the repository, so one is needed that is not only read "
        "(the recreated region's engine gets it for reading only in any case)"
    )


@message
def buckets_need_s3(repository_type: str) -> str:
    """Buckets are set, and the snapshot repository is of another type."""
    return f"backup.storage is set, but backup.type is {repository_type!r}: buckets need type s3"


@message
def bucket_set_twice(key: str) -> str:
    """The bucket is set in two places."""
    return f"{key} is set, and backup.storage too: set one of the two"


@message
def store_not_on_aws(region: int, endpoint: str, setting: str) -> str:
    """Something is to be made on AWS, and the bucket is in another store."""
    return (
        f"backup.storage.buckets[{region}].endpoint is {endpoint!r}, but {setting}: buckets and keys are made on AWS only; "
        "leave create and access out, and set the store's keys in elasticsearchSecret"
    )


@message
def aws_region_missing(region: int, setting: str) -> str:
    """Something is to be made on AWS, and it is not set where."""
    return (
        f"backup.storage.buckets[{region}].awsRegion is not set, but {setting}: set the AWS region of both buckets, such as "
        "eu-west-2"
    )


@message
def oidc_provider_missing(region: int) -> str:
    """Access by a role needs the identity provider of the region's cluster."""
    return (
        f"backup.storage.buckets[{region}].oidcProviderArn is not set, but backup.storage.access is 'role': set the IAM OIDC "
        "provider of that region's cluster"
    )


@message
def key_from_two_places(key: str) -> str:
    """A key of the search engine is set, and made by the program too."""
    return (
        f"elasticsearchSecret.data.{key} is set, but backup.storage.access is 'keys', which makes it: "
        f"`pulumi config rm --path elasticsearchSecret.data.{key}`, or leave access out"
    )


@message
def dns_address_twice(one: str, two: str) -> str:
    """The DNS of both regions has one address, so a region would ask itself."""
    both = one if one == two else f"{one} and {two}, which are the same"
    return (
        f"regions[0].dnsAddresses and regions[1].dnsAddresses both hold an address ({both}): set the addresses of each "
        "region's own DNS, or a region would ask itself"
    )


@message
def dns_addresses_missing(region: int, name: str) -> str:
    """The Corefile is to be chained, and the other region's DNS has no address."""
    return (
        f"regions[{region}].dnsAddresses is not set, but dns.chain is true: set the addresses at which the other region "
        f"reaches the DNS of {name}, such as those of a load balancer before its CoreDNS (dns.loadBalancer)"
    )


@message
def hook_ambiguous(key: str, both: bool) -> str:
    """A hook is either a command or a URL."""
    return f"{key} has {'both command and url' if both else 'neither command nor url'}: set one of the two"


@message
def subject_missing() -> str:
    """The rights of the other stack's login are set, and those of the own are not."""
    return "rights.peerSubject is set, but rights.subject is not: set it too"


@message
def peer_subject_superfluous(subject: str) -> str:
    """The other stack's login is the same one, which is the default."""
    return f"rights.peerSubject is {subject!r}, the same as rights.subject: leave it out"


@message
def subject_needed_for_rights() -> str:
    """The manifests of the program's rights need a subject to which these are given."""
    return (
        "rights.subject is not set: set in Pulumi.yaml as whom the clusters know the program, user:NAME, group:NAME or "
        "serviceaccount:NAMESPACE:NAME (docs/prepare/rights.md)"
    )


@message
def network_acl_twice(key: str, acl: str) -> str:
    """A network ACL is listed twice."""
    return f"{key} holds {acl} twice: list each network ACL once"


@message
def network_acl_of_both_regions(acl: str) -> str:
    """Both regions name one network ACL, whose rules would cut a region off from itself."""
    return (
        f"regions[0].networkAcls.ids and regions[1].networkAcls.ids both hold {acl}: each region's subnets need network "
        "ACLs of their own, or a region would be cut off from itself"
    )


@message
def nothing_to_cut(region: int, peer: int) -> str:
    """Network ACLs are set, and the address ranges that they are to cut are not."""
    return (
        f"regions[{peer}].podCidrs is not set, but regions[{region}].networkAcls is: its rules cut the address ranges of the "
        "other region's pods; set podCidrs, with the VPC CNI the ranges of its VPC, or leave networkAcls out"
    )


@message
def rule_numbers_exhausted(region: int, first: int, last: int, most: int) -> str:
    """The rules of a network ACL would take numbers that AWS does not have."""
    return (
        f"regions[{region}].networkAcls.firstRuleNumber is {first}: the rules for the other region's podCidrs would take the "
        f"numbers up to {last}, and AWS's last one is {most}; set a lower one, such as 10"
    )


@message
def placeholder_left(key: str, placeholder: str) -> str:
    """`dualregion init` has left a place for a value that only you know."""
    return (
        f"{key} is still {placeholder}: put your own value there (docs/reference/configuration.md)"
    )
