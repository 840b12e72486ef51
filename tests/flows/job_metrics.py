"""What trial components of jobs have of metrics, as queries tell it."""

import math
from array import array
from typing import Any


def of(studio: Any, component: str, *metrics: str) -> list[tuple[float, float, float, float]]:
    """(count, mean, last, last step) of each of these metrics of a component; NaN for none.

    Queries tell what has come a moment later; a description counts all of it first."""
    studio.client("sagemaker").describe_trial_component(TrialComponentName=component)
    asked = [
        field
        for name in metrics
        for field in (f'metric["{name}"]{it}' for it in (".count", ".mean", "", ".step"))
    ]
    answer = studio.client("studio").query_trial_components(Names=[component], Fields=asked)
    columns = {it["Field"]: _first(it.get("Numbers", b"")) for it in answer["Columns"]}
    values = [columns[field] for field in asked]
    return [tuple(values[at : at + 4]) for at in range(0, len(values), 4)]  # type: ignore[misc]


def _first(numbers: bytes) -> float:
    return array("d", numbers)[0] if numbers else math.nan
