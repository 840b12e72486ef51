"""The model server of scripts: HTTP here, the user's functions in processes of their interpreter.

A process of theirs loads the model and its pickles, and serves one request at a time, as AWS's
servers do: what it may crash is itself. It is then started again.
"""

import json
import logging
import os
import queue
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import studio
from studio.algorithms import batching, model_host, server
from studio.algorithms.base import FIRST_PARTY_LOG, UserError, configure_logging
from studio.algorithms.batching import Outcome
from studio.algorithms.model_host import Loaded
from studio.algorithms.server import Answer, Ask, Invocation, RequestError
from studio.container.script import frames, packages, source
from studio.container.script import job as jobs
from studio.container.script.failure import ScriptError, mendable

_ROOT = str(Path(studio.__file__).parents[1])
# Ours is on the path only while it is imported: what the user's code finds is the user's.
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from studio.container.script import worker; "
    "sys.path.remove(sys.argv[1]); worker.main(sys.argv[2:])"
)
_ENTRY_POINT = "inference.py"
_TIMEOUT, _TIMEOUT_SECONDS = "SAGEMAKER_MODEL_SERVER_TIMEOUT", 60.0
_THREADS = 64
"""Of a server of several models: each request waits in one for its model's process."""
_log = logging.getLogger(__name__)


def serve(base: Path, framework: str) -> None:
    """Serve until SIGTERM. Raises ScriptError when the model cannot be loaded."""
    configure_logging(FIRST_PARTY_LOG)
    try:
        batching.settings()  # before any process is started
    except UserError as error:
        raise ScriptError(str(error)) from error
    if model_host.several():
        model_host.host(lambda folder: _loaded(base, folder, framework), _THREADS, apart=True)
        return
    pool = _pool(base, base / "model", framework, jobs.cpus())
    server.serve(pool.asking(), threads=pool.size)


def _loaded(base: Path, model: Path, framework: str) -> Loaded:
    """One of several models: a process, unless more are asked for. Raises UserError."""
    try:
        pool = _pool(base, model, framework, 1)
    except ScriptError as error:
        raise UserError(str(error)) from error
    return Loaded(pool.asking(), pool.close, pool.memory())


def _pool(base: Path, model: Path, framework: str, size: int) -> "_Pool":
    """The processes of a model. Raises ScriptError."""
    code = _code(base, model)
    program = os.environ.get("SAGEMAKER_PROGRAM") or _ENTRY_POINT
    if os.environ.get("SAGEMAKER_PROGRAM") and not (code / program).is_file():
        raise ScriptError(f"The script {program} is not in {code}.")
    python = packages.provided(code, source.interpreter())
    given = {
        "framework": framework,
        "model": str(model),
        "code": str(code),
        "program": program if (code / program).is_file() else "",
    }
    return _Pool(python, given, _number("SAGEMAKER_MODEL_SERVER_WORKERS", size))


class _Pool:
    """Workers of which each has one request at a time."""

    def __init__(self, python: str, given: dict[str, str], size: int) -> None:
        self.size = size
        self._python, self._given = python, given
        self._idle: queue.SimpleQueue[_Worker | None] = queue.SimpleQueue()
        workers = [_Worker(python, given) for _ in range(size)]  # they load side by side
        try:
            for worker in workers:
                worker.await_ready()
                self._idle.put(worker)
        except ScriptError:
            for worker in workers:
                worker.end()
            raise
        self._memory = sum(worker.memory() for worker in workers)

    def memory(self) -> int:
        """Bytes that the processes had once they were ready."""
        return self._memory

    def close(self) -> None:
        """End the processes, each when it has answered what it was asked."""
        for _ in range(self.size):
            if worker := self._idle.get():
                worker.end()

    def asking(self) -> Ask:
        """Who brings requests to the processes."""
        return batching.asking(self.predict, self.together, self.size)

    def together(self, invocations: Sequence[Invocation]) -> Sequence[Outcome]:
        """Several requests, by one process."""
        if len(invocations) > 1 and (found := self._by_one(invocations)) is not None:
            return found
        return [batching.outcome(self.predict, it) for it in invocations]

    def _by_one(self, invocations: Sequence[Invocation]) -> Sequence[Outcome] | None:
        """None when the process died of one of them: of which turns out when each is asked by
        itself."""
        worker = self._idle.get()
        try:
            worker = worker or self._another()
            return worker.ask_all(invocations)
        except (OSError, EOFError) as error:
            said = worker.lost(error) if worker else f"ended: {error}"
            worker = None
            if isinstance(error, TimeoutError):
                late = RequestError(500, f"The process with the model {said}.")
                return [late] * len(invocations)
            return None
        finally:
            self._idle.put(worker)

    def predict(self, invocation: Invocation) -> Answer:
        """Raises RequestError, also for what the user's code raised."""
        worker = self._idle.get()
        pieces: _Pieces | None = None
        try:
            worker = worker or self._another()
            head, body = worker.ask(invocation)
            if head.get("more"):
                pieces = _Pieces(worker, body, self._idle.put)
            return Answer(pieces or body, head["content_type"])
        except (OSError, EOFError) as error:
            said = worker.lost(error) if worker else f"ended: {error}"
            worker = None
            raise RequestError(500, f"The process with the model {said}.") from error
        finally:
            if pieces is None:
                self._idle.put(worker)

    def _another(self) -> "_Worker":
        _log.info("Starting the process with the model again")
        worker = _Worker(self._python, self._given)
        try:
            worker.await_ready()
        except ScriptError as error:
            raise EOFError(str(error)) from error
        return worker


