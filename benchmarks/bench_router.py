"""The router against the model server alone: latency it adds, requests a second it passes.

The model server is a small C program, so that the figures are the router's. wrk (Debian) drives
both with the same 1 KiB POST; the one for the router is signed once and checked every time. Then
again with every request captured, and while a test of variants notes every answer and its id.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks import processes, wrk
from benchmarks.clocks import until
from benchmarks.harness import Row, at_least, at_most
from benchmarks.wrk import Load
from studio.serving import capture
from studio.serving.table import Arm, Capture, Key, Table, Variant, write_table

_KEY, _SECRET = "AKIABENCHBENCHBENCHB", "a secret of no account"
_BODY = b"1.5," * 255 + b"1.5\n"
_SECONDS = 4
_ID = {"X-Amzn-SageMaker-Inference-Id": "1f1c1d6e-6f0e-4b64-9b36-0b9a4e2f6d11"}
_CAPTURE = Capture("bench", 100, "s3://nobody/stores", "", "", csv=("text/csv",))

_ECHO_SERVER = Path(__file__).with_name("echo_server.c")


def run() -> list[Row]:
    missing = [tool for tool in ("wrk", "gcc") if shutil.which(tool) is None]
    if missing:
        raise RuntimeError(f"please install {' and '.join(missing)}")
    with (
        tempfile.TemporaryDirectory() as folder,
        Echo(Path(folder)) as echo,
        Router(Path(folder) / "home", echo.port) as router,
    ):
        rows = _rows(router, echo)
        plain = router.load(1)
        with Router(Path(folder) / "capturing", echo.port, capture=_CAPTURE) as capturing:
            rows += _captured(plain, router, capturing)
        with Router(Path(folder) / "tested", echo.port, arm=Arm("bench", ids=True)) as tested:
            return rows + _tested(router, tested)


def _rows(router: "Router", echo: "Echo") -> list[Row]:
    through, direct = router.load(1), echo.load(1)
    many, ceiling = router.load(32), echo.load(32)
    added, p50 = through.p50 - direct.p50, direct.p50
    peer = "C echo server, direct"
    return [
        Row("router: added latency, p50, 1 connection", added, "ms", at_most(0.3), peer, p50),
        Row("router: p99 at 32 connections", many.p99, "ms"),
        Row("router: throughput, 32 connections", many.rate, "req/s", at_least(6000), peer,
            ceiling.rate, many.rate / ceiling.rate),
        Row("router: CPU a request", router.cpu_microseconds, "us"),
        Row("router: memory after the load", processes.resident_mib(router.pid), "MiB"),
    ]  # fmt: skip


def _captured(plain: Load, router: "Router", capturing: "Router") -> list[Row]:
    one, without = capturing.load(1), router.cpu_microseconds
    asked = one.requests
    spent = capturing.cpu_microseconds

    def told() -> dict[str, int]:
        return capture.counts(capturing.home, _CAPTURE.record)

    until(lambda: told()["captured"] + told()["dropped"] >= asked, 60, "all is told", 0.1)
    peer = "the same router without capture"
    return [
        Row("router: latency added by 100 % capture, p50, 1 connection", one.p50 - plain.p50, "ms",
            at_most(0.2), peer, plain.p50),
        Row("router: latency added by 100 % capture, p99, 1 connection", one.p99 - plain.p99, "ms",
            at_most(2.0), peer, plain.p99),
        Row("router: CPU a request with 100 % capture", spent, "us", None, peer, without),
        Row("router: requests dropped by capture", 100 * told()["dropped"] / asked, "%"),
    ]  # fmt: skip


def _tested(router: "Router", tested: "Router") -> list[Row]:
    """In turns: what else the machine does is in both."""
    spent: dict[Router, list[float]] = {router: [], tested: []}
    for _ in range(3):
        for each, found in spent.items():
            each.load(32, seconds=2)
            found.append(each.cpu_microseconds)
    without, with_it = (min(found) for found in spent.values())
    peer = "the same router without a test"
    name = "router: CPU a request while a test of variants runs"
    return [Row(name, with_it, "us", None, peer, without, with_it / without)]


class Echo:
    """The C server, compiled for this run."""

    def __init__(self, folder: Path) -> None:
        program = folder / "echo"
        subprocess.run(["gcc", "-O2", "-o", program, _ECHO_SERVER], check=True)
        self._process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def load(self, connections: int) -> Load:
        url = f"http://127.0.0.1:{self.port}/invocations"
        return wrk.posts(url, connections, _SECONDS, {"Content-Type": "text/csv"}, _BODY)

    def __enter__(self) -> "Echo":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


class Router:
    """The router as a process of its own, with one endpoint."""

    def __init__(self, home: Path, server: int, **more: Any) -> None:
        self.home = home
        variant = Variant("AllTraffic", 1.0, (f"127.0.0.1:{server}",), **more)
        table = Table(1, "0" * 12, "us-east-1", {_KEY: Key(_SECRET)}, {"bench": (variant,)})
        write_table(home, table)
        command = [sys.executable, "-m", "studio.serving.router", "--home", str(home)]
        self._process = subprocess.Popen(command)
        self.pid = self._process.pid
        self.cpu_microseconds = 0.0

    def load(self, connections: int, body: bytes = _BODY, seconds: int = _SECONDS) -> Load:
        headers = {"Content-Type": "text/csv", "Accept": "*/*"} | _ID
        request = AWSRequest("POST", self._url, headers, body)
        SigV4Auth(Credentials(_KEY, _SECRET), "sagemaker", "us-east-1").add_auth(request)
        before = processes.cpu_seconds(self.pid)
        signed = dict(request.headers.items())
        figures = wrk.posts(self._url, connections, seconds, signed, body)
        spent = processes.cpu_seconds(self.pid) - before
        self.cpu_microseconds = spent / figures.requests * 1e6
        return figures

    def __enter__(self) -> "Router":
        try:
            until((self.home / "router" / "pid.json").exists, 30, "the router is there", 0.02)
        except TimeoutError:
            self.__exit__()
            raise
        port = (self.home / "router" / "port").read_text()
        self._url = f"http://127.0.0.1:{port}/endpoints/bench/invocations"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
