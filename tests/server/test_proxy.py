"""A proxy in front: clients sign for its name and path, whatever it does to either."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from plane import KEY, SECRET, Plane, running

PREFIX = "/user/x/studio"


class Proxy(BaseHTTPRequestHandler):
    """Passes requests on to `target`; `keeps_host` and `keeps_path` say what it leaves alone."""

    target = 0
    keeps_host = keeps_path = True

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = self.path if self.keeps_path else self.path.removeprefix(PREFIX)
        headers = {name: value for name, value in self.headers.items() if name != "Expect"}
        if not self.keeps_host:
            headers["Host"] = f"127.0.0.1:{self.target}"
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=30)
        connection.request(self.command, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def front() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def url(front: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{front.server_address[1]}{PREFIX}"


@pytest.fixture(scope="module")
def behind(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    with running(tmp_path_factory.mktemp("home"), external_url=url) as plane:
        Proxy.target = plane.port
        yield plane


def client(service: str, url: str, version: str | None = None) -> Any:
    config = Config(
        retries={"total_max_attempts": 1},
        signature_version=version,
        s3={"addressing_style": "path"},
    )
    session = boto3.Session(KEY, SECRET, region_name="us-east-1")
    return session.client(service, endpoint_url=url, config=config)


@pytest.mark.parametrize("how", [(True, True), (True, False), (False, False)])
def test_a12_clients_of_the_proxy(behind: Plane, url: str, how: tuple[bool, bool]) -> None:
    Proxy.keeps_host, Proxy.keeps_path = how
    s3, sagemaker = client("s3", url), client("sagemaker", url)
    s3.create_bucket(Bucket="outside")
    s3.put_object(Bucket="outside", Key="a b", Body=b"x")
    assert s3.get_object(Bucket="outside", Key="a b")["Body"].read() == b"x"
    assert "TrainingJobSummaries" in sagemaker.list_training_jobs()
    for version in ("s3", "s3v4"):
        target = {"Bucket": "outside", "Key": "a b"}
        presigned = client("s3", url, version).generate_presigned_url("get_object", Params=target)
        assert requests.get(presigned, timeout=30).content == b"x"
    # Whoever comes directly still signs for the server itself.
    assert behind.client("s3").head_object(Bucket="outside", Key="a b")["ContentLength"] == 1


def test_a12_no_header_of_a_peer_changes_what_is_signed(behind: Plane, url: str) -> None:
    """X-Forwarded-Host and its kin are anybody's to send."""
    direct = client("s3", f"http://127.0.0.1:{behind.port}")

    def forged(request: Any, **_: Any) -> None:
        request.headers["X-Forwarded-Host"] = "evil.example"
        request.headers["X-Forwarded-Proto"] = "https"
        request.headers["X-Forwarded-Prefix"] = "/other"
        request.headers["Forwarded"] = "host=evil.example"

    direct.meta.events.register("before-send.s3", forged)
    assert "Buckets" in direct.list_buckets()
    # A signature for another host is none, whatever the peer claims that host to be.
    elsewhere = client("s3", "http://evil.example")

    def divert(request: Any, **_: Any) -> None:
        request.url = request.url.replace("evil.example", f"127.0.0.1:{behind.port}")
        request.headers["X-Forwarded-Host"] = "evil.example"
        request.headers["Host"] = f"127.0.0.1:{behind.port}"

    elsewhere.meta.events.register("before-send.s3", divert)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        elsewhere.list_buckets()


def test_without_the_setting_a_proxied_signature_is_none(
    tmp_path: Any, url: str, front: ThreadingHTTPServer
) -> None:
    with running(tmp_path) as plane:
        target, Proxy.target = Proxy.target, plane.port
        Proxy.keeps_host, Proxy.keeps_path = False, False
        try:
            with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
                client("s3", url).list_buckets()
        finally:
            Proxy.target = target
