"""Who calls from outside shows a key: what it may, how fast, how often; and what is told of it."""

import hashlib
import json
import os
import signal
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving_support import Answer, exchange
from waiting import eventually

from studio.runners import logs
from studio.serving import access_log, exposition, usage
from studio.serving.outside import AccessLog, ApplicationKey, Outside
from studio.serving.table import Variant

ONE_FOR_ALL = True
SECRET = "studio_of-the-tests"
PAGE = "https://app.example.com"


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def key(number: int = 1, **values) -> ApplicationKey:
    return ApplicationKey(f"{number:032x}", f"app-{number}", ("echo",), **values)


def known(router, model, **keys: ApplicationKey) -> None:
    """The router's table with these keys, secret -> key, and two endpoints."""
    told = {digest(SECRET): key()} if not keys else {digest(it): v for it, v in keys.items()}
    log = {"echo": AccessLog("e" * 32, 7)}
    outside = Outside(told, {"echo": ("text/csv", "application/json")}, log)
    variant = Variant("V", 1.0, (model.address,))
    router.write({"echo": [variant], "other": [variant]}, outside=outside)


def sent(router, *headers: str, path="/endpoints/echo/invocations", method="POST") -> Answer:
    lines = [f"{method} {path} HTTP/1.1", "Host: router", "Content-Length: 4", *headers]
    return exchange(router, "\r\n".join(lines).encode() + b"\r\n\r\nfast")


def shown(router, secret: str = SECRET, *headers: str, **more) -> Answer:
    return sent(router, f"X-Api-Key: {secret}", *headers, **more)


def refused(answer: Answer, status: int, code: str, message: str) -> None:
    assert (answer.status, answer.error) == (status, code)
    assert json.loads(answer.body) == {"message": message}


def test_a_key_is_taken_from_either_header(router, model):
    known(router, model)
    assert shown(router).body == b"one"
    bearer = sent(router, f"Authorization: Bearer {SECRET}")
    assert (bearer.status, bearer.headers["x-amzn-invoked-production-variant"]) == (200, "V")


@pytest.mark.parametrize(
    "headers",
    [
        ["X-Api-Key: studio_guessed"],
        ["X-Api-Key: "],
        [f"X-Api-Key: {SECRET}x"],
        [f"X-Api-Key: {digest(SECRET)}"],
        [f"X-Api-Key: {SECRET}", f"X-Api-Key: {SECRET}"],
        ["X-Api-Key: studio_guessed", f"X-Api-Key: {SECRET}"],
        [f"X_Api_Key: {SECRET}", "Authorization: Bearer no"],
        ["Authorization: Bearer"],
        [f"Authorization: Bearer {SECRET} {SECRET}"],
    ],
)
def test_a71_what_is_no_key_is_forbidden(router, model, headers):
    known(router, model)
    refused(sent(router, *headers), 403, "ForbiddenException", "Forbidden")


def test_a71_a_key_in_two_headers_or_in_the_url_is_refused(router, model):
    known(router, model)
    both = shown(router, SECRET, f"Authorization: Bearer {SECRET}")
    refused(both, 403, "ForbiddenException", "Show the key in one header.")
    for name in ("x-api-key", "api_key", "API_KEY"):
        answer = sent(router, path=f"/endpoints/echo/invocations?a=b&{name}={SECRET}")
        assert answer.status == 403
        assert b"X-Api-Key" in answer.body
    assert sent(router).error == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    "path",
    [
        "/endpoints/other/invocations",
        "/endpoints/none/invocations",
        "/endpoints/echo/async-invocations",
        "/endpoints/echo/../other/invocations",
        "/endpoints/%65cho/invocations",
        "/endpoints//invocations",
        "/_studio/echo/invocations",
        "/",
    ],
)
def test_a71_a_key_opens_nothing_else(router, model, path):
    known(router, model)
    refused(shown(router, path=path), 403, "ForbiddenException", "Forbidden")


