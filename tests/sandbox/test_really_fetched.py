"""What the set-up of this machine has really fetched: all of it on the list of licences, nothing of the vendor's."""

import pytest

from sandbox.licences.entries import listed
from sandbox.licences.really import complaints
from sandbox.setup import fetched

pytestmark = pytest.mark.sandbox


def test_all_that_was_fetched_has_an_open_source_licence_and_nothing_is_the_vendors() -> None:
    items = fetched.load()
    kinds = {each.kind for each in items}
    assert {"part", "go", "maven", "python", "debian"} <= kinds
    assert complaints(items, listed()) == ()
