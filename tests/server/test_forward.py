"""The way to the router, for clients that know one URL."""

import socketserver
import threading
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from plane import Plane


class Recorder(socketserver.StreamRequestHandler):
    """Answers as a router would, and keeps what it was sent."""

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.readline()
        lower = head.lower()
        size = int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        self.server.received = head, self.rfile.read(size)  # type: ignore[attr-defined]
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n"
            b"x-Amzn-Invoked-Production-Variant: AllTraffic\r\nConnection: close\r\n\r\n0.5"
        )


@pytest.fixture
def router(plane: Plane) -> Iterator[socketserver.TCPServer]:
    with socketserver.TCPServer(("127.0.0.1", 0), Recorder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        plane.router = server.server_address[:2]
        yield server
        plane.router = None
        server.shutdown()
        thread.join()


def test_request_and_answer_pass_unchanged(plane: Plane, router: socketserver.TCPServer):
    answer = plane.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="e", ContentType="text/csv", Body=b"1,2\n", CustomAttributes="a=b"
    )
    assert answer["Body"].read() == b"0.5"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    head, body = router.received
    assert body == b"1,2\n"
    assert head.startswith(b"POST /endpoints/e/invocations HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{plane.port}\r\n".encode() in head
    assert b"AWS4-HMAC-SHA256 Credential=" in head
    assert b"X-Amzn-Sagemaker-Custom-Attributes: a=b\r\n" in head


@pytest.mark.parametrize("address", [None, ("127.0.0.1", 1)])
def test_router_that_does_not_run(plane: Plane, address):
    plane.router = address
    with pytest.raises(ClientError) as caught:
        plane.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"")
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
