"""Which web apps brokers run, by the profiles that their configuration names."""

import pytest

from dualregion.observed.profiles import configured_profiles, profiles_of

ACTIVE = 'spring:\n  profiles:\n    active: "broker, identity,operate"\n'


def test_a_list_with_commas() -> None:
    assert profiles_of("broker, operate,,tasklist ") == {"broker", "operate", "tasklist"}
    assert profiles_of("") == frozenset()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"startup.sh": "exec", "application.yaml": ACTIVE}, {"broker", "identity", "operate"}),
        ({"application.yml": ACTIVE}, {"broker", "identity", "operate"}),
        ({"application.yaml": f"server: {{}}\n---\n{ACTIVE}"}, {"broker", "identity", "operate"}),
        ({"application.yaml": "spring: {profiles: {active: [broker, operate]}}"}, {"broker", "operate"}),
        ({"application.yaml": 'spring: {profiles: {active: ""}}'}, set()),
        ({"application.yaml": "spring: {profiles: {}}"}, None),
        ({"application.yaml": "spring: text"}, None),
        ({"application.yaml": "a: [unclosed"}, None),
        ({"startup.sh": ACTIVE}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_what_the_configuration_names(files: dict[str, str], expected: set[str] | None) -> None:
    assert configured_profiles(files) == (None if expected is None else frozenset(expected))
