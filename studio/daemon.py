"""The life of a home's control plane: where it listens, one at a time, start, stop, status.

What the control plane does is the server's business, what the router does is serving's.
"""

import errno
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from studio import __version__, credentials, disk, durable, processes
from studio.errors import StudioError
from studio.serving import control
from studio.settings import Settings

_START_SECONDS = 30.0
_STOP_SECONDS = 30.0
_ANSWER_SECONDS = 2.0


@dataclass(frozen=True)
class Status:
    """What is known of a home's control plane; `pid` is None when none runs."""

    ready: bool
    pid: int | None
    url: str
    router_url: str
    home: str
    version: str
    prefix: str
    """`sys.prefix` of the interpreter that runs it."""

    def document(self) -> dict[str, Any]:
        return asdict(self)


def serve(settings: Settings) -> None:
    """Run the control plane of a home until SIGTERM or SIGINT. Raises StudioError."""
    prepare(settings.home)
    with _only_server(settings.home):
        port = _port(settings)
        durable.write_json(settings.home / "port", port)
        pid_file = _pid_file(settings.home)
        url = f"http://{settings.client_host}:{port}"
        about = {"url": url, "version": __version__, "prefix": sys.prefix}
        durable.write_json(pid_file, {**processes.identity(), **about})
        try:
            from studio.server import main  # slow to import, and needed here only

            main.run(replace(settings, port=port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise _taken(port) from error
        finally:
            pid_file.unlink(missing_ok=True)


def serve_detached(settings: Settings, environ: Mapping[str, str] | None = None) -> Status:
    """Start the control plane in a process of its own; returns when it is ready.

    `environ` is its environment; None: that of this process.
    """
    prepare(settings.home)
    known = status(settings.home)
    if known.pid is not None:
        raise _running(settings.home)
    command = [sys.executable, "-P", "-m", "studio.cli", "serve", "--home", str(settings.home)]
    command += ["--port", str(settings.port), "--host", settings.host]
    output = settings.home / "logs" / "studio.log"
    with output.open("ab") as file:
        before = file.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            cwd="/",
            env=environ,
        )
    # Our child, but not our concern: somebody must read its exit status.
    threading.Thread(target=process.wait, name="studio-exit", daemon=True).start()
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.returncode is None:
        known = status(settings.home)
        if known.ready and known.pid == process.pid:
            return known
        time.sleep(0.05)
    said = output.read_bytes()[before:].decode(errors="replace").strip().splitlines()
    reason = said[-1].removeprefix("studio: ") if said else _silent(settings.home)
    raise StudioError(f"Studio did not start: {reason} All of it is in {output}.")


def ensure(settings: Settings, environ: Mapping[str, str] | None = None) -> Status:
    """`serve_detached`, unless it runs already or somebody else starts it: then wait until it is
    ready. Raises StudioError."""
    prepare(settings.home)
    with _locked(settings.home / "start.lock"):
        if not (known := status(settings.home)).ready and known.pid is None:
            try:
                return serve_detached(settings, environ)
            except StudioError:
                if _known(settings.home) is None:  # nobody else was faster
                    raise
    return _awaited(settings.home)


def _awaited(home: Path) -> Status:
    deadline = time.monotonic() + _START_SECONDS
    while not (known := status(home)).ready:
        if time.monotonic() > deadline or known.pid is None:
            raise StudioError(
                f"Studio runs in {home} but does not answer: see {home / 'logs' / 'studio.log'}, "
                "end it with `studio stop`."
            )
        time.sleep(0.05)
    return known


def was_stopped(home: Path) -> bool:
    """True when the last control plane of a home ended as it should; False when it was killed."""
    return not _pid_file(home).exists()


def reserve(settings: Settings) -> tuple[str, str]:
    """URLs of the control plane and the router of a home, which need not have run yet: their ports
    are picked now, and kept. Raises StudioError."""
    prepare(settings.home)
    with _locked(settings.home / "ports.lock"):
        if not _kept_url(settings.home):
            durable.write_json(settings.home / "port", _port(settings))
        control.reserve(settings.home)
    known = _known(settings.home)
    port = settings.port or durable.read_json(settings.home / "port")
    url = str(known["url"]) if known else f"http://{settings.client_host}:{port}"
    return url, control.url(settings.home)


def _silent(home: Path) -> str:
    """Why a control plane may have ended without a word: its log lies on the disk of its home."""
    lacking = disk.lack(home)
    return f"the disk of {home} {lacking}, free some space." if lacking else "it said nothing."


def stop(home: Path) -> bool:
    """Stop the control plane and the router of a home; False when neither ran.

    Jobs and model servers go on: the next control plane finds them again.
    """
    known = _known(home)
    if known is not None:
        os.kill(known["pid"], signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while processes.alive(known):
            if time.monotonic() > deadline:
                raise StudioError(
                    f"Process {known['pid']} did not stop within {_STOP_SECONDS:.0f} seconds; "
                    f"see {home / 'logs' / 'studio.log'}, then end it with kill -9."
                )
            time.sleep(0.02)
    return control.stop(home) or known is not None


def end_runs(settings: Settings) -> int:
    """End the processes of jobs and model servers; how many runs that were. Call `stop` first."""
    from studio.runners.process import ProcessRunner  # needed here only

    runner = ProcessRunner(settings)
    living = [folder for folder in settings.runs.iterdir() if _run_lives(folder)]
    for folder in living:
        runner.stop(folder.name, {})
    while any(map(_run_lives, living)):  # each shim kills when its own time is up
        time.sleep(0.05)
    return len(living)


def status(home: Path) -> Status:
    """What runs for `home` now; never raises."""
    known = _known(home)
    url = str(known["url"]) if known else _kept_url(home)
    return Status(
        ready=known is not None and _healthy(url),
        pid=known["pid"] if known else None,
        url=url,
        router_url=control.url(home),
        home=str(home),
        version=str(known["version"]) if known else __version__,
        prefix=str(known.get("prefix", "")) if known else sys.prefix,
    )


def addresses(home: Path) -> tuple[str, str]:
    """URLs of the control plane and the router, running or not. Raises StudioError."""
    known = status(home)
    if not known.url or not known.router_url:
        raise StudioError(
            f"Studio has not run in {home} yet: start it with `studio serve --home {home}`."
        )
    return known.url, known.router_url


def prepare(home: Path) -> None:
    """Make the folders and the access key of a home. Raises StudioError."""
    try:
        durable.make_dirs(home)
        (home / "logs").mkdir(mode=0o700, exist_ok=True)
        credentials.load_or_create(home)
    except OSError as error:
        raise StudioError(f"{home} can't be Studio's home: {error.strerror}.") from error


def _run_lives(folder: Path) -> bool:
    return processes.alive(durable.read_json(folder / "pid.json"))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait for a lock, and hold it: what two programs must not do at the same time."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _only_server(home: Path) -> Iterator[None]:
    """The lock of a home: the kernel frees it however this process ends."""
    fd = os.open(home / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise _running(home) from error
    try:
        yield
    finally:
        os.close(fd)


def _running(home: Path) -> StudioError:
    known = _known(home) or {"pid": "unknown", "url": "an unknown address"}
    return StudioError(
        f"Studio already serves {home} (process {known['pid']}, {known['url']}); "
        "stop it with `studio stop`, or give another folder with --home."
    )


def _port(settings: Settings) -> int:
    """The port to listen on: the one asked for, else the one kept, else a free one."""
    port = settings.port or int(durable.read_json(settings.home / "port") or 0)
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise _taken(port) from error
            raise StudioError(
                f"Studio can't listen on {settings.host} port {port}: {error.strerror}."
            ) from error
        return int(probe.getsockname()[1])


def _taken(port: int) -> StudioError:
    return StudioError(
        f"Port {port} is taken by another program: end that program, "
        "or move this home to another port with --port."
    )


def _kept_url(home: Path) -> str:
    port = durable.read_json(home / "port")
    return f"http://127.0.0.1:{port}" if port else ""


def _pid_file(home: Path) -> Path:
    return home / "pid.json"


def _known(home: Path) -> dict[str, Any] | None:
    """The identity and address of the control plane that runs for `home`."""
    known: dict[str, Any] | None = durable.read_json(_pid_file(home))
    return known if processes.alive(known) else None


def _healthy(url: str) -> bool:
    host, _, port = url.removeprefix("http://").rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/_studio/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
