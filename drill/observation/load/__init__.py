"""The load: who creates instances, through what, and what was acknowledged."""
