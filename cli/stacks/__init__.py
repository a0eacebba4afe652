"""The project and its two stacks: configuration, state, locks, and the steps of each."""
