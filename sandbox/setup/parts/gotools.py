"""Tools that no package registry ships as binaries, built from their Go modules; and the rehearsal broker, from ours.

Most are pinned by one go.mod in sandbox/toolchain, so that each package which several of them use, such as the Kubernetes
client, is in one version and compiled once. go.sum pins every module by checksum, and Go's own module and build caches
make a second build a matter of seconds.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup.part import Part, key_of
from sandbox.setup.run import run, which

TOOLCHAIN = Path(__file__).parents[2] / "toolchain"
# From here on Go fetches by itself the newer Go that a module asks for.
OLDEST_GO = (1, 21)
REMEDY = (
    "Run it again: finished builds are kept. If a module could not be fetched, set GOPROXY to a module proxy "
    "that this machine reaches (go env GOPROXY shows the present one)."
)
GET_GO = (
    "Install Go 1.25 or newer from https://go.dev/dl/ (or the package golang of a recent distribution) and put it on "
    "PATH."
)
# Reproducible, small, and independent of the user's own Go settings.
GO_ENV = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
GO_FLAGS = (
    "-mod=readonly",
    "-buildvcs=false",
    "-trimpath",
    # They are not debugged: what a debugger wants is left out of what is compiled, not of what is linked only.
    "-gcflags=all=-dwarf=false",
    # A quarter of all that is compiled for the provider, generated, and hardly at work: it is not optimised.
    "-gcflags=github.com/pulumi/pulumi-kubernetes/sdk/v4/...=-N -l -dwarf=false",
)


@dataclass(frozen=True)
class Patch:
    """What is compiled otherwise than a module has it; the module itself stays as go.sum pins it.

    :ivar module: whose file it is.
    :ivar path: the file in it.
    :ivar changes: old text -> new text, every occurrence.
    """

    module: str
    path: str
    changes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class GoTool:
    """Binaries built from one source.

    :ivar name: what its part is called.
    :ivar says: name and version for the user.
    :ivar binaries: binary -> Go package.
    :ivar versions: variables that the linker sets, so that the tool says its version.
    :ivar cold: how long a first build takes on two cores, after those before it in `TOOLS`; for the user.
    :ivar module: folder of the go.mod that pins it.
    :ivar patch: what is changed in it.
    """

    name: str
    says: str
    binaries: tuple[tuple[str, str], ...]
    versions: tuple[str, ...] = ()
    cold: str = "a minute"
    module: Path = TOOLCHAIN
    patch: Patch | None = None


PULUMI = GoTool(
    "pulumi",
    "pulumi 3.259.0",
    (("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),),
    # The Automation API refuses a Pulumi that does not say its version.
    ("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.259.0",),
    "3-4 minutes",
)
LANGUAGE_PYTHON = GoTool(
    "pulumi-language-python",
    "Pulumi's Python language host 3.78.1",
    (
        (
            "pulumi-language-python",
            "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
        ),
    ),
    cold="20 s",
    # Its last release is much older than the Pulumi that starts it.
    module=TOOLCHAIN / "pulumi-language-python",
)
PROVIDER = GoTool(
    "pulumi-resource-kubernetes",
    "Pulumi's Kubernetes provider 4.25.0",
    (("pulumi-resource-kubernetes", "."),),
    ("github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=4.25.0",),
    "6 minutes",
    # It cannot be built with the Pulumi that starts it; all else is in the versions of the common go.mod.
    TOOLCHAIN / "pulumi-resource-kubernetes",
)
ETCD = GoTool("etcd", "etcd 3.6.13", (("etcd", "go.etcd.io/etcd/server/v3"),))
KUBERNETES = GoTool(
    "kubernetes",
    "Kubernetes 1.34.1",
    tuple(
        (name, f"k8s.io/kubernetes/cmd/{name}")
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-proxy",
            "kube-scheduler",
            "kubectl",
            "kubelet",
        )
    ),
    (
        "k8s.io/component-base/version.gitVersion=v1.34.1",
        "k8s.io/component-base/version.gitMajor=1",
        "k8s.io/component-base/version.gitMinor=34",
    ),
    "5-6 minutes",
)
COREDNS = GoTool("coredns", "CoreDNS 1.12.4", (("coredns", "github.com/coredns/coredns"),))
# Its own rules hand packets over by an expression that kernels may lack (CONFIG_NFT_QUEUE); the older target of
# iptables, in its first revision, does the same, and is there wherever nftables carries iptables' rules.
QUEUE_BY_TARGET = Patch(
    "sigs.k8s.io/kube-network-policies",
    "pkg/networkpolicy/controller.go",
    (
        (
            '\t"github.com/google/nftables/expr"\n',
            '\t"github.com/google/nftables/expr"\n\t"github.com/google/nftables/xt"\n',
        ),
        (
            """\tqueue := &expr.Queue{Num: uint16(c.config.QueueID)}
