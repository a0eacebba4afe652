"""What the command refuses, where it fails or stops, and what it asks: moves, driving, stacks, hooks."""

from collections.abc import Sequence
from shlex import quote

from messages.catalogue import Message, message
from messages.words import counted, listed


def of_stack(stack: str, problem: Message | str) -> Message:
    """Return a problem with the stack that has it in front; it keeps its code and facts."""
    found = problem if isinstance(problem, Message) else stack_problem(problem)
    return Message(found.code, {**found.facts, "of_stack": stack}, f"stack {stack}: {found}")


@message
def stack_problem(problem: str) -> str:
    """What Pulumi or the program itself reports of a stack."""
    return problem


# --- What was typed -------------------------------------------------------------------------------------------------


@message
def two_stacks_needed(given: str) -> str:
    """The option `--stacks` names one stack, or more than two."""
    return f"--stacks is {given!r}: two different names are needed, such as region0,region1"


@message
def region_unknown(given: str, names: Sequence[str]) -> str:
    """An option names a region by neither its number nor its name."""
    return f"there is no region {given!r}: name it by its number or name, 0 ({names[0]}) or 1 ({names[1]})"


@message
def region_named_twice(option: str, given: Sequence[str]) -> str:
    """An option that names one region was given twice."""
    return f"{option} was given {counted(len(given), 'time')}, {listed(given)}: name one region"


@message
def project_missing(folder: str) -> str:
    """There is no readable Pulumi.yaml with a name in the folder."""
    return (
        f"{folder} holds no Pulumi project: run the command in the project's folder, or name it with --project; "
        "`dualregion init FOLDER` writes a new one"
    )


@message
def step_within_turn(step: str, allowed: Sequence[str]) -> str:
    """The option `--until` names a step after which no `pulumi up` ends; the steps of one depend on each other."""
    return f"--until is {step!r}: it can only stop where one `up` ends, after {listed(allowed)}"


@message
def incident_not_known(incident: str, known: Sequence[str]) -> str:
    """No record of such an incident is on either stack."""
    return f"there is no incident {incident!r}; there are: {listed(known) or 'none'}"


@message
def metrics_not_written(path: str, reason: str) -> str:
    """The file for Prometheus could not be written; the former one, if any, is still there, and grows old."""
    return f"{path} could not be written ({reason}): name a file in a folder that may be written to"


@message
def page_not_written(path: str, reason: str) -> str:
    """The report could not be written where it should be."""
    return f"--output {path} cannot be written: {reason}"


@message
def dns_address_missing(region: int, name: str, asking: str) -> str:
    """The configuration does not name where the DNS of a region is reached."""
    return (
        f"regions[{region}].dnsAddresses is not set: name the addresses at which region {asking} reaches the DNS of "
        f"{name}"
    )


# --- Wrong moves ----------------------------------------------------------------------------------------------------


@message
def incident_under_way(lost: int, lost_name: str, survivor: int, name: str, way_on: Message) -> str:
    """A failover of the region that survived: its incident is not over, so nothing would be left to fail over to."""
    return (
        f"region {lost} ({lost_name}) is the lost one of the incident that is under way, and region {survivor} "
        f"({name}) its survivor: without it nothing is left to fail over to. {way_on}. If region {survivor} is down "
        "now, too, this procedure does not help: bring its cluster back first"
    )


@message
def continue_incident(lost: int) -> str:
    """How to continue an incident that can still be backed out of."""
    return (
        f"To continue that incident: `dualregion failover --lost {lost}`, or `dualregion failback`"
    )


@message
def finish_failback() -> str:
    """How to continue a failback that cannot be undone any more."""
    return "Finish its failback first: `dualregion failback`"


@message
def past_no_return(lost: int, name: str, step: str) -> str:
    """A failover of the region that is being brought back, when its failback cannot be undone any more."""
    return (
        f"the failback of region {lost} ({name}) is past step {step}: the failover brokers are gone, or about to go, "
        "and nothing of it can be undone. Finish it: `dualregion failback`"
    )


