"""The life of a home's control plane: where it listens, one at a time, start, stop, status.

What the control plane does is the server's business, what the router does is serving's.
"""

import contextlib
import errno
import fcntl
import gc
import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from studio import __version__, credentials, disk, durable, leadership, processes
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

    standbys: tuple[dict[str, Any], ...] = ()
    """Control planes that wait to take its place; see studio.leadership."""

    def document(self) -> dict[str, Any]:
        return asdict(self)


class Killed(StudioError):
    """SIGKILL ended the control plane before its starter saw it ready."""


def serve(settings: Settings) -> None:
    """Run a control plane of a home until SIGTERM or SIGINT: the one that leads, or on PostgreSQL
    one that stands by until it does. Raises StudioError."""
    prepare(settings.home)
    with contextlib.closing(leadership.Lock(settings.home)) as lock:
        if lock.taken():
            with _held_port(settings) as port:
                durable.write_json(settings.home / "port", port)
                _lead(replace(settings, port=port))
        elif settings.database_url:
            # Slow to import, and needed here only: who stands by is ready to lead.
            from studio.server import main, standby

            main.configure_log()
            port, listening = standby.wait(settings, lock)
            _lead(replace(settings, port=port), listening)
        else:
            raise _running(settings.home)


def _lead(settings: Settings, listening: Sequence[socket.socket] = ()) -> None:
    url = f"http://{settings.client_host}:{settings.port}"
    ports = [each.getsockname()[1] for each in listening]
    with leadership.leading(settings.home, url, settings.host, ports):
        gc.disable()  # nothing of what is imported is garbage, and to look for it takes a tenth
        from studio.server import main  # slow to import, and needed here only

        gc.enable()
        try:
            main.configure_log()
            main.run(settings, listening)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise _taken(settings.port) from error


def serve_detached(settings: Settings, environ: Mapping[str, str] | None = None) -> Status:
    """Start the control plane in a process of its own; returns when it is ready.

    `environ` is its environment; None: that of this process. Raises StudioError; Killed when the
    kernel or somebody else ended it first.
    """
    prepare(settings.home)
    known = status(settings.home)
    if known.pid is not None and not settings.database_url:
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
        if any(each["pid"] == process.pid for each in known.standbys):
            return known
        time.sleep(0.05)
    said = output.read_bytes()[before:].decode(errors="replace").strip().splitlines()
    reason = said[-1].removeprefix("studio: ") if said else _silent(settings.home)
    killed = process.returncode == -signal.SIGKILL
    raise (Killed if killed else StudioError)(
        f"Studio did not start: {reason} All of it is in {output}."
    )


def ensure(settings: Settings, environ: Mapping[str, str] | None = None) -> Status:
    """`serve_detached`, unless it runs already or somebody else starts it: then wait until it is
    ready. Raises StudioError."""
    prepare(settings.home)
    with _locked(settings.home / "start.lock"):
        if not (known := status(settings.home)).ready and known.pid is None:
            try:
                return _started(settings, environ)
            except StudioError:
                if leadership.leader(settings.home) is None:  # nobody else was faster
                    raise
    return _awaited(settings.home)


def _started(settings: Settings, environ: Mapping[str, str] | None) -> Status:
    """`serve_detached`; once more when it was killed: that says nothing about the next one."""
    try:
        return serve_detached(settings, environ)
    except Killed:
        return serve_detached(settings, environ)


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
    return not (home / "pid.json").exists()


def reserve(settings: Settings) -> tuple[str, str]:
    """URLs of the control plane and the router of a home, which need not have run yet: their ports
    are picked now, and kept. Raises StudioError."""
    prepare(settings.home)
    with _locked(settings.home / "ports.lock"):
        if not _kept_url(settings.home):
            with _held_port(settings) as port:
                durable.write_json(settings.home / "port", port)
        control.reserve(settings.home)
    known = leadership.leader(settings.home)
    picked = settings.port or durable.read_json(settings.home / "port")
    url = str(known["url"]) if known else f"http://{settings.client_host}:{picked}"
    return url, control.url(settings.home)


def _silent(home: Path) -> str:
    """Why a control plane may have ended without a word: its log lies on the disk of its home."""
    lacking = disk.lack(home)
    return f"the disk of {home} {lacking}, free some space." if lacking else "it said nothing."


def stop(home: Path) -> bool:
    """Stop the control plane and the router of a home; False when neither ran.

    Jobs and model servers go on: the next control plane finds them again.
    """
    stopped = False
    for standby in leadership.standbys(home):  # first, for they would take its place
        stopped |= _ended(standby, home)
    while (known := leadership.leader(home)) is not None:
        stopped |= _ended(known, home)
    return control.stop(home) or stopped


def _ended(known: dict[str, Any], home: Path) -> bool:
    """End a control plane of this machine; False for one of another."""
    if not processes.alive(known):
        return False
    leadership.end(known, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while processes.alive(known):
        if time.monotonic() > deadline:
            raise StudioError(
                f"Process {known['pid']} did not stop within {_STOP_SECONDS:.0f} seconds; "
                f"see {home / 'logs' / 'studio.log'}, then end it with kill -9."
            )
        time.sleep(0.02)
    return True


def end_runs(settings: Settings) -> int:
    """End the processes of jobs and model servers; how many runs that were. Call `stop` first."""
    from studio.runners import warm_pool  # needed here only
    from studio.runners.docker import leftovers
    from studio.runners.process import ProcessRunner

    warm_pool.end_all(settings)
    runner = ProcessRunner(settings)
    living = [folder for folder in settings.runs.iterdir() if _run_lives(folder)]
    for folder in living:
        runner.stop(folder.name, {})
    while any(map(_run_lives, living)):  # each shim kills when its own time is up
        time.sleep(0.05)
    leftovers.leave(settings)
    return len(living)


def status(home: Path) -> Status:
    """What runs for `home` now; never raises."""
    known = leadership.leader(home)
    url = str(known["url"]) if known else _kept_url(home)
    return Status(
        ready=known is not None and _healthy(url),
        pid=known["pid"] if known else None,
        url=url,
        router_url=control.url(home),
        home=str(home),
        version=str(known["version"]) if known else __version__,
        prefix=str(known.get("prefix", "")) if known else sys.prefix,
        standbys=tuple(leadership.standbys(home)),
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


def _running(home: Path) -> StudioError:
    known = leadership.leader(home) or {"pid": "unknown", "url": "an unknown address"}
    return StudioError(
        f"Studio already serves {home} (process {known['pid']}, {known['url']}); "
        "stop it with `studio stop`, or give another folder with --home. "
        "For one that stands by, the records must be in PostgreSQL (database_url)."
    )


@contextmanager
def _held_port(settings: Settings) -> Iterator[int]:
    """The port to listen on: the one asked for, else the one kept, else a free one. The system
    gives a free one to nobody else meanwhile, although some imports lie before the listening."""
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
        yield int(probe.getsockname()[1])


def _taken(port: int) -> StudioError:
    return StudioError(
        f"Port {port} is taken by another program: end that program, "
        "or move this home to another port with --port."
    )


def _kept_url(home: Path) -> str:
    port = durable.read_json(home / "port")
    return f"http://127.0.0.1:{port}" if port else ""


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
