"""Conditions on rows: as a mask of a table, and as pandas."""

import datetime as dt
import operator
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from studio.data import marks
from studio.data.errors import DataError
from studio.data.plain import TIME
from studio.data.protocol.data import Condition

_INT64 = 2.0**63
_COMPARE: dict[str, tuple[Any, str]] = {
    "equals": (pc.equal, "=="),
    "differs": (pc.not_equal, "!="),
    "less": (pc.less, "<"),
    "at_most": (pc.less_equal, "<="),
    "greater": (pc.greater, ">"),
    "at_least": (pc.greater_equal, ">="),
}
_TEXT: dict[str, tuple[Any, str]] = {
    "contains": (pc.match_substring, "contains({}, regex=False)"),
    "starts_with": (pc.starts_with, "startswith({})"),
    "ends_with": (pc.ends_with, "endswith({})"),
    "matches": (pc.match_substring_regex, "contains({})"),
}


def checked(table: Any, *names: str | None) -> None:
    """Raises DataError("BadRequest") for a column that is not there."""
    for name in names:
        if name is not None and name not in table.column_names:
            raise DataError("BadRequest", f"There is no column {name}.")


def kept(table: Any, conditions: list[Condition]) -> Any:
    """Of each row whether all conditions hold, as a NumPy array; None when there are none."""
    if not conditions:
        return None
    masks = [_mask(table, it) for it in conditions]
    return reduce(operator.and_, masks)


def pandas(conditions: list[Condition], types: dict[str, Any]) -> str:
    """A statement that keeps those rows of `df`; empty without conditions."""
    if not conditions:
        return ""
    terms = [_pandas(it, types) for it in conditions]
    return f"df = df[{' & '.join(f'({it})' if len(terms) > 1 else it for it in terms)}]\n"


def _mask(table: Any, it: Condition) -> Any:
    if it.op == "duplicated":
        return _duplicated(table)
    if it.column is None:
        raise DataError("BadRequest", f"A condition {it.op} needs a column.")
    checked(table, it.column)
    column = table.column(it.column)
    found = pc.fill_null(_holds(column, it), False)
    mask = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return mask.to_numpy(zero_copy_only=False)


def _holds(column: Any, it: Condition) -> Any:
    if it.op == "missing":
        return pc.is_null(column)
    if it.op == "present":
        return pc.is_valid(column)
    if it.op == "infinite":
        number = column.type == pa.float64()
        return pc.is_inf(column) if number else pc.is_in(column, pa.array([], column.type))
    if it.op in _TEXT:
        return _text(column, it)
    if it.op == "in":
        values = [_value(column.type, each, it) for each in _listed(it)]
        fitting = [each for each in values if column.type != pa.int64() or isinstance(each, int)]
        return pc.is_in(column, pa.array(fitting, column.type), skip_nulls=True)
    if it.op in ("between", "outside"):
        return _between(column, it)
    value = _scalar(column.type, it.value, it)
    return _COMPARE[it.op][0](_beside(column, value), value)


def _between(column: Any, it: Condition) -> Any:
    if len(_listed(it)) != 2:
        raise DataError("BadRequest", f"{it.column} {it.op} needs two values: lowest and highest.")
    low, high = (_scalar(column.type, each, it) for each in it.value)
    column = _beside(column, low, high)
    low, high = (each.cast(column.type, safe=False) for each in (low, high))
    inside = pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
    return inside if it.op == "between" else pc.invert(inside)


def _text(column: Any, it: Condition) -> Any:
    if column.type != pa.string() or not isinstance(it.value, str):
        raise DataError("BadRequest", f"{it.column} {it.op} needs a column of text, and a text.")
    try:
        return _TEXT[it.op][0](column, it.value)
    except pa.ArrowInvalid as error:
        raise DataError("BadRequest", f"{it.value} is no regular expression: {error}") from None


def _listed(it: Condition) -> list[Any]:
    if not isinstance(it.value, list):
        raise DataError("BadRequest", f"{it.column} {it.op} needs a list of values.")
    return it.value


def _beside(column: Any, *values: Any) -> Any:
    """The column in a type to be compared with these. Rounding great whole numbers changes
    nothing: a number with a fraction is smaller than any of them."""
    if column.type == pa.int64() and any(it.type == pa.float64() for it in values):
        return column.cast(pa.float64(), safe=False)
    return column


def _scalar(kind: Any, value: Any, it: Condition) -> Any:
    found = _value(kind, value, it)
    return pa.scalar(found, pa.float64() if isinstance(found, float) else kind)


def _value(kind: Any, value: Any, it: Condition) -> Any:
    """A cell of JSON as a value of the column; between whole numbers a float is one, too."""
    try:
        if kind == pa.string():
            return value if isinstance(value, str) else str(value)
        if kind == TIME:
            return _time(value)
        if kind == pa.bool_():
            return {"true": True, "false": False}[str(value).lower()]
        return _number(kind, value)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise DataError("BadRequest", f"{it.column} cannot be compared with {value}.") from None


def _time(value: str) -> dt.datetime:
    at = dt.datetime.fromisoformat(value)
    return at.astimezone(dt.UTC).replace(tzinfo=None) if at.tzinfo else at


def _number(kind: Any, value: Any) -> Any:
    number = float(value)
    whole = kind == pa.int64() and number.is_integer() and abs(number) < _INT64
    return int(value) if whole else number


def _duplicated(table: Any) -> Any:
    """Rows that equal an earlier one."""
    _, first = np.unique(marks.of_rows(table), return_index=True)
    found = np.ones(len(table), bool)
    found[first] = False
    return found


def _pandas(it: Condition, types: dict[str, Any]) -> str:
    """Missing cells compare as false in pandas, too, but for `!=` and `~`."""
    if it.op == "duplicated":
        return "df.duplicated()"
    column, kind = f"df[{it.column!r}]", types[it.column or ""]
    if it.op in ("missing", "present"):
        return f"{column}.{'isna' if it.op == 'missing' else 'notna'}()"
    if it.op == "infinite":
        return f"{column}.isin([float('inf'), float('-inf')])"
    if it.op in _TEXT:
        return f"{column}.str.{_TEXT[it.op][1].format(repr(it.value))}.fillna(False).astype(bool)"
    if it.op == "in":
        return f"{column}.isin([{', '.join(_literal(kind, each, it) for each in it.value)}])"
    if it.op in ("between", "outside"):
        low, high = (_literal(kind, each, it) for each in it.value)
        inside = f"{column}.between({low}, {high})"
        return inside if it.op == "between" else f"{column}.notna() & ~{inside}"
    compared = f"{column} {_COMPARE[it.op][1]} {_literal(kind, it.value, it)}"
    return f"{column}.notna() & ({compared})" if it.op == "differs" else compared


def _literal(kind: Any, value: Any, it: Condition) -> str:
    found = _value(kind, value, it)
    return f"pd.Timestamp({found.isoformat()!r})" if kind == TIME else repr(found)
