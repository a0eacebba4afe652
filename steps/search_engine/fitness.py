"""What would keep a copy of a search engine from being made, looked for before exporting is paused for it."""

from clients.search_engine import SearchEngine
from dualregion.observed.search_engine.fitness import too_old, too_small
from messages import Message
from messages.clients import search_engine as messages


def unfit_source(engine: SearchEngine) -> list[Message]:
    """Return what keeps an engine from being copied, each with its remedy."""
    return [messages.unfit_engine(engine.namespace, each) for each in engine.blocked()]


def unfit_target(engine: SearchEngine, source: SearchEngine) -> list[Message]:
    """Return what keeps an engine from taking the copy of another one, each with its remedy."""
    problems = engine.blocked()
    # What it holds of users makes room: it is deleted before.
    to_come = source.bytes_held() - engine.bytes_held()
    if engine.address.login is not None:
        # Two engines that were installed by hand need not be alike, as those of one chart are.
        older = too_old(engine.version(), source.version())
        problems += [older] if older else []
    problems += too_small(engine.room(), source.health(), engine.health(), to_come)
    return [messages.unfit_engine(engine.namespace, each) for each in problems]
