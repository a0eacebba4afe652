"""What may not be shown, in texts of others: the last fence, behind errors that are made without it. Pure."""

import re

HIDDEN = "[secret]"
_FORMS = (
    # A header's token, a JSON web token, a key or certificate, and base64 that is a kubeconfig's.
    (re.compile(r"(?i)\b(bearer|basic)\s+(?=\S*\d|\S{20})[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(\.[\w-]*)?"), HIDDEN),
    (re.compile(r"-----BEGIN [^-]+-----.*?(-----END [^-]+-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"\bLS0tLS1CRUdJTi[\w+/=]*"), HIDDEN),
    # User and password in an address, and what is named as a secret.
    (re.compile(r"(?<=://)[^\s/@'\"]+@"), f"{HIDDEN}@"),
    (
        re.compile(
            r"""(?i)(?<![a-z0-9])((?:client-key-data|id-token|refresh-token|access[-_]?token|token|password|passphrase|secret[-_]?(?:access[-_]?)?key)"""
            r"""["']?\s*[:=]\s*)["']?[^\s"',;}]+["']?"""
        ),
        rf"\1{HIDDEN}",
    ),
)


def without_secrets(text: str) -> str:
    """Return a text with what looks like a token, a key or a password replaced."""
    for form, instead in _FORMS:
        text = form.sub(instead, text)
    return text
