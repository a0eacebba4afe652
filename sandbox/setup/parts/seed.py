"""The image seed: containerd's own root folder with every image imported and unpacked, made once.

A region starts with a copy of it (hard links of what never changes, real copies of the databases) and so
imports nothing when it starts.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.patience import allowed
from sandbox.setup.part import Part, key_of
from sandbox.setup.parts import archive, images
from sandbox.setup.run import DIE_WITH_US, find, last_lines, log_file, run
from sandbox.versions import VERSIONS

# containerd's root within the part's folder.
ROOT = "containerd"
NAMESPACE = "k8s.io"
START_SECONDS = 30
REMEDY = "Run it again; if it fails again, containerd's log says why."


def part(**made_of: Part) -> Part:
    """The part, made of others, which must be made before: one for each of `images.Ingredients`."""
    folders = {name: each.folder for name, each in made_of.items()}
    sources = [Path(images.__file__), Path(archive.__file__), images.FILES]
    tags = str([(each.minor, each.image) for each in VERSIONS.values()])
    return Part(
        name="image-seed",
        says="Making the container images and importing them into containerd",
        key=key_of(*(each.key for each in made_of.values()), *sources, tags),
        build=lambda target: build(images.Ingredients(**folders), target),
    )


def build(of: images.Ingredients, target: Path) -> None:
    """Make all images and import them into a containerd root below `target`; raises SandboxError."""
    architecture = images.architecture()
    work = target / "layers"
    work.mkdir()
    made = images.images(of, work)
    with containerd(target / ROOT) as ctr:
        # As a stream, so that the archive never lies on the disk as a whole.
        run(
            [*ctr, "images", "import", "-"],
            what="importing the images",
            remedy=REMEDY,
            feed=lambda stream: archive.write_archive(made, architecture, stream),
        )
    shutil.rmtree(work)


@contextmanager
def containerd(root: Path) -> Iterator[tuple[str | Path, ...]]:
    """Run a containerd of our own over `root`; give the ctr command that reaches it.

    Only one at a time may run over the same root. Raises SandboxError when it does not start.

    It has a mount namespace of its own and dies with this process, so that nothing of it stays behind,
    however the set-up ends.
    """
    # Not below the cache: a socket's path may have 107 characters only. We are its only user, so what lies there
    # is left from a set-up that was killed.
    state = Path("/run") / f"image-seed-{key_of(str(root))[:12]}"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(mode=0o700)
    address = state / "containerd.sock"
    ctr = (find("ctr"), "--address", address, "--namespace", NAMESPACE)
    config = state / "config.toml"
    config.write_text(
        f'version = 2\nroot = "{root}"\nstate = "{state}/state"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{address}"\n'
    )
    log = log_file("containerd of the image seed")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*DIE_WITH_US, "unshare", "--mount", "containerd", "--config", config],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_ready(ctr, process, log)
            yield ctr
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            shutil.rmtree(state, ignore_errors=True)


def _wait_ready(ctr: tuple[str | Path, ...], process: subprocess.Popen[bytes], log: Path) -> None:
    limit = allowed(START_SECONDS)
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and process.poll() is None:
        if subprocess.run([*ctr, "version"], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise SandboxError(
        f"containerd did not answer within {limit:.0f} s: {last_lines(log)}\nWhole output: {log}. {REMEDY}"
    )
