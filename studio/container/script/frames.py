"""Messages between the model server and its workers: a document and bytes.

Standard library only, Python 3.9 or newer: the other end is the user's interpreter.
"""

import json
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Any

_SIZES = struct.Struct("<IQ")


def send(connection: socket.socket, head: dict[str, Any], body: bytes) -> None:
    """Raises OSError when the other end is gone."""
    document = json.dumps(head).encode()
    connection.sendall(_SIZES.pack(len(document), len(body)) + document)
    connection.sendall(body)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Raises EOFError when the other end is gone."""
    head, body = _SIZES.unpack(_exactly(connection, _SIZES.size))
    return json.loads(_exactly(connection, head)), _exactly(connection, body)


def apart(body: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """The bodies that were sent as one."""
    begin = 0
    for size in sizes:
        yield body[begin : begin + size]
        begin += size


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = connection.recv_into(view[done:])
        if not count:
            raise EOFError("the other end is gone")
        done += count
    return bytes(data)
