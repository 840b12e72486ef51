"""The control plane is killed at a random byte of uploads over HTTP."""

import contextlib
import random
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from chaos.house import BUCKET, House, house
from chaos.invariants import broken
from chaos.outcome import Report, slower, spread
from chaos.store_errors import unnamed

SIZES = {0: 6, 1: 6, 4 << 10: 6, 5 << 20: 3, 64 << 20: 1}
"""Bytes of a body, and how often one of them is drawn, of so many."""
_AT_ONCE = 4
_GONE_SECONDS = 60.0
_STORED_SECONDS = 10.0
_IN_MEMORY = 2 << 20  # of an upload, at most, while it comes
_DELAYS = (0.0, 0.003, 0.01, 0.03, 0.1, 0.4)  # of the kill, after the last byte


def uploads(repeats: int, seed: int, sizes: dict[int, int] = SIZES) -> Report:
    """`repeats` uploads to a few keys are cut by kills, `_AT_ONCE` by each."""
    chance = random.Random(seed)
    bodies = _Bodies(seed, max(sizes))
    wrong: list[str] = []
    ready, left, counted = [], 0, {"old": 0, "new": 0, "acknowledged": 0}
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        signer = home.new_client("s3", signature_version="s3v4")
        states = [_Key(f"key-{number}") for number in range(_AT_ONCE)]
        for _ in range(max(1, repeats // _AT_ONCE)):
            tries = [
                _Upload(signer, state.name, bodies.new(chance, sizes), chance.random())
                for state in states
            ]
            left += _cut(home, tries, chance.random(), chance.choice(_DELAYS))
            began = time.monotonic()
            ready.append(home.start())
            wrong += [f"after a start: {said}" for said in unnamed(home.home)]
            gone = time.monotonic() - began
            if gone > _GONE_SECONDS:
                wrong.append(f"temporary files stayed for {gone:.0f} s")
            for state, each in zip(states, tries, strict=True):
                counted[state.learn(home, each)] += 1
        wrong += [said for state in states for said in state.wrong] + broken(home)
    figures = {name: str(count) for name, count in counted.items()}
    return Report(
        "F14 kills within uploads",
        "the old object or the new, never a part; nothing is left over",
        repeats,
        seed,
        {**figures, "files left by kills": str(left), "ready and swept": spread(ready)},
        tuple(wrong),
        slow=slower(ready, 3.0, "ready"),
    )


class _Bodies:
    """Bodies that differ, without drawing so many random bytes: slices of some."""

    def __init__(self, seed: int, size: int) -> None:
        self._bytes = random.Random(seed).randbytes(size + (1 << 20))

    def new(self, chance: random.Random, sizes: dict[int, int]) -> memoryview:
        [size] = chance.choices(list(sizes), list(sizes.values()))
        start = chance.randrange(1 << 20)
        return memoryview(self._bytes)[start : start + size]


class _Upload:
    """A PUT that goes as far as `part` of its body, or, past 0.9, to its end."""

    def __init__(self, signer: Any, key: str, body: memoryview, part: float) -> None:
        self.body = body
        self.sent = int(len(body) * min(1.0, part / 0.9))
        self.whole = self.sent == len(body)
        self.answer = b""
        to = {"Bucket": BUCKET, "Key": key}
        url = urlsplit(signer.generate_presigned_url("put_object", to))
        self._address = (url.hostname or "", url.port or 0)
        self._head = (
            f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()

    def run(self, sent: threading.Barrier) -> None:
        """Returns when the answer has come, or the connection is gone."""
        with socket.create_connection(self._address, timeout=60) as connection:
            try:
                connection.sendall(self._head)
                connection.sendall(self.body[: self.sent])
                sent.wait()
                self.answer = connection.recv(1 << 16)
            except ConnectionError:
                pass

    @property
    def acknowledged(self) -> bool:
        return self.answer.startswith(b"HTTP/1.1 200 ")


@dataclass
class _Key:
    """What a key holds."""

    name: str
    held: memoryview | None = None
    wrong: list[str] = field(default_factory=list)

    def learn(self, home: House, last: _Upload) -> str:
        """What became of the last upload."""
        found = _body(home, self.name)
        outcome = "old"
        if last.answer and not last.acknowledged:
            self.wrong.append(f"{self.name}: answered {last.answer[:80]!r}")
        if last.acknowledged or (last.whole and found == last.body):
            outcome = "acknowledged" if last.acknowledged else "new"
            self.held = last.body
        if found != self.held:
            size = "nothing" if found is None else f"{len(found)} bytes"
            self.wrong.append(f"{self.name}: {size} after an upload of {len(last.body)}: {outcome}")
            self.held = None if found is None else memoryview(found)
        return outcome


def _cut(home: House, tries: list[_Upload], part: float, seconds: float) -> int:
    """Kill it so long after it has stored that part of what was sent of the unfinished; how many
    files it left unfinished."""
    temporary = home.home / "s3" / "tmp"
    wanted = part * sum(max(0, each.sent - _IN_MEMORY) for each in tries if not each.whole)
    deadline = time.monotonic() + _STORED_SECONDS
    sent = threading.Barrier(len(tries) + 1)
    with ThreadPoolExecutor(len(tries)) as pool:
        running = [pool.submit(each.run, sent) for each in tries]
        sent.wait(60)
        while _size(temporary) < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(seconds)
        home.kill()
        for each in running:
            each.result()
    return len(list(temporary.iterdir()))


def _size(folder: Path) -> int:
    """Of the files in it, which come and go."""
    size = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _body(home: House, key: str) -> bytes | None:
    try:
        return home.get(key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
