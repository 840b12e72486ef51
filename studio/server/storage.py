"""Watches over what Studio stores on: its room, its reserve, and whether it does as it is told."""

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TextIO

import structlog

from studio import disk, durable

_SECONDS = 2.0

log = structlog.get_logger()


class Stored(Protocol):
    """A database, as far as it is watched."""

    @property
    def failure(self) -> str | None:
        """Why it stores nothing more."""
        ...


class StorageWatch:
    """Looks every two seconds. `problems` are those of the last look, in words for people."""

    def __init__(self, home: Path, reserve: disk.Reserve, databases: Sequence[Stored]) -> None:
        # Chosen now: a full folder of temporary files would not be found when it is looked for.
        temporary = Path(tempfile.gettempdir())
        self._folders = {
            "home": home,
            "folder of logs": home / "logs",
            "folder of temporary files": temporary,
        }
        self._reserve = reserve
        self._databases = databases
        self.problems: tuple[str, ...] = ()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storage", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_SECONDS):
            try:
                self._look()
            except OSError as error:
                self.problems = (f"The home cannot be looked at: {error.strerror}.",)

    def _look(self) -> None:
        self._reserve.refill()
        found = [durable.failure(), *(each.failure for each in self._databases)]
        for name, folder in self._folders.items():
            if (lack := disk.lack(folder)) is not None:
                found.append(f"The disk of the {name} {lack}.")
        problems = tuple(dict.fromkeys(each for each in found if each))
        if problems != self.problems:
            log.warning("storage", problems=problems)
        self.problems = problems


class LogFile:
    """A file for the log that a full disk does not hinder: no request fails for want of a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            return 0

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            pass