@message
def failover_not_complete(lost: int, name: str, step: str) -> str:
    """A failback was asked for, but the failover before it is not done."""
    return (
        f"the failover of region {lost} ({name}) is not complete, {step} is not proved: a failback follows on a "
        f"failover. Complete it first: `dualregion failover --lost {lost}`"
    )


@message
def nothing_to_fail_back() -> str:
    """A failback was asked for, but neither stack knows of a failover."""
    return (
        "no region is lost, according to both stacks: a failback follows on a failover. If a region is lost, "
        "`dualregion failover --lost 0` or `--lost 1`; `dualregion status` shows the state of both regions"
    )


@message
def other_region_is_silent(lost: int, lost_name: str, silent: int, silent_name: str) -> str:
    """The region called lost answers, and the one that is to survive does not: the two may be confused."""
    return (
        f"region {lost} ({lost_name}) was called lost, and it answers; region {silent} ({silent_name}) is the one that "
        f"does not. If that one is lost: `dualregion failover --lost {silent}`. If it is only out of your reach: this "
        f"machine's network, and your login to {silent_name}. Nothing was changed"
    )


@message
def recreated_region_silent(region: int, name: str, reason: Message) -> str:
    """A failback is to begin, and the region that it brings back cannot be reached."""
    return (
        f"region {region} ({name}), which the failback brings back, does not answer: {reason}. Its cluster must answer, "
        "and hold nothing of Camunda, before the failback begins; then run the same command again. Nothing was changed"
    )


@message
def settings_file_read_only(file: str) -> str:
    """The phase is written to a stack's settings file, and that cannot be written."""
    return (
        f"{file} cannot be written, and the phase is set in it: run the command in a folder of your own, such as another "
        "checkout, or name one with --project"
    )


@message
def temporary_folder_unusable(folder: str) -> str:
    """The environment variable TMPDIR names no folder that can be written; Pulumi's plugins need one."""
    return (
        f"TMPDIR is {folder!r}, which is no folder that can be written: make it, or `unset TMPDIR`"
    )


@message
def preview_refused(refusals: Sequence[str]) -> str:
    """The program itself refuses the phase, in Pulumi's preview of it. Its message is given for each stack."""
    return "\n".join(refusals)


@message
def not_in_phase_normal(stack: str, phase: str) -> str:
    """A first installation was asked for, but a stack is in an incident, or is set to one."""
    return (
        f"stack {stack} is in phase {phase}: only the first installation of both regions is done this way, in phase "
        "normal. `dualregion status` shows what is next"
    )


# --- Driving --------------------------------------------------------------------------------------------------------


@message
def up_failed(stack: str, reason: str) -> str:
    """`pulumi up` failed. Completed steps are kept; the reason is the program's own, or Pulumi's."""
    return f"stack {stack}: {reason}"


@message
def step_not_proved(stack: str, step: str, waiting: str | None) -> str:
    """`pulumi up` succeeded without proving the step that was next: the stack waits for something."""
    return (
        f"`pulumi up` on stack {stack} succeeded, but {step} is not proved; it waits for: "
        f"{waiting or 'nothing that its outputs name'}"
    )


@message
def aborted() -> str:
    """A question was answered with no, or with Ctrl-C."""
    return "aborted before this step; completed steps are kept. Run the same command to continue"


@message
def interrupted(stack: str) -> str:
    """Ctrl-C during a `pulumi up`; Pulumi has saved what was done by then."""
    return (
        f"stopped; Pulumi has saved what is done on stack {stack}. Run the same command to continue"
    )


@message
def interrupted_at_end(stack: str) -> str:
    """Ctrl-C during a `pulumi up` that ended well all the same."""
    return f"stopped; stack {stack} was done by then. Run the same command to continue"


