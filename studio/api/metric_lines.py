"""Metrics in the files of `SAGEMAKER_METRICS_DIRECTORY`, as `smexperiments` writes them.

A line is `{"MetricName": "loss", "Value": 0.5, "Timestamp": 1700000000.5, "IterationNumber": 3}`.
Whatever else programs write there says nothing.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import orjson

from studio.reconcile.steps import Point

_LONGEST_NAME = 10_000
_LARGEST_STEP = 2**53
_LATEST = 253_402_300_800_000  # the year 10000


def points(lines: Iterable[bytes]) -> Iterator[Point]:
    """The values in these lines, in order."""
    for line in lines:
        with suppress(ValueError, TypeError, KeyError, OverflowError, RecursionError):
            yield _point(_parsed(line))


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return json.loads(line)  # Python's own writes NaN and Infinity


def _point(said: Any) -> Point:
    """Raises ValueError, TypeError, KeyError, OverflowError for what is none."""
    name, value, step = said["MetricName"], said["Value"], said.get("IterationNumber")
    at = round(float(said["Timestamp"]) * 1000)
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        raise ValueError(name)
    if isinstance(value, bool) or not 0 <= at < _LATEST:
        raise ValueError(value)
    if step is not None and (isinstance(step, bool) or not 0 <= step < _LARGEST_STEP):
        raise ValueError(step)
    name.encode()  # raises ValueError for half a character
    return Point(
        name.replace("\0", "\ufffd"), None if step is None else int(step), at, float(value)
    )
