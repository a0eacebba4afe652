"""The engine as a program sees it, which keeps what it is asked for: as it is when it leaves the Python SDK."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await

from components.outputs import outputs
from components.region import Region, RegionArgs
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.procedure import Phase
from dualregion.procedure.topology import Topology
from dualregion.state.progress import Stack, current_incident
from steps.context import StepContext

PROJECT = "/srv/project"
T = TypeVar("T")
BASE: dict[str, Any] = {"zeebe": {"env": [{"name": "MINE", "value": "kept"}]}}


@dataclass(frozen=True)
class Registered:
    """One resource as the engine is asked for it."""

    type: str
    name: str
    inputs: dict[str, Any]
    depends_on: frozenset[str]
    parent: str
    provider: str
    before_create: tuple[str, ...]
    after_create: tuple[str, ...]
    before_update: tuple[str, ...]
    before_delete: tuple[str, ...]
    secret_outputs: frozenset[str]
    retained: bool
    ignored: tuple[str, ...]
    deleted_first: bool
    replaced_for: tuple[str, ...]


class CallRefused(grpc.RpcError):
    """An engine's refusal, as it comes over the wire."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return str(self)


@dataclass
class Engine(pulumi.runtime.Mocks):
    """Answers as an engine whose every resource comes out as it went in."""

    states: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """Answers to the engine's functions that read the state backend, by token and stack."""
    failures: int = 0
    """How many of these calls fail first."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        (stack,) = args.args.values()
        if self.failures:
            self.failures -= 1
            raise CallRefused("unexpected end of JSON input\nand more")
        if (args.token, stack) not in self.states:
            raise CallRefused(f"unknown stack {stack!r}")
        return {"outputs": self.states[args.token, stack]}, []


class Recorder(mocks.MockMonitor):
    """Keeps each registration request before it is answered, by kind and name: `Release::normal`."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.found: dict[str, Registered] = {}
        self.hooks: dict[str, pulumi.ResourceHook] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        if request.type == "pulumi:pulumi:Stack":
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]
        kind = request.type.rpartition(":")[2]
        self.found[f"{kind}::{request.name}"] = Registered(
            type=request.type,
            name=request.name,
            inputs=rpc.deserialize_properties(request.object, keep_unknowns=True),
            depends_on=frozenset(key_of(urn) for urn in request.dependencies),
            parent=key_of(request.parent),
            provider=key_of(request.provider.rpartition("::")[0]),
            before_create=tuple(request.hooks.before_create),
            after_create=tuple(request.hooks.after_create),
            before_update=tuple(request.hooks.before_update),
            before_delete=tuple(request.hooks.before_delete),
            secret_outputs=frozenset(request.additionalSecretOutputs),
            retained=request.retainOnDelete,
            ignored=tuple(request.ignoreChanges),
            deleted_first=request.deleteBeforeReplace,
            replaced_for=tuple(request.replaceOnChanges),
        )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        self.hooks[hook.name] = hook


def key_of(urn: str) -> str:
    """Return `Release::normal` for a URN that ends in `$kubernetes:helm.sh/v3:Release::normal`."""
    if not urn:
        return ""
    types, name = urn.split("::")[-2:]
    return f"{types.rpartition(':')[2]}::{name}"


def run(work: Callable[[], T], engine: Engine | None = None) -> tuple[T, Recorder]:
    """Run a piece of a program as the SDK runs a whole one; return its result and what it asked for."""
    # A test before this one in the same process may have closed its own, by `asyncio.run`.
    _ensure_event_loop()  # type: ignore[no-untyped-call]
    engine = engine or Engine()
    recorder = Recorder(engine)
    pulumi.runtime.set_mocks(
        engine,
        project="camunda-dual-region",
        stack="region0",
        preview=False,
        monitor=recorder,
        organization="organization",
    )
    pulumi.runtime.settings.SETTINGS.callbacks = recorder
    results: list[T] = []
    _sync_await(run_pulumi_func(lambda: results.append(work())))
    return results[0], recorder


def site_of(
    found: Settings,
    cluster: Any = None,
    topology: Topology | None = None,
    peer: Stack | None = None,
) -> StepContext:
    """Return a site whose cluster is not asked: hooks do not run while resources are registered."""
    other = peer or Stack()
    wanted = topology or desired(found, BASE, other)
    return StepContext(
        cluster, found, wanted, print, incident=current_incident(found, Stack(), other)
    )


def declared(ctx: StepContext) -> Recorder:
    """Return what the region's component asks the engine for."""
    name = f"region{ctx.settings.region}"
    return run(lambda: Region(name, RegionArgs(ctx, PROJECT)))[1]


def of_type(recorder: Recorder, ending: str) -> dict[str, Registered]:
    return {each.name: each for each in recorder.found.values() if each.type.endswith(ending)}


def in_cluster(recorder: Recorder) -> set[str]:
    """Return what is asked for in the cluster itself."""
    return {key for key, each in recorder.found.items() if each.type.startswith("kubernetes:")}


RELEASE, NAMESPACE, POLICY, SECRETS, CONFIG_MAP, PROVIDER = (
    "helm.sh/v3:Release",
    "core/v1:Namespace",
    "networking.k8s.io/v1:NetworkPolicy",
    "core/v1:Secret",
    "core/v1:ConfigMap",
    "providers:kubernetes",
)
NORMAL_PEER = Stack(Phase.NORMAL, nodes=frozenset({"normal"}))


def behind(recorder: Recorder, name: str) -> set[str]:
    """Return all that the engine puts before a resource, directly or through others."""
    seen: set[str] = set()
    ahead = list(recorder.found[name].depends_on)
    while ahead:
        each = ahead.pop()
        if each not in seen:
            seen.add(each)
            ahead += recorder.found[each].depends_on
    return seen


def recorded(ctx: StepContext, engine: Engine | None = None) -> tuple[dict[str, Any], Recorder]:
    """Return a stack's outputs, resolved, and what its region's component asks the engine for."""

    async def resolved(found: dict[str, Any]) -> dict[str, Any]:
        value = await pulumi.Output.from_input(found).future()
        assert value is not None
        return dict(value)

    def work() -> "asyncio.Future[dict[str, Any]]":
        name = f"region{ctx.settings.region}"
        found = outputs(ctx, Region(name, RegionArgs(ctx, PROJECT)))
        return asyncio.ensure_future(resolved(found))

    made, recorder = run(work, engine)
    return made.result(), recorder


def exported(ctx: StepContext) -> dict[str, Any]:
    """Return a stack's outputs, resolved."""
    return recorded(ctx)[0]
