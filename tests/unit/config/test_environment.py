"""The machine on which `pulumi up` is typed must not decide what it does.

The provider's own messages advise `PULUMI_K8S_DELETE_UNREACHABLE=true` in an outage: with it, a refresh while the
survivor's API server is away for a moment drops the whole region from the state.
"""

import re
from pathlib import Path

import pulumi_kubernetes
import pytest

from dualregion.config.environment import environment_problems
from tests.fakes.pulumi_engine import PROVIDER, declared, of_type, site_of
from tests.inputs.examples import settings
from tests.raising import assert_message

_SOURCE = Path(pulumi_kubernetes.__file__).parent
_READ = re.compile(r"get_env(?:_bool|_int|_float)?\('([A-Z0-9_]+)'\)")
VARIABLES = sorted(
    {
        name
        for file in ("provider.py", "_inputs.py")
        for name in _READ.findall((_SOURCE / file).read_text())
    }
)
THE_MACHINES = {
    "KUBECONFIG",
    "PULUMI_K8S_HELM_PLUGINS_PATH",
    "PULUMI_K8S_HELM_REGISTRY_CONFIG_PATH",
    "PULUMI_K8S_HELM_REPOSITORY_CACHE",
    "PULUMI_K8S_HELM_REPOSITORY_CONFIG_PATH",
}
"""Where the machine keeps files: no two need be alike."""


def provider() -> dict[str, object]:
    (found,) = of_type(declared(site_of(settings())), PROVIDER).values()
    return found.inputs


def test_the_variables_are_found_in_the_provider() -> None:
    assert {"PULUMI_K8S_DELETE_UNREACHABLE", "PULUMI_K8S_HELM_DRIVER"} < set(VARIABLES)
    assert set(VARIABLES) > THE_MACHINES


@pytest.mark.parametrize("name", sorted(set(VARIABLES) - THE_MACHINES))
@pytest.mark.parametrize("value", ["true", "false", "7"])
def test_no_variable_of_the_environment_reaches_the_provider(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in VARIABLES:
        monkeypatch.delenv(each, raising=False)
    before = provider()
    monkeypatch.setenv(name, value)
    assert provider() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PULUMI_SKIP_CHECKPOINTS", "true"),
        ("PULUMI_CONTINUE_ON_ERROR", "1"),
        ("PULUMI_K8S_ENABLE_PATCH_FORCE", "True"),
        ("PULUMI_K8S_UPSERT_EXISTING_OBJECTS", "true"),
        ("PULUMI_OPTION_CONTINUE_ON_ERROR", "true"),
        ("PULUMI_OPTION_TARGET", "urn:pulumi:region0::x"),
        ("PULUMI_OPTION_EXCLUDE", "urn:pulumi:region0::x"),
        ("PULUMI_OPTION_REPLACE", "urn:pulumi:region0::x"),
        ("PULUMI_OPTION_REFRESH", "false"),
    ],
)
def test_a_variable_that_no_argument_overrides_is_refused(name: str, value: str) -> None:
    (problem,) = environment_problems({"HOME": "/root", name: value})
    assert_message(problem, "variable-refused", name=name, value=value)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"PULUMI_SKIP_CHECKPOINTS": "false", "PULUMI_CONTINUE_ON_ERROR": ""},
        {"PULUMI_OPTION_REFRESH": "true", "PULUMI_OPTION_COLOR": "never"},
        {"KUBECONFIG": "/etc/kubeconfig", "PULUMI_BACKEND_URL": "s3://state"},
    ],
)
def test_everything_else_is_the_machines_affair(environment: dict[str, str]) -> None:
    assert environment_problems(environment) == []
