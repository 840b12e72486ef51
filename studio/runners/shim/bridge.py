"""Lets a server without a network be reached: a port of the machine leads to its own loopback.

The listening socket is made outside; then this process joins the network of the run, so that what
it connects to is inside. The run never holds a socket of the machine, not even for a moment.
"""

import ctypes
import fcntl
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from studio.runners.shim import helpers, tree

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_NS_GET_USERNS = 0xB701
_BACKLOG = 1024
_CHUNK = 64 * 1024
_PAUSE_SECONDS = 0.005


class Bridge:
    """From 127.0.0.1:`port` of the machine to `inner` of the run whose first process is `root`."""

    def __init__(self, port: int, inner: int, root: int, folder: Path) -> None:
        self._port, self._inner, self._root, self._folder = port, inner, root, folder
        self._finishing = False
        self.reason = self.detail = ""
        self.pid = self._begin()

    def finish(self) -> None:
        self._finishing = True
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def ended(self, status: int) -> None:
        self.pid = 0
        if self._finishing:
            return
        if os.WIFSIGNALED(status):
            self.pid = self._begin()
        else:
            self.reason = "StartFailed"
            self.detail = "the network of the isolated server could not be entered"

    def _begin(self) -> int:
        return helpers.begin(lambda: _serve(self._port, self._inner, self._root), self._folder)


def _serve(port: int, inner: int, root: int) -> None:
    """Until this process is killed. Raises OSError when the network cannot be entered."""
    listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    enter(_network_below(root))
    _forward(listener, inner)


def _network_below(root: int) -> int:
    """A descriptor of the network that a process of the run has for itself."""
    own = os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116
    while True:
        for pid in (root, *tree.descendants(root)):
            try:
                fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if os.fstat(fd).st_ino != own:
                return fd
            os.close(fd)
        time.sleep(_PAUSE_SECONDS)


def enter(network: int) -> None:
    """Join a network: only who has rights in the user namespace that owns it may."""
    owner = fcntl.ioctl(network, _NS_GET_USERNS)
    if os.fstat(owner).st_ino != os.stat("/proc/self/ns/user").st_ino:  # noqa: PTH116
        _setns(owner, _CLONE_NEWUSER)
    _setns(network, _CLONE_NEWNET)


def _setns(fd: int, kind: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, kind) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _forward(listener: socket.socket, port: int) -> None:
    import asyncio  # slow to import, and most runs have no bridge

    async def carry(outer: Any, to_outer: Any) -> None:
        try:
            inner, to_inner = await asyncio.open_connection("127.0.0.1", port, limit=_CHUNK)
        except OSError:
            to_outer.transport.abort()
            return
        await asyncio.gather(pump(outer, to_inner), pump(inner, to_outer))
        to_inner.close()
        to_outer.close()

    async def pump(source: Any, target: Any) -> None:
        try:
            while data := await source.read(_CHUNK):
                target.write(data)
                await target.drain()
            target.write_eof()
        except OSError:
            target.transport.abort()

    async def serve() -> None:
        server = await asyncio.start_server(carry, sock=listener, limit=_CHUNK)
        await server.serve_forever()

    asyncio.run(serve())
