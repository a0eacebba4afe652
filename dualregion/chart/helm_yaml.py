"""YAML as Helm and kubectl read it. Pure.

Both read through sigs.k8s.io/yaml: a port of libyaml, rules of its own for plain scalars (neither YAML 1.1 nor 1.2),
and then JSON. So dates stay texts, `22:30` is no number, `1e3` is one, `y` is true, keys are texts, of a values file
only the first document counts, and what JSON cannot say is refused. PyYAML parses here; what the scalars mean is
decided here.

Source: sigs.k8s.io/yaml 1.6 (`yaml.go`) and go.yaml.in/yaml 2.4 (`resolve.go`, `decode.go`), which Helm 3.18 has.
"""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import yaml

from messages import Message
from messages.chart import helm_yaml as messages

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""By libyaml itself where PyYAML has it, which is what the port is of."""
MOST_LEVELS = 200
"""How deep a document may be nested; Helm takes 10 000 levels."""

_TAG = "tag:yaml.org,2002:"
_STR, _BOOL, _INT, _FLOAT, _NULL, _TIMESTAMP, _BINARY, _MERGE = (
    f"{_TAG}{name}"
    for name in ("str", "bool", "int", "float", "null", "timestamp", "binary", "merge")
)
_RESOLVED = {None, _STR, _BOOL, _INT, _FLOAT, _NULL, _TIMESTAMP}
"""The tags whose scalars are looked into; any other one leaves the text as it is."""


class BadYaml(Exception):
    """A document that Helm would refuse; the text quotes nothing of it.

    :ivar line: where, counted from 1.
    :ivar message: what is wrong.
    """

    def __init__(self, line: int, problem: Message) -> None:
        self.line, self.message = line, problem
        super().__init__(problem)


@dataclass(eq=False)
class _Node:
    """A node of the document; an alias is the node that it stands for, in `alias`."""

    kind: str
    line: int
    tag: str | None = None
    value: str = ""
    plain: bool = False
    children: list["_Node"] = field(default_factory=list)
    alias: "_Node | None" = None


def read(content: bytes) -> Any:
    """Return the first document of a file: maps with texts as keys, lists, texts, numbers, booleans and None.

    :raises BadYaml: if Helm would refuse it, or it is nested too deep; what comes after it is not looked at.
    """
    return next(read_all(content), None)


def read_all(content: bytes) -> Iterator[Any]:
    """Yield the documents of a file, such as manifests; raises as `read`."""
    try:
        events = yaml.parse(content, Loader=_LOADER)
        while (root := _compose(events)) is not None:
            yield _Decoder().value(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = messages.yaml_not_parsed(error.problem)
        raise BadYaml(mark.line + 1 if mark else 1, problem) from None
    except yaml.YAMLError:
        # A reader's error: it shows the character, and counts in bytes.
        line = _line_of_bad_text(content)
        raise BadYaml(line, messages.yaml_character_not_allowed()) from None


_NO_TEXT = re.compile("[^\t\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _line_of_bad_text(content: bytes) -> int:
    """Return the first line with a character that YAML does not allow, or a byte that is no text."""
    lines = content.decode(errors="surrogateescape").split("\n")
    return next((number for number, line in enumerate(lines, 1) if _NO_TEXT.search(line)), 1)


def _compose(events: Iterator[Any]) -> _Node | None:
    """Return the tree of the next document, or None if there is none."""
    anchors: dict[str, _Node] = {}
    open_nodes: list[_Node] = []
    root: _Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent) and event.version not in (None, (1, 1)):
            raise BadYaml(_line(event), messages.yaml_version_not_taken())
        if isinstance(event, yaml.DocumentEndEvent):
            break
        if isinstance(event, yaml.CollectionEndEvent):
            open_nodes.pop()
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event, anchors)
            if open_nodes:
                open_nodes[-1].children.append(node)
            root = root or node
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append(node)
                if len(open_nodes) > MOST_LEVELS:
                    raise BadYaml(node.line, messages.yaml_nested_too_deep(MOST_LEVELS))
    return root


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _node(event: Any, anchors: dict[str, _Node]) -> _Node:
    line = _line(event)
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise BadYaml(line, messages.yaml_alias_without_anchor())
        return _Node("alias", line, alias=anchors[event.anchor])
    tag = event.tag
    if isinstance(event, yaml.ScalarEvent):
        node = _Node("scalar", line, tag, event.value, plain=event.implicit[0])
    elif isinstance(event, yaml.MappingStartEvent):
        node = _Node("map", line, tag)
    else:
        node = _Node("list", line, tag)
    if event.anchor is not None:
        anchors[event.anchor] = node
    return node


_MANY = 1000
"""How many nodes may be decoded before aliases are counted."""


class _Decoder:
    """Turns a tree into values, with the limits that Helm has."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._decoded = 0
        self._by_alias = 0
        self._levels = 0

    def value(self, node: _Node) -> Any:
        """Return what a node means."""
        self._count(node)
        if node.kind == "scalar":
            return _json(node, _scalar(node))
        with self._deeper(node):
            return self._within(node)

    def _within(self, node: _Node) -> Any:
        """Return what lies in a list or a map, or behind an alias."""
        if node.alias is not None:
            return self._aliased(node, self.value)
        if node.kind == "list":
            return [self.value(each) for each in node.children]
        entries: dict[Any, tuple[int, Any]] = {}
        self._fill(node, entries)
        return _with_texts_as_keys(entries)

    def _fill(self, node: _Node, entries: dict[Any, tuple[int, Any]]) -> None:
        """Put a map's entries over others; a merge counts at its place, so what follows it is stronger."""
        for key, value in zip(node.children[::2], node.children[1::2], strict=True):
            if _is_merge(key):
                self._merge(value, entries)
                continue
            found = _key(self._target(key))
            # True and 1 are one key to Python.
            entries[type(found), found] = (key.line, self.value(value))

    def _merge(self, node: _Node, entries: dict[Any, tuple[int, Any]]) -> None:
        # Of a list the earlier ones are stronger.
        for each in reversed(node.children) if node.kind == "list" else (node,):
            if self._target(each).kind != "map":
                raise BadYaml(each.line, messages.yaml_merge_of_no_map())
            self._count(each)
            with self._deeper(each):
                if each.alias is not None:
                    self._aliased(each, lambda found: self._fill(found, entries))
                else:
                    self._fill(each, entries)

    @staticmethod
    def _target(node: _Node) -> _Node:
        return node.alias or node

    @contextmanager
    def _deeper(self, node: _Node) -> Iterator[None]:
        """Refuse what aliases nest too deep: each of them may stand for one that holds the next, on lines side by side."""
        self._levels += 1
        if self._levels > MOST_LEVELS:
            raise BadYaml(node.line, messages.yaml_nested_too_deep(MOST_LEVELS))
        try:
            yield
        finally:
            self._levels -= 1

    def _aliased(self, node: _Node, use: Callable[[_Node], Any]) -> Any:
        target = self._target(node)
        if id(target) in self._open:
            raise BadYaml(node.line, messages.yaml_anchor_in_itself())
        self._open.add(id(target))
        try:
            return use(target)
        finally:
            self._open.discard(id(target))

    def _count(self, node: _Node) -> None:
        """Refuse a small file that aliases blow up."""
        self._decoded += 1
        self._by_alias += bool(self._open)
        most = 0.99 if self._decoded < 400_000 else 0.10
        is_large = self._by_alias > 100 and self._decoded > _MANY
        if is_large and self._by_alias / self._decoded > most:
            raise BadYaml(node.line, messages.yaml_aliases_repeat_too_much())