class _Pieces:
    """An answer that comes in pieces. It has its worker to itself until it is over or closed, and
    then gives it, or None for one that is no more, to `free`."""

    def __init__(
        self, worker: "_Worker", first: bytes, free: "Callable[[_Worker | None], None]"
    ) -> None:
        self._worker: _Worker | None = worker
        self._first = first
        self._free = free

    def __iter__(self) -> "_Pieces":
        return self

    def __next__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        while self._worker is not None:
            head, body = self._receive(self._worker)
            if head["more"]:
                return body
            self._over(self._worker)
            if "failed" in head:
                raise RequestError(500, body.decode("utf-8", "replace"))
        raise StopIteration

    def close(self) -> None:
        """Have no more of it made, and read what is on its way."""
        self._first = b""
        if self._worker is None:
            return
        try:
            self._worker.stop()
        except (OSError, EOFError) as error:
            self._worker.lost(error)
            self._over(None)
        else:
            self._over(self._worker)

    def _receive(self, worker: "_Worker") -> tuple[dict[str, Any], bytes]:
        try:
            return worker.receive()
        except (OSError, EOFError) as error:
            said = worker.lost(error)
            self._over(None)
            raise RequestError(500, f"The process with the model {said}.") from error

    def _over(self, worker: "_Worker | None") -> None:
        self._worker = None
        self._free(worker)


class _Worker:
    """A process that has the model, at the other end of a socket."""

    def __init__(self, python: str, given: dict[str, str]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [python, "-c", _BOOT, _ROOT, str(theirs.fileno()), json.dumps(given)],
                cwd=given["code"] if given["program"] else given["model"],
                pass_fds=[theirs.fileno()],
            )

    def await_ready(self) -> None:
        """Raises ScriptError when it ends instead."""
        try:
            head, body = frames.receive(self._socket)
        except EOFError:
            raise ScriptError(f"The model could not be loaded: {self.end()}.") from None
        if head["status"] != 200:
            self.end()
            raise ScriptError(f"The model could not be loaded: {mendable(body.decode())}")
        self._socket.settimeout(_number(_TIMEOUT, int(_TIMEOUT_SECONDS)))

    def ask(self, invocation: Invocation) -> tuple[dict[str, Any], bytes]:
        """The answer, or the first piece of one of which there is more. Raises RequestError for
        what it refuses, OSError and EOFError when it is no more."""
        frames.send(self._socket, _head(invocation), invocation.body)
        answer, body = self.receive()
        if answer["status"] != 200:
            raise RequestError(answer["status"], body.decode("utf-8", "replace"))
        return answer, body

    def ask_all(self, invocations: Sequence[Invocation]) -> list[Outcome]:
        """RequestError for what it refuses. Raises OSError and EOFError when it is no more."""
        head = {
            "batch": [_head(it) for it in invocations],
            "sizes": [len(it.body) for it in invocations],
        }
        frames.send(self._socket, head, b"".join(it.body for it in invocations))
        answer, body = self.receive()
        said = frames.apart(body, answer["sizes"])
        return [_outcome(each, its) for each, its in zip(answer["batch"], said, strict=True)]

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """The next piece. Raises OSError and EOFError when it is no more."""
        return frames.receive(self._socket)

    def stop(self) -> None:
        """Of an answer in pieces: have no more of it. Raises as `receive`."""
        frames.send(self._socket, {"stop": True}, b"")
        while self.receive()[0]["more"]:
            pass

    def lost(self, error: Exception) -> str:
        """End what does not answer; what became of it."""
        if isinstance(error, TimeoutError):
            said = f"said nothing for {self._socket.gettimeout():g} seconds ({_TIMEOUT})"
            self.end()
            return f"{said} and was ended"
        return f"ended: {self.end()}"

    def memory(self) -> int:
        """Bytes of memory that it has."""
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def end(self) -> str:
        """Make sure that it is no more; how it ended."""
        self._socket.close()
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def _head(invocation: Invocation) -> dict[str, Any]:
    return {"content_type": invocation.content_type, "accept": invocation.accept}


def _outcome(head: dict[str, Any], body: bytes) -> Outcome:
    if head["status"] != 200:
        return RequestError(head["status"], body.decode("utf-8", "replace"))
    return Answer(body, head["content_type"])


def _code(base: Path, model: Path) -> Path:
    """SKLearn and XGBoost models name their source, others carry it in the model."""
    folder = source.folder(base, os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", ""))
    carried = model / "code"
    empty = not folder.is_dir() or not any(folder.iterdir())
    return carried if empty and carried.is_dir() else folder


def _number(variable: str, default: int) -> int:
    given = os.environ.get(variable, "")
    return int(given) if given.isdecimal() and int(given) else default
