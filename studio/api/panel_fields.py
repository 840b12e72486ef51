"""What trial components have values of: for the columns of a table, and to complete a query."""

import time
import weakref
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from studio.api.panel_queries import scope, told
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.db.session import Database
from studio.experiments.query import catalog, groups, parser, syntax, windows
from studio.experiments.query.groups import Asked
from studio.experiments.query.scope import Scope, plain
from studio.experiments.query.syntax import Condition, Field
from studio.experiments.query.tokens import QueryError
from studio.experiments.query.vocabulary import ATTRIBUTES, written

_KINDS = ("attribute", "metric", "parameter", "tag")
_USUAL, _FREQUENT = 100, 20
_MOST_LOOKED_AT = 10_000
_TEXTS = ("status", "experiment", "trial", "source_kind", "owner", "color")


@dataclass
class _Memory:
    """What was counted, for a while: the longer it took, the longer."""

    known: dict[Any, tuple[float, Any]] = field(default_factory=dict)

    def of(self, key: Any, count: Callable[[], Any]) -> Any:
        until, value = self.known.get(key, (0.0, None))
        began = time.monotonic()
        if began < until:
            return value
        if len(self.known) > _MOST_KNOWN:
            self.known.clear()
        value = count()
        took = time.monotonic() - began
        self.known[key] = began + took + min(_LONGEST, took * _WORTH), value
        return value


_MOST_KNOWN = 50_000
_LONGEST, _WORTH = 60.0, 200.0
_MEMORIES: weakref.WeakKeyDictionary[Database, _Memory] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class _Look:
    """`these`: the numbers of the components that are looked at, all when it is None."""

    connection: Connection
    whose: Scope
    memory: _Memory
    condition: Condition
    names: Sequence[str] | None
    these: Sequence[int] | None

    def of(self, key: Any, count: Callable[[], Any]) -> Any:
        """What was counted of the same components lately, or now."""
        return self.memory.of((self.whose.owner, self._digest, key), count)

    @cached_property
    def _digest(self) -> bytes | None:
        return None if self.these is None else sha256(array("q", self.these)).digest()


@operation("studio", "ListTrialComponentFields")
def list_trial_component_fields(ctx: Context, request: Doc) -> Doc:
    whose = scope(ctx)
    memory = _MEMORIES.setdefault(ctx.db, _Memory())
    with told(), ctx.db.read() as connection:
        look = _look(connection, whose, memory, request)
        total, found = _listed(look, request)
        fields = [
            _described(look, each, number, request.get("Values", False))
            for each, number in found.items()
        ]
    return {"Total": total, "Fields": fields}


def _look(connection: Connection, whose: Scope, memory: _Memory, request: Doc) -> _Look:
    condition, names = parser.condition(request.get("Query", "")), request.get("Names")
    these = None
    if condition != syntax.Truth(True) or names is not None:
        these = windows.numbers(connection, whose, condition, names, _MOST_LOOKED_AT)
    return _Look(connection, whose, memory, condition, names, these)


def _listed(look: _Look, request: Doc) -> tuple[int, dict[Field, int | None]]:
    """All that there are, and the window of them: attributes first."""
    connection, whose = look.connection, look.whose
    contains, kinds = request.get("Contains", ""), request.get("Kinds", _KINDS)
    offset, limit = request.get("Offset", 0), request.get("Limit", _USUAL)
    if "Fields" in request:
        asked = [_field(text) for text in request["Fields"]]
        numbers = whose.numbers(connection, asked)
        exact = [it for it in asked if it in numbers or it.kind == "attribute"]
        return len(exact), {it: numbers.get(it) for it in exact[offset : offset + limit]}
    own = catalog.attributes(contains) if "attribute" in kinds else []
    page: dict[Field, int | None] = dict.fromkeys(own[offset : offset + limit])
    rest = max(offset - len(own), 0), limit - len(page)
    others = [kind for kind in kinds if kind != "attribute"]
    total, found = catalog.listed(connection, whose, others, contains, rest, look.these)
    return len(own) + total, {**page, **found}


def _field(text: str) -> Field:
    found = parser.value(text)
    if not isinstance(found, Field):
        raise QueryError(f"{text!r} is no field.", 0, len(text))
    return plain(found)


def _described(look: _Look, of: Field, number: int | None, values: bool) -> Doc:
    def count() -> catalog.Known:
        if number is None:
            return catalog.known_attribute(look.connection, look.whose, of, look.these)
        return catalog.known(look.connection, look.whose, of, number, look.these)

    known = look.of(of, count)
    found = {
        "Field": written(of),
        "Name": of.name,
        "Kind": of.kind,
        "Type": known.type,
        "Components": known.components,
        "Minimum": known.low,
        "Maximum": known.high,
    }
    if values and known.type in ("Text", "Mixed"):
        texts = look.of((of, 0), lambda: _texts(look, of, number))
        found["Values"] = [{"Text": text, "Count": count} for text, count in texts]
    return found


def _texts(look: _Look, of: Field, number: int | None) -> list[tuple[str, int]]:
    if number is not None:
        return catalog.frequent(look.connection, look.whose, number, look.these)
    if of.name not in _TEXTS or of.name not in ATTRIBUTES:
        return []
    asked = Asked(look.condition, (of,), (), ((groups.COUNT, True),), look.names)
    found = groups.grouped(look.connection, look.whose, asked, (0, _FREQUENT)).found
    return [(text, it.count) for it in found for _, text in it.keys if text is not None]
