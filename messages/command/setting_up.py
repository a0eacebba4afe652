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


# --- Files of the configuration -------------------------------------------------------------------------------------


@message
def config_file_missing(file: str, reason: str) -> str:
    """A file of the configuration is not there, or cannot be read."""
    return f"{file} cannot be read: {reason}"


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
        f"the two stacks differ in {listed(keys)}: set them in Pulumi.yaml, which both share, and remove them from "
        "the stacks' own files"
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
