"""What the control plane asks of the front of a multi-model server, on both sides.

Pins lie in a file that all fronts of an endpoint read; the rest is asked over a socket in the
run's folder, which only the owner of the home can open: a line of JSON each way.
"""

import asyncio
import fcntl
import json
import os
import socket
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio import durable
from studio.errors import ApiError
from studio.serving.artifacts import Unavailable, Unfit
from studio.serving.manager import Manager, ModelFailed

SOCKET = "models.sock"
_ASK_SECONDS = 65.0
_LARGEST = 2**20

Doc = dict[str, Any]


def pins_path(home: Path, endpoint_id: str) -> Path:
    """Where the names of an endpoint's pinned models lie."""
    return home / "models" / f"{endpoint_id}.json"


def pins(path: Path) -> frozenset[str]:
    """TargetModels that stay loaded."""
    try:
        known = durable.read_json(path)
    except (OSError, ValueError):
        known = None
    return frozenset(known if isinstance(known, list) else ())


def pin(path: Path, target: str, pinned: bool) -> None:
    """Keep a model loaded from now on, or no longer; on disk on return."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (path.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = pins(path)
        after = before | {target} if pinned else before - {target}
        if after != before:
            durable.write_json(path, sorted(after))


def ask(run_folder: Path, question: Doc) -> Doc:
    """What the front of a run answers: `Models`, or `Error`. Raises OSError, ValueError."""
    folder = os.open(run_folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(_ASK_SECONDS)
            # By way of the folder: a path in a socket's address must be short.
            channel.connect(f"/proc/self/fd/{folder}/{SOCKET}")
            channel.sendall(json.dumps(question).encode() + b"\n")
            with channel.makefile("rb") as answer:
                document: Doc = json.loads(answer.readline())
                return document
    finally:
        os.close(folder)


class Desk:
    """The front's side: `open` it, and `look` at the pins now and then."""

    def __init__(self, manager: Manager, path: Path) -> None:
        self._manager = manager
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._server: asyncio.AbstractServer | None = None

    async def open(self, path: Path) -> None:
        """Listen at `path`."""
        path.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            place = f"/proc/self/fd/{folder}/{path.name}"
            # Kept: one that nobody holds is closed.
            self._server = await asyncio.start_unix_server(self._serve, place, limit=_LARGEST)
        finally:
            os.close(folder)

    def look(self) -> None:
        """Read the pins if they are not those last seen."""
        try:
            status = self._path.stat()
            mark = (status.st_mtime_ns, status.st_ino)
        except OSError:
            mark = (0, 0)
        if mark != self._seen:
            self._seen = mark
            self._manager.shelf.pinned = pins(self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await self._answer(json.loads(await reader.readline()))
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError):
            pass  # whoever asked has gone
        finally:
            writer.close()

    async def _answer(self, question: Doc) -> Doc:
        manager = self._manager
        try:
            if "Load" in question:
                manager.release(await manager.acquire(question["Load"]))
            if "Unload" in question:
                await manager.unload(question["Unload"])
        except (ModelFailed, Unfit, Unavailable, ApiError) as error:
            return {"Error": str(error)}
        self.look()
        return {"Models": self._models()}

    def _models(self) -> dict[str, Doc]:
        """By target, what is loaded and what is remembered."""
        shelf = self._manager.shelf
        known = {target: asdict(record) for target, record in shelf.records.items()}
        for model in shelf.models():
            status = "Loaded" if model.ready else "Loading"
            said = {"status": status, "memory": model.memory, "in_flight": model.in_flight}
            known[model.target] = known.get(model.target, {}) | said
        return known
