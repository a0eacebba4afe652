"""The procedure of Camunda 8.6 and later: the cluster's configuration is changed while it runs.

Lost brokers are removed from it by force, and the exporter to their region's engine is disabled; no release changes, no
broker of the survivor restarts. Recreated brokers wait outside of the cluster, empty, until the copy is made.

Sources: 'Failover' and 'Failback' of the dual-region operational procedures for 8.6 to 8.10, in the order of 8.8.
"""

from drill.procedure.model import (
    Announced,
    Kept,
    Membership,
    Part,
    Place,
    Procedure,
    Situation,
    Until,
)
from drill.procedure.subjects import INSTALL, RECORD, UPDATE, binding, gates
from drill.regions import (
    REGION_COUNT,
    REPLICATION_FACTOR,
    brokers_of_both,
    brokers_that_live,
)

ENABLED, DISABLED = "ENABLED", "DISABLED"
_HALF = REPLICATION_FACTOR // REGION_COUNT
"""Copies of each partition in one region: all that are left after a removal, and a quorum among themselves."""
_TO_DECLARE, _TO_BEGIN = "is declared LOST", "is brought back"

CLUSTER_API = Procedure(
    steps={
        Until.FAILOVER: {Part.SURVIVOR: ("F0", "F1", "F2", "F3"), Part.LOST: ("R",)},
        Until.FAILBACK_PENDING: {Part.SURVIVOR: ("B0", "B2", "B3", "B4"), Part.RECREATED: ("B1",)},
        Until.RESTORED: {Part.SURVIVOR: ("B5", "B6", "B7"), Part.RECREATED: ("B7",)},
    },
    situations={
        Until.FAILOVER: Situation(
            brokers_that_live,
            healthy=_HALF,
            at=(Place.SURVIVOR,),
            engine=Place.LOST,
            membership=Membership(_HALF, lost_exporter=DISABLED),
        ),
        Until.FAILBACK_PENDING: Situation(
            brokers_of_both,
            healthy=_HALF,
            at=(Place.SURVIVOR,),
            outside=(Place.LOST,),
            engine=Place.LOST,
            # Enabled, and paused as all others.
            membership=Membership(_HALF, lost_exporter=ENABLED),
        ),
        Until.RESTORED: Situation(
            brokers_of_both,
            healthy=REPLICATION_FACTOR,
            at=(Place.SURVIVOR, Place.LOST),
            engine=Place.LOST,
            membership=Membership(REPLICATION_FACTOR, lost_exporter=ENABLED),
        ),
    },
    announced=(Announced("the isolation to come", "networking.k8s.io/v1:NetworkPolicy", "create"),),
    preview_sentence="The preview before the failover shows its gates and any isolation to come",
    kept={
        Until.FAILOVER: Kept((Place.SURVIVOR,), "The failover"),
        Until.FAILBACK_PENDING: Kept((Place.SURVIVOR,), "The copy"),
        Until.RESTORED: Kept((Place.SURVIVOR, Place.LOST), "Reopening", "no broker"),
    },
    points={
        (Until.FAILOVER, Part.SURVIVOR): gates("F0", "F1", "F2", "F3"),
        (Until.FAILBACK_PENDING, Part.SURVIVOR): (
            *gates("B0"),
            UPDATE,
            *gates("B2", "B3", "B4"),
        ),
        (Until.FAILBACK_PENDING, Part.RECREATED): (
            binding("normal"),
            RECORD,
            INSTALL,
            *gates("B1"),
        ),
        (Until.RESTORED, Part.SURVIVOR): (*gates("B5", "B6"), UPDATE, *gates("B7")),
        (Until.RESTORED, Part.RECREATED): (UPDATE, *gates("B7")),
    },
    stopped_in="F2",
    # The removal is a matter of seconds.
    stopped_after=0.5,
    opens_first=Part.SURVIVOR,
    questions={
        "failover": (_TO_DECLARE,),
        "failback-pending": (
            _TO_BEGIN,
            "stop Operate and Tasklist, pause all exporters, and restore a snapshot",
        ),
        "restored": ("After that the failback cannot be backed out of",),
        "normal": (),
    },
    last_steps={"failback-pending": "B4", "restored": "B7"},
    # Copies of a partition are on consecutive ids, so an even number of brokers has as many in either region.
    size_step=REGION_COUNT,
    has_failover_installation=False,
    fences=True,
)
