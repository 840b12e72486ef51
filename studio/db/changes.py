"""What a transaction changed: noted inside of it, told to whoever watches after its commit.

A function that is undone takes its notes along; see `session`. Notes are values of the rooms that
make them, and must cost next to nothing: every write makes some.
"""

from typing import Any

from sqlalchemy import Connection

_NAME = "changes"


def note(connection: Connection, what: object) -> None:
    """Remember `what` until the transaction is over."""
    _noted(connection).append(what)


def count(connection: Connection) -> int:
    """How much is noted so far, for `undo`."""
    return len(_noted(connection))


def undo(connection: Connection, count: int) -> None:
    """Forget what was noted after the first `count`."""
    del _noted(connection)[count:]


def taken(connection: Connection) -> list[object]:
    """What was noted, once."""
    noted: list[object] = connection.info.pop(_NAME, [])
    return noted


def _noted(connection: Connection) -> list[Any]:
    noted: list[Any] = connection.info.setdefault(_NAME, [])
    return noted
