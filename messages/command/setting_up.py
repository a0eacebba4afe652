"""What the command says before anything is installed: what is missing on this machine, a new project, its configuration."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed

# --- This machine ---------------------------------------------------------------------------------------------------


@message
def module_missing(module: str, python: str) -> str:
    """A Python module is not installed that the command needs: it runs with another Python than the one it was installed for."""
    return (
        f"{python} has no module {module}, which the command needs. In a checkout: `python3 -m venv .venv && "
        ".venv/bin/pip install --require-hashes -r requirements.lock`; else install the package for the Python that "
        "runs it (docs/prepare/install.md)"
    )


@message
def pulumi_too_old(found: str, needed: str) -> str:
    """The `pulumi` on PATH is older than what the program was made for."""
    return (
        f"`pulumi` is {found}, and {needed} or newer is needed: install it, or put it first on PATH"
    )


# --- A new project --------------------------------------------------------------------------------------------------


@message
def folder_occupied(folder: str, files: Sequence[str]) -> str:
    """`dualregion init` overwrites nothing, and the folder holds files that it would write."""
    return f"{folder} already has {listed(files)}, and nothing is overwritten: name another folder, or remove them first"


@message
def folder_not_writable(folder: str, reason: str) -> str:
    """The new project's folder, or a file in it, cannot be written."""
    return f"{folder} cannot be written: {reason}"


@message
def twice_needed(option: str) -> str:
    """An option that is of both regions was given once, or more than twice."""
    return f"{option} is given for one region: give it twice, first for region 0, then for region 1, or not at all"


@message
def looking_at(contexts: Sequence[str]) -> str:
    """`dualregion init` looks for releases and pod ranges in both clusters, and changes nothing there."""
    return f"looking at {listed(contexts)}"


@message
def no_context_to_look_at() -> str:
    """No clusters were named, so nothing was looked at."""
    return "no cluster is looked at, as no kube contexts are named: what only they tell stays CHANGE-ME"


@message
def release_found(name: str, namespace: str, context: str, version: str) -> str:
    """A release of Camunda's chart runs in a cluster; the new project takes it over."""
    return f"{context} runs release {name} of chart camunda-platform {version} in {namespace}: it is adopted"


@message
def releases_ambiguous(found: Sequence[str]) -> str:
    """There is not exactly one release of Camunda's chart in each cluster, so it is unclear what to adopt."""
    return (
        f"found {listed(found)}: to adopt what runs, exactly one release is needed in each cluster; name their "
        "namespaces with --namespace, twice. Until then this is a project for a new installation"
    )


@message
def releases_differ(first: str, second: str) -> str:
    """The two releases have other names, or are of other versions of the chart."""
    return f"the releases differ: {first} and {second}. Both need one name and one version before they are adopted"


@message
def values_differ(file: str, other: str) -> str:
    """The two releases were given different values, beside the region's id."""
    return (
        f"the two releases were given different values: {file} holds those of region 0, {other} those of region 1. "
        f"Make them one, by `diff {file} {other}`, then delete {other}"
    )


@message
def values_may_be_secret(file: str) -> str:
    """Helm keeps what it was given; passwords may be among it."""
    return f"{file} holds what Helm was given: look for passwords in it before you commit it"


@message
def project_written(folder: str, files: Sequence[str]) -> str:
    """The new project's files are there."""
    return f"written to {folder}: {listed(files)}"


@message
def to_fill_in(count: int) -> str:
    """The new project has places for values that only you know."""
    return f"{count} {'place is' if count == 1 else 'places are'} still CHANGE-ME"


@message
def ask_context(region: int, known: Sequence[str]) -> str:
    """Which cluster is a region's."""
    return f"Kube context of region {region} ({listed(known) or 'the kubeconfig has none'})"


@message
def ask_region_name(region: int) -> str:
    """What a region is called, in messages."""
    return f"Name of region {region}"


@message
def ask_pod_cidrs(name: str) -> str:
    """The address ranges of a region's pods; the isolation of a lost region is made of them."""
    return f"Address ranges of all pods of {name}, with commas"


@message
def ask_bucket() -> str:
    """Where the failback's snapshot lies."""
    return "S3 bucket of the failback's snapshot, which no loss of a region takes along"


@message
def ask_to_adopt(releases: Sequence[str]) -> str:
    """Releases of Camunda's chart run in both clusters."""
    return f"adopt what runs ({listed(releases)})?"


# --- Files of the configuration -------------------------------------------------------------------------------------


@message
def config_file_missing(file: str, reason: str) -> str:
    """A file of the configuration is not there, or cannot be read."""
    return f"{file} cannot be read: {reason}; `dualregion init FOLDER` writes a project with all of its files"


@message
def config_file_not_yaml(file: str, line: int, problem: Message) -> str:
    """A file of the configuration is no YAML."""
    return f"{file}, line {line}: {problem}"


@message
def config_file_not_a_map(file: str) -> str:
    """A file of the configuration holds something else than a map."""
    return f"{file} is not a map with keys, as Pulumi needs it"


@message
def config_block_not_a_map(file: str) -> str:
    """The block `config` of a file holds something else than settings."""
    return f"config in {file} is not a map: settings stand below it, each on a line, indented"


@message
def project_without_name(file: str) -> str:
    """Pulumi.yaml has no name."""
    return f"name is not set in {file}: Pulumi needs it, such as `name: camunda-dual-region`"


@message
def stacks_differ_in(keys: Sequence[str]) -> str:
    """Both stacks must have the same settings, but for those of a stack's own, and these are not the same."""
    return (
        f"the two stacks differ in {listed(keys)}: both need the same. Set it in Pulumi.yaml, which both share, and "
        "not in the stacks' own files; a secret in both of them"
    )


@message
def environment_not_read(file: str) -> str:
    """Settings come from an environment of Pulumi ESC, which only `pulumi` can open."""
    return f"environment is set in {file}: settings of Pulumi ESC are not checked here, but in each `pulumi preview`"


@message
def encrypted_not_judged(stack: str) -> str:
    """A setting is encrypted on which the rest depends, so nothing but single settings could be checked."""
    return f"stack {stack}: what depends on encrypted settings is not checked here, but in each `pulumi preview`"


@message
def snapshot_place_not_set(setting: str) -> str:
    """The failback's snapshot has no place yet. It is needed once a region is lost, when there is no time to make one."""
    return (
        f"backup.settings.{setting} is not set: no failback without it. Make the place now, one that no loss of a "
        "region takes along (docs/prepare/backup.md)"
    )


@message
def chart_of_repository(name: str) -> str:
    """The chart is fetched in each preview, an incident's too."""
    return (
        f"chart.name is {name}: every preview fetches the chart, in an incident too. Keep it beside the project: `helm "
        "pull`, then set chart.name to the archive's path and chart.digest to its SHA-256"
    )


@message
def configuration_well(stacks: Sequence[str]) -> str:
    """Nothing is wrong with the configuration, as far as the files tell."""
    return f"the configuration of {listed(stacks)} is well. No cluster was asked: `dualregion preflight` does that"


@message
def problems_found(count: int) -> str:
    """How much is wrong with the configuration."""
    return f"{count} {'problem' if count == 1 else 'problems'}; no cluster was asked, and nothing was changed"
