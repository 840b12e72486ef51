"""Runs on this machine: one folder and one shim a run. The folder is all that this class knows.

The command of a run is processes of this machine, in a sandbox if there is one, or a container.

Liveness goes by pid, start time and boot: a pid alone may belong to a stranger.
"""

import fcntl
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from studio import durable, processes
from studio.container import files
from studio.errors import StudioError
from studio.runners import (
    environments,
    interpreters,
    logs,
    metric_files,
    sandbox,
    taken,
    warm_pool,
)
from studio.runners.base import (
    Batch,
    LogPage,
    Meter,
    MetricLines,
    RunSpec,
    RunStatus,
    Usage,
)
from studio.runners.docker import engines
from studio.runners.interpreters import Interpreter
from studio.runners.nursery import Nursery
from studio.runners.shim import claim, driver, handover, notes, tree, warm
from studio.settings import Settings

_END_SECONDS = 3.0
_FINAL = "exit.json"


class ProcessRunner:
    """The embedded runner; see studio.runners.base.Runner for what each method promises."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._nursery = Nursery(settings.home, _shim_environment(settings))
        settings.runs.mkdir(mode=0o700, parents=True, exist_ok=True)

    def start(self, spec: RunSpec) -> dict[str, Any]:
        folder = self._folder(spec.id)
        if spec.pool and not folder.exists():
            warm_pool.take(self._settings, spec, folder)
        shim = durable.read_json(folder / "pid.json")
        if shim is None or not (folder / "spec.json").exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            durable.sync_dir(folder.parent)
            durable.write_json(folder / "spec.json", self._shim_spec(spec, folder))
            if shim is None:
                self._spawn(folder, spec)
            else:
                _wake(shim)
        return {"started_at": _now(), "boot_id": processes.boot_id()}

    def poll(self, run_id: str, handle: dict[str, Any]) -> RunStatus:
        folder = self._folder(run_id)
        status = self._status(folder, handle)
        progress = durable.read_json(folder / driver.PROGRESS) or {}
        return replace(status, batches=_batches(folder / "handed"), progress=progress)

    def stop(self, run_id: str, handle: dict[str, Any]) -> None:
        folder = self._folder(run_id)
        if not folder.is_dir() or (folder / _FINAL).exists():
            return
        if not (folder / "stop").exists():
            durable.write_bytes(folder / "stop", b"")
        known = durable.read_json(folder / "pid.json")
        if known is not None:
            _wake(known)

    def logs(self, run_id: str, start: int, limit: int) -> LogPage:
        return logs.read(self._folder(run_id), start, limit)

    def metric_lines(self, run_id: str, positions: Mapping[str, int]) -> MetricLines:
        folder = self._folder(run_id)
        ended = (folder / _FINAL).exists()  # in this order: nothing is written after that
        return metric_files.read(folder / "ml", positions, ended)

    def usage(self, run_id: str, meter: Meter, after: int) -> tuple[Usage, ...]:
        read = taken.of_gpus if meter == "gpus" else taken.of_machine
        return read(self._folder(run_id), after)

    def installed(self, run_id: str) -> list[dict[str, Any]]:
        return environments.added(self._folder(run_id) / "tmp")

    def keep(self, spec: RunSpec, until: int) -> None:
        if not spec.pool or not (spec.image or sandbox.wanted(self._settings)):
            return
        folder = warm_pool.folder(self._settings, spec)
        if warm_pool.prolong(folder, until):
            _wake(durable.read_json(folder / "pid.json") or {})
        elif until > _now():
            for name in ("ml", "tmp"):
                (folder / name).mkdir(mode=0o700, parents=True)
            made = warm_pool.template(spec)
            ticket = warm_pool.ticket(spec, self._folder(spec.id) / "tmp", until)
            document = {**self._shim_spec(made, folder), **ticket}
            durable.write_json(folder / warm.TICKET, document)
            self._spawn(folder, spec)

    def remove(self, run_id: str, handle: dict[str, Any]) -> None:
        for name in ("ml", "tmp", "outputs", "scratch", "feed", "handed"):
            files.remove_tree(self._folder(run_id) / name)

    def _status(self, folder: Path, handle: dict[str, Any]) -> RunStatus:
        ended = _final(folder)
        if ended is not None:
            return ended
        known = durable.read_json(folder / "pid.json")
        if processes.alive(known):
            return _running(folder)
        # The shim may have written its last file between the two looks.
        return _final(folder) or self._lost(folder, known or handle)

    def _folder(self, run_id: str) -> Path:
        if not run_id or "/" in run_id or run_id.startswith("."):
            raise ValueError(f"{run_id!r} is no id of a run")
        return self._settings.runs / run_id

    def _shim_spec(self, spec: RunSpec, folder: Path) -> dict[str, Any]:
        if spec.image:
            own = {"env": spec.env, "sandbox": [], "engine": engines.options(self._settings)}
        else:
            own = self._process_spec(spec, folder)
        return {**spec.document(), **own, "home": str(self._settings.home)}

    def _process_spec(self, spec: RunSpec, folder: Path) -> dict[str, Any]:
        boxed = sandbox.wanted(self._settings)
        bare = None if boxed else folder
        if not boxed and (spec.network.isolated or len(spec.network.names) > 1):
            raise StudioError("Jobs of several hosts and isolated ones need bubblewrap.")
        python = _interpreter(spec)
        shown, programs = (python.folders, python.bin) if python else ((), None)
        options = (
            sandbox.arguments(
                self._settings.home, folder, spec.network, shown, bool(spec.resources.gpu_ids)
            )
            if boxed
            else []
        )
        given = _given(spec, boxed)
        env = sandbox.environment(spec.id, spec.resources, given, bare, programs)
        return {"env": env, "sandbox": options}

    def _spawn(self, folder: Path, spec: RunSpec) -> None:
        started = self._nursery.start(folder, bool(spec.image))
        # Whoever fails to start a run makes sure that no late shim starts it after all.
        if not started and claim.claim(folder, claim.nobody()):
            raise StudioError(f"The run could not be started; see {folder / 'shim.log'}.")

    def _lost(self, folder: Path, known: dict[str, Any]) -> RunStatus:
        """The shim is gone without a word: end what it left behind, and say so in its place."""
        status = _running(folder)
        if known.get("boot_id") != processes.boot_id():
            status = _ended(status, "HostRestarted", "The machine was restarted while it ran.")
        else:
            _end_left_over(folder)
            engines.end_left_over(self._settings, folder)
            status = _ended(status, "RunnerLost", "The process that owned the run was killed.")
        if folder.is_dir():
            _say_last(folder, status)
        return status


def _interpreter(spec: RunSpec) -> Interpreter | None:
    try:
        return interpreters.find(spec.python) if spec.python else None
    except ValueError as error:
        raise StudioError(str(error)) from error


def _shim_environment(settings: Settings) -> dict[str, str]:
    """What the shim itself runs with: it fetches inputs, from an external S3 over https too."""
    base = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
    return {**base, "SSL_CERT_FILE": settings.ca_bundle} if settings.ca_bundle else base


def _given(spec: RunSpec, boxed: bool) -> dict[str, str]:
    named = boxed and spec.network.host
    return {**({"HOSTNAME": spec.network.host} if named else {}), **spec.env}


def _wake(known: dict[str, Any]) -> None:
    """Let the shim look for its stop file now, and no stranger that has its pid meanwhile."""
    try:
        fd = os.pidfd_open(known["pid"])
    except (OSError, ValueError):
        return
    try:
        if processes.alive(known):
            signal.pidfd_send_signal(fd, signal.SIGTERM)
    except ProcessLookupError:
        pass
    finally:
        os.close(fd)


def _end_left_over(folder: Path) -> None:
    deadline = time.monotonic() + _END_SECONDS
    mark, place = f"STUDIO_RUN_ID={folder.name}", str(folder.resolve())
    while (left := tree.marked(mark, place)) and time.monotonic() < deadline:
        tree.send(signal.SIGKILL, left)
        time.sleep(0.01)


def _say_last(folder: Path, status: RunStatus) -> None:
    """The last note on the log, and exit.json, in the place of a shim that is no more."""
    try:
        log = folder / "log"
        if log.exists():
            _await_scribe(log)
            notes.append(folder / "log.idx", status.ended_at or _now(), log.stat().st_size)
        durable.write_json(folder / _FINAL, asdict(status))
    except OSError:
        pass  # on a full disk: the next poll tries again


def _await_scribe(log: Path) -> None:
    """Until the last line is written: nobody says anything any more."""
    deadline = time.monotonic() + _END_SECONDS
    with log.open("rb") as file:
        while time.monotonic() < deadline:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                time.sleep(0.005)


def _final(folder: Path) -> RunStatus | None:
    document = durable.read_json(folder / _FINAL)
    if document is None:
        return None
    return RunStatus.of(document)


def _running(folder: Path) -> RunStatus:
    try:
        document = json.loads((folder / "status.json").read_bytes())
    except (FileNotFoundError, ValueError):
        # Not written yet, or cut short by a power failure.
        return RunStatus("running")
    stages = tuple((name, at) for name, at in document["stages"])
    return RunStatus(
        "running",
        stages,
        address=document["address"],
        started_at=document["started_at"],
        waits_for=document.get("waits_for", ""),
        image=document.get("image", ""),
    )


def _batches(places: Path) -> tuple[Batch, ...]:
    try:
        numbers = sorted(int(entry.name) for entry in os.scandir(places))
    except FileNotFoundError:
        return ()
    return tuple(Batch(it, path) for it in numbers for path in handover.waiting(places / str(it)))


def _ended(status: RunStatus, reason: str, message: str) -> RunStatus:
    return RunStatus(
        "lost",
        status.stages,
        reason=reason,
        message=message,
        started_at=status.started_at,
        ended_at=_now(),
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
