"""Hands a request for an endpoint on to the router, for clients that know only one URL.

Signatures cover the Host: it and every other header stay as they are.
"""

import asyncio
from collections.abc import Iterable

from tornado.iostream import IOStream, StreamClosedError

from studio.serving.bounds import MOST_SECONDS

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = MOST_SECONDS + 15.0  # the router sees to it that it is less
_CHUNK = 64 * 1024
_OWN = ("connection", "content-length", "expect", "keep-alive", "transfer-encoding")


def head(method: str, target: str, headers: Iterable[tuple[str, str]], size: int) -> bytes:
    """The head of the request to the router, whose answer ends with the connection."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _OWN]
    lines += [f"Content-Length: {size}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def connect(address: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the router. Raises OSError or TimeoutError."""
    return await asyncio.wait_for(asyncio.open_connection(*address), _CONNECT_SECONDS)


async def exchange(
    router: tuple[asyncio.StreamReader, asyncio.StreamWriter], message: bytes, client: IOStream
) -> None:
    """Send `message` and copy the answer, byte for byte, to `client`, which is closed then."""
    reader, writer = router
    # Of who leaves a model that is silent still the router has to learn.
    client.set_close_callback(writer.close)
    try:
        writer.write(message)
        await writer.drain()
        while chunk := await asyncio.wait_for(reader.read(_CHUNK), _ANSWER_SECONDS):
            await client.write(chunk)
    except (OSError, TimeoutError, StreamClosedError):
        pass  # the client sees an answer that breaks off, and so retries
    finally:
        writer.close()
        client.close()
