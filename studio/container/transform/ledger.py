"""Which files of a transform are finished, on disk: whoever drives it may be killed at any time.

Outputs lie in the folder of the batch that is open. A batch is closed in three steps: its files are
synced, the journal names them, the folder is renamed to where it waits to be stored. A journal that
names a batch whose folder was not renamed yet says what is left to do; files of no line in the
journal are made again.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio import durable
from studio.container import files

Doc = dict[str, Any]
_PAUSE_SECONDS = 0.5
_OPEN = "open-"


class Ledger:
    """The state of a transform in `folder`; closed batches go to `batches`. One process has it.

    `lines` are documents by the number of their file: what became of it, as the driver says.
    """

    def __init__(self, folder: Path, batches: Path, told: Callable[[], None]) -> None:
        self._folder, self._batches, self._told = folder, batches, told
        folder.mkdir(parents=True, exist_ok=True)
        batches.mkdir(parents=True, exist_ok=True)
        self._journal = folder / "journal"
        self.lines: dict[int, Doc] = {}
        self._number = 0
        self._waiting: list[Doc] = []
        self._closed_at = time.monotonic()
        self._recover()
        self._open().mkdir()

    def part(self, number: int) -> Path:
        """Where the output of a file is written while it is not whole."""
        return self._folder / f"part-{number}"

    def finish(self, number: int, name: str, line: Doc) -> None:
        """The part of a file is whole: it becomes the file `name` of a batch."""
        try:
            self._place(number, name)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            # To S3 a folder and an object may have one name: they go in two batches.
            self.close(now=True)
            self._place(number, name)
        self._note(number, line)

    def give_up(self, number: int, line: Doc) -> None:
        """The file has no output."""
        self.part(number).unlink(missing_ok=True)
        self._note(number, line)

    def close(self, now: bool = False) -> None:
        """Hand over what is finished; unless `now`, only from time to time."""
        if not self._waiting or (not now and time.monotonic() - self._closed_at < _PAUSE_SECONDS):
            return
        durable.sync_tree(self._open())
        durable.sync_dir(self._folder)
        with self._journal.open("ab") as file:
            file.write(_text({"batch": self._number, "files": self._waiting}))
            file.flush()
            durable.sync(file.fileno())
        self._hand_over(self._number)
        self._waiting, self._closed_at = [], time.monotonic()
        self._number += 1
        self._open().mkdir()
        self._told()

    def _place(self, number: int, name: str) -> None:
        target = self._open() / name
        target.parent.mkdir(parents=True, exist_ok=True)
        self.part(number).rename(target)

    def _note(self, number: int, line: Doc) -> None:
        self.lines[number] = line
        self._waiting.append({"file": number, **line})
        self.close()

    def _open(self) -> Path:
        return self._folder / f"{_OPEN}{self._number}"

    def _hand_over(self, number: int) -> None:
        folder = self._folder / f"{_OPEN}{number}"
        if not folder.is_dir():
            return
        if any(folder.iterdir()):
            folder.rename(self._batches / str(number))
            durable.sync_dir(self._batches)
        else:
            folder.rmdir()

    def _recover(self) -> None:
        """Do what the journal says, and forget what it does not know."""
        for document in self._read():
            self.lines |= {each.pop("file"): each for each in document["files"]}
            self._number = document["batch"] + 1
            self._hand_over(document["batch"])
        self._number = max(self._number, 1)
        for entry in list(os.scandir(self._folder)):
            if entry.name.startswith(_OPEN):
                files.remove_tree(Path(entry.path))
            elif entry.name.startswith("part-"):
                Path(entry.path).unlink()

    def _read(self) -> list[Doc]:
        """The whole lines; one that was cut short is cut off."""
        try:
            data = self._journal.read_bytes()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            os.truncate(self._journal, len(whole))
        return [json.loads(line) for line in whole.splitlines()]


def _text(document: Doc) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