\tif c.config.FailOpen {
\t\tqueue.Flag = expr.QueueFlagBypass
\t}
""",
            """\tnumber := xt.Unknown(binaryutil.NativeEndian.PutUint16(uint16(c.config.QueueID)))
\tqueue := &expr.Target{Name: "NFQUEUE", Info: &number}
""",
        ),
    ),
)
POLICIES = GoTool(
    "kube-network-policies",
    "kube-network-policies 0.8.0",
    (("kube-network-policies", "."),),
    cold="15 s",
    # Its own main package cannot be given an API server.
    module=TOOLCHAIN / "kube-network-policies",
    patch=QUEUE_BY_TARGET,
)
LOCAL_PATH = GoTool(
    "local-path-provisioner",
    "local-path-provisioner 0.0.30",
    (("local-path-provisioner", "github.com/rancher/local-path-provisioner"),),
    ("main.VERSION=v0.0.30",),
    "10 s",
)
HELM = GoTool(
    "helm",
    "Helm 3.18.6",
    (("helm", "helm.sh/helm/v3/cmd/helm"),),
    ("helm.sh/helm/v3/internal/version.version=v3.18.6",),
    "half a minute",
)

# Ours: a broker and a gateway in the images, no tool of the machine's.
BROKER = GoTool(
    "broker",
    "the rehearsal broker",
    (("rehearsal-broker", "."),),
    cold="a minute",
    module=TOOLCHAIN.parent / "broker",
)

TOOLS = (
    ETCD,
    KUBERNETES,
    COREDNS,
    POLICIES,
    LOCAL_PATH,
    HELM,
    PULUMI,
    LANGUAGE_PYTHON,
    PROVIDER,
)


def modules() -> list[Path]:
    """The folders of every go.mod that something is built from."""
    return sorted({tool.module for tool in (*TOOLS, BROKER)})


def broker_part() -> Part:
    """The part that builds the rehearsal broker: `bin/rehearsal-broker` in its folder."""
    return _part(BROKER, BROKER.binaries)


def part_of(tool: GoTool, without: frozenset[str]) -> Part | None:
    """The part that builds a tool's binaries but those that the user already has; None if none is left."""
    wanted = tuple((name, package) for name, package in tool.binaries if name not in without)
    return _part(tool, wanted) if wanted else None


def _part(tool: GoTool, wanted: tuple[tuple[str, str], ...]) -> Part:
    inputs = [str(wanted), str(tool.versions), str(GO_FLAGS)]
    if tool.patch:
        inputs.append(str(tool.patch))
    files = [tool.module / name for name in ("go.mod", "go.sum")] + _own_sources(tool.module)
    return Part(
        name=tool.name,
        says=f"Building {tool.says} from Go modules (at first {tool.cold} on two cores)",
        key=key_of(*inputs, *files),
        build=lambda target: build(tool, wanted, target),
    )


def _own_sources(module: Path) -> list[Path]:
    """The Go files that are compiled beside the modules that a go.mod pins."""
    return [p for p in sorted(module.rglob("*.go")) if not p.name.endswith("_test.go")]


def build(tool: GoTool, wanted: tuple[tuple[str, str], ...], target: Path) -> None:
    """Build binaries into a folder; raises SandboxError."""
    check_go()
    source = _source(tool, target / "source")
    binaries = target / "bin"
    binaries.mkdir()
    # One package may be called otherwise than its binary (etcd's is "server"); several in one call share
    # the work and are called like theirs.
    output = binaries / wanted[0][0] if len(wanted) == 1 else binaries
    linked = " ".join(["-s -w", *(f"-X {v}" for v in tool.versions)])
    run(
        [
            "go",
            "build",
            *GO_FLAGS,
            "-ldflags",
            linked,
            "-o",
            output,
            *(package for _, package in wanted),
        ],
        what=f"building {tool.name}",
        remedy=REMEDY,
        cwd=source,
        env=GO_ENV,
    )
    if tool is LANGUAGE_PYTHON:
        launcher = "pulumi-language-python-exec"
        module = _module_folder(source, "github.com/pulumi/pulumi/sdk/v3")
        shutil.copyfile(module / "python" / "cmd" / launcher, binaries / launcher)
        (binaries / launcher).chmod(0o755)
    shutil.rmtree(target / "source", ignore_errors=True)


def _source(tool: GoTool, copy: Path) -> Path:
    """The folder to build in: the pinned one, or a copy of it with what has to be added."""
    if tool is PROVIDER:
        return _provider_source(copy)
    return _patched_source(tool.patch, tool.module, copy) if tool.patch else tool.module


