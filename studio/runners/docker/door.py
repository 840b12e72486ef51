"""Lets a container reach Studio at the address that every run of this machine is given.

Clients of AWS take credentials from a loopback address only. So what listens there inside of the
container's network is a socket of ours, made by a process that enters that network for a moment;
what arrives is carried to the same port of the machine. A container without a network gets none.
"""

import os
import socket
import sys
import threading
from urllib.parse import urlsplit

from studio.runners.shim import bridge

_NAMES = ("AWS_ENDPOINT_URL", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "STUDIO_URL")
_LOOPBACK = ("127.0.0.1", "localhost")
_CHUNK = 64 * 1024
_BACKLOG = 128


def ports(env: dict[str, str]) -> list[int]:
    """Ports of this machine's loopback that variables of a run name."""
    urls = [urlsplit(value) for name, value in env.items() if name.startswith(_NAMES)]
    return sorted({url.port for url in urls if url.hostname in _LOOPBACK and url.port})


def open_to(root: int, wanted: list[int]) -> None:
    """Let the network of the process `root` reach these ports, for as long as this process lives.

    Where this user has no right to enter it the container goes without, which is noted.
    """
    if not wanted:
        return
    listeners = _made_inside(root, wanted)
    if not listeners:
        print("the container cannot reach Studio: its network is not ours", file=sys.stderr)  # noqa: T201
    for listener, port in zip(listeners, wanted, strict=False):
        threading.Thread(target=_accept, args=(listener, port), daemon=True).start()


def _made_inside(root: int, wanted: list[int]) -> list[socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            bridge.enter(os.open(f"/proc/{root}/ns/net", os.O_RDONLY))
            made = [socket.create_server(("127.0.0.1", port), backlog=_BACKLOG) for port in wanted]
            socket.send_fds(theirs, [b"."], [each.fileno() for each in made])
            code = 0
        except OSError:
            pass
        finally:
            os._exit(code)
    theirs.close()
    _, status = os.waitpid(child, 0)
    if status != 0:
        return []
    _, fds, _, _ = socket.recv_fds(ours, 1, len(wanted))
    ours.close()
    return [socket.socket(fileno=fd) for fd in fds]


def _accept(listener: socket.socket, port: int) -> None:
    while True:
        inner, _ = listener.accept()
        try:
            outer = socket.create_connection(("127.0.0.1", port), timeout=5.0)
        except OSError:
            inner.close()
            continue
        outer.settimeout(None)
        for source, target in ((inner, outer), (outer, inner)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
