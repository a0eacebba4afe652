"""What users' states and scripts hold, compared with a record of it.

Stacks that an earlier version made, and operators' scripts, know the program by names: of resources and hooks, gates
and labels, settings and outputs, options, exit statuses and keys of JSON. Another name is an outage, or a script that
fails in the night. So all of them are read off the running program and compared with the record, one name a line.
"""

import ast
import asyncio
import importlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Any

import pulumi
import pytest
import typer
import yaml
from pulumi.runtime import rpc
from pydantic import BaseModel
from typer.main import get_command
from typer.testing import CliRunner

from cli.__main__ import app
from cli.check import Outcome
from cli.checks.offline import CheckContext
from cli.commands import plan, preflight
from cli.commands.preflight import Procedure
from cli.commands.status import answering as status_command
from cli.common import json_text
from cli.driver.previews import Preview
from cli.errors import Exit
from cli.metrics.families import COMMON, OF_PREFLIGHT, OF_RUNS, OF_STATUS
from cli.notify.events import Point as Announced
from cli.report.document import document as report_document
from cli.stacks.locks import Lock
from cli.stacks.read import Update
from cli.status.health import Health, judge
from cli.status.service import Commands, Exports, WebApps
from cli.transcript import KEYS, Event
from clients.installation import LiveInstallation
from drill import __main__ as drill
from drill.checks.audit import Rights
from drill.errors import DrillError
from drill.operators.points import Interruption, Point, Turn
from drill.procedure.model import Until
from drill.procedure.subjects import INSTALL
from drill.report import report
from drill.report.report import CtrlC
from drill.report.results import Answer, report_of
from drill.settings import DrillSettings
from drill.testbed.foreign import ForeignPair, ForeignSettings
from dualregion import rbac
from dualregion.config.environment import environment_problems
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired, remembered
from dualregion.names import POLICY_NAME
from dualregion.procedure import STEP_IDS, Phase, Role
from dualregion.procedure.topology import DNS_CHAIN, DNS_LOAD_BALANCER, NO_INCIDENT, Gate, Kind
from dualregion.state.held import nodes_of, stack_of
from dualregion.state.progress import Incident, Stack, current_incident
from sandbox.own.images import OwnImages
from steps.context import StepContext
from steps.releases import helm_records
from tests.checkout import CHECKOUT, GOLDEN
from tests.fakes import command as seen
from tests.fakes import pulumi_command
from tests.fakes.kubernetes import FakeKubernetes
from tests.fakes.pulumi_engine import BASE, Registered, declared, key_of, recorded
from tests.fakes.regions import RECREATED, SURVIVOR, TURNS, World, web_app, world
from tests.inputs.examples import (
    ACLS,
    acls,
    chained_settings,
    region,
    settings,
    storage,
    with_roles,
)
from tests.inputs.incidents import account, at
from tests.unit.cli.commands.test_history import record as proved
from tests.unit.cli.notify.test_notifier import HOOKS, Hooked
from tests.unit.cli.stacks.test_stacks import GATE, resource
from tests.unit.drill.report.test_report import progress, results
from tests.unit.program.test_backup_storage import Aws
from tests.unit.program.test_failback_program import record
from tests.unit.steps.failback.test_whole import whole_failback

RECORD = GOLDEN / "compatibility.yaml"
COMMAND = "python -m pytest tests/unit/repository/test_compatibility.py --record"
HEAD = f"# What users' states and scripts hold. Written by `{COMMAND}`; read the diff.\n"
CHANGED = (
    "This is what users' states and scripts hold. A line that is gone or changed (-) needs a migration: aliases of "
    "resources, the former names of hooks still registered, the former keys still read or written, and an entry in "
    f"CHANGELOG.md. A line that is only new (+) needs no more than a record. To record it again, run `{COMMAND}`."
)
PROGRAM = ("messages", "dualregion", "clients", "steps", "components", "cli", "drill", "sandbox")
"""The packages, in which environment variables are read."""
WORDS: Mapping[str, type[StrEnum]] = {
    "phases": Phase,
    "roles": Role,
    "health": Health,
    "whether commands are accepted": Commands,
    "whether records are exported": Exports,
    "whether web apps are up": WebApps,
    "outcomes of checks": Outcome,
    "points at which hooks are called": Announced,
    "what a preflight is for": Procedure,
    "events of a transcript": Event,
    "how far a drill goes": Until,
}
"""What scripts compare."""

