"""How sentences show several things, and amounts."""

import pytest

from messages.words import amount, bytes_of, listed, some_of


def test_all_are_named_or_the_first_few_and_how_many_more() -> None:
    names = [f"index-{number}" for number in range(9)]
    assert listed([1, 2, 10]) == "1, 2, 10"
    assert some_of(names[:5]) == ", ".join(names[:5])
    assert some_of(names, "; ") == "; ".join([*names[:5], "and 4 more"])


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [
        (1_230_000, 3_400_000, "1.2 of 3.4 MB"),
        (0, 0, "0 of 0 bytes"),
        (2500, 2500, "2.5 of 2.5 kB"),
        (10**9, 4 * 10**9, "1.0 of 4.0 GB"),
    ],
)
def test_amounts_have_the_unit_that_suits_their_total(done: int, total: int, text: str) -> None:
    assert amount(done, total) == text
    assert bytes_of(total) == text.split(" of ")[1]
