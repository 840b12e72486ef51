"""Access logs: a line of JSON for each request of an endpoint that has one.

Below `router/access/<record>` lie parts, `<yyyy-mm-dd>.<number>`, each in the form that logs of
runs have: `log`, and `log.idx`, which says when it had which size. So they are read like those.
"""

import json
import os
import shutil
import struct
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from studio.serving.frames import Frame

_NOTE = struct.Struct("<QQ")  # milliseconds, bytes
_NOTE_SECONDS = 0.1
_LARGEST_PART = 64 * 2**20
_MOST_PARTS = 16


def folder(home: Path) -> Path:
    """Where the records lie."""
    return home / "router" / "access"


def moment(at: float) -> str:
    """A time in seconds since 1970, as lines have it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parts(record: Path) -> list[Path]:
    """The parts of a record, oldest first."""
    try:
        found = [each for each in record.iterdir() if _day(each) is not None]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda each: (each.name[:10], _number(each)))


def sweep(home: Path, today: date) -> None:
    """Remove what is older than its record is kept, and records of which nothing is left."""
    for record in folder(home).glob("*"):
        try:
            days = int((record / "days").read_text())
        except (OSError, ValueError):
            continue
        for part in parts(record):
            day = _day(part)
            if day is not None and day <= today - timedelta(days):
                shutil.rmtree(part, ignore_errors=True)
        if not parts(record):
            shutil.rmtree(record, ignore_errors=True)


class AccessLogs:
    """`take` frames; `tick` writes their lines."""

    def __init__(self, home: Path) -> None:
        self._folder = folder(home)
        self._records: dict[str, _Record] = {}

    @property
    def waits(self) -> bool:
        """Whether there is anything to do later."""
        return any(record.waits for record in self._records.values())

    def take(self, frame: Frame) -> None:
        name = frame.about["record"]
        record = self._records.get(name)
        if record is None:
            record = self._records[name] = _Record(self._folder / name)
        record.keep(frame.about["days"])
        if "dropped" in frame.said:
            said = {"time": moment(time.time()), **frame.said}
            record.lines.append(json.dumps(said, separators=(",", ":")).encode() + b"\n")
        else:
            record.lines.append(frame.bodies[0])

    def tick(self, now: float) -> None:
        """`now` is the time in seconds since 1970."""
        for record in self._records.values():
            record.tick(now)

    def close(self) -> None:
        """Write the rest."""
        for record in self._records.values():
            record.tick(time.time())
            record.close()


class _Record:
    def __init__(self, above: Path) -> None:
        self._above = above
        self._part: _Part | None = None
        self._days = 0
        self.lines: list[bytes] = []

    @property
    def waits(self) -> bool:
        return bool(self.lines) or (self._part is not None and self._part.waits)

    def keep(self, days: int) -> None:
        """How long, in days."""
        if days != self._days:
            self.close()  # the next part says so
            self._days = days

    def tick(self, now: float) -> None:
        lines, self.lines = self.lines, []
        try:
            if lines:
                self._open(now).write(b"".join(lines))
            if self._part is not None:
                self._part.note(now)
        except OSError:
            self.close()  # a full disk: what there is no room for is lost

    def close(self) -> None:
        if self._part is not None:
            self._part.close()
        self._part = None

    def _open(self, now: float) -> "_Part":
        """The part that lines of now belong to."""
        day = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}"
        if self._part is None or self._part.day != day or self._part.size > _LARGEST_PART:
            self.close()
            known = parts(self._above)
            last = known[-1] if known and known[-1].name.startswith(day) else None
            number = _number(last) if last else 1
            if last and (last / "log").stat().st_size > _LARGEST_PART:
                number += 1
            self._part = _Part(self._above / f"{day}.{number}", day)
            (self._above / "days").write_text(str(self._days))
            for old in parts(self._above)[:-_MOST_PARTS]:
                shutil.rmtree(old, ignore_errors=True)
        return self._part


class _Part:
    """A part that grows."""

    def __init__(self, place: Path, day: str) -> None:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._log = os.open(place / "log", flags, 0o600)
        self._notes = os.open(place / "log.idx", flags, 0o600)
        notes = os.fstat(self._notes).st_size
        os.ftruncate(self._notes, notes - notes % _NOTE.size)
        self.size = os.fstat(self._log).st_size
        if self.size and os.pread(self._log, 1, self.size - 1) != b"\n":
            self.write(b"\n")  # who wrote before was killed
        self.day = day
        self.waits = True
        self._noted = 0.0

    def write(self, data: bytes) -> None:
        """All of it, or OSError."""
        written = os.write(self._log, data)
        self.size += written
        self.waits = True
        if written < len(data):
            raise OSError("the disk is full")

    def note(self, now: float) -> None:
        """Date the lines that are new, unless others have been just now."""
        if self.waits and now - self._noted > _NOTE_SECONDS:
            os.write(self._notes, _NOTE.pack(int(now * 1000), self.size))
            self._noted, self.waits = now, False

    def close(self) -> None:
        try:
            self._noted = 0.0
            self.note(time.time())
        finally:
            os.close(self._log)
            os.close(self._notes)


def _day(part: Path) -> date | None:
    """Of a part, by its name."""
    try:
        return date.fromisoformat(part.name[:10]) if part.name[10:11] == "." else None
    except ValueError:
        return None


def _number(part: Path) -> int:
    text = part.name[11:]
    return int(text) if text.isdecimal() else 0
