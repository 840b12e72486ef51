"""Signatures against botocore's own signers, and against what an attacker would change."""

import hashlib
from datetime import UTC, datetime
from unittest import mock
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.wire import sigv4
from studio.wire.sigv4 import Request, SignatureError, Verified, verify

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials(KEY, SECRET)
NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
EMPTY = hashlib.sha256(b"").hexdigest()

segments = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=12)
paths = st.lists(segments | st.sampled_from([".", "..", ""]), max_size=4).map(
    lambda parts: "/" + "/".join(quote(part, safe="-_.~") for part in parts)
)
words = st.text(st.characters(codec="utf-8"), max_size=8)
queries = st.lists(st.tuples(words.filter(bool), words), max_size=4).map(
    lambda pairs: "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs
    )
)
printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
headers = st.dictionaries(
    st.sampled_from(["Content-Type", "x-amz-meta-a", "X-Amz-Target", "x-amz-acl", "Range"]),
    printable,
    max_size=4,
)
methods = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"])
bodies = st.binary(max_size=40)


def signed(
    signer: type, service: str, method: str, url: str, body: bytes = b"", **more: str
) -> Request:
    """The request as it leaves the wire after botocore's `signer` signed it."""
    request = AWSRequest(method=method, url=url, data=body, headers=more)
    request.headers["Host"] = urlsplit(url).netloc
    naive = NOW.replace(tzinfo=None)
    with (
        mock.patch("botocore.auth.get_current_datetime", return_value=naive),
        mock.patch("botocore.auth.time.time", return_value=NOW.timestamp()),
    ):
        signer(CREDENTIALS, service, "us-east-1").add_auth(request)
    return on_wire(method, request.url, dict(request.headers.items()))


def on_wire(method: str, url: str, more: dict[str, str]) -> Request:
    parts = urlsplit(url)
    lower = {name.lower(): str(value).strip() for name, value in more.items()}
    return Request(method, parts.path or "/", parts.query, lower)


def v2_presigned(method: str, url: str, **more: str) -> Request:
    request = AWSRequest(method=method, url=url, headers=more)
    with mock.patch("botocore.auth.time.time", return_value=NOW.timestamp()):
        botocore.auth.HmacV1QueryAuth(CREDENTIALS, 3600).add_auth(request)
    return on_wire(method, request.url, {"host": "127.0.0.1:1", **more})


def check(request: Request, service: str = "sagemaker", **changes: object) -> Verified:
    arguments = {
        "services": [service],
        "region": "us-east-1",
        "now": NOW.timestamp(),
        "body_sha256": EMPTY,
    }
    return verify(request, {KEY: SECRET}.get, **(arguments | changes))  # type: ignore[arg-type]


def kind_of(request: Request, service: str = "sagemaker", **changes: object) -> str:
    with pytest.raises(SignatureError) as caught:
        check(request, service, **changes)
    assert SECRET not in caught.value.message
    return caught.value.kind


def plain(service: str = "sagemaker", body: bytes = b"") -> Request:
    signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    return signed(signer, service, "POST", "http://127.0.0.1:1/a/b?x=1", body)


@settings(max_examples=300, deadline=None)
@given(methods, paths, queries, headers, bodies)
def test_accepts_what_botocore_signs(method, path, query, more, body):
    url = f"http://127.0.0.1:8080{path}" + (f"?{query}" if query else "")
    request = signed(botocore.auth.SigV4Auth, "sagemaker", method, url, body, **more)
    digest = hashlib.sha256(body).hexdigest()
    assert check(request, body_sha256=digest).access_key_id == KEY
    other = hashlib.sha256(body + b".").hexdigest()
    assert kind_of(request, body_sha256=other) == "mismatch"


@settings(max_examples=300, deadline=None)
@given(methods, paths, queries, headers, bodies)
def test_accepts_what_botocore_signs_for_s3(method, path, query, more, body):
    url = f"http://127.0.0.1:8080{path}" + (f"?{query}" if query else "")
    request = signed(botocore.auth.S3SigV4Auth, "s3", method, url, body, **more)
    verified = check(request, "s3", body_sha256=None)
    assert verified.payload == hashlib.sha256(body).hexdigest()
    assert kind_of(request._replace(path=request.path + "x"), "s3", body_sha256=None) == "mismatch"


