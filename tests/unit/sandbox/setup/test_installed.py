"""Which of the user's own tools the set-up takes instead of making them."""

from pathlib import Path

import pytest

from sandbox.cache import cache_root
from sandbox.setup import installed
from sandbox.setup.installed import RULES, find, fits

RULE_OF = {rule.command: rule for rule in RULES}


@pytest.mark.parametrize(
    ("command", "said", "expected"),
    [
        ("pulumi", "v3.259.0", True),
        ("pulumi", "v3.260.1\n", True),
        ("pulumi", "v3.258.9", False),
        ("pulumi", "v4.0.0", False),
        ("pulumi", "", False),
        ("kubectl", "Client Version: v1.34.1\nKustomize Version: v5.5.0", True),
        ("kubectl", "Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0", True),
        ("kubectl", "Client Version: v1.31.9", False),
        ("helm", "v3.14.0+g3fc9f4b", True),
        ("helm", "v3.18", True),
        ("helm", "v3.13.3+gc8b9489", False),
        ("helm", "v4.0.0", False),
        ("etcd", "etcd Version: 3.6.0\nGit SHA: f5d605a", True),
        ("etcd", "etcd Version: 3.5.21", False),
        ("etcd", "etcd Version: 3.7.0", False),
        ("kubelet", "Kubernetes v1.34.4", True),
        ("kubelet", "Kubernetes v1.35.0", False),
        ("coredns", "CoreDNS-1.12.0\nlinux/amd64, go1.24.1", True),
        ("coredns", "CoreDNS-1.11.4", False),
    ],
)
def test_a_version_fits_or_not(command: str, said: str, expected: bool) -> None:
    assert fits(RULE_OF[command], said) is expected


def _command(folder: Path, name: str, says: str, status: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    monkeypatch.setattr(installed, "RULES", tuple(RULE_OF[c] for c in ("pulumi", "helm")))
    return tmp_path / "bin"


def test_own_tools_on_path_are_found(bin_folder: Path) -> None:
    helm = _command(bin_folder, "helm", "v3.17.0+g301108e")
    assert find() == {"helm": helm}


@pytest.mark.parametrize(("says", "status"), [("v2.17.0", 0), ("no version", 0), ("v3.18.6", 1)])
def test_tools_too_old_or_broken_are_not(bin_folder: Path, says: str, status: int) -> None:
    _command(bin_folder, "helm", says, status)
    assert find() == {}


def test_a_pulumi_counts_only_with_its_python_language_host(bin_folder: Path) -> None:
    pulumi = _command(bin_folder, "pulumi", "v3.260.0")
    assert find() == {}
    _command(bin_folder, "pulumi-language-python", "")
    assert find() == {"pulumi": pulumi}


def test_our_own_tools_on_path_are_not_taken_for_the_users(
    bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = cache_root() / "parts" / "helm-1" / "bin"
    _command(ours, "helm", "v3.18.6")
    monkeypatch.setenv("PATH", f"{ours}:/bin")
    assert find() == {}
