"""A socket that leads to an engine: it breaks off the log of a container, twice, or is slow."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

_LOGS = re.compile(rb"GET /v[\d.]+/containers/[\w-]+/logs")
_CUT_BYTES = 900
_CUTS = 2


@contextlib.contextmanager
def cutting(path: str, folder: Path) -> Iterator[str]:
    """The engine at the socket `path`, as DOCKER_HOST; `folder` has a short name."""
    cuts = [_CUT_BYTES] * _CUTS
    free = threading.Event()
    free.set()
    with _leading(path, folder, cuts, free) as address:
        yield address
        assert not cuts, "no log was asked for"


@contextlib.contextmanager
def slow(path: str, folder: Path) -> Iterator[tuple[str, threading.Event]]:
    """The same, which hands on what is asked while the event is set; it is not at first."""
    free = threading.Event()
    with _leading(path, folder, [], free) as address:
        yield address, free


@contextlib.contextmanager
def _leading(path: str, folder: Path, cuts: list[int], free: threading.Event) -> Iterator[str]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "cut"))
        listener.listen(16)
        threading.Thread(target=_accept, args=(listener, path, cuts, free), daemon=True).start()
        yield f"unix://{folder}/cut"


def _accept(listener: socket.socket, path: str, cuts: list[int], free: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while True:
            client = listener.accept()[0]
            threading.Thread(target=_serve, args=(client, path, cuts, free), daemon=True).start()


def _serve(client: socket.socket, path: str, cuts: list[int], free: threading.Event) -> None:
    with client, socket.socket(socket.AF_UNIX) as engine, contextlib.suppress(OSError):
        engine.connect(path)
        asked = client.recv(65536)
        free.wait()
        engine.sendall(asked)
        threading.Thread(target=_pump, args=(client, engine), daemon=True).start()
        left = cuts.pop() if _LOGS.match(asked) and cuts else -1
        while data := engine.recv(65536):
            client.sendall(data[:left] if left >= 0 else data)
            if left >= 0 and (left := max(0, left - len(data))) == 0:
                client.shutdown(socket.SHUT_RDWR)
                return


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