NOW = "2026-01-02T03:00:00.000Z"

Sections = defaultdict[str, set[str]]
"""What is found: lines by what they are about."""


def test_what_users_hold_is_as_it_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    found: Sections = defaultdict(set)
    of_states(found)
    of_clusters(found, tmp_path)
    of_settings(found)
    of_commands(found)
    of_documents(found, tmp_path, monkeypatch)
    of_environment(found, tmp_path)
    if pytestconfig.getoption("--record"):
        text = yaml.safe_dump({about: sorted(found[about]) for about in found}, width=1000)
        RECORD.write_text(HEAD + text)
    changes = "\n".join(_changes(yaml.safe_load(RECORD.read_text()), found))
    assert not changes, f"\n{changes}\n\n{CHANGED}"


def _changes(known: Mapping[str, list[str]], found: Sections) -> Iterator[str]:
    """Yield what is gone, and what is new."""
    for about in sorted({*known, *found}):
        before, now = set(known.get(about, ())), found[about]
        yield from (f"- {about}: {line}" for line in sorted(before - now))
        yield from (f"+ {about}: {line}" for line in sorted(now - before))


# --- What a stack's state holds ------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """A stack at the beginning of one of its turns.

    :ivar is_lost: whether its own region is the one that is lost.
    :ivar mine: the gates in its state.
    :ivar theirs: those in the other stack's.
    """

    name: str
    phase: Phase
    is_lost: bool = False
    mine: str = ""
    theirs: str = ""


MEMBER = Moment("member", Phase.NORMAL, theirs="N")
FAILING_OVER = Moment("survivor F0 to F3", Phase.FAILOVER, mine="N")
LOST = Moment("lost, not taken over yet", Phase.FAILOVER, True, mine="N", theirs="N")
MOMENTS = (
    Moment("member, alone", Phase.NORMAL),
    MEMBER,
    FAILING_OVER,
    LOST,
    replace(LOST, name="lost, taken over", theirs="F0 F1 F2 F3"),
    *(
        Moment(f"{role} {step}", Phase(phase), role == RECREATED, mine, theirs)
        for (step, role), (phase, mine, theirs) in TURNS.items()
    ),
)
"""Every turn of the procedure, on either side."""


def everything(index: int, phase: Phase, lost: int, **changes: Any) -> Settings:
    """Return settings that make all that the program can make in clusters, and the isolation on AWS."""
    regions = [
        region(
            each,
            podCidrs=[f"10.18{each}.0.0/16"],
            networkAcls=acls(each, ids=ACLS[each][:1]),
            dnsAddresses=[f"10.18{each}.0.53"],
        )
        for each in (0, 1)
    ]
    wanted: dict[str, Any] = {
        "regions": regions,
        "dns": {"chain": True, "loadBalancer": {"create": True}},
        "elasticsearchSecret": {"name": "elasticsearch-env-secret", "data": {"MINE": "hush"}},
        "rights": {"subject": "group:operators", "peerSubject": "group:others"},
        "backup": {"settings": {"bucket": "mine"}},
    }
    incident = {} if phase is Phase.NORMAL else {"lostRegion": lost}
    return settings(region=index, phase=phase.value, **wanted | incident | changes)


def stack_with(gates: str, index: int, lost: int) -> Stack:
    """Return what the state of a stack holds that has proved these steps."""
    if not gates:
        return Stack()
    proven = gates.split()
    incident = NO_INCIDENT if gates == "N" else str(Incident(1, lost))
    stands_in = index != lost and gates != "N" and "B5" not in proven
    nodes = {Kind.NORMAL, DNS_CHAIN, DNS_LOAD_BALANCER, *proven} | (
        {Kind.FAILOVER} if stands_in else set()
    )
    phases = {"N": Phase.NORMAL, "F": Phase.FAILOVER, "B": Phase.FAILBACK_PENDING}
    of_gates = dict.fromkeys(proven, incident)
    return Stack(phases[gates[0]], lost, frozenset(nodes), index, of_gates)


def site_at(moment: Moment, lost: int, **changes: Any) -> StepContext:
    """Return where a stack works at the beginning of a turn."""
    index = lost if moment.is_lost else 1 - lost
    found = everything(index, moment.phase, lost, **changes)
    own, peer = stack_with(moment.mine, index, lost), stack_with(moment.theirs, 1 - index, lost)
    topology = desired(found, BASE, peer, own)
    incident = current_incident(found, own, peer)
    return StepContext(None, found, topology, print, own, peer, incident)  # type: ignore[arg-type]


def silent(lost: int) -> StepContext:
    """Return a lost region that does not answer, and keeps all that its state holds."""
    ctx = site_at(LOST, lost)
    held = replace(ctx.own, nodes=ctx.own.nodes | {"normal-isolation"})
    return replace(ctx, topology=remembered(ctx.settings, held))


def proved_again(ctx: StepContext) -> StepContext:
    """Return a site all of whose gates are proved for the second time in their incident, after a back-out."""
    again = (
        replace(each, proof=2, round=2) if isinstance(each, Gate) else each
        for each in ctx.topology.nodes
    )
    return replace(ctx, topology=replace(ctx.topology, nodes=tuple(again)))


def sites() -> Iterator[tuple[str, StepContext]]:
    """Yield every turn on either side, with region 0 and region 1 lost, and what is made in no turn but this."""
    for moment, lost in product(MOMENTS, (1, 0)):
        yield moment.name, site_at(moment, lost)
    role = storage(buckets=with_roles(), access="role")
    for lost in (1, 0):
        yield MEMBER.name, site_at(MEMBER, lost, backup=role)
        for moment in (MEMBER, FAILING_OVER):
            keys = storage(create=True, access="keys")
            yield moment.name, site_at(moment, lost, backup=keys)
        yield "lost, silent", silent(lost)
        yield FAILING_OVER.name, proved_again(site_at(FAILING_OVER, lost))


def of_states(found: Sections) -> None:
    """Find what states hold, by recording what every turn asks the engine for."""
    registered = []
    for moment, ctx in sites():
        outputs, recorder = recorded(ctx, Aws())
        registered.append(set(recorder.hooks))
        urns = recorder.get_registered_resources()
        # Outputs are the inputs here, as far as a stack is read.
        stack = stack_of(
            outputs, nodes_of({urn: recorder.found[key_of(urn)].inputs for urn in urns})
        )
        found["outputs of a stack"] |= set(paths(outputs))
        found["resources: types and name, as in a URN"] |= {urn.split("::", 2)[2] for urn in urns}
        found["nodes that a state shows after a turn"] |= {
            f"{moment}: {each}" for each in stack.nodes
        }
        found["what is read of a state"] |= {in_general(line) for line in _read(stack)}
        for each in recorder.found.values():
            of_resource(found, each, stays=ctx.topology.unchanged)
    always = "hooks that every run registers, as nothing is deleted whose hook is unknown"
    found[always] = set.intersection(*registered)
    found["gates"] = set(STEP_IDS)
    found["Pulumi project"] = {yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())["name"]}


def _read(stack: Stack) -> Iterator[str]:
    """Yield what the program understands of a state."""
    yield from (
        f"phase {stack.phase}",
        f"region {stack.region}",
        f"lost region {stack.lost_region}",
    )
    yield from (f"gate {step} of {incident}" for step, incident in stack.gates.items())
    yield from (f"record of {step}: {key}" for step in stack.records for key in stack.records[step])
    yield from (
        f"history of {step} in {name}" for name in stack.history for step in stack.history[name]
    )
    yield f"claim of {stack.claim}"
    yield f"DNS chain written {stack.chain_writes} times"
    yield f"made with sizes {', '.join(stack.recorded.sizes)}"


def of_resource(found: Sections, each: Registered, *, stays: bool) -> None:
    """Find what a state holds of a resource, beside its URN.

    :param stays: whether all of it is ignored, as the region stays as it is.
    """
    kind = each.type.rpartition(":")[2]
    key, metadata = in_general(f"{kind}::{each.name}"), each.inputs.get("metadata") or {}
    data = rpc.unwrap_rpc_secret(each.inputs.get("stringData")) or each.inputs.get("data") or {}
    hooks = {
        "before create": each.before_create,
        "after create": each.after_create,
        "before update": each.before_update,
        "before delete": each.before_delete,
    }
    found["hooks of resources"] |= {
        in_general(f"{key} {when}: {hook}") for when in hooks for hook in hooks[when]
    }
    found["what a resource is in its cluster or account"] |= {
        f"{kind}::{each.name} {name}: {value}"
        for name, value in (*each.inputs.items(), *metadata.items())
        if name in IDENTIFYING
    }
    found["labels"] |= {f"{key} {name}" for name in metadata.get("labels") or ()}
    annotations = metadata.get("annotations") or {}
    found["annotations"] |= {f"{key} {name}: {text}" for name, text in annotations.items()}
    found["keys of ConfigMaps and Secrets"] |= {f"{key} {name}" for name in data}
    found["how a resource is replaced and deleted"] |= {
        *([f"{key} stays when it is deleted"] if each.retained else []),
        *([f"{key} is deleted before it is replaced"] if each.deleted_first else []),
        *(f"{key} is replaced for {name}" for name in each.replaced_for),
        *(f"{key} ignores {name}" for name in (() if stays else each.ignored)),
    }


IDENTIFYING = (
    *("name", "namespace", "bucket", "user", "role"),
    *("clusterIdentifier", "networkAclId", "ruleNumber"),
)
"""The inputs that make a resource another one if they change, so that it is replaced."""


# --- What is in the clusters beside that ---------------------------------------------------------


def of_clusters(found: Sections, folder: Path) -> None:
    """Find what hooks read and write, by letting them do their work in two fake clusters."""
    with world(1, folder) as here:
        _fail_over(here)
        _install(here)
        whole_failback(here, lambda step, role: _create(here.ctx(step, role), gate(step)))
        _be_normal(here)
        _adopt(here)
        _chain_dns(here)
    for fake in (here.near, here.far):
        found["field managers of the hooks"] |= fake.managers
        _of_cluster(found, fake)
    wanted = everything(0, Phase.NORMAL, 1)
    found["objects that dualregion rights prints"] = {
        f"{each['kind']} {each['metadata']['name']}"
        for index in (0, 1)
        for each in rbac.manifests(wanted, index)
    }


def gate(step: str) -> str:
    """Return by what name the recorder has a gate's record."""
    return f"ConfigMap::{step}"


