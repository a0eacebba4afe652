"""Runs `pulumi up` on the two stacks in turn until a phase is complete."""
