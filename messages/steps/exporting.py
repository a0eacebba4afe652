"""Whether exporters run, and what is known of it."""

from messages.catalogue import Message, message


@message
def exporters_paused(where: str, no_return: str) -> str:
    """Exporters are paused, or it is unknown whether they are: search, Operate and Tasklist get nothing new.

    :param no_return: the survivor's step behind which its failback cannot be backed out of.
    """
    return (
        f"EXPORTERS ARE PAUSED ({where}): processing goes on, search, Operate and Tasklist stand still, and the "
        "brokers' disks fill. To go on: `dualregion failback`, or `pulumi up` on the stack whose turn it is (`dualregion "
        "status` names it; after a failure the same one again). To back out: `pulumi config set phase failover` on both "
        f"stacks and `pulumi up` on the survivor's (possible until its step {no_return})"
    )


@message
def failed_while_paused(problem: Message, notice: Message) -> str:
    """A step failed, and leaves exporters paused."""
    return f"{problem}\n{notice}"


@message
def perhaps_paused() -> str:
    """Where exporters are paused: unknown, as a step was interrupted that pauses them."""
    return "perhaps: a step of the failback was interrupted"


@message
def pause_unknown(reason: Message) -> str:
    """Where exporters are paused: unknown, as brokers do not answer."""
    return f"it is unknown which exporters are paused: {reason}"


@message
def program_fault(error: str, place: str) -> str:
    """The program failed in a way that is not foreseen."""
    return f"a fault of this program, {error} at {place}: please report it. Run again to try again"


@message
def gateway_blind(reason: Message) -> str:
    """A gateway does not see its own region's ready brokers."""
    return f"{reason}: what it does not see proves nothing"


@message
def no_broker_answered() -> str:
    """No broker answered which positions it has exported."""
    return "no broker answered how far it has exported"


@message
def exported_positions_known() -> str:
    """Awaited before exported positions are compared."""
    return "every broker reports how far it has exported"


@message
def exporting_known() -> str:
    """Awaited before exporting is resumed."""
    return "every broker reports how it exports"


@message
def leaders_known() -> str:
    """Awaited in B2, once exporters are paused."""
    return "the leader of each partition is known"


@message
def positions_move(all_partitions: bool) -> str:
    """Awaited as the proof that exporters write; in phase normal each stack proves it of the partitions led there."""
    where = "every partition" if all_partitions else "every partition that is led here"
    return f"exported positions move on {where}"


@message
def exporters_pause() -> str:
    """Awaited in B2."""
    return "exporting is paused on every partition of every broker"


@message
def exporters_stay_paused() -> str:
    """Awaited in B3 and B4: a copy of an engine that brokers export to is worth nothing."""
    return "exporting is still paused on every partition"


@message
def exporters_resume() -> str:
    """Awaited in B5, or if B2 fails."""
    return "exporting has resumed on every partition of every broker"


@message
def exporters_went_on(namespace: str) -> str:
    """Awaited in B5 where its record alone was lost."""
    return f"exporting goes on, as the failover installation in {namespace} is gone already"


@message
def no_exporter_paused() -> str:
    """Awaited in F3: a failback that is backed out of may have paused exporters."""
    return "no exporter is paused"
