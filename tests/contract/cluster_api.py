"""The calls of the cluster management API (8.6 and later), as the contract's checks make them."""

from collections.abc import Sequence
from typing import Any

from tests.contract.asking import half, refusing, seen, topology
from tests.contract.target import Answer, Target, ask, eventually

OVER = 60.0
"""Seconds within which a change ends, however many replicas join."""


def cluster(target: Target) -> dict[str, Any]:
    """Return what the coordinator says of the cluster."""
    answer = ask("GET", f"{target.gateway.management}/actuator/cluster")
    assert answer.status == 200, answer
    content: dict[str, Any] = answer.content
    return content


def members(target: Target) -> list[int]:
    """Return the ids of the brokers that belong to the cluster."""
    return [int(broker["id"]) for broker in cluster(target)["brokers"]]


def distribution(brokers: Sequence[Any]) -> dict[int, dict[int, int]]:
    """Return the priority of each replica, by partition and broker."""
    found: dict[int, dict[int, int]] = {}
    for broker in brokers:
        for partition in broker["partitions"]:
            found.setdefault(partition["id"], {})[broker["id"]] = partition["priority"]
    return found


def exporters(target: Target) -> dict[str, str]:
    """Return the status of each exporter."""
    answer = ask("GET", f"{target.gateway.management}/actuator/exporters")
    assert answer.status == 200, answer
    return {each["exporterId"]: each["status"] for each in answer.content}


def switch(target: Target, exporter: str, operation: str, initialize_from: str = "") -> Answer:
    """Ask to enable or disable an exporter."""
    body = {"initializeFrom": initialize_from} if initialize_from else None
    return ask(
        "POST", f"{target.gateway.management}/actuator/exporters/{exporter}/{operation}", body
    )


def keep(target: Target, brokers: Sequence[int], dry_run: bool = False) -> Answer:
    """Ask to remove by force all but these, in the form of the target's version."""
    dry = "&dryRun=true" if dry_run else ""
    url = f"{target.gateway.management}/actuator/cluster"
    if target.version in ("8.6", "8.7"):
        return ask("POST", f"{url}/brokers?force=true{dry}", [str(each) for each in brokers])
    lost = sorted(set(target.brokers) - set(brokers))
    return ask("PATCH", f"{url}?force=true{dry}", {"brokers": {"remove": lost}})


def add(target: Target, lost: Sequence[int], factor: int, dry_run: bool = False) -> Answer:
    """Ask to take brokers in again, in the form of the target's version."""
    url = f"{target.gateway.management}/actuator/cluster"
    dry = "&dryRun=true" if dry_run else ""
    if target.version in ("8.6", "8.7"):
        everyone = sorted(target.brokers)
        return ask("POST", f"{url}/brokers?replicationFactor={factor}{dry}", everyone)
    body = {"brokers": {"add": list(lost)}, "partitions": {"replicationFactor": factor}}
    return ask("PATCH", f"{url}?{dry.removeprefix('&')}", body)


def pending(target: Target) -> str | None:
    """Return the change that is under way, or None."""
    change = cluster(target).get("pendingChange")
    return f"pending: {change}" if change else None


def done(target: Target, answer: Answer) -> dict[str, Any]:
    """Demand that a change was accepted, and wait until it is over; return the answer's content."""
    assert answer.status == 202, answer
    content: dict[str, Any] = answer.content
    eventually(lambda: pending(target), OVER)
    last = cluster(target)["lastChange"]
    assert last["id"] == content["changeId"], last
    assert last["status"] == "COMPLETED", last
    return content


def lose(target: Target, lost: int, *, alive: bool = False) -> tuple[list[int], list[int], Target]:
    """Kill every second broker, the first one among them if `lost` is 0.

    :param alive: they are frozen instead.
    :returns: the lost brokers, those that remain, and the target as it is asked from then on.
    """
    odd = half(list(target.brokers))
    gone = odd if lost else sorted(set(target.brokers) - set(odd))
    kept = sorted(set(target.brokers) - set(gone))
    (target.hands.freeze if alive else target.hands.kill)(*gone)
    surviving = target.through(kept[0])
    eventually(
        lambda: f"{gone} in sight" if seen(surviving) & set(gone) else None,
        surviving.timing.patience,
    )
    return gone, kept, surviving


def fail_over(
    target: Target, lost: int, *, alive: bool = False
) -> tuple[list[int], list[int], Target]:
    """Lose every second broker and remove them by force; return as `lose` does."""
    gone, kept, surviving = lose(target, lost, alive=alive)
    done(surviving, keep(surviving, kept))
    eventually(lambda: refusing(surviving), surviving.timing.patience)
    return gone, kept, surviving


def recreate(target: Target, gone: Sequence[int]) -> None:
    """Start lost brokers on empty disks, and wait until the gateway sees them outside of the cluster.

    A broker that others have removed ends with status 3, and is started again as a kubelet does.
    """
    target.hands.wipe(*gone)
    target.hands.start(*gone)
    eventually(lambda: outside(target, gone), target.timing.patience)


def outside(target: Target, brokers: Sequence[int]) -> str | None:
    """Return why brokers are not seen outside of the cluster, or None; start those that have ended."""
    target.hands.start(*brokers)
    listed = {int(each["nodeId"]): each["partitions"] for each in topology(target)["brokers"]}
    lacking = [each for each in brokers if listed.get(each, ["not listed"])]
    return f"not outside: {lacking} of {listed}" if lacking else None
