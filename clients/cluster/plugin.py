"""Credential plugins of a kubeconfig (`exec`): programs that are started for the credentials of a call.

The Kubernetes client's own way would wait for one without end. What one prints is not shown: it may hold anything.

Source: Kubernetes, 'Client authentication (v1)'.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dualregion import plain_json
from messages import Message
from messages.clients import kubeconfig as messages

SECONDS, SECONDS_OF_A_PERSON = 20.0, 60.0
"""How long a plugin may take: by itself, and at a terminal, where a person may have to log in."""
_EXTENSION = "client.authentication.k8s.io/exec"
"""The extension of a cluster's entry that is its plugin's."""


class PluginFailed(Exception):
    """A plugin gives no credentials now; it holds nothing secret.

    :ivar problem: why, as of a kube context.
    """

    def __init__(self, problem: Message) -> None:
        self.problem = problem
        super().__init__(problem)


@dataclass(frozen=True)
class Credential:
    """What a plugin has given.

    :ivar certificate: client certificate and key in PEM, or None.
    :ivar until: when it ends, as of `time.time`; None if it does not.
    """

    token: str | None
    certificate: tuple[str, str] | None
    until: float | None


@dataclass(frozen=True)
class Plugin:
    """A plugin, as a kubeconfig names it.

    :ivar command: the program and its arguments.
    :ivar environ: the whole of its environment.
    :ivar cluster: the entry of the cluster that it is to know, or None.
    """

    command: Sequence[str]
    api_version: str
    environ: Mapping[str, str]
    cluster: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """What it is called in what is shown."""
        return Path(self.command[0]).name

    def ask(self) -> Credential:
        """Have it give credentials.

        :raises PluginFailed: if it does not, or not in time.
        """
        try:
            return _read(self._run(), self.api_version, self.name)
        except (OSError, TypeError, ValueError, KeyError, AttributeError):
            raise PluginFailed(messages.plugin_failed(self.name)) from None

    def _run(self) -> bytes:
        """Return what it prints; what it asks a person goes to the terminal, as of kubectl."""
        at_terminal = _is_terminal(sys.stdout)
        seconds = SECONDS_OF_A_PERSON if at_terminal or _is_terminal(sys.stdin) else SECONDS
        told = {"KUBERNETES_EXEC_INFO": json.dumps(self._told(is_interactive=at_terminal))}
        try:
            done = subprocess.run(
                list(self.command),
                env={**self.environ, **told},
                stdout=subprocess.PIPE,
                stderr=None if at_terminal else subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PluginFailed(messages.plugin_silent(self.name, round(seconds))) from None
        if done.returncode != 0:
            raise PluginFailed(messages.plugin_failed(self.name))
        return done.stdout

    def _told(self, *, is_interactive: bool) -> dict[str, Any]:
        """Return what the plugin is told of the call."""
        spec: dict[str, Any] = {"interactive": is_interactive}
        if self.cluster is not None:
            spec["cluster"] = dict(self.cluster)
            for each in self.cluster.get("extensions") or ():
                if each["name"] == _EXTENSION:
                    spec["cluster"]["config"] = each["extension"]
                    break
        return {"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec}


def _is_terminal(stream: Any) -> bool:
    """Whether a person sits there; a stream may be closed, or none."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def _read(printed: bytes, api_version: str, name: str) -> Credential:
    """Return what a plugin has printed."""
    document = plain_json.read(printed)
    if document["kind"] is None or document["apiVersion"] != api_version:
        raise ValueError("another version")
    status = document["status"]
    token = status.get("token")
    pem = [status.get(key) for key in ("clientCertificateData", "clientKeyData")]
    if token is None and None in pem:
        raise PluginFailed(messages.plugin_without_credentials(name))
    texts = [each for each in (token, *pem) if each is not None]
    if not all(isinstance(each, str) for each in texts):
        raise TypeError("no text")
    certificate = None if None in pem else (pem[0], pem[1])
    return Credential(token, certificate, _end(status.get("expirationTimestamp")))


def _end(moment: object) -> float | None:
    """Return when a credential ends; an end beyond all calendars is none."""
    if moment is None:
        return None
    try:
        return datetime.fromisoformat(str(moment)).astimezone(UTC).timestamp()
    except OverflowError:
        return None
