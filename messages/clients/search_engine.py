"""Calls to a search engine, and the copy of one in the recreated region."""

from collections.abc import Sequence

from messages.catalogue import Message, message


def _engine(namespace: str) -> str:
    return f"the search engine of {namespace}"


@message
def engine_refused(namespace: str, call: str, status: int, reason: str) -> str:
    """A search engine answers a call with an error; the reason is its own."""
    return f"{_engine(namespace)} answered {status} to {call}: {reason}"


@message
def engine_login_refused(namespace: str, user: str, secret: str, key: str) -> str:
    """A search engine refuses the password that its Secret holds."""
    return (
        f"{_engine(namespace)} does not let user {user} in with the password of Secret {secret} (key {key}): is that the "
        "engine's own Secret, and the engine the one that it was made for?"
    )


@message
def engine_secret_missing(namespace: str, secret: str, key: str) -> str:
    """A Secret that a search engine's owner makes is not there, or lacks a key."""
    return (
        f"namespace {namespace} has no Secret {secret} with the key {key}, which is made with the search engine: install "
        "that first, or name its Secret in searchEngine (docs/reference/configuration.md#search-engine)"
    )


@message
def no_engine_pod_ready(namespace: str, selector: str, trouble: Message | None) -> str:
    """No pod of a search engine that is installed beside the chart can be asked."""
    because = f" ({trouble})" if trouble else ""
    return f"no pod of {_engine(namespace)} is ready ({selector}){because}"


@message
def engine_authority_unreadable(namespace: str, secret: str, key: str) -> str:
    """What is to be the certificate of the authority that a search engine's own is signed by is none."""
    return f"Secret {secret} in {namespace} holds no certificate under the key {key}"


@message
def engine_not_secured(namespace: str, reason: str, secret: str, key: str, server: str) -> str:
    """A search engine that is asked with TLS does not prove who it is, by the certificate of its authority."""
    return (
        f"{_engine(namespace)}: {reason}. It is held against Secret {secret} (key {key}) in its namespace, and must be for "
        f"{server}; its settings are searchEngine.caSecret, .serverName and .scheme "
        "(docs/reference/configuration.md#search-engine)"
    )


@message
def engine_incomplete(namespace: str, reason: Message) -> str:
    """A search engine does not show what all of its shards hold."""
    return f"{_engine(namespace)}: {reason}"


@message
def shards_silent(namespace: str, shards: int, indices: str) -> str:
    """Shards of a search engine did not answer."""
    return f"{_engine(namespace)}: {shards} shards of {indices} did not answer"


@message
def unfit_engine(namespace: str, problem: Message) -> str:
    """A search engine cannot be copied, or take a copy."""
    return f"in {_engine(namespace)}, {problem}"


@message
def engine_served(namespace: str) -> str:
    """Awaited before a snapshot is taken."""
    return f"every index of {_engine(namespace)} is served"


@message
def snapshot_begins(namespace: str, snapshot: str) -> str:
    """Awaited in B3."""
    return f"{_engine(namespace)} takes snapshot {snapshot}"


@message
def snapshot_ends(namespace: str, snapshot: str) -> str:
    """Awaited in B3, as long as it moves."""
    return f"snapshot {snapshot} of {_engine(namespace)} ends"


@message
def snapshot_unusable(step: str, namespace: str, problem: Message, hint: Message) -> str:
    """The snapshot has ended, and is not whole."""
    return f"{step}: in {_engine(namespace)}, {problem}. It is not restored from. {hint} Run again to take a new one."


@message
def snapshot_of_another(
    *, step: str, repository: str, snapshot: str, uuid: str, purpose: str, incident: str
) -> str:
    """The repository holds a snapshot of this name that was taken for something else."""
    return (
        f"{step}: repository {repository} already holds a snapshot {snapshot} ({uuid}), taken for "
        f"{purpose or 'another purpose'} and not for {incident}: nothing was changed. Delete it, or give the repository "
        "another base path."
    )


