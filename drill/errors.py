"""The errors that the drill shows to its user, each one sentence with what to do next."""


class DrillError(Exception):
    """A stage of the drill could not be done; the message names what, where and what to look at."""


class ClusterCallFailed(DrillError):
    """A call through a cluster's API server was refused or not answered; asking again may help."""


class DrillInterrupted(Exception):
    """The user (or the system) asked the drill to stop; everything is taken down. Nothing that awaits a `DrillError` takes it."""
