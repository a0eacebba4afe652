"""What a preview must show, and what it must not: checks on the engine's events of `pulumi preview`."""

import json
from collections.abc import Iterable, Mapping, Sequence

from drill.check import Check, check_of
from drill.observation.events import UNCHANGED, Event, Moment
from drill.procedure.model import Procedure
from drill.procedure.versions import DEFAULT_VERSION, VERSIONS
from drill.regions import Region

_CONFIG_MAP = "core/v1:ConfigMap"
_POLICY = "networking.k8s.io/v1:NetworkPolicy"
_GATE = "dualregion:index:Gate"
_INSTALLED = ("helm.sh/v3:Release", "core/v1:Namespace")
"""How the types end of what an installation is made of."""


def preview_shows(
    preview: Iterable[Event],
    region: Region,
    steps: Sequence[str],
    procedure: Procedure = VERSIONS[DEFAULT_VERSION].procedure,
    *,
    isolates: bool = True,
) -> Check:
    """The preview before the failover shows the gates to come, and what else the procedure changes.

    :param preview: its events.
    :param region: the survivor.
    :param steps: of the gates.
    :param procedure: which one it is.
    :param isolates: whether the program is to isolate the lost region.
    """
    named = {"failover": region.failover_namespace}
    wanted = {
        each.what.format(**named): (each.type, each.operation, each.text.format(**named))
        for each in procedure.announced
        if isolates or each.type != _POLICY
    } | {f"gate {step}": (_CONFIG_MAP, "create", _gate(step)) for step in steps}
    return _previewed(procedure.preview_sentence, preview, wanted)


def no_release_changes(preview: Iterable[Event]) -> Check:
    """A preview leaves releases and namespaces as they are: nothing restarts a broker that still works."""
    problems = [
        f"{each.type} {each.name} ({each.operation})"
        for each in _changes(preview)
        if each.type.endswith(_INSTALLED)
    ]
    return check_of(
        "The preview before the failover changes no release and makes no namespace",
        problems,
        "none of either",
    )


def preview_shows_failback(preview: Iterable[Event], *, isolates: bool = True) -> Check:
    """The preview of the failback's first turn shows the first gate to come, and the isolation to go.

    :param isolates: whether the program had isolated the lost region.
    """
    wanted = {"gate B0 to come": (_CONFIG_MAP, "create", _gate("B0"))}
    if isolates:
        wanted["the isolation to go"] = (_POLICY, "delete", "")
    return _previewed(
        "The preview before the failback shows its first gate to come, and any isolation to go",
        preview,
        wanted,
    )


def only_gates_change(exit_status: int, preview: Iterable[Event], region: Region) -> Check:
    """A preview of phase normal after the failback changes gates alone: the rest is as in normal already."""
    changes = _changes(preview)
    problems = [f"`pulumi preview` ended with exit status {exit_status}"] if exit_status else []
    problems += [f"{each.type} ({each.operation})" for each in changes if not _is_gate(each)]
    if not any(_is(each, _CONFIG_MAP, "create", _gate("N")) for each in changes):
        problems.append("gate N does not come")
    return check_of(
        f"A preview of phase normal on {region.stack} shows no change but the gates",
        problems,
        f"{len(changes)} changes, all of gates",
    )


def no_change(exit_status: int, seconds: float) -> Check:
    """A preview right after the failover has nothing to change."""
    problems = (
        []
        if exit_status == 0
        else [f"`pulumi preview --expect-no-changes` ended with {exit_status}"]
    )
    return check_of(
        "A preview after the failover shows no change",
        problems,
        f"no change, found in {seconds:.1f} s",
    )


def healthy_region_is_refused(exit_status: int, output: str) -> Check:
    """A preview that calls a living region lost is refused, with the reason (swapped regions)."""
    problems = []
    if exit_status == 0:
        problems.append("the preview of a failover of a living region succeeded")
    if "[region-not-lost]" not in output:
        problems.append("the refusal does not give the reason, that the region is not lost")
    return check_of(
        "A failover of a region that lives is refused before anything changes",
        problems,
        "refused: its brokers are still in the topology",
    )


def _previewed(
    name: str, preview: Iterable[Event], wanted: Mapping[str, tuple[str, str, str]]
) -> Check:
    """Check that a preview has changes: what -> end of the type, operation, what comes with it."""
    changes = _changes(preview)
    problems = [
        f"it lacks: {what}"
        for what, how in wanted.items()
        if not any(_is(each, *how) for each in changes)
    ]
    return check_of(name, problems, f"{len(changes)} changes, among them {', '.join(wanted)}")


def _changes(preview: Iterable[Event]) -> list[Event]:
    return [
        each for each in preview if each.moment is Moment.BEGUN and each.operation not in UNCHANGED
    ]


def _is(change: Event, type_: str, operation: str, text: str) -> bool:
    """Whether a change is of such a kind, and brings a text that was not there before."""
    return (
        change.type.endswith(type_)
        and change.operation == operation
        and (not text or text in json.dumps(change.inputs))
        and (not text or text not in json.dumps(change.former))
    )


def _gate(step: str) -> str:
    """Return how a gate's ConfigMap is named in a preview."""
    return f'"dual-region-{step.lower()}"'


def _is_gate(change: Event) -> bool:
    """Whether a change is of a gate: the component, or its ConfigMap."""
    metadata = (change.inputs or change.former).get("metadata") or {}
    is_record = str(metadata.get("name")).startswith("dual-region-")
    return change.type == _GATE or (change.type.endswith(_CONFIG_MAP) and is_record)
