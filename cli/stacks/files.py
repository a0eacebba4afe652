"""A project's YAML files, read without Pulumi: what stands in them, and on which line.

Nothing else of the program is read for it: the command begins here, while a `pulumi` is already at work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from dualregion.chart import helm_yaml
from dualregion.errors import ConfigError
from messages.command import setting_up as messages

Path = tuple[str | int, ...]
"""Where something stands in a document: keys of maps, places in lists."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Source:
    """A YAML file.

    :ivar name: what it is called.
    """

    name: str
    content: Mapping[str, Any]
    _root: yaml.Node | None

    @classmethod
    def read(cls, name: str, content: bytes) -> "Source":
        """Read a file.

        :raises ConfigError: if it is no YAML, or no map.
        """
        try:
            document = helm_yaml.read(content)
            root = yaml.compose(content, _LOADER)
        except helm_yaml.BadYaml as error:
            raise ConfigError(
                [messages.config_file_not_yaml(name, error.line, error.message)]
            ) from None
        except yaml.YAMLError:
            raise ConfigError([messages.config_file_not_a_map(name)]) from None
        if not isinstance(document or {}, Mapping):
            raise ConfigError([messages.config_file_not_a_map(name)])
        config = (document or {}).get("config")
        if not isinstance(config or {}, Mapping):
            raise ConfigError([messages.config_block_not_a_map(name)])
        return cls(name, document or {}, root)

    @property
    def config(self) -> Mapping[str, Any]:
        """Its block `config`."""
        return self.content.get("config") or {}

    def line(self, path: Path) -> int:
        """Return the line on which something stands, or, if it does not, the nearest thing around it."""
        node, line = self._root, 1
        for part in path:
            found = _within(node, part)
            if found is None:
                break
            line, node = found
        return line


def _within(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line + 1, value
    return None


def stack_file(project: Source, stack: str) -> str:
    """Return where a stack's own file lies, from the project's folder on; its name may be that of an organization's.

    :param project: Pulumi.yaml, which may name another folder for it.
    """
    folder = str(project.content.get("stackConfigDir") or "").strip("/")
    return f"{folder}/".lstrip("/") + f"Pulumi.{stack.rsplit('/', 1)[-1]}.yaml"
