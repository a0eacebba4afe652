"""What a region is and what runs in it, as plain data: builders return these, the runtime carries them out."""

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

NAMES = ("london", "paris")
SYSTEM_PATH = (
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
)


class Place(StrEnum):
    """Which of the machine's namespaces a process runs in."""

    MACHINE = "machine"
    """The machine's own: only what must be reached from outside (the listener on loopback)."""
    NETWORK = "network"
    """The region's network, the machine's mounts: only the process that makes the region's mounts."""
    REGION = "region"
    """The region's network and its private mounts: everything else."""


@dataclass(frozen=True)
class HttpOk:
    """Ready when `url` answers with status 200; `ca` is the certificate authority to trust for https."""

    url: str
    ca: Path | None = None

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class TcpOpen:
    """Ready when a TCP connection to `host`:`port` is accepted."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class SocketOpen:
    """Ready when the unix socket at `path` accepts a connection."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class FileThere:
    """Ready when `path` exists."""

    path: Path


Probe = HttpOk | TcpOpen | SocketOpen | FileThere


@dataclass(frozen=True)
class File:
    """A file to write before the process starts that reads it; `text` is all of its content."""

    path: Path
    text: str
    mode: int = 0o644


@dataclass(frozen=True)
class Process:
    """One long-running process of a region, which works in the region's folder.

    :ivar ready: asked from the process's own network namespace; None means that running is enough.
    :ivar files: what it reads at its start.
    :ivar folders: those that it expects.
    """

    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    place: Place = Place.REGION
    ready: Probe | None = None
    files: tuple[File, ...] = ()
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Region:
    """One region of a sandbox: its names, addresses and places. Nothing here touches the machine.

    :ivar index: 0 (london) or 1 (paris).
    :ivar sandbox_id: carried by everything of this sandbox that the machine can see.
    :ivar root: state folder of the sandbox.
    """

    index: int
    sandbox_id: str
    root: Path

    @property
    def name(self) -> str:
        """Its name: `london` or `paris`."""
        return NAMES[self.index]

    @property
    def other(self) -> "Region":
        """The region at the other end of the link."""
        return Region(1 - self.index, self.sandbox_id, self.root)

    @property
    def context(self) -> str:
        """Its context in the user's kubeconfig."""
        return f"cluster-{self.name}"

    @property
    def node_name(self) -> str:
        """Name of its only node."""
        return f"node-{self.name}"

    @property
    def camunda_namespaces(self) -> tuple[str, str]:
        """The Kubernetes namespaces whose names the other region must be able to resolve."""
        return (f"camunda-{self.name}", f"camunda-{self.name}-failover")

    @property
    def netns(self) -> str:
        """Name of its network namespace."""
        return f"{self.sandbox_id}-{self.name}"

    @property
    def cgroup(self) -> str:
        """Path below every controller's mount: one parent a sandbox, one child a region."""
        return f"/{self.sandbox_id}/{self.name}"

    @property
    def folder(self) -> Path:
        """The region's disks, configuration and logs; gone when the region is lost."""
        return self.root / self.name

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.folder / "logs"

    @property
    def audit(self) -> Path:
        """What service accounts asked of the API server: `*.log`, an audit event (JSON) a line."""
        return self.folder / "audit"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.folder / "pki"

    @property
    def volumes(self) -> Path:
        """Where the volumes of claims are."""
        return self.folder / "volumes"

    @property
    def containerd_root(self) -> Path:
        """Containerd's images and containers."""
        return self.folder / "containerd"

    @property
    def kubeconfig(self) -> Path:
        """For the region's own components, which reach the API server directly."""
        return self.folder / "kubeconfig"

    @property
    def run_folder(self) -> Path:
        """Sockets: a unix socket's path may have 108 characters, which a checkout's path may exceed."""
        return Path("/run") / f"{self.sandbox_id}-{self.name}"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd is reached, also by `ctr`."""
        return self.run_folder / "containerd.sock"

    @property
    def _net(self) -> str:
        return f"10.{180 + self.index}"

    @property
    def range(self) -> str:
        """Every address of the region: node, pods and services."""
        return f"{self._net}.0.0/16"

    @property
    def address(self) -> str:
        """The node's address: API server, kubelet and DNS listen here."""
        return f"{self._net}.255.1"

    @property
    def pod_range(self) -> str:
        """Addresses of its pods."""
        return f"{self._net}.0.0/24"

    @property
    def service_range(self) -> str:
        """Addresses of its services."""
        return f"{self._net}.128.0/20"

    @property
    def service_address(self) -> str:
        """Address of the service `kubernetes.default`: the first of the service range."""
        return f"{self._net}.128.1"

    @property
    def link_device(self) -> str:
        """Its end of the link."""
        return f"to-{self.other.name}"

    @property
    def link_address(self) -> str:
        """Address of its end of the link."""
        return f"10.255.0.{self.index + 1}"

    @property
    def api_url(self) -> str:
        """Its API server, from inside the region."""
        return f"https://{self.address}:6443"


def sandbox_id(root: Path) -> str:
    """Return the id of the sandbox whose state folder is `root`: short, and another for each checkout."""
    return "cdr-" + sha256(str(root.resolve()).encode()).hexdigest()[:6]


def regions(root: Path) -> tuple[Region, Region]:
    """Return both regions of the sandbox whose state folder is `root`."""
    absolute = root.resolve()
    return (
        Region(0, sandbox_id(absolute), absolute),
        Region(1, sandbox_id(absolute), absolute),
    )
