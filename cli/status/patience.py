"""How long a look at both regions waits for what does not answer."""

PATIENCE_SECONDS = 3.5
"""How long a look at both regions may take: what has not answered then is not waited for."""
REACH_SECONDS = 2.5
"""How long an API server may take to be reached: a first packet that was lost is sent again after one second. With more
patience it is as much of it as here."""