@settings(max_examples=300, deadline=None)
@given(methods, paths, queries, headers)
def test_accepts_what_botocore_presigns(method, path, query, more):
    url = f"http://127.0.0.1:8080{path}" + (f"?{query}" if query else "")
    request = signed(botocore.auth.S3SigV4QueryAuth, "s3", method, url, **more)
    verified = check(request, "s3", body_sha256=None)
    assert (verified.scheme, verified.payload) == ("v4-query", "UNSIGNED-PAYLOAD")
    assert kind_of(request._replace(method="PATCH"), "s3", body_sha256=None) == "mismatch"


@settings(max_examples=300, deadline=None)
@given(
    methods,
    paths.filter(lambda path: "%0A" not in path),
    st.lists(
        st.tuples(
            st.sampled_from(
                ["versionId", "uploads", "partNumber", "acl", "other", "response-content-type"]
            ),
            words.filter(lambda word: "\n" not in word),
        ),
        max_size=4,
        unique_by=lambda pair: pair[0],
    ),
    headers,
)
def test_accepts_what_botocore_presigns_with_version_2(method, path, parameters, more):
    query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in parameters)
    url = f"http://127.0.0.1:8080{path}" + (f"?{query}" if query else "")
    request = v2_presigned(method, url, **more)
    assert check(request, "s3", body_sha256=None).scheme == "v2-query"
    assert kind_of(request._replace(path=request.path + "x"), "s3", body_sha256=None) == "mismatch"


def test_presigned_request_of_another_service_covers_its_body():
    request = signed(botocore.auth.SigV4QueryAuth, "sts", "GET", "http://127.0.0.1:1/?Action=A")
    assert check(request, "sts").payload == EMPTY
    assert kind_of(request, "sts", body_sha256=hashlib.sha256(b"x").hexdigest()) == "mismatch"


def test_every_bit_of_the_signature_counts():
    request = plain()
    header = request.headers["authorization"]
    for position in range(1, 65):
        digit = "0" if header[-position] != "0" else "1"
        end = header[len(header) - position + 1 :]
        changed = header[: len(header) - position] + digit + end
        headers = {**request.headers, "authorization": changed}
        assert kind_of(request._replace(headers=headers)) == "mismatch"


def test_order_of_headers_and_spaces_between_words_do_not_count():
    request = signed(
        botocore.auth.SigV4Auth, "sagemaker", "GET", "http://h/", **{"X-Amz-Target": "a  b"}
    )
    headers = dict(reversed(request.headers.items()))
    assert check(request._replace(headers=headers | {"x-amz-target": " a b "}))


@pytest.mark.parametrize("minutes", [16, -16])
def test_clock_far_off_is_refused(minutes):
    assert kind_of(plain(), now=NOW.timestamp() + 60 * minutes) == "skewed"


@pytest.mark.parametrize("minutes", [14, -14])
def test_clock_a_little_off_is_fine(minutes):
    assert check(plain(), now=NOW.timestamp() + 60 * minutes)


def test_unknown_key_is_named_as_such_even_with_a_right_signature():
    with pytest.raises(SignatureError) as caught:
        verify(
            plain(),
            lambda key: None,
            services=["sagemaker"],
            region="us-east-1",
            now=NOW.timestamp(),
            body_sha256=EMPTY,
        )
    assert caught.value.kind == "unknown_key"


def test_nobody_can_sign_with_the_secret_that_stands_in_for_an_unknown_key():
    from studio.wire.signature import DUMMY_SECRET

    with mock.patch(f"{__name__}.CREDENTIALS", Credentials("NOBODY", DUMMY_SECRET)):
        for service in ("sagemaker", "s3"):
            assert kind_of(plain(service), service) == "unknown_key"
        presigned = v2_presigned("GET", "http://h/bucket/key")
    assert kind_of(presigned, "s3", body_sha256=None) == "unknown_key"


