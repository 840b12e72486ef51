"""The socket that clients of a router come to. Whoever watches the router holds it too, so that
clients wait in its queue while a router that died is replaced, rather than find nobody.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

from studio import durable
from studio.errors import StudioError

BACKLOG = 1024
_OFFER = "listener.sock"
_FETCH_SECONDS = 2.0


def listen(folder: Path, host: str, held: int | None = None) -> socket.socket:
    """The socket with the descriptor `held`, or one on the port kept in `folder`, picked and kept
    the first time. Raises StudioError when that port is taken."""
    if held is not None:
        return socket.socket(fileno=held)
    path = folder / "port"
    kept = durable.read_json(path)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, kept or 0))
    except OSError as error:
        listener.close()
        raise StudioError(
            f"Port {kept} of the router is taken: free it, or remove {path} to pick another."
        ) from error
    if kept is None:
        durable.write_json(path, listener.getsockname()[1])
    return listener


def offer(folder: Path, listener: socket.socket) -> Callable[[], None]:
    """Give `listener` to each who `fetch`es it, until what is returned is called."""
    (folder / _OFFER).unlink(missing_ok=True)
    desk = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    desk.setblocking(False)
    # The folder lets nobody else in.
    with _Short(folder) as short:
        desk.bind(short)
    desk.listen()
    loop = asyncio.get_running_loop()
    loop.add_reader(desk, _give, desk, listener)

    def end() -> None:
        loop.remove_reader(desk)
        desk.close()

    return end


def fetch(folder: Path) -> socket.socket | None:
    """The socket of the router that runs in `folder`; None when it does not give it."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel, _Short(folder) as short:
            channel.settimeout(_FETCH_SECONDS)
            channel.connect(short)
            _, found, _, _ = socket.recv_fds(channel, 1, 1)
    except OSError:
        return None
    if not found:
        return None
    os.set_inheritable(found[0], False)
    return socket.socket(fileno=found[0])


def _give(desk: socket.socket, listener: socket.socket) -> None:
    try:
        channel, _ = desk.accept()
        with channel:
            socket.send_fds(channel, [b"."], [listener.fileno()])
    except OSError:
        pass  # it went away


class _Short:
    """A socket's address in a folder, by way of the folder: it has to be short."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._folder}/{_OFFER}"

    def __exit__(self, *_: object) -> None:
        os.close(self._folder)
