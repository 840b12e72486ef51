"""Lines of metric files: `smexperiments`' own, and garbage of every kind."""

import json
import math

import pytest

from studio.api.metric_lines import points
from studio.reconcile.steps import Point

GOOD = {"MetricName": "loss", "Value": 0.5, "Timestamp": 1_700_000_000.25, "IterationNumber": 3}


def line(**changes) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


@pytest.mark.parametrize(
    ("given", "point"),
    [
        (line(), Point("loss", 3, 1_700_000_000_250, 0.5)),
        (line(IterationNumber=None), Point("loss", None, 1_700_000_000_250, 0.5)),
        (line(Value=math.inf), Point("loss", 3, 1_700_000_000_250, math.inf)),
        (line(Value=1e308, More="said"), Point("loss", 3, 1_700_000_000_250, 1e308)),
        (line(MetricName="<b>ü\0"), Point("<b>ü\ufffd", 3, 1_700_000_000_250, 0.5)),
        (line(MetricName="n" * 10_000), Point("n" * 10_000, 3, 1_700_000_000_250, 0.5)),
    ],
)
def test_values_are_kept_as_they_are(given, point):
    assert list(points([given])) == [point]


def test_a_value_that_is_no_number_is_a_value():
    [point] = points([line(Value=math.nan)])
    assert math.isnan(point.value)


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"Epoch 3: loss 0.5",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b"null",
        b"7",
        b'"MetricName"',
        b'{"MetricName": "loss", "Value": 1}',
        b'{"MetricName": "\\ud800", "Value": 1, "Timestamp": 1}',
        line(MetricName=""),
        line(MetricName="n" * 10_001),
        line(MetricName=3),
        line(Value="much"),
        line(Value=None),
        line(Value=True),
        line(Value=[1]),
        b'{"MetricName": "m", "Timestamp": 1, "Value": 1' + b"0" * 5_000 + b"}",
        line(Timestamp=-1),
        line(Timestamp=1e300),
        line(Timestamp=math.nan),
        line(Timestamp=math.inf),
        line(IterationNumber=-1),
        line(IterationNumber=2**60),
        line(IterationNumber="third"),
        line(IterationNumber={}),
    ],
)
def test_garbage_says_nothing_and_hurts_nobody(given):
    assert list(points([given, line()])) == [Point("loss", 3, 1_700_000_000_250, 0.5)]
