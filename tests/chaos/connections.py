"""Connections of the router that break: its clients', and those to a model server. And too many."""

import json
import random
import socket
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from chaos.outcome import Report, slower
from faults.proxy import Fault, fault_proxy
from serving.serving_support import Answer, Model, Router, exchange

_CLIENTS = 4
_MOST_LOST = 0.001
_MODEL_SECONDS = 3.0
_RECEIVE_SECONDS = 2.0
_UPSTREAM: tuple[Fault, ...] = ("cut", "reset", "truncate", "half_close", "slow")
_ATTRIBUTE = "X-Amzn-SageMaker-Custom-Attributes"
_REFUSED_SECONDS = 0.05
_IN_FLIGHT, _SECONDS_A_REQUEST = 8, 0.4
_OVERLOAD_SECONDS = 1.0


def broken_lines(repeats: int, seed: int) -> Report:
    """Each fault of each side `repeats` times, in any order, while four clients are served."""
    chance = random.Random(seed)
    with _served(f"--model-seconds={_MODEL_SECONDS}", f"--receive-seconds={_RECEIVE_SECONDS}") as (
        router,
        model,
    ):
        faults = [*_UPSTREAM, *_CLIENT] * repeats
        chance.shuffle(faults)
        wrong = []
        with _load(router) as clients:
            for number, fault in enumerate(faults):
                said = _broken(router, fault, f"fast:{fault}-{number}".encode())
                wrong += [f"{fault}: {said}"] if said else []
        lost, asked = sum(it.lost for it in clients), sum(len(it.sent) for it in clients)
        if lost > asked * _MOST_LOST:
            wrong.append(f"{lost} of {asked} others lost")
        got = Counter(model.bodies())
        wrong += [f"{body} was sent {times} times" for body, times in got.items() if times > 1]
        wrong += [f"{it} never came" for each in clients for it in each.sent if it not in got][:3]
        if "unexpected error" in router.log():
            wrong.append("the router's log tells of an error")
    return Report(
        "F24 broken connections",
        "the others are served, 0.1 % lost at most; no body is sent twice",
        repeats,
        seed,
        {"faults": str(len(faults)), "others": f"{lost} of {asked} lost"},
        tuple(wrong),
    )


def overload(repeats: int, seed: int) -> Report:
    """As many clients as a server takes, then twice as many, `repeats` times in turns."""
    alone: list[float] = []
    accepted: list[float] = []
    refused: list[float] = []
    wrong = []
    with _served(f"--in-flight={_IN_FLIGHT}") as (router, model):
        for _ in range(repeats):
            for count, taken in ((_IN_FLIGHT, alone), (2 * _IN_FLIGHT, accepted)):
                with _load(router, count, f"slow:{_SECONDS_A_REQUEST}") as clients:
                    time.sleep(_OVERLOAD_SECONDS)
                taken += [it for each in clients for it in each.took]
                refused += [it for each in clients for it in each.refused]
                wrong += [f"{each.lost} lost of {count}" for each in clients if each.lost]
        got = model.bodies()
        if len(got) != len(alone) + len(accepted):
            wrong.append(f"{len(alone) + len(accepted)} answers of {len(got)} requests")
    if not refused:
        wrong.append("nobody was refused")
    figures = {
        "answered": str(len(accepted)),
        "p99": f"{_p99(accepted):.2f} s, {_p99(alone):.2f} s without",
        "refused": str(len(refused)),
        "refused within": f"{_p99(refused) * 1000:.0f} ms",
    }
    slow = slower([_p99(refused)], _REFUSED_SECONDS, "refused")
    slow += slower([_p99(accepted)], 2 * _p99(alone), "answered")
    promise = "503 within 50 ms, no queue: p99 of what is taken less than doubles"
    return Report(
        "F24 twice the capacity", promise, repeats, seed, figures, tuple(wrong), slow=slow
    )


