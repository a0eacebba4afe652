"""What would keep a copy of a search engine from being made, looked for before exporting is paused for it."""

from dualregion.engine.fitness import too_small
from hooks.search import SearchEngine


def unfit_source(engine: SearchEngine) -> list[str]:
    """Return what keeps an engine from being copied, each with its remedy."""
    return [f"in {engine}, {each}" for each in engine.blocked()]


def unfit_target(engine: SearchEngine, source: SearchEngine) -> list[str]:
    """Return what keeps an engine from taking the copy of another one, each with its remedy."""
    problems = engine.blocked()
    problems += too_small(engine.room(), source.health(), engine.health(), source.bytes_held())
    return [f"in {engine}, {each}" for each in problems]
