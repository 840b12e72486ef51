"""The program that asks an endpoint again and again: what it sends, and what it says of it."""

import json
import subprocess
import sys

import pytest
from serving_support import Model, Router

from studio.serving.latencies import Latencies
from studio.serving.load_test import Plan

ONE_FOR_ALL = True


def begun(router: Router, **plan) -> subprocess.Popen:
    message = router.request(plan.pop("body", b"fast"))
    address = ("127.0.0.1", router.port)
    known = {"address": address, "message": message, "seconds": 1, "connections": 4, "rate": 0.0}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "studio.serving.load_test"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdin.write(Plan(**{**known, **plan}).line())
    process.stdin.flush()
    return process


def last(process: subprocess.Popen) -> dict:
    with process:
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0
    return json.loads(lines[-1])


def test_a_rate_is_kept(router: Router, model: Model):
    told = last(begun(router, rate=150.0))
    assert told["Over"]
    unsent = told["Errors"].pop("NotSent", 0)  # of a machine that stands still at the end
    assert told["Errors"] == {}
    assert told["Requested"] == 150
    assert told["Sent"] == len(model.bodies()) == 150 - unsent
    assert sum(count for _, count in told["Histogram"]) == 150
    [second] = told["Seconds"]
    assert (second["Requested"], second["Answered"]) == (150, told["Sent"])
    assert told["Sent"] > 0
    latency = told["Latency"]
    assert 0 < latency["P50"] <= latency["P90"] <= latency["P99"] <= latency["Maximum"]


def test_who_keeps_requests_from_being_sent_is_charged_for_them(router: Router):
    """One connection, each answer takes 0.1 s, and a request is due every 0.05 s: the wait grows,
    though each answer takes as long as the first."""
    told = last(begun(router, rate=20.0, connections=1, body=b"slow:0.1"))
    assert told["Requested"] == 20
    assert told["Sent"] + told["Errors"]["NotSent"] == 20
    assert told["Latency"]["P50"] > 150
    assert told["Latency"]["P99"] > told["Latency"]["P50"]


def test_errors_are_counted_by_kind(router: Router):
    told = last(begun(router, rate=20.0, body=b"status:500"))
    assert told["Errors"].pop("424 ModelError") + sum(told["Errors"].values()) == 20
    assert set(told["Errors"]) <= {"NotSent"}
    assert "P50" not in told["Latency"] or told["Errors"]


def test_connections_send_as_they_are_answered_until_the_input_is_closed(router: Router):
    process = begun(router, seconds=30, connections=2)
    first = json.loads(process.stdout.readline())
    process.stdin.close()
    told = last(process)
    assert not told["Over"]
    assert told["Requested"] >= first["Requested"] > 2
    assert max(it["Requested"] for it in told["Seconds"]) <= 3_000


def test_percentiles_are_those_of_buckets():
    latencies = Latencies()
    assert (latencies.quantile(0.5), latencies.summary()) == (None, {})
    for number in range(1, 1001):
        latencies.add(number / 1000)
    for part in (0.5, 0.9, 0.99):
        assert latencies.quantile(part) == pytest.approx(1000 * part, rel=0.023)
    assert latencies.quantile(1.0) == latencies.summary()["Maximum"] == 1000
