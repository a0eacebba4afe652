"""Two operators: the link is cut, both regions live, and each calls the other one lost at nearly the same moment.

The survivor's begins first, as the rest of the drill is about that one. The other one's `pulumi up` must be refused, and
must have changed nothing: else two clusters accept commands.
"""

import time
from collections.abc import Mapping
from typing import Any

from drill.check import Check, check_of
from drill.observation.cluster import ClusterView
from drill.operators.stacks import Run
from drill.operators.turns import Outputs
from drill.procedure.model import Until
from drill.regions import Region
from drill.settings import SECRET_NAME, Incident
from drill.testbed.context import DrillContext
from drill.together import together

APART_SECONDS = 1.5
"""So long after the first operator the second one begins."""


def fail_over_both(ctx: DrillContext, incident: Incident, label: str) -> Outputs:
    """Run `pulumi up` on both stacks, each with the other one's region lost; return the survivor's outputs.

    :raises DrillError: the survivor's failed, as it does if the other operator was first.
    """
    survivor, lost = incident.survivor, incident.lost
    ctx.stacks.configure(lost.stack, {"phase": "failover", "lostRegion": str(survivor.index)})
    refused: list[Run] = []

    def first() -> Outputs:
        return ctx.must_up(survivor, "failover", f"region {lost.index} is lost")

    def second() -> Outputs:
        time.sleep(APART_SECONDS)
        with ctx.progress.stage(
            f"The second operator: pulumi up on {lost.stack}, calling {survivor.city} lost"
        ):
            refused.append(ctx.up(lost, f"region {survivor.index} is lost"))
        return {}

    outputs, _ = together(first, second)
    (run,) = refused
    ctx.check(
        label,
        second_is_refused(run.exit_status, run.output, survivor),
        nothing_was_begun(ctx.view(lost), lost),
    )
    if Until.FAILOVER in ctx.settings.procedure.kept:
        topology = ctx.view(lost).topology(lost.namespace)
        ctx.check(label, none_was_removed(topology, ctx.settings.cluster_size, lost))
    return outputs


def second_is_refused(exit_status: int, output: str, survivor: Region) -> Check:
    """The second operator's `pulumi up` fails, and names the stack that has begun a failover, and what to do."""
    problems = ["it ended well"] if exit_status == 0 else []
    problems += [
        f"it does not name {text!r}"
        for text in (survivor.stack, "two clusters would accept commands", "pulumi config set")
        if text not in output
    ]
    problems += ["it shows a stack trace"] if "Traceback" in output else []
    return check_of(
        "Of two operators who call the opposite regions lost, one is refused",
        problems,
        "with the reason and the way on",
    )


def nothing_was_begun(view: ClusterView, lost: Region) -> Check:
    """The refused one has neither failover brokers nor an isolation of its own; namespace and Secret come before F0."""
    given = f"secrets/{SECRET_NAME}"
    found = [each for each in view.installed(lost.failover_namespace) if each != given]
    policies = view.call(
        "GET", f"/apis/networking.k8s.io/v1/namespaces/{lost.namespace}/networkpolicies"
    )
    isolated = [
        each["metadata"]["name"]
        for each in policies["items"]
        if each["metadata"]["name"] == "isolate-lost-region"
    ]
    return check_of(
        "The refused operator's region has no failover brokers, and is not isolated",
        [f"{lost.failover_namespace} holds {each}" for each in found] + isolated,
        "nothing of either",
    )


def none_was_removed(topology: Mapping[str, Any], cluster_size: int, lost: Region) -> Check:
    """The refused operator's brokers still count those of both regions: none was removed by force."""
    found = topology.get("clusterSize")
    return check_of(
        f"The brokers of {lost.city}, whose operator was refused, still count those of both regions",
        [] if found == cluster_size else [f"they count {found} instead of {cluster_size}"],
        f"{cluster_size} members",
    )
