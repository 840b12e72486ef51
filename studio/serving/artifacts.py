"""Artifacts of models: where they are, as the control plane says, fetched and unpacked.

All of it blocks, and is called on threads. What was unpacked stays on the disk for a while after
its model was unloaded.
"""

import json
import os
import shutil
import socket
import threading
import time
import urllib.request
from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.container import archive, files

SOCKET = "artifacts.sock"
"""In the home: who is asked."""
_ASK_SECONDS = 10.0
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.1
_ATTEMPTS = 3
_FETCH_SECONDS = 60.0
_CHUNK = 2**20
_KEPT_BYTES = 2 * 2**30


class Unavailable(Exception):
    """Nobody could say now where an artifact is."""


class Unfit(Exception):
    """The artifact is not there, not to be had or no model; the message says so."""


@dataclass(frozen=True)
class Source:
    """An artifact: a file of this machine (`link`), or what a GET of `url` gives."""

    etag: str
    size: int
    link: str = ""
    url: str = ""


def find(home: Path, run: str, prefix: str, targets: list[str]) -> dict[str, Source | str]:
    """By target, the artifact at `prefix` + target, or why it is not to be had.

    Raises Unavailable when the control plane does not answer within ten seconds.
    """
    question = json.dumps({"run": run, "prefix": prefix, "targets": targets}).encode() + b"\n"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            answer = json.loads(_asked(home, question))
            break
        except (OSError, ValueError) as error:
            if time.monotonic() > deadline:
                raise Unavailable("The control plane does not answer.") from error
            time.sleep(_PAUSE_SECONDS)
    return {target: _source(answer["targets"][target]) for target in targets}


class Folder:
    """The unpacked models of one server: `folder`/<name>/model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        # The server sees this very folder: it must stay the one that it is.
        folder.mkdir(parents=True, exist_ok=True)
        files.empty(folder)
        folder.chmod(0o755)

    def provide(self, name: str, source: Source) -> int:
        """Have the artifact unpacked as `name`; its bytes on disk. Raises Unfit, OSError."""
        with self._lock:
            if name in self._sizes:
                self._sizes.move_to_end(name)
                return self._sizes[name]
        place, part = self._folder / name, self._folder / f".{name}.tar"
        try:
            archive.unpack(self._fetched(source, part), place / "model")
        except archive.UnsafeArchive as error:
            files.remove_tree(place)
            raise Unfit(str(error)) from error
        finally:
            part.unlink(missing_ok=True)
        size = sum(it.stat().st_size for it in (place / "model").rglob("*") if it.is_file())
        with self._lock:
            self._sizes[name] = size
        return size

    def forget(self, name: str) -> None:
        """Remove what was unpacked as `name`."""
        with self._lock:
            self._sizes.pop(name, None)
        files.remove_tree(self._folder / name)

    def tidy(self, needed: set[str]) -> None:
        """Remove the oldest of what no model needs, as far as there is too much of it."""
        with self._lock:
            free = [name for name in self._sizes if name not in needed]
            total = sum(self._sizes.values())
        for name in free:
            if total <= _KEPT_BYTES:
                return
            total -= self._sizes.get(name, 0)
            self.forget(name)

    def _fetched(self, source: Source, part: Path) -> Path:
        if source.link:
            return Path(source.link)
        for attempt in range(_ATTEMPTS):
            try:
                with (
                    closing(urllib.request.urlopen(source.url, timeout=_FETCH_SECONDS)) as answer,
                    part.open("wb") as file,
                ):
                    shutil.copyfileobj(answer, file, _CHUNK)
                if part.stat().st_size == source.size:
                    return part
            except OSError as error:
                if attempt == _ATTEMPTS - 1:
                    raise Unavailable(_said(error)) from error
        raise Unavailable("The artifact was cut short on its way.")


def _asked(home: Path, question: bytes) -> bytes:
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(_ASK_SECONDS)
            # By way of the folder: a path in a socket's address must be short.
            channel.connect(f"/proc/self/fd/{folder}/{SOCKET}")
            channel.sendall(question)
            with channel.makefile("rb") as answer:
                return answer.readline()
    finally:
        os.close(folder)


def _source(answer: dict[str, Any]) -> Source | str:
    problem = answer.get("problem")
    return str(problem) if problem is not None else Source(**answer)


def _said(error: OSError) -> str:
    # Never the URL: it carries a signature.
    code = getattr(error, "code", None)
    return f"S3 answers {code}." if code else type(error).__name__
