"""Write the JSON schemas of the configuration from its models: `python -m tools.config_schemas`."""

import json
from collections.abc import Mapping
from pathlib import Path

from dualregion.config.schema import of_project, of_stack

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


def documents() -> Mapping[Path, str]:
    """Return the schemas as they are now, each by its file."""
    made = {"Pulumi.schema.json": of_project(), "Pulumi.stack.schema.json": of_stack()}
    return {FOLDER / name: json.dumps(schema, indent=2) + "\n" for name, schema in made.items()}


if __name__ == "__main__":
    for file, text in documents().items():
        file.write_text(text)
