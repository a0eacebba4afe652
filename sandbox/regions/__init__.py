"""Two real one-node Kubernetes regions on one machine, joined by a link that can be cut.

Builders (`control_plane`, `node`, `dns`, `storage`, `access`, `network`, put together by `plan`) say what a region
is, as plain data; the runtime (`runtime`, `processes`, `cgroups`, `machine`, `probes`) carries it out;
`Sandbox` is what others use.
"""

from sandbox.regions.sandbox import Sandbox

__all__ = ["Sandbox"]
