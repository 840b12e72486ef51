"""Examines the machine: what would stop or hamper Studio here, and what to do about it."""

import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from studio import daemon, disk, durable
from studio.errors import StudioError
from studio.runners.docker import engines
from studio.s3 import damage
from studio.settings import Settings

_OLDEST_PYTHON = (3, 11)
_OLDEST_SQLITE = (3, 51, 3)
_LITTLE_DISK = 5 << 30
_NO_DISK = 500 << 20
_SHOWN = 5  # damaged objects that are named
# A clock before this code was written makes every signature look like one from the future.
_EARLIEST = 1_750_000_000
_MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@dataclass(frozen=True)
class Finding:
    """One line: `level` is ok, note (something is missing, work goes on) or problem."""

    subject: str
    level: str
    text: str
    fix: str = ""

    def document(self) -> dict[str, str]:
        return asdict(self)

    def line(self) -> str:
        fix = f"  Fix: {self.fix}" if self.fix else ""
        return f"{_MARKS[self.level]}  {self.subject:<10} {self.text}{fix}"


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order to read them in."""
    checks: tuple[Callable[[Settings], Finding], ...] = (
        _python,
        _sqlite,
        _home,
        _filesystem,
        _disk,
        _objects,
        _port,
        _clock,
        _bubblewrap,
        _docker,
        _gpus,
    )
    return [check(settings) for check in checks]


def _python(_settings: Settings) -> Finding:
    version = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        return Finding(
            "Python", "problem", f"{version} is too old.", "install Python 3.11 or newer."
        )
    return Finding("Python", "ok", f"{version} at {sys.executable}")


def _sqlite(_settings: Settings) -> Finding:
    try:
        import apsw
    except ImportError:
        text = f"apsw is missing (the interpreter's own SQLite is {sqlite3.sqlite_version})."
        return Finding("SQLite", "problem", text, "pip install 'apsw>=3.51.3'.")
    version = apsw.sqlite_lib_version()
    if tuple(int(part) for part in version.split(".")) < _OLDEST_SQLITE:
        text = f"{version} may corrupt a database when its log is reset."
        return Finding("SQLite", "problem", text, "pip install --upgrade 'apsw>=3.51.3'.")
    return Finding("SQLite", "ok", version)


def _home(settings: Settings) -> Finding:
    probe = settings.home / f".doctor.{os.getpid()}"
    try:
        daemon.prepare(settings.home)
        durable.write_bytes(probe, b"")
        probe.unlink()
    except (OSError, StudioError) as error:
        text = f"{settings.home} can't be written: {error}"
        return Finding("home", "problem", text, "choose another folder with --home or STUDIO_HOME.")
    return Finding("home", "ok", str(settings.home))


def _filesystem(settings: Settings) -> Finding:
    kind = disk.kind(settings.home)
    if disk.is_remote(kind):
        text = (
            f"{settings.home} lies on {kind}: locks and syncs of the database are not safe there."
        )
        return Finding(
            "filesystem", "problem", text, "choose a folder on a local disk with --home."
        )
    if kind == "tmpfs":
        text = f"{settings.home} lies in memory: a restart of the machine loses it."
        return Finding("filesystem", "note", text, "choose a folder on a local disk with --home.")
    return Finding("filesystem", "ok", kind)


def _disk(settings: Settings) -> Finding:
    folder = next(it for it in (settings.home, *settings.home.parents) if it.exists())
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB free at {folder}"
    fix = "free some space, or choose another disk with --home."
    if (lack := disk.lack(folder)) is not None:
        return Finding("disk", "problem", f"the disk of {folder} {lack}.", fix)
    if free < _NO_DISK:
        return Finding("disk", "problem", text + ".", fix)
    return (
        Finding("disk", "note", text + ".", fix)
        if free < _LITTLE_DISK
        else Finding("disk", "ok", text)
    )


def _objects(settings: Settings) -> Finding:
    damaged = damage.known(settings.home / "s3")
    if not damaged:
        return Finding("objects", "ok", "no damage known")
    names = ", ".join(each.name() for each in damaged[:_SHOWN])
    text = f"{len(damaged)} damaged on the disk: {names}{', ...' if damaged[_SHOWN:] else ''}."
    fix = "restore or delete them, have the disk examined; `studio scrub` reads all again."
    return Finding("objects", "problem", text, fix)


def _port(settings: Settings) -> Finding:
    known = daemon.status(settings.home)
    if known.pid is not None:
        waiting = f"; {len(known.standbys)} stand by" if known.standbys else ""
        text = f"Studio runs at {known.url}, its router at {known.router_url}{waiting}"
        return Finding("ports", "ok", text)
    port = settings.port or int(durable.read_json(settings.home / "port") or 0)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, port))
        except OSError as error:
            text = f"{settings.host} port {port}: {error.strerror}."
            return Finding("ports", "problem", text, "end the program that has it, or use --port.")
    return Finding("ports", "ok", f"port {port} is free" if port else "a free port will be picked")


def _clock(_settings: Settings) -> Finding:
    now = time.time()
    if now < _EARLIEST:
        text = f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}."
        return Finding("clock", "problem", text, "set it: signatures carry the time.")
    return Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)))


def _bubblewrap(settings: Settings) -> Finding:
    level = "problem" if settings.sandbox == "always" else "note"
    if shutil.which("bwrap") is None:
        text = (
            "not installed: jobs see their files under SAGEMAKER_BASE_DIR, not at /opt/ml; several "
            "hosts a job and isolated ones are refused."
        )
        return Finding("bubblewrap", level, text, "apt-get install bubblewrap.")
    bound = ["--ro-bind", "/", "/", "--tmpfs", "/opt", "--unshare-pid", "--proc", "/proc"]
    said = _output(["bwrap", *bound, "true"])
    if said is None:
        text = "is installed but may not make namespaces here."
        fix = "sysctl kernel.unprivileged_userns_clone=1, or give the container that right."
        return Finding("bubblewrap", level, text, fix)
    return Finding("bubblewrap", "ok", _output(["bwrap", "--version"]) or "")


def _docker(settings: Settings) -> Finding:
    """The engine of containers. It is missed by nobody who runs our own images only."""
    if obstacle := engines.obstacle(settings):
        level = "problem" if settings.runner == "docker" else "note"
        text = f"{obstacle.removesuffix(engines.INSTALL)} Only images of ours run."
        return Finding("Docker", level, text, engines.INSTALL)
    known = engines.engine(settings).call("GET", "/version")
    info = engines.engine(settings).call("GET", "/info")
    gpus = shutil.which("nvidia-smi") is not None
    toolkit = _output(["nvidia-ctk", "--version"]) or ""
    if weak := engines.weaknesses(known, info, engines.machine(gpus, toolkit)):
        text = f"engine {known['Version']}: " + "; ".join(what for what, _ in weak) + "."
        return Finding("Docker", "note", text, "; ".join(fix for _, fix in weak) + ".")
    return Finding("Docker", "ok", f"engine {known['Version']}")


def _gpus(_settings: Settings) -> Finding:
    if shutil.which("nvidia-smi") is None:
        return Finding("GPUs", "ok", "none (no nvidia-smi)")
    names = _output(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    if not names:
        text = "nvidia-smi is installed but finds no GPU."
        return Finding("GPUs", "note", text, "check the driver with nvidia-smi.")
    return Finding("GPUs", "ok", ", ".join(names.splitlines()))


def _output(command: list[str]) -> str | None:
    """What a command prints; None when it fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
