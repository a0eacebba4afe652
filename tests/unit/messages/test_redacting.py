"""A secret is taken out of a message's sentence and of its facts, wherever it stands in them."""

from dualregion.errors import ConfigError
from messages.decision import guards as messages
from messages.errors import several_problems
from tests.raising import assert_message, raises


def test_secret_is_in_neither_sentence_nor_facts() -> None:
    inner = messages.same_region_twice(region=1, peer_stack="hush")
    found = several_problems(["hush", inner]).redacted(lambda text: text.replace("hush", "-"))
    assert "hush" not in found
    first, second = found.facts["problems"]
    assert first == "-"
    assert_message(second, "same-region-twice", region=1, peer_stack="-")


def test_one_problem_of_a_configuration_is_its_message() -> None:
    one = messages.same_region_twice(region=1, peer_stack="region1")
    with raises("same-region-twice", ConfigError, region=1):
        raise ConfigError([one])
    with raises("several-problems", ConfigError, problems=(one, one)) as raised:
        raise ConfigError([one, one])
    assert raised.value.codes == ("same-region-twice", "same-region-twice")