@message
def snapshot_begun_again(repository: str) -> str:
    """The engine does not know the snapshot any more that it was taking: it was restarted."""
    return f"repository {repository} does not hold it, as the engine was restarted: begun again"


@message
def repository_usable(namespace: str, repository: str, kind: str) -> str:
    """Awaited before a snapshot is taken, and before it is restored."""
    return f"{_engine(namespace)} has registered snapshot repository {repository} ({kind})"


@message
def repository_forgotten(namespace: str, repository: str) -> str:
    """Awaited at the end of B3: the recreated region's own backups may need the name."""
    return f"{_engine(namespace)} has unregistered snapshot repository {repository}"


@message
def snapshot_visible(namespace: str, snapshot: str, uuid: str) -> str:
    """Awaited before the snapshot is restored in the recreated region."""
    return f"{_engine(namespace)} lists snapshot {snapshot} ({uuid})"


@message
def snapshot_not_visible(repository: str) -> str:
    """The other region's engine does not see the snapshot in the repository."""
    return f"repository {repository} does not list it there"


@message
def another_snapshot(uuid: str) -> str:
    """The other region's engine sees another snapshot under this name."""
    return f"under this name it lists another snapshot ({uuid})"


@message
def restore_begins(namespace: str, snapshot: str) -> str:
    """Awaited in B3."""
    return f"{_engine(namespace)} restores {snapshot}"


@message
def restore_ends(namespace: str, snapshot: str) -> str:
    """Awaited in B3, as long as it moves."""
    return f"restore of {snapshot} in {_engine(namespace)} ends"


@message
def restore_failed(
    *, step: str, namespace: str, reason: Message, done: int, total: int, hint: Message
) -> str:
    """An engine has given up the restore of a shard."""
    return f"{step}: {_engine(namespace)} cannot restore {reason}. {done} of {total} shards were restored. {hint}"


@message
def engine_health_known(namespace: str) -> str:
    """Awaited after a restore."""
    return f"{_engine(namespace)} reports its health"


@message
def documents_counted(namespace: str) -> str:
    """Awaited before a copy is compared."""
    return f"{_engine(namespace)} counts its documents"


@message
def templates_listed(namespace: str) -> str:
    """Awaited before a copy is compared."""
    return f"{_engine(namespace)} lists its templates"


@message
def data_streams_listed(namespace: str) -> str:
    """Awaited before exporting is paused."""
    return f"{_engine(namespace)} lists its data streams"


@message
def data_streams_not_copied(streams: Sequence[str], namespace: str) -> str:
    """An engine has data streams, which Camunda does not use and the failback does not copy."""
    more = len(streams) - 3
    named = ", ".join(streams[:3]) + (f", and {more} more" if more > 0 else "")
    return f"data streams {named} of {_engine(namespace)} are not copied, as Camunda has none: copy them yourself"


@message
def copy_differs(
    step: str, survivor: str, recreated: str, problem: Message, remedy: Message
) -> str:
    """The copy does not hold what it was copied from."""
    return (
        f"{step}: {_engine(survivor)} and {_engine(recreated)} differ: {problem}. Does anything still write to one of "
        f"them, or delete what is old in one of them alone? {remedy}"
    )


@message
def copy_lacks_templates(
    step: str, survivor: str, recreated: str, problem: Message, remedy: Message
) -> str:
    """The copy does not have all templates: indices to come would be made without their mappings."""
    return (
        f"{step}: {_engine(recreated)} lacks templates of {_engine(survivor)}; {problem}. Without them the indices to "
        f"come would be made without their mappings. {remedy}"
    )


@message
def copy_known(namespace: str) -> str:
    """Awaited in B3: an earlier attempt may have copied everything."""
    return f"it is known whether {_engine(namespace)} holds the copy already"


@message
def records_equal(survivor: str, failover: str) -> str:
    """Awaited in B2, with exporters paused."""
    return f"{_engine(survivor)} holds every record that {_engine(failover)} holds, and nothing new comes"


@message
def records_still_come(seconds: float) -> str:
    """The engines are not quiet yet: brokers write what they have buffered."""
    return f"waiting until nothing new has come for {seconds:g} s"


