"""The browser's way to AWS's services and to S3: signed on the way, unchanged, in pieces."""

import hashlib
import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from jupyters import TOKEN

SIZE = 48 * 1024 * 1024
"""Bytes of the large object: more than any buffer on the way."""

MODEL = {
    "ModelName": "m",
    "ExecutionRoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
    "PrimaryContainer": {"Image": "linear-learner", "ModelDataUrl": "s3://models/model.tar.gz"},
}


def test_an_operation_is_answered_as_aws_answers(jupyter):
    jupyter.ask("PUT", "s3/models")
    jupyter.ask("PUT", "s3/models/model.tar.gz", data=b"never looked into")
    made = jupyter.call("CreateModel", MODEL)
    assert made["ModelArn"].endswith(":model/m")
    (listed,) = jupyter.call("ListModels")["Models"]
    assert isinstance(listed["CreationTime"], float)  # seconds since 1970, as JSON has no times


def test_an_error_is_the_services_own(jupyter):
    refused = jupyter.ask("POST", "aws/sagemaker/DescribeModel", json={"ModelName": "none"})
    assert refused.status_code == 400
    assert refused.json()["__type"] == "ValidationException"
    assert "Could not find model" in refused.json()["message"]


@pytest.mark.parametrize(
    ("service", "operation"),
    [("logs", "DescribeLogGroups"), ("cloudwatch", "ListMetrics"), ("studio", "DescribeCapacity")],
)
def test_each_service_of_the_json_protocol_is_there(jupyter, service, operation):
    assert jupyter.call(operation, service=service)


def test_a_strange_service_is_refused_by_name(jupyter):
    refused = jupyter.ask("POST", "aws/lambda/Invoke", json={})
    assert refused.status_code == 404
    assert "'lambda'" in refused.json()["message"]


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", "status"),
        ("POST", "aws/sagemaker/ListModels"),
        ("GET", "s3/b/k"),
        ("PUT", "s3/b/k"),
        ("DELETE", "s3/b/k"),
        ("POST", "endpoints/e/invocations"),
        ("POST", "endpoints/e/async-invocations"),
        ("GET", "events"),
        ("POST", "data/profile"),
    ],
)
def test_nobody_gets_in_without_jupyters_leave(jupyter, method, route):
    url = f"{jupyter.url}/studio/api/{route}"
    body = b"x" if method != "GET" else None
    # A wrong token passes the check of cookies' origin, and must fail that of who it is.
    for headers in ({}, {"Authorization": "token wrong"}):
        unknown = requests.request(method, url, data=body, headers=headers, timeout=30)
        assert unknown.status_code == 403
        assert unknown.json()["__type"] == "AccessDeniedException"


def test_a_page_of_a_stranger_gets_nothing(jupyter):
    """A browser that is logged in sends its cookies for any page; not the page's own token."""
    browser = requests.Session()
    assert browser.get(f"{jupyter.url}/api/status?token={TOKEN}", timeout=30).ok
    assert browser.get(f"{jupyter.url}/studio/api/status", timeout=30).ok
    blind = browser.put(f"{jupyter.url}/studio/api/s3/stranger", timeout=30)
    assert blind.status_code == 403
    origin = {"Origin": "https://stranger.example"}
    assert not browser.get(f"{jupyter.url}/studio/api/s3/", headers=origin, timeout=30).ok
    assert jupyter.ask("HEAD", "s3/stranger").status_code == 404


@pytest.mark.parametrize("key", ["plain", "a%20b/c%2Bd/(1)!'*.csv", "%E2%82%AC%F0%9F%98%80", "f/"])
def test_any_key_goes_there_and_back(jupyter, key):
    jupyter.ask("PUT", "s3/keys")
    assert jupyter.ask("PUT", f"s3/keys/{key}", data=key.encode()).ok
    assert jupyter.ask("GET", f"s3/keys/{key}").text == key
    listed = jupyter.ask("GET", f"s3/keys?list-type=2&prefix={key}").text
    assert listed.count("<Key>") == 1
    assert jupyter.ask("DELETE", f"s3/keys/{key}").status_code == 204
    assert jupyter.ask("HEAD", f"s3/keys/{key}").status_code == 404


