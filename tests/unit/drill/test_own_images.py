"""Images of the user's own: what their file says, what an archive holds, and what a drill installs with them."""

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from drill.own_images import broker_used, helm_chart, image_values
from drill.procedure.versions import DEFAULT_VERSION
from drill.regions import REGIONS
from drill.settings import (
    DEFAULT_RATE,
    REAL_BROKERS,
    REAL_BROKERS_RATE,
    REHEARSAL_BROKERS,
    DrillSettings,
    Paths,
    chart_of,
    default_rate,
    stack_config,
    values_files,
)
from sandbox.errors import SandboxError
from sandbox.own.archives import Content, content_of
from sandbox.own.images import OwnImages, Reference
from sandbox.own.seed import demand_held, ensure, part
from sandbox.setup.parts.archive import Image, write_archive
from sandbox.versions import shape_of

ZEEBE = {"image": "registry.example.com:5000/team/zeebe:8.5.25", "archive": "zeebe.tar"}
SEARCH = {"image": "bitnami/elasticsearch:8.12.2"}
CHART = {
    "name": "camunda-platform",
    "version": "10.11.3",
    "repository": "https://charts.example.com",
}


def written(folder: Path, **content: object) -> Path:
    write(folder / "zeebe.tar", "camunda/zeebe:8.5.25")
    (folder / "mine.yaml").touch()
    path = folder / "images.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def write(path: Path, *names: str) -> Path:
    """Write an archive with an empty image for each name."""
    images = [Image((name,), (), (name,)) for name in names]
    with path.open("wb") as out:
        write_archive(images, "amd64", out)
    return path


def read(folder: Path, **content: object) -> OwnImages:
    return OwnImages.read(written(folder, **content))


# --- the file ---------------------------------------------------------------------------------------------


def test_paths_start_at_the_files_folder(tmp_path: Path) -> None:
    chart = {"name": "./mine.yaml"}
    own = read(tmp_path, images={"zeebe": ZEEBE}, chart=chart, values=["mine.yaml"])
    zeebe = own.part("zeebe")
    assert zeebe
    assert zeebe.archive == tmp_path / "zeebe.tar"
    assert own.values == (tmp_path / "mine.yaml",)
    assert own.chart
    assert own.chart.name == str(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("busybox:1", "docker.io/library/busybox:1"),
        ("camunda/zeebe:8.5.25", "docker.io/camunda/zeebe:8.5.25"),
        ("docker.io/camunda/zeebe:8.5.25", "docker.io/camunda/zeebe:8.5.25"),
        ("localhost/zeebe:1", "localhost/zeebe:1"),
        ("a.example:5000/b/c:latest", "a.example:5000/b/c:latest"),
    ],
)
def test_a_name_is_completed_as_docker_does(name: str, full: str) -> None:
    assert str(Reference.parse(name)) == full


@pytest.mark.parametrize(
    "name", ["zeebe", "camunda/zeebe", "a.example:5000/zeebe", "zeebe@sha256:00", "Camunda/X:1", ""]
)
def test_a_name_without_a_tag_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no image name with a tag"):
        Reference.parse(name)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(
            {"images": {"zeebee": SEARCH}},
            "no key `zeebee` in images; allowed are zeebe, operate, tasklist, elasticsearch",
            id="an unknown part",
        ),
        pytest.param(
            {"image": {}}, "no key `image`; allowed are images, others, chart, values", id="a key"
        ),
        pytest.param(
            {"images": {"zeebe": {"name": "a:1"}}},
            "images.zeebe.image: is missing; .* `name` in images.zeebe; allowed are image, archive",
            id="a key of an image",
        ),
        pytest.param(
            {"others": [{"image": "bitnami/os-shell"}]},
            r"others\[0\].image: 'bitnami/os-shell' is no image name with a tag",
            id="no tag",
        ),
        pytest.param(
            {"images": {"zeebe": {"image": "a:1", "archive": "b.tar"}}},
            "images.zeebe.archive: there is no file .*b.tar",
            id="no archive",
        ),
        pytest.param(
            {"images": {"zeebe": ZEEBE}, "values": ["a.yaml"]},
            r"values\[0\]: there is no file .*a.yaml",
            id="no values file",
        ),
        pytest.param(
            {"images": {"zeebe": ZEEBE}, "chart": {"name": "camunda-platform"}},
            "chart: 'camunda-platform' is a chart's name .* needs `version` and `repository`",
            id="a chart without a place",
        ),
        pytest.param({}, "no image and no chart: name an image below", id="nothing"),
        pytest.param({"images": [1]}, r"images: .*, and not \[1\]", id="a list"),
        pytest.param(
            {"images": {"zeebe": ZEEBE}, "others": [{"image": ZEEBE["image"]}]},
            "given twice",
            id="twice",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_key_and_what_is_allowed(
    tmp_path: Path, content: dict[str, Any], told: str
) -> None:
    with pytest.raises(SandboxError, match=told):
        read(tmp_path, **content)


@pytest.mark.parametrize("text", ["images: [", "[]", None])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "images.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SandboxError, match=r"--images .*images\.yaml"):
        OwnImages.read(path)


# --- archives ---------------------------------------------------------------------------------------------


def test_the_names_in_an_archive_are_found_compressed_or_not(tmp_path: Path) -> None:
    plain = write(tmp_path / "two.tar", "camunda/operate:1", "localhost/own:2")
    small = tmp_path / "two.tar.gz"
    small.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, small):
        content = content_of(path)
        assert content.count == 2
        assert {str(each) for each in content.names} == {
            "docker.io/camunda/operate:1",
            "localhost/own:2",
        }


