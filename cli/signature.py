"""Who runs the command."""

import getpass
import os
import socket


def signature() -> str:
    """Return who the operator is, for the stack history and the hooks: several people may share one account."""
    return os.environ.get("DUALREGION_OPERATOR") or f"{getpass.getuser()}@{socket.gethostname()}"
