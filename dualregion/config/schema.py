"""JSON schemas of the files that hold the configuration, for editors: made from the models that read it. Pure.

An editor knows of each value the type, the words and the bounds; what follows from several settings together is checked
by `dualregion config check` and by the program.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from dualregion.config.sections.section import Model
from dualregion.config.settings import Settings

PROJECT_NAME = "camunda-dual-region"
"""The name of the Pulumi project, which stands before each key in the stacks' files."""
_DRAFT = "http://json-schema.org/draft-07/schema#"
"""The one that every editor knows."""
_SECURE = {
    "type": "object",
    "description": "A value that Pulumi has encrypted: `pulumi config set --secret`",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}
_SECRET = {"$ref": "#/$defs/secure"}


def of_stack(project: str = PROJECT_NAME) -> dict[str, Any]:
    """Return the schema of `Pulumi.<stack>.yaml`.

    :param project: the Pulumi project's name.
    """
    keys, sections = _settings()
    named = {f"{project}:{key}": {"anyOf": [_of(key), _SECRET]} for key in keys}
    others = "|".join(sorted(keys))
    return _document(
        f"The settings of one stack of {project}",
        {
            "config": {
                "type": ["object", "null"],
                "properties": named,
                "patternProperties": {rf"^{project}:(?!({others})$)": False},
            }
        },
        sections,
    )


def of_project() -> dict[str, Any]:
    """Return the schema of `Pulumi.yaml`, as far as its `config` goes: what both stacks share."""
    keys, sections = _settings()
    others = "|".join(sorted(keys))
    return _document(
        "The project, and the settings that both stacks share",
        {
            "name": {"type": "string"},
            "runtime": {},
            "config": {
                "type": ["object", "null"],
                "properties": {key: _declared(key) for key in keys},
                "patternProperties": {f"^(?!({others})$)[^:]*$": False},
            },
        },
        sections,
    ) | {"required": ["name", "runtime"]}


def _of(key: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{key}"}


def _declared(key: str) -> dict[str, Any]:
    """Return a setting as Pulumi.yaml declares it: with its type and its default, or by its value alone."""
    declaration = {
        "type": "object",
        "properties": {
            "type": {"enum": ["string", "integer", "boolean", "array", "object"]},
            "items": {"type": "object"},
            "description": {"type": "string"},
            "secret": {"type": "boolean"},
            "default": _of(key),
            "value": _of(key),
        },
        "additionalProperties": False,
    }
    return {"anyOf": [declaration, _of(key)]}


def _document(
    title: str, properties: Mapping[str, Any], sections: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "$schema": _DRAFT,
        "title": title,
        "type": "object",
        "properties": dict(properties),
        "$defs": {**sections, "secure": _SECURE},
    }


def _settings() -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the keys of the settings, and definitions: of each setting by its key, and of the sections by their names."""
    whole = _plain(Settings.model_json_schema())
    sections = whole.pop("$defs")
    for model in _models():
        part = whole if model is Settings else sections[model.__name__]
        for key, text in _told(model).items():
            _describe(part["properties"][key], text)
    return tuple(whole["properties"]), {**whole["properties"], **sections}


def _models() -> Iterator[type[BaseModel]]:
    yield from sorted(Model.__subclasses__(), key=lambda each: each.__name__)


def _told(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstrings of a model's fields by their keys; only its source has them."""
    tree: Any = ast.parse(textwrap.dedent(inspect.getsource(model)))
    body = tree.body[0].body
    found = {}
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(told))
            ):
                found[str(model.model_fields[name].alias)] = " ".join(told.split())
    return found


def _describe(part: dict[str, Any], text: str) -> None:
    """Say what a setting means; beside a reference, editors of that draft would not see it."""
    if "$ref" in part:
        part["allOf"] = [{"$ref": part.pop("$ref")}]
    part["description"] = text


def _plain(part: Any) -> Any:
    """Return a schema in the words of the draft, where what is secret may be encrypted."""
    if isinstance(part, list):
        return [_plain(each) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("format") == "password":
        return {"anyOf": [{"type": ["string", "integer", "boolean"]}, _SECRET]}
    # A property may be called `title`, too: then what it leads to is a schema.
    made = {
        key: _plain(each)
        for key, each in part.items()
        if not (key == "title" and isinstance(each, str))
    }
    if items := made.pop("prefixItems", None):
        made["items"] = items[0]
    return made
