"""The one error that the sandbox shows to its user."""


class SandboxError(Exception):
    """Something the sandbox needs is missing or failed; the message says what, where and the remedy."""
