"""How long a server that does not answer is waited for."""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from studio.db.failures import Unavailable

# An empty statement takes no time: a server that is later than that does not answer now, and for
# a moment nobody else need wait to find that out.
_ANSWER_SECONDS = 1.5
_AWAY_SECONDS = 1.0
_LATE = "PostgreSQL, which is late"


class Patience:
    """With one PostgreSQL, shared by all who ask it."""

    def __init__(self) -> None:
        self._late_until = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """After something failed that took long, Unavailable at once for a moment."""
        began = time.monotonic()
        if began < self._late_until:
            raise Unavailable(_LATE)
        try:
            yield
        except Exception:
            if time.monotonic() - began >= _ANSWER_SECONDS:
                self._late_until = time.monotonic() + _AWAY_SECONDS
            raise

    def ask(self, connection: Any) -> None:
        """An empty statement on psycopg's idle `pgconn`. Raises Unavailable when it is not
        answered in time, psycopg's own errors when nobody is there."""
        with self.measured():
            connection.send_query(b"")
            connection.flush()
            self._await(connection)

    def _await(self, connection: Any) -> None:
        end, answer = time.monotonic() + _ANSWER_SECONDS, select.poll()
        answer.register(connection.socket, select.POLLIN)
        while True:
            while connection.is_busy():
                if not answer.poll(max(end - time.monotonic(), 0) * 1000):
                    raise Unavailable(_LATE)
                connection.consume_input()
            if connection.get_result() is None:
                return
