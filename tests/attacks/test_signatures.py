"""Whoever has no key, or not the right one: at every door, for everything, in every mode."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hostile import Answer, Port, Signer, message, refused, untouched
from studios import RunningStudio

from studio.wire import sigv4

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "delete"]
PATHS = [
    "/",
    "/castle",
    "/castle?policy",
    "/castle?delete",
    "/castle/k",
    "/castle/k?uploads",
    "/?Action=CreateUser&UserName=mallory&Version=2010-05-08",
    "/service/GraniteServiceVersion20100801/operation/PutMetricData",
    "/endpoints/e/invocations",
    "/endpoints/e/async-invocations",
    "/_studio/credentials/x",
    "/_studio/other",
    "/favicon.ico",
]
DRESSES: list[dict[str, str]] = [
    {},
    {"X-Amz-Target": "SageMaker.DeleteModel", "Content-Type": "application/x-amz-json-1.1"},
    {"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"},
    {"Content-Type": "application/x-www-form-urlencoded"},
]


@pytest.mark.parametrize(
    ("headers", "path", "code"),
    [
        (DRESSES[1], "/", "MissingAuthenticationTokenException"),
        (DRESSES[2], PATHS[7], ""),
        ({}, PATHS[6], "MissingAuthenticationToken"),
        ({}, "/castle/k", "AccessDenied"),
        ({}, "/endpoints/e/invocations", "MissingAuthenticationTokenException"),
    ],
)
def test_a01_no_signature(ports: dict[str, Port], headers: dict, path: str, code: str):
    for port in ("plain", "tls"):
        refused(ports[port].ask("POST", path, headers), 403, code=code)
    refused(ports["router"].ask("POST", path, headers), 403, 404)


@pytest.mark.parametrize("door", ["plain", "tls", "router"])
def test_a02_every_route_and_method(studio: RunningStudio, ports: dict[str, Port], door: str):
    with untouched(studio):
        for method in METHODS:
            for path in PATHS:
                for headers in DRESSES if door == "plain" else DRESSES[:1]:
                    answer = ports[door].ask(method, path, {"Cookie": "a=canary", **headers})
                    refused(answer, 401, 403, 404, 405)
                    assert b"canary" not in answer.raw  # TRACE repeats nothing


@pytest.mark.parametrize("door", ["plain", "router"])
def test_a02_health_is_read_only(ports: dict[str, Port], door: str):
    for method in METHODS:
        status = ports[door].ask(method, "/_studio/health").status
        assert status in ((200,) if method in ("GET", "HEAD") else (403, 405)), method


def asked(signer: Signer, port: Port, service: str, **how: Any) -> Answer:
    """A request that only reads, by the protocol of the service."""
    if service == "sagemaker":
        return signer.call(port, "ListModels", {}, **how)
    if service == "s3":
        return signer.ask(port, "GET", "/castle/k", service="s3", **how)
    if service == "router":
        return signer.ask(port, "POST", "/endpoints/none/invocations", b"1", **how)
    body = b"Action=ListUsers&Version=2010-05-08" if service == "iam" else b"Action=ListMetrics"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    headers = {**form, **how.pop("headers", {})}
    return signer.ask(port, "POST", "/", body, service, headers=headers, **how)


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("sagemaker", "UnrecognizedClientException"),
        ("s3", "InvalidAccessKeyId"),
        ("iam", "InvalidClientTokenId"),
        ("monitoring", "InvalidClientTokenId"),
        ("router", "UnrecognizedClientException"),
    ],
)
def test_a04_unknown_key(ports: dict[str, Port], owner: Signer, service: str, code: str):
    port = ports["router" if service == "router" else "plain"]
    refused(asked(Signer("AKIANOBODY0000000000", owner.secret), port, service), 403, code=code)
    refused(asked(Signer(owner.key[:-1], owner.secret), port, service), 403, code=code)


def test_a04_an_unknown_key_costs_what_a_wrong_signature_does():
    """Counted, not timed: how often a function is called on the way to either refusal."""
    secrets = {"AKIAKNOWN": "secret"}

    def work(key: str) -> int:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        port = Port("localhost", 80)
        signed = Signer(key, "wrong").headers(port, path="/", now=now)
        headers = {name.lower(): value for name, value in signed.items()}
        calls = 0

        def count(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        for profile in (None, count):  # the first time fills what is remembered
            sys.setprofile(profile)
            try:
                sigv4.verify(
                    sigv4.Request("POST", "/", "", headers),
                    secrets.get,
                    services=("sagemaker",),
                    region="us-east-1",
                    now=now.timestamp(),
                    body_sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                )
            except sigv4.SignatureError:
                pass
            finally:
                sys.setprofile(None)
        return calls

    assert abs(work("AKIAKNOWN") - work("AKIANOBODY")) <= 2
    assert work("AKIAKNOWN") > 20


def flipped(headers: dict[str, str], place: int) -> dict[str, str]:
    """One bit of the signature is another."""
    head, _, signature = headers["Authorization"].rpartition("Signature=")
    digit = f"{int(signature[place], 16) ^ 1:x}"
    changed = signature[:place] + digit + signature[place + 1 :]
    return {**headers, "Authorization": f"{head}Signature={changed}"}


TARGET = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}


@pytest.mark.parametrize("place", [0, 31, 63])
def test_a05_signature_bit_flip(ports: dict[str, Port], owner: Signer, place: int):
    for door, method, path, body, service, more, code in (
        ("plain", "POST", "/", b"{}", "sagemaker", TARGET, "InvalidSignatureException"),
        ("tls", "POST", "/", b"{}", "sagemaker", TARGET, "InvalidSignatureException"),
        ("plain", "GET", "/castle/k", b"", "s3", {}, "SignatureDoesNotMatch"),
        ("router", "POST", "/endpoints/e/invocations", b"1", "sagemaker", {},
         "InvalidSignatureException"),
    ):  # fmt: skip
        port = ports[door]
        signed = owner.headers(port, method, path, body, service, headers=more)
        refused(port.ask(method, path, flipped(signed, place), body), 403, code=code)


def test_a05_body_changed_after_signing(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer
):
    port = ports["plain"]
    signed = owner.headers(port, body=b'{"MaxResults": 1}', headers=TARGET)
    answer = port.ask("POST", "/", signed, b'{"MaxResults": 2}')
    refused(answer, 403, code="InvalidSignatureException")
    with untouched(studio):
        signed = owner.headers(port, "PUT", "/castle/k", b"new", "s3")
        answer = port.ask("PUT", "/castle/k", signed, b"bad")
        refused(answer, 400, code="XAmzContentSHA256Mismatch")
    path = "/endpoints/e/invocations"
    signed = owner.headers(ports["router"], path=path, body=b"1,2")
    answer = ports["router"].ask("POST", path, signed, b"1,3")
    refused(answer, 403, code="InvalidSignatureException")


def test_a05_the_order_of_headers_does_not_count(ports: dict[str, Port], owner: Signer):
    signed = owner.headers(ports["plain"], body=b"{}", headers=TARGET)
    backwards = dict(reversed(list(signed.items())))
    answer = ports["plain"].send(message("POST", "/", backwards, b"{}"))
    assert answer.status == 200


@pytest.mark.parametrize("minutes", [-16, 16, -14, 14])
def test_a06_clocks(ports: dict[str, Port], owner: Signer, minutes: int):
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    for service in ("sagemaker", "s3", "router"):
        port = ports["router" if service == "router" else "plain"]
        answer = asked(owner, port, service, now=now)
        if abs(minutes) < 15:
            assert answer.status == (400 if service == "router" else 200)  # no such endpoint
        elif service == "s3":
            refused(answer, 403, code="RequestTimeTooSkewed")
        else:
            refused(answer, 403, code="InvalidSignatureException")
            assert (b"expired" if minutes < 0 else b"not yet current") in answer.body


MODES = [
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "UNSIGNED-PAYLOAD",
]


@pytest.mark.parametrize("mode", MODES)
def test_a07_no_mode_waives_the_signature(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, mode: str
):
    """CVE-2026-40344: a signature that is invented, in the header and in the query."""
    port, body = ports["plain"], b"3\r\nnew\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    length = {"X-Amz-Decoded-Content-Length": "3"}
    liar = Signer(owner.key, "invented")
    with untouched(studio):
        answer = liar.ask(port, "PUT", "/castle/k", body, "s3", headers=length, payload=mode)
        refused(answer, 403, code="SignatureDoesNotMatch")
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        query = (
            f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={owner.key}%2F{now[:8]}"
            f"%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date={now}&X-Amz-Expires=900"
            f"&X-Amz-SignedHeaders=host&X-Amz-Signature={'0' * 64}"
        )
        answer = port.ask("PUT", f"/castle/k?{query}&X-Amz-Content-Sha256={mode}", {}, body)
        refused(answer, 403, code="SignatureDoesNotMatch")
        answer = port.ask("PUT", f"/castle/k?{query}", {"X-Amz-Content-Sha256": mode}, body)
        refused(answer, 400, code="InvalidArgument")  # a header that is not signed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/us-east-1/", "/eu-west-1/"),
        ("/{service}/", "/ec2/"),
        ("/{today}/", "/20200101/"),
        ("aws4_request", "aws4_answer"),
        ("host;", ""),
        ("/{today}/us-east-1", ""),
        ("SignedHeaders=", "SignedBy="),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
    ],
)
def test_a10_scopes(ports: dict[str, Port], owner: Signer, old: str, new: str):
    """Whatever is not exactly the scope of this place; nor may a header go unsigned."""
    today = datetime.now(UTC).strftime("%Y%m%d")
    for door, service, method, path, body in (
        ("plain", "s3", "GET", "/castle/k", b""),
        ("plain", "sagemaker", "POST", "/", b"{}"),
        ("router", "sagemaker", "POST", "/endpoints/e/invocations", b"1"),
    ):
        port = ports[door]
        more = TARGET if path == "/" else {}
        signed = owner.headers(port, method, path, body, service, headers=more)
        before = old.replace("{service}", service).replace("{today}", today)
        told = signed["Authorization"].replace(before, new)
        assert told != signed["Authorization"]
        answer = port.ask(method, path, {**signed, "Authorization": told}, body)
        refused(answer, 400, 403)
        assert answer.code in (
            "AuthorizationHeaderMalformed",
            "IncompleteSignatureException",
            "InvalidSignatureException",
            "AccessDenied",
            "InvalidRequest",
            "InvalidArgument",
            "UnknownOperationException",
        )


@pytest.mark.parametrize("name", ["X-Amz-Security-Token", "X-Amz-Meta-A", "x-amz-copy-source"])
def test_a10_unsigned_headers(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, name: str
):
    with untouched(studio):
        signed = owner.headers(ports["plain"], "PUT", "/castle/k", b"new", "s3")
        answer = ports["plain"].ask("PUT", "/castle/k", {**signed, name: "/castle/k"}, b"new")
        refused(answer, 403, code="AccessDenied")
    signed = owner.headers(ports["plain"], body=b"{}", headers=TARGET)
    answer = ports["plain"].ask("POST", "/", {**signed, name: "x"}, b"{}")
    refused(answer, 400, code="IncompleteSignatureException")
    path = "/endpoints/e/invocations"
    signed = owner.headers(ports["router"], path=path, body=b"1")
    answer = ports["router"].ask("POST", path, {**signed, name: "x"}, b"1")
    refused(answer, 403, code="IncompleteSignatureException")
