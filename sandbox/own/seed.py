"""The image seed with images of the user's own: a copy of the sandbox's, into which they are imported or pulled.

It is a part like others of the cache, so the second start with the same images costs nothing.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from sandbox import setup
from sandbox.errors import SandboxError
from sandbox.own.archives import Content, content_of, opened
from sandbox.own.images import OwnImages, Reference
from sandbox.regions import seed as seeds
from sandbox.setup.part import Part, key_of
from sandbox.setup.parts import images
from sandbox.setup.parts.seed import ROOT, containerd
from sandbox.setup.run import run

_PULLED = "pulled"


def ensure(console: Console, own: OwnImages, seed: Path) -> Path:
    """Make the seed with the user's images, if it is not in the cache, and return it; without any, the sandbox's own.

    :param console: where progress is shown.
    :param own: the images.
    :param seed: the sandbox's own (`Tools.image_seed`), which stays as it is.
    :raises SandboxError: an archive is unusable, or containerd refused or could not pull an image.
    """
    if not list(own.all_images()):
        return seed
    return setup.ensure_part(console, part(own, seed)) / ROOT


def part(own: OwnImages, seed: Path) -> Part:
    """The part; its key is that of the seed, with the names and the archives' content.

    :raises SandboxError: an archive is unusable.
    """
    named = ", ".join(f"{each.image} from {each.source}" for _, each in own.all_images())
    return Part(
        name="own-images",
        says=f"Bringing your own images into containerd: {named}",
        key=key_of(seed.parent.name, *_inputs(own), Path(__file__)),
        build=lambda target: _build(own, seed, target),
    )


def _inputs(own: OwnImages) -> Iterator[str]:
    for key, image in own.all_images():
        yield str(image.reference)
        if image.archive is None:
            yield _PULLED
            continue
        demand_held(key, image.reference, image.archive, content_of(image.archive))
        with image.archive.open("rb") as archive:
            yield hashlib.file_digest(archive, "sha256").hexdigest()


def demand_held(key: str, wanted: Reference, archive: Path, content: Content) -> None:
    """Refuse an archive of which nothing can be told to be the wanted image.

    Of a single image the name does not matter; of several, one must bear it.

    :raises SandboxError: with the names that the archive has.
    """
    if content.count == 1 or (content.count and wanted in content.names):
        return
    held = ", ".join(map(str, sorted(content.names))) or "none with a full name"
    raise SandboxError(
        f"{key}: {archive} holds {content.count} images ({held}), and not {wanted}. "
        "Give `image` one of these names, or an archive of that image alone."
    )


def _build(own: OwnImages, seed: Path, target: Path) -> None:
    seeds.copy(seed, target / ROOT)
    platform = f"linux/{images.architecture()}"
    with containerd(target / ROOT) as ctr:
        for image in dict.fromkeys(each for _, each in own.all_images()):
            if image.archive is None:
                _pull(ctr, image.reference, platform)
            else:
                _import(ctr, image.reference, image.archive, platform)


def _pull(ctr: tuple[str | Path, ...], wanted: Reference, platform: str) -> None:
    run(
        [*ctr, "images", "pull", "--platform", platform, str(wanted)],
        what=f"pulling {wanted} for {platform}",
        remedy="Is the name right, and does the registry give it without login? Else pull it with a tool that has "
        "your login, write it to a file (`docker save IMAGE -o FILE`), and name that as `archive`.",
    )


def _import(ctr: tuple[str | Path, ...], wanted: Reference, archive: Path, platform: str) -> None:
    """Stream an archive into containerd.

    Where the archive does not give the wanted name its list of images gets it, which has one image only: so it
    does not matter what the archive calls it, if it names it at all. The list and an image of it cannot have the
    same name.
    """
    named = [] if wanted in content_of(archive).names else ["--index-name", str(wanted)]
    with opened(archive) as content:
        run(
            [*ctr, "images", "import", "--platform", platform, *named, "-"],
            what=f"importing {archive.name} as {wanted}",
            remedy=f"{archive} must be whole, and its image be for {platform}.",
            feed=lambda stream: shutil.copyfileobj(content, stream, 1 << 20),
        )
