"""The program of this folder's stacks, run from the checkout."""

from pathlib import Path

from components.program import run

run(Path(__file__).parent)