def test_a71_who_signs_is_not_judged_by_a_key_that_comes_too(router, model):
    known(router, model)
    data = router.request(headers={"X-Api-Key": "studio_guessed"}.items())
    assert exchange(router, data).status == 200


def test_a71_an_expired_key_and_one_that_is_revoked(router, model):
    known(router, model, old=key(expires_at=1), good=key(2))
    assert shown(router, "old").status == 403
    assert shown(router, "good").status == 200
    known(router, model, old=key(expires_at=1))
    assert shown(router, "good").status == 403


def test_a_rate_is_kept_over_new_tables(router, model):
    slow = key(3, rate=0.02, burst=2)
    known(router, model, s=slow)
    assert [shown(router, "s").status for _ in range(3)] == [200, 200, 429]
    known(router, model, s=slow, other=key(4))
    answer = shown(router, "s")
    refused(answer, 429, "TooManyRequestsException", "Too Many Requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 50
    assert shown(router, "other").status == 200


def test_a_quota_outlives_a_router_that_is_killed(start_router, model):
    router = start_router()
    known(router, model, q=key(5, quota=3, period="Month"))
    assert [shown(router, "q").status for _ in range(4)] == [200, 200, 200, 429]
    eventually(lambda: usage.read(router.home).of(key(5).id).since(0) == 3)
    router.process.send_signal(signal.SIGKILL)
    router.restart()
    answer = shown(router, "q")
    refused(answer, 429, "LimitExceededException", "Limit Exceeded")
    assert int(answer.headers["retry-after"]) <= 31 * 86_400
    router.process.send_signal(signal.SIGTERM)
    router.process.wait(30)
    [counts] = usage.read(router.home).of(key(5).id).days.values()
    assert counts == [3, 0, 2]


@pytest.mark.parametrize(
    ("period", "at", "first", "following"),
    [
        ("Day", "2026-11-22", "2026-11-22", "2026-11-23"),
        ("Week", "2026-11-22", "2026-11-16", "2026-11-23"),
        ("Week", "2026-11-23", "2026-11-23", "2026-11-30"),
        ("Month", "2026-12-31", "2026-12-01", "2027-01-01"),
        ("Month", "2028-02-29", "2028-02-01", "2028-03-01"),
    ],
)
def test_periods(period, at, first, following):
    def day(text: str) -> int:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days

    assert usage.span(period, day(at)) == (day(first), day(following))


def test_a71_web_pages_are_let_in_by_their_origin(router, model):
    known(router, model, app=key(6, origins=(PAGE,)), any=key(7, origins=("*",)), none=key(8))
    asked = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-api-key"]
    answer = sent(router, f"Origin: {PAGE}", *asked, method="OPTIONS")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, PAGE)
    assert "X-Api-Key" in answer.headers["access-control-allow-headers"]
    answer = shown(router, "app", f"Origin: {PAGE}")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, PAGE)
    assert answer.headers["vary"] == "Origin"
    assert shown(router, "any", "Origin: null").headers["access-control-allow-origin"] == "*"
    for refused_ in (
        shown(router, "app", "Origin: https://evil.example"),
        shown(router, "none", f"Origin: {PAGE}"),
    ):
        assert refused_.status == 403
        assert "access-control-allow-origin" not in refused_.headers
    known(router, model, app=key(6, origins=(PAGE,)))
    assert sent(router, "Origin: https://evil.example", *asked, method="OPTIONS").status == 403


def test_the_description_of_an_endpoint_is_told_to_its_keys(router, model):
    known(router, model)
    answer = shown(router, path="/endpoints/echo/openapi.json", method="GET")
    told = json.loads(answer.body)
    body = told["paths"]["/endpoints/echo/invocations"]["post"]["requestBody"]
    assert list(body["content"]) == ["text/csv", "application/json"]
    assert sent(router, path="/endpoints/echo/openapi.json", method="GET").status == 403
    assert shown(router, path="/endpoints/other/openapi.json", method="GET").status == 403


