"""Where everything lives that is made once and kept between runs (XDG base directories)."""

import os
from pathlib import Path


def cache_root() -> Path:
    """Return the project's cache folder: `$XDG_CACHE_HOME`, or `~/.cache`, + `camunda-dual-region`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "camunda-dual-region"
