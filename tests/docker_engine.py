"""A real Docker engine for tests, and an image made of this machine's own programs.

The engine is one of its own, below a temporary folder and with a bridge of its own; with
DOCKER_HOST set, the engine there is used instead. No registry is asked for anything.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from studio.runners.docker.engine import Engine, EngineError, EngineGone

_START_SECONDS = 60.0
_BASE = "studio-test/base:1"
_PROGRAMS = (
    *("sh", "cat", "chmod", "cut", "dd", "echo", "env", "false", "grep", "head", "hostname", "id"),
    *("kill", "ln", "ls", "mkdir", "mkfifo", "mknod", "mount", "mv", "ps", "python3", "rm"),
    *("setsid", "sleep", "stat", "tail", "touch", "true", "wc"),
)
_PASSWD = "root:x:0:0::/root:/bin/sh\nsomebody:x:1234:1234::/tmp:/bin/sh\n"
_HOSTS_FIRST = "hosts: files dns\n"


@dataclass
class DockerEngine:
    """`host` is what DOCKER_HOST has to be."""

    host: str
    folder: Path | None = None
    """Where the engine of the tests lies; None for one that is not theirs."""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> str:
        return self.host.removeprefix("unix://")

    @cached_property
    def api(self) -> Engine:
        return Engine(self.socket, seconds=120.0)

    def start(self) -> None:
        """Also once more, after `kill` or `stop`."""
        assert self.folder is not None
        # Of one that was killed: another process may have the number by now.
        for name in ("docker.pid", "exec/containerd/containerd.pid"):
            (self.folder / name).unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _command(self.folder), stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.api):
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, as its restart would, or by force."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait()

    def base(self) -> str:
        """An image with a shell and Python."""
        if self.api.image(_BASE) is None:
            query = f"fromSrc=-&repo={_BASE.partition(':')[0]}&tag={_BASE.partition(':')[2]}"
            _upload(self.socket, f"/images/create?{query}", _machine())
        return _BASE

    def build(self, name: str, files: dict[str, str], lines: str = "") -> str:
        """An image with these executable files, and `lines` of a Dockerfile."""
        reference = f"studio-test/{name}:1"
        copies = "".join(f"COPY {path} /{path}\n" for path in files)
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            _add(tar, "Dockerfile", f"FROM {self.base()}\n{copies}{lines}".encode())
            for path, text in files.items():
                _add(tar, path, text.encode())
        said = _upload(self.socket, f"/build?t={reference}&forcerm=1", context.getvalue())
        assert "Successfully built" in said, said
        return reference

    def containers(self, home: Path) -> list[dict[str, Any]]:
        """Those that runs of a home have left, or still have."""
        return self._labelled("/containers/json", home, {"all": "true"})

    def networks(self, home: Path) -> list[dict[str, Any]]:
        return self._labelled("/networks", home, {})

    def _labelled(self, path: str, home: Path, query: dict[str, str]) -> list[dict[str, Any]]:
        filters = json.dumps({"label": [f"studio.home={home}"]})
        return self.api.call("GET", path, {**query, "filters": filters})


@contextlib.contextmanager
def running() -> Iterator[DockerEngine]:
    """An engine; the test is skipped where none can run."""
    if given := os.environ.get("DOCKER_HOST"):
        yield DockerEngine(given)
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        pytest.skip("needs a Docker engine: DOCKER_HOST, or root and apt-get install docker.io")
    # A short path, since that of a socket is; on a disk, since overlays do not lie on one another.
    engine_folder = Path(tempfile.mkdtemp(prefix="studio-docker-", dir="/var/tmp"))
    engine = DockerEngine(f"unix://{engine_folder}/sock", engine_folder)
    bridge = engine_folder.name[-8:]
    with _number() as number:
        try:
            _bridge(engine_folder, bridge, number)
            engine.start()
            yield engine
        finally:
            _end(engine, bridge)


@contextlib.contextmanager
def _number() -> Iterator[int]:
    """One that no other engine of tests on this machine has: their networks may not overlap."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as held:
        for number in range(40):
            with contextlib.suppress(OSError):
                held.bind(f"\0studio-test-engine-{number}")
                break
        yield number