def lines(home, record="e" * 32) -> list[dict]:
    parts = access_log.parts(access_log.folder(home) / record)
    return [json.loads(text) for part in parts for _, text in logs.read(part, 0, 1000).events]


def test_each_request_of_a_logged_endpoint_is_a_line(start_router, model):
    router = start_router()
    slow = key(3, rate=0.02)
    known(router, model, s=slow, app=key(6, origins=(PAGE,)))
    signed = exchange(router, router.request(headers={"X-Forwarded-For": "192.0.2.1"}.items()))
    shown(router, "s")
    shown(router, "s")
    exchange(router, router.request(b"status:500"))
    exchange(router, router.request(endpoint="other"))
    stream = shown(router, "app", path="/endpoints/echo/invocations-response-stream")
    assert stream.headers["content-type"] == "application/vnd.amazon.eventstream"
    eventually(lambda: len(lines(router.home)) == 5)
    first, let_in, too_fast, failed, streamed = lines(router.home)
    assert (streamed["status"], streamed["principal"], streamed["variant"]) == (
        200,
        "key/app-6",
        "V",
    )
    assert streamed["bytesOut"] > len(b"one")
    assert first["requestId"] == signed.headers["x-amzn-requestid"]
    assert first["latencyMs"] >= first["modelLatencyMs"] > 0
    del first["time"], first["requestId"], first["latencyMs"], first["modelLatencyMs"]
    assert first == {
        "endpoint": "echo",
        "principal": "",
        "variant": "V",
        "status": 200,
        "error": None,
        "bytesIn": 4,
        "bytesOut": 3,
        "remote": "127.0.0.1",
        "forwardedFor": "192.0.2.1",
    }
    assert (let_in["principal"], let_in["status"]) == ("key/app-3", 200)
    assert (too_fast["status"], too_fast["error"]) == (429, "TooManyRequestsException")
    assert "variant" not in too_fast
    assert (failed["status"], failed["error"]) == (424, "ModelError")
    [recorder] = children(router.process.pid)
    os.kill(recorder, signal.SIGKILL)
    eventually(lambda: children(router.process.pid) not in ([], [recorder]))
    shown(router, "app")
    eventually(lambda: len(lines(router.home)) == 6)
    record = access_log.folder(router.home) / ("e" * 32)
    assert (record / "days").read_text() == "7"
    today = datetime.now(UTC).date()
    access_log.sweep(router.home, today + timedelta(5))
    assert len(lines(router.home)) == 6
    access_log.sweep(router.home, today + timedelta(8))
    assert not record.exists()


def children(pid: int) -> list[int]:
    return [int(it) for it in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_prometheus_reads_what_is_counted(start_router, model):
    router = start_router()
    known(router, model, s=key(3, rate=0.02))
    for _ in range(2):
        shown(router, "s")
    exchange(router, router.request(b"status:404"))
    for wrong in ("", "Authorization: Bearer no", f"X-Api-Key: {SECRET}"):
        answer = sent(router, *filter(None, [wrong]), path="/metrics", method="GET")
        assert (answer.status, answer.error) == (401, "UnauthorizedException")
    bearer = f"Authorization: Bearer {exposition.token(router.home)}"
    answer = sent(router, bearer, path="/metrics", method="GET")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }
    assert found["studio_invocations_total", "echo", "V"] == 2
    assert found["studio_invocation_errors_total", "echo", "4xx", "V"] == 1
    assert found["studio_invocation_errors_total", "echo", "5xx", "V"] == 0
    assert found["studio_model_latency_seconds_count", "echo", "V"] == 2
    assert found["studio_model_latency_seconds_bucket", "echo", "+Inf", "V"] == 2
    assert found["studio_replicas", "echo", "healthy", "V"] == 1
    assert found["studio_key_requests_total", "app-3", "admitted"] == 1
    assert found["studio_key_requests_total", "app-3", "throttled"] == 1
    assert found["studio_recording_dropped_total",] == 0
    assert sent(router, bearer).status == 403
    assert exposition.token_path(router.home).stat().st_mode & 0o777 == 0o600
