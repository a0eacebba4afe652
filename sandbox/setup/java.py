"""What the images hold that is written in Java: OpenSearch's jars, fetched by Maven."""

import hashlib
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup.gotools import TOOLCHAIN
from sandbox.setup.part import Part, key_of
from sandbox.setup.run import run

DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
CHECKSUMS = TOOLCHAIN / "maven.sha256"
MAVEN_REMEDY = (
    "Say it again: what was fetched is kept. If the repository refuses, name a mirror of Maven Central in "
    "~/.m2/settings.xml."
)


def opensearch_part() -> Part:
    """OpenSearch's runner with all jars it needs: `lib/` in the part's folder."""
    return Part(
        name="opensearch",
        says="Fetching OpenSearch 2.11.1 from Maven (48 MB)",
        key=key_of(TOOLCHAIN / "opensearch" / "pom.xml", CHECKSUMS, DEPENDENCY_PLUGIN),
        build=lambda target: fetch("opensearch", target / "lib"),
    )


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
