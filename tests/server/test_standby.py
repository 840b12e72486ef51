"""Who stands by, at the moment when it begins to lead."""

import socket
import threading
from pathlib import Path

from studio.server.standby import Standby
from studio.settings import Settings


def test_a_connection_that_comes_as_it_retires_is_served(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as client:
        listening.setblocking(False)
        standby = Standby(Settings(home=tmp_path), [listening])
        met = threading.Event()

        def meet() -> None:
            """In one round of the loop it is told to retire, and takes the connection."""
            client.connect(listening.getsockname())
            standby._loop.call_soon(standby._retired.set)
            met.set()

        standby._loop.call_soon_threadsafe(meet)
        assert met.wait(10)
        client.sendall(b"GET /_studio/health HTTP/1.1\r\nHost: x\r\n\r\n")
        client.settimeout(10)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
        standby._thread.join(10)
        assert not standby._thread.is_alive()
