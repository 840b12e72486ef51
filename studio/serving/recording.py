"""The router's way to its recorder: a process of its own, so that nothing it does takes time here.

What it cannot take at once waits in memory, up to a bound; what is more is dropped, and counted.
"""

import asyncio
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any, cast

from studio.serving import frames
from studio.serving.limits import Limits
from studio.serving.log import Log

_RESTART_SECONDS = 1.0
_END_SECONDS = 5.0


class Recording(asyncio.Protocol):
    """`want` starts the recorder, `send` tells it something."""

    def __init__(self, home: Path, limits: Limits, log: Log) -> None:
        self._home = home
        self._limits = limits
        self._log = log
        self._transport: asyncio.Transport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._held: list[bytes] = []  # while there is no recorder to be told
        self._held_bytes = 0
        self._dropped: Counter[bytes] = Counter()
        self.dropped = 0
        """All that there was no room for since the router began."""
        self._started = -_RESTART_SECONDS
        self._wanted = False

    def want(self) -> None:
        """Have a recorder from now on."""
        self._wanted = True
        self._start()

    def send(self, about: bytes, said: dict[str, Any], *bodies: bytes, number: int = 1) -> None:
        """Tell the recorder, or drop it; it stands for so many things."""
        size = sum(map(len, bodies))
        if not self._room(size):
            self.drop(about, number)
            return
        parts = frames.packed(about, said, *bodies)
        if self._transport is None:
            self._held += parts
            self._held_bytes += sum(map(len, parts))
        elif size < 65_536:
            self._transport.write(b"".join(parts))
        else:
            self._transport.writelines(parts)

    def drop(self, about: bytes, number: int = 1) -> None:
        """Count what there is no room for."""
        self._dropped[about] += number
        self.dropped += number

    def tick(self) -> None:
        """Tell what was dropped; have a recorder again where one has died."""
        if self._transport is None:
            self._start()
        elif self._dropped and self._room(0):
            dropped, self._dropped = self._dropped, Counter()
            for about, number in dropped.items():
                self.send(about, {"dropped": number})

    async def close(self) -> None:
        """Let the recorder write what it was told, and end."""
        self._wanted = False
        if self._transport is None and self._held:
            self._spawn()
        if self._opening is not None:
            await self._opening
        if self._transport is None or self._process is None:
            return
        self.tick()
        self._transport.close()
        try:
            await asyncio.wait_for(self._ended.wait(), _END_SECONDS)
            await asyncio.to_thread(self._process.wait, _END_SECONDS)
        except (TimeoutError, subprocess.TimeoutExpired):
            self._log("recorder left behind", pid=self._process.pid)

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.writelines(self._held)
        self._held, self._held_bytes = [], 0

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._ended.set()
        if self._wanted:
            self._log("recorder lost")

    # helpers

    def _room(self, size: int) -> bool:
        transport = self._transport
        waiting = self._held_bytes if transport is None else transport.get_write_buffer_size()
        return waiting + size <= self._limits.recorded_bytes

    def _start(self) -> None:
        early = monotonic() - self._started < _RESTART_SECONDS
        if not self._wanted or self._transport or early:
            return
        self._spawn()

    def _spawn(self) -> None:
        self._started = monotonic()
        if self._process is not None:
            self._process.poll()  # so that no zombie stays
        ours, its = socket.socketpair()
        command = [sys.executable, "-P", "-m", "studio.serving.recorder", str(self._home)]
        with its, (self._home / "logs" / "router.err").open("ab") as errors:
            self._process = subprocess.Popen(
                command, stdin=its.fileno(), stdout=errors, stderr=errors, start_new_session=True,
                cwd="/",
            )  # fmt: skip
        self._ended.clear()
        ours.setblocking(False)
        self._opening = asyncio.get_running_loop().create_task(self._open(ours))

    async def _open(self, ours: socket.socket) -> None:
        await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)
