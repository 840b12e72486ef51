"""The data worker: `python -m studio.data.worker --root DIR`; `protocol` says what it speaks.

Each request runs in a child, forked from a process that has imported everything and done nothing:
a child is there in milliseconds, is cancelled by a signal, gives all its memory back, and takes
nobody with it when it dies.
"""

import argparse
import os

from studio.data import processors

os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", processors.slow_features())
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process about to fork has no threads
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # see memory.keep

import contextlib
import selectors
import signal
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from studio.data import memory, requests
from studio.data.room import Room

_AT_ONCE = 4
_LOOK = 0.05  # seconds between two looks at the children's memory
_CHUNK = 1 << 20
_LINE = 4 << 20  # a longer request is none of ours


@dataclass
class Child:
    """A request that runs; `unsent` is the line that it has not finished writing."""

    id: str
    pid: int
    pipe: int
    unsent: bytearray = field(default_factory=bytearray)
    final: bool = False
    killed: str = ""  # the message, when it took too much


@dataclass
class Worker:
    """The loop: requests in, children out; one thread."""

    root: Path
    cache: Path
    disk: int
    memory: int
    waiting: deque[dict[str, Any]] = field(default_factory=deque)
    children: dict[int, Child] = field(default_factory=dict)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _typed: bytearray = field(default_factory=bytearray)
    _ended: bool = False

    def run(self) -> None:
        """Until stdin ends; what runs then is ended too."""
        self._tidy()
        self.selector.register(0, selectors.EVENT_READ)
        while not self._ended:
            for key, _ in self.selector.select(_LOOK if self.children else None):
                self._read() if key.fd == 0 else self._relay(self.children[key.fd])
            self._watch()
            self._begin()
        for child in list(self.children.values()):
            self._end(child)

    def _tidy(self) -> None:
        """Clears away what workers that were killed were writing."""
        for left in self.cache.glob("*.part"):
            if not memory.lives(int(left.name.split(".")[-2])):
                left.unlink(missing_ok=True)

    def _read(self) -> None:
        chunk = os.read(0, _CHUNK)
        self._ended = not chunk
        self._typed += chunk
        *lines, rest = self._typed.split(b"\n")
        self._typed = bytearray(rest if len(rest) <= _LINE else b"")
        for line in lines:
            self._take(bytes(line))

    def _take(self, line: bytes) -> None:
        document = requests.read(line)
        if document is None:
            return
        if document.get("cancel"):
            self._cancel(document["id"])
        else:
            self.waiting.append(document)

    def _cancel(self, id: str) -> None:
        self.waiting = deque(it for it in self.waiting if it["id"] != id)
        for child in [it for it in self.children.values() if it.id == id]:
            self._end(child)

    def _begin(self) -> None:
        while self.waiting and len(self.children) < _AT_ONCE:
            child = self._fork(self.waiting.popleft())
            self.children[child.pipe] = child
            self.selector.register(child.pipe, selectors.EVENT_READ)

    def _fork(self, document: dict[str, Any]) -> Child:
        parent = os.getpid()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._be_child(document, writing, parent)
        os.close(writing)
        return Child(document["id"], pid, reading)

    def _be_child(self, document: dict[str, Any], pipe: int, parent: int) -> None:
        """Never returns."""
        try:
            memory.die_with(parent)
            self.selector.close()
            os.dup2(2, 1)  # a stray print is no answer
            with contextlib.suppress(OSError):
                os.close(0)
            requests.serve(document, pipe, Room(self.root, self.cache, self.disk, print))
        finally:
            os._exit(0)

    def _relay(self, child: Child) -> None:
        chunk = os.read(child.pipe, _CHUNK)
        if not chunk:
            self._bury(child)
            return
        child.unsent += chunk
        whole = child.unsent.rfind(b"\n") + 1
        if whole:
            lines = bytes(child.unsent[:whole])
            del child.unsent[:whole]
            child.final = lines.endswith(requests.FINAL)
            _write(lines)

    def _bury(self, child: Child) -> None:
        status = self._end(child)
        if child.final:
            return
        message = child.killed or (
            f"The process of this request ended with {_cause(status)}. Other requests went on; "
            "the Jupyter server's log may say more."
        )
        code = "TooLarge" if child.killed else "Failed"
        _write(requests.failed(child.id, code, message))

    def _end(self, child: Child) -> int:
        self.selector.unregister(child.pipe)
        os.close(child.pipe)
        del self.children[child.pipe]
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        _, status = os.waitpid(child.pid, 0)
        for left in self.cache.glob(f"*.{child.pid}.part"):
            left.unlink(missing_ok=True)
        return status

    def _watch(self) -> None:
        """Ends the greediest when all together take more than they may."""
        taken = {it.pipe: memory.taken(it.pid) for it in self.children.values()}
        if sum(taken.values()) <= self.memory:
            return
        greediest = self.children[max(taken, key=lambda pipe: taken[pipe])]
        greediest.killed = (
            f"This needs more than the {self.memory / 2**30:.1f} GiB of memory that looking at "
            "data may take. Choose fewer columns or a smaller sample."
        )
        os.kill(greediest.pid, signal.SIGKILL)


def _write(lines: bytes) -> None:
    left = memoryview(lines)
    while left:
        left = left[os.write(1, left) :]


def _cause(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"status {os.WEXITSTATUS(status)} and no answer"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m studio.data.worker", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="files below it may be read")
    cache = Path(platformdirs.user_cache_dir("studio")) / "data"
    parser.add_argument("--cache", type=Path, default=cache, help="where converted data is kept")
    parser.add_argument("--disk", type=int, default=8 << 30, help="bytes of it, at most")
    parser.add_argument("--memory", type=int, default=memory.fair(), help="bytes of all requests")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    memory.keep()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the server, which ends us
    Worker(given.root.resolve(), given.cache, given.disk, given.memory).run()


if __name__ == "__main__":
    main()
