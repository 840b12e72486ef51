"""Servers of others, from the package index: each in an environment that is made once."""

import http.client
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import running

_UV = Path(running.STUDIO).with_name("uv")
_START_SECONDS = 180.0


def environment(name: str, *packages: str) -> Path:
    """Where these packages are installed; they are, if need be."""
    folder = running.ROOT / f".venv-{name}"
    if not (folder / ".ready").exists():
        subprocess.run([_UV, "venv", "-q", "--clear", folder], check=True)
        python = folder / "bin" / "python"
        subprocess.run([_UV, "pip", "install", "-q", "--python", python, *packages], check=True)
        (folder / ".ready").touch()
    return folder


@contextmanager
def served(
    command: Sequence[str | Path], health: str, env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The URL of a server, from when GET `health` answers 200; `{port}` in the command and in the
    environment is where it listens. It is ended with all its processes. RuntimeError when it does
    not answer."""
    port = str(_free_port())
    given = [str(it).replace("{port}", port) for it in command]
    chosen = {name: value.replace("{port}", port) for name, value in (env or {}).items()}
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as home:
        log = Path(home) / "log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                given, cwd=home, stdout=file, stderr=file, env=os.environ | chosen
            )
            try:
                _await(process, int(port), health, log)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: "subprocess.Popen[bytes]", port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise RuntimeError(f"the server does not answer: {log.read_text()[-500:]}")
