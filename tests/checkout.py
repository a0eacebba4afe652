"""Where this checkout lies, and in it the recorded files that tests compare with."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
GOLDEN = CHECKOUT / "tests" / "unit" / "golden"
