"""The section `rights` of the configuration: whom the clusters know the program as."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from dualregion.config.forms import Text
from dualregion.config.sections.section import Model
from messages import Message
from messages.config import forms
from messages.config import settings as messages

_RBAC = "rbac.authorization.k8s.io"
_SERVICE_ACCOUNT = re.compile(r"serviceaccount:([a-z0-9][-a-z0-9]*):([a-z0-9][-.a-z0-9]*)")
_NAMED = re.compile(r"(user|group):(\S+)")
_RESOURCE = re.compile(r"[a-z]+(\.[a-z0-9][-.a-z0-9]*)?")


def _subject(text: str) -> str:
    if not (_SERVICE_ACCOUNT.fullmatch(text) or _NAMED.fullmatch(text)):
        raise ValueError(forms.subject_needed())
    return text


def _resource(text: str) -> str:
    if not _RESOURCE.fullmatch(text):
        raise ValueError(forms.resource_needed())
    return text


Subject = Annotated[Text, AfterValidator(_subject)]
"""Whom a cluster knows a login as: `user:NAME`, `group:NAME` or `serviceaccount:NAMESPACE:NAME`."""
Resource = Annotated[Text, AfterValidator(_resource)]
"""A resource in the plural, with its API group unless that is the core's."""


class RightsSettings(Model):
    """Who runs the program, unless it may do everything anyway."""

    subject: Subject | None = None
    """Whom a region's cluster knows the one as who runs that region's stack. Each namespace that the program
    makes then begins with a RoleBinding for it."""
    peer_subject: Subject | None = None
    """Whom it knows the one as who runs the other region's stack. Default: the same as `subject`."""
    extra: tuple[Resource, ...] = ()
    """What the user's Helm values make besides what the table of rights names."""


def rights_problem(rights: RightsSettings) -> Message | None:
    """Return why the settings contradict each other, or None."""
    if rights.peer_subject is None:
        return None
    if rights.subject is None:
        return messages.subject_missing()
    if rights.peer_subject == rights.subject:
        return messages.peer_subject_superfluous(rights.subject)
    return None


def rbac_subject(subject: Subject) -> Mapping[str, str]:
    """Return a subject as a RoleBinding names it."""
    account = _SERVICE_ACCOUNT.fullmatch(subject)
    if account:
        return {"kind": "ServiceAccount", "namespace": account[1], "name": account[2]}
    kind, _, name = subject.partition(":")
    return {"kind": kind.capitalize(), "apiGroup": _RBAC, "name": name}
