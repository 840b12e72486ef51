"""What a container says, copied to the log of its run: all of it, once, whoever is killed.

The engine tells it from the beginning, as often as it is asked; how much of that the log has says
how long the log is. An engine before 23 ends its stream a moment too early: what comes last is
asked for once more.
"""

import array
import fcntl
import os
import sys
import termios
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from studio.runners.docker.engine import Engine, EngineError, EngineGone

_REMEMBERED = 1_000
_TAIL = 1_000
_GONE_SECONDS = 20.0
_PAUSE_SECONDS = 0.25


class Speech:
    """That of one container. Our standard output is the pipe to `log`."""

    def __init__(self, engine: Engine, name: str, log: Path) -> None:
        self._engine, self._name, self._log = engine, name, log
        self._over = threading.Event()
        self._thread = threading.Thread()
        self._last = (b"", 0)
        """When it said something last, and how many messages of that moment."""
        self.said = b""
        """The end of it."""

    def follow(self) -> None:
        """Copy it while it is said; once more after a stream that has come to its end."""
        if not self._thread.is_alive():
            self._thread = threading.Thread(target=self._follow, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """The container has ended: until all is copied."""
        self._over.set()
        self._thread.join()
        try:
            self._copy_rest()
        except (EngineError, EngineGone) as error:
            print(f"end of {self._name} not read: {error}", file=sys.stderr)  # noqa: T201

    def _follow(self) -> None:
        """However often the engine breaks off."""
        given_up = float("inf")
        while time.monotonic() < given_up:
            try:
                self._copy(follow=1)
                return
            except EngineGone:
                if self._over.wait(_PAUSE_SECONDS):
                    given_up = min(given_up, time.monotonic() + _GONE_SECONDS)
                    time.sleep(_PAUSE_SECONDS)
            except EngineError as error:
                print(f"log of {self._name} not read: {error}", file=sys.stderr)  # noqa: T201
                return

    def _copy(self, follow: int) -> None:
        """From where the log ends."""
        self._pour(self._messages(follow=follow))

    def _pour(self, messages: Iterable[tuple[bytes, bytes]]) -> None:
        """What is not in the log yet of all that was said."""
        skip, self._last = _written(self._log), (b"", 0)
        for at, said in messages:
            self._last = at, (self._last[1] + 1 if at == self._last[0] else 1)
            self._say(said, skip)
            skip = max(0, skip - len(said))

    def _copy_rest(self) -> None:
        """What was said after the last message that has come."""
        window = list(self._messages(tail=_TAIL))
        at, count = self._last
        begin = _begin([time for time, _ in window], at)
        if begin:
            self._say(b"".join(said for _, said in window[begin + count :]))
        elif len(window) < _TAIL:
            self._pour(window)  # no more was said
        else:
            self._copy(follow=0)  # all of the window is one line

    def _messages(self, **query: int) -> Iterator[tuple[bytes, bytes]]:
        both = {"stdout": 1, "stderr": 1, **query}
        return self._engine.messages(f"/containers/{self._name}/logs", both)

    def _say(self, said: bytes, skip: int = 0) -> None:
        self.said = (self.said + said)[-_REMEMBERED:]
        new = said[skip:]
        while new:
            new = new[os.write(1, new) :]


def _begin(times: list[bytes], at: bytes) -> int:
    """Where the last messages of a moment begin; 0 also when none is of it."""
    if at not in times:
        return 0
    begin = len(times) - times[::-1].index(at)
    while begin and times[begin - 1] == at:
        begin -= 1
    return begin


def _written(log: Path) -> int:
    """Bytes of the log, once all that lies in the pipe to it has arrived there."""
    waiting = array.array("i", [1])
    while True:
        fcntl.ioctl(1, termios.FIONREAD, waiting)
        if not waiting[0]:
            return log.stat().st_size
        time.sleep(0.005)
