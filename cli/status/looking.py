"""The stacks and both regions looked at together, in one go."""

from functools import partial

from cli.stacks.project import Project
from cli.stacks.read import Reading, ReadSettings, read_settings
from cli.status.guidance.checkout import in_effect
from cli.status.health import Status, judge
from cli.status.observed import observe
from cli.status.patience import PATIENCE_SECONDS
from clients.cluster.kubernetes import load_client
from clients.files import read_values
from clients.parallel import begin
from dualregion.chart.values import exporter_settings
from dualregion.config.settings import Settings
from dualregion.errors import DualRegionError
from dualregion.observed.search_engine.records import RECORD_PREFIX


def look(
    project: Project,
    names: tuple[str, str],
    patience: float = PATIENCE_SECONDS,
    *,
    with_last: bool = True,
    settings: ReadSettings = read_settings,
) -> Status:
    """Return how it stands.

    :param names: the stacks of both regions.
    :param patience: how long the regions may take to answer, in seconds.
    :param with_last: whether each stack's last update is asked for, too.
    :param settings: how a stack's settings are read: with its secrets, or without.
    :raises DualRegionError: if a stack cannot be read, or its configuration is unusable.
    """
    reading = Reading(project, names, settings)
    stacks = reading.begin_state(with_last=with_last)
    load_client()
    asked = reading.settings
    regions = begin(partial(observe.look, asked, _record_prefix(project, asked[0]), patience))
    # A stack that cannot be read is reported without waiting for a region that does not answer.
    found = stacks()
    region_statuses = regions.result()
    further, behind = in_effect(found)
    if behind is not None:
        # What was asked for was chosen by the configuration, before the states were known.
        region_statuses = observe.with_standing(
            [each.settings for each in further], region_statuses, patience
        )
    return judge(found, region_statuses)


def _record_prefix(project: Project, settings: Settings) -> str:
    try:
        found = read_values(settings.values, project.folder)
        return exporter_settings(found, settings.version).prefix
    except DualRegionError:
        # A values file that is missing keeps `up` from anything, but not from looking.
        return RECORD_PREFIX
