"""Metrics that a job prints: MetricDefinitions over the lines of its log.

The expressions are users' and run under a time limit: one that backtracks without end matches
nothing, and harms no other job.
"""

from contextlib import suppress
from functools import lru_cache

import regex

from studio.db.resources import Doc
from studio.runners.base import LogPage

_SECONDS = 0.05
_NUMBER = regex.compile(
    r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf)", regex.I
)


def scrape(state: Doc, page: LogPage) -> Doc:
    """`FinalMetricDataList` after the lines of `page`: the last value of each metric."""
    final = {metric["MetricName"]: metric for metric in state.get("FinalMetricDataList", [])}
    for definition in state["MetricDefinitions"]:
        pattern = _compiled(definition["Regex"])
        if pattern is None:
            continue
        for at, line in page.events:
            value = _value(pattern, line)
            if value is not None:
                name = definition["Name"]
                final[name] = {"MetricName": name, "Value": value, "Timestamp": at}
    return {"FinalMetricDataList": list(final.values())} if final else {}


def _value(pattern: regex.Pattern[str], line: str) -> float | None:
    """The first group as a number. A TAB may stand as `#011`, as CloudWatch shows it."""
    for text in (line, line.replace("\t", "#011")) if "\t" in line else (line,):
        with suppress(TimeoutError, ValueError, IndexError, TypeError):
            match = pattern.search(text, timeout=_SECONDS)
            if match is not None:
                return _leading_number(match.group(1))
    return None


def _leading_number(text: str) -> float | None:
    """AWS's own `(\\S+)` swallows the metric behind it: `0.5#011validation-rmse:0.7` is 0.5."""
    match = _NUMBER.match(text)
    return float(match.group()) if match else None


@lru_cache(maxsize=512)
def _compiled(expression: str) -> "regex.Pattern[str] | None":
    with suppress(regex.error):
        return regex.compile(expression)
    return None
