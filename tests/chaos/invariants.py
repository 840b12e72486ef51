"""What must be true of a home whatever was done to its processes."""

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
from chaos.house import FINAL, STARTED, House
from sqlalchemy import Connection

from studio import processes
from studio.db import engines, resources
from studio.db.resources import Doc

_ATTEMPT = "Starting(,Pending)?(,Downloading)?(,Training)?(,Uploading)?"
_STOPPING = "(,Stopping)?(,Uploading)?"
_END = "(,(Completed|Failed|Stopped|MaxRuntimeExceeded))?"
_LEGAL = re.compile(f"{_ATTEMPT}(,Restarting(,Pending)?(,Downloading)?(,Training)?(,Uploading)?)*")
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Row:
    """A training job as the database has it, with its runs: id, role, handle."""

    id: str
    name: str
    status: str
    state: Doc
    runs: tuple[tuple[str, str, Doc], ...]


def broken(house: House) -> list[str]:
    """What is not as promised, as sentences. What has to settle gets two minutes for it."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        jobs = rows(house.home, house.database_url)
        unsettled = [*_owners(house.home, jobs), *_processes(house.home, jobs)]
        if not unsettled or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    found = [*unsettled, *_starts(house.home, jobs), *integrity(house.home)]
    for each in jobs:
        found += transitions(each)
    return found + _objects(house)


def rows(home: Path, database_url: str = "") -> list[Row]:
    """The training jobs, as of now."""
    if database_url:
        return _rows_elsewhere(database_url)
    connection = apsw.Connection(str(home / "studio.db"), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(10_000)
    try:
        runs: dict[str, list[Any]] = {}
        with connection:
            jobs = list(
                connection.execute(
                    "SELECT id, name, status, state FROM resource "
                    "WHERE kind = 'training-job' AND deleted_at IS NULL"
                )
            )
            for resource, *run in connection.execute(
                "SELECT resource_id, id, role, handle FROM run"
            ):
                runs.setdefault(str(resource), []).append((run[0], run[1], json.loads(run[2])))
    finally:
        connection.close()
    return [
        Row(str(id_), str(name), str(status), json.loads(state), tuple(runs.get(str(id_), ())))
        for id_, name, status, state in jobs
    ]


def _rows_elsewhere(database_url: str) -> list[Row]:
    engine = engines.reader(database_url)
    try:
        with engine.connect() as connection:
            return [
                Row(it.id, it.name, it.status, it.state, _runs(connection, it.id))
                for it in resources.of_kind(connection, "training-job")
            ]
    finally:
        engine.dispose()


def _runs(connection: Connection, job: str) -> tuple[tuple[str, str, Doc], ...]:
    return tuple((it.id, it.role, it.handle) for it in resources.runs(connection, job))


def integrity(home: Path) -> list[str]:
    """Of both SQLite databases, by themselves."""
    found = []
    for path in filter(Path.exists, (home / "studio.db", home / "s3" / "index.db")):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            if said != ["ok"]:
                found.append(f"{path.name}: {said[:3]}")
            if list(connection.execute("PRAGMA foreign_key_check")):
                found.append(f"{path.name}: rows that refer to nothing")
        finally:
            connection.close()
    return found


def transitions(row: Row) -> list[str]:
    """Through which statuses it went: in an order that SageMaker knows, and forward in time."""
    entries = row.state["Transitions"]
    way = ",".join(each["Status"] for each in entries)
    found = []
    match = _LEGAL.match(way)
    rest = way[match.end() :] if match else way
    if not match or not re.fullmatch(_STOPPING + _END, rest):
        found.append(f"{row.name} went {way}")
    ended = row.status in FINAL
    if ended != (entries[-1]["Status"] in (*FINAL, "MaxRuntimeExceeded")):
        found.append(f"{row.name} is {row.status} and went {way}")
    times = [each[name] for each in entries for name in ("StartTime", "EndTime") if name in each]
    if times != sorted(times):
        found.append(f"{row.name} went back in time: {entries}")
    span = [row.state.get(name) for name in ("TrainingStartTime", "TrainingEndTime")]
    if None not in span and span[0] > span[1]:
        found.append(f"{row.name} ended before it began: {span}")
    return found


def shims(home: Path) -> dict[int, str]:
    """Shims that live, of runs that have not ended: pid -> id of the run."""
    found = {}
    for path in (home / "runs").glob("*/pid.json"):
        known = json.loads(path.read_text())
        if processes.alive(known) and not (path.parent / "exit.json").exists():
            found[known["pid"]] = path.parent.name
    return found


def run_of(home: Path, name: str) -> str:
    """The id of the one run of a job."""
    [(run, _, _)] = next(row.runs for row in rows(home) if row.name == name)
    return run


def living(home: Path) -> dict[int, str]:
    """Every process of a run of this home, a shim or what it started: pid -> id of the run."""
    runs = str(home / "runs") + "/"
    names = {folder.name for folder in (home / "runs").glob("*")}
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and (run := _run_of(process, runs, names)):
            found[int(process.name)] = run
    return found


def counted(folder: Path) -> int:
    """How often the command of a run was started."""
    try:
        with (folder / "log").open("rb") as log:
            return sum(line.startswith(STARTED.encode()) for line in log)
    except FileNotFoundError:
        return 0


def _run_of(process: Path, runs: str, names: set[str]) -> str:
    try:
        for line in (process / "environ").read_bytes().split(b"\0"):
            name, _, value = line.decode(errors="replace").partition("=")
            if name == "STUDIO_RUN_ID" and value in names:
                return value
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        places = [str((process / "cwd").readlink()), *words]
    except OSError:
        return ""
    for place in places:
        run = place.removeprefix(runs).partition("/")[0]
        if place.startswith(runs) and run in names:
            return run
    return ""


def _owners(home: Path, jobs: list[Row]) -> list[str]:
    """A run that was started and has not ended has a living shim."""
    found = []
    for row in jobs:
        for run, _, handle in row.runs:
            if row.status in FINAL or "runner" not in handle or "final" in handle:
                continue
            folder = home / "runs" / run
            known = json.loads((folder / "pid.json").read_text())
            if not (processes.alive(known) or (folder / "exit.json").exists()):
                found.append(f"{row.name} is {row.status}, and nobody runs it")
    return found


def _processes(home: Path, jobs: list[Row]) -> list[str]:
    """What runs is what the database says that runs."""
    going = {run for row in jobs if row.status not in FINAL for run, _, _ in row.runs}
    known = {run for row in jobs for run, _, _ in row.runs}
    return [
        f"process {pid} of run {run} goes on"
        for pid, run in living(home).items()
        if run in known and run not in going
    ]


def _starts(home: Path, jobs: list[Row]) -> list[str]:
    found = []
    there: dict[str, set[Path]] = {}
    for folder in (home / "runs").glob("*-*"):
        there.setdefault(folder.name.partition("-")[0], set()).add(folder)
    for row in jobs:
        roles = [role for _, role, _ in row.runs]
        if len(set(roles)) != len(roles):
            found.append(f"{row.name} has two runs for one host and attempt")
        if strange := there.get(row.id, set()) - {home / "runs" / run for run, _, _ in row.runs}:
            found.append(f"{row.name} has runs that the database does not know: {strange}")
        for run, _, _ in row.runs:
            if (times := counted(home / "runs" / run)) > 1:
                found.append(f"{row.name} was started {times} times")
    return found


def _objects(house: House) -> list[str]:
    return [
        f"object {key} is not what was acknowledged"
        for key, body in house.acknowledged.items()
        if house.get(key) != body
    ]