def _create(ctx: StepContext, key: str) -> None:
    """Let the engine create a resource: it calls its hooks first."""
    recorder = declared(ctx)
    args: Any = pulumi.ResourceHookArgs("urn", "", key, "t")
    for name in recorder.found[key].before_create:
        hook: Any = recorder.hooks[name].callback
        asyncio.run(hook(args))


def _fail_over(here: World) -> None:
    """Prove F0 to F3, of which all is there but the policies."""
    policies = "/apis/networking.k8s.io/v1/namespaces"
    for namespace in here.namespaces[:2]:
        policy = {"metadata": {"name": POLICY_NAME, "uid": namespace}}
        here.near.put(f"{policies}/{namespace}/networkpolicies", policy)
    for step, before in {"F0": "", "F1": "F0", "F2": "F0 F1", "F3": "F0 F1 F2"}.items():
        ctx = here.failing_over(before)
        claimed = replace(ctx.own, claim=here.incident)
        _create(replace(ctx, own=claimed, cluster_id="uid"), gate(step))


def _install(here: World) -> None:
    here.has_namespace(here.far, here.recreated.namespace)
    _create(here.ctx("B1", RECREATED), f"Release::{Kind.NORMAL}")


def _be_normal(here: World) -> None:
    gateway = web_app("zeebe-gateway", 1)
    here.near.put(f"/apis/apps/v1/namespaces/{here.survivor.namespace}/deployments", gateway)
    _create(here.site_after(SURVIVOR, "normal", "", "N"), gate("N"))


