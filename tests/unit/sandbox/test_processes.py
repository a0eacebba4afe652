"""What was started in a region is remembered by its processes' ids, until the region has no power any more."""

from pathlib import Path

from sandbox.regions.host import processes
from sandbox.regions.model import regions


def test_what_lives_no_more_is_forgotten(tmp_path: Path) -> None:
    london, paris = regions(tmp_path)
    for region in (london, paris):
        (region.folder / "pids").mkdir(parents=True)
        (region.folder / "pids" / "etcd").write_text("1\n")
    processes.forget(london)
    assert (processes.started(london), processes.started(paris)) == ([], ["etcd"])
    processes.forget(london)


def test_a_region_that_is_gone_has_nothing_to_forget(tmp_path: Path) -> None:
    processes.forget(regions(tmp_path)[0])
