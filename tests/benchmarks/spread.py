"""What several rounds have taken, in one cell of a table."""

import statistics
from collections.abc import Sequence


def spread(taken: Sequence[float], digits: int) -> str:
    """Return the median, the least and the most.

    :param digits: how many are shown after the point.
    """
    median, least, most = statistics.median(taken), min(taken), max(taken)
    return f"{median:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"
