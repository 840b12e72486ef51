"""Conditions as SQL, so that what is missing satisfies none: not the condition, not its opposite.

A condition is compiled for what it shall be. `not` is not SQL's: the opposite of each comparison is
spelled out, and holds only where there are values. So NULL never decides.
"""

from sqlalchemy import ColumnElement, and_, false, func, or_, true

from studio.db.experiment_tables import COMPONENT
from studio.experiments.query.sql import Sql
from studio.experiments.query.syntax import (
    Among,
    Comparison,
    Condition,
    Every,
    Field,
    Flag,
    Missing,
    Not,
    Some,
    Text,
    TextTest,
    Truth,
)
from studio.experiments.query.values import Columns, Rows
from studio.experiments.query.vocabulary import type_of

Where = ColumnElement[bool]

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", "<=": ">", ">": "<="}
_TURNED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def satisfied(rows: Rows, node: Condition, wanted: bool = True) -> Where:
    """Where the condition holds, or, unless `wanted`, where its opposite does."""
    match node:
        case Truth():
            return true() if node.value == wanted else false()
        case Flag():
            return COMPONENT.c[node.name].is_(wanted)
        case Not():
            return satisfied(rows, node.item, not wanted)
        case Every() | Some():
            items = [satisfied(rows, each, wanted) for each in node.items]
            return and_(*items) if isinstance(node, Every) == wanted else or_(*items)
        case Missing():
            return _missing(rows, node, wanted)
        case Among():
            return _among(rows, node, wanted)
        case TextTest():
            return _tested(rows, node, wanted)
    return _compared(rows, node, wanted)


def _compared(rows: Rows, node: Comparison, wanted: bool) -> Where:
    operator, left, right = node.operator, node.left, node.right
    if isinstance(left, Text):
        operator, left, right = _TURNED[operator], right, left
    if isinstance(left, Field) and type_of(left) == "texts" and isinstance(right, Text):
        written = right.value
        return _any_of(rows, left, wanted, operator, written)
    operator = operator if wanted else _OPPOSITE[operator]
    return _holds(operator, rows.columns(left), rows.columns(right))


def _any_of(rows: Rows, field: Field, wanted: bool, operator: str, text: str) -> Where:
    """Of several names: == and its like hold for one of them, != when == holds for none."""
    if operator == "!=":
        operator, wanted = "==", not wanted
    return _in_any(rows, field, wanted, lambda name: _ordered(operator, name, text))


def _in_any(rows: Rows, field: Field, wanted: bool, test: object) -> Where:
    found = rows.named(field.name, test)
    if wanted:
        return found
    return and_(rows.named(field.name, lambda _name: true()), ~found)


def _holds(operator: str, left: Columns, right: Columns) -> Where:
    """Numbers with numbers, texts with texts; a number and a text are different."""
    ways = []
    if left.number is not None and right.number is not None:
        ways.append(_ordered(operator, left.number, right.number))
    if left.text is not None and right.text is not None:
        ways.append(_ordered(operator, left.text, right.text))
    if operator == "!=":
        ways += [
            and_(one.is_not(None), other.is_not(None))
            for one, other in ((left.number, right.text), (left.text, right.number))
            if one is not None and other is not None
        ]
    return or_(*ways) if ways else false()


def _ordered(operator: str, left: Sql, right: object) -> Where:
    match operator:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
    return left >= right


def _missing(rows: Rows, node: Missing, wanted: bool) -> Where:
    if isinstance(node.value, Field) and type_of(node.value) == "texts":
        some = rows.named(node.value.name, lambda _name: true())
        return ~some if wanted else some
    parts = rows.columns(node.value).all()
    if wanted:
        return and_(*(part.is_(None) for part in parts)) if parts else true()
    return or_(*(part.is_not(None) for part in parts)) if parts else false()


def _among(rows: Rows, node: Among, wanted: bool) -> Where:
    if isinstance(node.value, Field) and type_of(node.value) == "texts":
        return _in_any(rows, node.value, wanted, lambda name: name.in_(node.texts))
    columns = rows.columns(node.value)
    ways = [
        part.in_(items) if wanted else and_(part.is_not(None), part.not_in(items))
        for part, items in ((columns.number, node.numbers), (columns.text, node.texts))
        if part is not None and (items or not wanted)
    ]
    return or_(*ways) if ways else false()


def _tested(rows: Rows, node: TextTest, wanted: bool) -> Where:
    if isinstance(node.value, Field) and type_of(node.value) == "texts":
        return _in_any(rows, node.value, wanted, lambda name: _asked(rows, node, name))
    text = rows.columns(node.value).text
    if text is None:
        return false()
    found = _asked(rows, node, text)
    return found if wanted else and_(text.is_not(None), ~found)


def _asked(rows: Rows, node: TextTest, text: Sql) -> Where:
    if node.kind == "matches":
        return rows.dialect.matches(text, node.text)
    if not node.text:
        return text.is_not(None)
    if node.kind == "contains":
        return rows.dialect.contains(text, node.text)
    if node.kind == "startswith":
        return func.substr(text, 1, len(node.text)) == node.text
    return rows.dialect.ends(text, node.text)
