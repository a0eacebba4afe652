"""The parts that the set-up builds or fetches, one module a kind."""
