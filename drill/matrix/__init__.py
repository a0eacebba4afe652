"""The fault matrix: what goes wrong, when, in which region, at which size and version; and when each cell was last run."""
