"""A topology: what one region's stack declares.

It is a graph of named nodes: the isolation, the installations and the gates. `after` names what must
be there (and, for gates, be proved) first. `desired.desired` decides on it, `components` carry it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dualregion.procedure import B0, F1, Role, Step
from dualregion.procedure.waits import Wait
from messages import Message
from messages.decision import guards as messages


class Kind(StrEnum):
    """The two installations that a region can hold; also their node names."""

    NORMAL = "normal"
    FAILOVER = "failover"


_ISOLATING = {F1.id, B0.id}
"""One of these is proved before failover brokers may be declared."""
ISOLATION = "isolation"
"""The node name of the network isolation: a network policy in the namespace of every installation, and, if
configured, rules in the AWS network ACLs of its nodes."""


CLAIM = "failover-claim"
"""The node name of the record with which gate F0 claims a failover before it looks for another one's claim."""

DNS_CHAIN = "dns-chain"
"""The node name of the record of the server block that the region's Corefile holds."""
DNS_LOAD_BALANCER = "dns-load-balancer"
"""The node name of the load balancer before the region's DNS."""


NO_INCIDENT = "none"
"""What gates outside any incident name."""

STEP_LABEL = "camunda-dual-region/step"
"""The label of every gate's record in the cluster: the step's id."""
INCIDENT_LABEL = "camunda-dual-region/incident"
"""A gate of another incident is replaced, and its step done and proved again."""
PROOF_LABEL = "camunda-dual-region/proof"
"""So is one that has proved what is gone by now: the label counts its proofs, from the second one on."""
ROUND_LABEL = "camunda-dual-region/round"
"""So is one of the round before a failback was backed out of: the label counts the rounds, from the second one on."""


@dataclass(frozen=True)
class Installation:
    """A namespace with one Helm release of Camunda in it.

    :ivar cut_cidrs: address ranges that a network policy in the namespace cuts, both ways.
    :ivar after: the nodes that come before the release; the namespace and its policy wait for nothing.
    :ivar hold_updates: whether an update of the release restarts no broker, as a gate behind it does so,
        one broker after the other.
    """

    kind: Kind
    namespace: str
    values: Mapping[str, Any]
    cut_cidrs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    hold_updates: bool = False

    @property
    def name(self) -> str:
        """Its node name."""
        return self.kind.value

    @property
    def policy(self) -> str:
        """The node name of its network policy."""
        return f"{self.kind}-{ISOLATION}"


@dataclass(frozen=True)
class Gate:
    """A step that is proved before what stands after it happens.

    :ivar incident: names the incident that it belongs to; of another one it counts as not proved.
    :ivar round: in which round of the incident it is proved; a failback that is backed out of begins the next one.
    :ivar proof: how often the step is proved in it; again if what it proved is gone (`dualregion.state.standing`).
    """

    step: Step
    after: tuple[str, ...] = ()
    incident: str = NO_INCIDENT
    proof: int = 1
    round: int = 1

    @property
    def name(self) -> str:
        """Its node name."""
        return self.step.id

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its record in the cluster; with others it is another gate."""
        again = {PROOF_LABEL: str(self.proof)} if self.proof > 1 else {}
        later = {ROUND_LABEL: str(self.round)} if self.round > 1 else {}
        return {STEP_LABEL: self.step.id, INCIDENT_LABEL: self.incident} | again | later


@dataclass(frozen=True)
class Names:
    """How the region's cluster resolves the other region's names, and is asked for its own.

    :ivar block: the server block that its Corefile is to hold; None for none.
    :ivar kept: whether that block stays as it is, whatever is wanted.
    :ivar load_balancer: whether its DNS has a load balancer for the other region.
    """

    block: str | None = None
    kept: bool = False
    load_balancer: bool = False


NO_NAMES = Names()
"""Nothing of DNS."""


@dataclass(frozen=True)
class AclRule:
    """A rule of an AWS network ACL that cuts an address range of the other region, in one direction.

    :ivar acl: the network ACL's id.
    :ivar number: its place there, which is left to the program.
    :ivar egress: whether it is about what leaves the subnets.
    """

    acl: str
    number: int
    egress: bool
    cidr: str

    @property
    def name(self) -> str:
        """Its node name: its place, so that a change of the lists touches no rule that stays in its place."""
        return f"{self.acl}-{'egress' if self.egress else 'ingress'}-{self.number}"


@dataclass(frozen=True)
class Topology:
    """What one region's stack declares.

    :ivar nodes: installations and gates, each after everything that it stands behind.
    :ivar waiting: what the stack waits for; None if it has gone as far as its phase goes.
    :ivar names: what of DNS comes before the installations.
    :ivar acl_rules: what of the isolation is made on AWS, beside the installations' network policies.
    :ivar isolation_after: the nodes that come before the isolation; they stand before everything else, too.
    :ivar unchanged: whether all of it stays exactly as it is: nothing is made and nothing is changed, whatever the
        settings, the values files and the chart are now.
    """

    role: Role
    nodes: tuple[Installation | Gate, ...] = ()
    waiting: Wait | None = None
    names: Names = NO_NAMES
    acl_rules: tuple[AclRule, ...] = ()
    isolation_after: tuple[str, ...] = ()
    unchanged: bool = False

    def contradiction(self) -> Message | None:
        """Return what must not hold of any topology, whatever decided on it; None if all is well.

        A node stands behind one that does not come before it, a held update behind no gate, or failover brokers begin
        without the gate that proves the isolation.
        """
        before = {ISOLATION}
        for node in self.nodes:
            if node.name in before:
                return messages.declared_twice(node.name)
            if missing := [name for name in node.after if name not in before]:
                return messages.out_of_order(node.name, missing)
            before.add(node.name)
        gates = {gate.step.id for gate in self.gates}
        for each in self.installations:
            if each.hold_updates and not each.after:
                return messages.held_behind_no_gate(each.name)
            begins = self.role is Role.SURVIVOR and each.kind is Kind.FAILOVER
            if begins and not gates & _ISOLATING:
                return messages.failover_not_isolated()
        return None

    @property
    def waiting_for(self) -> Message | None:
        """What the stack cannot do yet, and what to type."""
        return self.waiting.message if self.waiting else None

    @property
    def installations(self) -> tuple[Installation, ...]:
        """The installations among the nodes."""
        return tuple(node for node in self.nodes if isinstance(node, Installation))

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The gates among the nodes, in the order of the procedure."""
        return tuple(node for node in self.nodes if isinstance(node, Gate))

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of all installations."""
        return tuple(installation.namespace for installation in self.installations)
