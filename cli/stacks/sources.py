"""The files that hold the configuration, read without Pulumi: what each stack is set to, and where that stands. Pure.

Secrets stay encrypted: a setting that is one is not judged.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.stacks.files import Path, Source
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from messages import Message

_HIDDEN = "https://hidden.invalid"
"""What takes the place of an encrypted text: of those that are secrets, a hook's address alone has a form."""


@dataclass(frozen=True)
class Place:
    """Where in the files something stands.

    :ivar line: counted from 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class _Held:
    """A setting: its value, and where it stands."""

    value: Any
    source: Source
    path: Path


@dataclass(frozen=True)
class Configuration:
    """What one stack is set to, by the files alone.

    :param project: Pulumi.yaml.
    :param stack: the stack's own file.
    """

    project: Source
    stack: Source

    @property
    def has_environment(self) -> bool:
        """Whether settings come from Pulumi ESC as well, which no file shows."""
        return bool(self.stack.content.get("environment"))

    def settings(self, folder: str) -> Settings:
        """Return the settings.

        :param folder: the project's.
        :raises ConfigError: with each problem that is not one of an encrypted value.
        """
        held = {key: each for key, each in self._held().items() if not _is_secure(each.value)}
        texts = {key: _as_pulumi_keeps(_shown(each.value)) for key, each in held.items()}
        secret = [key for key, each in held.items() if _holds_secret(each.value)]
        try:
            return Settings.of_configuration(texts, folder, secret)
        except ConfigError as error:
            problems = [each for each in error.problems if not self._is_encrypted(each)]
            if not problems:
                raise Unjudged from None
            raise ConfigError(problems) from None

    def place(self, problem: Message) -> Place:
        """Return where what a message is about stands, or should: in which file, if nothing of it is there."""
        key = key_of(problem)
        held = self._held().get(str(key[0])) if key else None
        if held is None:
            return Place(self.stack.name, self.stack.line(("config",)))
        return Place(held.source.name, held.source.line((*held.path, *key[1:])))

    def _is_encrypted(self, problem: Message) -> bool:
        key = key_of(problem)
        held = self._held().get(str(key[0])) if key else None
        value: Any = held.value if held else None
        for part in key[1:]:
            if _is_secure(value):
                return True
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return False
        return _is_secure(value)

    def _held(self) -> dict[str, _Held]:
        """Return the settings by their keys; a key of the stack's file replaces the whole value of Pulumi.yaml."""
        name = self.project.content.get("name")
        return {
            **dict(_declared(self.project, str(name))),
            **dict(_set(self.stack, str(name))),
        }


class Unjudged(Exception):
    """What is set cannot be judged as a whole: it depends on a value that is encrypted."""


def _declared(project: Source, name: str) -> Iterator[tuple[str, _Held]]:
    """Yield what Pulumi.yaml sets: a default, a value, or the value alone."""
    for written, declared in project.config.items():
        key = _own_key(written, name)
        if key is None:
            continue
        path: Path = ("config", written)
        if not isinstance(declared, Mapping):
            yield key, _Held(declared, project, path)
        for kind in ("value", "default"):
            if isinstance(declared, Mapping) and kind in declared:
                yield key, _Held(declared[kind], project, (*path, kind))


def _set(stack: Source, name: str) -> Iterator[tuple[str, _Held]]:
    for written, value in stack.config.items():
        key = _own_key(written, name)
        if key is not None:
            yield key, _Held(value, stack, ("config", written))


def _own_key(written: str, project: str) -> str | None:
    """Return a key without the project's name; None for one of another namespace, such as `aws:region`."""
    namespace, colon, key = written.rpartition(":")
    return key if not colon or namespace == project else None


def _is_secure(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"secure"}


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return _is_secure(value) or any(_holds_secret(each) for each in value.values())
    return isinstance(value, list) and any(_holds_secret(each) for each in value)


def _shown(value: Any) -> Any:
    """Return a value in which a text takes the place of what is encrypted."""
    if _is_secure(value):
        return _HIDDEN
    if isinstance(value, Mapping):
        return {key: _shown(each) for key, each in value.items()}
    return [_shown(each) for each in value] if isinstance(value, list) else value


def _as_pulumi_keeps(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_KEYS: Mapping[str, str] = {
    "lost-region-missing": "lostRegion",
    "failover-namespace-too-long": "regions[{region}].namespace",
    "bucket-twice": "backup.storage.buckets[1].name",
    "bucket-region-twice": "backup.storage.buckets[1].awsRegion",
    "pod-ranges-overlap": "regions[1].podCidrs",
    "isolation-missing": "regions[{region}].podCidrs",
    "more-replicas-than-brokers": "replicationFactor",
    "quorum-not-restored": "replicationFactor",
    "commands-could-be-lost": "replicationFactor",
    "removal-could-lose-commands": "replicationFactor",
    "subject-needed-for-rights": "rights.subject",
    "regions-incomplete": "regions",
    "chart-needs-helm": "chart.name",
    "engine-of-chart": "searchEngine",
    "no-gateway-login": "gatewayLogin",
    "engine-access-not-given": "backup.storage.access",
    "backup-setting-missing": "backup.settings",
    "buckets-need-s3": "backup.type",
    "store-not-on-aws": "backup.storage.buckets[{region}].endpoint",
    "aws-region-missing": "backup.storage.buckets[{region}].awsRegion",
    "oidc-provider-missing": "backup.storage.buckets[{region}].oidcProviderArn",
    "key-from-two-places": "elasticsearchSecret.data",
    "dns-address-twice": "regions[1].dnsAddresses",
    "dns-addresses-missing": "regions[{region}].dnsAddresses",
    "subject-missing": "rights.subject",
    "peer-subject-superfluous": "rights.peerSubject",
    "network-acl-of-both-regions": "regions[1].networkAcls.ids",
    "nothing-to-cut": "regions[{peer}].podCidrs",
    "rule-numbers-exhausted": "regions[{region}].networkAcls.firstRuleNumber",
    "no-chart": "chart.name",
    "digest-of-no-archive": "chart.digest",
    "chart-unreadable": "chart.name",
    "another-digest": "chart.digest",
    "no-chart-version": "chart.name",
}
"""What a message is about that does not name its key itself."""


def key_of(problem: Message) -> Path:
    """Return the key that a message is about, in its parts; empty if it is about none alone."""
    named = problem.facts.get("key") or problem.facts.get("setting") or ""
    known = _KEYS.get(problem.code)
    text = str(named) if known is None else known.format_map(problem.facts)
    parts = re.findall(r"[^.\[\]]+|\[\d+\]", text)
    return tuple(int(each[1:-1]) if each.startswith("[") else each for each in parts)
