"""Every sentence that the program and the command say of a refusal, a finding, a check or a wait: one function each.

The function's name is the message's code, which never changes; its parameters are the facts; what it returns is the
sentence, in which only people read. Its docstring says what the message means, for `docs/errors.md`.
"""

from messages.catalogue import (
    CATALOGUE,
    Message,
    code_of,
    message,
    read_back,
    with_code,
)

__all__ = ["CATALOGUE", "Message", "code_of", "message", "read_back", "with_code"]
