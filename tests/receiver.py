"""A receiver of notifications: it confirms what it is asked to, and keeps what it is sent."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        self.heads: list[dict[str, str]] = []
        self.texts: list[str] = []
        """Bodies of notifications that were taken, those of `heads`."""
        self.statuses: list[int] = []
        """What the next notifications are answered with; 200 when there are no more."""
        self.asked: list[dict[str, Any]] = []
        """Messages that asked for a confirmation."""

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Messages that are JSON themselves."""
        return [json.loads(it["Message"]) for it in self.bodies]

    def took(self, head: dict[str, str], text: str) -> int:
        if head["x-amz-sns-message-type"] == "SubscriptionConfirmation":
            self.asked.append(json.loads(text))
            return 200
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return status
        self.heads.append(head)
        self.texts.append(text)
        return 200


def follow(url: str, port: int | None = None) -> str:
    """What a link answers; `port`: of a plane that does not know its own."""
    if port is not None:
        url = url.replace("127.0.0.1:0/", f"127.0.0.1:{port}/")
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            head = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.took(head, text))
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
