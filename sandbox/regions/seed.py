"""Giving a region its images: a copy of the image seed that shares what never changes."""

import shutil
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.regions.host import commands


def copy(seed: Path, target: Path) -> None:
    """Copy a containerd root: hard links for blobs and layer files, real copies of its databases.

    Layers are only ever the lower parts of overlays, so nothing writes to the linked files; the databases
    are written to. On another file system than the seed's everything is copied, which takes longer.

    :raises SandboxError: the seed is missing, or the copy fails (a full disk, for example).
    """
    if not seed.is_dir():
        raise SandboxError(
            f"The container images are not there ({seed}). Run `make setup`; with images of your own, "
            "`python -m sandbox down` and `python -m sandbox up --images FILE`."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    link = ["--link"] if seed.stat().st_dev == target.parent.stat().st_dev else []
    commands.run(
        ["cp", "--archive", *link, str(seed), str(target)],
        f"copy the container images to {target}",
        remedy="Is the disk full?",
    )
    if link:
        for database in seed.rglob("*.db"):
            copied = target / database.relative_to(seed)
            copied.unlink()
            shutil.copy2(database, copied)