@message
def interrupted_outside_up() -> str:
    """Ctrl-C while no `pulumi up` ran."""
    return "interrupted"


@message
def installed_already() -> str:
    """Both regions are installed and work together: there is nothing to install."""
    return "both regions are installed already, and N is proved on both stacks"


@message
def reached_until(step: str) -> str:
    """The step is proved that the option `--until` names."""
    return f"stopped after {step}, as --until asks. Run the same command to continue"


@message
def phase_to_commit(phase: str, files: Sequence[str], folder: str) -> str:
    """The phase stands in files of this checkout, and another checkout does not know it before it has them.

    :param files: as they are found from the project's folder.
    :param folder: the project's, if the command was started elsewhere; or empty.
    """
    git = f"git -C {quote(folder)}" if folder else "git"
    named = " ".join(map(quote, files))
    return (
        f"phase {phase} stands in {' and '.join(files)}: commit and push them now, for colleagues and nightly jobs: "
        f"{git} add {named} && {git} commit -m 'phase {phase}' {named} && {git} push"
    )


@message
def question_not_answered(question: str, option: str) -> str:
    """Something must be confirmed, and there is no terminal to ask at, nor the option that answers it."""
    return (
        f"confirmation is required, but standard input is not a terminal: {question!r} Run the command at a terminal, "
        f"or with {option}"
    )


@message
def stack_locked(stack: str, locks: Sequence[str]) -> str:
    """Another run of Pulumi holds the stack's lock, or has left it; the backend may not show whose it is."""
    who = listed(locks) or "another operator (the backend does not show who)"
    return (
        f"stack {stack} is locked by {who}: two operators at once would act on the same brokers. Ask them, or wait; "
        f"if that run is known to be gone, `pulumi cancel --stack {stack}` and run the same command again"
    )


@message
def lock_left_alone(stack: str) -> str:
    """The operator did not agree to remove a lock."""
    return f"stack {stack} stays locked; nothing was done"


@message
def proofs_not_checked(steps: Sequence[str], reason: str) -> str:
    """The survivor's cluster could not be asked whether what a failover has proved is still there."""
    return (
        f"{reason}. So it is unknown whether what {listed(steps)} proved is still there; once the cluster answers, "
        "run the same command again"
    )


# --- Questions ------------------------------------------------------------------------------------------------------


@message
def ask_to_begin(
    *,
    phase: str,
    lost: int,
    name: str,
    survivor: int,
    survivor_name: str,
    failover_brokers: int,
    answers: bool,
) -> str:
    """A failover is about to begin, after Pulumi's preview of it."""
    start = "starts" if failover_brokers == 1 else "start"
    brokers = (
        f"{counted(failover_brokers, 'failover broker')} {start} in {survivor_name}"
        if failover_brokers
        else f"the brokers of {name} leave the cluster"
    )
    state = "STILL ANSWERS" if answers else "does not answer"
    return (
        f"Region {lost} ({name}) is declared LOST, and region {survivor} ({survivor_name}) takes over: phase {phase} and "
        f"lostRegion {lost} on both stacks, then {brokers}. Commands are accepted again within minutes, as soon as a broker "
        f"has started; nothing acknowledged is lost. Then Camunda is removed from {name} if it answers, after another "
        f"question. The cluster of {name} {state}."
    )


@message
def next_if_yes(stack: str, step: str, title: str, then: Sequence[str]) -> str:
    """What the next `pulumi up` does if the question below it is answered with yes."""
    after = f"; then {listed(then)}" if then else ""
    return f"next, {stack}: {step}: {title}{after}"


@message
def ask_to_begin_failback(phase: str, lost: int, name: str, survivor_name: str) -> str:
    """A failback is about to begin, after Pulumi's preview of it."""
    return (
        f"Region {lost} ({name}) is brought back beside {survivor_name}: phase {phase} and lostRegion {lost} on both "
        "stacks, then its brokers join, within minutes, and users notice nothing. You are asked again before Operate, "
        "Tasklist and exporting stop, and until then it can be backed out of at no cost. Begin?"
    )


