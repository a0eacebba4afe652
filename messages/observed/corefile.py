"""Why the Corefile of a cluster's CoreDNS is left as it is."""

from messages.catalogue import message

_REMEDY = "Fix it by hand, or set dns.chain false and add the text of `dualregion dns` yourself."


@message
def corefile_marker_in_block(begin: str) -> str:
    """The comment that marks the program's block stands inside of another server block."""
    return (
        f"the comment {begin!r} stands between the braces of a server block of the Corefile: the program's own block cannot "
        f"stand there. {_REMEDY}"
    )


@message
def corefile_markers_unpaired(count: int, begin: str, end: str) -> str:
    """The two comments around the program's block are not a pair any more."""
    return (
        f"the Corefile holds {count} of the comments {begin!r} and {end!r}, which belong together once: remove both, and what "
        f"stands between them. {_REMEDY}"
    )


@message
def corefile_zone_taken(label: str, line: int, begin: str, end: str) -> str:
    """The Corefile has a server block of the operator's own for one of the other region's zones."""
    return (
        f"the Corefile has a server block for {label} of its own (line {line}, not counting what the program has written): "
        f"CoreDNS takes each zone once only. Put a line {begin!r} before and a line {end!r} after it, which lets the program "
        "replace it; or remove it; or set dns.chain false"
    )


@message
def corefile_block_without_braces(line: int) -> str:
    """A server block of the Corefile has no braces."""
    return f"the server block in line {line} of the Corefile has no braces. {_REMEDY}"


@message
def corefile_braces_unpaired() -> str:
    """A brace of the Corefile is not opened or not closed."""
    return f"the braces of the Corefile are no pairs. {_REMEDY}"
