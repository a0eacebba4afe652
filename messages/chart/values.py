"""What is wrong with Helm values; `setting` is the one that names their files, `values` or `failoverValues`."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed

_ELSEWHERE = "a value from elsewhere"


@message
def values_no_map(setting: str, component: str) -> str:
    """A component's values are no map."""
    return f"{setting}: {component} must be a map"


@message
def environment_no_list(setting: str, component: str) -> str:
    """A component's environment is no list of entries."""
    return f"{setting}: {component}.env must be a list of entries with `name` and `value`"


@message
def variable_unnamed(setting: str, component: str, index: int) -> str:
    """An entry of a component's environment has no name, or one that is no text."""
    return f"{setting}: {component}.env[{index}] must have a `name` that is a text and not empty"


@message
def variable_no_text(setting: str, component: str, name: str) -> str:
    """The value of an environment variable is a number, `true` or the like: no API server takes it, and it is not shown."""
    return f"{setting}: {component}.env has {name} with a value that is no text: put it in quotes"


@message
def size_contradicted(setting: str, size: str, given: str, wanted: int) -> str:
    """A size in the values is another one than in the configuration."""
    return (
        f"{setting}: zeebe.{size} is {given}, but the setting {size} is {wanted}: remove it from the values file, or `pulumi "
        f"config set {size} {given}`"
    )


@message
def value_refused(setting: str, path: str, given: str, allowed: str, reason: Message) -> str:
    """The procedure cannot work with a value."""
    return f"{setting}: {path} is {given}; it must be {allowed}: {reason}"


@message
def default_refused(setting: str, path: str, default: str, allowed: str, reason: Message) -> str:
    """The procedure cannot work with a default of the chart, and the values do not set another."""
    return f"{setting}: {path} is not set, and the chart's default is {default}; it must be {allowed}: {reason}"


@message
def values_of_other_region(setting: str, given: str, region: int) -> str:
    """The values are those of the other region."""
    return (
        f"{setting}: global.multiregion.regionId is {given}, but this stack is region {region}: set the values files of this "
        "region, or leave it out, as the program sets it"
    )


@message
def variable_not_allowed(
    *, setting: str, component: str, name: str, given: str | None, allowed: str, reason: Message
) -> str:
    """The procedure cannot work with an environment variable of brokers or the gateway."""
    return f"{setting}: {component}.env has {name} = {given or _ELSEWHERE}; it must be {allowed}: {reason}"


@message
def variable_spelt_otherwise(setting: str, name: str, wanted: str) -> str:
    """The program sets or reads an environment variable by its name, and it is given in another spelling."""
    return f"{setting}: zeebe.env has {name}: write it as {wanted}, as the program sets and reads it by that name"


@message
def third_exporter(setting: str, name: str, given: str | None, own: Sequence[str]) -> str:
    """Brokers would export to a search engine that the procedure does not know."""
    return (
        f"{setting}: zeebe.env has {name} = {given or _ELSEWHERE}, a third exporter to a search engine: the procedure knows "
        f"{' and '.join(own)} only, and would not copy what it writes; remove it"
    )


@message
def variable_not_plain(setting: str, name: str, given: str | None) -> str:
    """The failback reads an environment variable of brokers whose value is not known from the values."""
    return (
        f"{setting}: zeebe.env has {name} = {given or _ELSEWHERE}, but the failback reads it: give it as a plain value, "
        "without a template and without valueFrom"
    )


@message
def delay_not_in_seconds(setting: str, name: str, given: str) -> str:
    """The failback waits for the exporters' flush delay, which is no whole number of seconds."""
    return (
        f'{setting}: zeebe.env has {name} = {given}; it must be a whole number of seconds, such as "5", as the failback '
        "waits for it"
    )


@message
def delay_too_long(
    *, setting: str, name: str, delay: int, quiet: int, deadline: int, enough: int
) -> str:
    """The failback waits for twice the exporters' flush delay, which takes too much of a wait's deadline."""
    return (
        f"{setting}: {name} is {delay} seconds: with exporters paused, B2 would wait until nothing has come for {quiet} s, "
        f"which is more than half of deadlineSeconds ({deadline}): give a shorter delay, in seconds, or set deadlineSeconds to "
        f"{enough} or more"
    )


@message
def index_prefixes_differ(setting: str, prefixes: Sequence[str]) -> str:
    """The two exporters write to indices of different names."""
    return (
        f"{setting}: zeebe.env gives the exporters different index prefixes ({listed(prefixes)}): after a failback each "
        "engine holds the indices of the other one; give both exporters the same ARGS_INDEX_PREFIX, each once"
    )


@message
def index_prefix_empty(setting: str) -> str:
    """The exporters' index prefix is empty."""
    return f"{setting}: zeebe.env sets the exporters' ARGS_INDEX_PREFIX to nothing: give it a name"


@message
def variable_overwritten(setting: str, name: str, given: str | None, wanted: str) -> str:
    """The program would overwrite an environment variable of brokers with another value."""
    return (
        f"{setting}: zeebe.env has {name} = {given or _ELSEWHERE}, but in phase normal the program sets it to {wanted!r}: "
        "remove it from the values file; if the brokers or the search engine are elsewhere than the program looks for them, "
        "it cannot work with them"
    )


