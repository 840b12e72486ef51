"""The router against the model server alone: latency it adds, requests a second it passes.

The model server is a small C program, so that the figures are the router's. wrk (Debian) drives
both with the same 1 KiB POST; the one for the router is signed once and checked every time.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks import processes
from benchmarks.clocks import until
from benchmarks.harness import Row, at_least, at_most
from studio.serving.table import Key, Table, Variant, write_table

_KEY, _SECRET = "AKIABENCHBENCHBENCHB", "a secret of no account"
_BODY = b"1.5," * 255 + b"1.5\n"
_SECONDS = 4

_ECHO_SERVER = Path(__file__).with_name("echo_server.c")

_DONE = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\n{"p50": %f, "p99": %f, "requests": %d, "microseconds": %d, "errors": %d}\\n',
    latency:percentile(50), latency:percentile(99), summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def run() -> list[Row]:
    missing = [tool for tool in ("wrk", "gcc") if shutil.which(tool) is None]
    if missing:
        raise RuntimeError(f"please install {' and '.join(missing)}")
    with (
        tempfile.TemporaryDirectory() as folder,
        Echo(Path(folder)) as echo,
        Router(Path(folder) / "home", echo.port) as router,
    ):
        return _rows(router, echo)


def _rows(router: "Router", echo: "Echo") -> list[Row]:
    through, direct = router.load(1), echo.load(1)
    many, ceiling = router.load(32), echo.load(32)
    added, p50 = (through["p50"] - direct["p50"]) / 1000, direct["p50"] / 1000
    passed, alone = _rate(many), _rate(ceiling)
    peer = "C echo server, direct"
    return [
        Row("router: added latency, p50, 1 connection", added, "ms", at_most(0.3), peer, p50),
        Row("router: p99 at 32 connections", many["p99"] / 1000, "ms"),
        Row("router: throughput, 32 connections", passed, "req/s", at_least(6000), peer, alone,
            passed / alone),
        Row("router: CPU a request", router.cpu_microseconds, "us"),
        Row("router: memory after the load", processes.resident_mib(router.pid), "MiB"),
    ]  # fmt: skip


def _rate(figures: dict[str, float]) -> float:
    return figures["requests"] / figures["microseconds"] * 1e6


def _wrk(url: str, connections: int, headers: dict[str, str]) -> dict[str, float]:
    """What wrk measured; RuntimeError when a single request failed."""
    lines = [f"wrk.method = 'POST'\nwrk.body = {json.dumps(_BODY.decode())}"]
    lines += [f"wrk.headers[{json.dumps(n)}] = {json.dumps(v)}" for n, v in headers.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join([*lines, _DONE]))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{_SECONDS}s", "-s", script.name, url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures: dict[str, float] = json.loads(output.strip().splitlines()[-1])
    if figures["errors"]:
        raise RuntimeError(f"{figures['errors']} requests to {url} failed")
    return figures


class Echo:
    """The C server, compiled for this run."""

    def __init__(self, folder: Path) -> None:
        program = folder / "echo"
        subprocess.run(["gcc", "-O2", "-o", program, _ECHO_SERVER], check=True)
        self._process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def load(self, connections: int) -> dict[str, float]:
        url = f"http://127.0.0.1:{self.port}/invocations"
        return _wrk(url, connections, {"Content-Type": "text/csv"})

    def __enter__(self) -> "Echo":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


class Router:
    """The router as a process of its own, with one endpoint."""

    def __init__(self, home: Path, server: int) -> None:
        self._home = home
        variant = Variant("AllTraffic", 1.0, (f"127.0.0.1:{server}",))
        table = Table(1, "0" * 12, "us-east-1", {_KEY: Key(_SECRET)}, {"bench": (variant,)})
        write_table(home, table)
        command = [sys.executable, "-m", "studio.serving.router", "--home", str(home)]
        self._process = subprocess.Popen(command)
        self.pid = self._process.pid
        self.cpu_microseconds = 0.0

    def load(self, connections: int) -> dict[str, float]:
        headers = {"Content-Type": "text/csv", "Accept": "*/*"}
        request = AWSRequest("POST", self._url, headers, _BODY)
        SigV4Auth(Credentials(_KEY, _SECRET), "sagemaker", "us-east-1").add_auth(request)
        before = processes.cpu_seconds(self.pid)
        figures = _wrk(self._url, connections, dict(request.headers.items()))
        spent = processes.cpu_seconds(self.pid) - before
        self.cpu_microseconds = spent / figures["requests"] * 1e6
        return figures

    def __enter__(self) -> "Router":
        try:
            until((self._home / "router" / "pid.json").exists, 30, "the router is there", 0.02)
        except TimeoutError:
            self.__exit__()
            raise
        port = (self._home / "router" / "port").read_text()
        self._url = f"http://127.0.0.1:{port}/endpoints/bench/invocations"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