def test_of_an_oci_archive_only_full_names_count(tmp_path: Path) -> None:
    index = {
        "manifests": [
            {"digest": "sha256:1", "annotations": {"io.containerd.image.name": "a.example/b:1"}},
            {"digest": "sha256:1", "annotations": {"org.opencontainers.image.ref.name": "b:1"}},
            {"digest": "sha256:2"},
        ]
    }
    content = content_of(
        tar(tmp_path / "oci.tar", **{"oci-layout": {}, "index.json": index, "manifest.json": []})
    )
    assert content == Content(2, frozenset({Reference("a.example", "b", "1")}))


def tar(path: Path, **files: object) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info, data = tarfile.TarInfo(name), json.dumps(content).encode()
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    no_tar = tmp_path / "no.tar"
    no_tar.write_text("x" * 2000)
    strange = tar(tmp_path / "strange.tar", **{"manifest.json": ["a"]})
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(gzip.compress(strange.read_bytes())[:100])
    for path in (no_tar, tar(tmp_path / "other.tar", other=1), strange, cut, tmp_path):
        with pytest.raises(SandboxError, match=r"is no archive of images: .*docker save"):
            content_of(path)


def test_of_several_images_one_must_bear_the_name() -> None:
    wanted, other = Reference.parse("a/b:1"), Reference.parse("a/c:1")
    for content in (Content(1, frozenset()), Content(2, frozenset({wanted}))):
        demand_held("others[0]", wanted, Path("x.tar"), content)
    for content in (Content(2, frozenset({other})), Content(0, frozenset())):
        with pytest.raises(SandboxError, match=r"others\[0\]: x.tar holds . images .*not docker"):
            demand_held("others[0]", wanted, Path("x.tar"), content)


def test_the_key_is_of_names_contents_and_the_sandboxs_own_seed(tmp_path: Path) -> None:
    seed = tmp_path / "image-seed-1" / "containerd"
    other = {**ZEEBE, "image": "a/b:1"}
    keys = [
        part(read(tmp_path, images={"zeebe": ZEEBE}), seed).key,
        part(read(tmp_path, images={"zeebe": other}), seed).key,
        part(read(tmp_path, images={"zeebe": {"image": ZEEBE["image"]}}), seed).key,
        part(read(tmp_path, images={"zeebe": ZEEBE}), tmp_path / "image-seed-2" / "x").key,
    ]
    own = read(tmp_path, images={"zeebe": ZEEBE})
    write(tmp_path / "zeebe.tar", "camunda/zeebe:8.6.0")
    keys.append(part(own, seed).key)
    assert len(set(keys)) == len(keys)
    write(tmp_path / "zeebe.tar", "camunda/zeebe:8.5.25")
    assert part(own, seed).key == keys[0]


# --- the drill --------------------------------------------------------------------------------------------


def test_the_values_name_the_images_of_the_parts_alone(tmp_path: Path) -> None:
    others = [{"image": "bitnami/os-shell:12"}]
    own = read(tmp_path, images={"zeebe": ZEEBE, "elasticsearch": SEARCH}, others=others)
    zeebe = {
        "image": {
            "registry": "registry.example.com:5000",
            "repository": "team/zeebe",
            "tag": "8.5.25",
            "digest": "",
        }
    }
    search = {
        "registry": "docker.io",
        "repository": "bitnami/elasticsearch",
        "tag": "8.12.2",
        "digest": "",
    }
    assert image_values(own) == {
        "zeebe": zeebe,
        "zeebeGateway": zeebe,
        "elasticsearch": {"image": search},
    }


