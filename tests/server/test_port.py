"""One port for every service, as real clients see it."""

import json
import socket
import urllib.request

import pytest
from botocore.exceptions import ClientError
from plane import Plane
from signing import message, raw, status, target

from studio.api import registry
from studio.api.registry import Operation
from studio.server.dispatch import ANSWERS
from studio.wire.protocols import Response


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response


def test_health_needs_no_signature(plane: Plane):
    with urllib.request.urlopen(f"{plane.url}/_studio/health", timeout=10) as answer:
        assert json.load(answer) == {"status": "ready"}
    head = plane.send(message("HEAD", "/_studio/health", {"Host": f"127.0.0.1:{plane.port}"}))
    assert status(head) == 200
    assert head.endswith(b"\r\n\r\n")


def test_sagemaker_sts_and_s3_share_the_port(plane: Plane):
    assert plane.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
    assert plane.client("sts").get_caller_identity()["Account"] == "000000000000"
    s3 = plane.client("s3")
    # A bucket that is called as a path of the router is.
    s3.create_bucket(Bucket="endpoints")
    s3.put_object(Bucket="endpoints", Key="name/invocations", Body=b"x" * 3_000_000)
    body = s3.get_object(Bucket="endpoints", Key="name/invocations")["Body"].read()
    assert len(body) == 3_000_000
    url = s3.generate_presigned_url(
        "get_object", {"Bucket": "endpoints", "Key": "name/invocations"}
    )
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == body


def test_every_answer_carries_its_request_id(plane: Plane):
    sagemaker = plane.client("sagemaker")
    ids = {sagemaker.list_training_jobs()["ResponseMetadata"]["RequestId"] for _ in range(2)}
    error = refused(sagemaker.describe_training_job, TrainingJobName="none")
    ids.add(error["ResponseMetadata"]["RequestId"])
    assert len(ids) == 3


def test_error_code_is_in_the_body(plane: Plane):
    error = refused(plane.client("sagemaker").describe_training_job, TrainingJobName="none")
    assert error["Error"] == {
        "Code": "ValidationException",
        "Message": "Requested resource not found.",
    }
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_all_violations_are_told_at_once(plane: Plane):
    error = refused(
        plane.client("sagemaker").list_training_jobs,
        NameContains="-" * 64,
        SortBy="Colour",
        MaxResults=1000,
    )["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith("3 validation errors detected: ")
    text = error["Message"]
    assert (
        "Value 'Colour' at 'sortBy' failed to satisfy constraint: Member must satisfy enum" in text
    )
    assert (
        "Value '1000' at 'maxResults' failed to satisfy constraint: Member must have value" in text
    )


def test_operations_that_do_not_exist_yet_are_named(plane: Plane):
    error = refused(plane.client("sagemaker").list_domains)
    assert error["Error"]["Code"] == "UnknownOperationException"
    assert error["Error"]["Message"] == "Studio does not execute sagemaker:ListDomains yet."
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("ecr", "describe_repositories", {}),
        ("lambda", "list_functions", {}),
        (
            "sagemaker-featurestore-runtime",
            "get_record",
            {"FeatureGroupName": "a", "RecordIdentifierValueAsString": "1"},
        ),
    ],
)
def test_services_that_do_not_exist_yet_are_named(plane: Plane, service, call, arguments):
    error = refused(getattr(plane.client(service), call), **arguments)["Error"]
    assert error["Code"] == "UnknownOperationException"
    assert "Studio does not execute " in error["Message"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"aws_access_key_id": "AKIANOBODY0000000000"}, "UnrecognizedClientException"),
        ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException"),
        ({"region_name": "eu-west-1"}, "InvalidSignatureException"),
    ],
)
def test_signatures_that_are_not_ours(plane: Plane, change, code):
    error = refused(plane.client("sagemaker", **change).list_training_jobs)
    assert error["Error"]["Code"] == code
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_bug_in_an_operation_tells_the_client_nothing(plane: Plane, monkeypatch, capsys):
    def broken(ctx, request):
        raise RuntimeError("the secret of the house")

    replaced = Operation("sagemaker", "ListDomains", broken)
    monkeypatch.setitem(registry._OPERATIONS, ("sagemaker", "ListDomains"), replaced)
    error = refused(plane.client("sagemaker").list_domains)
    assert error["Error"]["Code"] == "InternalFailure"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "secret" not in error["Error"]["Message"]
    assert error["ResponseMetadata"]["RequestId"] in error["Error"]["Message"]
    logged = capsys.readouterr().out
    assert logged.count("RuntimeError: the secret of the house") == 1
    assert "Traceback" in logged
    assert "AWS4-HMAC" not in logged


def test_operation_sees_the_caller_and_the_request(plane: Plane, monkeypatch):
    seen = []

    def recorded(ctx, request):
        seen.append((ctx.caller, ctx.request_id, request))
        return {}

    replaced = Operation("sagemaker", "ListDomains", recorded)
    monkeypatch.setitem(registry._OPERATIONS, ("sagemaker", "ListDomains"), replaced)
    answer = plane.client("sagemaker").list_domains(MaxResults=3)
    [(caller, request_id, request)] = seen
    assert (caller.account, request) == ("000000000000", {"MaxResults": 3})
    assert request_id == answer["ResponseMetadata"]["RequestId"]


def test_json_1_0_is_answered_in_json_1_0(plane: Plane):
    headers = target("ListTrainingJobs") | {"Content_Type": "application/x-amz-json-1.0"}
    answer = plane.send(raw(plane, **headers))
    assert status(answer) == 200
    assert b"Content-Type: application/x-amz-json-1.0\r\n" in answer


def test_connection_is_kept(plane: Plane):
    request = raw(plane, **target("ListTrainingJobs"))
    first = request.replace(b"Connection: close", b"Connection: keep-alive")
    assert plane.send(first + request).count(b"HTTP/1.1 200 OK") == 2


def test_an_answer_that_cannot_be_written_ends_its_connection(plane: Plane, monkeypatch):
    broken = Response(200, b"", {"X-Broken": "a line\r\nand another"})
    monkeypatch.setitem(ANSWERS, "json", lambda _services, _call: broken)
    head = {"Host": f"127.0.0.1:{plane.port}", "X-Amz-Target": "SageMaker.ListTrainingJobs"}
    with socket.create_connection(("127.0.0.1", plane.port), timeout=15) as connection:
        connection.sendall(message("POST", "/", head))
        assert connection.recv(65536) == b""  # and not: nothing, for as long as a client waits
