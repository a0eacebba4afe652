"""Whether a failover's proofs still stand: what they proved may have been deleted in the cluster since."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from cli.stacks.read import Both, RegionStack
from cli.stacks.region_steps import incident
from cli.status.guidance.next_step import phase_of
from cli.status.observed.observe import RegionStatuses
from cli.status.observed.results import Result
from clients.cluster.kubernetes import CallFailed, Cluster
from dualregion import brokers
from dualregion.procedure import Phase
from dualregion.procedure.topology import Gate
from dualregion.state import standing
from dualregion.state.standing import Uids
from messages import Message
from messages.command import driving as messages
from steps.before.standing import there


@dataclass(frozen=True)
class FailoverStanding:
    """Whether what the survivor's proofs stand on is still there.

    :ivar stood_on: the proofs, by step id.
    :ivar gone: what is gone, or was recreated, of what each stood on.
    :ivar error: why that is unknown.
    """

    stood_on: Mapping[str, Uids] = field(default_factory=dict)
    gone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: Message | None = None

    @classmethod
    def of(cls, stacks: Both, region_statuses: RegionStatuses) -> "FailoverStanding":
        """Return what both regions show of it."""
        proofs, (_, lost) = _stood_on(stacks), phase_of(stacks)
        if not proofs or lost is None:
            return cls()
        survivor = region_statuses[brokers.other(lost)]
        found: Result[Uids] = survivor.stands_on
        gone = {} if found.value is None else standing.outdated(proofs, found.value)
        return cls(proofs, gone, survivor.error or found.error)


def as_they_stand(stacks: Both) -> Both:
    """Return both stacks with those proofs only of which all that they stand on is still in the survivor's cluster.

    :raises CallFailed: if the cluster does not answer.
    """
    proofs, (_, lost) = _stood_on(stacks), phase_of(stacks)
    if not proofs or lost is None:
        return stacks
    settings = stacks[brokers.other(lost)].settings
    cluster = Cluster(settings.kubeconfig, settings.own.kube_context)
    try:
        gone = standing.outdated(proofs, there(cluster, settings))
    except CallFailed as error:
        unknown = messages.proofs_not_checked(tuple(proofs), error.message)
        raise CallFailed(unknown, error.status) from None
    return without(stacks, gone)


def without(stacks: Both, steps: Collection[str]) -> Both:
    """Return both stacks without the survivor's proofs of these steps and of those behind them: they are ahead again."""
    _, lost = phase_of(stacks)
    first, second = (
        each if each.settings.region == lost else _without(each, steps) for each in stacks
    )
    return first, second


def _without(stack: RegionStack, steps: Collection[str]) -> RegionStack:
    held = standing.without(stack.state.held, steps)
    return replace(stack, state=replace(stack.state, held=held))


def _stood_on(stacks: Both) -> dict[str, Uids]:
    """Return what the survivor's proofs stood on, by step id, in phase failover; a failback looks for itself."""
    phase, lost = phase_of(stacks)
    if phase is not Phase.FAILOVER or lost is None:
        return {}
    present = str(incident(phase, lost, stacks))
    survivor = stacks[brokers.other(lost)]
    failover = survivor.settings.procedure.steps(Phase.FAILOVER)
    gates = (Gate(step, incident=present) for step in failover)
    return standing.recorded(gates, survivor.state.held)