def test_scope_must_be_ours():
    assert kind_of(plain("s3"), "sagemaker") == "scope"
    assert kind_of(plain(), region="eu-west-1") == "scope"
    assert check(plain(), region="")
    for before, after in (("20261121/", "20261120/"), ("aws4_request", "aws5_request")):
        request = plain()
        changed = request.headers["authorization"].replace(before, after)
        headers = {**request.headers, "authorization": changed}
        assert kind_of(request._replace(headers=headers)) == "scope"


@pytest.mark.parametrize("name", ["x-amz-security-token", "x-amz-acl", "x-amz-copy-source"])
def test_headers_added_after_signing_are_refused(name):
    request = plain("s3")
    headers = {**request.headers, name: "x"}
    assert kind_of(request._replace(headers=headers), "s3") == "malformed"


def test_host_must_be_signed():
    request = plain()
    changed = request.headers["authorization"].replace("host;", "")
    headers = {**request.headers, "authorization": changed}
    assert kind_of(request._replace(headers=headers)) == "malformed"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e",
        "AWS AKIA:c2lnbmF0dXJl",
        "Bearer x",
        "Basic \u00e9",
        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20261121/us-east-1/sagemaker/aws4_request, "
        "SignedHeaders=host;\u00e9, Signature=\u00e9",
    ],
)
def test_malformed_authorization(header):
    request = plain()
    headers = {"host": "h", "x-amz-date": "20261121T103000Z", "authorization": header}
    assert kind_of(request._replace(headers=headers)) == "malformed"


@pytest.mark.parametrize("date", ["", "now", "20261321T103000Z", "2026", "20261121T103000Z\u0661"])
def test_malformed_date(date):
    request = plain()
    assert kind_of(request._replace(headers=request.headers | {"x-amz-date": date})) == "malformed"


def test_date_header_serves_instead_of_x_amz_date():
    request = AWSRequest(method="GET", url="http://h/", headers={"Host": "h", "Date": "x"})
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        botocore.auth.SigV4Auth(CREDENTIALS, "sagemaker", "us-east-1").add_auth(request)
    assert check(on_wire("GET", "http://h/", dict(request.headers.items())))


def test_no_signature_at_all():
    assert kind_of(Request("GET", "/", "", {"host": "h"})) == "missing"


def presigned(**changes: str) -> Request:
    request = signed(botocore.auth.S3SigV4QueryAuth, "s3", "GET", "http://h/bucket/key")
    query = request.query
    for name, value in changes.items():
        before = next(p for p in query.split("&") if p.startswith(f"X-Amz-{name}="))
        query = query.replace(before, f"X-Amz-{name}={value}")
    return request._replace(query=query)


@pytest.mark.parametrize("seconds", ["0", "604801", "-1", "1e3", "", "9" * 5000, "%D9%A1"])
def test_presigned_for_an_impossible_time(seconds):
    assert kind_of(presigned(Expires=seconds), "s3") == "malformed"


def test_presigned_and_expired():
    request = presigned()
    assert check(request, "s3", now=NOW.timestamp() + 3599, body_sha256=None)
    assert kind_of(request, "s3", now=NOW.timestamp() + 3601) == "expired"
    assert kind_of(request, "s3", now=NOW.timestamp() - 1000) == "skewed"
    assert kind_of(presigned(Expires="604800"), "s3", body_sha256=None) == "mismatch"
    old = v2_presigned("GET", "http://h/bucket/key")
    assert kind_of(old, "s3", now=NOW.timestamp() + 3601) == "expired"


def test_two_signatures_are_one_too_many():
    request = presigned()
    twice = request._replace(query=request.query + "&X-Amz-Signature=0")
    assert kind_of(twice, "s3", body_sha256=None) == "malformed"
    both = request._replace(headers={**request.headers, "authorization": "AWS4-HMAC-SHA256 x"})
    assert kind_of(both, "s3", body_sha256=None) == "malformed"


