"""Requests that were made before, sent over sockets: clients take little of the machine."""

import socket
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest


def message(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def of(signed: AWSRequest) -> bytes:
    """The bytes of a signed request."""
    path = urlsplit(signed.url).path or "/"
    return message(signed.method, path, dict(signed.headers.items()), bytes(signed.data))


def sent(url: str, messages: Iterable[bytes]) -> tuple[list[float], list[bytes]]:
    """By one client that waits for each answer: the seconds of each, and the answers' bodies;
    RuntimeError for one that is no 200."""
    address = urlsplit(url)
    times, bodies = [], []
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for each in messages:
            begun = time.perf_counter()
            connection.sendall(each)
            head, body = answer(connection)
            times.append(time.perf_counter() - begun)
            bodies.append(body)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError((head + body)[:1000].decode(errors="replace"))
    return times, bodies


def rate(url: str, messages: list[bytes], clients: int) -> float:
    """Messages a second of so many clients at once."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda shift: sent(url, messages[shift::clients]), range(clients)))
    return len(messages) / (time.perf_counter() - begun)


def answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of what comes next, which says its length."""
    data = bytearray()
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    rest = bytearray(body)
    while len(rest) < length:
        rest += connection.recv(1 << 20)
    return head, bytes(rest)