@message
def ask_to_install(places: Sequence[str], adopts: bool) -> str:
    """Both regions are about to be installed for the first time, or adopted, after Pulumi's preview of it."""
    what = "adopt what runs in" if adopts else "install Camunda in"
    return f"{what} {' and '.join(places)}, and begin?"


@message
def ask_to_back_out(name: str) -> str:
    """A failover during a failback: the recreated region is emptied again."""
    return (
        f"back out of the failback of region {name}, which is emptied again? It takes minutes; brokers that were repointed "
        "restart once more, one after the other, and exporting resumes"
    )


@message
def ask_to_delete_region(name: str, namespace: str) -> str:
    """The lost region is about to be cleaned (R), and its API server answers."""
    return (
        f"region {name} still answers: delete its release and namespace {namespace}, with all claims and volumes? It takes "
        "a minute, and CANNOT BE UNDONE; the other region serves alone, and needs nothing of it"
    )


@message
def ask_to_delete_release(name: str, namespace: str) -> str:
    """The lost region is about to be cleaned (R), its API server answers, and its search engine is not the program's."""
    return (
        f"region {name} still answers: delete its release in namespace {namespace}? The namespace stays, with its search "
        "engine and all claims, which are yours to delete. It takes a minute, and CANNOT BE UNDONE; the other region serves "
        "alone, and needs nothing of it"
    )


@message
def ask_to_pause(namespace: str) -> str:
    """Web apps go down, exporters pause and a snapshot is restored (B2, B3)."""
    return (
        "stop Operate and Tasklist, pause all exporters, and restore a snapshot into the search engine of "
        f"{namespace}, deleting what an earlier attempt left there? It lasts until B5, as long as snapshot and restore of "
        "your data and one restart of each broker take; commands are accepted, and nothing is lost"
    )


@message
def ask_to_retire_failover(namespace: str) -> str:
    """The failover installation is about to be removed (B5): the point of no return."""
    return (
        f"resume exporting and delete the failover installation, release and namespace {namespace} with its search "
        "engine? It takes a minute. After that the failback cannot be backed out of"
    )


@message
def ask_to_add_brokers(name: str) -> str:
    """The recreated brokers are about to become members again (B6): the point of no return."""
    return (
        f"resume exporting and add the brokers of region {name} to the cluster again? It takes minutes, as long as they "
        "need to receive their data. After that the failback cannot be backed out of"
    )


@message
def name_not_typed(typed: str, name: str) -> str:
    """The name of the lost region was to be typed, and something else was."""
    return f"{typed!r} is not {name}: nothing was changed"


@message
def ask_to_drop_pending(stack: str, operations: Sequence[str]) -> str:
    """The state lists operations of a killed run, and an `up` that succeeded has done or taken over what they were."""
    return f"the state of stack {stack} lists {listed(operations)} as pending, which has completed: remove that?"


@message
def ask_to_unlock(stack: str, locks: Sequence[str]) -> str:
    """A lock names this machine and a process that is not here; only the operator can know whether it is gone."""
    return (
        f"stack {stack} is locked by {listed(locks)}. There is no such process here; a container or machine of the "
        "same name may still run it, and two runs at once would act on the same brokers. Is that run known to be "
        "gone, and its lock to be removed?"
    )


# --- Pulumi and its stacks ------------------------------------------------------------------------------------------


@message
def no_pulumi(version: str) -> str:
    """There is no `pulumi` command."""
    return f"no `pulumi` on PATH: install Pulumi {version} or newer, or put it first on PATH"


@message
def pulumi_not_usable(reason: str) -> str:
    """`pulumi` is too old, or cannot be run."""
    return f"`pulumi` cannot be used: {reason}"


