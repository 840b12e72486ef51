"""The data worker beside this Jupyter server: started when first needed and again when it has died,
shared by all pages. `studio.data.protocol` says what it is asked."""

import asyncio
import itertools
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

_LONGEST_LINE = 256 * 1024**2  # bytes: a figure may hold millions of points
_FINAL = b'"final":true}\n'
_END_SECONDS = 5.0


class DataWorker:
    """Asks the worker process, which reads files below `root` and S3 with the key in `environ`."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._environ = dict(environ)
        self._ids = map(str, itertools.count())
        self._answers: dict[str, asyncio.Queue[bytes]] = {}
        self._starting = asyncio.Lock()
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def ask(self, verb: str, args: Any) -> "Answers":
        """Begin a request. Raises OSError when the worker can't be started."""
        process = await self._running()
        answers = Answers(next(self._ids), self)
        self._answers[answers.id] = answers.lines
        _tell(process, {"id": answers.id, "verb": verb, "args": args})
        return answers

    def forget(self, id: str, whole: bool) -> None:
        """Nobody listens to request `id` any more; unless it is `whole`, it need not go on."""
        self._answers.pop(id, None)
        if not whole and self._process is not None:
            _tell(self._process, {"id": id, "cancel": True})

    async def close(self) -> None:
        """End the worker, which takes the end of its input for that."""
        process, self._process = self._process, None
        if process is None or self._reading is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(self._reading, _END_SECONDS)
        except TimeoutError:
            process.kill()
        await process.wait()

    async def _running(self) -> Process:
        async with self._starting:
            if self._process is None:
                command = [sys.executable, "-P", "-m", "studio.data.worker"]
                self._process = await asyncio.create_subprocess_exec(
                    *command,
                    *("--root", str(self._root)),
                    stdin=PIPE,
                    stdout=PIPE,
                    limit=_LONGEST_LINE,
                    env=self._environ,
                    start_new_session=True,  # Ctrl-C is for Jupyter
                )
                self._reading = asyncio.create_task(self._read(self._process))
            return self._process

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            queue = self._answers.get(_id_of(line))
            if queue is not None:
                queue.put_nowait(line)
        if self._process is process:
            self._process = None
        for id, queue in self._answers.items():
            queue.put_nowait(_died(id))


class Answers:
    """The lines of one request as they come, JSON documents with their line ends."""

    def __init__(self, id: str, worker: DataWorker) -> None:
        self.id = id
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._worker = worker
        self._whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._whole:
            line = await self.lines.get()
            self._whole = line.endswith(_FINAL)
            if line:
                yield line

    def close(self) -> None:
        """Want no more: a loop over the lines ends, and so does the request."""
        self._worker.forget(self.id, self._whole)
        self._whole = True
        self.lines.put_nowait(b"")


def _tell(process: Process, document: Mapping[str, Any]) -> None:
    assert process.stdin is not None
    if not process.stdin.is_closing():
        process.stdin.write(json.dumps(document).encode() + b"\n")


def _id_of(line: bytes) -> str:
    """The id of an answer: its first member, always."""
    return line[: line.find(b",")].partition(b":")[2].decode(errors="replace").strip('" ')


def _died(id: str) -> bytes:
    error = {
        "code": "Failed",
        "message": "The process that looks at data has ended; the next request starts another. "
        "The Jupyter server's log may say more.",
    }
    return json.dumps({"id": id, "error": error})[:-1].encode() + b"," + _FINAL
