"""The commands of the page on installing, as a reader types them, for the tests that run them."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path

from tests.checkout import CHECKOUT

PAGE = CHECKOUT / "docs" / "prepare" / "install.md"
TOOLS, PROJECT, CHART, SETTINGS, STATE, KEYS, REGIONS, READY = range(8)
"""The page's blocks, in their order."""


_BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def blocks(page: Path = PAGE) -> list[str]:
    """Return a page's blocks of commands."""
    return _BLOCK.findall(page.read_text())


def of_readme() -> str:
    """Return the same in brief, as the README has it."""
    section = (CHECKOUT / "README.md").read_text().partition("\n## Install\n")[2]
    return str(_BLOCK.findall(section)[0])


def typed(numbers: Iterable[int], **instead: str) -> str:
    """Return these blocks as one script.

    :param instead: what takes the place of words of the page, by names for them.
    """
    script = "\n".join(blocks()[number] for number in numbers)
    for name, text in instead.items():
        word = _WORDS[name]
        assert word in script, f"the page has no {word!r} any more"
        script = script.replace(word, text)
    return script


_WORDS = {
    "backend": "s3://my-state-bucket",
    "install": "dualregion install",
    "preflight": "dualregion preflight",
    "status": "dualregion status",
}


def run(
    script: str, folder: Path, env: Mapping[str, str], *first: Path
) -> subprocess.CompletedProcess[str]:
    """Type a script in a folder, with these folders first on PATH and a home of its own."""
    path = os.pathsep.join([*map(str, first), env.get("PATH", os.defpath)])
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**env, "PATH": path, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def program(path: Path, text: str) -> None:
    """Make a program of this name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


FILL_IN = f"""#!{sys.executable}
import os, re, sys
path = sys.argv[1]
text = open(path).read()
for each in ("cluster-london", "cluster-paris"):
    text = text.replace("kubeContext: CHANGE-ME", "kubeContext: " + each, 1)
for each in ("10.192.0.0/16", "10.202.0.0/16"):
    text = text.replace("[CHANGE-ME]", "[" + each + "]", 1)
text = text.replace("bucket: CHANGE-ME", "bucket: my-snapshots")
archive = os.environ.get("CHART")
if archive:
    named = r"name: camunda-platform\\n *version: .*\\n *repository: .*\\n"
    text = re.sub(named, "name: ./" + archive + "\\n", text)
open(path, "w").write(text)
"""
"""An `$EDITOR` that fills in what only the operator knows; `CHART` is the archive's name, if there is one."""


def installed(environment_folder: Path) -> Path:
    """Make the Python environment that `pip install` of this checkout makes; return its folder of programs.

    What the package would hold is copied, and nothing else; all that it needs is taken from the tests' own environment,
    as a registry may be out of reach.
    """
    venv.create(environment_folder, with_pip=False)
    python = environment_folder / "bin" / "python"
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.check_output(asked, text=True).strip())
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    setuptools = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]
    for source in sorted(CHECKOUT.glob("*/__init__.py")):
        package = source.parent
        if any(fnmatch(package.name, each) for each in setuptools["packages"]["find"]["include"]):
            data = setuptools["package-data"].get(package.name, ())
            taken = {
                *package.rglob("*.py"),
                *(file for each in data for file in package.glob(each)),
            }
            for file in taken:
                place = site / file.relative_to(CHECKOUT)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
    command = f"#!{python}\nfrom cli.start import run\nrun()\n"
    program(environment_folder / "bin" / "dualregion", command)
    return environment_folder / "bin"
