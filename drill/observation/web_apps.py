"""Operate and Tasklist as they are seen: Deployments of their own up to Camunda 8.7, then profiles of the broker pods."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from drill.observation.pods import is_ready
from drill.regions import RELEASE

PROFILES = ("operate", "tasklist")
WEB_APPS = tuple(f"{RELEASE}-{profile}" for profile in PROFILES)
"""The names of their Deployments."""
_APPLICATION = "application.yaml"
_REVISION = "controller-revision-hash"
"""The label of a StatefulSet's pod that names the template that it was made of."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class WebApps:
    """The web applications of one namespace.

    :ivar missing: what they lack to be ready, one sentence each.
    :ivar running: what of them runs.
    """

    missing: tuple[str, ...]
    running: tuple[str, ...]


def of_deployments(deployments: Iterable[Json]) -> WebApps:
    """Return how they stand as Deployments: running is what has a ready pod."""
    there = {each["metadata"]["name"]: each for each in deployments}
    missing, running = [], []
    for name in WEB_APPS:
        if name not in there:
            missing.append(f"there is no {name}")
            continue
        wanted = there[name]["spec"].get("replicas", 1)
        ready = there[name].get("status", {}).get("readyReplicas", 0)
        if ready:
            running.append(f"{name} is ready")
        if ready < max(wanted, 1):
            missing.append(f"{name} has {ready} of {wanted} ready")
    return WebApps(tuple(missing), tuple(running))


def of_brokers(stateful_set: Json, configuration: Json, pods: Iterable[Json]) -> WebApps:
    """Return how they stand as profiles of the broker pods: running is whatever is not known to be off.

    A pod has the configuration of the template that it was made of: whoever switches a profile replaces the pods.

    :param stateful_set: the brokers'.
    :param configuration: the ConfigMap that its pods read.
    :param pods: the brokers.
    """
    document = yaml.safe_load(configuration["data"][_APPLICATION])
    on = set(str(document["spring"]["profiles"]["active"]).split(","))
    newest = stateful_set["status"].get("updateRevision")
    off = [f"profile {each} is off" for each in PROFILES if each not in on]
    missing, running = list(off), [f"profile {each} is on" for each in PROFILES if each in on]
    seen = 0
    for pod in pods:
        seen += 1
        name = pod["metadata"]["name"]
        if pod["metadata"]["labels"].get(_REVISION) != newest:
            missing.append(f"{name} is of a former configuration")
            running.append(f"{name} is of a former configuration")
        elif not is_ready(pod):
            missing.append(f"{name} is not ready")
    wanted = stateful_set["spec"]["replicas"]
    if seen < wanted:
        missing.append(f"there are {seen} of {wanted} brokers")
    return WebApps(tuple(missing), tuple(running))


def configuration_of(stateful_set: Json) -> str:
    """Return the name of the ConfigMap that the brokers of a StatefulSet read."""
    volumes = stateful_set["spec"]["template"]["spec"]["volumes"]
    return str(next(each["configMap"]["name"] for each in volumes if each["name"] == "config"))
