"""The stacks and both regions looked at together, in one go."""

from dualregion.engine.records import RECORD_PREFIX
from dualregion.errors import DualRegionError
from dualregion.settings import Settings
from dualregion.values import record_prefix
from hooks.cluster import load_client
from hooks.files import read_values
from runbook import sight
from runbook.judgement import Status, judge
from runbook.project import Project
from runbook.stacks import Reading


def look(project: Project, names: tuple[str, str]) -> Status:
    """Return how it stands.

    :param names: the stacks of both regions.
    :raises DualRegionError: if a stack cannot be read, or its configuration is unusable.
    """
    reading = Reading(project, names)
    load_client()
    settings = reading.settings
    stacks = reading.begin_state()
    sights = sight.look(settings, _record_prefix(project, settings[0]))
    return judge(stacks(), sights)


def _record_prefix(project: Project, settings: Settings) -> str:
    try:
        return record_prefix(read_values(settings.values, project.folder))
    except DualRegionError:
        # A values file that is missing keeps `up` from anything, but nobody from looking.
        return RECORD_PREFIX
