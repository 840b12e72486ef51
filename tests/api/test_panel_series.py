"""Series for charts: every printed value in its order, the extremes of many, what hosts use."""

import math
import struct
import time

import pytest
from logged_jobs import Job

from studio.api import printed, series
from studio.api.series import Series
from studio.db.session import Database
from studio.metrics import store
from studio.metrics.rows import row
from studio.metrics.store import Batch, Metric
from studio.runners.shim import gpus, usage
from studio.settings import Settings

XGBOOST = [
    {"Name": "train:rmse", "Regex": r".*\[[0-9]+\].*#011train-rmse:(\S+)"},
    {"Name": "validation:rmse", "Regex": r".*\[[0-9]+\].*#011validation-rmse:(\S+)"},
]
LOSS = [{"Name": "loss", "Regex": r"loss=(\S+)"}]


@pytest.fixture(scope="module", name="panel")
def panel_fixture(plane):
    return plane.client("studio")


def column(packed: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(packed) // 8}d", packed))


def told(panel, name: str, **request) -> dict[str, dict]:
    """Series by their name, and the statistic of an endpoint's."""
    kind = request.pop("Kind", "training-job")
    answer = panel.get_metric_series(Kind=kind, Name=name, **request)
    return {
        "/".join(filter(None, (it["MetricName"], it.get("Statistic")))): it
        for it in answer["Series"]
    }


def test_values_of_one_moment_keep_their_order_and_their_steps(plane, panel):
    job = Job(plane.home, "rounds", metrics=XGBOOST)
    losses = [1 / (step + 1) for step in range(50)]
    lines = [
        f"[{n}]\ttrain-rmse:{it:.5f}\tvalidation-rmse:{2 * it:.5f}" for n, it in enumerate(losses)
    ]
    job.say(*lines[:30])
    assert told(panel, "rounds")["train:rmse"]["Total"] == 30
    job.say(*lines[30:])
    found = told(panel, "rounds")
    train = found["train:rmse"]
    assert column(train["Values"]) == pytest.approx(losses, abs=1e-5)
    assert column(train["Steps"]) == list(range(50))
    assert (train["StepName"], train["Group"]) == ("round", "job")
    assert column(train["Times"]) == [job.clock - 100] * 30 + [job.clock] * 20
    assert (train["Maximum"], train["Last"]) == (1.0, 0.02)
    assert column(found["validation:rmse"]["Steps"]) == list(range(50))


@pytest.mark.parametrize(
    ("lines", "name", "steps"),
    [
        (["epoch=1, loss=3", "epoch=2, loss=2"], "epoch", [1, 2]),
        (["Epoch 1/3 step 10 loss=3", "Epoch 1/3 step 20 loss=2"], "step", [10, 20]),
        (["{'epoch': 0.5, loss=3}", "{'epoch': 1.0, loss=2}"], "epoch", [0.5, 1]),
        (["iter 5: loss=1", "Iteration: 6 loss=2"], "iteration", [5, 6]),
        (["loss=3", "loss=2"], None, None),
        (["epoch=1 loss=3", "loss=2"], None, None),
        (["epoch=2 loss=3", "epoch=1 loss=2"], None, None),
        (["epoch=1 loss=3", "epoch=1 loss=2"], None, None),
    ],
)
def test_steps_that_lines_name(plane, panel, lines, name, steps):
    job = Job(plane.home, f"steps-{abs(hash(tuple(lines)))}", metrics=LOSS)
    job.say(*lines)
    found = told(panel, job.name)["loss"]
    assert found.get("StepName") == name
    assert (column(found["Steps"]) if steps else found.get("Steps")) == steps


def test_hosts_are_told_apart_and_only_the_latest_attempt_counts(plane, panel):
    job = Job(plane.home, "gang", metrics=LOSS)
    job.say("loss=9")
    for role in ("train/algo-1/2", "train/algo-2/2"):
        job.begin(role)
        job.say(f"loss={role[11]}")
    answer = panel.get_metric_series(Kind="training-job", Name="gang", MetricNames=["loss"])
    assert [(it["Host"], it["Last"]) for it in answer["Series"]] == [("algo-1", 1), ("algo-2", 2)]
    assert answer["Complete"]


def test_a_span_of_time(plane, panel):
    job = Job(plane.home, "span", metrics=LOSS)
    for number in range(10):
        job.say(f"loss={number}")
    first = (job.created_at + 300) / 1000
    found = told(panel, "span", StartTime=first, EndTime=first + 0.5)
    assert column(found["loss"]["Values"]) == [2, 3, 4, 5, 6]
    with pytest.raises(Exception, match="StartTime must be less"):
        told(panel, "span", StartTime=first, EndTime=first)


def test_a_long_log_is_read_in_parts(plane, panel, monkeypatch):
    job = Job(plane.home, "long", metrics=LOSS)
    job.say(*(f"loss={number}" for number in range(100)))
    monkeypatch.setattr(printed, "_LINES", 10)
    clock = iter(range(10_000))
    monkeypatch.setattr(printed.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(printed, "_SECONDS", 3.0)
    seen = []
    reader = printed.Printed(job.folder, (("loss", r"loss=(\S+)"),))
    while True:
        found, whole = reader.read("")
        seen.append(len(found[0].values))
        if whole:
            break
    assert seen[0] < seen[1] < seen[-1] == 100


def test_of_very_many_values_the_extremes_are_kept(plane, panel, monkeypatch):
    monkeypatch.setattr(printed, "_MOST", 200)
    job = Job(plane.home, "very-many", metrics=LOSS)
    job.say(
        *(f"step {n} loss={(-50 if n == 333 else 99 if n == 777 else n % 7)}" for n in range(5_000))
    )
    loss = told(panel, "very-many")["loss"]
    shown = column(loss["Values"])
    assert len(shown) < 200
    assert loss["Total"] == 5_000
    assert (min(shown), max(shown), shown[-1]) == (-50, 99, 4_999 % 7)
    steps = column(loss["Steps"])
    assert steps == sorted(steps)
    assert steps[shown.index(99)] == 777


def test_what_a_host_uses(plane, panel):
    job = Job(plane.home, "uses")
    meter = usage.Meter(job.folder, 1000)
    for used in (100, 400):
        meter._since -= 60  # a sample is due
        meter.look([], used)
    assert "GPUUtilization" not in told(panel, "uses")
    gpus._SAMPLES.append(job.folder, (time.time_ns() // 1_000_000, 140.0, 25.0))
    found = told(panel, "uses")
    assert found["MemoryUtilization"]["Unit"] == "Percent"
    assert column(found["GPUUtilization"]["Values"]) == [140]
    assert column(found["GPUMemoryUtilization"]["Values"]) == [25]
    assert column(found["MemoryUtilization"]["Values"]) == pytest.approx([10, 40])
    assert found["CPUUtilization"]["Host"] == "algo-1"
    assert "DiskUtilization" in found


def test_what_an_endpoint_was_asked(plane, panel):
    server = Job(plane.home, "asked", "endpoint", "serve/1/AllTraffic/0")
    now = time.time_ns() // 1_000_000
    at = now - now % 10_000 - 60_000
    scope = ("000000000000", "us-east-1", "AWS/SageMaker")
    dimensions = (("EndpointName", "asked"), ("VariantName", "AllTraffic"))
    batches = [
        Batch(Metric(*scope, "Invocations", dimensions), "None", (row(at, 1.0, 100.0),)),
        Batch(
            Metric(*scope, "ModelLatency", dimensions),
            "Microseconds",
            tuple(row(at + 1_000, float(it)) for it in range(1, 101)),
        ),
    ]
    db = Database(Settings(home=plane.home).database)
    db.write(lambda connection: store.append(connection, batches))
    db.close()
    assert server.created_at < at
    found = told(panel, "asked", Kind="endpoint")
    asked, half = found["Invocations/Sum"], found["ModelLatency/p50"]
    place = column(asked["Times"]).index(at)
    assert column(asked["Values"])[place] == 100
    assert sum(column(asked["Values"])) == 100
    assert column(half["Values"])[place] == pytest.approx(50, rel=0.02)
    assert column(found["ModelLatency/p99"]["Values"])[place] == pytest.approx(99, rel=0.02)
    assert math.isnan(column(half["Values"])[place + 1])
    assert asked["Host"] == "AllTraffic"
    assert sum(column(found["Invocation5XXErrors/Sum"]["Values"])) == 0


@pytest.mark.parametrize("hours", [1, 5, 24 * 20, 24 * 80])
def test_the_period_is_not_shorter_than_what_is_kept(plane, panel, hours):
    Job(plane.home, f"ages-{hours}", "endpoint", "serve/1/AllTraffic/0")
    answer = panel.get_metric_series(
        Kind="endpoint", Name=f"ages-{hours}", StartTime=time.time() - hours * 3600
    )
    period = answer["PeriodInSeconds"]
    assert period >= {1: 10, 5: 60, 24 * 20: 300, 24 * 80: 3600}[hours]
    assert max(it["Total"] for it in answer["Series"]) <= 1_001


def test_thinning_keeps_every_extreme_and_the_last():
    values = [math.sin(n / 50) for n in range(10_000)]
    values[1234], values[7777] = 9.0, -9.0
    whole = Series("x", "job", "None", list(range(10_000)), values, list(range(10_000)), "step")
    thin = series.described(whole, 100)
    shown = column(thin["Values"])
    assert len(shown) <= 101
    assert thin["Total"] == 10_000
    assert (max(shown), min(shown)) == (9.0, -9.0)
    assert shown[-1] == values[-1]
    times = column(thin["Times"])
    assert times == sorted(times) == column(thin["Steps"])
    assert all(values[int(at)] == value for at, value in zip(times, shown, strict=True))
    assert len(column(series.described(whole, 10_000)["Values"])) == 10_000
