"""THE TABLE: Camunda's dual-region operational procedure for 8.5, turn by turn.

Read it from top to bottom. A turn is one `pulumi up` on one stack: `role` names whose, `needs` and `needs_other` what
is proved before it begins. The gates of earlier turns of the same stack stay declared. `steps.actions.PROOFS` names the
function that does and proves each step.

Source: 'Failover' steps 1 to 3 and 'Failback' steps 1 to 7 of that procedure; F0 is this program's own
(docs/develop/adr/0004-a-failover-is-claimed.md). The reasons for the order are in
docs/develop/adr/0001-order-of-f2-and-f3.md and docs/develop/adr/0002-turns-of-the-failback.md.
"""

from dualregion.procedure.model import (
    FAIL_BACK,
    FAIL_OVER,
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
    "all brokers of both regions work together and every partition is complete",
    # Traffic comes back before it: after the last step no command could call once more.
    announced_before=Milestone.TRAFFIC_TO_BOTH,
    announced_after=Milestone.FAILBACK_COMPLETE,
)
F0 = Step("F0", "the failover is claimed: the other stack has begun none for this region")
F1 = Step(
    "F1",
    "the survivor is isolated and no longer sees the lost region's brokers",
    announced_before=Milestone.FAILOVER_BEGUN,
)
F2 = Step(
    "F2", "failover brokers replace the lost ones and every partition has a leader and quorum"
)
F3 = Step(
    "F3",
    "every broker exports to the survivor and to the failover search engine",
    announced_after=Milestone.TRAFFIC_TO_SURVIVOR,
)
R = Step(
    "R",
    "nothing of Camunda is declared in the lost region",
    has_gate=False,
    may_be_final=True,
    announced_after=Milestone.FAILOVER_COMPLETE,
)
B0 = Step(
    "B0",
    "the recreated region answers and holds nothing of Camunda",
    announced_before=Milestone.FAILBACK_BEGUN,
)
B1 = Step("B1", "the recreated region's awake brokers have joined and its search engine is empty")
B2 = Step(
    "B2",
    "web apps are down, exporters paused, and the survivor's engine holds every record",
    may_be_final=True,
    # Nothing later would do: they pause within an `up` that may last, or fail.
    announced_before=Milestone.EXPORTERS_PAUSING,
)
B3 = Step(
    "B3",
    "the survivor's search engine is restored in the recreated region, document by document",
    may_be_final=True,
)
B4 = Step("B4", "every broker of this region exports to both regions again, still paused")
B5 = Step(
    "B5",
    "web apps are up again in this region; on the survivor, exporting goes on",
    may_be_final=True,
    announced_after=Milestone.EXPORTERS_RESUMED,
)
B6 = Step("B6", "nothing of the failover installation is left")
B7 = Step("B7", "the sleeping brokers are awake and every partition is complete")

_FAILED_OVER = (Release(FAIL_OVER, exports_to_failover=True), Release(exports_to_failover=True))
"""The releases of a survivor until its search engine is copied."""

CAMUNDA_8_5 = Procedure(
    turns=(
        # N is a gate only once the other region is installed, too (`dualregion.decision.desired`).
        Turn(Task.INSTALL, Role.MEMBER, Phase.NORMAL, releases=(Release(),), then=(N,)),
        # The survivor's brokers are repointed together with the start of the failover brokers, while there is no
        # quorum to lose.
        Turn(
            Task.FAIL_OVER,
            Role.SURVIVOR,
            Phase.FAILOVER,
            first=(F0, F1),
            isolated_after=F0,
            releases=_FAILED_OVER,
            then=(F2, F3),
        ),
        # Until then the region may be healthy, and stays as it is (`dualregion.decision.lost_region`).
        Turn(Task.CLEAN_UP, Role.LOST, Phase.FAILOVER, needs_other=(F3,), then=(R,)),
        # All runs on as in the failover; the isolation, no longer declared, goes once B0 is proved.
        Turn(
            Task.PROVE_CLEAN,
            Role.SURVIVOR,
            Phase.FAILBACK_PENDING,
            needs=(F3,),
            first=(B0,),
            releases=_FAILED_OVER,
            releases_wait=False,
        ),
        # Half of the brokers join; the others sleep, as the failover brokers have their ids.
        Turn(
            Task.JOIN,
            Role.RECREATED,
            Phase.FAILBACK_PENDING,
            needs_other=(B0,),
            releases=(Release(FAIL_BACK, exports_to_failover=True, has_web_apps=False),),
            then=(B1,),
        ),
        # Freeze, copy, and point the exporters to both regions again, still paused.
        Turn(
            Task.COPY,
            Role.SURVIVOR,
            Phase.FAILBACK_PENDING,
            needs_other=(B1,),
            first=(B2, B3),
            releases=(Release(has_web_apps=False), Release(FAIL_OVER)),
            then=(B4,),
            rolls_brokers=True,
        ),
        # The same exporters for the recreated region, as the copy is there.
        Turn(
            Task.REPOINT,
            Role.RECREATED,
            Phase.FAILBACK_PENDING,
            needs_other=(B4,),
            releases=(Release(FAIL_BACK, has_web_apps=False),),
            then=(B4,),
            rolls_brokers=True,
        ),
        # Its web apps come back before exporting is resumed.
        Turn(
            Task.OPEN_WEB_APPS,
            Role.RECREATED,
            Phase.RESTORED,
            needs=(B4,),
            releases=(Release(FAIL_BACK),),
            then=(B5,),
            rolls_brokers=True,
        ),
        # Web apps and exporters run; the failover installation is no longer declared, and goes last.
        Turn(
            Task.RESUME,
            Role.SURVIVOR,
            Phase.RESTORED,
            needs=(B4,),
            needs_other=(B5,),
            releases=(Release(),),
            then=(B5,),
            rolls_brokers=True,
        ),
        # The sleeping brokers wake, but only when no failover broker has their ids.
        Turn(
            Task.WAKE,
            Role.RECREATED,
            Phase.RESTORED,
            needs=(B5,),
            needs_other=(B5,),
            needs_failover_gone=True,
            first=(B6,),
            releases=(Release(),),
            then=(B7,),
            rolls_brokers=True,
        ),
    ),
    taken_over=F3,
    no_return=B5,
    holds_data=B1,
    holds_all=B7,
    has_failover_installation=True,
)
