"""DNS chaining: a server block in one region's Corefile that asks the other region's DNS. Pure.

The block stands between two marker comments; all else in a Corefile is the user's and stays as it is,
byte for byte. Sources: CoreDNS's manual, 'Corefile', and the lexer that it reads with (`caddyfile`, `lexer.go`);
Camunda's dual-region set-up for 8.5, 'DNS chaining'.
"""

import re
from collections.abc import Iterator, Sequence

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.errors import Refused
from messages.observed import corefile as messages

BEGIN = "# BEGIN camunda-dual-region: DNS chaining, written by the Pulumi program"
END = "# END camunda-dual-region"
_BEGINS, _ENDS = "# BEGIN camunda-dual-region", END
_BOM = "\ufeff"
"""A byte order mark: at a file's beginning CoreDNS overlooks it, anywhere else it is a letter of a word."""
_START = rf"(?:^|(?<=\A{_BOM}))[ \t]*"
_BLOCK = re.compile(
    rf"{_START}{_BEGINS}\b[^\n]*\n.*?^[ \t]*{_ENDS}\b[^\n]*(?:\n|\Z)", re.MULTILINE | re.DOTALL
)
_MARKER = re.compile(rf"{_START}(?:{_BEGINS}|{_ENDS})\b", re.MULTILINE)
_SPACE = r"\t\n\v\f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_WORD = re.compile(
    rf"""\n|[{_SPACE}\r]|\#[^\n]*|"(?P<quoted>(?:\\.|[^"\\])*)(?P<closed>"|\\?\Z)|(?P<word>[^{_SPACE}#]+)(?:\#[^{_SPACE}]*)?""",
    re.DOTALL,
)
"""A comment begins anywhere but in quotes; these begin a word, and end it.

One that follows a word at once ends with the next space: to CoreDNS `}# the end` is a brace and two words.
"""


def zones_of(settings: Settings, region: int) -> tuple[str, ...]:
    """Return the zones that a region's cluster answers for: the names of its namespaces."""
    namespaces = settings.namespaces_of(region).values()
    return tuple(f"{each}.svc.cluster.local" for each in namespaces)


def block_for(settings: Settings, region: int) -> str:
    """Return what belongs into a region's Corefile; empty if the other one's DNS has no address.

    :param region: the region that is to resolve the other one's names.
    """
    other = brokers.other(region)
    addresses = settings.regions[other].dns_addresses
    return block(zones_of(settings, other), addresses, tcp=settings.dns.tcp) if addresses else ""


def block(zones: Sequence[str], forwarders: Sequence[str], *, tcp: bool = True) -> str:
    """Return the server block, with its markers.

    It keeps no answers, as a broker that was restarted has a new address at once.

    :param zones: the other region's zones.
    :param forwarders: the addresses of the other region's DNS.
    :param tcp: whether it is asked by TCP alone.
    """
    options = " {\n        force_tcp\n    }" if tcp else ""
    return (
        f"{BEGIN}\n"
        f"{' '.join(f'{zone}:53' for zone in zones)} {{\n"
        "    errors\n"
        f"    forward . {' '.join(forwarders)}{options}\n"
        "}\n"
        f"{END}\n"
    )


def chained(
    corefile: str, zones: Sequence[str], forwarders: Sequence[str], *, tcp: bool = True
) -> str:
    """Return a Corefile with the block; where one is already, it is replaced.

    It goes to the front, where nothing of the user's has to be completed for it (a missing last line end).

    :param corefile: the present one; an empty text is one, too. The rest as in `block`.
    :raises Refused: if the user's part has a server block for one of the zones, which CoreDNS refuses
        as a duplicate, or cannot be understood.
    """
    start, end = _place(corefile)
    wanted = block(zones, forwarders, tcp=tcp)
    if "\r\n" in corefile:
        wanted = wanted.replace("\n", "\r\n")
    if _depth(corefile[:start]):
        raise Refused(messages.corefile_marker_in_block(_BEGINS))
    _refuse_duplicates(corefile[:start] + corefile[end:], zones)
    if corefile[end:] == "" and end > start and not corefile.endswith("\n"):
        wanted = wanted.rstrip("\r\n")
    return corefile[:start] + wanted + corefile[end:]


def unchained(corefile: str) -> str:
    """Return a Corefile without the block.

    :raises Refused: if its markers are not a pair any more.
    """
    start, end = _place(corefile)
    return corefile[:start] + corefile[end:]


def _place(corefile: str) -> tuple[int, int]:
    """Return where the block begins and ends; without one both times where it is to go, the front."""
    found = _BLOCK.search(corefile)
    markers = len(_MARKER.findall(corefile))
    if markers != (2 if found else 0) or (found and len(_MARKER.findall(found[0])) != 2):
        raise Refused(messages.corefile_markers_unpaired(markers, _BEGINS, _ENDS))
    front = len(_BOM) if corefile.startswith(_BOM) else 0
    return found.span() if found else (front, front)


def _refuse_duplicates(corefile: str, zones: Sequence[str]) -> None:
    wanted = {zone.lower() for zone in zones}
    for label, line in _labels(corefile):
        if _zone(label) in wanted:
            raise Refused(messages.corefile_zone_taken(label, line, _BEGINS, _ENDS))


def _zone(label: str) -> str | None:
    """Return the zone of a server block's label; None if it is served in another way than plain DNS at port 53."""
    scheme, _, rest = label.lower().rpartition("://")
    name, _, port = rest.partition(":")
    return name.rstrip(".") if scheme in ("", "dns") and port in ("", "53") else None


def _labels(corefile: str) -> Iterator[tuple[str, int]]:
    """Yield each server block's labels with their line.

    What is imported is in other files, and not seen here.

    :raises Refused: if braces are missing.
    """
    depth, header, goes_on = 0, 0, False
    for line, words in _lines(corefile):
        if depth == 0 and words[0] == "import":
            continue
        if header and not goes_on and words[0] != "{":
            raise Refused(messages.corefile_block_without_braces(header))
        for word in words:
            depth += (word == "{") - (word == "}")
            if word == "{":
                header = 0
            elif depth == 0 and word != "}":
                header = line
                yield word.rstrip(","), line
        goes_on = words[-1].endswith(",")
    # Labels at the very end are a server block without plugins, unless another label is to follow.
    if header and goes_on:
        raise Refused(messages.corefile_block_without_braces(header))
    if depth:
        raise Refused(messages.corefile_braces_unpaired())


def _depth(text: str) -> int:
    """Return how many braces are open at the end of a text."""
    words = [word for _, line in _lines(text) for word in line]
    return words.count("{") - words.count("}")


def _lines(corefile: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the words of each line that has any, as CoreDNS reads them: quoted text is one, comments are none."""
    line, words = 1, list[str]()
    for found in _WORD.finditer(corefile.removeprefix(_BOM)):
        if found[0] == "\n" and words:
            yield line, words
            words = []
        word = _word(found)
        if word is not None:
            words.append(word)
        line += found[0].count("\n")
    if words:
        yield line, words


def _word(found: re.Match[str]) -> str | None:
    """Return the word of a match; None for a space, a comment, or quotes that never end and hold nothing."""
    quoted = found["quoted"]
    if quoted is not None:
        return quoted.replace(r"\"", '"') if quoted or found["closed"] == '"' else None
    # A carriage return is overlooked, and divides nothing.
    return found["word"] and found["word"].replace("\r", "")
