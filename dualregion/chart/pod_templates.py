"""Pod templates as Kubernetes keeps them, compared by what the processes in the pods see of them."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_REFERENCE = re.compile(r"\$\$|\$\(([^()]+)\)")
_CONTAINERS = ("initContainers", "containers")


def look_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether pods of either template run the same, although the templates may differ in writing.

    That is: they differ at most in the order of their environment, and in names that stand twice there.
    """
    return _as_seen(one) == _as_seen(other)


def environment(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return what a container's process gets of its `env`, as the kubelet works it out.

    Of a name that stands twice the last entry counts. `$(NAME)` stands for an entry before it, `$$` for a
    dollar; what comes from elsewhere (`valueFrom`) is told as where it comes from.
    """
    seen: dict[str, str] = {}

    def value_of(found: re.Match[str]) -> str:
        name = found[1]
        return "$" if name is None else seen.get(name, found[0])

    for entry in entries:
        source = entry.get("valueFrom")
        seen[str(entry["name"])] = (
            f"from {json.dumps(source, sort_keys=True)}"
            if source
            else _REFERENCE.sub(value_of, str(entry.get("value") or ""))
        )
    return seen


def _as_seen(template: Mapping[str, Any]) -> dict[str, Any]:
    spec = dict(template.get("spec") or {})
    for kind in _CONTAINERS:
        spec[kind] = [
            {**container, "env": environment(container.get("env") or ())}
            for container in spec.get(kind) or ()
        ]
    return {"metadata": template.get("metadata") or {}, "spec": spec}
