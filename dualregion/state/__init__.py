"""What the states of both stacks hold: gates proved, releases, claims, identities."""