def _adopt(here: World) -> None:
    place = here.survivor.namespace
    kept = record(place, 1, "deployed", {})
    kept["metadata"]["uid"] = "UID"
    here.near.put(f"/api/v1/namespaces/{place}/secrets", kept)
    helm_records.set_aside(LiveInstallation(here.cluster(here.survivor), place, "camunda"))


def _chain_dns(here: World) -> None:
    place = {"name": "coredns", "namespace": "kube-system", "resourceVersion": "1"}
    corefile = {"metadata": place, "data": {"Corefile": ".:53 {\n    errors\n}\n"}}
    here.near.put("/api/v1/namespaces/kube-system/configmaps", corefile)
    found = chained_settings(kubeconfig=here.kubeconfig, deadlineSeconds=30)
    cluster = here.cluster(here.survivor)
    ctx = StepContext(cluster, found, desired(found, BASE, Stack()), here.said.append)
    _create(ctx, f"ConfigMap::{DNS_CHAIN}")


_RECORD = re.compile(r"\bdual-region-[nfb]\d?\b")
"""The name of a gate's record."""


def _of_cluster(found: Sections, fake: FakeKubernetes) -> None:
    """Find what was read and written in a cluster."""
    for asked in fake.asked:
        kind, name = asked.split("/")[-2:]
        if kind in ("configmaps", "secrets", "deployments"):
            found["ConfigMaps, Secrets and Deployments that hooks ask for"].add(f"{kind}/{name}")
    for asked, body in fake.bodies.items():
        name, metadata = asked.rpartition("/")[2], (body or {}).get("metadata") or {}
        for part in ("labels", "annotations"):
            found[f"{part} that hooks write"] |= {
                f"{name} {key}" for key in metadata.get(part) or ()
            }
    for collection, documents in fake.objects.items():
        if collection.endswith("/configmaps"):
            for name, document in documents.items():
                _of_config_map(found, name, document["data"])


