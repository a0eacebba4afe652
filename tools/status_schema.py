"""Write docs/reference/status.schema.json from the form of `dualregion status --json`: `python -m tools.status_schema`."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from cli.status.shown.form import ErrorDocument, StatusDocument

DOCUMENT = Path(__file__).parents[1] / "docs" / "reference" / "status.schema.json"
FORM: TypeAdapter[Any] = TypeAdapter(StatusDocument | ErrorDocument)
"""Either is printed: the state, or why it is not known."""


class _WithoutTitles(GenerateJsonSchema):
    """Makes a schema without titles of keys, which only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 (of pydantic)
        """Return that none is."""
        return False


def schema() -> str:
    """Return the JSON schema as it is now."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dualregion status --json",
    }
    made = FORM.json_schema(schema_generator=_WithoutTitles)
    return json.dumps(head | _open(made), indent=2) + "\n"


def _open(part: Any) -> Any:
    """Return a part that allows for keys that a later version adds."""
    if isinstance(part, list):
        return [_open(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _open(each)
        for key, each in part.items()
        if (key, each) != ("additionalProperties", False)
    }


if __name__ == "__main__":
    DOCUMENT.write_text(schema())
