"""The checks of the contract, a module for each part of it; reading this package registers them all."""

from tests.contract.expectations import EXPECTATIONS, Expectation
from tests.contract.sections import (
    cluster_changes,
    cluster_exporters,
    commands,
    exports,
    failover,
    faults,
    pauses,
    restarts,
    topology,
)

SECTIONS = (
    topology,
    commands,
    pauses,
    exports,
    restarts,
    faults,
    cluster_changes,
    cluster_exporters,
    failover,
)


def all_expectations() -> list[Expectation]:
    """Return every expectation, in the order of the modules."""
    names = [section.__name__.rpartition(".")[2] for section in SECTIONS]
    return sorted(EXPECTATIONS, key=lambda each: names.index(each.section))