def test_the_users_values_stand_over_the_rehearsals_and_below_the_drills(tmp_path: Path) -> None:
    own = read(
        tmp_path,
        images={"zeebe": ZEEBE, "elasticsearch": SEARCH},
        chart=CHART,
        values=["mine.yaml"],
    )
    settings, paths = DrillSettings(images=own, adopt=True), Paths()
    files = values_files(settings, paths)
    assert [path.name for path in files] == [
        "reference-values.yaml",
        "rehearsal-elasticsearch.yaml",
        "rehearsal.yaml",
        "real-brokers.yaml",
        "real-elasticsearch.yaml",
        "mine.yaml",
        "backup.yaml",
        "own-images.yaml",
        "plain.yaml",
    ]
    config = stack_config(settings, paths, REGIONS[0])
    assert [config[f"values[{index}]"] for index in range(len(files))] == [*map(str, files)]
    assert {key: config[f"chart.{key}"] for key in CHART} == CHART
    assert own.chart
    assert helm_chart(own.chart) == (
        *("camunda-platform", "--version", "10.11.3"),
        *("--repo", "https://charts.example.com"),
    )


def test_without_images_of_ones_own_all_is_the_sandboxs() -> None:
    config = stack_config(DrillSettings(), Paths(), REGIONS[0])
    assert config["chart.name"] == str(shape_of(DEFAULT_VERSION).chart)
    assert "chart.version" not in config
    paths = Paths()
    assert values_files(DrillSettings(), paths) == (
        paths.reference_values,
        *shape_of(DEFAULT_VERSION).values,
        paths.backup_values,
    )


def test_a_chart_of_ones_own_needs_no_images(tmp_path: Path) -> None:
    """As `make real-chart` names it: what runs is the sandbox's own."""
    own = read(tmp_path, chart={"name": str(tmp_path / "mine.yaml")})
    assert (own.parts(), list(own.all_images())) == ({}, [])
    seed = tmp_path / "seed"
    assert ensure(Console(), own, seed) == seed
    settings = DrillSettings(images=own)
    assert chart_of(settings) == own.chart
    assert image_values(own) == {}


def test_every_part_has_values_of_its_own_that_concern_it_alone(tmp_path: Path) -> None:
    keys = {"zeebe": {"zeebe", "zeebeGateway"}}
    for name in ("zeebe", "operate", "tasklist", "elasticsearch"):
        settings = DrillSettings(images=read(tmp_path, images={name: SEARCH}))
        _, _, _, overlay, *_ = values_files(settings, Paths())
        assert set(yaml.safe_load(overlay.read_text())) == keys.get(name, {name})


def test_real_brokers_are_given_more_time_and_less_load(tmp_path: Path) -> None:
    real = read(tmp_path, images={"zeebe": ZEEBE})
    other = read(tmp_path, images={"operate": SEARCH})
    assert default_rate(real) == REAL_BROKERS_RATE
    assert default_rate(other) == default_rate(None) == DEFAULT_RATE
    assert DrillSettings(images=real).patience == REAL_BROKERS
    assert DrillSettings(on=Path("a.yaml")).patience == REAL_BROKERS
    assert DrillSettings(images=other).patience == DrillSettings().patience == REHEARSAL_BROKERS


def pod(image: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"image": image}]}}


def test_the_report_names_the_broker_and_its_image(tmp_path: Path) -> None:
    ours = pod("docker.io/camunda/zeebe:8.5.25")
    assert broker_used("8.5.8-rehearsal", [ours, ours], None) == (
        "rehearsal broker 8.5.8-rehearsal, image docker.io/camunda/zeebe:8.5.25"
    )
    own = read(tmp_path, images={"zeebe": ZEEBE})
    assert broker_used("8.5.25", [pod(ZEEBE["image"])], own) == (
        f"Zeebe 8.5.25, image {ZEEBE['image']} (from archive zeebe.tar)"
    )
    pulled = read(tmp_path, images={"zeebe": {"image": "camunda/zeebe:8.5.25"}})
    assert "(from a registry)" in broker_used("8.5.25", [ours], pulled)
    assert broker_used("8.5.25", [pod("zeebe@sha256:00")], own) == (
        "Zeebe 8.5.25, image zeebe@sha256:00"
    )