def _of_config_map(found: Sections, name: str, data: Mapping[str, str]) -> None:
    found["keys of ConfigMaps that hooks write"] |= {
        f"{_RECORD.sub('dual-region-STEP', name)} {key}" for key in data
    }
    evidence = json.loads(data.get("evidence", "{}"))
    found["evidence of steps"] |= {f"{name} {key}" for key in evidence}
    found["marks in a Corefile"] |= set(
        re.findall(r"^#.*$", data.get("Corefile", ""), re.MULTILINE)
    )


# --- Settings, commands, documents ---------------------------------------------------------------


def of_settings(found: Sections) -> None:
    """Find the keys of what users write down, each with what it may be and what it is by default."""
    found["settings of a stack"] = set(keys_of(Settings))
    found["settings of a drill's --on FILE"] = set(keys_of(ForeignSettings))
    found["settings of a drill's --images FILE"] = set(keys_of(OwnImages))


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """Yield the paths of a model's keys, in all of its sections."""
    schema = model.model_json_schema()
    sections = schema.get("$defs", {})

    def walk(part: Mapping[str, Any], path: str) -> Iterator[str]:
        part = sections[part["$ref"].rsplit("/", 1)[1]] | part if "$ref" in part else part
        if "enum" in part:
            yield from (f"{path} may be {each}" for each in part["enum"])
        for key, inner in part.get("properties", {}).items():
            place = f"{path}.{key}".lstrip(".")
            yield place
            if isinstance(inner.get("default"), str | int | float):
                yield f"{place} is by default {json.dumps(inner['default'], sort_keys=True)}"
            yield from walk(inner, place)
        for inner in (
            *part.get("prefixItems", ()),
            *([part["items"]] if part.get("items") else ()),
        ):
            yield from walk(inner, f"{path}[]")
        for inner in part.get("anyOf", ()):
            yield from walk(inner, path)

    return walk(schema, "")


