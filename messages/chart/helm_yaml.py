"""Why Helm would refuse a YAML file; nothing of the file is quoted."""

from messages.catalogue import message


@message
def yaml_not_parsed(problem: str | None) -> str:
    """The file is no YAML; the reason is the parser's own, if it has one."""
    return problem or "it is no YAML"


@message
def yaml_character_not_allowed() -> str:
    """The file has a character that YAML does not allow, or bytes that are no text."""
    return "a character that YAML does not allow"


@message
def yaml_version_not_taken() -> str:
    """The file has a `%YAML` directive of another version."""
    return "Helm takes no %YAML but 1.1"


@message
def yaml_nested_too_deep(most: int) -> str:
    """The file is nested deeper than it is read."""
    return f"it is nested deeper than {most} levels"


@message
def yaml_alias_without_anchor() -> str:
    """An alias refers to an anchor that is not there."""
    return "an alias (*) without its anchor (&)"


@message
def yaml_merge_of_no_map() -> str:
    """A merge key has a value that is no map."""
    return "a merge (<<) takes a map, or a list of maps"


@message
def yaml_anchor_in_itself() -> str:
    """The value of an anchor contains an alias of it."""
    return "an anchor (&) whose value contains itself"


@message
def yaml_aliases_repeat_too_much() -> str:
    """Aliases would make a large document of a small file."""
    return "its aliases (*) repeat too much"


@message
def yaml_key_not_plain() -> str:
    """A key is a map or a list."""
    return "a key that is a map or a list"


@message
def yaml_key_empty() -> str:
    """A key is empty or null."""
    return "a key that is empty or null"


@message
def yaml_key_too_large() -> str:
    """A key is a number of more than 63 bits."""
    return "a key that is too large a number"


@message
def yaml_key_twice() -> str:
    """Two keys are one in JSON."""
    return "a key that stands there twice, as a text and as something else"


@message
def yaml_number_not_finite() -> str:
    """A number is infinite or none, which JSON cannot hold."""
    return "a number that is infinite or none (.inf, .nan)"


@message
def yaml_tag_contradicted(tag: str) -> str:
    """A value is not of the kind that its tag demands."""
    return f"a value that is no !!{tag}"


@message
def yaml_not_base64() -> str:
    """A value with the tag `!!binary` is not base64."""
    return "a !!binary value that is not base64"
