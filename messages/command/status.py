"""What `dualregion status` shows first and finds, why something is unknown, and what is next."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import counted, listed

# --- The first lines ------------------------------------------------------------------------------------------------


@message
def service_commands(state: str, partitions: int, of: int) -> str:
    """Whether Camunda accepts commands: of each partition that has a leader it does."""
    return f"{state.upper()} on {partitions} of {counted(of, 'partition')}"


@message
def service_commands_unknown(reason: str) -> str:
    """Whether Camunda accepts commands is unknown, as no gateway answers which partitions have a leader."""
    return f"UNKNOWN: {reason}"


@message
def service_exporting(state: str, partitions: int, of: int) -> str:
    """Whether records are exported: a partition exports if it has a leader, and all its replicas say so."""
    return f"{state.upper()}: {partitions} of {counted(of, 'partition')} export{'s' * (of == 1)}"


@message
def service_exporting_unknown() -> str:
    """Whether records are exported is unknown, as no broker answers."""
    return "UNKNOWN: no broker answers"


@message
def service_web_apps(regions: Sequence[str], states: Sequence[str]) -> str:
    """Whether Operate and Tasklist are up, region by region."""
    pairs = zip(regions, states, strict=True)
    return ", ".join(f"{region} {state.upper()}" for region, state in pairs)


# --- Why something is unknown ---------------------------------------------------------------------------------------


@message
def not_in_time() -> str:
    """A part did not answer within the time that a look at both regions takes (`--patience`)."""
    return "no answer in time"


@message
def answer_unexpected(where: str) -> str:
    """A part answered in a form that the command does not know."""
    return f"unexpected response ({where})"


@message
def not_ready() -> str:
    """The broker's pod is not ready, so it was not asked."""
    return "not ready"


@message
def not_asked() -> str:
    """In the present phase there is no reason to ask for it."""
    return "not asked"


@message
def no_gateway_seen() -> str:
    """No installation with a gateway could be found."""
    return "no gateway is there, or none was seen"


@message
def no_engine_seen() -> str:
    """There is no search engine in that namespace, or it was not seen."""
    return "not there, or not seen"


@message
def broker_id_twice(broker: int, namespaces: Sequence[str]) -> str:
    """Two brokers with the same id are ready. Keep the regions apart until one of them is gone."""
    return (
        f"broker {broker} runs in {' and in '.join(namespaces)}: two brokers with one id corrupt data. Keep the "
        "network between the regions cut, and delete the lost region's brokers (docs/incident/messages.md)"
    )


@message
def region_unreachable(region: str, reason: str) -> str:
    """A region's API server does not answer, or refuses these credentials."""
    return f"region {region} is unreachable: {reason}"


@message
def both_regions_unreachable() -> str:
    """Neither region's API server answers: look at your own network and credentials first."""
    return "both regions are unreachable"


@message
def installation_unknown(region: str, kind: str, reason: str) -> str:
    """A region answers, but not what one of its installations is like."""
    return f"region {region}: the {kind} installation is unknown: {reason}"


@message
def gateway_unknown(namespace: str, reason: str) -> str:
    """A gateway does not answer which brokers it sees."""
    return f"what the gateway of {namespace} sees is unknown: {reason}"


@message
def records_unknown(namespace: str, reason: str) -> str:
    """A search engine does not answer which records it holds."""
    return f"what the search engine of {namespace} holds is unknown: {reason}"


@message
def exporting_unknown(pod: str, namespace: str, reason: str) -> str:
    """A broker that is ready does not answer whether it exports."""
    return f"whether {pod} in {namespace} exports is unknown: {reason}"


@message
def installation_gone(region: str, kind: str) -> str:
    """A stack's state holds an installation that its cluster does not have."""
    return f"region {region}: there is no {kind} installation, though its stack holds one"


@message
def proofs_unknown(steps: Sequence[str], reason: str) -> str:
    """Whether what a failover has proved is still in the survivor's cluster could not be observed."""
    return f"whether what {listed(steps)} proved is still there is unknown: {reason}"


