"""What a stack is to declare in its phase, decided from settings and from what both stacks hold: see `desired`."""
