"""What model servers make of HTTP: in this process, asked over real sockets."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvloop
from waiting import PATIENCE_SECONDS

from studio.algorithms import server
from studio.algorithms.server import Answer, Invocation, RequestError
from studio.http.protocol import Client

Asked = Callable[[bytes, bytes], Awaitable[bytes]]
_PIECE = b"x" * 65_536


@dataclass
class Words:
    """Pieces: `late` breaks off, `endless` has no end; `go` lets out each behind the first."""

    word: str
    closed: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    made: int = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.made += 1
        if self.word == "endless":
            return _PIECE
        if self.made == 1:
            return b"one"
        assert self.go.wait(PATIENCE_SECONDS)
        if self.word == "late":
            raise RequestError(500, "two is too much")
        if self.made == 2:
            return b"two"
        raise StopIteration

    def close(self) -> None:
        self.closed.set()


@asynccontextmanager
async def serving(answer: Callable[[Invocation], Answer]) -> AsyncIterator[Asked]:
    """Asks for /invocations with lines of headers and a body; all of the answer."""

    def ask(pool: Executor, invocation: Invocation) -> "asyncio.Future[Answer]":
        return asyncio.get_running_loop().run_in_executor(pool, answer, invocation)

    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(4) as streams:
        front = server._Front(
            {"/invocations": {b"POST": server.invoked(lambda _: ask)}}, pool, streams
        )
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(lambda: Client(front), "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]

        async def asked(headers: bytes, body: bytes) -> bytes:
            reader, writer = await opened(port, headers, body)
            async with asyncio.timeout(PATIENCE_SECONDS):
                said = await reader.read()
            writer.close()
            return said

        asked.port, asked.front = port, front  # type: ignore[attr-defined]
        try:
            yield asked
        finally:
            listening.close()
            await front.drain(loop.time() + PATIENCE_SECONDS)


async def opened(
    port: int, headers: bytes, body: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = b"" if b"chunked" in headers else b"Content-Length: %d\r\n" % len(body)
    writer.write(b"POST /invocations?a=b HTTP/1.1\r\nHost: here\r\nConnection: close\r\n")
    writer.write(headers + length + b"\r\n" + body)
    return reader, writer


def test_pieces_go_out_before_the_next_is_made_and_an_end_too_soon_is_seen() -> None:
    words: list[Words] = []

    def answer(invocation: Invocation) -> Answer:
        words.append(Words(invocation.body.decode()))
        return Answer(words[-1], "text/event-stream")

    async def run() -> None:
        async with serving(answer) as asked:
            reader, writer = await opened(asked.port, b"", b"whole")
            assert b"\r\n3\r\none\r\n" in await reader.readuntil(b"one\r\n")
            words[0].go.set()
            assert await reader.read() == b"3\r\ntwo\r\n0\r\n\r\n"
            writer.close()
            reader, writer = await opened(asked.port, b"", b"late")
            assert b"text/event-stream" in await reader.readuntil(b"one\r\n")
            words[1].go.set()
            try:
                assert await reader.read() == b""
            except ConnectionResetError:
                pass
            writer.close()

    uvloop.run(run())
    assert all(it.closed.wait(PATIENCE_SECONDS) for it in words)


def test_nobody_makes_pieces_for_a_client_that_does_not_read_or_has_gone(caplog) -> None:
    words = Words("endless")

    async def run() -> None:
        async with serving(lambda _: Answer(words, "text/plain")) as asked:
            reader, writer = await opened(asked.port, b"", b"endless")
            await reader.readuntil(b"\r\n\r\n")
            (client,) = asked.front.clients
            async with asyncio.timeout(PATIENCE_SECONDS):
                while client.flow.room.is_set():  # until what lies between the two ends is full
                    await asyncio.sleep(0)
            before = words.made
            for _ in range(20):
                await asyncio.get_running_loop().run_in_executor(asked.front.threads, int)
            assert words.made == before
            writer.transport.abort()
            closed = asyncio.get_running_loop().run_in_executor(
                None, words.closed.wait, PATIENCE_SECONDS
            )
            assert await closed

    uvloop.run(run())
    assert not caplog.records


def test_a_content_type_that_splits_the_answer_is_an_error_and_its_pieces_are_freed() -> None:
    words = Words("whole")

    async def run() -> None:
        async with serving(lambda _: Answer(words, "text/csv\r\nSet-Cookie: a=b")) as asked:
            said = await asked(b"", b"1")
            assert said.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
            assert b"Cookie" not in said

    uvloop.run(run())
    assert words.closed.wait(PATIENCE_SECONDS)


def test_what_is_too_large_is_told_so_though_its_size_was_not_said(capfd, monkeypatch) -> None:
    monkeypatch.setenv("SAGEMAKER_MAX_PAYLOAD_IN_MB", "1")

    async def run() -> None:
        async with serving(lambda it: Answer(it.body, it.content_type)) as asked:
            chunk = b"100000\r\n" + b"1" * (1 << 20) + b"\r\n"
            said = await asked(b"Transfer-Encoding: chunked\r\n", chunk * 3 + b"0\r\n\r\n")
            assert said.startswith(b"HTTP/1.1 413 ")
            assert said.endswith(b"at most 1048576 bytes are accepted.")
            said = await asked(b"Content-Type: text/csv\r\nUser-Agent: it's\r\n", b"1,2")
            assert said.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n")
            assert said.endswith(b"\r\n\r\n1,2")

    uvloop.run(run())
    refused, answered = capfd.readouterr().out.splitlines()
    assert re.fullmatch(r'- - - \[.+\] "-" 413 \d+ "-" "-"', refused)
    line = r'127\.0\.0\.1 - - \[\S+ \+0000\] "POST /invocations HTTP/1\.1" 200 3 "-" "it\'s"'
    assert re.fullmatch(line, answered)
