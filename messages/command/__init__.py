"""What the command `dualregion` finds, checks, asks and refuses."""
