"""The file that names a cluster for the contract: addresses, commands, and what can be checked with them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tests.contract.from_file import target_at
from tests.contract.table import DOCUMENT
from tests.contract.target import Need, Target

GATEWAY = {"grpc": "127.0.0.1:26500", "rest": "127.0.0.1:8080", "management": "http://a:9600/"}
COMMANDS = ("stop", "kill", "start", "freeze", "thaw", "wipe")


def named(tmp_path: Path, brokers: dict[int, Any], **more: Any) -> Target:
    file = tmp_path / "target.yaml"
    file.write_text(yaml.safe_dump({"gateway": GATEWAY, "brokers": brokers, **more}))
    return target_at(file)


def test_addresses_alone_suffice(tmp_path: Path) -> None:
    target = named(tmp_path, {0: {"management": "127.0.0.1:9610"}})
    assert target.gateway.grpc == "127.0.0.1:26500"
    assert target.gateway.rest == "http://127.0.0.1:8080"
    assert target.gateway.management == "http://a:9600"
    assert target.brokers == {0: "http://127.0.0.1:9610"}
    assert target.can == frozenset()


def test_commands_make_more_possible_if_every_broker_has_them(tmp_path: Path) -> None:
    every = {"management": "a:1"} | dict.fromkeys(COMMANDS, "true")
    assert named(tmp_path, {0: every, 1: every}).can == {
        Need.RESTART,
        Need.KILL,
        Need.FREEZE,
        Need.WIPE,
    }
    assert named(tmp_path, {0: every, 1: {"management": "a:2"}}).can == frozenset()


def test_engines_make_more_possible(tmp_path: Path) -> None:
    one, two = {"url": "a:9200"}, {"url": "b:9200", "stop": "true", "start": "true"}
    brokers = {0: {"management": "a:1"}}
    assert named(tmp_path, brokers, engines=[one]).can == {Need.ENGINE}
    assert named(tmp_path, brokers, engines=[one, two]).can == {
        Need.ENGINE,
        Need.TWO_ENGINES,
        Need.BREAK,
    }


def test_what_was_stopped_or_frozen_is_restored(tmp_path: Path) -> None:
    log = tmp_path / "log"
    every = {
        number: {"management": "a:1"}
        | {what: f"echo {what} {number} >> {log}" for what in COMMANDS}
        for number in (0, 1)
    }
    hands = named(tmp_path, every).hands
    hands.kill(1)
    hands.freeze(0)
    hands.restore()
    hands.restore()
    assert log.read_text().splitlines() == ["kill 1", "freeze 0", "thaw 0", "start 1"]


def test_a_command_that_fails_says_so(tmp_path: Path) -> None:
    broker = {"management": "a:1", "stop": "echo no such pod >&2; exit 3", "start": "true"}
    with pytest.raises(AssertionError, match="3 no such pod"):
        named(tmp_path, {0: broker}).hands.stop(0)


def test_an_unknown_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="halt"):
        named(tmp_path, {0: {"management": "a:1", "halt": "true"}})


def test_the_file_in_the_docs_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "target.yaml"
    file.write_text(text)
    target = target_at(file)
    assert set(target.brokers) == {0, 1}
    assert target.timing == type(target.timing)()
