"""Captured requests and answers: files of AWS's JSON Lines, which wait to be stored in S3.

Below `router/capture/<record>` lies each file where its object will lie below the destination:
`<endpoint>/<variant>/yyyy/mm/dd/hh/MM-SS-mmm-<uuid>.jsonl`, by the time of the first request in it.
A file that may still grow has a hidden name. Beside them `capture.json` says where they belong, and
counts.
"""

import base64
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from studio.serving.frames import Frame

_LARGEST_FILE = 8 * 2**20
_SHORTEST_SECONDS, _LONGEST_SECONDS = 2.0, 60.0
_STATE_SECONDS = 1.0
_MOST_BYTES = 2**30
"""Of all files that nobody has stored; then the oldest go."""


def folder(home: Path) -> Path:
    """Where captured files wait."""
    return home / "router" / "capture"


def finished(record: Path) -> Iterator[Path]:
    """The files of a record that grow no more, oldest first."""
    return iter(sorted(record.glob("*/*/*/*/*/*/[!.]*.jsonl")))


def counts(home: Path, record: str) -> dict[str, Any]:
    """Events of a record that were `captured`, `dropped` before they were written, and `lost`
    because nobody stored them; `at`: when the last came, UTC milliseconds."""
    return _known(folder(home) / record / "capture.json")


