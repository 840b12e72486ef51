"""The last events, so that a listener whose connection broke misses nothing."""

import re
import secrets
import threading
from collections import deque
from dataclasses import dataclass

from studio.db.resources import Resource
from studio.identity.authority import Ask

_EVENTS = 8_192
_ID = re.compile(r"([0-9a-f]{12})-(\d{1,15})")

Subject = Resource | str | Ask
"""What an event is about, and the right to see it hangs on: a resource, a bucket's name, or what
one asks for to see it."""


@dataclass(frozen=True)
class Event:
    """`data` is the JSON of its document, in one line."""

    type: str
    data: bytes
    subject: Subject


Numbered = tuple[int, Event]


class Ring:
    """Numbers events and keeps the last of them. For several threads.

    The epoch is another in each process: what was numbered before is not known here.
    """

    def __init__(self, size: int = _EVENTS) -> None:
        self._epoch = secrets.token_hex(6)
        self._kept: deque[Event] = deque(maxlen=size)
        self._last = 0
        self._lock = threading.Lock()

    @property
    def last(self) -> int:
        """The number of the last event, kept or not."""
        return self._last

    def add(self, events: list[Event]) -> list[Numbered]:
        with self._lock:
            first = self._last + 1
            self._kept.extend(events)
            self._last += len(events)
        return list(enumerate(events, first))

    def skip(self) -> None:
        """Something happened that nobody was there to be told: whoever comes back starts anew."""
        with self._lock:
            self._kept.clear()
            self._last += 1

    def after(self, last_id: str) -> tuple[int, list[Numbered] | None]:
        """The number of the last event, and those after the one that `last_id` names: None when
        they are not all here, or no such id was given out."""
        match = _ID.fullmatch(last_id)
        with self._lock:
            oldest = self._last - len(self._kept)  # the last that is gone
            known = int(match[2]) if match and match[1] == self._epoch else -1
            if not oldest <= known <= self._last:
                return self._last, None
            events = list(self._kept)[known - oldest :]
            return self._last, list(enumerate(events, known + 1))

    def frame(self, number: int, event: str, data: bytes) -> bytes:
        """An event as server-sent events are written."""
        head = f"id: {self._epoch}-{number}\nevent: {event}\ndata: "
        return head.encode() + data + b"\n\n"
