"""The file that names the user's own images: what may stand in it, checked as a whole. Reads that file alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from sandbox.errors import SandboxError

PARTS = ("zeebe", "operate", "tasklist", "elasticsearch")
"""The parts whose image the drill's Helm values name; `zeebe` is broker and gateway."""
DOCKER_HUB = "docker.io"

_REFERENCE = re.compile(
    r"(?P<path>[A-Za-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)*):(?P<tag>\w[\w.-]{0,127})", re.ASCII
)
_PATH = (".", "/")
"""How the name of a chart begins that is a folder or archive on this machine."""
_EXAMPLE = "camunda/zeebe:8.5.25"


@dataclass(frozen=True, order=True)
class Reference:
    """An image's full name, as containerd keeps it.

    :ivar registry: host name, with its port if it has one.
    :ivar repository: path there.
    :ivar tag: which of the images there.
    """

    registry: str
    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name as pods give it, where Docker's registry may be left out.

        :raises ValueError: it is no name with a tag.
        """
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise ValueError(
                f"{text!r} is no image name with a tag (and no digest), such as {_EXAMPLE}"
            )
        first, _, rest = found["path"].partition("/")
        if rest and ("." in first or ":" in first or first == "localhost"):
            return cls(first, rest, found["tag"])
        repository = found["path"] if rest else f"library/{first}"
        return cls(DOCKER_HUB, repository, found["tag"])

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _placed(path: Path, info: ValidationInfo) -> Path:
    """Return a path that the file names, from the file's folder on (the context), and refuse it if nothing is there."""
    if info.context is None:
        return path
    placed: Path = info.context / path
    if not placed.exists():
        raise ValueError(f"there is no file {placed}")
    return placed


_File = Annotated[Path, AfterValidator(_placed)]


class Image(_Model):
    """One image.

    :ivar image: the name under which pods ask for it.
    :ivar archive: a file with it; left out, containerd pulls it by its name.
    """

    image: str
    archive: _File | None = None

    @field_validator("image")
    @classmethod
    def _is_name(cls, text: str) -> str:
        Reference.parse(text)
        return text

    @property
    def reference(self) -> Reference:
        """Its full name."""
        return Reference.parse(self.image)

    @property
    def source(self) -> str:
        """Where it comes from, for people."""
        return f"archive {self.archive.name}" if self.archive else "a registry"


class Parts(_Model):
    """The images of those parts of which the user has one; all others are the sandbox's."""

    zeebe: Image | None = None
    operate: Image | None = None
    tasklist: Image | None = None
    elasticsearch: Image | None = None


class Chart(_Model):
    """Where the chart comes from that is installed instead of the stand-in."""

    name: str
    version: str | None = None
    repository: str | None = None

    @field_validator("name")
    @classmethod
    def _is_there(cls, name: str, info: ValidationInfo) -> str:
        return str(_placed(Path(name), info)) if name.startswith(_PATH) else name

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if self.name.startswith((*_PATH, "oci://")) or (self.version and self.repository):
            return self
        raise ValueError(
            f"{self.name!r} is a chart's name in a repository, which needs `version` and `repository` too; "
            "a folder or archive begins with / or ./, an OCI chart with oci://"
        )


class OwnImages(_Model):
    """The user's own images, and what is installed with them: a file's content.

    :ivar images: of the known parts.
    :ivar others: whatever else the chart asks for.
    :ivar chart: installed by a drill, instead of the stand-in chart.
    :ivar values: Helm values files for a drill, over those of a rehearsal.
    """

    images: Parts = Parts()
    others: tuple[Image, ...] = ()
    chart: Chart | None = None
    values: tuple[_File, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; relative paths in it start at its folder.

        :raises SandboxError: it cannot be read, or says something unusable: which key, what it has, what is allowed.
        """
        try:
            content = yaml.safe_load(path.read_text()) or {}
            return cls.model_validate(content, context=path.resolve().parent)
        except ValidationError as error:
            said = "; ".join(_told(each) for each in error.errors())
            raise SandboxError(f"--images {path}: {said}") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise SandboxError(f"--images {path}: {error}") from None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not list(self.all_images()) and self.chart is None:
            raise ValueError(
                f"no image and no chart: name an image below `images` ({', '.join(PARTS)}) or `others`, or a `chart`"
            )
        sources: dict[Reference, Path | None] = {}
        for key, each in self.all_images():
            if sources.setdefault(each.reference, each.archive) != each.archive:
                raise ValueError(f"{key}: {each.reference} is given twice, from different archives")
        return self

    def part(self, name: str) -> Image | None:
        """Return the user's image of one of `PARTS`, if there is one."""
        found: Image | None = getattr(self.images, name)
        return found

    def parts(self) -> dict[str, Image]:
        """Return the user's images of the known parts, by the part's name."""
        return {name: image for name, image in self.images if image is not None}

    def all_images(self) -> Iterator[tuple[str, Image]]:
        """Yield all images, each with its key in the file."""
        for name, image in self.parts().items():
            yield f"images.{name}", image
        for index, image in enumerate(self.others):
            yield f"others[{index}]", image


def _told(error: ErrorDetails) -> str:
    """Return one finding in a sentence: the key, what it has, what is allowed."""
    *parent, last = error["loc"] or ("",)
    key = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in error["loc"])
    key = key.lstrip(".")
    if error["type"] == "extra_forbidden":
        allowed = ", ".join(_model_at(tuple(parent)).model_fields)
        where = f" in {'.'.join(map(str, parent))}" if parent else ""
        return f"there is no key `{last}`{where}; allowed are {allowed}"
    if error["type"] == "missing":
        return f"{key}: is missing"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{key}: {message}" if key else message
    return f"{key or 'the file'}: {message[0].lower()}{message[1:]}, and not {error['input']!r}"


def _model_at(place: tuple[int | str, ...]) -> type[BaseModel]:
    models: dict[tuple[int | str, ...], type[BaseModel]] = {
        (): OwnImages,
        ("images",): Parts,
        ("chart",): Chart,
    }
    return models.get(place, Image)
