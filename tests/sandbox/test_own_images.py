"""Images of the user's own, for real: regions run them from archives or out of a registry, also when recreated.

The images are the sandbox's, written to archives under other names, so what runs them has got them that way.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from drill.errors import ClusterCallFailed
from drill.observation.cluster import ClusterView
from drill.observation.pods import is_ready
from drill.own_images import broker_used, helm_chart, image_values
from drill.regions import BROKER_SELECTOR, REGIONS, Region
from drill.scenario.adopting import helm_install, plain_values
from drill.settings import DrillSettings, Paths, chart_of, values_files
from drill.testbed.lifecycle import share_backup
from sandbox.errors import SandboxError
from sandbox.own import seed as own_seed
from sandbox.own.images import OwnImages
from sandbox.patience import allowed
from sandbox.regions import Sandbox
from sandbox.regions import seed as seeds
from sandbox.setup import tools
from sandbox.setup.parts.seed import ROOT, containerd
from tests.fakes.http import Request, Response, serving

pytestmark = pytest.mark.sandbox

LONDON, PARIS = REGIONS
WAIT_SECONDS = allowed(240.0)
# One archive of several images, one of a single image under another name, one compressed, and one pulled.
EXPORTED = {
    "zeebe.tar": ["docker.io/camunda/zeebe:8.5.25"],
    "apps.tar": ["a.example/own/operate:1", "a.example/own/tasklist:2"],
    "search.tar.gz": ["docker.io/bitnami/elasticsearch:8"],
}
TAGGED = {
    "docker.io/camunda/operate:8.5.25": "a.example/own/operate:1",
    "docker.io/camunda/tasklist:8.5.25": "a.example/own/tasklist:2",
}
WANTED = {
    "zeebe": {"image": "a.example:5000/own/zeebe:1.0", "archive": "zeebe.tar"},
    "operate": {"image": "a.example/own/operate:1", "archive": "apps.tar"},
    "tasklist": {"image": "a.example/own/tasklist:2", "archive": "apps.tar"},
    "elasticsearch": {"image": "own/elasticsearch:1", "archive": "search.tar.gz"},
}
# A real Operate migrates before it starts; a placeholder cannot.
VALUES = {"operate": {"migration": {"enabled": False}}}


@dataclass
class Started:
    sandbox: Sandbox
    settings: DrillSettings
    own: OwnImages

    def view(self, region: Region) -> ClusterView:
        return ClusterView(self.sandbox.kubeconfig, region.context)

    def images(self, region: Region) -> set[str]:
        """Return the images of the region's Camunda pods."""
        pods = self.view(region).pods(region.namespace)
        return {each["image"] for pod in pods for each in pod["spec"]["containers"]}


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    paths = Paths(name="test-own-images")
    made = Sandbox(tools.load(), paths.sandbox)
    made.down()
    shutil.rmtree(paths.folder, ignore_errors=True)
    paths.folder.mkdir(parents=True)
    console = Console()
    try:
        with exported(paths.folder) as registry:
            pulled = f"{registry}/own/busybox:1"
            file = paths.folder / "images.yaml"
            others = [{"image": pulled}]
            file.write_text(
                yaml.safe_dump({"images": WANTED, "others": others, "values": ["mine.yaml"]})
            )
            (file.parent / "mine.yaml").write_text(yaml.safe_dump(VALUES))
            own = OwnImages.read(file)
            seed = own_seed.ensure(console, own, tools.load().image_seed)
        # The registry is gone: what is in the cache is not pulled again.
        assert own_seed.ensure(console, own, tools.load().image_seed) == seed
        made.up(images=seed)
        settings = DrillSettings(images=own, adopt=True)
        share_backup(paths)
        install(made, settings, paths)
        yield Started(made, settings, own)
        # The registry's port is in its key: another run makes another one.
        shutil.rmtree(seed.parent)
    finally:
        made.down()
        shutil.rmtree(paths.folder, ignore_errors=True)


@contextmanager
def exported(folder: Path) -> Iterator[str]:
    """Write the archives, from a copy of the sandbox's images; serve its smallest image as a registry does."""
    root = folder / ROOT
    seeds.copy(tools.load().image_seed, root)
    with containerd(root) as ctr:
        ask = partial(run, *map(str, ctr), "images")
        for name, other in TAGGED.items():
            ask("tag", name, other)
        for file, names in EXPORTED.items():
            ask("export", str(folder / file.removesuffix(".gz")), *names)
        run("gzip", "--fast", str(folder / "search.tar"))
        busybox = ask("list", "name==localhost/busybox:1").splitlines()[1].split()[2]
    blobs = root / "io.containerd.content.v1.content" / "blobs" / "sha256"
    with serving(partial(as_registry, blobs, busybox)) as address:
        yield address
    shutil.rmtree(root)