def _provider_source(copy: Path) -> Path:
    """Bring together our main package and the two files of the module that it embeds."""
    shutil.copytree(PROVIDER.module, copy)
    module = _module_folder(PROVIDER.module, "github.com/pulumi/pulumi-kubernetes/provider/v4")
    for name in ("schema.json", "terraform-mapping.json"):
        shutil.copyfile(module / "cmd" / "pulumi-resource-kubernetes" / name, copy / name)
    return copy


def patched_text(patch: Patch, text: str) -> str:
    """Change a file's text.

    :raises SandboxError: the text to change is not there: the module is another version than the patch was made for.
    """
    for old, new in patch.changes:
        if old not in text:
            raise SandboxError(
                f"{patch.module} cannot be patched: {patch.path} no longer has the text {old.strip()!r}. "
                "Adapt the patch in sandbox/setup/parts/gotools.py to the version that go.mod pins."
            )
        text = text.replace(old, new)
    return text


def _patched_source(patch: Patch, module: Path, copy: Path) -> Path:
    """Bring together our main package and the patched module; Go patches nothing within its own cache."""
    shutil.copytree(module, copy)
    shutil.copytree(_module_folder(module, patch.module), copy / "patched")
    file = copy / "patched" / patch.path
    text = patched_text(patch, file.read_text())
    file.unlink()  # as the whole copy, it can be read only
    file.write_text(text)
    ask_go("mod", "edit", f"-replace={patch.module}=./patched", cwd=copy)
    return copy


def _module_folder(source: Path, module: str) -> Path:
    """Fetch one module (checked against go.sum) and say where Go keeps it."""
    fetched = json.loads(ask_go("mod", "download", "-json", module, cwd=source))
    return Path(fetched["Dir"])


@contextmanager
def fetching_ahead() -> Iterator[None]:
    """Fetch the tools' modules meanwhile: the network would be idle while others are made and compiled.

    Whatever fails here is fetched, and told, by the build that needs it.
    """
    folders = modules()
    fetching = [
        subprocess.Popen(
            ["go", "mod", "download"],
            cwd=folder,
            env={**os.environ, **GO_ENV},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for folder in folders
    ]
    try:
        yield
    finally:
        for process in fetching:
            process.terminate()
            process.wait()


def check_go() -> None:
    """Raise SandboxError unless a Go is there that builds the modules, itself or by fetching a newer one."""
    if which("go") is None:
        raise SandboxError(f"Go is missing: it builds etcd, Kubernetes and others. {GET_GO}")
    version = go_version(ask_go("env", "GOVERSION"))
    newest_asked = max(_asked(folder / "go.mod") for folder in modules())
    fetches = version >= OLDEST_GO and not ask_go("env", "GOTOOLCHAIN").startswith("local")
    if version < newest_asked and not fetches:
        raise SandboxError(
            f"Go {'.'.join(map(str, version))} is too old: the modules ask for "
            f"{'.'.join(map(str, newest_asked))}. Install a newer Go from https://go.dev/dl/, or with Go 1.21 "
            "or newer let it fetch one: go env -w GOTOOLCHAIN=auto"
        )


def cache_bytes() -> int:
    """How much Go's build and module caches hold already."""
    folders = [
        f for f in (Path(ask_go("env", name)) for name in ("GOCACHE", "GOMODCACHE")) if f.is_dir()
    ]
    sizes = subprocess.run(
        ["du", "-sk", *folders], capture_output=True, text=True, check=False
    ).stdout
    return sum(int(line.split()[0]) * 1024 for line in sizes.splitlines()) if folders else 0


def go_version(text: str) -> tuple[int, ...]:
    """The numbers in "go1.26.8"; () if there are none."""
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(n) for n in found.groups() if n) if found else ()


def _asked(go_mod: Path) -> tuple[int, ...]:
    found = re.search(r"^go (\S+)$", go_mod.read_text(), re.MULTILINE)
    return go_version(f"go{found[1]}") if found else ()


def ask_go(*argv: str, cwd: Path = Path("/"), given: str | None = None) -> str:
    """Run one of Go's commands by the settings of the builds, and return what it prints.

    :param argv: the command.
    :param cwd: by default outside a module: inside one, an older Go would fetch the newer one to tell its own version.
    :param given: what it reads.
    :raises SandboxError: it failed, or there is no Go.
    """
    try:
        done = subprocess.run(
            ["go", *argv],
            cwd=cwd,
            env={**os.environ, **GO_ENV},
            input=given,
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError:
        raise SandboxError(f"Go is missing. {GET_GO}") from None
    except subprocess.CalledProcessError as error:
        raise SandboxError(
            f"go {' '.join(argv)} failed: {(error.stderr or error.stdout).strip()}. {REMEDY}"
        ) from None
    return done.stdout.strip()
