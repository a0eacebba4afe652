"""Two real one-node Kubernetes regions on one machine, joined by a link that can be cut.

Builders (`parts`, put together by `plan`) say what a region is, as plain data; the runtime (`runtime`, `host`,
`machine`) carries it out;
`Sandbox` is what others use.
"""

from pathlib import Path

from sandbox.regions.parts.delays import Delayed
from sandbox.regions.sandbox import Sandbox

__all__ = ["ROOT", "Delayed", "Sandbox"]
ROOT = Path(__file__).resolve().parents[2] / "out" / "sandbox"
"""State folder of the checkout's sandbox."""
