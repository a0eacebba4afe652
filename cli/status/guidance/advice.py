"""What the operator is to do about what was observed, where no step of the procedure is next. Pure."""

from collections.abc import Collection, Sequence

from cli.stacks.read import Both
from cli.status.guidance.checkout import Behind
from cli.status.guidance.next_step import OPERATOR, Answer, Next, typed
from cli.status.observed.observe import RegionStatus, RegionStatuses
from cli.status.observed.partitions import Partition
from clients.zeebe import MANAGEMENT_PORT
from dualregion import brokers
from dualregion.config.settings import RegionSettings, Settings
from dualregion.names import ReleaseNames
from dualregion.procedure import Phase
from messages import Message
from messages.command import status as messages


def advised(
    phase: Phase,
    lost: int | None,
    stacks: Both,
    regions: RegionStatuses,
    partitions: Sequence[Partition],
    *,
    is_settled: bool,
    is_seen: bool,
    is_paused: bool,
    twice: Collection[int],
) -> Next | None:
    """Return what is to be done before any step, or in the place of one; None if the steps alone say what is next.

    :param is_settled: whether no step of the phase is ahead.
    :param is_seen: whether some gateway answers which partitions have a leader.
    :param is_paused: whether exporters are paused though no failback has paused them.
    :param twice: the ids that two brokers have.
    """
    settings = stacks[0].settings
    silent = [each for each in regions if each.error and each.region != lost]
    if not any(each.answers for each in regions):
        return Next(OPERATOR, messages.look_at_own_way(), " && ".join(map(_asking, regions)))
    if twice and lost is not None:
        return _keep_apart(settings, lost)
    if silent:
        leaderless = not is_seen or any(each.leader is None for each in partitions)
        may_decide = phase is Phase.NORMAL and is_settled and leaderless
        return _about(silent, lost, stacks if may_decide else None)
    if is_paused and is_settled:
        return _resume(settings, 0 if lost is None else brokers.other(lost))
    return None


def _about(silent: Sequence[RegionStatus], lost: int | None, stacks: Both | None) -> Next:
    """Return what is to be done about regions that should be there and cannot be looked into.

    :param stacks: None if there is nothing to decide.
    """
    for each in silent:
        if each.answers:
            return _look_at(each, messages.look_at_login(each.name))
    if stacks is not None:
        return _decide(silent[0], stacks)
    why = messages.look_at_region(silent[0].name, survives=lost is not None)
    return _look_at(silent[0], why)


def bring_up_to_date(behind: Behind, stacks: Both, following: Next | None) -> Next:
    """Return that this folder's configuration is to be brought to where the states are.

    :param stacks: set to the phase that is in effect.
    :param following: what is next by the states.
    """
    sets = _setting(behind.stacks, behind.reached, behind.lost)
    move = None
    answers = [
        Answer(messages.answer_pull(), ("git pull",)),
        Answer(messages.answer_set_phase(behind.reached), sets),
    ]
    if following is not None and following.dualregion is not None:
        move = following.dualregion
        answers.append(Answer(messages.answer_continue(following.what), (move,)))
    if behind.failover_of is not None:
        name = stacks[behind.failover_of].settings.own.name
        failover = typed(f"failover --lost {behind.failover_of}", stacks)
        answers.append(Answer(messages.answer_meant(name), (failover,)))
    return Next(OPERATOR, messages.update_checkout(), " && ".join(sets), move, tuple(answers))


def look_at_unready(settings: Settings, regions: Collection[int]) -> Next:
    """Return that something in these regions is to be looked at."""
    named = [settings.regions[each] for each in sorted(regions)]
    command = " && ".join(f"{_kubectl(each)} get pods" for each in named)
    return Next(OPERATOR, messages.look_at_unready(), command)


def _decide(silent: RegionStatus, stacks: Both) -> Next:
    """Return the decision that only people can make, with its two answers."""
    lost = silent.region
    survivor = stacks[brokers.other(lost)].settings.own.name
    failover = f"failover --lost {lost}"
    plan = typed(f"plan {failover}", stacks)
    sets = _setting([each.name for each in stacks], Phase.FAILOVER, lost)
    return Next(
        OPERATOR,
        messages.decide_whether_lost(lost, silent.name),
        " && ".join(sets),
        typed(failover, stacks),
        (
            Answer(messages.answer_wait(), (typed("status --watch", stacks),)),
            Answer(messages.answer_lost(survivor, silent.name), (plan, typed(failover, stacks))),
        ),
    )


def _setting(stacks: Sequence[str], phase: Phase, lost: int | None) -> tuple[str, ...]:
    """Return the commands that set a phase on these stacks."""
    values = {"phase": phase} if lost is None else {"phase": phase, "lostRegion": lost}
    return tuple(
        f"pulumi config set --stack {each} {key} {value}"
        for each in stacks
        for key, value in values.items()
    )


def _look_at(region: RegionStatus, why: Message) -> Next:
    return Next(OPERATOR, why, _asking(region))


def _asking(region: RegionStatus) -> str:
    return f"kubectl --context {region.context} get nodes --request-timeout=5s"


def _keep_apart(settings: Settings, lost: int) -> Next:
    region, names = settings.regions[lost], ReleaseNames(settings.release)
    command = f"{_kubectl(region)} scale statefulset {names.brokers} --replicas=0"
    return Next(OPERATOR, messages.keep_regions_apart(region.name), command)


def _resume(settings: Settings, by: int) -> Next:
    """Return how exporting is resumed, for all brokers.

    :param by: a region whose gateway is there.
    """
    region = settings.regions[by]
    gateway = f"{ReleaseNames(settings.release).gateway}:{MANAGEMENT_PORT}"
    path = (
        f"/api/v1/namespaces/{region.namespace}/services/{gateway}/proxy/actuator/exporting/resume"
    )
    command = f"kubectl --context {region.kube_context} create --raw {path} -f /dev/null"
    return Next(OPERATOR, messages.resume_exporting(), command)


def _kubectl(region: RegionSettings) -> str:
    return f"kubectl --context {region.kube_context} -n {region.namespace}"
