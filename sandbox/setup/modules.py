"""Which Go modules the project's go.mod files ask for."""

import re
from pathlib import Path

SANDBOX = Path(__file__).resolve().parents[1]
_REQUIRED = re.compile(r"^(?:require |\t)(\S+) (v\S+)(?: // indirect)?$", re.MULTILINE)
_REPLACED = re.compile(r"^(?:replace |\t)(\S+)(?: v\S+)? => (\S+)(?: (v\S+))?$", re.MULTILINE)


def go_mods() -> tuple[Path, ...]:
    """Every go.mod of the project."""
    return tuple(sorted(SANDBOX.rglob("go.mod")))


def required(go_mod: str) -> dict[str, str]:
    """Module -> version, from a go.mod's text: what `go mod download` fetches, replacements for what they replace.

    What a folder of the project replaces is the project's own, and left out.
    """
    replaced = {old: (new, version) for old, new, version in _REPLACED.findall(go_mod)}
    pairs = (replaced.get(module, (module, v)) for module, v in _REQUIRED.findall(go_mod))
    return {module: version for module, version in pairs if version}
