"""Everything that is fetched has a licence on the list, in the very version, and each is open source.

What fails here after a change of versions is set right by `make licences`.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.licences import by_hand as by_hand_file
from sandbox.licences import demanded
from sandbox.licences.by_hand import Answer, ByHand
from sandbox.licences.document import DOCUMENT, with_tables
from sandbox.licences.entries import LIST, Entry, listed, read, write
from sandbox.licences.found import python
from sandbox.licences.judge import complaints, decided
from sandbox.licences.osi import refusal, together
from sandbox.setup.plan import plan

ENTRIES = listed()
BY_HAND = by_hand_file.load()
DEMANDED = demanded.all_of()
PARTS = [part.name for part in plan({}).parts]


def judged(*planted: Entry, without: str = "") -> tuple[str, ...]:
    kept = [entry for entry in ENTRIES if entry.name != without]
    return complaints([*kept, *planted], DEMANDED, PARTS, BY_HAND)


def test_everything_is_on_the_list_in_its_version_and_open_source() -> None:
    assert judged() == ()


def test_the_list_reaches_all_that_is_fetched() -> None:
    kinds = [entry.kind for entry in ENTRIES]
    assert kinds.count("go") > 400
    assert min(kinds.count(kind) for kind in ("maven", "python", "debian")) > 50
    assert {"etcd", "opensearch", "debian-root"} <= {e.name for e in ENTRIES if e.kind == "part"}


def test_the_document_is_as_made_from_the_list() -> None:
    text = DOCUMENT.read_text()
    assert with_tables(text, ENTRIES, BY_HAND) == text, "Run `make licences`."


def test_the_list_is_as_the_tool_writes_it() -> None:
    assert write(read(LIST.read_text())) == LIST.read_text()


@pytest.mark.parametrize(
    "licence", ["BUSL-1.1", "SSPL-1.0", "Elastic-2.0", "MIT AND BUSL-1.1", "LicenseRef-vendor", ""]
)
def test_what_is_not_open_source_is_refused(licence: str) -> None:
    planted = replace(next(e for e in ENTRIES if e.kind == "go"), licence=licence)
    wrong = [each for each in judged(planted, without=planted.name) if planted.name in each]
    assert len(wrong) == 1
    named = licence.rsplit(maxsplit=1)[-1] if licence else "no licence is known"
    assert named in wrong[0]
    assert "make licences" in wrong[0]


@pytest.mark.parametrize("kind", ["go", "maven", "python", "debian", "part"])
def test_an_entry_that_is_missing_is_found(kind: str) -> None:
    entry = next(e for e in ENTRIES if e.kind == kind and (e.key in DEMANDED or e.name in PARTS))
    wrong = judged(without=entry.name)
    assert any("`make licences`" in each for each in wrong)


@pytest.mark.parametrize("kind", ["go", "maven", "python"])
def test_another_version_than_the_locked_one_is_found_twice(kind: str) -> None:
    entry = next(e for e in ENTRIES if e.kind == kind and e.key in DEMANDED)
    other = replace(entry, version="0.0.1")
    wrong = complaints(
        [other if each == entry else each for each in ENTRIES], DEMANDED, PARTS, BY_HAND
    )
    assert any(entry.key in each and "lacks" in each for each in wrong)
    assert any(other.key in each and "no lock file" in each for each in wrong)


def test_a_part_that_is_not_described_is_found() -> None:
    wrong = complaints(ENTRIES, DEMANDED, [*PARTS, "novelty"], BY_HAND)
    assert any("novelty" in each and "by_hand.yaml" in each for each in wrong)


@pytest.mark.parametrize(
    ("expression", "open_source"),
    [
        ("MIT", True),
        ("MIT OR BUSL-1.1", True),
        ("SSPL-1.0 OR BUSL-1.1", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("GPL-2.0-only WITH something-else", False),
        ("Apache-2.0 AND (MIT OR SSPL-1.0)", True),
        ("CC0-1.0", False),
        ("Zeebe Community License", False),
    ],
)
def test_expressions_are_judged_by_the_osi_s_approval(expression: str, open_source: bool) -> None:
    assert (refusal(expression) is None) == open_source


def test_what_a_decision_accepts_passes_and_every_decision_is_used() -> None:
    assert refusal("CC0-1.0", {"CC0-1.0": "a reason"}) is None
    unneeded = {
        name
        for name in BY_HAND.accepted
        if not any(refusal(e.licence, BY_HAND.accepted.keys() - {name}) for e in ENTRIES)
    }
    assert unneeded == set()


def test_expressions_are_put_together_without_repeating_themselves() -> None:
    assert together(["MIT", "Apache-2.0 AND MIT"]) == "Apache-2.0 AND MIT"
    assert together(["MIT", "GPL-2.0 OR MIT"], "OR") == "GPL-2.0-only OR MIT"


def test_an_answer_by_hand_counts_for_its_version_and_says_why() -> None:
    answer = Answer(kind="go", of=("a/b",), version="v1", licence="MIT", because="read there")
    known = ByHand(licences=(answer,), accepted={}, spelled={}, parts={}, debian={})
    first, second = decided(
        [Entry("go", "a/b", version, "", "linked", "nothing") for version in ("v1", "v2")], known
    )
    assert (first.licence, first.read_in) == ("MIT", "by hand: read there")
    assert second.licence == ""
    idle = complaints([second], {second.key: "go.mod"}, [], known)
    assert any("a/b v1" in each and "Remove it" in each for each in idle)


def test_a_list_with_a_broken_line_is_refused_with_its_number() -> None:
    lines = LIST.read_text().splitlines()
    with pytest.raises(ValueError, match=r"line 3.*make licences"):
        read("\n".join([*lines[:2], "part\todd", *lines[2:]]))


def test_a_package_beside_this_environment_is_read_in_the_version_that_is_locked(
    tmp_path: Path,
) -> None:
    metadata = tmp_path / "elsewhere-2.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(
        "Metadata-Version: 2.4\nName: elsewhere\nVersion: 2.0\nLicense-Expression: MIT\n"
    )
    locked = {("elsewhere", "2.0"): "some.lock", ("elsewhere", "1.0"): "other.lock"}
    found = python.entries(locked, BY_HAND, [str(tmp_path)])
    assert [(entry.version, entry.licence) for entry in found] == [("2.0", "MIT"), ("1.0", "")]