def _end(engine: DockerEngine, bridge: str) -> None:
    assert engine.folder is not None
    with contextlib.suppress(EngineGone, EngineError):
        for each in engine.api.call("GET", "/containers/json", {"all": "true"}):
            engine.api.call("DELETE", f"/containers/{each['Id']}", {"force": "true"})
        engine.api.call("POST", "/networks/prune")
    engine.stop()
    subprocess.run(["ip", "link", "delete", bridge], check=False, capture_output=True)
    for mount in _mounts_below(engine.folder):
        subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
    shutil.rmtree(engine.folder)


def _bridge(folder: Path, name: str, number: int) -> None:
    """A bridge of its own: an engine without one removes that of others."""
    for arguments in (
        ("link", "add", "name", name, "type", "bridge"),
        ("address", "add", f"10.211.{number}.1/24", "dev", name),
        ("link", "set", name, "up"),
    ):
        subprocess.run(["ip", *arguments], check=True)
    pools = [{"base": f"10.{212 + number}.0.0/16", "size": 26}]
    (folder / "daemon.json").write_text(json.dumps({"default-address-pools": pools}))
    (folder / "bridge").write_text(name)


def _command(folder: Path) -> list[str]:
    return [
        *("dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
        *("-H", f"unix://{folder}/sock", "--pidfile", f"{folder}/docker.pid"),
        *("--bridge", (folder / "bridge").read_text(), "--config-file", f"{folder}/daemon.json"),
    ]


def _answers(api: Engine) -> bool:
    try:
        api.call("GET", "/version")
    except (EngineGone, EngineError):
        return False
    return True


def _machine() -> bytes:
    """A small machine as a tar: some programs of this one, what they need, and Python."""
    found = [
        Path(program) for name in _PROGRAMS if (program := shutil.which(name, path="/usr/bin"))
    ]
    library = next(Path("/usr/lib").glob("python3.*[0-9]"))
    files = {each for program in found for each in (program, *_libraries(program))}
    dynamic = library / "lib-dynload"
    files |= {each for module in dynamic.iterdir() for each in _libraries(module)}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for path in sorted(files):
            tar.add(path.resolve(), str(path).removeprefix("/"))
        skipped = ("test", "__pycache__", "idlelib", "tkinter", "config-")
        tar.add(
            library,
            str(library).removeprefix("/"),
            filter=lambda it: None if Path(it.name).name.startswith(skipped) else it,
        )
        _add(tar, "etc/passwd", _PASSWD.encode())
        _add(tar, "etc/nsswitch.conf", _HOSTS_FIRST.encode())
        link = tarfile.TarInfo("bin")
        link.type, link.linkname = tarfile.SYMTYPE, "usr/bin"
        tar.addfile(link)
        for folder in ("tmp", "var/tmp", "root", "proc", "sys", "dev"):
            made_folder = tarfile.TarInfo(folder)
            made_folder.type, made_folder.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(made_folder)
    return made.getvalue()


def _libraries(program: Path) -> Iterator[Path]:
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    for word in done.stdout.split():
        if word.startswith("/"):
            yield Path(word)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o755
    tar.addfile(entry, io.BytesIO(data))


def _upload(path: str, target: str, data: bytes) -> str:
    """POST of a tar; what the engine says to it."""
    done = subprocess.run(
        [
            *("curl", "-sS", "--unix-socket", path, "-X", "POST", "--data-binary", "@-"),
            *("-H", "Content-Type: application/x-tar", f"http://localhost/v1.41{target}"),
        ],
        input=data,
        capture_output=True,
        check=True,
    )
    said = done.stdout.decode(errors="replace")
    assert '"error"' not in said, said
    return said


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines if str(folder) in line.split()[4]][::-1]
