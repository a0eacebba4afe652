"""Preflight finds by day that brokers would not get in to a search engine: its password was changed, here or there."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cli.check import Check, Outcome
from cli.checks import passwords
from clients.installation import LiveInstallation
from messages import Message
from messages.command.checks import check_passwords
from messages.command.status import not_in_time
from steps.search_engine.passwords import share
from tests.fakes.cluster_regions import ApiWorld, api_world
from tests.fakes.kubernetes import Reply
from tests.fakes.search_engines import SecuredEngine, encoded
from tests.raising import assert_message, tells


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ApiWorld]:
    """Both regions at work, with both passwords where brokers read them; region 0 is the one that is checked."""
    with api_world(1, "8.9", tmp_path) as made:
        ctx = made.ctx("N", "member")
        share(ctx, ctx.waiting(ctx.settings.procedure.steps_by_id["N"]))
        for pod in made.near.objects[f"{_place(made)}/pods"].values():
            pod["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00+00:00"
        yield made


def _place(here: ApiWorld) -> str:
    return f"/api/v1/namespaces/{here.own.namespace}"


def check(here: ApiWorld, owners: Mapping[int, LiveInstallation | Message] | None = None) -> Check:
    ctx = here.ctx("N", "member")
    at, login = ctx.installation, ctx.settings.engine_address.login
    assert login is not None
    both = {0: at, 1: ctx.peer_at(ctx.settings.peer.namespace)}
    name = check_passwords("london")
    return passwords.of_region(name, at, login, 0, both if owners is None else owners)


def failed(here: ApiWorld, code: str) -> Check:
    found = check(here)
    assert found.outcome is Outcome.FAILED, found
    assert tells(found.found, code)
    assert_message(found.remedy, "fix-passwords")
    assert isinstance(here.own, SecuredEngine)
    assert str(here.own.password) not in f"{found} {found.found.facts if found.found else ''}"
    return found


def test_brokers_that_get_in_everywhere(here: ApiWorld) -> None:
    assert check(here).outcome is Outcome.OK


def test_an_engine_that_does_not_take_the_password_of_its_secret(here: ApiWorld) -> None:
    assert isinstance(here.own, SecuredEngine)
    here.own.password = "changed-in-the-engine"
    failed(here, "engine-login-refused")


def test_an_engine_whose_own_secret_is_gone(here: ApiWorld) -> None:
    del here.near.objects[f"{_place(here)}/secrets"]["elasticsearch-es-elastic-user"]
    failed(here, "engine-secret-missing")


@pytest.mark.parametrize("region", [0, 1])
def test_a_copy_that_holds_another_password_than_the_engine(here: ApiWorld, region: int) -> None:
    """The other region's engine has another one since, or this one's Secret was changed and its copy was not."""
    copy = f"elasticsearch-es-password-region-{region}"
    held = here.near.objects[f"{_place(here)}/secrets"][copy]
    held["data"] = {"elastic": encoded("of-yesterday")}
    found = failed(here, "password-copy-differs")
    assert tells(found.found, copy)


def test_a_copy_that_is_gone(here: ApiWorld) -> None:
    del here.near.objects[f"{_place(here)}/secrets"]["elasticsearch-es-password-region-1"]
    failed(here, "password-copy-missing")


def test_brokers_that_started_before_a_password_was_changed(here: ApiWorld) -> None:
    pod = here.near.objects[f"{_place(here)}/pods"]["camunda-zeebe-1"]
    pod["metadata"]["creationTimestamp"] = "2025-12-31T00:00:00+00:00"
    found = failed(here, "brokers-hold-old-password")
    assert tells(found.found, "camunda-zeebe-1")
    assert not tells(found.found, "camunda-zeebe-0")


def test_what_cannot_be_asked_is_unknown(here: ApiWorld) -> None:
    at = here.ctx("N", "member").installation
    found = check(here, {0: at, 1: not_in_time()})
    assert (found.outcome, found.found) == (Outcome.UNKNOWN, not_in_time())
    secret = f"{_place(here)}/secrets/elasticsearch-es-elastic-user"
    here.near.broken[secret] = Reply(403, {"message": "forbidden"})
    assert check(here).outcome is Outcome.UNKNOWN


def test_an_engine_none_of_whose_pods_is_ready_is_unknown(here: ApiWorld) -> None:
    engine = here.near.objects[f"{_place(here)}/pods"]["elasticsearch-es-masters-0"]
    engine["status"]["conditions"] = []
    found = check(here)
    assert found.outcome is Outcome.UNKNOWN
    assert_message(found.found, "no-engine-pod-ready")


def test_the_engine_of_a_lost_region_does_not_count(here: ApiWorld) -> None:
    """A recreated one has another password, which B2 brings here."""
    here.lose()
    assert check(here, {0: here.ctx("N", "member").installation}).outcome is Outcome.OK
