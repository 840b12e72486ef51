"""Ports for servers that tests start."""

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def held_port() -> Iterator[int]:
    """A free port of 127.0.0.1. The system gives it to nobody who asks for any, as long as it is
    held; who listens there by its number can, also again after an end, with SO_REUSEADDR as servers
    have it."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
