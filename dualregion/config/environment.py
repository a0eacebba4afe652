"""The environment variables that would change what a run does, and that no argument of the program can override.

What the Kubernetes provider takes from the environment as a default of its arguments is set in so many words
(`components.region`); what is here can only be refused.
"""

from collections.abc import Mapping

_FALSE = ("", "0", "false", "f", "no", "off")

_DANGEROUS: Mapping[str, str] = {
    "PULUMI_SKIP_CHECKPOINTS": "the state would be saved at the end only, and an interrupted run would forget what it made",
    "PULUMI_CONTINUE_ON_ERROR": "a run would go on after a step that failed, and could delete what is still needed",
    "PULUMI_K8S_ENABLE_PATCH_FORCE": "the program would overwrite what others have set in objects of the cluster",
    "PULUMI_K8S_UPSERT_EXISTING_OBJECTS": "the program would take over objects of the cluster that it has not made",
}
"""Read by the engine or the provider. Sources: Pulumi CLI 3.259 (`sdk/go/common/env`), Kubernetes provider 4.25."""

_DANGEROUS_OPTIONS: Mapping[str, str] = {
    "CONTINUE_ON_ERROR": _DANGEROUS["PULUMI_CONTINUE_ON_ERROR"],
    "TARGET": "a run would carry out a part of a step only",
    "TARGET_DEPENDENTS": "a run would carry out a part of a step only",
    "TARGET_REPLACE": "a run would replace what it is to keep",
    "EXCLUDE": "a run would leave out a part of a step",
    "EXCLUDE_DEPENDENTS": "a run would leave out a part of a step",
    "REPLACE": "a run would replace what it is to keep",
}
"""Pulumi takes every option of a command from `PULUMI_OPTION_<OPTION>` as well."""

_REFRESH = "PULUMI_OPTION_REFRESH"


def environment_problems(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence for each variable that would change what a run does.

    :param environment: the process's environment variables.
    """
    reasons = {
        **_DANGEROUS,
        **{f"PULUMI_OPTION_{name}": why for name, why in _DANGEROUS_OPTIONS.items()},
    }
    found = {name: why for name, why in reasons.items() if not _is_false(environment.get(name, ""))}
    if _REFRESH in environment and _is_false(environment[_REFRESH]):
        found[_REFRESH] = "a lost region's state would be trusted without a look at the cluster"
    return [
        f"environment variable {name} is {environment[name]!r}: {why}; `unset {name}` and run again"
        for name, why in found.items()
    ]


def _is_false(text: str) -> bool:
    return text.strip().lower() in _FALSE
