"""The names that a query knows, and how a field is written."""

import re

from studio.experiments.query import syntax as it
from studio.experiments.query.syntax import Field, Value
from studio.experiments.query.tokens import quoted

ATTRIBUTES = {
    "name": "text",
    "display_name": "text",
    "status": "text",
    "experiment": "texts",
    "trial": "texts",
    "source": "text",
    "source_kind": "text",
    "created_at": "time",
    "modified_at": "time",
    "started_at": "time",
    "ended_at": "time",
    "duration": "number",
    "starred": "flag",
    "color": "text",
    "note": "text",
    "owner": "text",
}
"""What every trial component has -> of what type. It may be in several trials: `texts`."""

ASPECTS = {
    "last": "number",
    "min": "number",
    "max": "number",
    "mean": "number",
    "std": "number",
    "count": "number",
    "step": "number",
    "time": "time",
    "min_step": "number",
    "max_step": "number",
}
"""What is known of a metric -> of what type. `step` and `time` are the last value's."""

KINDS = {"metric": "metric", "param": "parameter", "tag": "tag"}
"""How a query calls a kind of field -> the kind."""

FUNCTIONS = {
    "abs": (1, 1),
    "ceil": (1, 1),
    "exp": (1, 1),
    "floor": (1, 1),
    "len": (1, 1),
    "log": (1, 1),
    "log10": (1, 1),
    "max": (2, 8),
    "min": (2, 8),
    "sqrt": (1, 1),
}
"""Functions of values -> how many they take, at least and at most; `len` takes a text."""

METHODS = ("lower", "upper")
"""What makes a text of a text."""

TESTS = ("contains", "endswith", "matches", "startswith")
"""What a text can be asked."""

WORDS = {"and", "or", "not", "in", "is", "True", "False", "None"}

_PLAIN = re.compile(r"[^\W\d]\w*")
_WRITTEN = {kind: name for name, kind in KINDS.items()}


def written(field: Field) -> str:
    """The field as a query writes it: `metric["val/loss"].min`."""
    if field.kind == "attribute":
        return field.name
    plain = _PLAIN.fullmatch(field.name)
    named = f".{field.name}" if plain else f"[{quoted(field.name)}]"
    return _WRITTEN[field.kind] + named + (f".{field.aspect}" if field.aspect else "")


def type_of(value: Value) -> str:
    """number, text, time, texts (of several trials), flag, or any: a number or a text."""
    match value:
        case it.Number() | it.Arithmetic():
            return "number"
        case it.Ago():
            return "time"
        case it.Text():
            return "text"
        case it.Call():
            return "text" if value.function in METHODS else "number"
        case it.Field(kind="attribute"):
            return ATTRIBUTES[value.name]
        case it.Field(kind="metric"):
            return ASPECTS[value.aspect or "last"]
    return "any"
