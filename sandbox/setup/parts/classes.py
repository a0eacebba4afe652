"""The search engine's classes, archived in the state in which Java has them once it has loaded and linked them.

A search engine loads some ten thousand classes whenever it starts, and a rehearsal starts it four to six times on few
cores: out of the archive it starts in two fifths of the CPU time. Java writes it itself when an engine ends
(`-XX:AOTCacheOutput`). That engine is started by the image's own script, so with the same options and jars, and is
asked what a rehearsal asks, so that the classes of that are in it too. The archive knows the jars by path and time, so
that engine sees them where the image has them.
"""

import os
import shutil
import sys
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup.part import Part, key_of
from sandbox.setup.parts import training
from sandbox.setup.run import ADMIN_PATH, run

ARCHIVE = "opensearch.aot"
FILES = Path(__file__).parents[2] / "images" / "elasticsearch"
_REMEDY = "Run it again; the machine may have been too busy."
# Everything is mounted below a folder of ours first: what is to be mounted may itself lie in /opt.
_START = """set -eu
mount -t tmpfs tmpfs "$WORK/opt"
cd "$WORK/opt"
mkdir java opensearch opensearch/lib run
mount --bind "$JAVA" java
mount --bind "$LIB" opensearch/lib
mount --bind "$WORK/run" run
cp "$FILES"/* opensearch
mount --rbind . /opt
exec bash /opt/opensearch/start.sh
"""


def part(java: Part, opensearch: Part) -> Part:
    """The part, made of two others (which must be made before): `opensearch.aot` in its folder."""
    return Part(
        name="opensearch-classes",
        says="Starting the search engine once, to archive its classes (half a minute)",
        key=key_of(java.key, opensearch.key, FILES, Path(training.__file__), _START),
        build=lambda target: build(java.folder, opensearch.folder, target),
    )


def build(java: Path, opensearch: Path, target: Path) -> None:
    """Run a search engine, with mounts and a network of its own, as in a rehearsal; end it, and keep the archive.

    :raises SandboxError: it did not answer as expected, or wrote no archive.
    """
    what = "archiving the search engine's classes"
    work = target / "work"
    for name in ("opt", "run/data", "run/backup"):
        (work / name).mkdir(parents=True)
    run(
        [
            *("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"),
            *(sys.executable, training.__file__, "/opt/run/backup"),
            *("unshare", "--mount", "sh", "-c", _START),
        ],
        what=what,
        remedy=_REMEDY,
        env={
            "WORK": str(work),
            "JAVA": str(java / "jre"),
            "LIB": str(opensearch / "lib"),
            "FILES": str(FILES),
            "PATH": f"/opt/java/bin:{os.environ.get('PATH', '')}:{ADMIN_PATH}",
            "TMPDIR": "/opt/run",
            "DATA_DIR": "/opt/run/data",
            "ELASTICSEARCH_FS_SNAPSHOT_REPO_PATH": "/opt/run/backup",
            "ELASTICSEARCH_JAVA_OPTS": f"-XX:AOTCacheOutput=/opt/run/{ARCHIVE}",
            "MY_POD_IP": "127.0.0.1",
        },
    )
    archive = work / "run" / ARCHIVE
    if not archive.is_file():
        raise SandboxError(f"{what}: Java wrote no archive, see the log of that name. {_REMEDY}")
    archive.rename(target / ARCHIVE)
    shutil.rmtree(work)