@message
def password_from_elsewhere(setting: str, name: str, secret: str, key: str) -> str:
    """Brokers would read a search engine's password from another Secret than the one that the program keeps up to date."""
    return (
        f"{setting}: orchestration.env has {name}, but the program lets brokers read it from Secret {secret} (key {key}), "
        "which it writes into both regions: remove it from the values file, or name your Secrets in "
        "searchEngine.sharedSecrets and searchEngine.key"
    )


@message
def gateway_login_needed(setting: str, path: str) -> str:
    """The gateway's REST API asks for a login by basic authentication, and the program has none."""
    return (
        f"{setting}: {path} is 'basic', so the gateway's REST API asks for a login, and this program has none: name a user and "
        "the Secret with the password in gatewayLogin (docs/reference/configuration.md#gateway-login), or set "
        "orchestration.security.authentication.unprotectedApi to true"
    )


@message
def gateway_login_by_oidc(setting: str, path: str) -> str:
    """The gateway's REST API asks for a token of an identity provider, which this program does not get."""
    return (
        f"{setting}: {path} is 'oidc', so the gateway's REST API asks for a token of your identity provider, and this program "
        "gets none: set orchestration.security.authentication.unprotectedApi to true, and keep others away from port 8080 of "
        "the gateway by a network policy or the ingress; web apps ask for a login all the same"
    )


@message
def engine_beside_chart() -> str:
    """Why the chart's own search engine is off."""
    return "exporters and web apps use the search engine of the setting searchEngine; the chart's own would be one more"


@message
def elasticsearch_only() -> str:
    """Why the web apps read an Elasticsearch."""
    return "only an Elasticsearch is copied to a recreated region"


@message
def found_by_chart_name() -> str:
    """Why a name of the chart must not change."""
    return "the program looks for it by the chart's own name"


@message
def found_at_chart_port() -> str:
    """Why a port of the chart must not change."""
    return "the program asks there by the chart's own port"


@message
def found_without_path() -> str:
    """Why a path must not be set."""
    return "the program asks without that path; give it a host of its own in your ingress, instead of a path"


@message
def exports_to_chart_engine() -> str:
    """Why the search engine is the chart's own."""
    return "the program points the exporters to the chart's own search engine, and copies it in the failback"


@message
def exporter_of_chart_is_third() -> str:
    """Why the chart's own exporter is off."""
    return "the chart's own exporter would be a third one, which writes into the recreated region's empty engine"


@message
def gateway_asked_without_credentials() -> str:
    """Why the gateway must not demand credentials."""
    return "the program asks the gateway without credentials"


@message
def engine_asked_without_credentials() -> str:
    """Why the search engine must not demand credentials."""
    return "the program asks it without credentials"


@message
def asked_without_tls() -> str:
    """Why TLS is off inside the cluster."""
    return "the program asks without TLS"


@message
def engine_asked_openly() -> str:
    """Why the search engine's security is off."""
    return "the program asks it without TLS and credentials"


@message
def optimize_writes_during_copy() -> str:
    """Why Optimize is off."""
    return "Optimize writes to the search engine while it is copied, and a second time in the failover installation"


@message
def brokers_needed() -> str:
    """Why the brokers are on."""
    return "the procedure is about the brokers"


@message
def brokers_keep_data() -> str:
    """Why the brokers' data is on disks."""
    return "brokers would lose their data when they are restarted, which the failover does with all of the survivor's"


@message
def sleeping_brokers_restarted() -> str:
    """Why a probe that restarts brokers is off."""
    return "the kubelet would restart the brokers that sleep in a failback"


@message
def sleeping_brokers_ready() -> str:
    """Why the readiness probe is on."""
    return "a broker that sleeps, or does not work, would count as ready"


@message
def start_script_needed() -> str:
    """Why the brokers' command is the chart's own."""
    return "the chart's start script gives the brokers their ids and lets them sleep"


@message
def cluster_domain_fixed() -> str:
    """Why the cluster domain is the usual one."""
    return "the program's addresses end with the cluster domain cluster.local"


@message
def engine_policy_open() -> str:
    """Why the search engine's own network policy is off."""
    return (
        "the engine's own policy opens it to everybody, and policies add up: a lost region's brokers could write into it in "
        "spite of the isolation"
    )


@message
def two_regions() -> str:
    """Why the chart's count of regions is 2."""
    return "a dual region has two regions"


@message
def set_in_each_phase() -> str:
    """Why the installation type does not belong among the values."""
    return "the program sets it, phase by phase: values of a failover or a failback do not belong among those of all phases"


@message
def partitions_distributed_by_default() -> str:
    """Why the distribution of partitions is the default one."""
    return "the quorum after a failover follows from the default distribution of partitions"


@message
def set_by_chart() -> str:
    """Why an environment variable is left to the chart."""
    return "the chart sets it, from the cluster's sizes and the region"
