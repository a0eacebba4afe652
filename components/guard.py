"""The guard of what a stack holds: nothing that is needed is deleted, whoever asks for it.

`pulumi destroy` runs no program, so the engine refuses it as soon as one resource has a hook on its deletion; with
`--run-program` the hook is asked, and refuses with the reason. Releases, namespaces and gates have it: all else lies
below them, and the engine deletes nothing before what depends on it.
"""

import pulumi

from components.hooking import carry_out
from hooks import deletion
from hooks.site import Site

_HOOK = "guard-deletion"
"""States hold this name, and the engine deletes nothing whose hook it does not know: it stays."""


def guard_hook(site: Site) -> pulumi.ResourceHook:
    """Return the hook, which is registered in every run, whatever the run declares.

    A preview asks it too: so nothing begins that would be refused in its middle.
    """
    live = not pulumi.runtime.is_dry_run()

    async def guard(args: pulumi.ResourceHookArgs) -> None:
        labels = ((args.old_inputs or {}).get("metadata") or {}).get("labels") or {}
        await carry_out(args.name, lambda: deletion.check(site, args.name, labels, live=live))

    return pulumi.ResourceHook(_HOOK, guard, opts=pulumi.ResourceHookOptions(on_dry_run=True))
