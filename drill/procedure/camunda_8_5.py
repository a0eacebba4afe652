"""The procedure of Camunda 8.5: failover brokers take the lost ones' ids, and go again when those are back.

Source: 'Failover' and 'Failback' of the dual-region operational procedure for 8.5.
"""

from drill.procedure.model import Announced, Kept, Part, Place, Procedure, Situation, Until
from drill.procedure.subjects import (
    INSTALL,
    INSTALL_FAILOVER,
    RECORD,
    REMOVAL_FAILOVER,
    REMOVAL_NAMESPACE,
    UPDATE,
    UPDATE_FAILOVER,
    binding,
    gates,
)
from drill.regions import (
    REPLICATION_FACTOR,
    brokers_after_failover,
    brokers_in_failback,
    brokers_of_both,
    quorum,
)

_TO_DECLARE, _TO_BEGIN = "is declared LOST", "is brought back"

CAMUNDA_8_5 = Procedure(
    steps={
        Until.FAILOVER: {Part.SURVIVOR: ("F0", "F1", "F2", "F3"), Part.LOST: ("R",)},
        Until.FAILBACK_PENDING: {
            Part.SURVIVOR: ("B0", "B2", "B3", "B4"),
            Part.RECREATED: ("B1", "B4"),
        },
        Until.RESTORED: {Part.SURVIVOR: ("B5",), Part.RECREATED: ("B5", "B6", "B7")},
    },
    situations={
        Until.FAILOVER: Situation(
            brokers_after_failover,
            healthy=quorum(),
            at=(Place.SURVIVOR, Place.FAILOVER),
            engine=Place.FAILOVER,
        ),
        # Every second broker of the recreated region sleeps, as the failover brokers have its id.
        Until.FAILBACK_PENDING: Situation(
            brokers_in_failback,
            healthy=REPLICATION_FACTOR,
            at=(Place.SURVIVOR, Place.FAILOVER, Place.LOST),
            engine=Place.LOST,
        ),
        Until.RESTORED: Situation(
            brokers_of_both,
            healthy=REPLICATION_FACTOR,
            at=(Place.SURVIVOR, Place.LOST),
            engine=Place.LOST,
        ),
    },
    announced=(
        Announced("namespace {failover}", "core/v1:Namespace", "create", '"{failover}"'),
        Announced(
            "release with installation type failOver", "helm.sh/v3:Release", "create", '"failOver"'
        ),
        Announced(
            "exporters' new address in the survivor's release",
            "helm.sh/v3:Release",
            "update",
            ".{failover}.svc",
        ),
    ),
    preview_sentence="The preview before the failover shows gates, namespace and release values to come",
    kept={Until.RESTORED: Kept((Place.SURVIVOR,), "Reopening")},
    points={
        (Until.FAILOVER, Part.SURVIVOR): (
            binding("failover"),
            *gates("F0", "F1"),
            UPDATE,
            INSTALL_FAILOVER,
            *gates("F2", "F3"),
        ),
        (Until.FAILBACK_PENDING, Part.SURVIVOR): (
            *gates("B0", "B2", "B3"),
            UPDATE,
            UPDATE_FAILOVER,
            *gates("B4"),
        ),
        (Until.FAILBACK_PENDING, Part.RECREATED): (
            binding("normal"),
            RECORD,
            INSTALL,
            *gates("B1"),
            UPDATE,
            *gates("B4"),
        ),
        # The recreated region's release is updated in two turns: its web applications open, its brokers wake.
        (Until.RESTORED, Part.RECREATED): (UPDATE, *gates("B5", "B6"), UPDATE, *gates("B7")),
        (Until.RESTORED, Part.SURVIVOR): (
            UPDATE,
            *gates("B5"),
            REMOVAL_FAILOVER,
            REMOVAL_NAMESPACE,
        ),
    },
    stopped_in="F2",
    stopped_after=2.0,
    opens_first=Part.RECREATED,
    questions={
        "failover": (_TO_DECLARE,),
        "failback-pending": (
            _TO_BEGIN,
            "stop Operate and Tasklist, pause all exporters, and restore a snapshot",
        ),
        "restored": ("resume exporting and delete the failover installation",),
        "normal": (),
    },
    last_steps={"failback-pending": "B4", "restored": "B7"},
    size_step=REPLICATION_FACTOR,
    has_failover_installation=True,
    fences=False,
)
