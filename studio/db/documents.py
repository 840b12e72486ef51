"""How JSON documents lie in a column."""

import json
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import JSON, Dialect, Text
from sqlalchemy.types import TypeDecorator


def document(text: str) -> Any:
    """What a stored text says."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Metrics may be NaN, which is no JSON but Python's.
        return json.loads(text)


def documents(texts: Sequence[str]) -> list[Any]:
    """What each of many stored texts says; read at once, which takes less than one by one."""
    try:
        found: list[Any] = orjson.loads(f"[{','.join(texts)}]")
    except orjson.JSONDecodeError:
        found = [document(text) for text in texts]
    return found


class _Text(TypeDecorator[Any]):
    """PostgreSQL's own JSON refuses NaN: there, a document is a text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else document(value)


DOCUMENT = JSON().with_variant(_Text(), "postgresql")
"""The type of a column that holds a JSON document."""
