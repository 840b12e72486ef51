"""Queries for trial components: windows, groups, and what is wrong with a query."""

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

from sqlalchemy.exc import DBAPIError

from studio.api import store
from studio.api.registry import Context, operation
from studio.db import functions
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.experiments.query import columns, groups, parser, syntax, windows
from studio.experiments.query.columns import Column
from studio.experiments.query.groups import Asked, Group, Key, Statistics
from studio.experiments.query.scope import Scope
from studio.experiments.query.syntax import Value
from studio.experiments.query.tokens import QueryError, quoted
from studio.experiments.query.vocabulary import type_of, written
from studio.experiments.query.warnings import Problem, warnings

_SECONDS = 5.0
_USUAL = 100
_MOST_MEASURED = 200


@operation("studio", "CheckQuery")
def check_query(ctx: Context, request: Doc) -> Doc:
    try:
        asked = parser.condition(request["Query"])
    except QueryError as error:
        problem = Problem(error.message, error.start, error.end)
        return {"Errors": _problems([problem]), "Warnings": [], "Fields": []}
    with ctx.db.read() as connection:
        found = warnings(connection, scope(ctx), [asked])
    named = dict.fromkeys(map(written, syntax.fields(asked)))
    return {"Errors": [], "Warnings": _problems(found), "Fields": list(named)}


@operation("studio", "QueryTrialComponents")
def query_trial_components(ctx: Context, request: Doc) -> Doc:
    with told():
        asked = parser.condition(request.get("Query", ""))
        shown = [_value(text) for text in request.get("Fields", [])]
        orders = [
            (_value(it["Field"]), it.get("Order") == "Descending")
            for it in request.get("SortBy", [])
        ]
        place = request.get("Offset", 0), request.get("Limit", _USUAL)
        whose = scope(ctx)
        with ctx.db.read() as connection:
            window = windows.window(connection, whose, asked, orders, place, request.get("Names"))
            numbers = [it.number for it in window.found]
            cells = columns.columns(connection, whose, numbers, shown)
            unknown = warnings(connection, whose, [asked])
    return {
        "Total": window.total,
        "Matched": window.matched,
        "Names": [it.name for it in window.found],
        "Arns": [it.arn for it in window.found],
        "DisplayNames": [it.display_name for it in window.found],
        "Statuses": [it.status for it in window.found],
        "Columns": [
            _column(text, column)
            for text, column in zip(request.get("Fields", []), cells, strict=True)
        ],
        "Warnings": _problems(unknown),
    }


@operation("studio", "GroupTrialComponents")
def group_trial_components(ctx: Context, request: Doc) -> Doc:
    texts = request.get("Fields", [])
    if len(texts) > _MOST_MEASURED:
        raise ValidationException(f"Statistics are of at most {_MOST_MEASURED} fields.")
    place = request.get("Offset", 0), request.get("Limit", _USUAL)
    with told():
        asked = Asked(
            parser.condition(request.get("Query", "")),
            tuple(map(_value, request["GroupBy"])),
            tuple(map(_value, texts)),
            names=request.get("Names"),
        )
        asked = _ordered(asked, request.get("SortBy", []))
        with ctx.db.read() as connection:
            found = groups.grouped(connection, scope(ctx), asked, place)
            unknown = warnings(connection, scope(ctx), [asked.condition])
    return {
        "Total": found.total,
        "Matched": found.matched,
        "Groups": [
            {
                "Keys": [_key(key) for key in it.keys],
                "Count": it.count,
                "Query": _query(request.get("Query", ""), asked.by, request["GroupBy"], it),
            }
            for it in found.found
        ],
        "Statistics": [
            _statistics(text, [it.statistics[number] for it in found.found])
            for number, text in enumerate(texts)
        ],
        "Warnings": _problems(unknown),
    }


def scope(ctx: Context) -> Scope:
    """Whose trial components the caller sees."""
    shown = store.scope(ctx, "experiment-trial-component")
    return Scope(shown["account"], shown["region"], shown.get("owner"), ctx.now())


@contextmanager
def told() -> Iterator[None]:
    """Makes a ValidationException of what is wrong with a query; patterns get so much time."""
    try:
        with functions.limited(_SECONDS):
            yield
    except QueryError as error:
        where = f"(characters {error.start} to {error.end})"
        raise ValidationException(f"{error.message} {where}") from error
    except TimeoutError as error:
        text = "A regular expression of the query takes too long: make it simpler."
        raise ValidationException(text) from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _OF_PATTERNS:
            raise
        text = "The database does not know a regular expression of the query, or takes too long."
        raise ValidationException(text) from error


# PostgreSQL: invalid regular expression, statement timeout.
_OF_PATTERNS = ("2201B", "57014")


@lru_cache(maxsize=2_000)  # a table asks for the same columns again and again
def _value(text: str) -> Value:
    try:
        return parser.value(text)
    except QueryError as error:
        raise QueryError(f"{text!r}: {error.message}", error.start, error.end) from error


def _problems(found: Sequence[Problem]) -> list[Doc]:
    return [{"Message": it.message, "Start": it.start, "End": it.end} for it in found]


def _column(text: str, column: Column) -> Doc:
    found: Doc = {"Field": text}
    if (numbers := column.packed_numbers()) is not None:
        found["Numbers"] = numbers
    if (texts := column.packed_texts()) is not None:
        found["Texts"], found["Codes"] = texts
    return found


def _ordered(asked: Asked, sorts: list[Doc]) -> Asked:
    """With its order. Raises ValidationException for what is neither a key nor measured."""
    orders: list[tuple[Value | str, bool]] = []
    for it in sorts:
        value = groups.COUNT if it["Field"] == groups.COUNT else _value(it["Field"])
        if value not in (groups.COUNT, *asked.by, *asked.of):
            text = f"Groups are sorted by count, or by one of GroupBy or Fields: {it['Field']!r}."
            raise ValidationException(text)
        orders.append((value, it.get("Order") == "Descending"))
    return replace(asked, orders=tuple(orders))


def _key(key: Key) -> Doc:
    number, text = key
    return {"Number": number} if number is not None else {} if text is None else {"Text": text}


def _query(query: str, by: Sequence[Value], texts: Sequence[str], group: Group) -> str:
    """The query of one group."""
    parts = [f"({query.strip()})"] if query.strip() else []
    for value, text, (number, name) in zip(by, texts, group.keys, strict=True):
        asked = text if isinstance(value, syntax.Field) else f"({text})"
        if type_of(value) == "flag":
            parts.append(asked if number else f"not {asked}")
        elif number is not None:
            parts.append(f"{asked} == {_written(number)}")
        else:
            parts.append(f"{asked} is None" if name is None else f"{asked} == {quoted(name)}")
    return " and ".join(parts)


def _written(number: float) -> str:
    if math.isinf(number):
        return "1e999" if number > 0 else "-1e999"
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


_MEASURES: dict[str, Callable[[Statistics], float]] = {
    "Counts": lambda it: it.count,
    "Means": lambda it: it.mean,
    "StdDevs": lambda it: it.deviation,
    "Minima": lambda it: it.low,
    "Maxima": lambda it: it.high,
    "HalfWidths": lambda it: it.half_width,
}


def _statistics(text: str, found: list[Statistics]) -> Doc:
    packed = {
        name: struct.pack(f"<{len(found)}d", *map(of, found)) for name, of in _MEASURES.items()
    }
    return {"Field": text, **packed}
