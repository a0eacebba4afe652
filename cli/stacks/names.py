"""How the two stacks are called."""

DEFAULT_STACKS = "region0,region1"
"""Both stacks' names, as the option `--stacks` takes them."""
