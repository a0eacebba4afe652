"""A run may be killed after any of its calls; the next one looks first, and does what is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from tests.fakes.cluster_regions import ApiWorld, api_world, whole_incident
from tests.unit.steps.cluster_api.test_whole import orders_of

_ONLY_LOOKS = ("dryRun", "_refresh", "_search", "completion", "_verify", "explain")
"""What is asked by POST, and changes nothing."""


class Killed(BaseException):
    """The run has ended here."""


@contextmanager
def killed_after_what_is_new(known: set[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a run end as soon as a call has been answered that changes something, and after which no run has ended yet."""
    call = client.ApiClient.call_api

    def counted(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        answer = call(self, method, url, *args, **kwargs)
        only_looks = method == "GET" or any(each in url for each in _ONLY_LOOKS)
        what = f"{method} {url} {args[1] if len(args) > 1 else kwargs.get('body')}"
        if not only_looks and what not in known:
            known.add(what)
            raise Killed
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(client.ApiClient, "call_api", counted)
        yield


@pytest.mark.parametrize(
    ("version", "lost"), [("8.6", 0), ("8.8", 1), ("8.8", 0), ("8.10", 1)], ids=str
)
def test_a_run_that_is_killed_after_each_of_its_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, lost: int
) -> None:
    kills: dict[str, int] = {}

    def prove(here: ApiWorld, step: str, role: str) -> None:
        known: set[str] = set()
        while True:
            try:
                with killed_after_what_is_new(known, monkeypatch):
                    here.prove(step, role)
            except Killed:
                kills[step] = kills.get(step, 0) + 1
            else:
                return

    with api_world(lost, version, tmp_path) as here:
        whole_incident(here, lambda step, role: prove(here, step, role))
        assert here.orders() == orders_of(here)
        assert set(here.management.members) == set(range(here.size))
        assert here.phases() == {"EXPORTING"}
        assert here.empty.held == here.own.held
        assert here.all_faults() == []
    # What brokers are asked for, what restarts them, and what copies an engine.
    assert set(kills) >= {"F2", "F3", "B2", "B3", "B4", "B5", "B6", "B7"}, kills
    assert sum(kills.values()) > 15, kills