@message
def pulumi_does_not_run(status: int, version: str) -> str:
    """`pulumi version` fails: it is broken, or made for another machine."""
    return (
        f"`pulumi version` ends with status {status}: what is first on PATH as `pulumi` does not run here. Install Pulumi "
        f"{version} or newer again, or put a working one first on PATH"
    )


@message
def pulumi_failed(reason: str) -> str:
    """Pulumi failed in a way that has no message of its own here; its own words are given."""
    return reason


@message
def wrong_passphrase() -> str:
    """Pulumi prints `incorrect passphrase`."""
    return "the passphrase is not the stack's: check PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"


@message
def passphrase_missing() -> str:
    """Pulumi prints `passphrase must be set`."""
    return (
        "the stack's secrets are encrypted with a passphrase that is not set here; set PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE"
    )


@message
def not_logged_in() -> str:
    """Pulumi asks for an access token of Pulumi Cloud, as no other backend is logged in to."""
    return "not logged in: `pulumi login <your backend>`"


@message
def no_backend(url: str) -> str:
    """PULUMI_BACKEND_URL names no kind of state backend that Pulumi has."""
    return (
        f"PULUMI_BACKEND_URL is {url!r}, which is no state backend: it begins with file://, s3://, gs://, azblob://, "
        "postgres:// or https://. Correct it, or `unset PULUMI_BACKEND_URL` and `pulumi login <your backend>`"
    )


@message
def backend_folder_missing(reason: str) -> str:
    """The state backend is a folder, and it is not there."""
    return (
        f"the state backend's folder is not there: {reason}. Mount it, or restore it (docs/prepare/state-backend.md); "
        "`pulumi whoami --verbose` names the backend that is logged in to, `pulumi login` changes it"
    )


@message
def backend_unreachable(reason: str) -> str:
    """The state backend is in a store that does not answer, or refuses the login."""
    return (
        f"the state backend does not answer: {reason}. Check this machine's network and its login to that store; "
        "`pulumi whoami --verbose` names the backend (docs/prepare/state-backend.md)"
    )


@message
def checkpoint_empty() -> str:
    """Pulumi prints `failed to load checkpoint: EOF`, after a run was killed with a backend of plain files."""
    return (
        "a killed run has left the state's attributes empty; the state is whole: in the state backend's folder, "
        "`find .pulumi -name '*.attrs' -empty -delete`, then run the same command again"
    )


@message
def stack_missing(stack: str, project: str, known: Sequence[str]) -> str:
    """The project has no stack of this name."""
    return (
        f"there is no stack {stack} of project {project}; there are: {listed(known) or 'none'}. Name the stacks of "
        f"region 0 and 1 with --stacks, or create it: `pulumi stack init {stack}`"
    )


@message
def stacks_of_one_region(stacks: Sequence[str], region: int) -> str:
    """Both stacks are configured for the same region."""
    return (
        f"stacks {' and '.join(stacks)} are both of region {region}: check region in both Pulumi.<stack>.yaml, or "
        "name the right stacks with --stacks"
    )


# --- Hooks of one's own ---------------------------------------------------------------------------------------------


@message
def hook_failed(hook: str, point: str, target: str, reason: Message) -> str:
    """One of your own hooks failed that is not required; the command continues."""
    return f"hook {hook} failed at {point}, {target}: {reason}. It is not required: the command is not affected"


@message
def required_hook_failed(hook: str, point: str, target: str, reason: Message) -> str:
    """One of your own hooks failed that is required: the command ends there; run again, it calls it again."""
    return (
        f"hook {hook} failed at {point}, {target}: {reason}. It is required: fix it and run the same command again, "
        "which calls it again; or run it with --no-hooks"
    )


@message
def last_hook_failed(hook: str, point: str, target: str, reason: Message) -> str:
    """A required hook failed after the last step: no command calls it again."""
    return (
        f"hook {hook} failed at {point}, {target}: {reason}. It is required, but all steps are done, and no command "
        "calls it again: pass the notification on yourself"
    )