@message
def proofs_outdated(steps: Sequence[str], gone: Sequence[str]) -> str:
    """What a failover has proved was deleted or recreated since: these steps are ahead again."""
    return (
        f"what {listed(steps)} proved does not stand any more: gone or recreated is {listed(gone)}"
    )


@message
def paused_on(brokers: int, of: int) -> str:
    """Where exporters are paused: on how many of the brokers that answered."""
    return f"on {brokers} of {counted(of, 'broker')}"


@message
def exporters_paused_in_backup(where: Message, softly: bool) -> str:
    """Exporters are paused while no failback has paused them: Camunda's own backups do this, hard or softly."""
    effect = (
        "records are exported, and kept on the brokers' disks"
        if softly
        else "search, Operate and Tasklist get nothing new, and the brokers' disks fill"
    )
    return (
        f"exporters are paused{' softly' if softly else ''} {where}, as by a backup of Camunda: {effect}. If no backup "
        "runs, resume"
    )


@message
def brokers_unknown(reason: str) -> str:
    """No gateway answers which brokers there are."""
    return f"no gateway answers which brokers there are: {reason}"


@message
def partitions_without_leader(partitions: Sequence[int]) -> str:
    """These partitions accept no command."""
    if len(partitions) == 1:
        return f"partition {listed(partitions)} has no leader: its commands are refused"
    return f"partitions {listed(partitions)} have no leader: their commands are refused"


@message
def partitions_incomplete(partitions: Sequence[int], missing: Sequence[str]) -> str:
    """Replicas of these partitions are missing or unhealthy."""
    of: dict[str, list[int]] = {}
    for number, brokers in zip(partitions, missing, strict=True):
        of.setdefault(brokers, []).append(number)
    lacking = (f"{listed(numbers)}: broker {brokers}" for brokers, numbers in of.items())
    return f"replicas are missing or unhealthy, of partition {'; '.join(lacking)}"


@message
def pods_not_ready(ready: int, wanted: int, workload: str, namespace: str) -> str:
    """A StatefulSet or Deployment has fewer ready pods than it wants."""
    return f"{ready} of {wanted} pods of {workload} in {namespace} ready"


@message
def steps_ahead(count: int, phase: str, step: str) -> str:
    """The procedure is under way."""
    are = "is" if count == 1 else "are"
    return f"{counted(count, 'step')} of phase {phase} {are} ahead, the next is {step}"


@message
def phase_complete(phase: str) -> str:
    """All steps of a phase other than `normal` are proved."""
    return f"phase {phase} is complete"


@message
def checkout_behind(
    *, stacks: Sequence[str], phase: str, reached: str, region: str | None, last: str, may_be: bool
) -> str:
    """The configuration in this folder is behind the stacks' states: another checkout has set the phase."""
    files = " and ".join(f"Pulumi.{each.rsplit('/', 1)[-1]}.yaml" for each in stacks)
    since = f" (last update: {last})" if last else ""
    verb = "says" if len(stacks) == 1 else "say"
    loss = f" of the loss of {region}" if region else ""
    doubt = ", unless that failover is meant" if may_be else ""
    return (
        f"this checkout is behind: {files} {verb} phase {phase}, but the states are in phase {reached}{loss}{since}"
        f"{doubt}. Run no `pulumi up` from here before that is set right"
    )


@message
def run_under_way(stack: str, lock: str, may_be_left: bool = False) -> str:
    """A run of Pulumi holds a stack's lock, or was killed and has left it."""
    left = (
        f"; no such process runs here, so a killed run may have left it: the next `dualregion failover` or `failback` asks "
        f"whether to remove it, as `pulumi cancel --stack {stack}` does"
    )
    return f"stack {stack} is locked by {lock}{left if may_be_left else ''}"


