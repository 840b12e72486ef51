"""How JSON documents lie in a column."""

import json
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
