"""The recipes of docs/prepare: what can be held against the project without building an image or running a pipeline.

Versions, files, commands and options are the project's own; manifests are what the API's own classes take; the
shell script is run, with stubs for what it calls.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from typer.testing import CliRunner

from cli.__main__ import app
from dualregion import VERSION
from dualregion.config.settings import ChartSettings
from tests.checkout import CHECKOUT
from tests.unit.repository.test_package import INSTALLED

RECIPES = CHECKOUT / "docs" / "prepare" / "recipes"
CONTAINERFILE = RECIPES / "Containerfile"
SCRIPT = RECIPES / "readiness.sh"
PAGES = [
    *(CHECKOUT / "docs" / "prepare" / f"{name}.md" for name in ("container", "readiness", "hooks")),
    *(CHECKOUT / "docs" / "reference" / f"{name}.md" for name in ("metrics", "transcript")),
]
RUN, COPY, ARG = "RUN", "COPY", "ARG"
KNOWN = {"FROM", ARG, RUN, "ENV", "WORKDIR", COPY, "USER", "ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """Return the Containerfile's instructions: comments left out, continued lines put together."""
    lines = [line for line in CONTAINERFILE.read_text().splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in found]


def of(kind: str) -> list[str]:
    return [rest for name, rest in instructions() if name == kind]


def copied() -> Iterator[tuple[str, str]]:
    """Yield what is copied into the image, and where to."""
    for each in of(COPY):
        *sources, target = [word for word in each.split() if not word.startswith("--")]
        for source in sources:
            # A folder's content is copied, a file goes into the target folder.
            yield source, target


# --- The image ----------------------------------------------------------------------------------------------------


def test_the_image_is_made_by_instructions_that_there_are_and_runs_as_no_root() -> None:
    found = instructions()
    assert {name for name, _ in found} <= KNOWN
    assert found[0][0] == "FROM"
    assert of("USER")[-1] != "root"


def test_its_versions_are_those_that_the_program_needs() -> None:
    given = dict(each.split("=", 1) for each in of(ARG))
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)", (CHECKOUT / "requirements.in").read_text(), re.M))
    assert given["PULUMI_VERSION"] == pinned["pulumi"]
    assert given["PULUMI_KUBERNETES_VERSION"] == pinned["pulumi-kubernetes"]
    assert given["CHART_VERSION"] == ChartSettings().version
    python = re.fullmatch(r"python:(\d+\.\d+)-slim-\w+", of("FROM")[0])
    assert python
    assert python[1] == f"{sys.version_info.major}.{sys.version_info.minor}"
    text = (CHECKOUT / "docs" / "prepare" / "container.md").read_text()
    assert f"camunda-platform-{given['CHART_VERSION']}.tgz" in text


