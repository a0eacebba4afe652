"""What must be asked before it is done, as it cannot be undone, and which option answers it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from cli.stacks.read import Both
from cli.stacks.region_steps import RegionStep
from cli.status.health import Status
from dualregion import brokers
from dualregion.procedure import B2, B3, Phase, R
from messages import Message
from messages.command import driving as messages


class Consent(StrEnum):
    """The option of the command that answers a question with yes.

    One for each kind of harm: `--yes`, typed to begin, was not meant for a region that lives.
    """

    YES = "--yes"
    DELETE_REGION = "--yes-delete-region"
    UNLOCK = "--yes-unlock"


@dataclass(frozen=True)
class Question:
    """A question to the operator.

    :ivar option: what answers it if the operator is not to be asked.
    :ivar name: the name of a region that is to be typed as the answer; None if yes is enough.
    :ivar following: what the next `up` does if the answer is yes; None if it is not about one.
    """

    text: Message
    option: Consent = Consent.YES
    name: str | None = None
    following: Message | None = None


def to_begin(phase: Phase, lost: int, status: Status) -> Question:
    """Return the question before the first phase is set.

    The name of a region that is declared lost is typed: 0 and 1 are mistaken for each other too easily.
    """
    settings = status.stacks[0].settings
    region, survivor = settings.regions[lost], settings.regions[brokers.other(lost)]
    if phase is not Phase.FAILOVER:
        begin = messages.ask_to_begin_failback(phase, lost, region.name, survivor.name)
        return Question(begin)
    installs = settings.procedure.has_failover_installation
    declared = messages.ask_to_begin(
        phase=phase,
        lost=lost,
        name=region.name,
        survivor=brokers.other(lost),
        survivor_name=survivor.name,
        failover_brokers=brokers.failover_broker_count(settings.cluster_size) if installs else 0,
        answers=status.region_statuses[lost].answers,
    )
    return Question(declared, name=region.name)


def following(left: Sequence[RegionStep], stacks: Both) -> Message | None:
    """Return what the next `up` does; None if nothing is ahead.

    :param left: the steps ahead.
    """
    group = tuple(takewhile(lambda step: step.region == left[0].region, left))
    if not group:
        return None
    first, *others = group
    name = stacks[first.region].name
    return messages.next_if_yes(name, first.id, first.title, tuple(each.id for each in others))


def silent_region(status: Status, phase: Phase, lost: int) -> Message | None:
    """Return why a phase is not begun by what is seen of the regions; None if nothing speaks against it.

    :param lost: the region that is called lost.
    """
    regions, other = status.stacks[0].settings.regions, brokers.other(lost)
    called, survivor = (status.region_statuses[each] for each in (lost, other))
    if phase is Phase.FAILOVER and called.answers and not survivor.answers:
        return messages.other_region_is_silent(lost, regions[lost].name, other, regions[other].name)
    if phase.is_failback and called.error is not None:
        return messages.recreated_region_silent(lost, regions[lost].name, called.error)
    return None


def may_be_irreversible(steps: Sequence[RegionStep], lost: int | None) -> bool:
    """Return whether both regions must be looked at first: something of the next `up` may not be undone.

    :param steps: the steps of that `up`.
    """
    return lost is not None and any(step.step.may_be_final for step in steps)


def irreversible(steps: Sequence[RegionStep], lost: int | None, status: Status) -> Question | None:
    """Return what of the next `up` cannot be undone, as a question; None if all of it can.

    A region whose API server answers is asked about, whatever else of it could be seen.

    :param steps: the steps of that `up`.
    """
    if lost is None:
        return None
    regions = status.stacks[0].settings.regions
    survivor = regions[brokers.other(lost)]
    kinds = {step.id for step in steps}
    if R.id in kinds and status.region_statuses[lost].error is None:
        has_own_engine = status.stacks[0].settings.engine_address.login is not None
        ask = messages.ask_to_delete_release if has_own_engine else messages.ask_to_delete_region
        return Question(
            ask(regions[lost].name, regions[lost].namespace),
            Consent.DELETE_REGION,
            regions[lost].name,
        )
    if kinds & {B2.id, B3.id}:
        return Question(messages.ask_to_pause(regions[lost].namespace))
    procedure = status.stacks[0].settings.procedure
    if procedure.no_return.id in kinds and steps[0].region != lost:
        if procedure.has_failover_installation:
            return Question(messages.ask_to_retire_failover(survivor.failover))
        return Question(messages.ask_to_add_brokers(regions[lost].name))
    return None
