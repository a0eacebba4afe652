"""The chart and the values files on this machine."""

from messages.catalogue import Message, message


@message
def values_not_a_map(setting: str, file: str, kind: str) -> str:
    """A values file holds something else than a map."""
    return f"{setting}: file {file} holds {kind}; Helm values are a map"


@message
def values_unreadable(setting: str, file: str, reason: str) -> str:
    """A values file cannot be read."""
    return f"{setting}: file {file} cannot be read: {reason}"


@message
def values_not_yaml(setting: str, file: str, line: int, problem: Message) -> str:
    """A values file is not YAML as Helm reads it."""
    return f"{setting}: file {file} is not YAML that Helm takes: line {line}: {problem}"


@message
def no_chart(name: str, path: str) -> str:
    """The chart that a setting names as a path is not there."""
    return (
        f"chart.name is {name!r}, but there is no chart at {path}: name a folder with a Chart.yaml, an archive, a chart "
        "of chart.repository, or an oci:// address"
    )


@message
def digest_of_no_archive(name: str) -> str:
    """A chart's digest is set, and the chart is no archive that it could be of."""
    return (
        f"chart.digest is set, but chart.name is {name!r}, which is no archive on this machine: fetch it once (`helm "
        "pull`), and name the archive, or `pulumi config rm --path chart.digest`"
    )


@message
def chart_unreadable(path: str, reason: str) -> str:
    """The chart's archive cannot be read."""
    return f"chart.name: {path} cannot be read: {reason}"


@message
def another_digest(digest: str, path: str, found: str) -> str:
    """The chart's archive is another one than the one whose digest is set."""
    return (
        f"chart.digest is {digest}, but {path} has sha256:{found}: it is another archive than you have pinned; compare "
        "`sha256sum`, and change chart.digest only if that is the chart you mean"
    )


@message
def no_chart_version(name: str, path: str, reason: str) -> str:
    """The chart has no Chart.yaml with a name and a version."""
    return f"chart.name is {name!r}, but {path} has no readable Chart.yaml with a name and a version ({reason})"


@message
def no_helm() -> str:
    """Helm is not installed on this machine."""
    return "there is no helm on PATH (helm 3.14 or newer is needed for it)"


@message
def helm_not_started(reason: str) -> str:
    """Helm is there, and cannot be run."""
    return f"helm cannot be started: {reason}"


@message
def helm_not_ended(command: str, seconds: int) -> str:
    """Helm has not ended in time."""
    return f"helm {command} has not ended after {seconds} s"


@message
def chart_not_fetched(chart: str, reason: str) -> str:
    """Helm cannot fetch the chart; the reason is its own."""
    return f"helm cannot fetch the chart {chart}: {reason}"


@message
def chart_not_rendered(reason: str) -> str:
    """Helm does not render the chart with these values; the reason is its own."""
    return reason


@message
def rendered_not_yaml(line: int, problem: Message) -> str:
    """What helm renders is not YAML."""
    return f"line {line} of what helm renders: {problem}"
