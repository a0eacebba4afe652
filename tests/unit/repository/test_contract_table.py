"""The contract's table in the docs lists every expectation, and each one names its source and who counts on it."""

from tests.checkout import CHECKOUT
from tests.contract.sections import all_expectations
from tests.contract.table import BEGIN, DOCUMENT, END, replaced


def test_the_table_is_that_of_the_checks() -> None:
    text = DOCUMENT.read_text()
    assert BEGIN in text
    assert END in text
    assert text == replaced(text), "run `python -m tests.contract.table`"


def test_each_expectation_says_what_it_is_and_where_it_comes_from() -> None:
    for each in all_expectations():
        assert each.sentence.endswith("."), each.name
        assert each.sources, each.name
        for name in each.relied_on:
            assert (CHECKOUT / name).exists(), f"{each.name}: {name}"


def test_no_two_expectations_have_one_name() -> None:
    names = [each.name for each in all_expectations()]
    assert sorted(set(names)) == sorted(names)