def _is_merge(node: _Node) -> bool:
    return node.kind == "scalar" and node.value == "<<" and (node.plain or node.tag == _MERGE)


def _key(node: _Node) -> Any:
    """Return a map's key as it was typed; JSON's are made of them afterwards."""
    if node.kind != "scalar":
        raise BadYaml(node.line, messages.yaml_key_not_plain())
    found = _scalar(node)
    if found is None:
        raise BadYaml(node.line, messages.yaml_key_empty())
    if isinstance(found, int) and not isinstance(found, bool) and found >= 2**63:
        raise BadYaml(node.line, messages.yaml_key_too_large())
    return ".nan" if isinstance(found, float) and math.isnan(found) else found


def _with_texts_as_keys(entries: Mapping[Any, tuple[int, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for (_, key), (line, value) in entries.items():
        text = _key_text(key)
        if text in found:
            raise BadYaml(line, messages.yaml_key_twice())
        found[text] = value
    return found


def _key_text(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return _go_float(key) if isinstance(key, float) else str(key)


def _go_float(number: float) -> str:
    """Return a number as Go's `FormatFloat(x, 'g', -1, 32)`."""
    try:
        (single,) = struct.unpack("f", struct.pack("f", number))
    except OverflowError:
        single = math.copysign(math.inf, number)
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    shortest = next(
        text
        for digits in range(9)
        if struct.pack("f", float(text := f"{single:.{digits}e}")) == struct.pack("f", single)
    )
    mantissa, _, exponent = shortest.partition("e")
    if -4 <= int(exponent) < 6:
        decimals = len(mantissa.partition(".")[2]) - int(exponent)
        return f"{float(shortest):.{max(0, decimals)}f}"
    return shortest


def _json(node: _Node, found: Any) -> Any:
    """Return a scalar as it is after JSON, in which every number is a float of 64 bits."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        return found
    if not math.isfinite(found):
        raise BadYaml(node.line, messages.yaml_number_not_finite())
    single = float(found)
    return int(single) if single.is_integer() else single


def _scalar(node: _Node) -> Any:
    """Return what a scalar means; raises if its tag demands something else."""
    if node.tag is None and not node.plain:
        return node.value
    if node.tag == _BINARY:
        return _binary(node)
    if node.tag not in _RESOLVED or node.tag == _STR:
        return node.value
    tag, found = _resolve(node.value)
    if node.tag in (None, tag):
        return found
    if node.tag == _FLOAT and tag == _INT and found < 2**63:
        return float(found)
    if node.tag == _TIMESTAMP and _is_timestamp(node.value):
        return node.value
    raise BadYaml(node.line, messages.yaml_tag_contradicted(node.tag.removeprefix(_TAG)))


def _binary(node: _Node) -> str:
    try:
        text = node.value.replace("\n", "").replace("\r", "")
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadYaml(node.line, messages.yaml_not_base64()) from None
    # As Go writes JSON: each byte that is no text is replaced by itself.
    decoded = content.decode(errors="surrogateescape")
    return "".join("�" if "\udc80" <= each <= "\udcff" else each for each in decoded)


def _named(**words: str) -> Iterator[tuple[str, str]]:
    """Yield each word as it may be written: small, capitalized, in capitals."""
    for name, text in words.items():
        for word in text.split():
            for form in {word, word.capitalize(), word.upper()}:
                yield form, name


_WORDS: Mapping[str, tuple[str, Any]] = MappingProxyType(
    {form: (_BOOL, True) for form, _ in _named(true="y yes true on")}
    | {form: (_BOOL, False) for form, _ in _named(false="n no false off")}
    | {form: (_NULL, None) for form, _ in _named(null="null ~")}
    | {"": (_NULL, None)}
    | dict.fromkeys((".nan", ".NaN", ".NAN"), (_FLOAT, math.nan))
    | {
        sign + form: (_FLOAT, -math.inf if sign == "-" else math.inf)
        for sign in ("", "+", "-")
        for form in (".inf", ".Inf", ".INF")
    }
)
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FRACTION = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO](?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*)|0(?P<z>[0-7]+))"
)
_BASES = MappingProxyType({"x": 16, "b": 2, "o": 8, "d": 10, "z": 8})
_MOST_DIGITS = 64
"""How many digits a number of 64 bits has at most, which are binary ones; Python reads no decimal one of thousands."""
_SIGNED_BINARY = re.compile(r"0b([-+][01]+)")


def _resolve(text: str) -> tuple[str, Any]:
    """Return the tag and the meaning of a plain scalar (`resolve` of go-yaml)."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return (_FRACTION.fullmatch(text) and _float(text.replace("_", ""))) or (_STR, text)
    if text[0] not in "+-0123456789":
        return _STR, text
    digits = text.replace("_", "")
    number = _integer(digits)
    if number is not None:
        return _INT, number
    return _float(digits) or (_STR, text)


def _integer(text: str) -> int | None:
    """Return a whole number as Go's `ParseInt` and `ParseUint` with base 0 read it: of 64 bits at most."""
    binary = _SIGNED_BINARY.fullmatch(text)
    if binary:
        return _in_range(int(binary[1], 2), signed=True)
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    digits, base = next((match[name], base) for name, base in _BASES.items() if match[name])
    if len(digits.lstrip("0")) > _MOST_DIGITS:
        return None
    return _in_range(int(match["sign"] + digits, base), signed=bool(match["sign"]))


def _in_range(number: int, *, signed: bool) -> int | None:
    return number if -(2**63) <= number < (2**63 if signed else 2**64) else None


def _float(text: str) -> tuple[str, float] | None:
    if not _DECIMAL.fullmatch(text):
        return None
    number = float(text)
    return None if math.isinf(number) else (_FLOAT, number)


_TIMESTAMP_FORMS = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:"
    r"[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)| +(\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?"
    r")?",
    re.ASCII,
)


def _is_timestamp(text: str) -> bool:
    match = _TIMESTAMP_FORMS.fullmatch(text)
    if match is None:
        return False
    numbers = [int(each) for each in match.groups() if each is not None]
    try:
        datetime(*numbers)  # type: ignore[arg-type]
    except ValueError:
        return False
    return True
