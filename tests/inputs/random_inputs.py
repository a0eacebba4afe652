"""Random inputs for property tests: each from a seed, which a failure names.

By default so many as fit in a second or two, always the same ones; with `--budget SECONDS` new ones for so long, and
with `--seed N` those that begin at a seed that failed.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dualregion.errors import ConfigError


class Seeds:
    """The seeds of one property test.

    :param config: pytest's, for the options.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._budget: float | None = config.getoption("--budget")
        self._seed: int | None = config.getoption("--seed")

    @property
    def is_default(self) -> bool:
        """Whether they are always the same ones."""
        return self._budget is None and self._seed is None

    def __call__(self, count: int) -> Iterator[random.Random]:
        """Yield a source of random choices for each seed; the seed is shown if the test fails there.

        :param count: how many, without a budget.
        """
        until = None if self._budget is None else time.monotonic() + self._budget
        first = self._seed
        if first is None:
            first = 0 if until is None else time.time_ns() % 1_000_000_000
        seed = first
        while seed < first + count if until is None else time.monotonic() < until:
            print(f"seed {seed}")
            yield random.Random(seed)
            seed += 1


WORDS = (
    "",
    "a",
    "camunda",
    "0",
    "1",
    "-1",
    "08",
    "true",
    "~",
    "ü",
    "a b",
    "A_b",
    "x" * 300,
    "\n",
    "{{x}}",
    "§",
    "10.0.0.0/8",
)


def plain(source: random.Random, depth: int = 3) -> Any:
    """Return a random value as JSON may hold it."""
    kind = source.randrange(9 if depth else 7)
    if kind == 7:
        return [plain(source, depth - 1) for _ in range(source.randrange(4))]
    if kind == 8:
        return {source.choice(WORDS): plain(source, depth - 1) for _ in range(source.randrange(4))}
    return (
        None,
        source.random() < 0.5,
        source.randint(-3, 12),
        source.choice((0, 10**9, 2**31, 2**63, -(2**63), 10**30)),
        source.uniform(-10, 10),
        source.choice(WORDS),
        source.choice((1.5, 1e300, 0.0, -1.0)),
    )[kind]


def problems_of(call: Callable[..., object], *arguments: Any) -> tuple[Any, ...]:
    """Return why a call refuses the configuration; nothing if it takes it, and any other error is one."""
    try:
        call(*arguments)
    except ConfigError as error:
        return error.problems
    return ()