@message
def hook_program_missing() -> str:
    """A hook's command is not there, or may not be executed."""
    return "there is no such program, or it may not be executed"


@message
def hook_not_started(reason: str) -> str:
    """The operating system could not start a hook's command."""
    return f"it could not be started ({reason})"


@message
def hook_timed_out(seconds: float, output: str) -> str:
    """A hook's command did not end by its deadline, and was killed."""
    return f"not finished after {seconds:g} s{_output(output)}"


@message
def hook_exit_status(status: int, output: str) -> str:
    """A hook's command ended with another exit status than 0."""
    return f"exit status {status}{_output(output)}"


@message
def hook_not_answered(seconds: float) -> str:
    """A hook's URL did not answer by its deadline."""
    return f"no answer after {seconds:g} s"


@message
def hook_unreachable(reason: str) -> str:
    """A hook's URL could not be reached."""
    return f"it could not be reached ({reason})"


@message
def hook_http_status(status: int, output: str) -> str:
    """A hook's URL answered with another status than 2xx."""
    return f"status {status}{_output(output)}"


@message
def notification_failed(service: str, point: str, reason: Message) -> str:
    """A service of `hooks.services` could not be told of a point; the command is not affected."""
    return f"service {service} could not be told of {point}: {reason}. The command is not affected"


@message
def notification_address_unknown() -> str:
    """Apprise knows no service of this kind of address, or the address lacks a part."""
    return "the address is none of a service that Apprise knows, or lacks a part (not shown)"


@message
def notification_refused(output: str) -> str:
    """A service did not take a notification, or could not be reached; the reason is Apprise's, without secrets."""
    return f"it did not take it{_output(output)}"


@message
def notification_unanswered(seconds: float) -> str:
    """A service did not take a notification by its deadline."""
    return f"no answer after {seconds:g} s"


@message
def notification_library_missing(reason: str) -> str:
    """The library that tells services cannot be used: the environment is not complete."""
    return f"Apprise cannot be used ({reason}): pip install --require-hashes -r requirements.lock"


@message
def transcript_not_written(path: str, reason: str) -> str:
    """The file of `--log-file` cannot be written; nothing was done yet."""
    return f"{path} cannot be written ({reason}): name a file in a folder that is there"


@message
def transcript_broken(path: str, reason: str) -> str:
    """The transcript could not be continued, such as on a full disk; the command continues."""
    return f"the transcript {path} ends here ({reason}); the command continues"


@message
def nothing_to_notify() -> str:
    """There is no hook and no service that is told of anything."""
    return (
        "hooks.notify and hooks.services are not set: nothing is notified (docs/prepare/hooks.md)"
    )


@message
def test_unreached(receivers: Sequence[str]) -> str:
    """The test notification did not reach each receiver."""
    return f"the test did not reach {listed(receivers)}"


def _output(last: str) -> str:
    return f", last output: {last}" if last else " (no output)"


# --- What was not foreseen ------------------------------------------------------------------------------------------


@message
def command_fault(where: str) -> str:
    """A fault of the command itself. Neither a trace nor the error's text is shown, as these may hold secrets."""
    return (
        f"something that the command did not foresee ({where}). Please report it with this line. Completed steps are "
        "kept; `dualregion status` shows the state of both regions. Run the same command to continue"
    )


@message
def no_room_left(reason: str) -> str:
    """A disk is full, or what the output goes to takes no more."""
    return (
        f"nothing more can be written ({reason}): make room, or send the output elsewhere. Completed steps are kept; run "
        "the same command to continue"
    )


@message
def nothing_to_explain(name: str, alike: Sequence[str]) -> str:
    """There is no message of that code, and no step of that name."""
    return f"{name!r} is neither a code nor a step: did you mean {listed(alike)}? All codes stand in docs/errors.md"
