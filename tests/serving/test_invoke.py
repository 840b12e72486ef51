"""InvokeEndpoint by boto3: what a model gets, what the caller gets, who is refused."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from serving_support import ACCOUNT, KEY, SECRET, Answer, exchange

ONE_FOR_ALL = True


def invoke(router, body=b"echo", **kwargs):
    return router.client().invoke_endpoint(EndpointName="echo", Body=body, **kwargs)


def refused(router, client=None, **kwargs):
    arguments = {"EndpointName": "echo", "Body": b"echo"} | kwargs
    with pytest.raises(ClientError) as caught:
        (client or router.client()).invoke_endpoint(**arguments)
    return caught.value.response


def test_the_models_answer_comes_back_whole(router):
    answer = invoke(
        router, b"x" * 1000, ContentType="text/csv", Accept="application/json",
        CustomAttributes="trace=6", InferenceId="i-1",
        TargetContainerHostname="second", SessionId="NEW_SESSION",
    )  # fmt: skip
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["CustomAttributes"] == "trace=7"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36
    assert "x-private" not in answer["ResponseMetadata"]["HTTPHeaders"]
    seen = json.loads(answer["Body"].read())
    assert seen["line"] == "POST /invocations HTTP/1.1"
    assert seen["body"] == "x" * 1000
    headers = {name.lower(): value for name, value in seen["headers"].items()}
    host = headers.pop("host")
    assert host.startswith("127.0.0.1:")
    assert headers == {
        "content-type": "text/csv",
        "accept": "application/json",
        "content-length": "1000",
        "x-amzn-sagemaker-custom-attributes": "trace=6",
        "x-amzn-sagemaker-inference-id": "i-1",
        "x-amzn-sagemaker-target-container-hostname": "second",
        "x-amzn-sagemaker-session-id": "NEW_SESSION",
    }


def test_the_content_type_is_the_models_own(router):
    assert invoke(router, b"fast")["ContentType"] == "text/csv; charset=utf-8"


def test_bodies_up_to_the_limit_pass_both_ways(router):
    size = 6_291_456
    assert json.loads(invoke(router, os.urandom(size))["Body"].read())["size"] == size
    assert len(invoke(router, b"huge:%d" % size)["Body"].read()) == size
    assert len(invoke(router, b"chunked:96")["Body"].read()) == size
    assert json.loads(invoke(router, b"")["Body"].read())["size"] == 0


def test_a70_one_byte_more_is_refused_by_413(router, model):
    response = refused(router, Body=b"e" * 6_291_457)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert response["Error"] == {
        "Code": "413",
        "Message": "HTTP content length exceeded 6291456 bytes.",
    }
    assert model.bodies() == []


def test_a70_unknown_endpoint(router):
    response = refused(router, EndpointName="nope")
    assert response["Error"]["Code"] == "ValidationError"
    assert response["Error"]["Message"] == f"Endpoint nope of account {ACCOUNT} not found."
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_endpoint_without_servers_is_not_found(router):
    router.write({"echo": [("AllTraffic", 1.0, [])]})
    assert "not found" in refused(router)["Error"]["Message"]


def test_a19_unknown_variant(router):
    response = refused(router, TargetVariant="Blue")
    assert response["Error"]["Code"] == "ValidationError"
    assert "Blue" in response["Error"]["Message"]


def test_a19_no_endpoint_has_several_models(router, model):
    response = refused(router, TargetModel="a/b.tar.gz")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint echo is not a multi-model endpoint and does not support target "
        "model header.",
    }
    assert model.bodies() == []
    assert "not found" in refused(router, EndpointName="nope", TargetModel="a")["Error"]["Message"]


def test_target_variant_overrides_the_weights(router, start_model):
    other = start_model("two")
    own = router.write
    own({"echo": [("A", 1.0, [other.address]), ("B", 0.0, [other.address])]})
    for _ in range(5):
        assert invoke(router, TargetVariant="B")["InvokedProductionVariant"] == "B"
        assert invoke(router)["InvokedProductionVariant"] == "A"


def test_an_endpoint_that_answers_at_once_is_not_asked_for_later(router):
    with pytest.raises(ClientError) as caught:
        router.client().invoke_endpoint_async(EndpointName="echo", InputLocation="s3://b/k")
    assert caught.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint echo of account 123456789012 is not an asynchronous endpoint: "
        "call InvokeEndpoint.",
    }


def test_names_are_percent_decoded_and_checked(router):
    good = exchange(router, router.request(path="/endpoints/%65cho/invocations"))
    assert (good.status, good.body) == (200, b"one")
    for name in ("a%2Fb", "-a", "a_b", "a%0d%0aX: y".replace(" ", ""), "a" * 64):
        answer = exchange(router, router.request(path=f"/endpoints/{name}/invocations"))
        assert (answer.status, answer.error) == (400, "ValidationError")
        assert "endpointName" in json.loads(answer.body)["Message"]


@pytest.mark.parametrize(
    ("client", "code"),
    [
        ({"key": "AKIANOBODYNOBODYNOBO"}, "UnrecognizedClientException"),
        ({"secret": SECRET + "x"}, "InvalidSignatureException"),
    ],
)
def test_wrong_keys_are_refused(router, client, code):
    response = refused(router, router.client(**client))
    assert response["Error"]["Code"] == code
    assert response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_wrong_region_and_service_are_refused(router):
    signed = router.request()
    for old, new in ((b"/us-east-1/", b"/eu-west-1/"), (b"/sagemaker/", b"/s3/")):
        answer = exchange(router, signed.replace(old, new))
        assert (answer.status, answer.error) == (403, "InvalidSignatureException")


@pytest.mark.parametrize(("minutes", "status"), [(-16, 403), (-14, 200), (14, 200), (16, 403)])
def test_clocks_may_differ_by_a_quarter_of_an_hour(router, monkeypatch, minutes, status):
    clock = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: clock)
    answer = exchange(router, router.request())
    assert answer.status == status
    if status == 403:
        assert answer.error == "InvalidSignatureException"
        assert b"Signature " in answer.body


def test_tampered_requests_are_refused(router, model):
    signed = router.request(b"fast:1")
    assert exchange(router, signed).status == 200
    tampered = (
        signed[:-1] + b"2",
        signed.replace(b"/echo/", b"/echo%20/"),
        signed.replace(b"X-Amz-Date: 2", b"X-Amz-Date: 3"),
    )
    for data in tampered:
        answer = exchange(router, data)
        assert answer.status == 403
        assert answer.error in ("InvalidSignatureException", "IncompleteSignatureException")
    assert model.bodies() == ["fast:1"]


def test_without_a_signature_nothing_is_served(router, model):
    paths = ("/endpoints/echo/invocations", "/endpoints/nope/invocations", "/", "/x")
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        for path in paths:
            data = f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
            answer = exchange(router, data, head_only=method == "HEAD")
            assert answer.status == 403
            assert answer.error == "MissingAuthenticationTokenException"
            assert not any(name.startswith("access-control") for name in answer.headers)
    assert model.bodies() == []


def test_signed_requests_for_what_is_not_there(router):
    assert exchange(router, router.request(path="/models")).status == 404
    assert exchange(router, router.request(method="GET")).status == 405


def test_keys_follow_the_table(router, monkeypatch):
    monkeypatch.setattr(router, "hints", False)
    router.write({}, **{KEY: "another secret"})
    assert refused(router)["Error"]["Code"] == "InvalidSignatureException"


def test_health_needs_no_signature(router):
    for method in ("GET", "HEAD"):
        data = f"{method} /_studio/health HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        answer = exchange(router, data, head_only=True)
        assert (answer.status, answer.headers["content-length"]) == (200, "2")


def test_head_answers_carry_no_body(router):
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(b"HEAD / HTTP/1.1\r\n\r\nGET /_studio/health HTTP/1.1\r\n\r\n")
        assert Answer(file, head_only=True).status == 403
        assert Answer(file).body == b"{}"


def test_secrets_and_bodies_stay_out_of_the_log(router):
    refused(router, router.client(secret="wrong"), Body=b"private-body")
    invoke(router, b"private-body")
    log = router.log()
    assert '"request refused"' in log
    assert "private-body" not in log
    assert SECRET not in log
