"""Feeds the FIFOs of a Pipe channel from a process of its own.

`<channel>_0` is there when the command starts, `<channel>_<n + 1>` as soon as somebody has opened
`<channel>_<n>`. A reader may close early: then the next epoch begins. What has been read is gone.
A feeder that fails never lets its reader take that for the end of the data: it says so first.
"""

import errno
import fcntl
import gzip
import io
import os
import random
import signal
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import IO, Any

from studio.runners.shim import helpers
from studio.runners.shim.inputs import Check, DownloadFailed

Doc = dict[str, Any]

RECORD_BYTES = 2**29
"""A RecordIO record is shorter than this: its header has 29 bits for the length."""

_MAGIC = 0xCED7230A
_CHUNK = 2**20
_CHECKED = 1000
_NO_SPLICE = (errno.EINVAL, errno.ENOSYS)


class Feeder:
    """The process that feeds one stream. `pid` is 0 once it has ended."""

    def __init__(self, stream: Doc, ml: Path, notes: Path) -> None:
        self._failed = notes / f"{Path(stream['path']).name}.failed"
        self._told = False
        self.reason = self.detail = ""
        self.pid = helpers.begin(lambda: _work(stream, ml, self._failed), ml)

    def finish(self) -> None:
        """Ask it to end: nobody reads any more."""
        if self.pid and not self._told:
            self._told = True
            os.kill(self.pid, signal.SIGTERM)

    def ended(self, status: int) -> None:
        """To be told of the wait status of `pid`: `reason` and `detail` say what went wrong."""
        self.pid = 0
        if self._failed.exists():
            self.reason, _, self.detail = self._failed.read_text().partition(" ")
        elif status:
            self.reason, self.detail = "RunnerLost", "The process that fed a channel was killed."


def prepare(streams: list[Doc], ml: Path, folder: Path, check: Check) -> None:
    """Make the first FIFO of each stream, and keep what the objects hold now, through links in
    `folder`, whatever becomes of the names in the store. Changes `streams`."""
    folder.mkdir(exist_ok=True)
    known: dict[str, str] = {}
    for stream in streams:
        first = ml / f"{stream['path']}_0"
        first.parent.mkdir(parents=True, exist_ok=True)
        if not first.exists():
            os.mkfifo(first, 0o600)
        for number, record in enumerate(stream["records"]):
            for part in record:
                if part["link"]:
                    part["link"] = _kept(part, known, folder)
            if number % _CHECKED == 0:
                check()


def _kept(part: Doc, known: dict[str, str], folder: Path) -> str:
    path: str = part["link"]
    if path not in known:
        kept = str(folder / str(len(known)))
        try:
            os.link(path, kept)
        except FileNotFoundError as error:
            raise DownloadFailed(f"{part['name']}: the object was deleted meanwhile") from error
        except FileExistsError:
            pass  # of an earlier attempt
        except OSError:
            kept = path  # another file system: it is read where it is
        known[path] = kept
    return known[path]


def _work(stream: Doc, ml: Path, failed: Path) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    path = ml / stream["path"]
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    fifo = _fifo(folder, f"{path.name}_0")
    for epoch in count():
        name = f"{path.name}_{epoch}"
        # Through the descriptor: the command may have put something else under this name.
        pipe = os.open(f"/proc/self/fd/{fifo}", os.O_WRONLY)
        try:
            _enlarge(pipe)
            following = _fifo(folder, f"{path.name}_{epoch + 1}")
            _feed(pipe, stream, epoch)
        except BrokenPipeError:
            pass
        except Exception as error:
            failed.write_text(_said(error))
            raise
        finally:
            _retire(folder, name, pipe, fifo)
        fifo = following


def _fifo(folder: int, name: str) -> int:
    """A descriptor of the FIFO `name`, which is made unless it is there."""
    try:
        os.mkfifo(name, 0o600, dir_fd=folder)
    except FileExistsError:
        pass
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
    if not stat.S_ISFIFO(os.fstat(fd).st_mode):
        os.close(fd)
        raise FileExistsError(errno.EEXIST, "there is a file where a FIFO belongs", name)
    return fd


