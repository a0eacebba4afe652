"""What some tests need of the set-up: they are skipped without it, unless all of it is demanded."""

from functools import cache

import pytest

from sandbox.errors import SandboxError
from sandbox.setup import tools
from sandbox.setup.tools import Tools

demanded = False
"""Whether a missing part is a failure (`pytest --complete`), as in `make test`: nothing passes by being skipped."""


def set_up() -> Tools:
    """Return the tools that `make setup` has made; without them the test is skipped, or fails."""
    found = _found()
    if isinstance(found, Tools):
        return found
    if demanded:
        raise found
    pytest.skip(str(found))


@cache
def _found() -> Tools | SandboxError:
    """Return the tools, or what is missing: to look takes a while."""
    try:
        return tools.load()
    except SandboxError as error:
        return error
