"""CORS: a bucket's rules on real requests and preflights; no rule, no grant."""

from typing import Any

import pytest
import s3_raw
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from studio.s3 import cors
from studio.s3.errors import S3Error

PAGE = "https://app.example.org"
RULES = [
    {
        "ID": "app",
        "AllowedOrigins": ["https://*.example.org", "http://localhost:3000"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["x-amz-*", "Content-Type"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 600,
    },
    {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]},
]


@pytest.fixture
def open_bucket(s3: Any, bucket: str) -> str:
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": RULES})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    return bucket


def granted(answer: s3_raw.Answer) -> dict[str, str]:
    prefix = "access-control-"
    found = {name.lower(): value for name, value in answer.headers.items()}
    return {name.removeprefix(prefix): v for name, v in found.items() if name.startswith(prefix)}


def ask(gateway: Any, target: str, origin: str, method: str, headers: str = "") -> s3_raw.Answer:
    sent = {"origin": origin, "access-control-request-method": method}
    if headers:
        sent["access-control-request-headers"] = headers
    return s3_raw.send(gateway.port, "OPTIONS", target, sent)


def test_rules_come_back(s3: Any, open_bucket: str) -> None:
    assert s3.get_bucket_cors(Bucket=open_bucket)["CORSRules"] == RULES
    s3.delete_bucket_cors(Bucket=open_bucket)
    with pytest.raises(ClientError, match="NoSuchCORSConfiguration"):
        s3.get_bucket_cors(Bucket=open_bucket)


def test_preflights(gateway: Any, open_bucket: str) -> None:
    target = f"/{open_bucket}/any/key"
    answer = ask(gateway, target, PAGE, "PUT", "X-Amz-Date, content-type")
    assert answer.status == 200
    assert granted(answer) == {
        "allow-origin": PAGE,
        "allow-methods": "GET, PUT",
        "allow-headers": "x-amz-date, content-type",
        "allow-credentials": "true",
        "expose-headers": "ETag",
        "max-age": "600",
    }
    assert granted(ask(gateway, target, "https://elsewhere.net", "HEAD"))["allow-origin"] == "*"


@pytest.mark.parametrize(
    ("origin", "method", "headers", "status"),
    [
        ("https://example.org.evil.net", "GET", "", 403),
        ("https://example.org", "GET", "", 403),
        ("null", "GET", "", 403),
        (PAGE, "DELETE", "", 403),
        (PAGE, "GET", "authorization", 403),
        (PAGE, "PATCH", "", 400),
    ],
)
def test_preflights_that_are_refused(
    gateway: Any, open_bucket: str, origin: str, method: str, headers: str, status: int
) -> None:
    answer = ask(gateway, f"/{open_bucket}/k", origin, method, headers)
    assert (answer.status, granted(answer)) == (status, {})


def test_no_rule_no_grant(s3: Any, gateway: Any, bucket: str) -> None:
    """And a bucket that is not there looks like one that has no rules."""
    for target in (f"/{bucket}/k", "/no-such-bucket/k", "/"):
        answer = ask(gateway, target, PAGE, "GET")
        assert (answer.status, answer.code, granted(answer)) == (403, "AccessForbidden", {})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    answer = s3_raw.call(gateway.port, "GET", f"/{bucket}/k", {"origin": PAGE})
    assert (answer.status, granted(answer)) == (200, {})


def test_real_requests(gateway: Any, open_bucket: str) -> None:
    target = f"/{open_bucket}/k"
    answer = s3_raw.call(gateway.port, "GET", target, {"origin": PAGE})
    assert (answer.body, granted(answer)["allow-origin"]) == (b"x", PAGE)
    assert granted(answer)["expose-headers"] == "ETag"
    # A page must be able to read why it was refused, and learns nothing more by that.
    unsigned = s3_raw.send(gateway.port, "GET", target, {"origin": PAGE})
    assert (unsigned.status, unsigned.body.count(b"AccessDenied")) == (403, 1)
    stranger = s3_raw.call(gateway.port, "GET", target, {"origin": "https://elsewhere.net"})
    assert (stranger.status, granted(stranger)) == (200, {})
    assert granted(s3_raw.call(gateway.port, "GET", target)) == {}


@pytest.mark.parametrize(
    "rule",
    [
        {"AllowedOrigins": ["*"], "AllowedMethods": ["PATCH"]},
        {"AllowedOrigins": ["*"], "AllowedMethods": ["get"]},
        {"AllowedOrigins": ["*.*"], "AllowedMethods": ["GET"]},
        {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "AllowedHeaders": ["**"]},
        {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "ExposeHeaders": ["x-*"]},
        {"AllowedOrigins": ["a\nset-cookie: b"], "AllowedMethods": ["GET"]},
        {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "MaxAgeSeconds": -1},
        {"AllowedOrigins": [], "AllowedMethods": ["GET"]},
    ],
)
def test_rules_that_are_refused(s3: Any, bucket: str, rule: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert error.value.response["Error"]["Code"] in ("InvalidRequest", "MalformedXML")
    with pytest.raises(ClientError, match="NoSuchCORSConfiguration"):
        s3.get_bucket_cors(Bucket=bucket)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_pattern_grants_what_it_says(pattern: str, origin: str) -> None:
    before, star, after = pattern.partition("*")
    rule = cors.Rule((pattern,), ("GET",))
    fits = (
        origin.startswith(before)
        and origin.endswith(after)
        and len(origin) >= len(before) + len(after)
        if star
        else origin == pattern
    )
    assert (rule.grants(origin, "GET", ()) is not None) == fits


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(S3Error):
        cors.read(data)
