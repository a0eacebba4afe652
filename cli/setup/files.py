"""The files of a new project. Pure."""

import json
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

import yaml

from cli.setup.planning import Plan, PlannedRegion
from cli.stacks.failures import PULUMI_VERSION
from clients.files import REFERENCE_VALUES
from dualregion import brokers
from dualregion.chart import helm_yaml
from dualregion.config.refusals import PLACEHOLDER
from dualregion.config.schema import of_project, of_stack
from dualregion.procedure.versions import DEFAULT

_IGNORED = """/.venv/
__pycache__/
# Exports of the states, which may hold secrets.
/region0.json
/region1.json
"""


def files_of(plan: Plan, virtualenv: str | None) -> dict[str, str]:
    """Return the texts of a project's files by their names.

    :param virtualenv: the Python environment that Pulumi is to use, relative to the project; None for that on PATH.
    """
    names = ["camunda.yaml"] if plan.values is None else list(plan.values)[:1]
    values = {name: dumped(values) for name, values in (plan.values or {}).items()}
    return {
        "Pulumi.yaml": _project(plan, names, virtualenv),
        **{f"Pulumi.region{region}.yaml": _stack(region) for region in (0, 1)},
        "__main__.py": _template("__main__.py.txt"),
        "Pulumi.schema.json": _json(of_project()),
        "Pulumi.stack.schema.json": _json(of_stack()),
        ".gitignore": _IGNORED,
        **(values or {"camunda.yaml": REFERENCE_VALUES.read_text()}),
    }


def _project(plan: Plan, values: list[str], virtualenv: str | None) -> str:
    sizes = plan.all_sizes
    version = plan.chart.version or ""
    own_version = None if plan.camunda_version == DEFAULT else plan.camunda_version
    return Template(_template("Pulumi.yaml")).substitute(
        runtime=_runtime(virtualenv),
        pulumi_version=PULUMI_VERSION,
        regions="\n".join(_region(each) for each in plan.regions),
        isolation="policies",
        cluster_size=sizes["clusterSize"],
        partition_count=sizes["partitionCount"],
        replication_factor=sizes["replicationFactor"],
        chart=_chart(plan),
        chart_version=version,
        camunda_version=_optional("camundaVersion", own_version, DEFAULT),
        values=_flow(values),
        release=_flow(plan.release),
        adopt=_flow(plan.adopt),
        bucket=_flow(plan.bucket),
        kubeconfig=_optional("kubeconfig", plan.kubeconfig, "/etc/recovery/kubeconfig"),
    )


def _runtime(virtualenv: str | None) -> str:
    if virtualenv is None:
        return "runtime: python"
    return f"runtime:\n  name: python\n  options:\n    virtualenv: {_flow(virtualenv)}"


def _region(region: PlannedRegion) -> str:
    namespace = region.namespace or f"camunda-{region.name}"
    entries = {
        "name": region.name,
        "kubeContext": region.context,
        "namespace": namespace,
        "podCidrs": list(region.pod_cidrs),
    }
    lines = [f"{key}: {_flow(value)}" for key, value in entries.items()]
    lines += [f"#failoverNamespace: {namespace}-failover", "#dnsAddresses: [10.180.0.53]"]
    return "\n".join(
        f"      {'-' if index == 0 else ' '} {line}" for index, line in enumerate(lines)
    )


def _chart(plan: Plan) -> str:
    chart = plan.chart
    entries = {"name": chart.name}
    if not chart.is_path:
        entries |= {"version": str(chart.version), "repository": str(chart.repository)}
    return "\n".join(f"      {key}: {_flow(value)}" for key, value in entries.items())


def _optional(key: str, value: str | None, example: str) -> str:
    """Return a setting; as a comment with an example if it is not to be set."""
    shown = json.dumps(value or example)
    lines = (f"{key}:", "  type: string", f"  default: {shown}")
    mark = "#" if value is None else ""
    return "\n".join(f"  {mark}{line}" for line in lines)


def _stack(region: int) -> str:
    text = Template(_template("Pulumi.stack.yaml"))
    return text.substitute(region=region, peer=brokers.other(region))


def _template(name: str) -> str:
    return (files("cli.setup") / "templates" / name).read_text(encoding="utf-8")


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def _flow(value: Any) -> str:
    """Return a value as it stands behind a key, on one line."""
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")


def dumped(values: Mapping[str, Any]) -> str:
    """Return Helm values as a file that Helm reads as they are."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


class _Dumper(yaml.SafeDumper):
    """Quotes each text that Helm would take for something else, such as `1e3` or `y`."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    try:
        is_plain = helm_yaml.read(text.encode()) == text
    except helm_yaml.BadYaml:
        is_plain = False
    style = None if is_plain or "\n" in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def still_to_fill_in(texts: Mapping[str, str]) -> int:
    """Return how many placeholders the files hold."""
    return sum(text.count(PLACEHOLDER) for name, text in texts.items() if name.endswith(".yaml"))