def line(frame: Frame) -> bytes:
    """An event as AWS writes it."""
    about, said = frame.about, frame.said
    data = {}
    for name, mode in (("input", "INPUT"), ("output", "OUTPUT")):
        if about[name]:
            body = frame.bodies[mode == "OUTPUT"]
            text, encoding = _encoded(body, said[name], about)
            data[f"endpoint{name.title()}"] = {
                "observedContentType": said[name],
                "mode": mode,
                "data": text,
                "encoding": encoding,
            }
    at = datetime.fromtimestamp(said["at"], UTC)
    event: dict[str, Any] = {"eventId": said["event"]}
    if said["attributes"] is not None:
        event["customAttributes"] = [said["attributes"]]
    if said["inference"] is not None:
        event["inferenceId"] = said["inference"]
    event["inferenceTime"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    document = {"captureData": data, "eventMetadata": event, "eventVersion": "0"}
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _encoded(body: bytes, content_type: str, about: dict[str, Any]) -> tuple[str, str]:
    """Text for the content types that are named, else, and for what is none, base64."""
    kind = content_type.partition(";")[0].strip().lower()
    for name, encoding in (("csv", "CSV"), ("json", "JSON")):
        if kind in about[name]:
            try:
                return body.decode(), encoding
            except UnicodeDecodeError:
                break
    return base64.b64encode(body).decode(), "BASE64"


class Captures:
    """`take` frames; `tick` hands files over when it is time."""

    def __init__(self, home: Path) -> None:
        self._folder = folder(home)
        self._files: dict[tuple[str, str, str], _File] = {}
        self._spans: dict[tuple[str, str], tuple[float, float]] = {}
        self._records: dict[str, _Record] = {}
        self._size = self._adopt()

    @property
    def waits(self) -> bool:
        """Whether there is anything to do later."""
        return bool(self._files) or any(record.news for record in self._records.values())

    def take(self, frame: Frame) -> None:
        record = self._record(frame)
        if dropped := frame.said.get("dropped"):
            record.count(dropped=dropped)
            return
        at = datetime.fromtimestamp(frame.said["at"], UTC)
        variant, hour = frame.about["variant"], f"{at:%Y/%m/%d/%H}"
        key = (record.name, variant, hour)
        try:
            file = self._files.get(key)
            if file is None:
                above = self._folder / record.name / frame.about["endpoint"] / variant / hour
                span = self._span(key[:2], frame.said["at"])
                file = self._files[key] = _File(above, at, span)
            file.write(line(frame))
        except OSError:  # a full disk
            record.count(dropped=1)
            return
        record.count(captured=1)
        if file.size > _LARGEST_FILE:
            self._finish(key)

    def tick(self, now: float) -> None:
        """`now` is the time in seconds since 1970."""
        for key, file in list(self._files.items()):
            if now >= file.due:
                self._finish(key)
        for record in self._records.values():
            record.tick(now)

    def close(self) -> None:
        """Hand all files over."""
        for key in list(self._files):
            self._finish(key)
        for record in self._records.values():
            record.save()

    def _record(self, frame: Frame) -> "_Record":
        name = frame.about["record"]
        record = self._records.get(name)
        if record is None:
            record = self._records[name] = _Record(self._folder / name, frame.about)
        return record

    def _span(self, of: tuple[str, str], at: float) -> float:
        """Seconds that a file may grow: the first after a pause is there soon, while of steady
        traffic few files come."""
        before, last = self._spans.get(of, (0.0, 0.0))
        pause = at - last > 2 * _LONGEST_SECONDS
        span = _SHORTEST_SECONDS if pause else min(2 * before, _LONGEST_SECONDS)
        self._spans[of] = (span, at)
        return span

    def _finish(self, key: tuple[str, str, str]) -> None:
        file = self._files.pop(key)
        file.finish()
        self._size += file.size
        if self._size > _MOST_BYTES:
            self._make_room()

    def _adopt(self) -> int:
        """Finish what a killed recorder left; bytes of all that waits."""
        for left in self._folder.rglob(".*.jsonl"):
            data = left.read_bytes()
            os.truncate(left, data.rfind(b"\n") + 1)
            left.rename(left.with_name(left.name[1:]))
        return sum(each.stat().st_size for each in self._folder.rglob("[!.]*.jsonl"))

    def _make_room(self) -> None:
        """Of what nobody stores the oldest goes. Files are also taken away by who stores them."""
        waiting = []
        for path in self._folder.rglob("[!.]*.jsonl"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            waiting.append((status.st_mtime_ns, status.st_size, path))
        self._size = sum(size for _, size, _ in waiting)
        for _, size, path in sorted(waiting):
            if self._size <= _MOST_BYTES // 2:
                break
            name = path.relative_to(self._folder).parts[0]
            if name in self._records:
                self._records[name].count(lost=path.read_bytes().count(b"\n"))
            path.unlink(missing_ok=True)
            self._size -= size


class _File:
    """A file that grows, line by line."""

    def __init__(self, above: Path, at: datetime, span: float) -> None:
        above.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._name = f"{at:%M-%S}-{at.microsecond // 1000:03}-{uuid4()}.jsonl"
        self._above = above
        self._path = above / f".{self._name}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o600)
        self.due = time.time() + span
        self.size = 0

    def write(self, data: bytes) -> None:
        """All of it, or OSError and nothing."""
        written = os.write(self._fd, data)
        if written < len(data):
            os.ftruncate(self._fd, self.size)
            raise OSError("the disk is full")
        self.size += written

    def finish(self) -> None:
        os.close(self._fd)
        if self.size:
            self._path.rename(self._above / self._name)
        else:
            self._path.unlink(missing_ok=True)


class _Record:
    """What `capture.json` of a record says."""

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name = folder.name
        self._path = folder / "capture.json"
        belongs = {name: about[name] for name in ("destination", "role", "owner")}
        self._state = _known(self._path) | belongs
        self.news = True
        self._saved = 0.0
        self.save()  # who stores the files has to know where they belong

    def count(self, captured: int = 0, dropped: int = 0, lost: int = 0) -> None:
        self._state["captured"] += captured
        self._state["dropped"] += dropped
        self._state["lost"] += lost
        self._state["at"] = time.time_ns() // 1_000_000
        self.news = True

    def tick(self, now: float) -> None:
        if self.news and now - self._saved > _STATE_SECONDS:
            self._saved = now
            self.save()

    def save(self) -> None:
        replace(self._path, self._state)
        self.news = False


def replace(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON document that a reader finds whole; not to be had is no trouble."""
    temporary = path.with_name(f".{path.name}")
    try:
        temporary.write_text(json.dumps(value))
        temporary.replace(path)
    except OSError:
        pass  # a full disk: said again with the next


def _known(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError):
        known = None
    nothing = {"captured": 0, "dropped": 0, "lost": 0, "at": 0}
    return nothing | known if isinstance(known, dict) else nothing
