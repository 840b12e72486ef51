"""What a query asks for and nobody has: it is asked all the same, for it may come."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from studio.db.experiment_tables import FIELD
from studio.experiments.query.scope import Scope, plain
from studio.experiments.query.syntax import Condition, Field, Value, fields
from studio.experiments.query.vocabulary import written

_LOOKED_AT, _LONGEST, _MEANT = 1_000, 100, 10
"""Names that may be meant, and the characters of one; fields that they are looked for: a hundredth
of a second is gone when two names of the greatest length are compared."""


@dataclass(frozen=True)
class Problem:
    """`start` and `end` are places in the query, in characters."""

    message: str
    start: int
    end: int


def warnings(
    connection: Connection, scope: Scope, nodes: Iterable[Condition | Value]
) -> list[Problem]:
    """The fields that no trial component has, each with a name that may be meant."""
    asked = [field for node in nodes for field in fields(node) if field.kind != "attribute"]
    known = scope.numbers(connection, asked)
    unknown = [it for it in asked if plain(it) not in known]
    return [
        Problem(_told(plain(it), _meant(connection, scope, it) if at < _MEANT else None), *it.place)
        for at, it in enumerate(unknown)
    ]


def _told(unknown: Field, meant: Field | None) -> str:
    text = f"No trial component has {written(unknown)}"
    return f"{text}; did you mean {written(meant)}?" if meant else f"{text}."


def _meant(connection: Connection, scope: Scope, field: Field) -> Field | None:
    """Of the same name, or of a name that is near."""
    named = (Field("metric", field.name), Field("parameter", field.name), Field("tag", field.name))
    if others := scope.numbers(connection, named):
        return next(iter(others))
    if len(field.name) > _LONGEST:
        return None
    names = select(FIELD.c.name).where(
        FIELD.c.account == scope.account,
        FIELD.c.region == scope.region,
        FIELD.c.kind == field.kind,
        func.length(FIELD.c.name) <= _LONGEST,
    )
    found = connection.execute(names.limit(_LOOKED_AT)).scalars()
    near = difflib.get_close_matches(field.name, found, 1)
    return Field(field.kind, near[0]) if near else None
