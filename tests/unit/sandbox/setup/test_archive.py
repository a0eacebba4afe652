"""Layers and archives of container images: equal inputs make equal bytes, with the owners asked for."""

import io
import json
import os
import tarfile
from pathlib import Path

from sandbox.setup.parts.archive import Image, Layer, LayerWriter, write_archive


def _layer(folder: Path, source: Path) -> Layer:
    with LayerWriter(folder / "layer.tar") as writer:
        writer.tree("usr/local/app", source, uid=1001)
        writer.text("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
        writer.folder("tmp", 0o1777)
        writer.link("bin/sh", "busybox")
    return writer.layer


def _source(folder: Path) -> Path:
    (folder / "app" / "bin").mkdir(parents=True)
    (folder / "app" / "bin" / "run").write_text("#!/bin/sh\n")
    (folder / "app" / "bin" / "run").chmod(0o700)
    (folder / "app" / "a.txt").write_text("a")
    return folder / "app"


def test_equal_inputs_make_equal_layers_whenever_they_were_written(tmp_path: Path) -> None:
    layers: list[Layer] = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        source = _source(folder)
        os.utime(source / "a.txt", (len(layers), len(layers)))
        layers.append(_layer(folder, source))
    assert layers[0].digest == layers[1].digest


def test_entries_have_the_owner_and_mode_asked_for_and_folders_come_once(tmp_path: Path) -> None:
    layer = _layer(tmp_path, _source(tmp_path))
    with tarfile.open(layer.path) as tar:
        entries = {m.name: m for m in tar}
        assert len(entries) == len(tar.getnames())
    assert entries["usr/local/app/bin/run"].mode == 0o755
    assert entries["usr/local/app/a.txt"].mode == 0o644
    assert entries["usr/local/app/a.txt"].uid == 1001
    assert entries["usr/local"].uid == 0
    assert entries["tmp"].mode == 0o1777
    assert entries["bin/sh"].linkname == "busybox"
    names = list(entries)
    assert names.index("usr") < names.index("usr/local") < names.index("usr/local/app")


def test_an_archive_names_every_tag_and_holds_a_shared_layer_once(tmp_path: Path) -> None:
    layer = _layer(tmp_path, _source(tmp_path))
    images = [
        Image(("docker.io/a/b:1", "docker.io/a/b:2"), (layer,), ("/run",), env={"A": "b"}),
        Image(("localhost/c:1",), (layer,), ("/run",), user="1001:1001", ports=(8080,)),
    ]
    out = io.BytesIO()
    write_archive(images, "amd64", out)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        names = archive.getnames()
        contents = {n: archive.extractfile(n).read() for n in names}  # type: ignore[union-attr]
    manifest = json.loads(contents["manifest.json"])
    assert [m["RepoTags"] for m in manifest] == [list(i.names) for i in images]
    assert [m["Layers"] for m in manifest] == [[f"{layer.digest}.tar"]] * 2
    assert names.count(f"{layer.digest}.tar") == 1
    assert contents[f"{layer.digest}.tar"] == layer.path.read_bytes()
    config = json.loads(contents[manifest[1]["Config"]])
    assert config["rootfs"]["diff_ids"] == [f"sha256:{layer.digest}"]
    assert config["config"]["User"] == "1001:1001"
    assert config["config"]["ExposedPorts"] == {"8080/tcp": {}}
    assert config["architecture"] == "amd64"
    assert "A=b" in json.loads(contents[manifest[0]["Config"]])["config"]["Env"]