def test_ranges_and_metadata_pass(jupyter):
    jupyter.ask("PUT", "s3/ranges")
    headers = {"x-amz-meta-of": "a test", "Content-Type": "text/csv"}
    jupyter.ask("PUT", "s3/ranges/k", data=b"0123456789", headers=headers)
    part = jupyter.ask("GET", "s3/ranges/k", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.text) == (206, "234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    assert part.headers["x-amz-meta-of"] == "a test"
    assert part.headers["Content-Type"] == "text/csv"
    same = jupyter.ask("GET", "s3/ranges/k", headers={"If-None-Match": part.headers["ETag"]})
    assert same.status_code == 304
    copied = {"x-amz-copy-source": "/ranges/k"}
    assert jupyter.ask("PUT", "s3/ranges/copy", headers=copied).ok
    assert jupyter.ask("GET", "s3/ranges/copy").text == "0123456789"


def test_what_is_stored_never_runs_in_jupyters_origin(jupyter):
    jupyter.ask("PUT", "s3/hostile")
    page = b"<script>fetch('/api/contents')</script>"
    headers = {"Content-Type": "text/html", "Content-Disposition": "inline"}
    jupyter.ask("PUT", "s3/hostile/page.html", data=page, headers=headers)
    for query in ("", "?response-content-disposition=inline"):
        answer = jupyter.ask("GET", f"s3/hostile/page.html{query}")
        assert answer.content == page
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_signs_nothing(jupyter):
    claims = {"x-amz-content-sha256": "0" * 64}
    assert jupyter.ask("PUT", "s3/b/k", data=b"1", headers=claims).status_code == 400


def test_no_answer_and_no_log_holds_the_secret(jupyter):
    key = json.loads((jupyter.log.parent / "home" / "credentials.json").read_text())
    answers = [jupyter.ask("GET", "status"), jupyter.ask("POST", "aws/sagemaker/ListModels")]
    answers.append(jupyter.ask("POST", "aws/sagemaker/Nonsense", json={}))
    said = jupyter.log.read_text() + "".join(f"{it.text} {it.headers}" for it in answers)
    assert key["secret_access_key"] not in said
    assert key["access_key_id"] not in said
    assert "Signature=" not in said


def test_large_objects_pass_in_pieces(jupyter):
    """Both ways, without a copy in the memory of the Jupyter server."""
    jupyter.ask("PUT", "s3/large")
    before = peak_bytes(jupyter.process.pid)
    piece = bytes(range(256)) * 4096
    pieces = [piece] * (SIZE // len(piece))
    address = urlsplit(jupyter.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    headers = {"Authorization": f"token {TOKEN}", "Content-Length": str(SIZE)}
    path = f"{address.path}/studio/api/s3/large/k"
    connection.request("PUT", path, body=iter(pieces), headers=headers)
    assert connection.getresponse().status == 200
    connection.close()
    answer = jupyter.ask("GET", "s3/large/k", stream=True)
    found = hashlib.md5()
    for part in answer.iter_content(1 << 20):
        found.update(part)
    assert found.digest() == hashlib.md5(b"".join(pieces)).digest()
    assert answer.headers["Content-Length"] == str(SIZE)
    assert peak_bytes(jupyter.process.pid) - before < SIZE / 2


def test_a_refused_upload_tells_why(jupyter):
    refused = jupyter.ask("PUT", "s3/no-such-bucket/k", data=b"x" * 20_000_000)
    assert refused.status_code == 404
    assert "<Code>NoSuchBucket</Code>" in refused.text


def peak_bytes(pid: int) -> int:
    """The most memory that a process has ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError(pid)
