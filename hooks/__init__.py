"""The imperative steps and their proofs. Only this package talks to clusters."""
