"""Studio: Amazon SageMaker that people own."""

from typing import Any

__version__ = "0.1.0"

_TRACKING = ("log_artifact", "log_metric", "log_parameters")


def __getattr__(name: str) -> Any:
    """`studio.log_metric` and the like, for training scripts, see `studio.tracking`; and
    `studio.query`."""
    if name in _TRACKING:
        from studio import tracking

        return getattr(tracking, name)
    if name == "query":
        from studio.queries import query

        return query
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
