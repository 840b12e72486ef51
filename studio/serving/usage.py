"""How much each key of an application was used, by days of UTC: counted in memory, saved every
second.

A router that is killed loses the last second. Days are numbered from 1970-01-01 on.
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from studio import durable
from studio.serving.outside import Period

_SAVE_SECONDS = 1.0
_KEPT_DAYS = 62
_EPOCH = date(1970, 1, 1)

ADMITTED, THROTTLED, OVER = range(3)
"""What is counted: requests that were let in, those that came too fast, those over the quota."""


def path(home: Path) -> Path:
    """The file of a home's router."""
    return home / "router" / "usage.json"


def today(at: float) -> int:
    """The day at a time in seconds since 1970."""
    return int(at // 86_400)


def span(period: Period, day: int) -> tuple[int, int]:
    """First day of the period that `day` is in, and of the next. Weeks begin on Mondays."""
    at = _EPOCH + timedelta(day)
    if period == "Day":
        return day, day + 1
    if period == "Week":
        first = day - at.weekday()
        return first, first + 7
    first_of = at.replace(day=1)
    following = (first_of + timedelta(32)).replace(day=1)
    return (first_of - _EPOCH).days, (following - _EPOCH).days


def read(home: Path) -> "Book":
    """What a home's router has written last."""
    try:
        known = json.loads(path(home).read_bytes())
        return Book({key: Uses.of(it) for key, it in known["keys"].items()})
    except FileNotFoundError:
        return Book({})
    except (ValueError, KeyError, TypeError, AttributeError):
        return Book({})  # a disk that lost it: nothing that could be asked for it is there


class Uses:
    """Of one key: day -> counts, and when it was used last (UTC milliseconds, 0: never)."""

    __slots__ = ("days", "last_at")

    def __init__(self, days: dict[int, list[int]], last_at: int) -> None:
        self.days = days
        self.last_at = last_at

    @classmethod
    def of(cls, known: dict[str, Any]) -> "Uses":
        """Of a document."""
        days = {int(day): [int(it) for it in counts] for day, counts in known["days"].items()}
        return cls(days, int(known["last_at"]))

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"days": {str(day): it for day, it in self.days.items()}, "last_at": self.last_at}

    def since(self, first: int) -> int:
        """Requests that were let in from that day on."""
        return sum(counts[ADMITTED] for day, counts in self.days.items() if day >= first)


class Book:
    """Uses of all keys, by their ids."""

    def __init__(self, keys: dict[str, Uses]) -> None:
        self.keys = keys

    def of(self, key_id: str) -> Uses:
        """Of one key; it may never have been used."""
        found = self.keys.get(key_id)
        if found is None:
            found = self.keys[key_id] = Uses({}, 0)
        return found

    def document(self, day: int) -> dict[str, Any]:
        """As JSON, without the days that are long past, and without keys that nobody uses."""
        for key, uses in list(self.keys.items()):
            for old in [each for each in uses.days if each <= day - _KEPT_DAYS]:
                del uses.days[old]
            if not uses.days:
                del self.keys[key]
        return {"keys": {key: uses.document() for key, uses in self.keys.items()}}


class Usage:
    """The router's: `count`, `tick` now and then, `close` at the end."""

    def __init__(self, home: Path) -> None:
        self._path = path(home)
        self.book = read(home)
        self._begun: dict[str, list[int]] = {}
        self._lock = threading.Lock()
        self._due = 0.0
        self._news = self._closed = False
        self._taken = self._saved = 0

    def count(self, key_id: str, what: int, at: float) -> None:
        """One request of a key; `at` in seconds since 1970."""
        uses = self.book.of(key_id)
        for counts in (
            uses.days.setdefault(today(at), [0, 0, 0]),
            self._begun.setdefault(key_id, [0, 0, 0]),
        ):
            counts[what] += 1
        uses.last_at = int(at * 1000)
        self._news = True

    def totals(self, names: Mapping[str, str]) -> Iterator[tuple[str, list[int]]]:
        """(name, counts since the router began) of each key of `names`, id -> name."""
        return ((name, self._begun.get(key, [0, 0, 0])) for key, name in names.items())

    def tick(self, now: float) -> None:
        """Save what is new, on another thread; `now` is the monotonic clock's."""
        if self._news and now >= self._due and not self._closed:
            self._due = now + _SAVE_SECONDS
            asyncio.get_running_loop().run_in_executor(None, self._save, *self._text())

    def close(self) -> None:
        """Save the rest. What is counted afterwards is not saved: a successor may have begun."""
        if self._news and not self._closed:
            self._save(*self._text())
        self._closed = True

    def _text(self) -> tuple[int, bytes]:
        self._news = False
        self._taken += 1
        return self._taken, json.dumps(self.book.document(today(time.time()))).encode()

    def _save(self, number: int, text: bytes) -> None:
        with self._lock:
            if number < self._saved:
                return  # a later one was faster
            self._saved = number
            try:
                durable.write_bytes(self._path, text)
            except OSError:
                self._news = True  # a full disk must not stop the traffic
