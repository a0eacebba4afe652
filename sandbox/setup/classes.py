"""An archive of the classes that a broker loads, so that it starts in two thirds of the CPU time.

A broker reads and verifies some fifteen thousand classes whenever it starts, and a rehearsal starts dozens of
brokers on few cores. Java writes the archive itself when a first broker ends (`-XX:ArchiveClassesAtExit`).
It names jars by path and time, so that broker sees them as the image has them.
"""

import subprocess
import threading
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup.part import Part, key_of
from sandbox.setup.run import DIE_WITH_US, last_lines, log_file

ARCHIVE = "zeebe.jsa"
START_SECONDS = 600
"""A broker is ready after 15 s; the machine may be busy."""
_READY = "Broker is ready"
_SCRIPT = """set -eu
mount -t tmpfs tmpfs /usr/local
mkdir /usr/local/zeebe /usr/local/java /usr/local/work
mount --bind "$ZEEBE" /usr/local/zeebe
mount --bind "$JAVA" /usr/local/java
ip link set lo up
cd /usr/local/work
exec /usr/local/java/bin/java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -XX:ArchiveClassesAtExit="$ARCHIVE" -classpath '/usr/local/zeebe/lib/*' \
  -Dlog4j2.configurationFile=/usr/local/zeebe/config/log4j2.xml io.camunda.zeebe.broker.StandaloneBroker
"""
_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "ZEEBE_BROKER_NETWORK_HOST": "127.0.0.1",
    "ZEEBE_BROKER_DATA_DIRECTORY": "/usr/local/work/data",
    # Nobody listens there: what an exporter loads in order to try is what counts.
    "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCH_CLASSNAME": "io.camunda.zeebe.exporter.ElasticsearchExporter",
    "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCH_ARGS_URL": "http://127.0.0.1:9200",
}


def part(java: Part, zeebe: Part) -> Part:
    """The part, made of two others (which must be made before): `zeebe.jsa` in its folder."""
    return Part(
        name="zeebe-classes",
        says="Starting a broker once, to archive its classes (half a minute)",
        key=key_of(java.key, zeebe.key, _SCRIPT, str(_ENVIRONMENT)),
        build=lambda target: build(java.folder, zeebe.folder, target),
    )


def build(java: Path, zeebe: Path, target: Path) -> None:
    """Run a broker, with mounts and a network of its own, until it is ready; end it, and keep the archive.

    Raises:
        SandboxError: it did not become ready, or wrote no archive.
    """
    archive = target / ARCHIVE
    environment = {
        **_ENVIRONMENT,
        "ZEEBE": str(zeebe / "zeebe"),
        "JAVA": str(java / "jre"),
        "ARCHIVE": str(archive),
    }
    log = log_file("archiving a broker's classes")
    argv = [*DIE_WITH_US, "unshare", "--mount", "--net", "sh", "-c", _SCRIPT]
    with (
        log.open("w") as output,
        subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as broker,
    ):
        bound = threading.Timer(START_SECONDS, broker.kill)
        bound.start()
        try:
            for line in broker.stdout or ():
                output.write(line)
                if _READY in line:
                    broker.terminate()
        finally:
            bound.cancel()
            broker.kill()
    if not archive.is_file():
        raise SandboxError(
            f"a broker wrote no archive of its classes: {last_lines(log)}\nWhole output: {log}. Say it again."
        )
