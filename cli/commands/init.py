"""`dualregion init`."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli import transcript
from cli.common import IS_CHECKOUT, ending_clearly, output
from cli.setup.files import files_of, still_to_fill_in
from cli.setup.planning import Plan, PlannedRegion, region_names, releases_to_adopt, with_found
from cli.transcript import Event
from clients.cluster.kubeconfig import contexts_of
from clients.parallel import begin
from clients.survey import Survey, survey
from dualregion.config.refusals import PLACEHOLDER
from dualregion.config.settings import ChartSettings
from dualregion.errors import ConfigError
from messages import Message
from messages.command import setting_up as messages

_PRIVATE = 0o600
"""Values that Helm was given may hold passwords."""


def init(
    folder: Annotated[Path, typer.Argument(help="Where the project is to be; made if need be.")],
    *,
    kube_context: Annotated[
        list[str] | None,
        typer.Option("--context", help="Kube context of region 0, then of region 1."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Name of region 0, then of region 1.")
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option("--namespace", help="Namespace in region 0, then in region 1."),
    ] = None,
    pod_cidrs: Annotated[
        list[str] | None,
        typer.Option(
            "--pod-cidrs", help="Address ranges of all pods of region 0, then of region 1."
        ),
    ] = None,
    bucket: Annotated[
        str | None, typer.Option("--bucket", help="S3 bucket of the failback's snapshot.")
    ] = None,
    chart: Annotated[
        str | None,
        typer.Option("--chart", help="The chart as an archive or folder, as seen from FOLDER."),
    ] = None,
    kubeconfig: Annotated[
        str | None, typer.Option("--kubeconfig", help="The kubeconfig with both contexts.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Look at no cluster: CHANGE-ME for what they tell.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing: take what was given and is found.")
    ] = False,
) -> None:
    """Write a new project's folder, outside this program's own: Pulumi.yaml with every setting, both stacks' files, values.

    It asks, or takes options, and looks into both clusters for releases of Camunda that run already, which are then
    adopted, and for the addresses of their pods. Where nothing is known it leaves CHANGE-ME, which `dualregion config
    check` names. It changes nothing in a cluster and overwrites no file.

    For example:

        dualregion init my-camunda

        dualregion init my-camunda --offline --yes

        dualregion init my-camunda --context cluster-london --context cluster-paris --bucket my-snapshots
    """
    with ending_clearly():
        ask = not yes and _is_terminal()
        contexts = _both("--context", kube_context) or _asked_contexts(kubeconfig, ask=ask)
        plan = Plan(
            _regions(
                contexts,
                _both("--name", name),
                _both("--namespace", namespace),
                _both("--pod-cidrs", pod_cidrs),
                ask=ask,
            ),
            bucket=bucket or PLACEHOLDER,
            kubeconfig=kubeconfig and os.path.abspath(os.path.expanduser(kubeconfig)),
            chart=ChartSettings(name=chart) if chart else ChartSettings(),
        )
        _refuse_occupied(folder, files_of(plan, None))
        if not offline:
            plan = _looked_up(plan, ask=ask)
        if ask:
            plan = _completed(plan)
        texts = files_of(plan, _virtualenv(folder))
        _refuse_occupied(folder, texts)
        _write(folder, texts, private=tuple(plan.values or ()))
        _tell(folder, plan, texts)


def _both(option: str, given: Sequence[str] | None) -> tuple[str, str] | None:
    """Return what was typed for both regions, or None.

    :raises ConfigError: if it was typed for one of them.
    """
    if not given:
        return None
    if len(given) != 2:
        raise ConfigError([messages.twice_needed(option)])
    return given[0], given[1]


def _asked_contexts(kubeconfig: str | None, *, ask: bool) -> tuple[str, str] | None:
    """Return the contexts that the operator names; None if there is no question to answer."""
    if not ask:
        return None
    try:
        known = contexts_of(kubeconfig)
    except ConfigError as error:
        _show(*error.problems)
        known = []
    rest = [*known, PLACEHOLDER, PLACEHOLDER]
    first = _prompt(messages.ask_context(0, known), rest[0])
    others = [each for each in rest if each != first or each == PLACEHOLDER]
    return first, _prompt(messages.ask_context(1, known), others[0])


def _regions(
    contexts: tuple[str, str] | None,
    names: tuple[str, str] | None,
    namespaces: tuple[str, str] | None,
    pod_cidrs: tuple[str, str] | None,
    *,
    ask: bool,
) -> tuple[PlannedRegion, PlannedRegion]:
    contexts = contexts or (PLACEHOLDER, PLACEHOLDER)
    if names is None:
        proposed = region_names(contexts)
        names = proposed
        if ask:
            names = (
                _prompt(messages.ask_region_name(0), proposed[0]),
                _prompt(messages.ask_region_name(1), proposed[1]),
            )
    first, second = (
        PlannedRegion(
            names[index],
            contexts[index],
            namespaces[index] if namespaces else "",
            _ranges(pod_cidrs[index]) if pod_cidrs else (PLACEHOLDER,),
        )
        for index in (0, 1)
    )
    return first, second


def _ranges(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip()) or (PLACEHOLDER,)


def _looked_up(plan: Plan, *, ask: bool) -> Plan:
    """Return the plan with what both clusters tell, if they are named."""
    contexts = [each.context for each in plan.regions]
    if PLACEHOLDER in contexts:
        return replace(plan, notes=(*plan.notes, messages.no_context_to_look_at()))
    _show(messages.looking_at(contexts))
    looking = [begin(lambda each=each: survey(plan.kubeconfig, each)) for each in contexts]  # type: ignore[misc]
    surveys: list[Survey] = [each.result() for each in looking]
    found = releases_to_adopt(plan, surveys)
    if found and ask and not typer.confirm(messages.ask_to_adopt(found), default=True):
        surveys = [replace(each, releases=()) for each in surveys]
    return with_found(plan, surveys)


def _completed(plan: Plan) -> Plan:
    """Return the plan with what the operator answers to what is still open."""
    first, second = (
        replace(
            each,
            pod_cidrs=_ranges(_prompt(messages.ask_pod_cidrs(each.name), ",".join(each.pod_cidrs))),
        )
        for each in plan.regions
    )
    bucket = plan.bucket
    if bucket == PLACEHOLDER:
        bucket = _prompt(messages.ask_bucket(), PLACEHOLDER)
    return replace(plan, regions=(first, second), bucket=bucket)


def _prompt(question: Message, default: str) -> str:
    answer: str = typer.prompt(question, default=default)
    return answer.strip() or default


def _virtualenv(folder: Path) -> str | None:
    """Return the environment that this command runs in, if it lies in the project."""
    own = Path(sys.prefix).absolute()
    is_within = sys.prefix != sys.base_prefix and own.is_relative_to(folder.absolute())
    return str(own.relative_to(folder.absolute())) if is_within else None


def _refuse_occupied(folder: Path, texts: Mapping[str, str]) -> None:
    """Refuse to overwrite a file.

    :raises ConfigError: naming those that are there.
    """
    there = [name for name in texts if (folder / name).exists()]
    if there:
        raise ConfigError([messages.folder_occupied(str(folder), there)])


def _write(folder: Path, texts: Mapping[str, str], private: Sequence[str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            mode = _PRIVATE if name in private else 0o666
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(folder / name, flags, mode), "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        place = str(error.filename or folder)
        raise ConfigError([messages.folder_not_writable(place, str(error.strerror))]) from None


def _tell(folder: Path, plan: Plan, texts: Mapping[str, str]) -> None:
    """Tell what was found and written, and what is to be done next."""
    _show(*plan.notes, messages.project_written(str(folder), tuple(texts)))
    if count := still_to_fill_in(texts):
        _show(messages.to_fill_in(count))
    own = f"dualregion -C {folder.absolute()}" if IS_CHECKOUT else "dualregion"
    steps = (
        f"cd {folder}",
        f"{own} config check",
        "export PULUMI_CONFIG_PASSPHRASE_FILE=$HOME/.dual-region-passphrase",
        "pulumi login s3://my-state-bucket",
        "pulumi stack init region0 && pulumi stack init region1",
        f"{own} install",
        f"{own} preflight",
    )
    _show("next (docs/prepare/install.md):", *(f"    {step}" for step in steps))


def _show(*lines: str) -> None:
    for line in lines:
        transcript.note(Event.LINE, line)
        output().print(line, markup=False, soft_wrap=True)


def _is_terminal() -> bool:
    return sys.stdin.isatty()
