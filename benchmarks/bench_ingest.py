"""Metrics over HTTP, durable before each answer, beside FastTrackML and MLflow in the same run.

Requests were made and signed before, so that what is measured is the server. Four clients send
batches of a thousand values of ten metrics; then one, and then eight at once, send single values,
each after the answer to the last, which waits for the disk. What a program logs value by value goes
in batches: see the benchmark `tracking`.

Studio syncs the disk before it answers. FastTrackML, on SQLite as well, never does (strace sees
no fsync): its values outlive the program, and not a power cut.
"""

import os
import random
import statistics
import tempfile
import time
from typing import Any

from benchmarks import processes, running, signing, sockets, trackers
from benchmarks.clocks import each
from benchmarks.harness import Row, at_least, times
from benchmarks.running import Running
from benchmarks.trackers import Tracker

_BATCH, _BATCHES, _CLIENTS = 1_000, 300, 4
_WARM = 8
"""Batches that come first, and are not counted."""
_SINGLE, _MANY = 500, 8
_METRICS = 10
_SETTLED_SECONDS = 2.0


def run() -> list[Row]:
    with running.studio() as it:
        batches, single, several, cpu = _ours(it)
    with trackers.fasttrackml() as tracker:
        fast, fast_single = _theirs(tracker, 60)
    with trackers.mlflow() as tracker:
        slow, slow_single = _theirs(tracker, 10)
    name, one = f"ingest: batches of {_BATCH} values", "ingest: one client, single values"
    unit = "values/s"
    return [
        Row(name, batches, unit, at_least(100_000)),
        Row(f"{name}, faster", batches, unit, times(5), "FastTrackML", fast, batches / fast),
        Row(f"{name}, faster", batches, unit, None, "mlflow server", slow, batches / slow),
        Row(f"{name}: CPU a batch, settling too", cpu * 1e3, "ms"),
        Row(one, single, unit, None, "FastTrackML", fast_single, single / fast_single),
        Row(one, single, unit, None, "mlflow server", slow_single, single / slow_single),
        Row(f"ingest: {_MANY} clients, single values", several, unit),
        Row("the disk: one synced write", _synced() * 1e3, "ms"),
    ]


def _ours(it: Running) -> tuple[float, float, float, float]:
    """Values a second in batches, one by one, and one by one by many; CPU seconds a batch."""
    it.client("sagemaker").create_trial_component(TrialComponentName="bench")
    url = it.env["AWS_ENDPOINT_URL"]
    sockets.rate(url, [_message(it, at, _BATCH) for at in range(_WARM)], _CLIENTS)
    messages = [_message(it, _WARM + at, _BATCH) for at in range(_BATCHES)]
    time.sleep(_SETTLED_SECONDS)
    before = processes.cpu_seconds(it.pid)
    rate = sockets.rate(url, messages, _CLIENTS) * _BATCH
    time.sleep(_SETTLED_SECONDS)
    cpu = (processes.cpu_seconds(it.pid) - before) / _BATCHES
    single, several = (
        sockets.rate(url, [_message(it, at, 1) for at in range(_SINGLE)], clients)
        for clients in (1, _MANY)
    )
    _check(it)
    return rate, single, several, cpu


def _synced() -> float:
    """Seconds: nothing durable is answered sooner."""
    with tempfile.NamedTemporaryFile(prefix="studio-bench-") as file:

        def write(turn: int) -> None:
            os.pwrite(file.fileno(), bytes(8192), 8192 * turn)
            os.fdatasync(file.fileno())

        return statistics.median(each(write, 200))


def _message(it: Running, number: int, size: int) -> bytes:
    data = [
        {"MetricName": name, "Timestamp": at / 1000, "Value": value, "Step": step}
        for name, at, value, step in _values(number, size)
    ]
    request = {"TrialComponentName": "bench", "MetricData": data}
    return sockets.of(signing.signed_metrics(it.env["AWS_ENDPOINT_URL"], it.env, request))


def _values(number: int, size: int) -> list[tuple[str, int, float, int]]:
    chance, now = random.Random(number), time.time_ns() // 1_000_000
    return [
        (f"m{at % _METRICS}", now + at, chance.random(), number * size + at // _METRICS)
        for at in range(size)
    ]


def _check(it: Running) -> None:
    found = it.client("sagemaker").describe_trial_component(TrialComponentName="bench")
    stored = sum(each["Count"] for each in found["Metrics"])
    sent = (_BATCHES + _WARM) * _BATCH + 2 * _SINGLE
    if stored != sent:
        raise RuntimeError(f"{stored} of {sent} values are there")


def _theirs(tracker: Tracker, batches: int) -> tuple[float, float]:
    run = tracker.run()
    warm = min(_WARM, batches // 2)
    sockets.rate(tracker.url, [_batch(tracker, run, at) for at in range(warm)], _CLIENTS)
    messages = [_batch(tracker, run, warm + at) for at in range(batches)]
    rate = sockets.rate(tracker.url, messages, _CLIENTS) * _BATCH
    singles = [_one(tracker, run, at) for at in range(50)]
    return rate, sockets.rate(tracker.url, singles, 1)


def _batch(tracker: Tracker, run: str, number: int) -> bytes:
    metrics = [_metric(*it) for it in _values(number, _BATCH)]
    return tracker.message("runs/log-batch", {"run_id": run, "metrics": metrics})


def _one(tracker: Tracker, run: str, number: int) -> bytes:
    return tracker.message("runs/log-metric", {"run_id": run, **_metric(*_values(number, 1)[0])})


def _metric(name: str, at: int, value: float, step: int) -> dict[str, Any]:
    return {"key": name, "timestamp": at, "value": value, "step": step}