@message
def operations_pending(stack: str, operations: Sequence[str]) -> str:
    """A killed run has left operations in a stack's state; nothing has to be done about them."""
    return (
        f"stack {stack}: a killed run has left {listed(operations)} pending; the next `pulumi up` checks the cluster "
        "and continues"
    )


# --- What is next ---------------------------------------------------------------------------------------------------


@message
def phase_not_set(stack: str, phase: str) -> str:
    """One stack has the phase, the other one does not yet."""
    return f"stack {stack} is not set to phase {phase}"


@message
def step_next(step: str, title: str) -> str:
    """A step that the next `pulumi up` on that stack takes."""
    return f"{step}: {title}"


@message
def failback_next(region: str) -> str:
    """The failover is complete; the failback waits for a new cluster, and for you."""
    return (
        f"once region {region} has a cluster again, empty: the failback, at an hour in which users can do without "
        "Operate and Tasklist"
    )


@message
def restored_next() -> str:
    """Everything is copied and repointed; exporters stay paused until phase `restored`."""
    return "exporters are paused: set phase restored, now"


@message
def normal_next() -> str:
    """The failback is complete but for its last proof."""
    return "all is restored: phase normal closes the incident"


@message
def decide_whether_lost(region: int, name: str) -> str:
    """One region is silent and partitions have no leader: whether the region is lost is for people to decide."""
    return f"decide whether region {region} ({name}) is lost (docs/incident/decide.md)"


@message
def answer_wait() -> str:
    """The region is not lost: it is expected back soon."""
    return "back within minutes: wait, Zeebe resumes by itself. Not for hours: disks fill"


@message
def answer_lost(survivor: str, lost: str) -> str:
    """The region is lost, or will be away for long."""
    return (
        f"lost: send users to {survivor}, cut the network to {lost}; then, in minutes, {survivor} accepts commands "
        "again, and nothing acknowledged is lost"
    )


@message
def look_at_own_way() -> str:
    """Neither region answers: most often that is one's own network or login, and no loss."""
    return "neither region answers from here: look at your own network, VPN and login first. Change nothing"


@message
def look_at_region(region: str, survives: bool) -> str:
    """A region's API server does not answer, though nothing calls for a failover."""
    if survives:
        return f"region {region}, which is to survive, does not answer from here: your login, or its API server"
    return f"no failover is called for: look why region {region} does not answer, your login first"


@message
def look_at_login(region: str) -> str:
    """A region's API server answers, and cannot be looked into: that is no loss."""
    return f"region {region} answers, but cannot be looked into from here: it is not lost; log in there, then look again"


@message
def resume_exporting() -> str:
    """Exporters are paused outside a failback: a backup does that, and resumes them at its end."""
    return "wait for the end of the backup; if none runs, resume exporting"


@message
def keep_regions_apart(region: str) -> str:
    """Two brokers with one id run: the lost region's must end before the network is whole again."""
    return f"keep the network between the regions cut, and end the brokers of {region}"


@message
def look_at_unready() -> str:
    """Both regions answer and no step is under way, but something of Camunda is not as it should be."""
    return "look at what is not ready; no failover helps while both regions answer"


@message
def update_checkout() -> str:
    """The configuration in this folder is behind the stacks' states."""
    return "bring this checkout up to date; what it shows is judged by the states"


@message
def answer_pull() -> str:
    """The phase was committed and pushed by the operator who set it."""
    return "it is committed"


@message
def answer_set_phase(phase: str) -> str:
    """The phase was not committed by the operator who set it."""
    return f"it is not: set phase {phase} here, too"


@message
def answer_continue(what: Message) -> str:
    """To continue from this folder: the command goes by the states, and sets the phase itself."""
    return f"or go on from here, by the command, which goes by the states: {what}"


@message
def answer_meant(region: str) -> str:
    """Phase failover is set here on purpose: for a loss, or to back out of a failback."""
    return f"it is meant: fail over from {region}, which backs out of a failback that is under way"
