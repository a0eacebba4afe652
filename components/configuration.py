"""The settings of a stack, out of Pulumi's configuration."""

from pathlib import Path

import pulumi

from dualregion.config.settings import Settings


def settings_of_stack(project: Path) -> Settings:
    """Return the settings of the stack's configuration.

    :raises ConfigError: naming every problem.
    """
    config = pulumi.Config()
    prefix = f"{config.name}:"
    keys = [key for key in pulumi.runtime.config.CONFIG.get() if key.startswith(prefix)]
    texts = {key.removeprefix(prefix): config.require(key.removeprefix(prefix)) for key in keys}
    secret = [key.removeprefix(prefix) for key in keys if pulumi.runtime.is_config_secret(key)]
    return Settings.of_configuration(texts, str(project), secret)
