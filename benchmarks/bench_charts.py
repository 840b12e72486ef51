"""Charts in a browser: 100 series of 10,000 points, and how soon a logged point is seen."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy

from benchmarks import running
from benchmarks.harness import Row, at_most
from benchmarks.lab import lab

_LINES, _POINTS = 100, 10_000
_SCRIPT = Path(__file__).with_name("charts.mjs")


def run() -> list[Row]:
    """Needs Chromium, and the panels as `make setup` builds them."""
    with running.studio() as it, lab(it) as url:
        _fill(it.client("sagemaker"), it.client("studio"))
        found = _figures(url)
    chart = f"chart of {_LINES} x {_POINTS:,} points"
    return [
        Row(f"{chart}: asked to painted", found["first"], "s", at_most(0.3)),
        Row(f"{chart}: come back to, its last answer at once", found["painted"], "s"),
        Row(f"{chart}: drawn anew, of the main thread", found["drawn"], "s", at_most(0.1)),
        Row("a logged point is seen in the open chart after", found["seen"], "s", at_most(1.0)),
    ]


def _fill(sagemaker: Any, studio: Any) -> None:
    steps = numpy.arange(_POINTS, dtype="<i8")
    for number in range(_LINES):
        name = f"line-{number:03d}"
        sagemaker.create_trial_component(
            TrialComponentName=name, Parameters={"depth": {"NumberValue": float(number % 5)}}
        )
        walk = numpy.random.default_rng(number).normal(size=_POINTS).cumsum()
        points = {
            "MetricName": "loss",
            "Steps": steps.tobytes(),
            "Timestamps": (1_700_000_000_000 + 1000 * steps).tobytes(),
            "Values": walk.astype("<f8").tobytes(),
        }
        studio.put_trial_component_metrics(TrialComponentName=name, Series=[points])


def _figures(url: str) -> dict[str, Any]:
    command = ["node", str(_SCRIPT), url, str(_LINES), str(_POINTS)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
