"""Whether exporters run, and what is known of it."""

from dualregion.messages.catalogue import message


@message
def exporters_paused(where: str) -> str:
    """Exporters are paused, or it is unknown whether they are: search, Operate and Tasklist get nothing new."""
    return (
        f"EXPORTERS ARE PAUSED ({where}): processing goes on, search, Operate and Tasklist stand still, and the "
        "brokers' disks fill. `pulumi up` on the survivor's stack goes on; to back out, `pulumi config set phase "
        "failover` on both stacks and `pulumi up` on the survivor's (possible until step B5)"
    )
