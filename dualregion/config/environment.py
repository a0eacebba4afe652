"""The environment variables that would change what a run does, and that no argument of the program can override.

What the Kubernetes provider takes from the environment as a default of its arguments is set in so many words
(`components.region`); what is here can only be refused.
"""

from collections.abc import Callable, Mapping

from messages import Message
from messages.config import environment as messages

_FALSE = ("", "0", "false", "f", "no", "off")

_DANGEROUS: Mapping[str, Callable[[], Message]] = {
    "PULUMI_SKIP_CHECKPOINTS": messages.state_saved_late,
    "PULUMI_CONTINUE_ON_ERROR": messages.failures_ignored,
    "PULUMI_K8S_ENABLE_PATCH_FORCE": messages.others_overwritten,
    "PULUMI_K8S_UPSERT_EXISTING_OBJECTS": messages.others_taken_over,
    # Pulumi takes every option of a command from `PULUMI_OPTION_<OPTION>` as well.
    "PULUMI_OPTION_CONTINUE_ON_ERROR": messages.failures_ignored,
    "PULUMI_OPTION_TARGET": messages.step_in_parts,
    "PULUMI_OPTION_TARGET_DEPENDENTS": messages.step_in_parts,
    "PULUMI_OPTION_TARGET_REPLACE": messages.replaced,
    "PULUMI_OPTION_EXCLUDE": messages.step_in_parts,
    "PULUMI_OPTION_EXCLUDE_DEPENDENTS": messages.step_in_parts,
    "PULUMI_OPTION_REPLACE": messages.replaced,
}
"""Read by the engine or the provider. Sources: Pulumi CLI 3.259 (`sdk/go/common/env`), Kubernetes provider 4.25."""

_REFRESH = "PULUMI_OPTION_REFRESH"


def environment_problems(environment: Mapping[str, str]) -> list[Message]:
    """Return a message for each variable that would change what a run does.

    :param environment: the process's environment variables.
    """
    found = {
        name: risk for name, risk in _DANGEROUS.items() if not _is_false(environment.get(name, ""))
    }
    if _REFRESH in environment and _is_false(environment[_REFRESH]):
        found[_REFRESH] = messages.not_refreshed
    return [
        messages.variable_refused(name, environment[name], risk()) for name, risk in found.items()
    ]


def _is_false(text: str) -> bool:
    return text.strip().lower() in _FALSE
