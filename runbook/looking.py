"""The stacks and both regions looked at together, in one go."""

from dualregion.engine.records import RECORD_PREFIX
from dualregion.errors import DualRegionError
from dualregion.settings import Settings
from dualregion.values import exporter_settings
from hooks.cluster import load_client
from hooks.files import read_values
from runbook import sight
from runbook.judgement import Status, judge
from runbook.project import Project
from runbook.stacks import Reading


def look(
    project: Project,
    names: tuple[str, str],
    patience: float = sight.PATIENCE_SECONDS,
    *,
    with_last: bool = True,
) -> Status:
    """Return how it stands.

    :param names: the stacks of both regions.
    :param patience: how long the regions may take to answer, in seconds.
    :param with_last: whether each stack's last update is asked for, too.
    :raises DualRegionError: if a stack cannot be read, or its configuration is unusable.
    """
    reading = Reading(project, names)
    load_client()
    settings = reading.settings
    stacks = reading.begin_state(with_last=with_last)
    sights = sight.look(settings, _record_prefix(project, settings[0]), patience)
    return judge(stacks(), sights)


def _record_prefix(project: Project, settings: Settings) -> str:
    try:
        return exporter_settings(read_values(settings.values, project.folder)).prefix
    except DualRegionError:
        # A values file that is missing keeps `up` from anything, but not from looking.
        return RECORD_PREFIX
