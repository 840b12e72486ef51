"""A model server that does what the body tells it: a real process, for the router to suffer.

`echo` (default) answers the headers and the body it got as JSON, `fast` answers "ok", other
commands misbehave: see `COMMANDS`. It prints its port and appends every body to a journal.
"""

import asyncio
import json
import sys
from pathlib import Path

NAME = sys.argv[1]
JOURNAL = Path(sys.argv[2])
UNWELL = JOURNAL.with_suffix(".unwell")  # while this file is there, pings are not answered by 200


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")[:-2]
            headers = dict(line.split(": ", 1) for line in lines[1:])
            if lines[0].startswith("GET /ping "):
                reply(writer, b"", "503 Unwell" if UNWELL.exists() else "200 OK")
                break
            lower = {name.lower(): value for name, value in headers.items()}
            body = await reader.readexactly(int(lower["content-length"]))
            with JOURNAL.open("ab") as journal:
                journal.write(body[:80] + b"\n")
            command, _, argument = body[:80].decode("latin-1").partition(":")
            act = COMMANDS.get(command, echo)
            if not await act(writer, argument, lines[0], headers, body):
                break
            if lower.get("connection") == "close":
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def reply(writer, body: bytes, status="200 OK", kind="text/plain", extra="") -> bool:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    )
    writer.write(head.encode() + body)
    return True


async def echo(writer, argument, line, headers, body):
    document = {"server": NAME, "line": line, "headers": headers, "size": len(body)}
    document["body"] = body[:1000].decode("latin-1")
    extra = "X-Amzn-SageMaker-Custom-Attributes: trace=7\r\nX-Private: secret\r\n"
    return reply(writer, json.dumps(document).encode(), kind="application/json", extra=extra)


async def fast(writer, argument, line, headers, body):
    return reply(writer, NAME.encode(), kind="text/csv; charset=utf-8")


async def status(writer, argument, line, headers, body):
    return reply(writer, b"broken: \xff " + argument.encode(), status=f"{argument} Nope")


async def slow(writer, argument, line, headers, body):
    await asyncio.sleep(float(argument))
    return reply(writer, b"slept")


async def held(writer, argument, line, headers, body):
    while not JOURNAL.with_suffix(".go").exists():
        await asyncio.sleep(0.02)
    return reply(writer, b"let go")


async def close(writer, argument, line, headers, body):
    return False


async def truncate(writer, argument, line, headers, body):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
    return False


async def garbage(writer, argument, line, headers, body):
    writer.write(b"HTTP/1.1 200 OK\r\nBad\x00Header: \x01\r\n\r\n")
    return True


async def endless_head(writer, argument, line, headers, body):
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 300_000)
    await asyncio.sleep(30)
    return False


async def huge(writer, argument, line, headers, body):
    left = int(argument)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: %d\r\n\r\n" % left)
    while left > 0:
        writer.write(b"x" * min(left, 1_000_000))
        left -= 1_000_000
        await writer.drain()
    return True


async def chunked(writer, argument, line, headers, body):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(int(argument)):
        writer.write(b"10000\r\n" + b"y" * 65_536 + b"\r\n")
        try:
            await writer.drain()
        except ConnectionError:
            return False
    writer.write(b"0\r\n\r\n")
    return True


async def pieces(writer, argument, line, headers, body):
    """`a,b,c`: each a chunk; `...` waits to be let go, `!` breaks off, `?` says nothing more."""
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Private: secret\r\n"
        b"X-Amzn-SageMaker-Custom-Attributes: trace=7\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for piece in argument.split(","):
        if piece == "...":
            while not JOURNAL.with_suffix(".go").exists():
                await asyncio.sleep(0.02)
        elif piece == "!":
            return False
        elif piece == "?":
            await writer.wait_closed()
        else:
            data = json.dumps(headers) if piece == "headers" else piece
            writer.write(b"%x\r\n%b\r\n" % (len(data), data.encode()))
            await writer.drain()
    writer.write(b"0\r\n\r\n")
    return True


async def endless(writer, argument, line, headers, body):
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    sent = 0
    try:
        while True:
            writer.write(b"10000\r\n" + b"e" * 65_536 + b"\r\n")
            sent += 65_536
            JOURNAL.with_suffix(".sent").write_text(str(sent))
            await writer.drain()
    except ConnectionError:
        JOURNAL.with_suffix(".gone").touch()
    return False


async def until_close(writer, argument, line, headers, body):
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\n" + b"z" * int(argument))
    return False


async def interim(writer, argument, line, headers, body):
    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return reply(writer, b"after")


async def twice(writer, argument, line, headers, body):
    # In one piece: an answer that comes after the next request cannot be told from its answer.
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    writer.write(head + b"one" + head + b"two")
    return True


async def bare(writer, argument, line, headers, body):
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    return True


COMMANDS = {
    "fast": fast, "status": status, "slow": slow, "held": held, "close": close,
    "truncate": truncate, "garbage": garbage, "endless-head": endless_head, "huge": huge,
    "chunked": chunked, "until-close": until_close, "interim": interim, "twice": twice,
    "bare": bare, "pieces": pieces, "endless": endless,
}  # fmt: skip


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[3]))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
