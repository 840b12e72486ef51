"""Metrics that a job prints: MetricDefinitions over the lines of its log.

The expressions are users' and run under a time limit: one that backtracks without end matches
nothing, and harms no other job.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

import regex

from studio.db.resources import Doc, Resource
from studio.metrics.rows import LARGEST, row
from studio.metrics.store import Batch, Metric

_SECONDS = 0.05
_NUMBER = re.compile(
    r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf)", re.IGNORECASE
)


NAMESPACE = "/aws/sagemaker/TrainingJobs"


def scrape(definitions: list[Doc], events: Iterable[tuple[int, str]]) -> list[Doc]:
    """The metrics in lines with their times: MetricName, Value, Timestamp; in order, by metric."""
    return [
        {"MetricName": name, "Value": value, "Timestamp": at}
        for name, at, value, _ in values(definitions, list(events))
    ]


def values(
    definitions: list[Doc], events: Sequence[tuple[int, str]]
) -> Iterator[tuple[str, int, float, str]]:
    """(metric, time, value, line) of the metrics in lines, as `scrape` finds them."""
    for definition in definitions:
        pattern = _compiled(definition["Regex"])
        if pattern is None:
            continue
        for at, line in events:
            value = _value(pattern, line)
            if value is not None:
                yield definition["Name"], at, value, line


def final(state: Doc, found: list[Doc]) -> Doc:
    """`FinalMetricDataList` after what was found: the last value of each metric."""
    every = (*state.get("FinalMetricDataList", []), *found)
    last = {metric["MetricName"]: metric for metric in every}
    return {"FinalMetricDataList": list(last.values())} if last else {}


def batches(job: Resource, found: list[Doc]) -> tuple[Batch, ...]:
    """What was found, for the metric store; values beyond CloudWatch's range are left out."""
    dimensions = (("TrainingJobName", job.name),)
    return tuple(
        Batch(
            Metric(job.account, job.region, NAMESPACE, each["MetricName"], dimensions, job.owner),
            "None",
            (row(each["Timestamp"], each["Value"]),),
        )
        for each in found
        if abs(each["Value"]) <= LARGEST
    )


def _value(pattern: regex.Pattern[str], line: str) -> float | None:
    """The first group as a number. A TAB may stand as `#011`, as CloudWatch shows it."""
    for text in (line, line.replace("\t", "#011")) if "\t" in line else (line,):
        try:
            match = pattern.search(text, timeout=_SECONDS)
            if match is not None:
                return _leading_number(match[1])
        except (TimeoutError, ValueError, IndexError, TypeError):
            pass
    return None


def _leading_number(text: str) -> float | None:
    """AWS's own `(\\S+)` swallows the metric behind it: `0.5#011validation-rmse:0.7` is 0.5."""
    match = _NUMBER.match(text)
    number = float(match[0]) if match else math.nan
    return number if math.isfinite(number) else None


@lru_cache(maxsize=512)
def _compiled(expression: str) -> "regex.Pattern[str] | None":
    with suppress(regex.error):
        return regex.compile(expression)
    return None
