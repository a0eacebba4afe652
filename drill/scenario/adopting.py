"""Adopting: both regions run already, installed by plain Helm as the reference set-up has them.

What the values of such a set-up look like is worked out here apart from the program, which has to find by
itself that it would install the same.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from drill.check import Check, check_of
from drill.checks import checks
from drill.errors import DrillError
from drill.observation.pods import is_ready
from drill.own_images import helm_chart
from drill.procedure.versions import DEFAULT_VERSION, VERSIONS
from drill.regions import (
    BROKERS,
    REGIONS,
    RELEASE,
    REPLICATION_FACTOR,
    Region,
    brokers_in_normal,
)
from drill.settings import SECRET_DATA, SECRET_NAME, chart_of, values_files
from drill.testbed.context import DrillContext
from sandbox.patience import allowed

_HELM_SECONDS = 120
_SEARCH_SERVICE = VERSIONS[DEFAULT_VERSION].search_service
_GENERATED_AFTER = "ZEEBE_BROKER_DATA_DISKUSAGEREPLICATIONWATERMARK"
"""Where the reference set-up's own values have the generated entries."""

Values = dict[str, Any]


def plain_values(base: Mapping[str, Any], namespaces: Sequence[str], cluster_size: int) -> Values:
    """Return what the reference set-up adds to a values file, as its script prints it for pasting.

    :param base: the values file; its `zeebe.env` is rewritten, as Helm replaces lists whole.
    :param namespaces: of region 0 and 1.
    :param cluster_size: brokers of both regions together.
    """
    points = ",".join(
        f"{BROKERS}-{ordinal}.{BROKERS}.{namespace}.svc.cluster.local:26502"
        for ordinal in range(cluster_size // len(namespaces))
        for namespace in namespaces
    )
    generated = [{"name": "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS", "value": points}]
    generated += [
        {
            "name": f"ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION{region}_ARGS_URL",
            "value": f"http://{_SEARCH_SERVICE}.{namespace}.svc.cluster.local:9200",
        }
        for region, namespace in enumerate(namespaces)
    ]
    env = list(base["zeebe"]["env"])
    place = 1 + [entry["name"] for entry in env].index(_GENERATED_AFTER)
    return {
        "zeebe": {
            # As texts: templates print them alike, and people write them so.
            "clusterSize": str(cluster_size),
            "partitionCount": str(cluster_size),
            "replicationFactor": str(REPLICATION_FACTOR),
            "env": [*env[:place], *generated, *env[place:]],
        }
    }


def helm_install(
    helm: Path,
    chart: Sequence[str],
    values: Sequence[Path],
    *,
    region: int,
    context: str,
    namespace: str,
    env: Mapping[str, str],
) -> None:
    """Install a region's release as the reference set-up's guide has it.

    :raises DrillError: helm failed; the message has its last words.
    """
    files = [part for path in values for part in ("--values", str(path))]
    done = subprocess.run(
        [
            *(str(helm), "install", RELEASE, *chart),
            *("--kube-context", context, "--namespace", namespace, "--create-namespace"),
            *files,
            *("--set", f"global.multiregion.regionId={region}"),
        ],
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=allowed(_HELM_SECONDS),
    )
    if done.returncode:
        raise DrillError(f"`helm install` in {namespace} failed: {done.stderr.strip()[-500:]}")


def install_by_helm(ctx: DrillContext) -> None:
    """Install both regions by plain Helm, and wait until they work together.

    :raises DrillError: helm failed, or the brokers do not find each other in time.
    """
    paths, size = ctx.paths, ctx.settings.cluster_size
    base = yaml.safe_load(paths.reference_values.read_text())
    generated = plain_values(base, [each.namespace for each in REGIONS], size)
    paths.plain_values.write_text(yaml.safe_dump(generated), encoding="utf-8")
    # The hand that installs by Helm is the administrator's; the stacks' logins know one cluster each.
    env = {**ctx.stacks.env, "KUBECONFIG": str(ctx.clusters.kubeconfig)}
    for region in REGIONS:
        with ctx.progress.stage(f"Installing {region.city} by plain helm"):
            make_secret(ctx, region)
            helm_install(
                ctx.tools.helm,
                helm_chart(chart_of(ctx.settings)),
                values_files(ctx.settings, paths),
                region=region.index,
                context=region.context,
                namespace=region.namespace,
                env=env,
            )
    with ctx.progress.stage("Waiting until both regions work together"):
        for region in REGIONS:
            ctx.wait(
                f"every pod of {region.city} is ready and every partition complete",
                lambda region=region: not_whole(ctx, region),  # type: ignore[misc]
                ctx.settings.patience.installed,
            )


def pods_of_both(ctx: DrillContext) -> list[dict[str, Any]]:
    """Return all pods of both regions' installations."""
    return [pod for each in REGIONS for pod in ctx.view(each).pods(each.namespace)]


def check_previews(ctx: DrillContext) -> None:
    """Preview on both stacks, which must announce that what runs is adopted."""
    for region in REGIONS:
        with ctx.progress.stage(f"Adopting: pulumi preview --diff on {region.stack}"):
            preview = ctx.stacks.preview(region.stack)
            ctx.check(
                "adopting", adoption_is_announced(preview.exit_status, preview.output, region)
            )


def check_adopted(ctx: DrillContext, before: Sequence[Mapping[str, Any]]) -> None:
    """Check that nothing was restarted for it, and that brokers are free to be updated again."""
    restarted = checks.nothing_restarted(0, before, pods_of_both(ctx))
    ctx.check("adopting", replace(restarted, name="Adopting the running releases restarts no pod"))
    for region in REGIONS:
        path = f"/apis/apps/v1/namespaces/{region.namespace}/statefulsets/{BROKERS}"
        ctx.check("adopting", brokers_are_let_go(ctx.view(region).call("GET", path), region.city))


def adoption_is_announced(exit_status: int, output: str, region: Region) -> Check:
    """The preview succeeds and announces that the running release is taken over."""
    problems = [f"it ended with exit status {exit_status}"] if exit_status else []
    line = f"adopt: release {RELEASE} in {region.namespace}"
    announced = next((each.strip() for each in output.splitlines() if line in each), "")
    if not announced:
        problems.append(f"it does not say `{line}`")
    return check_of(
        f"The preview of {region.stack} says that the release is adopted", problems, announced
    )


def brokers_are_let_go(stateful_set: Mapping[str, Any], city: str) -> Check:
    """The brokers' StatefulSet is in its one revision and updates brokers by itself again."""
    status, strategy = stateful_set["status"], stateful_set["spec"]["updateStrategy"]
    problems = []
    if status.get("updateRevision") != status.get("currentRevision"):
        problems.append("an update of its pods is under way")
    if strategy.get("type") != "RollingUpdate" or (strategy.get("rollingUpdate") or {}).get(
        "partition"
    ):
        problems.append(f"updates are held: {json.dumps(strategy)}")
    return check_of(
        f"The brokers of {city} are in one revision, and no longer held",
        problems,
        str(status.get("updateRevision")),
    )


def make_secret(ctx: DrillContext, region: Region, namespace: str = "") -> None:
    """Make the Secret by hand, as people have it before they install; the namespace came with the rights.

    :param namespace: if not the region's normal one.
    """
    ctx.view(region).call(
        "POST",
        f"/api/v1/namespaces/{namespace or region.namespace}/secrets",
        {"metadata": {"name": SECRET_NAME}, "stringData": SECRET_DATA},
    )


def not_whole(ctx: DrillContext, region: Region) -> str | None:
    """Return what is missing until a region's pods are ready and its gateway sees every partition complete; or None."""
    view, size = ctx.view(region), ctx.settings.cluster_size
    pods = view.pods(region.namespace)
    unready = [pod["metadata"]["name"] for pod in pods if not is_ready(pod)]
    if unready or not pods:
        return f"not ready: {', '.join(unready) or 'there are no pods'}"
    topology = view.topology(region.namespace)
    found = (
        checks.topology_is(topology, brokers_in_normal(size), size),
        checks.partitions_are_led(topology, size, REPLICATION_FACTOR),
    )
    return next((each.detail for each in found if not each.ok), None)
