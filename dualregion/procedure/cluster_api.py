"""THE TABLE for Camunda 8.6 and later: failover and failback by the cluster management API, turn by turn.

Read it as `dualregion.procedure.camunda_8_5`: its steps have the same ids, and those that prove the same, too, are taken
from there. Lost brokers are removed from the cluster by force, and added again once they are recreated; nothing takes
their place meanwhile, so no release changes in a failover, and no exporter changes its address.
`steps.cluster_api.PROOFS` names the function of each step.

Sources: 'Failover' and 'Failback' of the dual-region operational procedure for 8.6 to 8.10, of which the order of 8.8 is
taken for all: exporting goes on before brokers are added, and web apps return last
(docs/develop/adr/0012-one-order-by-cluster-api.md).
"""

from dualregion.procedure.camunda_8_5 import B0, B2, B3, F0, F1, R
from dualregion.procedure.model import (
    Milestone,
    Phase,
    Procedure,
    Release,
    Role,
    Step,
    Task,
    Turn,
)

N = Step(
    "N",
    "all brokers of both regions are members and every partition is complete",
    announced_before=Milestone.TRAFFIC_TO_BOTH,
    announced_after=Milestone.FAILBACK_COMPLETE,
)
F2 = Step(
    "F2", "the lost brokers are removed by force, and every partition has a leader and quorum"
)
F3 = Step(
    "F3",
    "the lost region's exporter is disabled, and the survivor's goes on",
    announced_after=Milestone.TRAFFIC_TO_SURVIVOR,
)
B1 = Step("B1", "the recreated region's brokers are seen, and are no members; its engine is empty")
B4 = Step(
    "B4", "the recreated region's exporter is enabled from the survivor's position, still paused"
)
B5 = Step("B5", "exporting goes on, to both regions", announced_after=Milestone.EXPORTERS_RESUMED)
B6 = Step(
    "B6",
    "the recreated brokers are members again and every partition is complete",
    may_be_final=True,
)
B7 = Step("B7", "web apps are up again, and every broker runs what its region's release says")

CLUSTER_API = Procedure(
    turns=(
        Turn(Task.INSTALL, Role.MEMBER, Phase.NORMAL, releases=(Release(),), then=(N,)),
        # The release is as it was, so no broker restarts; only a failback that is backed out of has left another one.
        Turn(
            Task.FAIL_OVER,
            Role.SURVIVOR,
            Phase.FAILOVER,
            first=(F0, F1),
            isolated_after=F0,
            releases=(Release(),),
            then=(F2, F3),
            rolls_brokers=True,
        ),
        Turn(Task.CLEAN_UP, Role.LOST, Phase.FAILOVER, needs_other=(F3,), then=(R,)),
        # The isolation, no longer declared, goes once B0 is proved.
        Turn(
            Task.PROVE_CLEAN,
            Role.SURVIVOR,
            Phase.FAILBACK_PENDING,
            needs=(F3,),
            first=(B0,),
            releases=(Release(),),
            releases_wait=False,
        ),
        # Empty brokers wait outside of the cluster; nothing makes an index before the copy is there.
        Turn(
            Task.JOIN,
            Role.RECREATED,
            Phase.FAILBACK_PENDING,
            needs_other=(B0,),
            releases=(Release(has_web_apps=False, is_empty=True),),
            then=(B1,),
        ),
        # From 8.8 on web apps are in the broker pods, so taking them down restarts brokers: before the pause.
        Turn(
            Task.COPY,
            Role.SURVIVOR,
            Phase.FAILBACK_PENDING,
            needs_other=(B1,),
            releases=(Release(has_web_apps=False),),
            then=(B2, B3, B4),
            rolls_brokers=True,
        ),
        # Exporting goes on before the add: a replica that joins later is not paused, and no pause is taken meanwhile.
        Turn(
            Task.RESUME,
            Role.SURVIVOR,
            Phase.RESTORED,
            needs=(B4,),
            first=(B5, B6),
            releases=(Release(),),
            then=(B7,),
            rolls_brokers=True,
        ),
        # Brokers of both regions restart one at a time, so the recreated region's turn is the last.
        Turn(
            Task.OPEN_WEB_APPS,
            Role.RECREATED,
            Phase.RESTORED,
            needs=(B1,),
            needs_other=(B7,),
            releases=(Release(),),
            then=(B7,),
            rolls_brokers=True,
        ),
    ),
    taken_over=F3,
    no_return=B6,
    # Until they are added, the recreated brokers are no members, and hold nothing.
    holds_data=B6,
    holds_all=B6,
    has_failover_installation=False,
)