@pytest.mark.parametrize("command", of(RUN))
def test_what_it_runs_is_shell(command: str) -> None:
    done = subprocess.run(["sh", "-n"], input=command, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_what_it_copies_is_there_and_is_the_whole_package() -> None:
    sources = {source for source, _ in copied()}
    assert {source for source in sources if not (CHECKOUT / source).exists()} == set()
    assert {each.removesuffix("*") for each in INSTALLED} <= sources


def test_the_package_is_installed_without_what_it_needs_which_the_lock_has() -> None:
    """A project of `dualregion init` has no program of its own: it is the package's."""
    installed = [each for each in of(RUN) if "pip install" in each]
    assert "--require-hashes" in installed[0]
    assert re.search(r"--no-deps \.$", installed[-1])
    assert ("pyproject.toml", "./") in copied()


def test_the_command_runs_from_what_is_copied(tmp_path: Path) -> None:
    for source, target in copied():
        if (CHECKOUT / source).is_dir():
            skipped = shutil.ignore_patterns("__pycache__")
            shutil.copytree(CHECKOUT / source, tmp_path / target, ignore=skipped)
        else:
            shutil.copy(CHECKOUT / source, tmp_path / target)
    (tmp_path / "path").mkdir()
    python = tmp_path / "path" / "python3"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "path" / "dualregion").symlink_to(tmp_path / "bin" / "dualregion")
    environment = {
        **{name: each for name, each in os.environ.items() if name != "PYTHONPATH"},
        "PATH": f"{tmp_path / 'path'}:{os.environ['PATH']}",
        "DUALREGION_PROJECT": str(tmp_path),
    }
    for options, shown in ((["--version"], VERSION), (["explain", "F2"], "F2: ")):
        done = subprocess.run(
            ["dualregion", *options],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert shown in done.stdout, done.stderr


# --- Commands -----------------------------------------------------------------------------------------------------


def commands(path: Path) -> Iterator[list[str]]:
    """Yield the arguments of each `dualregion` that is run in a file."""
    text = path.read_text()
    if path.suffix == ".md":
        text = "\n".join(re.findall(r"^```(?:bash|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    text = re.sub(r"\\\n\s*", " ", text)
    for line in text.splitlines():
        for found in re.findall(
            r"(?:^|[\s/;&])dualregion((?:\s+[^\s|&;>#(]+)+)", _uncommented(line)
        ):
            arguments = shlex.split(found)
            # Cron's lines name the user of the same name first; a user, a volume or an image has no verb behind it.
            arguments = arguments[1:] if arguments[0] == "dualregion" else arguments
            if arguments and re.fullmatch(r"--[a-z-]+|[a-z]+", arguments[0]):
                yield arguments


def _uncommented(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line)


FILES = [*sorted(RECIPES.iterdir()), *PAGES]
COMMANDS = [
    pytest.param(arguments, id=f"{path.name}: {' '.join(arguments)}")
    for path in FILES
    for arguments in commands(path)
]


def parses(arguments: list[str]) -> bool:
    """Whether the real parser takes these arguments: it reads them all before it shows the help."""
    return CliRunner().invoke(app, [*arguments, "--help"]).exit_code == 0


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_command_and_its_options_are_the_real_ones(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    if "--log-file" in arguments:
        arguments[arguments.index("--log-file") + 1] = str(tmp_path / "log")
    assert parses(arguments)


def test_each_recipe_has_commands_and_a_wrong_one_would_be_found() -> None:
    for name in ("crontab", "readiness.sh", "github-actions.yaml", "gitlab-ci.yaml"):
        assert list(commands(RECIPES / name)), name
    assert not parses(["preflight", "--metrics", "x"])
    assert not parses(["prefight"])


# --- The nightly script -------------------------------------------------------------------------------------------


def night(folder: Path, **stubs: str) -> tuple[int, list[str]]:
    """Run the script with stubs in the place of what it calls; return its status, and the calls in order."""
    for each in ("bin", "project/.git", "copies", "metrics"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    for name in ("git", "pulumi", "dualregion"):
        stub = folder / "bin" / name
        extra = stubs.get(name, ":")
        stub.write_text(f'#!/bin/sh\necho "{name} $*" >> "{folder}/calls"\n{extra}\n')
        stub.chmod(0o755)
    environment = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "DUALREGION_PROJECT": str(folder / "project"),
        "DUALREGION_COPIES": str(folder / "copies"),
        "DUALREGION_METRICS": str(folder / "metrics"),
    }
    done = subprocess.run([str(SCRIPT)], env=environment, check=False)
    calls = folder / "calls"
    return done.returncode, calls.read_text().splitlines() if calls.exists() else []


EXPORTS = 'while [ $# -gt 0 ]; do [ "$1" = --file ] && echo state > "$2"; shift; done'


def test_the_night_copies_both_states_and_checks(tmp_path: Path) -> None:
    status, calls = night(tmp_path, pulumi=EXPORTS, dualregion="exit 13")
    copies = tmp_path / "copies"
    assert status == 13
    assert calls == [
        "git pull --quiet --ff-only",
        f"pulumi stack export --stack region0 --file {copies}/region0.json.new",
        f"pulumi stack export --stack region1 --file {copies}/region1.json.new",
        f"dualregion preflight --prometheus {tmp_path}/metrics/dualregion-preflight.prom",
    ]
    assert sorted(each.name for each in copies.iterdir()) == ["region0.json", "region1.json"]


def test_a_copy_that_fails_keeps_the_one_of_the_night_before(tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    before = tmp_path / "copies" / "region0.json"
    before.write_text("yesterday")
    status, calls = night(tmp_path, pulumi=f"{EXPORTS}; exit 1")
    assert status == 1
    assert not any(each.startswith("dualregion") for each in calls)
    assert before.read_text() == "yesterday"


def test_settings_that_cannot_be_renewed_leave_it_unknown(tmp_path: Path) -> None:
    status, calls = night(tmp_path, git="exit 1")
    assert (status, calls) == (13, ["git pull --quiet --ff-only"])


# --- Cron, CI, Kubernetes -----------------------------------------------------------------------------------------


def test_crons_lines_have_five_times_a_user_and_a_command() -> None:
    lines = [
        line
        for line in (RECIPES / "crontab").read_text().splitlines()
        if line and not line.startswith("#") and not re.match(r"\w+=", line)
    ]
    assert len(lines) == 2
    for line in lines:
        assert re.match(
            r"([\d*/,-]+ ){4}[\d*/,-]+\s+dualregion\s+\S*(dualregion|readiness\.sh)", line
        )
    script = next(line.split()[-1] for line in lines if line.endswith(".sh"))
    assert (CHECKOUT / script.removeprefix("/srv/dual-region/")).samefile(SCRIPT)


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((RECIPES / "cronjob.yaml").read_text()))


@pytest.mark.parametrize("document", manifests(), ids=lambda each: each["metadata"]["name"])
def test_a_cronjob_is_one_for_the_api_and_loses_nothing(document: dict[str, Any]) -> None:
    """The client's own classes demand what is required; what they do not know would be gone afterwards."""
    api = client.ApiClient(client.Configuration())
    found = api.deserialize(json.dumps(document), "V1CronJob", "application/json")
    assert api.sanitize_for_serialization(found) == document  # type: ignore[no-untyped-call]
    job = document["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    volumes = {each["name"] for each in job["template"]["spec"]["volumes"]}
    assert {each["name"] for each in container["volumeMounts"]} == volumes
    script = container["args"][0]
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    mounted = {each["mountPath"] for each in container["volumeMounts"]}
    read = {each["value"] for each in container["env"] if each["value"].startswith("/")}
    assert {str(Path(each).parent) for each in read} <= mounted


def test_both_jobs_of_kubernetes_run_their_command() -> None:
    found = [each["spec"]["jobTemplate"]["spec"]["template"]["spec"] for each in manifests()]
    scripts = [each["containers"][0]["args"][0] for each in found]
    assert "dualregion status --prometheus /var/lib/dualregion/status.prom" in scripts[0]
    assert "dualregion preflight --prometheus /var/lib/dualregion/preflight.prom" in scripts[1]


def test_the_ci_recipes_have_jobs_that_run_the_checks() -> None:
    github = yaml.safe_load((RECIPES / "github-actions.yaml").read_text())
    # YAML 1.1 reads the key `on` as true.
    assert set(github[True]) == {"schedule", "workflow_dispatch"}
    (job,) = github["jobs"].values()
    for step in job["steps"]:
        assert ("run" in step) != ("uses" in step)
    assert any(step.get("run") == "dualregion preflight" for step in job["steps"])
    gitlab = yaml.safe_load((RECIPES / "gitlab-ci.yaml").read_text())
    (found,) = gitlab.values()
    assert found["script"][-1] == "dualregion preflight"


def test_variables_that_recipes_set_are_read_by_the_command_or_by_pulumi() -> None:
    recorded = yaml.safe_load((CHECKOUT / "tests/unit/golden/compatibility.yaml").read_text())
    text = "\n".join(str(line) for lines in recorded.values() for line in lines)
    of_script = set(re.findall(r"\$\{(DUALREGION_\w+):-", SCRIPT.read_text()))
    for path in FILES:
        for name in set(re.findall(r"\bDUALREGION_\w+", path.read_text())):
            assert name in text or name in of_script, f"{path.name}: {name}"
