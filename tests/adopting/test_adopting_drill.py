"""Adopting, as docs/prepare/adopting.md tells it, and a whole drill from there (`make adopting`): too long for `make test`."""

import pytest

from tests.drill.runs import whole_drill

pytestmark = [pytest.mark.drill]

ADOPTED = (
    "The preview of region0 says that the release is adopted",
    "The preview of region1 says that the release is adopted",
    "Adopting the running releases restarts no pod",
    "The brokers of london are in one revision, and no longer held",
    "The brokers of paris are in one revision, and no longer held",
)


def test_what_plain_helm_has_installed_is_adopted_and_survives_the_loss_of_a_region() -> None:
    names = [check["name"] for check in whole_drill("--adopt")["checks"]]
    assert {f"adopting: {each}" for each in ADOPTED} <= set(names)
