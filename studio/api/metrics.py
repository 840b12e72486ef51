"""Metrics that a job prints: MetricDefinitions over the lines of its log.

The expressions are users' and run under a time limit: one that backtracks without end matches
nothing, nor does one that cannot be compiled, and harms no other job.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

import regex

from studio import expressions
from studio.api import named_steps
from studio.db.resources import Doc, Resource
from studio.metrics.rows import LARGEST, Row, row
from studio.metrics.store import Batch, Metric
from studio.reconcile.steps import Point

_SECONDS = 0.05
_NUMBER = re.compile(
    r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf)", re.IGNORECASE
)


NAMESPACE = "/aws/sagemaker/TrainingJobs"
PROCESSING = "/aws/sagemaker/ProcessingJobs"
TRANSFORM = "/aws/sagemaker/TransformJobs"


def values(
    definitions: list[Doc], events: Sequence[tuple[int, str]]
) -> Iterator[tuple[str, int, float, str]]:
    """(metric, time, value, line) of the metrics in lines with their times: in order, by metric."""
    for definition in definitions:
        pattern = _compiled(definition["Regex"])
        if pattern is None:
            continue
        for at, line in events:
            value = _value(pattern, line)
            if value is not None:
                yield definition["Name"], at, value, line


def scrape(definitions: list[Doc], events: Sequence[tuple[int, str]]) -> list[Point]:
    """What `values` finds, with the steps that the lines name."""
    # A line may have several metrics.
    step_of = lru_cache(maxsize=None)(named_steps.of) if len(definitions) > 1 else named_steps.of
    return [
        Point(name, step_of(line), at, value)
        for name, at, value, line in values(definitions, events)
    ]


def final(state: Doc, found: Iterable[Point]) -> Doc:
    """`FinalMetricDataList` after what was found: the last value of each metric."""
    last = {each["MetricName"]: each for each in state.get("FinalMetricDataList", [])}
    for it in filter(_finite, found):
        last[it.metric] = {"MetricName": it.metric, "Value": it.value, "Timestamp": it.at}
    return {"FinalMetricDataList": list(last.values())} if last else {}


def batches(job: Resource, found: Iterable[Point]) -> tuple[Batch, ...]:
    """What was found, for the metric store; values beyond CloudWatch's range are left out."""
    dimensions = (("TrainingJobName", job.name),)
    rows: dict[str, list[Row]] = {}
    for it in found:
        if abs(it.value) <= LARGEST:
            rows.setdefault(it.metric, []).append(row(it.at, it.value))
    return tuple(
        Batch(
            Metric(job.account, job.region, NAMESPACE, name, dimensions, job.owner),
            "None",
            tuple(of_metric),
        )
        for name, of_metric in rows.items()
    )


def _finite(point: Point) -> bool:
    return math.isfinite(point.value)


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
    try:
        if "_" not in text:  # which Python takes inside of numbers
            return float(text)
    except ValueError:
        pass
    match = _NUMBER.match(text)
    return float(match[0]) if match else None


@lru_cache(maxsize=512)
def _compiled(expression: str) -> "regex.Pattern[str] | None":
    with suppress(ValueError):
        return expressions.compiled(expression)
    return None
