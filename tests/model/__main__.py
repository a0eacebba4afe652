"""Explores the protocol: `make model FAULTS=1`; fails, with the shortest way there, where anything does not hold."""

import argparse
import sys
import time

from tests.model.explorer import Explorer, Found
from tests.model.planned import short_values
from tests.model.plays import play
from tests.model.world import World, installed

PROCEDURES = {"8.5": False, "api": True}


def _procedure(word: str) -> str:
    if word not in PROCEDURES:
        raise argparse.ArgumentTypeError(f"{word}: known are {', '.join(PROCEDURES)}")
    return word


def _start(*, by_api: bool, faults: int, is_lost: bool) -> World:
    world = installed(faults, by_api=by_api)
    return play(world, "0 is lost") if is_lost else world


def _shown(name: str, faults: int, found: Found, seconds: float) -> str:
    return (
        f"| {name} | {faults} | {found.worlds} | {found.transitions} | {found.restored} | "
        f"{found.dead_ends} | {', '.join(found.broken) or 'none'} | {seconds:.0f} |"
    )


def main() -> None:
    """Explore, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "procedures",
        nargs="*",
        # Not by `choices`, which refuses that none is named.
        type=_procedure,
        default=[*PROCEDURES],
        help=f"of {', '.join(PROCEDURES)}; without any all of them",
    )
    parser.add_argument("--faults", type=int, default=1, help="how many faults there may be")
    parser.add_argument(
        "--lost", action="store_true", help="begin when the first of them, a loss, has been"
    )
    parser.add_argument(
        "--most", type=int, help="of how many worlds at most; then no dead end is looked for"
    )
    given = parser.parse_args()
    print(
        "| procedure | faults | worlds | transitions | restored | dead ends | broken | seconds of CPU |"
    )
    print("|---|---|---|---|---|---|---|---|")
    problems = []
    for name in given.procedures:
        began = time.process_time()
        with short_values():
            start = _start(by_api=PROCEDURES[name], faults=given.faults, is_lost=given.lost)
            found = Explorer(start, lambda line: print(line, file=sys.stderr)).explore(given.most)
        print(_shown(name, given.faults, found, time.process_time() - began), flush=True)
        problems += [("dead end", found.dead_end)] if found.dead_ends else []
        problems += found.broken.items()
    for problem, way in problems:
        print(f"\n{problem}:", *way, sep="\n  ")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