def as_registry(blobs: Path, image: str, request: Request) -> Response:
    """Answer as much of a registry as a pull of one image asks for."""
    kind, name = request.path.split("/")[-2:]
    digest = name if ":" in name else image
    media = "vnd.docker.distribution.manifest.v2+json" if kind == "manifests" else "octet-stream"
    headers = {"Content-Type": f"application/{media}", "Docker-Content-Digest": digest}
    return Response((blobs / digest.removeprefix("sha256:")).read_bytes(), headers=headers)


def run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


def kubectl(started: Started, region: Region, *arguments: str) -> str:
    at = (f"--kubeconfig={started.sandbox.kubeconfig}", f"--context={region.context}")
    return run(str(tools.load().kubectl), *at, *arguments)


def install(made: Sandbox, settings: DrillSettings, paths: Paths) -> None:
    """Install both regions by plain Helm, with the values of a drill."""
    assert settings.images
    paths.image_values.write_text(yaml.safe_dump(image_values(settings.images)))
    base = yaml.safe_load(paths.reference_values.read_text())
    namespaces = [each.namespace for each in REGIONS]
    generated = plain_values(base, namespaces, settings.cluster_size)
    paths.plain_values.write_text(yaml.safe_dump(generated))
    secret = ("create", "secret", "generic", "elasticsearch-env-secret")
    for region in REGIONS:
        at = (f"--kubeconfig={made.kubeconfig}", f"--context={region.context}")
        kube = partial(run, str(tools.load().kubectl), *at)
        kube("create", "namespace", region.namespace)
        kube("--namespace", region.namespace, *secret, "--from-literal=S3_ACCESS_KEY=no")
        helm_install(
            tools.load().helm,
            helm_chart(chart_of(settings)),
            values_files(settings, paths),
            region=region.index,
            context=region.context,
            namespace=region.namespace,
            env={"KUBECONFIG": str(made.kubeconfig), "HOME": str(paths.folder)},
        )


def eventually(missing: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while found := missing():
        assert time.monotonic() < deadline, found
        time.sleep(1)


def test_every_pod_of_both_regions_runs_the_users_image(started: Started) -> None:
    for region in REGIONS:
        view = started.view(region)
        eventually(
            lambda view=view, region=region: [  # type: ignore[misc]
                pod["metadata"]["name"] for pod in view.pods(region.namespace) if not is_ready(pod)
            ]
        )
        assert started.images(region) == {
            "a.example:5000/own/zeebe:1.0",
            "a.example/own/operate:1",
            "a.example/own/tasklist:2",
            "docker.io/own/elasticsearch:1",
        }


def test_the_brokers_work_together_and_are_told_from_whom_they_are(started: Started) -> None:
    view = started.view(LONDON)

    def missing() -> object:
        try:
            topology = view.topology(LONDON.namespace)
        except ClusterCallFailed as error:
            return str(error)
        return None if len(topology["brokers"]) == started.settings.cluster_size else topology

    eventually(missing)
    version = view.topology(LONDON.namespace)["gatewayVersion"]
    told = broker_used(version, view.pods(LONDON.namespace, BROKER_SELECTOR), started.own)
    assert told.endswith("image a.example:5000/own/zeebe:1.0 (from archive zeebe.tar)")
    assert version in told


def test_a_sandbox_with_other_images_is_not_taken_for_the_same(started: Started) -> None:
    with pytest.raises(SandboxError, match="up with other images"):
        started.sandbox.up()


def test_a_recreated_region_has_them_too(started: Started) -> None:
    started.sandbox.lose(PARIS.index)
    started.sandbox.recreate(PARIS.index)
    _, pulled = list(started.own.all_images())[-1]
    images = [pulled.image, "a.example:5000/own/zeebe:1.0"]
    for name, image in zip(("pulled", "imported"), images, strict=True):
        never = ("--image-pull-policy=Never", "--restart=Never")
        kubectl(
            *(started, PARIS, "run", name, f"--image={image}", *never),
            *("--command", "--", "/bin/sh", "-c", "exit 0"),
        )
        status = "--for=jsonpath={.status.phase}=Succeeded"
        kubectl(started, PARIS, "wait", f"pod/{name}", status, f"--timeout={WAIT_SECONDS:.0f}s")
