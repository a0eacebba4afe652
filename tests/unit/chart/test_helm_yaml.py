"""Values files mean to the program what they mean to Helm: held against the real one, over all forms of scalars."""

import base64
import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.files import read_values
from dualregion.chart import helm_yaml
from tests.inputs.random_inputs import Seeds
from tests.raising import raises
from tests.unit.chart.test_chart import helm

REFUSED = "refused"

SCALARS = (
    *("2024-06-03", "2024-6-3", "2001-12-14t21:59:43.10-05:00", "2024-13-41", "22:30", "12:30:00"),
    *("0", "-0", "+12", "08", "017", "0o17", "0O7", "0o8", "0x1F", "0X1f", "0xg", "0b101", "0b2"),
    *(
        "0b-1",
        "-0b1",
        "+0x1",
        "1_000",
        "1__0",
        "_1",
        "1_",
        "0_7",
        "1e3",
        "1E+3",
        "1e",
        "1.",
        "1.e2",
    ),
    *(".5", "-.5", "+.5", ".", "..", ".e3", ".5_0", "1.5", "1e400", "1e-400", "-1e400", "0.1e1"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616"),
    *("1" * 300, "1" * 5000, "-" + "9" * 5000, "0" * 5000, "0x" + "f" * 5000, "0b" + "1" * 5000),
    *("-9223372036854775808", "-9223372036854775809", "0xFFFFFFFFFFFFFFFFFF", "9007199254740993"),
    *("y", "Y", "yes", "Yes", "YES", "yES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off"),
    *("Off", "OFF", "true", "True", "TRUE", "tRUE", "false", "False", "FALSE", "t", "f", "o"),
    *("null", "Null", "NULL", "nULL", "~", "", "=", "<<", "-", "+", "%x", "'08'", '"08"', "'~'"),
    *(".inf", "-.Inf", "+.INF", ".nan", ".NaN", ".iNf", "inf", "nan", "Infinity", "1_e3", "0x_1"),
    *(
        "!!str 08",
        "!!str",
        "!!int 08",
        "!!int 010",
        "!!int x",
        "!!int '3'",
        "!!int 1.5",
        "!!float 3",
    ),
    *("!!float x", "!!float 1e400", "!!bool y", "!!bool x", "!!null ~", "!!null x", "!!null ''"),
    *(
        "!!timestamp 2024-01-01",
        "!!timestamp 2024-13-01",
        "!!timestamp x",
        "!!timestamp '2024-1-1'",
    ),
    *("!!binary aGk=", "!!binary /w==", "!!binary 4oI=", "!!binary x", "!!set x", "!x y", "! 12"),
    *('! "12"', "! y", "!!map {a: 1}", "!x {a: 1}", "!!seq [y]", "&a 1", "[&a 1, *a]", "*nowhere"),
    *(
        "{y: 1}",
        "{1: a, 0x1: b}",
        "{a: 1, a: 2}",
        "{~: 1}",
        "{null: 1}",
        "{[a]: 1}",
    ),
    *("{{a: 1}: 1}", "{'': 1}", "{0x10: 1}", "{18446744073709551615: 1}", "{1e3: a}", "{1e6: a}"),
    *(
        "{0.1: a}",
        "{1234567.0: a}",
        "{123456.5: a}",
        "{1e300: a}",
        "{-0.0: a}",
        "{1e-5: a}",
        "{.inf: a}",
    ),
    *("{0.00001234: a}", "{3.14159265358979: a}", "{2024-01-01: a}", "{true: a}", "{!!str 1: a}"),
    *(
        "|\n  a\n   b\n",
        ">-\n  a\n  b\n\n  c\n",
        "'a''b'",
        '"\\u00e9\\x41\\n"',
        '"\\ud800"',
        "a: b",
    ),
    *(
        "[a, [b, {c: d}]]",
        "[1, 2,]",
        "{a, b: }",
        "@x",
        "`x",
        "a # b",
        "a#b",
        "'a\n\n  b'",
        "ü",
        "\t1",
    ),
    *(
        "{<<: {a: 1}, a: 2}",
        "{a: 2, <<: {a: 1}}",
        "{<<: [{a: 1}, {a: 2, b: 3}]}",
        "{<<: 3}",
        "{<<: [3]}",
    ),
    *("{'<<': {a: 1}}", "{!!merge <<: {a: 1}}", "&a {b: *a}", "{<<: }", "[*a, &a 1]"),
)
"""Each as a value of the key `v`."""

DOCUMENTS = (
    b"",
    b"# nothing\n",
    b"---\n",
    b"a: 1\n---\nb: 2\n",
    b"a: 1\n--- [\n",
    b"a: 1\n...\nb: 2\n",
    b"%YAML 1.1\n---\na: 1\n",
    b"%YAML 1.2\n---\na: 1\n",
    b"a:\tb\n",
    b"a:\n\tb: 1\n",
    b"a: 1\r\nb: 2\r\n",
    b"a: 1\rb: 2\r",
    b"\xef\xbb\xbfa: 1\n",
    "a: ü\n".encode("utf-16"),
    b"a: \xff\n",
    b"a: \x07\n",
    b"a: \x7f\n",
    "a: \x85 b\n".encode(),
    b"- 1\n",
    b"words\n",
    b"12\n",
    b"a: 1\na: {b: 2}\n",
    b"base: &b {x: 1, y: 2}\none: {<<: *b, x: 3}\ntwo: {x: 3, <<: *b}\n",
    b"b: &b {x: 1}\nc: &c {x: 2, z: 3}\nd: {<<: [*b, *c]}\ne: {<<: *b, <<: *c}\n",
    b"a: &x 1\nb: &x 2\nc: *x\n",
    b"? a\n: b\n? c\n",
    b"1: a\n",
    b"'a': 1\n\"b\": 2\n",
    b"a:\n- 1\n-  2\n",
    b"a: [\n1\n]\n",
    b"a: b: c\n",
    b"a: 'b\n",
    b"a\n",
    b"{a: 1}\n",
    b"a: |2\n    x\n",
    b"a: |+\n  x\n\nb: 1\n",
    b"key with spaces: 1\n",
    b"a: - b\n",
    b"a: !<tag:yaml.org,2002:int> '7'\n",
    b"%TAG ! tag:yaml.org,2002:\n---\na: !int '7'\n",
)


def ours(content: bytes) -> Any:
    """What the program reads; Helm's `fromYaml` begins with an empty map, too."""
    try:
        found = helm_yaml.read(content)
    except helm_yaml.BadYaml as error:
        return REFUSED if error.line >= 1 else "refused without a line"
    if found is None:
        return {}
    return found if isinstance(found, dict) else REFUSED


def helms(documents: list[bytes], folder: Path) -> list[Any]:
    """What Helm reads: the function `fromYaml` of its templates reads as it reads values files."""
    (folder / "templates").mkdir(parents=True)
    (folder / "docs").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    (folder / "templates" / "all.yaml").write_text(
        '{{ range $path, $_ := .Files.Glob "docs/*" }}\n'
        '"{{ $path }}": {{ $.Files.Get $path | fromYaml | toJson | b64enc }}\n{{ end }}'
    )
    for number, document in enumerate(documents):
        # Helm takes a mark at a file's beginning away when it reads a chart, not when it reads values.
        (folder / "docs" / f"{number:06d}").write_bytes(document)
    done = subprocess.run(
        [helm(), "template", "c", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = yaml.load(done.stdout, yaml.CSafeLoader)
    found = [json.loads(base64.b64decode(answers[key])) for key in sorted(answers)]
    return [REFUSED if set(each) == {"Error"} else each for each in found]


def agree(documents: list[bytes], folder: Path) -> None:
    theirs = helms(documents, folder)
    assert len(theirs) == len(documents)
    wrong = [
        (document, our, their)
        for document, their in zip(documents, theirs, strict=True)
        if _typed(our := ours(document)) != _typed(their)
    ]
    assert not wrong, "\n".join(
        f"{document!r}: {our!r}, Helm {their!r}" for document, our, their in wrong
    )


def _typed(value: Any) -> Any:
    """Return a value of which true is not 1, and every number is one of 64 bits."""
    if isinstance(value, dict):
        return {key: _typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_typed(each) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return (isinstance(value, bool), value)


def test_every_form_of_scalar_means_what_it_means_to_helm(tmp_path: Path) -> None:
    agree([f"v: {scalar}\n".encode() for scalar in SCALARS], tmp_path / "values")
    plain = [each for each in SCALARS if "\n" not in each and each]
    agree([f"? {scalar}\n: 1\n".encode() for scalar in plain], tmp_path / "keys")


def test_documents_mean_what_they_mean_to_helm(tmp_path: Path) -> None:
    agree(list(DOCUMENTS), tmp_path / "chart")


def test_random_scalars_mean_what_they_mean_to_helm(tmp_path: Path, seeds: Seeds) -> None:
    for number, source in enumerate(seeds(2)):
        documents = [f"v: {_scalar(source)}\n".encode() for _ in range(400)]
        documents += [f"{_scalar(source)}: 1\n".encode() for _ in range(200)]
        agree(documents, tmp_path / str(number))


def _scalar(source: random.Random) -> str:
    alphabet = source.choice(
        ("0123456789-+_.eE", "01x_bo-", "yYnNeEsStrufalTFonOif~", "0:12-T .Z", ".infNaN+-")
    )
    prefix = source.choice(
        ("", "", "", "", "!!int ", "!!float ", "!!str ", "! ", "0x", "0b", "2024-")
    )
    return prefix + "".join(source.choice(alphabet) for _ in range(source.randrange(1, 9)))


def test_random_documents_mean_what_they_mean_to_helm(tmp_path: Path, seeds: Seeds) -> None:
    """Maps and lists with anchors, merges and comments, and now and then a slip in them."""
    for number, source in enumerate(seeds(2)):
        agree([_document(source) for _ in range(200)], tmp_path / str(number))


def _document(source: random.Random) -> bytes:
    lines: list[str] = []
    anchors: list[str] = []

    def value(indent: int) -> str:
        kind = source.randrange(10)
        if kind < 2 and indent < 6:
            pad = "\n" + " " * (indent + 2)
            return pad + pad.join(f"{_name(source)}: {value(indent + 2)}" for _ in range(2))
        if kind == 2:
            return f"[{_scalar(source)}, x]"
        if kind == 3:
            anchors.append(f"a{len(anchors)}")
            return f"&{anchors[-1]} {{k: {_scalar(source)}, l: 2}}"
        if kind == 4 and anchors:
            return source.choice((f"*{anchors[-1]}", f"{{<<: *{anchors[0]}, k: 9}}"))
        if kind == 5:
            return "|\n" + " " * (indent + 2) + "text\n"
        return source.choice((_scalar(source), "'a b'", '"c"', "", "d # e"))

    for _ in range(source.randrange(1, 6)):
        lines.append(f"{_name(source)}: {value(0)}")
    text = "\n".join(lines) + "\n"
    if source.random() < 0.3:
        place = source.randrange(len(text))
        text = text[:place] + source.choice("\t:{}[]*&!|>'\"#,-\n ") + text[place:]
    # Two forms in which libyaml is stricter than Helm's port of it: a comma after a tag, or after a colon.
    return _STRICTER.sub(r"\1 ", text).encode()


_STRICTER = re.compile(r"(![^\s,]*|:)(?=[,\[\]{}?])")


def _name(source: random.Random) -> str:
    return source.choice(("a", "b", "c", "1", "y", "1.5", "'q'", "long name"))


def test_values_files_are_read_alike(tmp_path: Path) -> None:
    """What `helm template -f` hands to templates is what the program hands to the provider."""
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    (chart / "templates" / "all.yaml").write_text("all: {{ toJson .Values | b64enc }}\n")
    kept = [
        each
        for each in SCALARS
        if "&" not in each and "\n" not in each and ours(f"v: {each}\n".encode()) != REFUSED
    ]
    for name, part in (("one", kept[::2]), ("two", kept[1::2])):
        lines = [f"{name}-{number}:\n  v: {each}\n" for number, each in enumerate(part)]
        (tmp_path / f"{name}.yaml").write_text("".join(lines))
    files = [str(tmp_path / f"{name}.yaml") for name in ("one", "two")]
    command = [helm(), "template", "c", str(chart), "-f", files[0], "-f", files[1]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(base64.b64decode(yaml.safe_load(done.stdout)["all"]))
    found = read_values(files, tmp_path)
    assert _typed(_without_nulls(found)) == _typed(_without_nulls(theirs))


def _without_nulls(document: Any) -> Any:
    """Return a document without nulls, which Helm takes for an order to take a key away."""
    if isinstance(document, dict):
        return {key: _without_nulls(each) for key, each in document.items() if each is not None}
    return document


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("example.com/rotated: 2024-06-03", {"example.com/rotated": "2024-06-03"}),
        ("window: 22:30", {"window": "22:30"}),
        ("value: 12:30:00", {"value": "12:30:00"}),
        ("8080: x", {"8080": "x"}),
        ("a: 1e3", {"a": 1000}),
        ("a: 0o17", {"a": 15}),
        ("a: 08", {"a": 8}),
        ("a: y", {"a": True}),
        ("x: =", {"x": "="}),
        ("a:\tb", {"a": "b"}),
    ],
)
def test_what_was_read_wrongly(line: str, meant: dict[str, Any]) -> None:
    assert helm_yaml.read(f"{line}\n".encode()) == meant


def test_a_document_nested_too_deep_is_refused_and_ends_nothing() -> None:
    with raises("yaml-nested-too-deep", helm_yaml.BadYaml, most=200):
        helm_yaml.read(b"[" * 100_000)


@pytest.mark.parametrize(
    ("first", "each"),
    [
        ("[x]", "[*a{}]"),
        ("{x: 1}", "{{b: *a{}}}"),
        ("{x: 1}", "{{<<: *a{}}}"),
        ("{x: 1}", "{{<<: [*a{}]}}"),
    ],
    ids=["lists", "maps", "merges", "lists of merges"],
)
def test_aliases_that_nest_too_deep_are_refused_and_end_nothing(first: str, each: str) -> None:
    """Side by side in the file, one stands for the next; a large file has many nodes before that may be counted."""
    padding = f"p: [{','.join(['x'] * 6000)}]\n"

    def chain(length: int) -> bytes:
        lines = (f"a{at}: &a{at} {each.format(at - 1)}\n" for at in range(1, length))
        return f"{padding}a0: &a0 {first}\n{''.join(lines)}".encode()

    with raises("yaml-nested-too-deep", helm_yaml.BadYaml, most=200):
        helm_yaml.read(chain(400))
    assert len(helm_yaml.read(chain(60))) == 61


@pytest.mark.parametrize(
    ("number", "meant"),
    [
        ("1" * 5000, "1" * 5000),
        ("-" + "9" * 5000, "-" + "9" * 5000),
        ("+" + "9" * 400, "+" + "9" * 400),
        ("1_" * 3000 + "1", "1_" * 3000 + "1"),
        ("0x" + "f" * 5000, "0x" + "f" * 5000),
        ("0b" + "1" * 5000, "0b" + "1" * 5000),
        ("0" * 5000, 0),
        ("0" * 5000 + "7", 7),
    ],
    ids=lambda each: str(each)[:5],
)
def test_a_number_of_thousands_of_digits_is_a_text_if_it_is_one_to_helm(
    number: str, meant: Any
) -> None:
    assert helm_yaml.read(f"a: {number}\n".encode()) == {"a": meant}
