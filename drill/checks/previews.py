"""What a preview must show, and what it must not: checks on the text of `pulumi preview --diff`."""

import re
from collections.abc import Mapping, Sequence

from drill.check import Check, judged
from drill.regions import Region

_NO_CHANGE = ("same", "refresh", "read")
"""What a preview says of resources that it leaves as they are."""

_RESOURCE_HEAD = re.compile(
    r"^\s*[-+~]*\s*(?P<type>[^\s:]+:[^\s:]+:[^\s:]+): \((?P<operation>[a-z-]+)\)", re.MULTILINE
)

_GATE_NAME = re.compile(r"""\[id=[^\]]*/dual-region-|\bname\s*: "dual-region-""")
_OUTPUTS = "--outputs:--"
"""What stands after the last resource."""


def preview_shows(preview: str, region: Region, steps: Sequence[str]) -> Check:
    """The preview before the failover shows namespace, gates and release values to come.

    `preview` is the text of `pulumi preview --diff`.
    """
    namespace = region.failover_namespace
    wanted = {
        f"namespace {namespace}": ("core/v1:Namespace", "create", f'"{namespace}"'),
        "release with installation type failOver": ("helm.sh/v3:Release", "create", '"failOver"'),
        "exporters' new address in the survivor's release": (
            "helm.sh/v3:Release",
            "update",
            f".{namespace}.svc",
        ),
    } | {f"gate {step}": ("core/v1:ConfigMap", "create", _gate(step)) for step in steps}
    return _previewed(
        "The preview before the failover shows gates, namespace and release values to come",
        preview,
        wanted,
    )


def preview_shows_failback(preview: str) -> Check:
    """The preview of the failback's first turn shows the first gate to come and the isolation to go."""
    wanted = {
        "gate B0 to come": ("core/v1:ConfigMap", "create", _gate("B0")),
        "the isolation to go": ("networking.k8s.io/v1:NetworkPolicy", "delete", ""),
    }
    return _previewed(
        "The preview before the failback shows its first gate to come and the isolation to go",
        preview,
        wanted,
    )


def only_gates_change(exit_status: int, preview: str, region: Region) -> Check:
    """A preview of phase normal after the failback changes gates alone: the rest is as in normal already."""
    changes = _previewed_changes(preview)
    real = [change for change in changes if change[1] not in _NO_CHANGE]
    problems = [f"`pulumi preview` ended with exit status {exit_status}"] if exit_status else []
    problems += [f"{kind} ({done})" for kind, done, body in real if not _is_gate(kind, body)]
    if not any(
        kind.endswith("core/v1:ConfigMap") and done == "create" and _gate("N") in body
        for kind, done, body in real
    ):
        problems.append("gate N does not come")
    return judged(
        f"A preview of phase normal on {region.stack} shows no change but the gates",
        problems,
        f"{len(real)} changes, all of gates",
    )


def no_change(exit_status: int, seconds: float) -> Check:
    """A preview right after the failover has nothing to change."""
    problems = (
        []
        if exit_status == 0
        else [f"`pulumi preview --expect-no-changes` ended with {exit_status}"]
    )
    return judged(
        "A preview after the failover shows no change",
        problems,
        f"no change, said in {seconds:.1f} s",
    )


def healthy_region_is_refused(exit_status: int, output: str) -> Check:
    """A preview that calls a living region lost is refused, with the reason (swapped regions)."""
    problems = []
    if exit_status == 0:
        problems.append("the preview of a failover of a living region succeeded")
    if "that region is not lost" not in output:
        problems.append("the refusal does not say that the region is not lost")
    return judged(
        "A failover of a region that lives is refused before anything changes",
        problems,
        "refused: its brokers are still in the topology",
    )


def _previewed(name: str, preview: str, wanted: Mapping[str, tuple[str, str, str]]) -> Check:
    """Check that a preview has changes: what -> end of the type, operation, a piece of the text."""
    changes = _previewed_changes(preview)
    problems = [
        f"it lacks: {what}"
        for what, (type_, operation, text) in wanted.items()
        if not any(
            kind.endswith(type_) and done == operation and text in body
            for kind, done, body in changes
        )
    ]
    return judged(name, problems, f"{len(changes)} changes, among them {', '.join(wanted)}")


def _gate(step: str) -> str:
    """Return how a gate's ConfigMap is named in a preview."""
    return f'"dual-region-{step.lower()}"'


def _is_gate(kind: str, body: str) -> bool:
    """Say whether a previewed change is of a gate: the component, or its ConfigMap."""
    if kind.endswith("core/v1:ConfigMap"):
        return _GATE_NAME.search(body) is not None
    return kind == "dualregion:index:Gate"


def _previewed_changes(preview: str) -> list[tuple[str, str, str]]:
    """Return type, operation and text of each resource that a preview's diff shows."""
    heads = list(_RESOURCE_HEAD.finditer(preview))
    ends = [*(head.start() for head in heads[1:]), len(preview)]
    return [
        (head["type"], head["operation"], preview[head.end() : end].partition(_OUTPUTS)[0])
        for head, end in zip(heads, ends, strict=False)
    ]
