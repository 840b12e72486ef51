"""The names that components have values under, and the numbers that stand for them.

Parameters, metrics and tags are fields. A field's number never changes, and is never used again.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Literal, NamedTuple

from sqlalchemy import Connection, bindparam, select

from studio.db.experiment_tables import FIELD

Kind = Literal["parameter", "metric", "tag"]

_PAGE = 500
_FIND = select(FIELD.c.digest, FIELD.c.id).where(
    FIELD.c.digest.in_(bindparam("digests", expanding=True))
)


class Field(NamedTuple):
    """What a value is called, and where. `kind`: parameter, metric or tag."""

    account: str
    region: str
    kind: Kind
    name: str

    @property
    def digest(self) -> str:
        """A text of 32 characters that no other field has."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()[:32]


def text(given: str) -> str:
    """As a name or a value is stored: PostgreSQL has no place for a NUL."""
    return given.replace("\0", "\ufffd")


def value_id(field: int, component: int) -> int:
    """The id of the value, or of the summary and the series, of a field of a component."""
    return field << 32 | component


def find(connection: Connection, fields: Iterable[Field]) -> dict[Field, int]:
    """The numbers of those of the fields that some component ever had."""
    wanted = {each.digest: each for each in fields}
    digests = list(wanted)
    found: dict[Field, int] = {}
    for first in range(0, len(digests), _PAGE):
        page = {"digests": digests[first : first + _PAGE]}
        found |= {wanted[digest]: number for digest, number in connection.execute(_FIND, page)}
    return found


def made(connection: Connection, fields: Iterable[Field]) -> dict[Field, int]:
    """The numbers of all the fields; the new ones are stored. Inside a write."""
    wanted = list(dict.fromkeys(fields))
    found = find(connection, wanted)
    new = [each for each in wanted if each not in found]
    if new:
        rows = [{"digest": each.digest, **each._asdict()} for each in new]
        connection.execute(FIELD.insert(), rows)
        found |= find(connection, new)
    return found
