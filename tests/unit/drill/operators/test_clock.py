"""A Python with the drill's wrong clock: the time of day is another, and all else as ever."""

import os
import subprocess
import sys
import time

import pytest

from drill.operators.clock import skewed

_ASKING = """
import time
from datetime import UTC, date, datetime, timedelta
moment = datetime.now(UTC)
assert isinstance(moment, datetime) and isinstance(datetime.fromisoformat(moment.isoformat()), datetime)
assert type(moment - timedelta(seconds=1)) is datetime and issubclass(datetime, date)
class Own(datetime): pass
assert not isinstance(moment, Own) and isinstance(Own(2026, 1, 1), Own)
print(time.time(), time.time_ns() / 1e9, moment.timestamp(), datetime.now().timestamp(), time.monotonic())
"""


def asked(code: str, seconds: float) -> str:
    env = skewed(os.environ, seconds)
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("seconds", [420.0, -420.0])
def test_every_look_at_the_time_of_day_is_off(seconds: float) -> None:
    *days, monotonic = map(float, asked(_ASKING, seconds).split())
    assert all(abs(each - time.time() - seconds) < 60 for each in days), days
    assert abs(monotonic - time.monotonic()) < 60


def test_the_libraries_of_the_program_bear_it() -> None:
    code = """
import yaml, pulumi, kubernetes, pydantic
from datetime import UTC, datetime
class Model(pydantic.BaseModel):
    at: datetime
now = datetime.now(UTC)
assert yaml.safe_load(yaml.safe_dump({"at": now}))["at"] == now
assert Model.model_validate_json(Model(at=now).model_dump_json()).at == now
print(Model(at=now).at.isoformat() == now.isoformat())
"""
    assert asked(code, 420.0) == "True\n"


def test_what_was_on_the_path_stays_there() -> None:
    found = skewed({"PYTHONPATH": "/a:/b"}, 60.0)["PYTHONPATH"].split(os.pathsep)
    assert found[1:] == ["/a", "/b"]
