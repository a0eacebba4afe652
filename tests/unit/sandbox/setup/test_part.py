"""A part of the set-up appears in the cache complete or not at all, whatever interrupts its making."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.setup.part import Part, key_of, make, parts_root, prune, sweep


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _part(build: Callable[[Path], None], key: str = "a" * 64) -> Part:
    return Part("thing", "Making a thing", key, build)


def _write(target: Path) -> None:
    (target / "file").write_text("done")


def _fail_with(error: type[BaseException]) -> Callable[[Path], None]:
    def build(target: Path) -> None:
        (target / "half").write_text("half")
        raise error

    return build


def test_a_made_part_has_its_files_and_says_so() -> None:
    part = _part(_write)
    assert not part.made
    make(part)
    assert part.made
    assert (part.folder / "file").read_text() == "done"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_part_leaves_nothing_and_can_be_made_again(
    error: type[BaseException],
) -> None:
    with pytest.raises(error):
        make(_part(_fail_with(error)))
    assert list(parts_root().iterdir()) == []
    part = _part(_write)
    make(part)
    assert part.made


def test_what_a_killed_set_up_left_is_swept_away_and_finished_parts_stay() -> None:
    part = _part(_write)
    make(part)
    left = parts_root() / ".new-other-123"
    left.mkdir()
    (left / "half").write_text("half")
    sweep()
    assert [p.name for p in parts_root().iterdir()] == [part.folder.name]


def test_a_folder_without_stamp_is_not_taken_for_a_part() -> None:
    part = _part(_write)
    part.folder.mkdir(parents=True)
    (part.folder / "half").write_text("half")
    assert not part.made
    make(part)
    assert not (part.folder / "half").exists()


def test_prune_removes_other_versions_only() -> None:
    old, new = _part(_write, "b" * 64), _part(_write)
    make(old)
    make(new)
    assert prune([new]) == (old.folder.name,)
    assert new.made
    assert not old.folder.exists()


def test_the_key_changes_with_every_input(tmp_path: Path) -> None:
    folder = tmp_path / "inputs"
    folder.mkdir()
    file = folder / "go.mod"
    file.write_text("v1")
    keys = [key_of("x", file), key_of("x", folder), key_of("y", file)]
    file.write_text("v2")
    keys += [key_of("x", file), key_of("x", folder)]
    (folder / "more").write_text("")
    keys += [key_of("x", folder), key_of("ab", "c"), key_of("a", "bc")]
    assert len(set(keys)) == len(keys)


def test_the_key_does_not_depend_on_where_the_checkout_lies(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "images").mkdir(parents=True)
        (tmp_path / name / "images" / "start.sh").write_text("exec java")
    assert key_of(tmp_path / "one" / "images") == key_of(tmp_path / "two" / "images")