def _enlarge(pipe: int) -> None:
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK)
    except OSError:
        pass  # more than this user may have


def _retire(folder: int, name: str, pipe: int, fifo: int) -> None:
    """An epoch is over: nobody may wait for data in its FIFO any more. First it loses its name,
    then its reader learns that there is no more to come."""
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        pass
    os.close(pipe)
    try:
        # Who has opened it meanwhile, and still waits there for a writer, goes on too.
        os.close(os.open(f"/proc/self/fd/{fifo}", os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        pass
    os.close(fifo)


def _feed(pipe: int, stream: Doc, epoch: int) -> None:
    parts = [part for record in ordered(stream, epoch) for part in record]
    for part, opened in _opened(parts):
        with opened() as source:
            _pass_on(pipe, part, source, stream)


def ordered(stream: Doc, epoch: int) -> list[list[Doc]]:
    """The records of this host in an epoch."""
    records = list(stream["records"])
    if stream["seed"] is not None:
        random.Random(f"{stream['seed']}/{epoch}").shuffle(records)
    return records[stream["host"] :: stream["hosts"]]


def _opened(parts: list[Doc]) -> Iterator[tuple[Doc, Callable[[], IO[bytes]]]]:
    """Each part and how to open it; objects that come by HTTP are asked for ahead."""
    if any(part["url"] for part in parts):
        from studio.runners.shim import download  # slow to import, and not needed by most runs

        yield from download.ahead(parts, _local)
        return
    for part in parts:
        yield part, lambda part=part: _local(part)  # type: ignore[misc]


def _local(part: Doc) -> IO[bytes]:
    if part["text"] or not part["link"]:
        return io.BytesIO(part["text"].encode())
    return Path(part["link"]).open("rb", buffering=0)


def _pass_on(pipe: int, part: Doc, source: IO[bytes], stream: Doc) -> None:
    size = len(part["text"].encode()) or part["size"]
    if stream["gzip"] and not part["text"]:
        try:
            source, size = _unpacked(source, part, stream["wrap"])
        except (OSError, EOFError, zlib.error) as error:
            raise DownloadFailed(f"{part['name']}: it is not compressed by gzip") from error
    if stream["wrap"]:
        if size >= RECORD_BYTES:
            raise DownloadFailed(f"{part['name']}: too long for a RecordIO record: {size} bytes")
        _write(pipe, struct.pack("<II", _MAGIC, size))
    try:
        sent = _copy(pipe, source)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DownloadFailed(f"{part['name']}: it is not compressed by gzip") from error
    if size >= 0 and sent != size:
        raise DownloadFailed(f"{part['name']}: {sent} of {size} bytes could be read")
    if stream["wrap"]:
        _write(pipe, bytes(-size % 4))


def _unpacked(source: IO[bytes], part: Doc, whole: bool) -> tuple[IO[bytes], int]:
    """The content of a gzip file and its length; -1: not known, as nobody needs it."""
    content = gzip.GzipFile(fileobj=source, mode="rb")
    if not whole:
        return content, -1  # type: ignore[return-value]
    data = content.read(RECORD_BYTES)
    return io.BytesIO(data), len(data)


def _copy(pipe: int, source: IO[bytes]) -> int:
    sent = 0
    if isinstance(source, io.FileIO):
        try:
            while moved := os.splice(source.fileno(), pipe, _CHUNK):
                sent += moved
            return sent
        except OSError as error:
            if error.errno not in _NO_SPLICE or sent:
                raise
    while piece := source.read(_CHUNK):
        _write(pipe, piece)
        sent += len(piece)
    return sent


def _write(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]


def _said(error: Exception) -> str:
    if isinstance(error, DownloadFailed):
        return f"DownloadFailed {error}"
    return f"DownloadFailed a channel could not be read: {type(error).__name__}: {error}"[:1024]
