"""CBOR against botocore's own serializer and parser, and against bytes that mean no good."""

import contextlib
import struct
import time
from datetime import UTC, datetime

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import ApiError
from studio.wire import cbor, models, protocols
from studio.wire.shapes import SerializationException

PUT = models.operation_model("cloudwatch", "PutMetricData")
STATISTICS = models.operation_model("cloudwatch", "GetMetricStatistics")
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


@given(texts, st.lists(numbers, min_size=1, max_size=300), st.integers(1, 2**31 - 1))
def test_requests_of_botocore_are_understood(name, values, resolution):
    at = datetime(2026, 11, 21, 12, 30, 1, tzinfo=UTC)
    datum = {"MetricName": name, "Values": values, "StorageResolution": resolution}
    sent = {"Namespace": "team", "MetricData": [{**datum, "Timestamp": at}]}
    serializer = create_serializer("smithy-rpc-v2-cbor", include_validation=False)
    body = serializer.serialize_to_request(sent, PUT)["body"]
    datum["Timestamp"] = int(at.timestamp()) * 1000
    assert protocols.read_cbor_request(PUT, body) == {"Namespace": "team", "MetricData": [datum]}


@given(texts, st.lists(st.tuples(st.integers(0, 4_102_444_800_000), numbers), max_size=30))
def test_answers_are_understood_by_botocore(label, points):
    document = {
        "Label": label,
        "Datapoints": [
            {"Timestamp": at, "Average": value, "ExtendedStatistics": {"p9": value}, "Unknown": 1}
            for at, value in points
        ],
    }
    response = protocols.cbor_response(STATISTICS, document)
    answer = {"status_code": 200, "headers": response.headers, "body": response.body}
    parsed = create_parser("smithy-rpc-v2-cbor").parse(answer, STATISTICS.output_shape)
    assert parsed["Label"] == label
    for (at, value), found in zip(points, parsed["Datapoints"], strict=True):
        assert found["Timestamp"].timestamp() * 1000 == pytest.approx(at)
        assert (found["Average"], found["ExtendedStatistics"]) == (value, {"p9": value})
        assert found.keys() == {"Timestamp", "Average", "ExtendedStatistics"}


def test_an_error_is_understood_by_botocore():
    refused = ApiError("InvalidParameterValue", "The value is wrong.")
    response = protocols.cbor_error(refused, "cloudwatch")
    headers = {name.lower(): value for name, value in response.headers.items()}
    answer = {"status_code": 400, "headers": headers, "body": response.body}
    parsed = create_parser("smithy-rpc-v2-cbor").parse(answer, STATISTICS.output_shape)
    assert parsed["Error"]["Code"] == "InvalidParameterValue"
    assert parsed["Error"]["QueryErrorCode"] == "InvalidParameterValueException"
    assert parsed["Error"]["Message"] == "The value is wrong."


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", {}),
        (b"\xbf\x61a\x01\xff", {"a": 1}),
        (b"\x9f\x01\x20\xff", [1, -1]),
        (b"\x7f\x61a\x61b\xff", "ab"),
        (b"\x5f\x42ab\x41c\xff", "YWJj"),
        (b"\xf9\x3c\x00", 1.0),
        (b"\xfa" + struct.pack(">f", 0.5), 0.5),
        (b"\x1b" + b"\xff" * 8, 2**64 - 1),
        (b"\xf6", None),
        (b"\xf7", None),
        (b"\xf4", False),
        (b"\xc1\x18\x64", 100),
    ],
)
def test_every_form_of_a_value(data, value):
    assert cbor.loads(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b"\xa1",
        b"\xa1\x01\x01",
        b"\xa2\x61a\x01\x61a\x02",
        b"\x01\x01",
        b"\x5b" + b"\xff" * 8,
        b"\x9b" + b"\xff" * 8,
        b"\xbb" + b"\xff" * 8,
        b"\x7b" + b"\xff" * 8 + b"a",
        b"\x61\xff",
        b"\x7f\x41a\xff",
        b"\xff",
        b"\xfc",
        b"\xf8\x20",
        b"\x1c",
        b"\xc2\x41\x01",
        b"\xd8\x23\x61(",
        b"\xd8\x1c\x80",
        b"\x81" * 100_000,
        b"\xc1" * 100_000,
        b"\x9f" * 1_000,
    ],
)
def test_what_is_no_request_is_refused_quickly(data):
    started = time.process_time()
    with pytest.raises(SerializationException):
        cbor.loads(data)
    assert time.process_time() - started < 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_refused(data):
    with contextlib.suppress(ApiError):
        cbor.loads(data)
        protocols.read_cbor_request(PUT, data)
