"""The images that the regions run: what each holds and under which names."""

import platform
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup.parts.archive import Image, Layer, LayerWriter
from sandbox.setup.parts.classes import ARCHIVE
from sandbox.versions import OLDEST, VERSIONS, CamundaVersion

FILES = Path(__file__).parents[2] / "images"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
USER = 1001

PAUSE = "localhost/pause:1"
BUSYBOX = "localhost/busybox:1"
PLACEHOLDER = "localhost/placeholder:1"
# Beside the one of `VERSIONS`: what older charts of a version ask for.
FURTHER_TAGS = {OLDEST: ("8.5.8",)}
ELASTICSEARCH_TAGS = ("8", "8.12.2")
HEALTH_PATHS = (
    "actuator/health/liveness",
    "actuator/health/readiness",
    "actuator/health/index.html",
)

ZEEBE_HOME = "/usr/local/zeebe"
CAMUNDA_HOME = "/usr/local/camunda"
BROKER = f"{ZEEBE_HOME}/bin/rehearsal-broker"


def architecture() -> str:
    """The machine's architecture as images name it; raises SandboxError for one that has no builds."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise SandboxError(
            f"this machine is a {machine}: the images are made for {' and '.join(ARCHITECTURES)} only."
        )
    return ARCHITECTURES[machine]


@dataclass(frozen=True)
class Ingredients:
    """Folders of the parts that the images are made of; `classes` has the archive of OpenSearch's classes."""

    debian_root: Path
    java: Path
    opensearch: Path
    classes: Path
    broker: Path


def images(of: Ingredients, work: Path) -> tuple[Image, ...]:
    """Write the layers into `work`, an existing folder, and describe all images."""
    root = Layer.of(of.debian_root / "root.tar")
    busybox = _busybox_layer(root.path, work)
    broker = _broker_layer(of.broker, work)
    return (
        Image((PAUSE,), (busybox,), ("/bin/sleep", "infinity"), user="65535:65535"),
        Image((BUSYBOX,), (busybox,), ("/bin/sh",)),
        Image(
            (PLACEHOLDER, *placeholder_names()),
            (busybox, _placeholder_layer(work)),
            ("/serve.sh",),
            user=f"{USER}:{USER}",
            ports=(8080,),
        ),
        *(broker_image(version, (root, broker)) for version in VERSIONS.values()),
        Image(
            tuple(f"docker.io/bitnami/elasticsearch:{tag}" for tag in ELASTICSEARCH_TAGS),
            (root, _java_layer(of.java, work), _opensearch_layer(of, work)),
            ("/usr/local/bin/start.sh",),
            user=f"{USER}:{USER}",
            env={"PATH": "/opt/java/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            ports=(9200, 9300),
        ),
    )


def _named(parts: Iterable[str], *versions: CamundaVersion) -> tuple[str, ...]:
    """Return the names under which charts of these versions ask for images of Camunda's."""
    return tuple(
        f"docker.io/camunda/{part}:{tag}"
        for part in parts
        for version in versions
        for tag in (version.image, *FURTHER_TAGS.get(version.minor, ()))
    )


def placeholder_names() -> tuple[str, ...]:
    """Return the names of what the procedure only switches off and on."""
    apart = [each for each in VERSIONS.values() if not each.is_unified]
    return (
        *_named(("operate", "tasklist"), *apart),
        *_named(("connectors-bundle",), *VERSIONS.values()),
    )


def broker_image(version: CamundaVersion, layers: tuple[Layer, ...]) -> Image:
    """Return the image of a version's brokers and gateways; it says which version is played."""
    home = CAMUNDA_HOME if version.is_unified else ZEEBE_HOME
    return Image(
        _named(("camunda" if version.is_unified else "zeebe",), version),
        layers,
        (f"{home}/bin/camunda",) if version.is_unified else ("/usr/local/bin/startup.sh",),
        user=f"{USER}:{USER}",
        workdir=home,
        env={
            "PATH": f"{home}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "REHEARSAL_CAMUNDA_VERSION": version.minor,
            # As the official image sets them: the chart's start script reads both, and ends where one is not set.
            "ZEEBE_STANDALONE_GATEWAY": "false",
            "ZEEBE_RESTORE": "false",
        },
        ports=(8080, 9600, 26500, 26501, 26502),
    )


def _busybox_layer(root: Path, work: Path) -> Layer:
    """Busybox, static, out of the Debian root, with a link for each of its commands."""
    binary = work / "busybox"
    with tarfile.open(root) as tar:
        names = ("./bin/busybox", "./usr/bin/busybox", "bin/busybox", "usr/bin/busybox")
        member = next(m for m in tar if m.name in names and m.isfile())
        tar.extract(member.replace(name="busybox"), work, filter="data")
    binary.chmod(0o755)
    listed = subprocess.run(
        [binary, "--list"], capture_output=True, text=True, check=True
    ).stdout.split()
    with LayerWriter(work / "busybox.tar") as writer:
        writer.file("bin/busybox", binary)
        for command in sorted(set(listed) - {"busybox"}):
            writer.link(f"bin/{command}", "busybox")
        writer.folder("tmp", 0o1777)
        writer.text("etc/passwd", b"root:x:0:0::/:/bin/sh\ncamunda:x:1001:1001::/tmp:/bin/sh\n")
    return writer.layer


def _placeholder_layer(work: Path) -> Layer:
    with LayerWriter(work / "placeholder.tar") as writer:
        writer.file("serve.sh", FILES / "placeholder" / "serve.sh")
        for path in HEALTH_PATHS:
            writer.text(f"www/{path}", b'{"status":"UP"}\n')
        writer.text(
            "www/index.html", b"A placeholder: this application is not part of the rehearsal.\n"
        )
    return writer.layer


def _broker_layer(broker: Path, work: Path) -> Layer:
    with LayerWriter(work / "broker.tar") as writer:
        writer.file(BROKER, broker / "bin" / "rehearsal-broker")
        # It is what its name says.
        for home, name in (
            (ZEEBE_HOME, "broker"),
            (ZEEBE_HOME, "gateway"),
            (CAMUNDA_HOME, "camunda"),
        ):
            writer.link(f"{home}/bin/{name}", BROKER)
        # Mounts of the chart's lie over these.
        for home in (ZEEBE_HOME, CAMUNDA_HOME):
            writer.folder(f"{home}/config")
            writer.folder(f"{home}/data", 0o777, USER)
        writer.folder("exporters", 0o777, USER)
        writer.file("usr/local/bin/startup.sh", FILES / "zeebe" / "startup.sh")
    return writer.layer


def _java_layer(java: Path, work: Path) -> Layer:
    with LayerWriter(work / "java.tar") as writer:
        writer.tree("opt/java", java / "jre")
    return writer.layer


def _opensearch_layer(of: Ingredients, work: Path) -> Layer:
    files = FILES / "elasticsearch"
    with LayerWriter(work / "opensearch.tar") as writer:
        writer.tree("opt/opensearch/lib", of.opensearch / "lib")
        writer.file(f"opt/opensearch/{ARCHIVE}", of.classes / ARCHIVE)
        writer.file("opt/opensearch/log4j2.properties", files / "log4j2.properties")
        writer.file("usr/local/bin/start.sh", files / "start.sh")
        # An init container of the real chart sources them.
        for name in ("libfs.sh", "elasticsearch-env.sh"):
            writer.file(f"opt/bitnami/scripts/{name}", files / name)
        writer.folder("bitnami/elasticsearch", 0o777, USER)
        writer.folder("bitnami/elasticsearch/data", 0o777, USER)
        writer.folder("backup", 0o777, USER)
    return writer.layer
