"""What a new project is to be, from what was typed and what was found in the clusters. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os.path import commonprefix
from typing import Any

from clients.survey import FoundRelease, Survey
from dualregion.config.refusals import PLACEHOLDER
from dualregion.config.settings import ChartSettings, Settings
from dualregion.procedure.versions import DEFAULT, VERSIONS
from messages import Message
from messages.command import setting_up as messages

_SIZES = ("clusterSize", "partitionCount", "replicationFactor")


@dataclass(frozen=True)
class PlannedRegion:
    """A region of the new project; a placeholder stands where only the operator knows the value."""

    name: str
    context: str = PLACEHOLDER
    namespace: str = ""
    pod_cidrs: tuple[str, ...] = (PLACEHOLDER,)


@dataclass(frozen=True)
class Plan:
    """What a new project is to be.

    :ivar values: Helm values by the file's name; None for the reference values.
    :ivar notes: what the operator is to know of it.
    """

    regions: tuple[PlannedRegion, PlannedRegion]
    bucket: str = PLACEHOLDER
    kubeconfig: str | None = None
    chart: ChartSettings = field(default_factory=ChartSettings)
    camunda_version: str = DEFAULT
    release: str = "camunda"
    sizes: Mapping[str, int] | None = None
    adopt: bool = False
    values: Mapping[str, Mapping[str, Any]] | None = None
    notes: tuple[Message, ...] = ()

    @property
    def all_sizes(self) -> Mapping[str, int]:
        """The sizes, with the program's own where none were found."""
        fields = Settings.model_fields
        defaults = {str(each.alias): each.default for each in fields.values()}
        return {key: (self.sizes or {}).get(key, defaults[key]) for key in _SIZES}


def region_names(contexts: Sequence[str]) -> tuple[str, str]:
    """Return what two regions may be called by their contexts: what these differ in, if that is a name."""
    prefix = len(commonprefix(contexts))  # noqa: RUF071 (they are no paths)
    own = [each[prefix:] for each in contexts]
    if all(re.fullmatch(r"[a-z]([-a-z0-9]{0,40}[a-z0-9])?", each) for each in own):
        return own[0], own[1]
    return "region0", "region1"


def with_found(plan: Plan, surveys: Sequence[Survey]) -> Plan:
    """Return the plan with what was found in both clusters.

    :param surveys: one for each region; what was typed, and is no placeholder, stays.
    """
    one, two = (_with_cidrs(*each) for each in zip(plan.regions, surveys, strict=True))
    regions = (one, two)
    problems = tuple(problem for each in surveys for problem in each.problems)
    found = replace(plan, regions=regions, notes=(*plan.notes, *problems))
    releases = tuple(
        _of_namespace(each.releases, region.namespace)
        for each, region in zip(surveys, plan.regions, strict=True)
    )
    if not any(releases):
        return found
    if all(len(each) == 1 for each in releases):
        return _adopting(found, releases[0][0], releases[1][0])
    named = tuple(
        f"{each.namespace}/{each.name} in {region.context}"
        for of_region, region in zip(releases, regions, strict=True)
        for each in of_region
    )
    return replace(found, notes=(*found.notes, messages.releases_ambiguous(named)))


def _with_cidrs(region: PlannedRegion, survey: Survey) -> PlannedRegion:
    known = region.pod_cidrs != (PLACEHOLDER,)
    return region if known or not survey.pod_cidrs else replace(region, pod_cidrs=survey.pod_cidrs)


def _of_namespace(releases: Sequence[FoundRelease], namespace: str) -> tuple[FoundRelease, ...]:
    """Return the releases in a namespace; all of them if it was not typed."""
    return tuple(each for each in releases if namespace in ("", each.namespace))


def _adopting(plan: Plan, first: FoundRelease, second: FoundRelease) -> Plan:
    """Return the plan that takes over what runs."""
    pairs = zip(plan.regions, (first, second), strict=True)
    one, two = (replace(region, namespace=found.namespace) for region, found in pairs)
    mine, theirs = (_without_region_id(each.values) for each in (first, second))
    version = _version_of(first.version)
    sizes = _sizes_of(mine, VERSIONS[version].brokers.component)
    values = {"camunda.yaml": mine} | (
        {} if mine == theirs else {f"camunda.{two.name}.yaml": theirs}
    )
    # One beside the project, that was typed, is more than the version alone.
    chart = plan.chart if plan.chart.is_path else ChartSettings(version=first.version)
    notes = (*plan.notes, *_notes_on(plan.regions, first, second, is_same=mine == theirs))
    return replace(
        plan,
        regions=(one, two),
        chart=chart,
        camunda_version=version,
        release=first.name,
        sizes=sizes,
        adopt=True,
        values=values,
        notes=notes,
    )


def _notes_on(
    regions: tuple[PlannedRegion, PlannedRegion],
    first: FoundRelease,
    second: FoundRelease,
    *,
    is_same: bool,
) -> Iterator[Message]:
    for region, found in zip(regions, (first, second), strict=True):
        yield messages.release_found(found.name, found.namespace, region.context, found.version)
    if (first.name, first.version) != (second.name, second.version):
        yield messages.releases_differ(
            f"{first.name} ({first.version})", f"{second.name} ({second.version})"
        )
    if not is_same:
        yield messages.values_differ("camunda.yaml", f"camunda.{regions[1].name}.yaml")
    yield messages.values_may_be_secret("camunda.yaml")


def _without_region_id(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a release without what the program itself sets for each region."""
    common = dict(values)
    if isinstance(common.get("global"), Mapping):
        common["global"] = dict(common["global"])
        if isinstance(common["global"].get("multiregion"), Mapping):
            own = ("regionId", "installationType")
            multiregion = common["global"]["multiregion"]
            common["global"]["multiregion"] = {
                key: value for key, value in multiregion.items() if key not in own
            }
    return common


def _version_of(chart: str) -> str:
    """Return the minor version of Camunda that a chart's version installs; the default one if that is not known."""
    major = chart.partition(".")[0]
    return next((each for each in VERSIONS if str(VERSIONS[each].chart_major) == major), DEFAULT)


def _sizes_of(values: Mapping[str, Any], component: str) -> dict[str, int]:
    given = values.get(component) or {}
    return {key: int(given[key]) for key in _SIZES if str(given.get(key, "")).isdecimal()}


def releases_to_adopt(plan: Plan, surveys: Sequence[Survey]) -> tuple[str, ...]:
    """Return the releases that would be adopted, as `namespace/name`; none unless there is exactly one in each cluster."""
    found = [
        _of_namespace(each.releases, region.namespace)
        for each, region in zip(surveys, plan.regions, strict=True)
    ]
    if not all(len(each) == 1 for each in found):
        return ()
    return tuple(f"{each[0].namespace}/{each[0].name}" for each in found)
