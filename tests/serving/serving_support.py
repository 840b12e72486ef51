"""Real processes and raw connections for the tests of the router."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from waiting import eventually

from studio.serving.outside import NOBODY, Outside
from studio.serving.table import Key, Table, Variant, write_table

KEY, SECRET = "AKIATESTTESTTESTTEST", "secret/of+the+tests"
ACCOUNT = "123456789012"


class Router:
    """A router process. `restart` brings it back after a kill."""

    hints = True
    """Tell it of a new table, as the control plane does; otherwise it looks for one by itself."""

    def __init__(self, home: Path, options: tuple[str, ...] = ()) -> None:
        self.home = home
        self.options = options
        self.version = 0
        self.process = self._spawn()
        self.port = self._wait()

    def _spawn(self) -> subprocess.Popen:
        command = [sys.executable, "-m", "studio.serving.router", "--home", str(self.home)]
        (self.home / "router" / "pid.json").unlink(missing_ok=True)
        return subprocess.Popen([*command, *self.options])

    def _wait(self) -> int:
        self._until((self.home / "router" / "pid.json").exists)
        return json.loads((self.home / "router" / "port").read_text())

    def restart(self) -> None:
        self.process.wait(30)
        self.process = self._spawn()
        self.port = self._wait()

    def write(self, endpoints: dict[str, list[Any]], outside: Outside = NOBODY, **keys) -> None:
        """Replace the table and wait until it is in force."""
        self.version += 1
        known = keys or {KEY: SECRET}
        table = Table(
            self.version,
            ACCOUNT,
            "us-east-1",
            {name: key if isinstance(key, Key) else Key(key) for name, key in known.items()},
            {
                name: tuple(
                    v if isinstance(v, Variant) else Variant(*v[:2], tuple(v[2])) for v in variants
                )
                for name, variants in endpoints.items()
            },
            outside,
        )
        write_table(self.home, table)
        if self.hints:
            self.process.send_signal(signal.SIGHUP)
        self._until(lambda: f'"version": {self.version},' in self.log())

    def _until(self, condition: Callable[[], bool]) -> None:
        def look() -> bool:
            assert self.process.poll() is None, "the router has died"
            return condition()

        eventually(look)

    def log(self) -> str:
        return (self.home / "logs" / "router.log").read_text()

    def client(self, key=KEY, secret=SECRET, **config):
        return boto3.client(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(**{"retries": {"total_max_attempts": 1}, "read_timeout": 90} | config),
        )

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def request(self, body=b"fast", endpoint="echo", headers=(), method="POST", path=None) -> bytes:
        """A signed request, as bytes."""
        path = path or f"/endpoints/{endpoint}/invocations"
        request = AWSRequest(method, f"http://127.0.0.1:{self.port}{path}", dict(headers), body)
        SigV4Auth(Credentials(KEY, SECRET), "sagemaker", "us-east-1").add_auth(request)
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def sockets(self) -> int:
        """How many of its open files are sockets."""
        count = 0
        for file in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                count += str(file.readlink()).startswith("socket:")
        return count

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Model:
    """A model server process."""

    def __init__(self, name: str, journal: Path, port: int = 0) -> None:
        self.journal = journal
        self.unwell = journal.with_suffix(".unwell")
        script = Path(__file__).with_name("model_server.py")
        command = [sys.executable, str(script), name, str(journal), str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.address = f"127.0.0.1:{self.port}"

    def bodies(self) -> list[str]:
        return self.journal.read_text("latin-1").splitlines() if self.journal.exists() else []

    def let_go(self) -> None:
        """Answer requests that say `held`."""
        self.journal.with_suffix(".go").touch()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Answer:
    """One answer read from a raw connection."""

    def __init__(self, file, head_only: bool = False) -> None:
        self.status = int(file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while (line := file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().strip().partition(": ")
            self.headers[name.lower()] = value
        length = int(self.headers.get("content-length", 0))
        self.body = b"" if head_only else file.read(length)

    @property
    def error(self) -> str:
        return self.headers.get("x-amzn-errortype", "")


def exchange(router: Router, data: bytes, **kwargs) -> Answer:
    """Send `data` on a connection of its own and read one answer."""
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(data)
        return Answer(file, **kwargs)


def is_closed(connection: socket.socket) -> bool:
    """The peer has closed: what is left to read ends."""
    connection.settimeout(30)
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True
