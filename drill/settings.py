"""What a drill is asked to do, and where it does it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from drill.errors import DrillError
from drill.regions import REGION_COUNT, REGIONS, REPLICATION_FACTOR, Region

CHECKOUT = Path(__file__).resolve().parent.parent


class Until(StrEnum):
    """The phases of the whole procedure, in their order; a drill runs up to one of them."""

    NORMAL = "normal"
    FAILOVER = "failover"
    FAILBACK_PENDING = "failback-pending"
    RESTORED = "restored"


AVAILABLE = (Until.NORMAL, Until.FAILOVER)
"""The phases that this version rehearses."""


@dataclass(frozen=True)
class DrillSettings:
    """One drill: which region is lost, how many brokers, how far, and whether everything stays up."""

    lost: int = 1
    cluster_size: int = 4
    until: Until = Until.FAILOVER
    keep: bool = False
    rate: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what cannot be rehearsed.

        Raises:
            DrillError: with the value and what is allowed.
        """
        if self.until not in AVAILABLE:
            allowed = ", ".join(AVAILABLE)
            raise DrillError(
                f"--until {self.until}: the drill does not go so far yet; allowed are {allowed}"
            )
        if self.lost not in range(REGION_COUNT):
            raise DrillError(f"--lost {self.lost}: there are regions 0 and 1")
        smallest = REPLICATION_FACTOR
        if self.cluster_size < smallest or self.cluster_size % smallest:
            raise DrillError(
                f"--cluster-size {self.cluster_size}: with {REPLICATION_FACTOR} copies of each partition "
                f"a failover restores quorum only for multiples of {smallest}, from {smallest} on"
            )

    @property
    def survivor(self) -> Region:
        """The region that lives on."""
        return REGIONS[1 - self.lost]

    @property
    def lost_region(self) -> Region:
        """The region that is lost."""
        return REGIONS[self.lost]

    @property
    def partition_count(self) -> int:
        """As many partitions as brokers, as in the reference setup."""
        return self.cluster_size

    @property
    def partitions(self) -> range:
        """The partitions' ids."""
        return range(1, self.partition_count + 1)


@dataclass(frozen=True)
class Places:
    """The drill's files, all in one folder of the checkout."""

    checkout: Path = CHECKOUT

    @property
    def folder(self) -> Path:
        """Everything of the drill; kept between drills, emptied at the start of the next."""
        return self.checkout / "out" / "drill"

    @property
    def sandbox(self) -> Path:
        """State of the drill's own sandbox."""
        return self.folder / "sandbox"

    @property
    def project(self) -> Path:
        """The copy of the program, with the drill's own stack files."""
        return self.folder / "project"

    @property
    def logs(self) -> Path:
        """One log for each pulumi command, the load client, and what the regions said at a failure."""
        return self.folder / "logs"

    @property
    def load_log(self) -> Path:
        """The load client's events."""
        return self.folder / "load.jsonl"

    @property
    def export_log(self) -> Path:
        """Exported positions and document counts over time."""
        return self.folder / "exports.jsonl"

    @property
    def chart(self) -> Path:
        """The stand-in chart."""
        return self.checkout / "sandbox" / "charts" / "camunda-platform"

    @property
    def values(self) -> tuple[Path, ...]:
        """The reference values, and over them what a rehearsal needs."""
        return (
            self.checkout / "dualregion" / "reference-values.yaml",
            self.checkout / "sandbox" / "values" / "rehearsal.yaml",
        )


def stack_config(settings: DrillSettings, places: Places, region: Region) -> dict[str, str]:
    """Return the program's configuration for one stack, as `pulumi config set --path` takes it."""
    config = {
        "phase": "normal",
        "region": str(region.index),
        "clusterSize": str(settings.cluster_size),
        "partitionCount": str(settings.partition_count),
        "replicationFactor": str(REPLICATION_FACTOR),
        "chart.name": str(places.chart),
        # The reference values demand the secret; the rehearsal's engine does not read the keys.
        "elasticsearchSecret.name": "elasticsearch-env-secret",
        "elasticsearchSecret.data.S3_ACCESS_KEY": "rehearsal",
        "elasticsearchSecret.data.S3_SECRET_KEY": "rehearsal",
    }
    for index, path in enumerate(places.values):
        config[f"values[{index}]"] = str(path)
    for each in REGIONS:
        at = f"regions[{each.index}]"
        config |= {
            f"{at}.name": each.city,
            f"{at}.kubeContext": each.context,
            f"{at}.namespace": each.namespace,
            f"{at}.failoverNamespace": each.failover_namespace,
            f"{at}.podCidrs[0]": each.pod_cidr,
        }
    return config
