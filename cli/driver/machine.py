"""What of this machine a run needs, looked at before anything is asked or done."""

import os
from pathlib import Path

from dualregion.errors import ConfigError
from messages.command import driving as messages


def check_temporary_folder() -> None:
    """Refuse a TMPDIR that Pulumi and its plugins cannot use; they would fail half-way, in their own words.

    :raises ConfigError: if it is no folder, or nothing may be written to it.
    """
    given = os.environ.get("TMPDIR")
    if given and not (Path(given).is_dir() and os.access(given, os.W_OK)):
        raise ConfigError([messages.temporary_folder_unusable(given)])


def check_writable(file: Path) -> None:
    """Refuse a settings file that the phase could not be written to, before the operator is asked to begin.

    :raises ConfigError: if it, or its folder where it is not there yet, may not be written.
    """
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise ConfigError([messages.settings_file_read_only(str(file))])
