"""What is wrong with what the chart renders, and what an adoption would change."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed


@message
def chart_finding(kind: str, finding: Message, stages: Sequence[str]) -> str:
    """What the chart renders does not fit the procedure, in some of its stages or in all; `chart.accept` takes its kind."""
    where = f" ({listed(stages)})" if stages else ""
    return f"[{kind}] {finding}{where}"


@message
def not_rendered(kind: str, name: str, others: Sequence[str]) -> str:
    """What the steps address by name is not there."""
    rendered = f"there are {listed(others)}" if others else "there is none"
    return f"no {kind} {name} is rendered, which the steps address by that name; {rendered}"


@message
def broker_count_differs(workload: str, found: int | None, wanted: int) -> str:
    """There are not as many brokers as ids."""
    return f"{workload} has {found} brokers, the ids are for {wanted}"


@message
def pods_named_elsewhere(workload: str, service: str, wanted: str) -> str:
    """Brokers have their names in another Service."""
    return f"{workload} has its pods' names in Service {service}, not {wanted}"


@message
def container_missing(workload: str, container: str) -> str:
    """The brokers' container has another name."""
    return f"{workload} has no container `{container}`"


@message
def claims_missing(workload: str) -> str:
    """Brokers would lose their data when they are restarted."""
    return f"{workload} has no claims: a broker that restarts would have lost its data, and the failover restarts all at once"


@message
def probes_restart_sleepers(workload: str, probes: Sequence[str]) -> str:
    """Probes would restart brokers that sleep in a failback."""
    return f"{workload} has a {' and a '.join(probes)}, which restarts brokers that sleep"


@message
def environment_differs(workload: str, name: str, found: str | None, wanted: str) -> str:
    """Brokers get another environment variable than the program sets."""
    return f"{workload} has {name}={found!r}, the program sets {wanted!r}"


@message
def exporter_unknown(exporter: str) -> str:
    """Brokers export to more than the two search engines."""
    return (
        f"brokers have a third exporter, {exporter}: the procedure neither repoints nor pauses it in time; the chart's own "
        "goes with global.elasticsearch.disableExporter: true"
    )


@message
def below_other_path(workload: str, path: str, key: str) -> str:
    """A component answers below another path."""
    return f"{workload} answers below {path!r} ({key}), and the steps ask without it"


@message
def actuator_moved(workload: str, probe: str, path: str, wanted: str) -> str:
    """A component's actuator is at another path, as its own probe shows."""
    return (
        f"{workload} answers below another path ({probe} asks {path}), and the steps ask {wanted}"
    )


@message
def ports_missing(what: str, ports: Sequence[int]) -> str:
    """A component listens at other ports."""
    return f"{what} has no port {listed(ports)}, at which the program asks"


@message
def rendered_although_off(workload: str, component: str) -> str:
    """A component is rendered although the program switches it off."""
    return f"{workload} is rendered although {component} is switched off"


@message
def runs_twice(workload: str) -> str:
    """The failover installation runs more than it needs."""
    return f"{workload} runs once more in the failover installation, which needs brokers, gateway and search engine only"


@message
def ingress_without_paths(ingress: str) -> str:
    """No API server takes an Ingress with a rule that has no paths."""
    return (
        f"Ingress {ingress} has a rule without paths, which every API server refuses: the chart's combined Ingress has none "
        "while Operate and Tasklist are off. Use an Ingress of each component, or your own"
    )


@message
def policy_opens(policy: str) -> str:
    """A network policy opens what the isolation closes."""
    return (
        f"NetworkPolicy {policy} lets the other region's pods in or reach out, and policies add up: the isolation (F1) would "
        "not hold for its pods; elasticsearch.master.networkPolicy.enabled: false removes the search engine's"
    )


@message
def null_dropped(key: str, package: str, version: str, keeping: str) -> str:
    """A null of the values that would take a default of the chart away never reaches Helm."""
    return (
        f"{key} is null in your values, which would take the chart's default away, but {package} {version} drops nulls "
        f"before Helm sees them: set what you want instead, or use {package} {keeping} or newer"
    )


@message
def kind_not_served(resource: str, api_version: str) -> str:
    """The cluster knows no such kind of object."""
    return f"{resource}: this cluster knows no such kind of {api_version}"


@message
def refused_by_api_server(resource: str, reason: str) -> str:
    """The API server would refuse an object."""
    return f"{resource}: the API server would refuse it: {reason}"


@message
def owned_twice(resource: str) -> str:
    """Both releases of a region would own one object."""
    return (
        f"{resource} lies outside the release's namespace, and both releases of the region would own it: Helm refuses to "
        "install the second. Leave it out of the release"
    )


@message
def selects_no_pods(service: str, workload: str) -> str:
    """A Service does not lead to the pods that it is asked for."""
    return f"Service {service} does not select the pods of {workload}"


@message
def labels_missing(workload: str, labels: Sequence[str]) -> str:
    """Pods lack the labels by which they are found."""
    return f"the pods of {workload} lack {listed(labels)}, by which they are found"


@message
def labels_shared(workload: str, other: str) -> str:
    """Other pods have the labels by which a workload's are found."""
    return f"the pods of {other} have the labels by which those of {workload} are found"


@message
def chart_differs(running: str, wanted: str) -> str:
    """Another chart runs than the program would install."""
    return f"chart: {running} runs, the program would install {wanted}"


@message
def value_differs(path: str, running: str, wanted: str) -> str:
    """A value runs with which the program would not install the release."""
    return f"{path}: {running} runs, the program would set {wanted}"


@message
def order_differs(path: str) -> str:
    """Entries of an environment run in another order, which may change what they mean."""
    return f"{path}: the same entries run in another order"


@message
def more_differences(count: int) -> str:
    """There are more differences than are shown."""
    return f"and {count} more"
