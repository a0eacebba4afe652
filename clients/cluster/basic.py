"""The header by which a user logs in with a password."""

import base64


def basic_header(user: str, password: str) -> str:
    """Return the header's value, in UTF-8 as Go's and curl's."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
