"""Templates that pods run alike, and such that only look so."""

from copy import deepcopy
from typing import Any

import pytest

from dualregion.chart.pod_templates import environment, look_alike

NAME = {"name": "K8S_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
HOST = {"name": "HOST", "value": "$(K8S_NAME).zeebe"}
POINTS = {"name": "POINTS", "value": "own"}
ALL_POINTS = {"name": "POINTS", "value": "both"}


def template(*env: dict[str, Any], image: str = "zeebe:8.5.8") -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "zeebe"}},
        "spec": {"containers": [{"name": "zeebe", "image": image, "env": list(env)}]},
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((NAME, HOST, POINTS, ALL_POINTS), (NAME, HOST, POINTS, ALL_POINTS)),
        ((NAME, HOST, POINTS, ALL_POINTS), (NAME, POINTS, ALL_POINTS, HOST)),
        ((NAME, HOST, POINTS, ALL_POINTS), (NAME, HOST, ALL_POINTS)),
        ((POINTS, POINTS), (POINTS,)),
    ],
    ids=["the same", "another order", "a name once instead of twice", "once the same"],
)
def test_what_runs_alike(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert look_alike(template(*one), template(*other))
    assert look_alike(template(*other), template(*one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((NAME, HOST, POINTS, ALL_POINTS), (NAME, HOST, ALL_POINTS, POINTS)),
        ((NAME, HOST), (HOST, NAME)),
        ((NAME, HOST), (NAME,)),
        ((POINTS,), (ALL_POINTS,)),
        ((NAME,), ({"name": "K8S_NAME", "value": "zeebe-0"},)),
    ],
    ids=[
        "another one of two counts",
        "a name that is referred to comes too late",
        "one is missing",
        "another value",
        "a value from elsewhere",
    ],
)
def test_what_does_not_run_alike(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert not look_alike(template(*one), template(*other))
    assert not look_alike(template(*other), template(*one))


def test_whatever_is_no_environment_must_be_the_same() -> None:
    former = template(POINTS)
    assert not look_alike(former, template(POINTS, image="zeebe:8.5.9"))
    annotated = deepcopy(former)
    annotated["metadata"]["annotations"] = {"checksum/config": "other"}
    assert not look_alike(former, annotated)
    prepared = deepcopy(former)
    prepared["spec"]["initContainers"] = [{"name": "wait", "image": "busybox"}]
    assert not look_alike(former, prepared)


def test_the_environment_is_worked_out_as_the_kubelet_does() -> None:
    seen = environment(
        [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)-$$(A)-$(LATER)"},
            {"name": "A", "value": "2"},
            {"name": "C", "value": "$(A)"},
            {"name": "EMPTY"},
        ]
    )
    assert seen == {"A": "2", "B": "1-$(A)-$(LATER)", "C": "2", "EMPTY": ""}
