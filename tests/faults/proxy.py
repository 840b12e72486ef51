"""A proxy between a client and a server that breaks answers: `from faults.proxy import ...`.

Clients use it as an HTTP proxy (`Config(proxies={"http": url})`), so that they sign for the server
itself. Each request has a connection of its own to the server, whose whole answer is awaited
before it is broken: what the server did is done.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["none", "cut", "reset", "truncate", "half_close", "slow"]
"""cut: closed without a byte. reset: RST. truncate: half of the
body. half_close: half of it, the other direction stays open. slow: a byte a second."""

Choose = Callable[[bytes], Fault]
"""What to do to the answer to the request with this head. It may block."""


@contextmanager
def fault_proxy(server_url: str, choose: Choose) -> Iterator[str]:
    """The URL of a proxy in front of `server_url`."""
    parts = urlsplit(server_url)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    exchanges: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchanges.add(asyncio.current_task())
        with suppress(OSError, EOFError, asyncio.CancelledError):
            await _exchange((parts.hostname, parts.port), choose, reader, writer)
        writer.close()

    async def stop() -> None:
        listener.close()
        for task in exchanges:
            task.cancel()
        await asyncio.gather(*exchanges, return_exceptions=True)

    starting = asyncio.start_server(serve, "127.0.0.1", 0)
    listener = asyncio.run_coroutine_threadsafe(starting, loop).result()
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _exchange(
    server: tuple[str, int],
    choose: Choose,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *headers = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    names = {name.lower(): value for name, _, value in (each.partition(b":") for each in headers)}
    if b"expect" in names:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(int(names.get(b"content-length", 0)))
    answer = await _answered(server, line, headers, body)
    fault = await asyncio.get_running_loop().run_in_executor(None, choose, head)
    await _break(fault, answer, writer)


async def _answered(
    server: tuple[str, int], line: bytes, headers: list[bytes], body: bytes
) -> bytes:
    """The server's whole answer to a request of which only the address is changed."""
    method, url, version = line.split(b" ")
    path = b"/" + url.split(b"/", 3)[3] if url.startswith(b"http") else url
    kept = [it for it in headers if not it.lower().startswith((b"expect:", b"connection:"))]
    lines = [b" ".join((method, path, version)), *kept, b"Connection: close", b"", b""]
    upstream, sending = await asyncio.open_connection(*server)
    sending.write(b"\r\n".join(lines) + body)
    try:
        return _closing(await upstream.read())
    finally:
        sending.close()


def _closing(answer: bytes) -> bytes:
    """Who closes after an answer has to say so: else the next request may be lost on its way."""
    head, end, body = answer.partition(b"\r\n\r\n")
    said = b"\r\nconnection:" in head.lower()
    return answer if said else head + b"\r\nConnection: close" + end + body


async def _break(fault: Fault, answer: bytes, writer: asyncio.StreamWriter) -> None:
    if fault == "reset":
        linger = struct.pack("ii", 1, 0)  # close() then sends RST
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    elif fault == "slow":
        for position in range(len(answer)):
            writer.write(answer[position : position + 1])
            await writer.drain()
            await asyncio.sleep(1)
    elif fault != "cut":
        writer.write(answer if fault == "none" else _part(answer))
        await writer.drain()
        if fault == "half_close":
            writer.write_eof()
            await asyncio.sleep(5)


def _part(answer: bytes) -> bytes:
    """Head and half of the body: a client cannot take that for the whole, but botocore's JSON
    services do all the same."""
    head, end, body = answer.partition(b"\r\n\r\n")
    return head + end + body[: len(body) // 2]
