"""The first lines: whether Camunda works, for people who do not know how."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from cli.status.health import judge
from cli.status.observed.observe import RegionStatuses
from cli.status.observed.results import Result
from cli.status.service import Commands, Exports, WebApps
from messages.command.status import not_in_time
from tests.fakes import command as world

ONE_REFUSES = world.region(
    0, normal=world.installation(0, view=world.view_of((0, 2), leaderless=[2]))
)


@pytest.mark.parametrize(
    ("regions", "state", "accepting"),
    [
        (world.whole(), Commands.ACCEPTED, 4),
        ((ONE_REFUSES, world.unreachable(1)), Commands.PARTLY, 3),
        ((world.refusing(0), world.unreachable(1)), Commands.REFUSED, 0),
        ((world.unreachable(0), world.unreachable(1)), Commands.UNKNOWN, None),
    ],
)
def test_commands_are_accepted_where_there_is_a_leader(
    regions: RegionStatuses, state: Commands, accepting: int | None
) -> None:
    service = judge(world.normal(), regions).service
    assert (service.commands, service.accepting) == (state, accepting)


@pytest.mark.parametrize(
    ("regions", "state", "exporting"),
    [
        (world.whole(), Exports.RUNNING, 4),
        ((ONE_REFUSES, world.unreachable(1)), Exports.PARTLY, 3),
        ((world.refusing(0), world.unreachable(1)), Exports.STANDING, 0),
        (world.paused("PAUSED"), Exports.PAUSED, 0),
        (world.paused("SOFT_PAUSED"), Exports.PAUSED_SOFTLY, 4),
        ((world.unreachable(0), world.unreachable(1)), Exports.UNKNOWN, None),
        (
            (
                world.region(0, normal=world.unanswered(world.installation(0), "exporting")),
                world.unreachable(1),
            ),
            Exports.UNKNOWN,
            None,
        ),
    ],
)
def test_records_are_exported_where_all_replicas_say_so(
    regions: RegionStatuses, state: Exports, exporting: int | None
) -> None:
    service = judge(world.normal(), regions).service
    assert (service.exporting, service.exporting_on) == (state, exporting)


@pytest.mark.parametrize(
    ("region", "state"),
    [
        (world.whole()[1], WebApps.UP),
        (world.region(1, normal=world.installation(1, ready=0)), WebApps.DOWN),
        (world.region(1, normal=world.installation(1, ready=0, wanted=0)), WebApps.SCALED_DOWN),
        (world.region(1, normal=world.installation(1, ready=1, wanted=2)), WebApps.PARTLY),
        (world.region(1, normal=Result(None)), WebApps.NONE),
        (world.region(1), WebApps.NONE),
        (world.region(1, normal=Result(error=not_in_time())), WebApps.UNKNOWN),
        (world.unreachable(1), WebApps.UNKNOWN),
    ],
)
def test_web_apps_are_told_region_by_region(region: object, state: WebApps) -> None:
    regions = (world.whole()[0], region)
    service = judge(world.normal(), regions).service  # type: ignore[arg-type]
    assert service.web_apps == (WebApps.UP, state)


def by_profiles(profiles: Result[frozenset[str] | None], *, asleep: Sequence[int] = ()) -> object:
    """Return region 1 of a version whose web apps are profiles of the broker pods."""
    found = world.installation(1, asleep=asleep)
    assert found.value is not None
    return world.region(1, normal=Result(replace(found.value, profiles=profiles)))


ALL: Result[frozenset[str] | None] = Result(frozenset({"broker", "operate", "tasklist"}))


@pytest.mark.parametrize(
    ("region", "state"),
    [
        (by_profiles(ALL), WebApps.UP),
        (by_profiles(ALL, asleep=[1]), WebApps.PARTLY),
        (by_profiles(ALL, asleep=[1, 3]), WebApps.DOWN),
        (by_profiles(Result(frozenset({"broker"}))), WebApps.SWITCHED_OFF),
        (by_profiles(Result(None)), WebApps.UNKNOWN),
        (by_profiles(Result(error=not_in_time())), WebApps.UNKNOWN),
    ],
)
def test_web_apps_that_are_profiles_are_where_ready_brokers_run_them(
    region: object, state: WebApps
) -> None:
    """A Deployment is not looked for."""
    service = judge(world.normal(), (world.whole()[0], region)).service  # type: ignore[arg-type]
    assert service.web_apps == (WebApps.UP, state)
