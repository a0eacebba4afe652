"""Adopting, as docs/adopting.md tells it, and a whole drill from there (`make adopting`): too long for `make test`."""

from typing import Any

import pytest

from tests.drill.runs import drill, everything_left, finish, report

pytestmark = [pytest.mark.drill]

ADOPTED = (
    "The preview of region0 says that the release is adopted",
    "The preview of region1 says that the release is adopted",
    "Adopting the running releases restarts no pod",
    "The brokers of london are in one revision, and no longer held",
    "The brokers of paris are in one revision, and no longer held",
)


def test_what_plain_helm_has_installed_is_adopted_and_survives_the_loss_of_a_region() -> None:
    process = drill("--adopt")
    output = finish(process)
    document: dict[str, Any] = report()
    assert [check for check in document["checks"] if not check["ok"]] == []
    assert process.returncode == 0, output[-3000:]
    names = [check["name"] for check in document["checks"]]
    assert {f"adopting: {each}" for each in ADOPTED} <= set(names)
    assert document["load"]["lost"] == 0
    assert document["records"]["missingInRegion0"] == document["records"]["missingInRegion1"] == 0
    assert everything_left() == []