def test_line_breaks_cannot_stand_for_lines_of_what_is_signed():
    old = v2_presigned("GET", "http://h/bucket/key")
    shifted = old._replace(query=old.query + "&content-type=a%0Ab")
    assert kind_of(shifted, "s3", body_sha256=None) == "malformed"
    assert kind_of(presigned(SignedHeaders="host%0Ax"), "s3", body_sha256=None) == "malformed"


@pytest.mark.parametrize("mode", [sigv4.STREAMING_UNSIGNED_TRAILER, sigv4.STREAMING])
def test_streaming_mode_needs_a_signature_too(mode):
    request = plain("s3")
    headers = {**request.headers, "x-amz-content-sha256": mode}
    assert kind_of(request._replace(headers=headers), "s3", body_sha256=None) == "mismatch"
    query = presigned().query + f"&X-Amz-Content-Sha256={mode}"
    assert kind_of(presigned()._replace(query=query), "s3", body_sha256=None) == "mismatch"


def test_declared_hash_must_be_that_of_the_body():
    request = plain("s3", b"body")
    assert check(request, "s3", body_sha256=hashlib.sha256(b"body").hexdigest())
    assert kind_of(request, "s3", body_sha256=EMPTY) == "mismatch"


def test_unknown_payload_mode_is_refused():
    request = plain("s3")
    headers = {**request.headers, "x-amz-content-sha256": "STREAMING-EVENTS"}
    assert kind_of(request._replace(headers=headers), "s3", body_sha256=None) == "malformed"
    del headers["x-amz-content-sha256"]
    assert kind_of(request._replace(headers=headers), "s3", body_sha256=None) == "malformed"


def test_signature_survives_either_encoding_of_text():
    for encoding in ("utf-8", "latin-1"):
        request = signed(
            botocore.auth.SigV4Auth, "sagemaker", "GET", "http://h/", **{"X-Amz-Meta": "ZAu\u00e9"}
        )
        wire = "ZAu\u00e9".encode(encoding).decode("latin-1")
        assert check(request._replace(headers=request.headers | {"x-amz-meta": wire}))


def test_chunks_are_chained_as_amazon_documents_it():
    """The example of the S3 API reference: a PUT of 66,560 bytes in chunks of 64 KiB."""
    secret, key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AKIAIOSFODNN7EXAMPLE"
    names = (
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-decoded-content-length;x-amz-storage-class"
    )
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    request = Request(
        "PUT",
        "/examplebucket/chunkObject.txt",
        "",
        {
            "host": "s3.amazonaws.com",
            "x-amz-date": "20130524T000000Z",
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "x-amz-content-sha256": sigv4.STREAMING,
            "content-encoding": "aws-chunked",
            "x-amz-decoded-content-length": "66560",
            "content-length": "66824",
            "authorization": f"AWS4-HMAC-SHA256 Credential={key}/20130524/us-east-1/s3/"
            f"aws4_request,SignedHeaders={names},Signature={seed}",
        },
    )
    verified = verify(
        request,
        {key: secret}.get,
        services=["s3"],
        region="us-east-1",
        now=datetime(2013, 5, 24, tzinfo=UTC).timestamp(),
        body_sha256=None,
    )
    assert verified.signature == seed
    signature = seed
    for size, wanted in (
        (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ):
        digest = hashlib.sha256(b"a" * size).hexdigest()
        signature = sigv4.chunk_signature(verified, signature, digest)
        assert signature == wanted


def test_trailer_is_chained_as_amazon_documents_it():
    """The trailing-checksum example of the S3 API reference, from its last chunk on."""
    verified = Verified(
        "AKIAIOSFODNN7EXAMPLE", "s3", "v4-header", sigv4.STREAMING_TRAILER, "",
        sigv4._signing_key(
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3"
        ),
        "20130524T000000Z", "20130524/us-east-1/s3/aws4_request",
    )  # fmt: skip
    last = "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"
    trailer = b"x-amz-checksum-crc32c:sOO8/Q==\n"
    wanted = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    assert sigv4.trailer_signature(verified, last, trailer) == wanted
    assert "signing_key" not in repr(verified)
