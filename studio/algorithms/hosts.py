"""The hosts of one training job: they meet, hand what they have to the first one, end together.

Each host keeps a connection to the first host open for as long as the job runs. When one breaks,
that host is lost: the program ends at once, whatever it waits for, and says who was lost. What goes
over the wire is bytes; nothing that arrives is ever executed.
"""

import json
import logging
import os
import queue
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from studio.algorithms.base import Environment, UserError, write_failure

PORT = 9099
"""Where the first host listens, on its own address."""
JOIN_SECONDS = 300.0
"""How long all hosts may take to come, from the start of the first one."""
_HEAD = struct.Struct("<cQ")
_HELLO, _BODY, _FAILED, _DONE = b"H", b"B", b"F", b"D"
_CUSTOMER, _CRASH = 2, 1
_LAST_WORDS_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Group:
    """The hosts of a job, as one of them sees it."""

    def __init__(self, environment: Environment) -> None:
        self.hosts = environment.hosts
        self.host = environment.current_host
        self.index = self.hosts.index(self.host) if self.host in self.hosts else 0
        self._failure = environment.base / "output" / "failure"
        self._peers: dict[str, _Peer] = {}
        self._ending = False

    @property
    def first(self) -> bool:
        """Whether this host is the one that puts the model together and writes it."""
        return self.index == 0

    def collect(self, own: bytes) -> list[bytes]:
        """On the first host what every host gave, in the order of hosts; elsewhere nothing."""
        if not self.first:
            self._peers[self.hosts[0]].send(_BODY, own)
            return []
        return [own, *(self._peers[host].bodies.get() for host in self.hosts[1:])]

    def scatter(self, parts: Sequence[bytes] = ()) -> bytes:
        """What the first host has for each host, in their order, on the host that it is for."""
        if not self.first:
            return self._peers[self.hosts[0]].bodies.get()
        for host, part in zip(self.hosts[1:], parts[1:], strict=True):
            self._peers[host].send(_BODY, part)
        return parts[0]

    def announce(self, said: bytes = b"") -> bytes:
        """What the first host said, on every host."""
        if not self.first:
            return self._peers[self.hosts[0]].bodies.get()
        for peer in self._peers.values():
            peer.send(_BODY, said)
        return said

    def _listen(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with socket.create_server(_address(self.host, deadline)) as server:
            while missing := [host for host in self.hosts[1:] if host not in self._peers]:
                server.settimeout(max(deadline - time.monotonic(), 0.001))
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    raise RuntimeError(
                        f"{', '.join(missing)} did not come within {seconds:g} seconds."
                    ) from None
                self._welcome(connection, missing)

    def _welcome(self, connection: socket.socket, missing: list[str]) -> None:
        connection.settimeout(10)
        with suppress(OSError, ValueError):
            kind, body = _receive(connection, limit=1000)
            name = body.decode("utf-8", "replace")
            if kind == _HELLO and name in missing:
                self._watch(name, connection)
                return
        connection.close()

    def _connect(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                connection = socket.create_connection(_address(self.hosts[0], deadline), 10)
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{self.hosts[0]} was not there within {seconds:g} seconds: {error}"
                    ) from error
                time.sleep(0.05)
        self._watch(self.hosts[0], connection)
        self._peers[self.hosts[0]].send(_HELLO, self.host.encode())

    def _watch(self, name: str, connection: socket.socket) -> None:
        connection.settimeout(None)
        peer = self._peers[name] = _Peer(connection)
        threading.Thread(target=self._listen_to, args=(name, peer), daemon=True).start()

    def _listen_to(self, name: str, peer: "_Peer") -> None:
        """A thread for each peer: its bodies wait in a queue, its end ends the program."""
        while True:
            try:
                kind, body = _receive(peer.connection)
            except (OSError, ValueError):
                if not self._ending and not peer.done.is_set():
                    self._give_up(f"Host {name} was lost.", _CRASH)
                peer.done.set()
                return
            if kind == _BODY:
                peer.bodies.put(body)
            elif kind == _DONE:
                peer.done.set()
            elif kind == _FAILED:
                words = json.loads(body)
                self._give_up(str(words["text"]), int(words["code"]))

    def _give_up(self, text: str, code: int) -> None:
        """End the program from a thread: the main one may wait inside a library for ever."""
        if self._ending:
            return
        self._ending = True
        _log.error("%s", text)
        write_failure(self._failure, text)
        self._tell_failure(text, code)
        sys.stdout.flush()
        os._exit(code)

    def _tell_failure(self, text: str, code: int) -> None:
        words = json.dumps({"text": text, "code": code}).encode()
        for peer in self._peers.values():
            peer.connection.settimeout(_LAST_WORDS_SECONDS)
            with suppress(OSError):
                peer.send(_FAILED, words)

    def fail(self, error: Exception) -> None:
        """Let all hosts end with this error, before this one waits for any of them again."""
        if self._ending:
            return
        self._ending = True
        code = _CUSTOMER if isinstance(error, UserError) else _CRASH
        self._tell_failure(f"Host {self.host} failed: {error}", code)

    def _finished(self) -> None:
        """The first host ends the job for all."""
        for peer in self._peers.values():
            if self.first:
                # From here on this host may go.
                peer.done.set()
                peer.send(_DONE, b"")
            else:
                peer.done.wait()
        self._ending = True


class _Peer:
    """The connection to another host."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.bodies: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.done = threading.Event()

    def send(self, kind: bytes, body: bytes) -> None:
        self.connection.sendall(_HEAD.pack(kind, len(body)))
        self.connection.sendall(body)


@contextmanager
def joined(environment: Environment, seconds: float = JOIN_SECONDS) -> Iterator[Group]:
    """The group of this job's hosts, when all of them have come; a host alone is a group too.

    At the end every host waits until the first one is done. Raises RuntimeError when a host does
    not come. When the body fails, all hosts fail with its message.
    """
    group = Group(environment)
    try:
        if len(group.hosts) > 1 and group.first:
            group._listen(seconds)
        elif len(group.hosts) > 1:
            group._connect(seconds)
        yield group
        group._finished()
    except Exception as error:
        group.fail(error)
        raise
    finally:
        group._ending = True
        for peer in group._peers.values():
            peer.connection.close()


def address(host: str) -> str:
    """The IP address of a host of this job. Raises OSError."""
    return str(socket.getaddrinfo(host, PORT, socket.AF_INET)[0][4][0])


def _address(host: str, deadline: float) -> tuple[str, int]:
    """Names of hosts may come up a little later than the hosts."""
    while True:
        try:
            return address(host), PORT
        except socket.gaierror as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"The name {host} does not resolve: {error}") from error
            time.sleep(0.1)


def _receive(connection: socket.socket, limit: int = 1 << 40) -> tuple[bytes, bytes]:
    """The next message. OSError when the connection ends, ValueError for what is no message."""
    kind, size = _HEAD.unpack(_exactly(connection, _HEAD.size))
    if kind not in (_HELLO, _BODY, _FAILED, _DONE) or size > limit:
        raise ValueError("no message")
    return kind, _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = connection.recv(min(size - len(data), 1 << 20))
        if not chunk:
            raise ConnectionError("the connection ended")
        data += chunk
    return bytes(data)
