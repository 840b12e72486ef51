"""Metrics of what jobs take of their machine, told from their own by how their names begin."""

PREFIX = "system/"


def name(meter: str, host: str = "") -> str:
    """`system/cpu`, or `system/algo-1/cpu` where there are several hosts."""
    return f"{PREFIX}{host}/{meter}" if host else PREFIX + meter


def is_own(metric: str) -> bool:
    """A program said it."""
    return not metric.startswith(PREFIX)
