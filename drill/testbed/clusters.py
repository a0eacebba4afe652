"""What a drill stands on: two clusters, and how one of them is lost and recreated."""

from pathlib import Path
from typing import Protocol


class Clusters(Protocol):
    """Two regions: the drill's own sandbox, or clusters that are there already."""

    kubeconfig: Path
    """Has the contexts of both regions, under the names of `drill.regions`."""

    def up(self) -> None:
        """Have both regions ready, with nothing of Camunda in them."""

    def lose(self, region: int) -> float:
        """Lose a region; return the moment, in seconds since the epoch."""

    def recreate(self, region: int) -> None:
        """Recreate a lost region, empty."""

    def cut_link(self) -> None:
        """Let no packet pass between the regions."""

    def restore_link(self) -> None:
        """Let packets pass again."""

    def down(self) -> None:
        """Leave nothing of the drill."""