@message
def records_never_come(missing: Message, reason: Message) -> str:
    """The surviving region's engine lacks records that will not come before exporting is resumed."""
    return f"{missing}; {reason}"


@message
def buffered_until_resumed(change: Message) -> str:
    """Why records do not come: another broker leads the partition now, and reads nothing while exporting is paused."""
    return f"{change}: what was buffered there is written when exporting is resumed"


@message
def no_records_found(prefix: str) -> str:
    """Brokers have exported, and no index of that name holds a record: the exporters' prefix may be another one."""
    return f"brokers have exported, but no index {prefix}* holds a record"


@message
def engine_refused_for_good(step: str, reason: Message, hint: Message) -> str:
    """A search engine refuses what a step asks of it, and would refuse it again."""
    return f"{step}: {reason}. {hint}"


@message
def has_not_moved(
    *, step: str, what: Message, deadline: float, seconds: float, last_seen: Message, hint: Message
) -> str:
    """A snapshot or a restore has not moved for a whole deadline."""
    return (
        f"{step}: has not moved for {deadline:.0f} s, {seconds:.0f} s after it began, waiting until {what}. Last "
        f"observed: {last_seen}. {hint}"
    )


@message
def settings_can_be_put_back(namespace: str) -> str:
    """Awaited before exporting is paused."""
    return f"the persistent settings of {_engine(namespace)} can be put back after a restore"


@message
def settings_not_settable(step: str, namespace: str, reason: Message) -> str:
    """The recreated region's engine does not let its persistent settings be set, which a restore replaces."""
    return (
        f"{step}: the persistent settings of {_engine(namespace)}, which a restore replaces, cannot be put back: {reason}. "
        "In that namespace the survivor's stack needs the right `update` of services/proxy (`dualregion rights`)"
    )


@message
def settings_noted(namespace: str) -> str:
    """Awaited before a restore."""
    return f"the persistent settings of {_engine(namespace)} are written down"


@message
def settings_put_back(namespace: str) -> str:
    """Awaited once a restore has begun."""
    return f"{_engine(namespace)} has its own persistent settings, not those of the survivor's"


@message
def look_at_engine_log(namespace: str) -> str:
    """What to do: the engine's log shows the reason."""
    return f"Look at the log of {_engine(namespace)}."


@message
def look_at_engine(namespace: str) -> str:
    """What to do: the engine's log and its disks show the reason."""
    return f"Look at the log and the disks of {_engine(namespace)}."


@message
def look_at_engine_to_restore(namespace: str) -> str:
    """What to do about a restore that does not come to its end."""
    return (
        f"Look at the log and the disks of {_engine(namespace)}. What has been restored is deleted and restored again in "
        "the next run."
    )


@message
def look_at_engine_and_cluster(namespace: str, region: str) -> str:
    """What to do: the engine's log, or the API server, shows the reason."""
    return f"Look at the log of {_engine(namespace)} and at the API server of region {region}."


@message
def password_shared(owner: str, namespace: str) -> str:
    """Awaited before brokers start, or start again, that log in to a search engine."""
    return f"brokers of {namespace} are given the password of {_engine(owner)}"


@message
def look_at_engine_secret(namespace: str, secret: str) -> str:
    """What to do: a search engine that is installed beside the chart has a Secret with its password."""
    return f"Look for Secret {secret} in namespace {namespace}, which its search engine comes with, and for the rights to read it."


@message
def look_at_engine_pods() -> str:
    """What to do: the pods of the search engine and their logs show the reason."""
    return "Look at its pods and their logs."


@message
def look_at_both_engines() -> str:
    """What to do: the pods of both regions' search engines and their logs show the reason."""
    return "Look at the search engines of both regions: their pods and logs."


@message
def look_at_backup() -> str:
    """What to do about a repository that cannot be registered."""
    return "Check `backup` in the configuration (type and settings), and the engine's rights to that place."


@message
def look_at_repository(repository: str) -> str:
    """What to do about a snapshot that the other region does not see."""
    return f"Do both regions reach the same place with the settings of repository {repository}?"
