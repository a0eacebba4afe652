"""Whether brokers of a region get in to both regions' search engines: by day, as no step looks at a password then.

An engine's own Secret counts for its password, if the engine takes it. Brokers read copies of both when they start.
"""

from collections.abc import Iterator, Mapping

from cli.check import Check, check, unknown
from clients import engine_calls, logins
from clients.cluster import pods
from clients.installation import LiveInstallation
from dualregion.errors import DualRegionError
from dualregion.names import EngineLogin
from messages import Message
from messages.command import checks as messages
from messages.observed.brokers import all_of


def of_region(
    name: Message,
    at: LiveInstallation,
    login: EngineLogin,
    region: int,
    owners: Mapping[int, LiveInstallation | Message],
) -> Check:
    """Check the passwords that brokers of a region have.

    :param at: its installation.
    :param login: what its engine is logged in to with.
    :param owners: the installations of the regions whose engines count, by region, or why one cannot be asked.
    """
    unseen: list[Message] = []
    wrong: list[Message] = []
    for owner, engine in owners.items():
        if isinstance(engine, Message):
            unseen.append(engine)
            continue
        try:
            wrong += _of_copy(at, login, owner, engine)
            if owner == region:
                # Refused, or taken; nothing else of the answer counts.
                engine.search_engine().version()
        except (logins.LoginRefused, logins.SecretMissing, logins.SecretUnreadable) as error:
            wrong.append(error.message)
        except DualRegionError as error:
            unseen.append(error.message)
    wrong += _of_brokers(at)
    if not wrong and unseen:
        return unknown(name, unseen[0])
    return check(name, all_of(wrong), messages.fix_passwords())


def _of_copy(
    at: LiveInstallation, login: EngineLogin, owner: int, engine: LiveInstallation
) -> Iterator[Message]:
    """Yield what is wrong with the copy of an engine's password.

    :raises SecretMissing: if the engine's own is not there.
    :raises CallFailed: if they cannot be read.
    """
    password = engine_calls.password_of(engine.cluster, engine.namespace, login)
    copy = login.copy_of(owner)
    try:
        held = engine_calls.secret_text(at.cluster, at.namespace, copy, login.key)
    except logins.SecretMissing:
        yield messages.password_copy_missing(copy, at.namespace, engine.namespace)
        return
    if held != password:
        yield messages.password_copy_differs(copy, at.namespace, engine.namespace)


def _of_brokers(at: LiveInstallation) -> Iterator[Message]:
    """Yield which brokers hold an old password.

    :raises CallFailed: if that cannot be seen.
    """
    renewed = at.passwords_renewed()
    old = [each.metadata.name for each in at.broker_pods() if pods.is_older(each, renewed)]
    if old:
        yield messages.brokers_hold_old_password(sorted(old), at.namespace)