@contextmanager
def _served(*options: str) -> Iterator[tuple[Router, Model]]:
    """A router with one endpoint, whose server is behind a proxy that does what requests say."""

    def choose(head: bytes) -> Fault:
        return next((it for it in _UPSTREAM if f"fault={it}".encode() in head), "none")

    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        model = Model("one", folder / "journal")
        parts.callback(model.stop)
        proxy = parts.enter_context(fault_proxy(f"http://{model.address}", choose))
        router = Router(folder / "home", options)
        parts.callback(router.stop)
        router.write({"echo": [("AllTraffic", 1.0, [proxy.removeprefix("http://")])]})
        yield router, model


class _Client(threading.Thread):
    """Sends one request after another, each with a body of its own, on one connection."""

    def __init__(self, router: Router, command: str, over: threading.Event) -> None:
        super().__init__(name="client")
        self._router, self._command, self._over = router, command, over
        self.sent: list[str] = []
        self.took: list[float] = []
        self.refused: list[float] = []
        self.lost = 0

    def run(self) -> None:
        while not self._over.is_set():
            try:
                with self._router.connect() as connection, connection.makefile("rb") as file:
                    while not self._over.wait(0.01):
                        self._one(connection, file)
            except (OSError, ValueError, IndexError):  # no answer, or none of HTTP
                self.lost += 1

    def _one(self, connection: socket.socket, file: BinaryIO) -> None:
        body = self._command
        if body == "fast":
            body += f":{id(self)}-{len(self.sent)}"
        self.sent.append(body)
        data = self._router.request(body.encode())
        began = time.monotonic()
        connection.sendall(data)
        answer = Answer(file)
        took = time.monotonic() - began
        if answer.status == 200:
            self.took.append(took)
        elif answer.status == 503 and self._command != "fast":
            self.refused.append(took)
        else:
            self.lost += 1


@contextmanager
def _load(router: Router, count: int = _CLIENTS, command: str = "fast") -> Iterator[list[_Client]]:
    over = threading.Event()
    clients = [_Client(router, command, over) for _ in range(count)]
    for each in clients:
        each.start()
    try:
        yield clients
    finally:
        over.set()
        for each in clients:
            each.join()


def _broken(router: Router, fault: str, body: bytes) -> str:
    """What was not as it should be."""
    if fault in _CLIENT:
        return _CLIENT[fault](router, body)
    answer = exchange(router, router.request(body, headers=[(_ATTRIBUTE, f"fault={fault}")]))
    if answer.status != 424 or json.loads(answer.body)["OriginalStatusCode"] != 0:
        return f"answered {answer.status} {answer.body[:200]!r}"
    return ""


def _reset_in_request(router: Router, body: bytes) -> str:
    data = router.request(body)
    with router.connect() as connection:
        connection.sendall(data[: len(data) // 2])
        _reset(connection)
    return ""


def _reset_while_waiting(router: Router, body: bytes) -> str:
    number = body.rpartition(b"-")[2].zfill(6)
    with router.connect() as connection:
        connection.sendall(router.request(b"slow:0.2" + number))
        time.sleep(0.05)
        _reset(connection)
    return ""


def _ends_in_body(router: Router, body: bytes) -> str:
    """It has said that more would come."""
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(router.request(body)[:-1])
        connection.shutdown(socket.SHUT_WR)
        said = file.read()
    return "" if b" 200 " not in said[:20] else "half a body was served"


def _half_closes(router: Router, body: bytes) -> str:
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(router.request(body))
        connection.shutdown(socket.SHUT_WR)
        status = Answer(file).status
    return "" if status == 200 else f"answered {status}"


def _drips(router: Router, body: bytes) -> str:
    """A byte a second, of headers that never end."""
    with router.connect() as connection, connection.makefile("rb") as file:
        for byte in router.request(body)[: int(_RECEIVE_SECONDS)]:
            connection.sendall(bytes([byte]))
            time.sleep(1)
        status = Answer(file).status
    return "" if status == 408 else f"answered {status}"


_CLIENT: dict[str, Callable[[Router, bytes], str]] = {
    "reset in a request": _reset_in_request,
    "reset while waiting": _reset_while_waiting,
    "end in a body": _ends_in_body,
    "half-close": _half_closes,
    "a byte a second": _drips,
}


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100] if seconds else 0.0
