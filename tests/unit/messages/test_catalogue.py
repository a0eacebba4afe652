"""The catalogue of messages: each has a code, a meaning and a sentence, and the page of them is true."""

import pytest

from messages import CATALOGUE, explained, message, read_back, with_code
from messages.decision import guards as messages
from tests.raising import assert_message
from tools import errors_page

explained.modules()


@pytest.mark.golden
def test_page_is_true() -> None:
    assert errors_page.DOCUMENT.read_text() == errors_page.page(), (
        "read what it changes, and run `python -m tools.errors_page`"
    )


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_message_says_what_it_means(code: str) -> None:
    found = explained.sample(code)
    assert_message(found, code)
    assert explained.meaning(code), "its docstring is what `docs/errors.md` says of it"


def test_two_messages_never_have_one_code() -> None:
    def same_region_twice() -> str:
        return "text"

    with pytest.raises(ValueError, match="same-region-twice"):
        message(same_region_twice)


def test_code_behind_a_message_is_read_back() -> None:
    found = messages.same_region_twice(region=1, peer_stack="x")
    assert_message(read_back(with_code(found)), "same-region-twice")
    assert str(read_back(with_code(found))) == str(found)


@pytest.mark.parametrize("text", ["exit status 1", "token=[secret]", "and begin? [y/N]"])
def test_text_without_a_code_stays(text: str) -> None:
    assert with_code(text) == text == read_back(text)
