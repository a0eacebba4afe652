"""Drills of the later versions of Camunda (`make versions`): either region lost, several sizes, everything kept.

Whole drills: too long for `make test`.
"""

import pytest

from drill.procedure.versions import DEFAULT_VERSION, VERSIONS
from tests.drill.runs import whole_drill

pytestmark = [pytest.mark.drill]

LATER = [name for name in VERSIONS if name != DEFAULT_VERSION]


@pytest.mark.parametrize("lost", ["1", "0"])
@pytest.mark.parametrize("version", LATER)
def test_a_region_is_lost_and_failed_back_to(version: str, lost: str) -> None:
    document = whole_drill("--camunda", version, "--lost", lost)
    assert document["camunda"] == version
    assert document["unavailableFromUpSeconds"] >= document["overheadSeconds"]


@pytest.mark.parametrize("version", ["8.8", "8.10"])
def test_with_eight_brokers(version: str) -> None:
    whole_drill("--camunda", version, "--cluster-size", "8", "--by-pulumi")


def test_with_twelve_brokers() -> None:
    whole_drill("--camunda", "8.6", "--cluster-size", "12", "--by-pulumi")


def test_with_six_brokers_as_no_former_version_can() -> None:
    whole_drill("--camunda", "8.6", "--cluster-size", "6", "--by-pulumi")


@pytest.mark.parametrize("version", ["8.8", "8.9"])
def test_one_region_after_the_other(version: str) -> None:
    """With a password, too: the second recreated engine has another one than the first."""
    whole_drill("--camunda", version, "--incidents", "1,0", "--by-pulumi")


def test_a_failback_is_backed_out_of() -> None:
    whole_drill("--camunda", "8.8", "--back-out", "--by-pulumi")