def of_commands(found: Sections) -> None:
    """Find commands with their options, and exit statuses."""
    rehearsal = typer.Typer()
    rehearsal.command()(drill.main)
    ends = {name: value for name, value in vars(drill).items() if name.startswith("EXIT_")}
    healths = status_command.EXITS.items()
    found["options of dualregion"] = set(_options_of(get_command(app), "dualregion"))
    found["options of python -m drill"] = set(_options_of(get_command(rehearsal), "drill"))
    found["exit statuses of dualregion"] = {f"{each.name} {each.value}" for each in Exit}
    found["exit statuses of dualregion status"] = {f"{each} {end.value}" for each, end in healths}
    found["exit statuses of python -m drill"] = {f"{name} {end}" for name, end in ends.items()}


def _options_of(command: Any, path: str) -> Iterator[str]:
    """Yield a command of Typer's, with its options and arguments, and all commands below it."""
    yield path
    for each in command.params:
        yield from (f"{path} {option}" for option in (*each.opts, *each.secondary_opts))
        if each.envvar:
            yield f"{path} {each.opts[0]} or ${each.envvar}"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _options_of(inner, f"{path} {name}")


def of_documents(found: Sections, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Find the keys of the JSON that scripts read, and the words that they compare."""
    _of_answers(found, folder, monkeypatch)
    played = Hooked()
    played.way()
    for document in played.documents:
        found["JSON that a user's own hook is given"] |= set(paths(document))
    drilled = json.loads(report.as_json(_whole_report(folder)))
    found["JSON of a drill's report"] = set(paths(drilled))
    found["keys of each line of a transcript"] = set(KEYS)
    found["metrics, with their labels"] = {
        f"{each.full_name} {' '.join((*COMMON, *each.labels))}"
        for each in (*OF_RUNS, *OF_STATUS, *OF_PREFLIGHT)
    }
    for name, words in WORDS.items():
        found[f"words of {name}"] = {str(word) for word in words}


def _of_answers(found: Sections, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Find the keys of what `dualregion` answers with `--json`."""
    pulumi_command.make_project(folder)
    pulumi = pulumi_command.install(folder, monkeypatch)
    reachable = [region(each, dnsAddresses=[f"10.18{each}.0.53"]) for each in (0, 1)]
    for index in (0, 1):
        pulumi.stack(f"region{index}", index, hooks=HOOKS, regions=reachable)
    monkeypatch.setattr(plan, "preview", lambda _, stack, *__: Preview(stack))
    monkeypatch.setattr(preflight, "_context", lambda *_: _silence())

    def answer(command: str, *arguments: str) -> None:
        result = CliRunner().invoke(app, ["-C", str(folder), command, *arguments, "--json"])
        found[f"JSON of dualregion {command}"] |= set(paths(json.loads(result.output)))

    answer("plan", "failover", "--lost", "1")
    answer("dns")
    answer("preflight")
    answer("config", "check")
    for status in _statuses():
        monkeypatch.setattr(status_command, "look", lambda *_, status=status, **__: status)
        answer("status")
    run = {"kind": "update", "startTime": NOW, "endTime": NOW, "message": "", "result": "failed"}
    pulumi.answers("stack history", [run | {"environment": {}, "config": {}}], "region0")
    moments = {"B2": {"pausedAt": NOW}, "B5": {"resumedAt": NOW}}
    held = [resource(GATE, step, data=proved(step, 1, **told)) for step, told in moments.items()]
    pulumi.holds("region0", {"resources": held})
    answer("history")
    whole = report_document(account(lost_at=at(0)))
    found["JSON of dualregion report"] = set(paths(json.loads(json_text(whole))))


def _silence() -> CheckContext:
    """Return two regions that do not answer: nothing of a preflight asks a cluster."""
    return CheckContext(
        judge(seen.normal(), (seen.unreachable(0), seen.unreachable(1))), "s3://states"
    )


def _statuses() -> Iterator[Any]:
    """Yield statuses that have, together, everything that a status can have."""
    now = datetime.now(UTC)
    update, lock = Update("update", "succeeded", "", now, now), Lock("ada", "desk", 1, now)
    first, second = (replace(each, last=update, locks=(lock,)) for each in seen.normal())
    yield judge((first, second), seen.whole())
    yield judge(seen.failing_over([]), seen.taken_over())
    yield judge(seen.failing_back(["B0"], ["B1"]), seen.returned("PAUSED"))


def _whole_report(folder: Path) -> report.Report:
    """Return the report of a drill in which everything happened."""
    point = Point(INSTALL, after=False)
    found = results()
    found.turns = [
        Turn(1, "failover", "region0", [Interruption(point, 1.0, 1)], {2: {point.resource}})
    ]
    found.answers["failover"] = Answer(1.0)
    found.episodes[0].ctrl_c = CtrlC(step="F2", ended_seconds=1.0, again_seconds=2.0)
    rights = Rights(granted=(), used=(), never_used=(), refused=())
    made = report_of(DrillSettings(), found, progress(folder), None)
    return made.model_copy(update={"rights": {"own": rights}})


def in_general(text: str) -> str:
    """Return a text that stands for all steps and incidents: each goes by the same names."""
    return re.sub(r"\b(?:N|[FB]\d)\b", "STEP", re.sub(r"\b\d+-region[01]-lost\b", "INCIDENT", text))


def paths(document: Any, prefix: str = "") -> Iterator[str]:
    """Yield the paths of all keys of a JSON document."""
    if isinstance(document, Mapping):
        for key, inner in document.items():
            path = f"{prefix}.{'NUMBER' if key.isdigit() else in_general(key)}".lstrip(".")
            yield path
            yield from paths(inner, path)
    elif isinstance(document, list | tuple):
        for inner in document:
            yield from paths(inner, f"{prefix}[]")


# --- Environment variables -----------------------------------------------------------------------


def of_environment(found: Sections, folder: Path) -> None:
    """Find the environment variables by which users steer the program, and by which it tells their commands."""
    noting = Noting()
    environment_problems(noting)
    found["environment variables that are read"] = {*_read_variables(), *noting.asked}
    found["environment variables that a user's commands are given"] = _given_variables(folder)


def _read_variables() -> Iterator[str]:
    """Yield the names that the program reads, where its source reads the environment."""
    for source in (path for package in PROGRAM for path in (CHECKOUT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text())):
            for name in _asked_of_environment(node):
                is_literal = isinstance(name, ast.Constant)
                yield str(name.value) if is_literal else _constant(source, name.id)


def _asked_of_environment(node: ast.AST) -> Iterator[Any]:
    """Yield what an expression asks of `os.environ`: a literal, or a constant's name."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ")), args=[name, *_]):
            yield name
        case ast.Call(func=ast.Attribute(attr="getenv"), args=[name, *_]):
            yield name
        case ast.Subscript(value=ast.Attribute(attr="environ"), slice=name):
            yield name
        case ast.Compare(left=name, comparators=[ast.Attribute(attr="environ")]):
            yield name


def _constant(source: Path, name: str) -> str:
    module = ".".join(source.relative_to(CHECKOUT).with_suffix("").parts)
    return str(getattr(importlib.import_module(module), name))


class Noting(Mapping[str, str]):
    """An empty environment that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _given_variables(folder: Path) -> set[str]:
    """Return the names by which a drill tells the user's commands which region it is."""
    names = folder / "names"
    lose = ("sh", "-c", f"env > {names}; exit 1")
    pair = ForeignPair(
        ForeignSettings(contexts=("a", "b"), lose_command=lose), Path("kubectl"), names, "", print
    )
    with pytest.raises(DrillError):
        pair.lose(0)
    given = (line.partition("=")[0] for line in names.read_text().splitlines())
    return {name for name in given if name.startswith("DRILL_")}
