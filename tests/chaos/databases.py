"""PostgreSQL dies, is started anew, drops everybody, answers late or is full, while jobs run."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import postgresql
from botocore.exceptions import BotoCoreError, ClientError
from chaos.house import ROLE, BrokenPromise, House, eventually, house, shell
from chaos.invariants import broken
from chaos.outcome import Report, slower, spread

# 2, which is as short as libpq's patience with a connection may be, and what else it takes.
_TOLD_SECONDS, _BACK_SECONDS = 2.2, 5.0
_AWAY_SECONDS = 3.0
_LATE_SECONDS = 5.0
_PATIENCE_SECONDS = 120.0
_ROOM_MB = 32
_SERVER = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@dataclass
class Found:
    """Times in seconds: of calls that were refused, and until calls were answered again."""

    wrong: list[str] = field(default_factory=list)
    refused: dict[str, list[float]] = field(default_factory=dict)
    back: dict[str, list[float]] = field(default_factory=dict)


def outages(repeats: int, seed: int, kinds: tuple[str, ...] = ()) -> Report:
    """Each fault, `repeats` times: one job ends meanwhile, one goes on, one is asked for."""
    name = "F26 PostgreSQL fails"
    promise = "503 within 2 s, back within 5 s; no job started twice or lost, ends as they were"
    if not postgresql.available():
        return Report(name, promise, 0, seed, skipped="needs PostgreSQL")
    found = Found()
    with contextlib.ExitStack() as parts:
        server = parts.enter_context(postgresql.running())
        room = parts.enter_context(_room(server))
        url = server.database(f"TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' {room.clause}")
        line = parts.enter_context(line_to(server))
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="chaos-"))
        there = url.replace(f"host={server.folder}", f"host={line.folder}")
        home = parts.enter_context(house(Path(folder), database_url=there))
        home.database_url = url  # what is looked at is not late
        faults = _faults(server, url, line, room)
        for number in range(repeats):
            for kind in (it for it in kinds or faults if it in faults):
                try:
                    _struck(home, found, kind, f"{kind}-{number}".replace(" ", "-"), *faults[kind])
                except BrokenPromise as error:
                    found.wrong.append(f"{kind}: {error}")
        found.wrong += broken(home)
    figures = {f"{kind}: refused after": spread(it) for kind, it in found.refused.items() if it}
    figures |= {f"{kind}: back after": spread(it) for kind, it in found.back.items()}
    slow = slower(chain.from_iterable(found.refused.values()), _TOLD_SECONDS, "refused")
    slow += slower(chain.from_iterable(found.back.values()), _BACK_SECONDS, "back")
    if room.missing:
        figures["a full disk"] = room.missing
    return Report(name, promise, repeats, seed, figures, tuple(found.wrong), slow=slow)


Fault = tuple[Callable[[], object], Callable[[], object]]
"""What begins it, and what ends it."""


def _faults(server: postgresql.Server, url: str, line: "_Line", room: "_Room") -> dict[str, Fault]:
    def nothing() -> None:
        pass

    def dropped() -> None:
        with server.connect(url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    faults: dict[str, Fault] = {
        "killed": (server.kill, server.start),
        "restarted": (lambda: (server.stop(), server.start()), nothing),
        "dropped": (dropped, nothing),
        "late": (lambda: line.delay(_LATE_SECONDS), lambda: line.delay(0)),
    }
    if not room.missing:
        faults["full"] = (room.fill, room.free)
    return faults


def _struck(
    home: House,
    found: Found,
    kind: str,
    mark: str,
    begin: Callable[[], object],
    end: Callable[[], object],
) -> None:
    home.create_job(f"ends-{mark}", *shell("sleep 2; exit 7"))
    home.create_job(f"goes-on-{mark}", *shell("sleep 6; echo done"))
    for name in (f"ends-{mark}", f"goes-on-{mark}"):
        eventually(lambda name=name: home.lines(name), _PATIENCE_SECONDS, f"{name} runs")
    begin()
    asked = threading.Thread(target=_ask, args=(home, f"asked-{mark}", found))
    asked.start()
    refused = _told(home, mark, found)
    found.refused.setdefault(kind, []).extend(refused)
    if kind in ("killed", "full") and not refused:
        found.wrong.append(f"{kind}: nobody was refused")
    end()
    found.back.setdefault(kind, []).append(_back(home, mark))
    asked.join()
    ends = home.ended(f"ends-{mark}")
    if "exit code: 7" not in ends.get("FailureReason", "").lower():
        found.wrong.append(f"{ends['TrainingJobName']}: {ends.get('FailureReason')}")
    for name in (f"goes-on-{mark}", f"asked-{mark}"):
        if (status := home.ended(name)["TrainingJobStatus"]) != "Completed":
            found.wrong.append(f"{name} is {status}")


def _ask(home: House, name: str, found: Found) -> None:
    """A client that repeats its call until it is answered."""
    try:
        home.create_job(name, *shell("echo done"))
    except (BrokenPromise, ClientError) as error:
        found.wrong.append(f"{name}: {error}")


def _told(home: House, mark: str, found: Found) -> list[float]:
    """Calls for a while: seconds that those took which were refused."""
    over = time.monotonic() + _AWAY_SECONDS
    took, number = [], 0
    while time.monotonic() < over:
        number += 1
        for call in _calls(home, f"{mark}-{number}"):
            began = time.monotonic()
            code = _answer(call)
            if code != 200:
                took.append(time.monotonic() - began)
            if code not in (200, 503, 507):
                found.wrong.append(f"{mark}: a call was answered {code}")
        time.sleep(0.2)
    return took


def _back(home: House, mark: str) -> float:
    """Seconds until a call that reads and one that writes are answered."""
    began = time.monotonic()
    numbers = iter(range(10_000))

    def both() -> bool:
        calls = _calls(home, f"{mark}-back-{next(numbers)}")
        return all(_answer(call) == 200 for call in calls)

    eventually(both, _PATIENCE_SECONDS, "calls are answered again")
    return time.monotonic() - began


def _calls(home: House, name: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """One that reads, and one that writes."""
    sagemaker = home.client("sagemaker")
    return (
        lambda: sagemaker.list_training_jobs(MaxResults=1),
        lambda: sagemaker.create_model(ModelName=name, **_large_model()),
    )


def _large_model() -> dict[str, Any]:
    """One that needs new pages of the disk, whatever is packed."""
    words = {f"WORD_{number}": os.urandom(500).hex() for number in range(16)}
    return {
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"Image": _SERVER, "Environment": words},
    }


def _answer(call: Callable[[], Any]) -> int:
    """The status of the answer; 0 without any."""
    try:
        return int(call()["ResponseMetadata"]["HTTPStatusCode"])
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    except BotoCoreError:
        return 0


@dataclass
class _Line:
    """Another door to a server, whose guests may be made to wait."""

    folder: Path
    seconds: float = 0.0

    def delay(self, seconds: float) -> None:
        """Before each thing that is said to the server."""
        self.seconds = seconds


@contextmanager
def line_to(server: postgresql.Server) -> Iterator[_Line]:
    """The door is closed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="line-", dir=server.folder))
    line, loop = _Line(folder), asyncio.new_event_loop()
    name = f".s.PGSQL.{server.port}"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            source, sink = await asyncio.open_unix_connection(str(server.folder / name))
        except OSError:
            writer.close()
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(_carry(reader, sink, line), _carry(source, writer, None))

    async def stop() -> None:
        listener.close()
        mine = [it for it in asyncio.all_tasks() if it is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        await asyncio.sleep(0)  # what was closed is closed by the loop

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.start_unix_server(serve, str(folder / name))
    listener = asyncio.run_coroutine_threadsafe(starting, loop).result()
    try:
        yield line
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        shutil.rmtree(folder)


async def _carry(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, line: _Line | None
) -> None:
    try:
        while data := await source.read(65536):
            if line is not None and line.seconds:
                await asyncio.sleep(line.seconds)
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


@dataclass
class _Room:
    """A small disk on which the tables lie; `clause` of CREATE DATABASE puts them there."""

    folder: Path
    clause: str = ""
    missing: str = ""

    def fill(self) -> None:
        with (
            contextlib.suppress(OSError),
            (self.folder / "filler").open("wb", buffering=0) as file,
        ):
            while file.write(b"\0" * 4096):
                pass

    def free(self) -> None:
        (self.folder / "filler").unlink()


@contextmanager
def _room(server: postgresql.Server) -> Iterator[_Room]:
    # Not below the folder of the tests: PostgreSQL's user cannot enter that.
    folder = Path(tempfile.mkdtemp(prefix="room-", dir=server.folder))
    command = ["mount", "-t", "tmpfs", "-o", f"size={_ROOM_MB}m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        folder.rmdir()
        yield _Room(folder, missing="not tried: needs to mount a tmpfs")
        return
    try:
        tables = folder / "tables"
        tables.mkdir()
        shutil.chown(tables, "postgres", "postgres")
        folder.chmod(0o755)
        with server.connect("@/postgres?") as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{tables}'")
        yield _Room(folder, clause="TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()
