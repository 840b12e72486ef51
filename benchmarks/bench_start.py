"""The control plane: from the start of the process to the first 200 of its health check; memory."""

import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks import processes, running
from benchmarks.harness import Row, at_most

_IDLE_SECONDS = 5.0


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        home = Path(folder) / "home"
        running.call("serve", "--detach", "--home", home)  # a home that exists, as mostly
        running.call("stop", "--home", home)
        again = _start(home)
        running.call("stop", "--home", home)
        first = _first_start()
    with running.studio() as it:
        time.sleep(_IDLE_SECONDS)
        memory = processes.resident_mib(it.pid)
    return [
        Row("control plane: start to ready, an existing home", again, "s", at_most(2)),
        Row("control plane: start to ready, a new home", first, "s", at_most(2)),
        Row("control plane: idle memory (RSS)", memory, "MiB", at_most(200)),
    ]


def _first_start() -> float:
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        seconds = _start(Path(folder) / "home")
        running.call("stop", "--home", Path(folder) / "home")
    return seconds


def _start(home: Path) -> float:
    running.call("stop", "--home", home)
    with tempfile.TemporaryFile() as log:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [running.STUDIO, "serve", "--home", str(home)], stdout=log, stderr=log
        )
        while not _healthy(home):
            if process.poll() is not None:
                raise RuntimeError("studio serve ended")
            time.sleep(0.005)
        return time.perf_counter() - begun


def _healthy(home: Path) -> bool:
    try:
        port = (home / "port").read_text()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_studio/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
