"""What is known of the arms of tests of two variants, inside the transactions of others.

The router says which variant answered which InferenceId, a client says what came of it; whichever
comes second adds the value to the sums of its arm, in the transaction that stores it: once.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from studio.db.tables import TEST_ANSWER, TEST_ARM
from studio.experiments.sequential import Sample

_PAGE = 500
_SWEPT = 5_000
_ALL = 2**62
_OVER = -1

# Made once: to make a statement costs more than to run it.
_MINE = (TEST_ARM.c.test_id == bindparam("test"), TEST_ARM.c.variant == bindparam("arm"))
_ADD = (
    TEST_ARM.update()
    .where(*_MINE)
    .values(
        {
            name: TEST_ARM.c[name] + bindparam(f"more_{name}")
            for name in (
                "requests",
                "errors",
                "feedbacks",
                "late",
                "log_sum",
                "log_squares",
                "value_sum",
                "value_squares",
            )
        }
    )
)
_WINDOW = select(TEST_ARM.c.window_ms).where(TEST_ARM.c.test_id == bindparam("test")).limit(1)
_KNOWN = select(TEST_ANSWER).where(
    TEST_ANSWER.c.test_id == bindparam("test"),
    TEST_ANSWER.c.digest.in_(bindparam("digests", expanding=True)),
)
_ANSWER = (TEST_ANSWER.c.test_id == bindparam("test"), TEST_ANSWER.c.digest == bindparam("it"))
_ATTRIBUTE = (
    TEST_ANSWER.update().where(*_ANSWER).values(variant=bindparam("arm"), at=bindparam("when"))
)
_VALUE = (
    TEST_ANSWER.update().where(*_ANSWER).values(value=bindparam("said"), value_at=bindparam("when"))
)


@dataclass(frozen=True)
class Tally:
    """Counts and sums of an arm; logarithms are of microseconds, of the `requests` that were no
    `errors`. `late`: feedback that came when it did not count any more."""

    requests: int = 0
    errors: int = 0
    feedbacks: int = 0
    late: int = 0
    log_sum: float = 0.0
    log_squares: float = 0.0
    value_sum: float = 0.0
    value_squares: float = 0.0

    def sample(self, metric: str) -> Sample:
        """The values that a metric has of this arm."""
        if metric == "Errors":
            return Sample(self.requests, self.errors, self.errors, binary=True)
        if metric == "ModelLatency":
            return Sample(self.requests - self.errors, self.log_sum, self.log_squares)
        binary = metric == "Conversion"
        return Sample(self.feedbacks, self.value_sum, self.value_squares, binary)


@dataclass(frozen=True)
class Answered:
    """What a router noted of one arm since it wrote last; `at` in UTC milliseconds."""

    test: str
    variant: str
    at: int
    tally: Tally
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Feedback:
    """What a client says of an answer; `at` in UTC milliseconds."""

    inference_id: str
    value: float
    at: int


def begin(connection: Connection, test: str, variants: Iterable[str], window: int) -> None:
    """A test has these arms. Feedback counts up to `window` milliseconds after its answer."""
    nothing = vars(Tally())
    rows = [{"test_id": test, "variant": it, "window_ms": window, **nothing} for it in variants]
    connection.execute(TEST_ARM.insert(), rows)


def tallies(connection: Connection, test: str) -> dict[str, Tally]:
    """The arms of a test, by variant."""
    found = connection.execute(select(TEST_ARM).where(TEST_ARM.c.test_id == test))
    names = [each.name for each in fields(Tally)]
    return {
        row["variant"]: Tally(**{name: row[name] for name in names}) for row in found.mappings()
    }


def answered(connection: Connection, noted: Answered) -> None:
    """Take what a router noted; of a test that has ended nothing is taken."""
    window = _window(connection, noted.test)
    if window is None:
        return
    _add(connection, noted.test, noted.variant, noted.tally)
    digests = list(dict.fromkeys(map(_digest, noted.ids)))
    fresh: list[dict[str, Any]] = []
    told: list[tuple[float, bool]] = []
    for page in _pages(digests):
        known = _known(connection, noted.test, page)
        for digest in page:
            row = known.get(digest)
            if row is None:
                fresh.append(_row(noted.test, digest, noted.at, variant=noted.variant))
            elif row["variant"] is None:
                told.append((row["value"], row["value_at"] - noted.at > window))
                named = {"test": noted.test, "it": digest}
                values = {"arm": noted.variant, "when": noted.at}
                connection.execute(_ATTRIBUTE, {**named, **values})
    if fresh:
        connection.execute(TEST_ANSWER.insert(), fresh)
    _add(connection, noted.test, noted.variant, _summed(told))


def fed_back(
    connection: Connection, test: str, entries: Sequence[Feedback], now: int
) -> int | None:
    """Store what clients say of answers; how many were not known yet, None when the test has ended.
    Of one answer the first word counts."""
    window = _window(connection, test)
    if window is None:
        return None
    first: dict[bytes, Feedback] = {}
    for entry in entries:
        first.setdefault(_digest(entry.inference_id), entry)
    fresh: list[dict[str, Any]] = []
    told: dict[str, list[tuple[float, bool]]] = {}
    accepted = 0
    for page in _pages(list(first)):
        known = _known(connection, test, page)
        for digest in page:
            row, entry = known.get(digest), first[digest]
            if row is None:
                fresh.append(_row(test, digest, now, value=entry.value, value_at=entry.at))
            elif row["value"] is None:
                late = entry.at - row["at"] > window
                told.setdefault(row["variant"], []).append((entry.value, late))
                values = {"said": entry.value, "when": entry.at}
                connection.execute(_VALUE, {"test": test, "it": digest, **values})
            else:
                continue
            accepted += 1
    if fresh:
        connection.execute(TEST_ANSWER.insert(), fresh)
    for variant, pairs in told.items():
        _add(connection, test, variant, _summed(pairs))
    return accepted


def end(connection: Connection, test: str) -> None:
    """Nothing more is taken of a test; `retain` forgets its answers, which are many."""
    ended = TEST_ARM.update().where(TEST_ARM.c.test_id == test)
    connection.execute(ended.values(window_ms=_OVER))


def drop(connection: Connection, test: str) -> None:
    """Forget the arms of a test that is deleted."""
    connection.execute(delete(TEST_ARM).where(TEST_ARM.c.test_id == test))


def retain(connection: Connection, now: int) -> bool:
    """Forget answers of which no feedback counts any more, some thousand at a time; whether there
    may be others."""
    windows = select(TEST_ARM.c.test_id, TEST_ARM.c.window_ms).where(TEST_ARM.c.window_ms > _OVER)
    due = [(test, now - window) for test, window in connection.execute(windows.distinct())]
    running = TEST_ANSWER.c.test_id.in_([test for test, _ in due])
    ended = connection.execute(select(TEST_ANSWER.c.test_id).where(~running).limit(1)).scalar()
    due += [(ended, _ALL)] if ended else []
    return any([_expired(connection, *each) for each in due]) or ended is not None


def _expired(connection: Connection, test: str, before: int) -> bool:
    old = (TEST_ANSWER.c.test_id == test, TEST_ANSWER.c.at < before)
    digests = connection.execute(select(TEST_ANSWER.c.digest).where(*old).limit(_SWEPT)).scalars()
    for page in _pages(list(digests)):
        mine = (TEST_ANSWER.c.test_id == test, TEST_ANSWER.c.digest.in_(page))
        connection.execute(delete(TEST_ANSWER).where(*mine))
    return connection.execute(select(TEST_ANSWER.c.digest).where(*old).limit(1)).first() is not None


def _window(connection: Connection, test: str) -> int | None:
    """In milliseconds; None when the test has ended."""
    found: int | None = connection.execute(_WINDOW, {"test": test}).scalar()
    return None if found == _OVER else found


def _add(connection: Connection, test: str, variant: str, more: Tally) -> None:
    values = {f"more_{name}": value for name, value in vars(more).items()}
    connection.execute(_ADD, {"test": test, "arm": variant, **values})


def _summed(told: Sequence[tuple[float, bool]]) -> Tally:
    """Of values, each with whether it was too late."""
    values = [value for value, late in told if not late]
    return Tally(
        feedbacks=len(values),
        late=len(told) - len(values),
        value_sum=sum(values),
        value_squares=sum(value * value for value in values),
    )


def _known(
    connection: Connection, test: str, page: Sequence[bytes]
) -> dict[bytes, Mapping[Any, Any]]:
    found = connection.execute(_KNOWN, {"test": test, "digests": list(page)})
    return {bytes(row["digest"]): row for row in found.mappings()}


def _row(test: str, digest: bytes, at: int, **more: object) -> dict[str, Any]:
    nothing = {"variant": None, "value": None, "value_at": None}
    return {"test_id": test, "digest": digest, "at": at, **nothing, **more}


def _digest(inference_id: str) -> bytes:
    """Short, and nothing of what clients put into their ids."""
    return hashlib.blake2b(inference_id.encode(), digest_size=16).digest()


def _pages(all_: list[bytes]) -> Iterable[list[bytes]]:
    return (all_[at : at + _PAGE] for at in range(0, len(all_), _PAGE))
