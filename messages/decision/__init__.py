"""What speaks against a phase, and what a stack waits for."""
