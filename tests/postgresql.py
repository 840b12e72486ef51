"""A real PostgreSQL from the system's packages, durable as people should run it."""

import contextlib
import getpass
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

_START_SECONDS = 30.0
_NUMBERS = itertools.count()
_CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{}'
port = {}
dynamic_shared_memory_type = mmap
max_connections = 400
"""


@dataclass(frozen=True)
class Server:
    """PostgreSQL in `folder`, reached by a socket there."""

    folder: Path
    port: int
    _shared: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Also after `kill`: it refuses for as long as a process of its last life is left."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                log = self.folder / "log"
                return _as_owner("pg_ctl", "-D", self.data, "-w", "-l", log, "start")
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def stop(self) -> None:
        _as_owner("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def kill(self) -> None:
        """As the kernel does when memory runs out: the server and whatever it forked."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)

    def database(self, options: str = "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'") -> str:
        """The URL of a new database."""
        name = f"d{os.getpid()}_{next(_NUMBERS)}"
        with psycopg.connect(self._where("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} {options}")
        return f"postgresql+psycopg://studio@/{name}?host={self.folder}&port={self.port}"

    def shared(self) -> str:
        """The URL of the one database that tests share, as the last one left it."""
        if not self._shared:
            self._shared.append(self.database())
        return self._shared[0]

    def emptied(self) -> str:
        """The URL of the database that tests share, without tables."""
        with self.connect(self.shared()) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.shared()

    def connect(self, url: str) -> psycopg.Connection:
        """A connection of one's own to a database of this server."""
        name = url.partition("@/")[2].partition("?")[0]
        return psycopg.connect(self._where(name), autocommit=True)

    def _where(self, name: str) -> str:
        return f"host={self.folder} port={self.port} user=studio dbname={name}"


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server of its own in a short-lived folder; the test is skipped where there is none."""
    if not available():
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    # Not below pytest's folders: PostgreSQL's user cannot enter those of root.
    folder = Path(tempfile.mkdtemp(prefix="studio-pg-", dir=_fast_folder()))
    server = Server(folder, _free_port())
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        _as_owner("initdb", "-A", "trust", "-U", "studio", "--no-sync", "-D", server.data)
        with (server.data / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION.format(folder, server.port))
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                server.stop()
    finally:
        shutil.rmtree(folder)


def available() -> bool:
    """Whether `running` would not skip."""
    return _binaries() is not None


def _fast_folder() -> str:
    """Memory, where there is enough: whether PostgreSQL keeps its word is not what is tested."""
    memory = Path("/dev/shm")
    large = memory.is_dir() and shutil.disk_usage(memory).free > 1 << 30
    return str(memory) if large else "/tmp"


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    known = shutil.which("initdb")
    return Path(known).parent if known else None


def _as_owner(program: str, *arguments: object) -> None:
    """PostgreSQL refuses to run as root."""
    folder = _binaries()
    assert folder is not None
    owner = "postgres" if os.geteuid() == 0 else getpass.getuser()
    change = ["setpriv", "--reuid", owner, "--regid", owner, "--clear-groups"]
    command = [*(change if os.geteuid() == 0 else []), folder / program, *arguments]
    # Not a pipe: the server would keep it open.
    subprocess.run(
        list(map(str, command)),
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
