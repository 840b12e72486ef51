"""What a query means, said again in plain Python: True, False, or None for unknown.

Slow and obvious on purpose; SQLite and PostgreSQL must agree with it.
"""

import math
import re
from typing import Any

from component_store import NOW, Component, Metric

from studio.experiments.query.syntax import (
    Ago,
    Among,
    Arithmetic,
    Comparison,
    Every,
    Field,
    Flag,
    Missing,
    Not,
    Number,
    Some,
    Text,
    TextTest,
    Truth,
)

Names = tuple[str, ...]


def holds(node: Any, it: Component) -> bool | None:
    match node:
        case Truth():
            return node.value
        case Flag():
            return it.starred
        case Not():
            return _opposite(holds(node.item, it))
        case Every():
            found = [holds(each, it) for each in node.items]
            return False if False in found else None if None in found else True
        case Some():
            found = [holds(each, it) for each in node.items]
            return True if True in found else None if None in found else False
        case Missing():
            return value(node.value, it) in (None, ())
        case Among():
            return _any(node.value, it, lambda one: one in (*node.numbers, *node.texts))
        case TextTest():
            return _any(node.value, it, lambda one: _asked(node, one))
    return _compared(node, it)


def value(node: Any, it: Component) -> float | str | Names | None:
    """A tuple of names for trials and experiments."""
    match node:
        case Number() | Text():
            return node.value
        case Ago():
            return NOW / 1000 - node.seconds
        case Field(kind="parameter"):
            return it.parameters.get(node.name)
        case Field(kind="tag"):
            return it.tags.get(node.name)
        case Field(kind="metric"):
            return _aspect(it.metrics.get(node.name), node.aspect)
        case Field():
            return _attribute(node.name, it)
        case Arithmetic():
            return _reckoned(node.operator, value(node.left, it), value(node.right, it))
    return _called(node.function, [value(each, it) for each in node.arguments])


def _opposite(found: bool | None) -> bool | None:
    return None if found is None else not found


def _any(node: Any, it: Component, test: Any) -> bool | None:
    one = value(node, it)
    if isinstance(one, tuple):
        return any(map(test, one)) if one else None
    return None if one is None else test(one)


def _asked(node: TextTest, one: float | str) -> bool | None:
    if not isinstance(one, str):
        return None
    if node.kind == "matches":
        return re.search(node.text, one) is not None
    return node.text in one if node.kind == "contains" else getattr(one, node.kind)(node.text)


def _compared(node: Comparison, it: Component) -> bool | None:
    left, right = value(node.left, it), value(node.right, it)
    if isinstance(left, tuple) or isinstance(right, tuple):
        turned = not isinstance(left, tuple)
        names, other = (right, left) if turned else (left, right)
        if node.operator == "!=":
            return other not in names if names else None
        pairs = [(other, one) if turned else (one, other) for one in names]
        return any(_ordered(node.operator, *pair) for pair in pairs) if names else None
    if left is None or right is None:
        return None
    if isinstance(left, str) != isinstance(right, str):
        return {"==": False, "!=": True}.get(node.operator)
    return _ordered(node.operator, left, right)


def _ordered(operator: str, left: Any, right: Any) -> bool:
    return {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]


def _aspect(metric: Metric | None, aspect: str) -> float | None:
    if metric is None:
        return None
    if aspect == "std":
        few = metric.squares is None or metric.finite < 2
        return None if few else math.sqrt(metric.squares / (metric.finite - 1))
    if aspect == "time":
        return metric.last_at / 1000
    names = {"": "last", "min": "low", "max": "high", "step": "last_step"}
    names |= {"min_step": "low_step", "max_step": "high_step"}
    found = getattr(metric, names.get(aspect, aspect))
    return None if found is None or math.isnan(found) else found


def _attribute(name: str, it: Component) -> Any:
    if name in ("trial", "experiment"):
        return tuple(each if name == "trial" else f"of-{each}" for each in it.trials)
    if name == "duration":
        end = it.ended_at or (NOW if it.status in ("InProgress", "Stopping") else None)
        return None if end is None or it.started_at is None else (end - it.started_at) / 1000
    if name.endswith("_at"):
        at = NOW if name == "modified_at" else getattr(it, name)
        return None if at is None else at / 1000
    if name == "starred":
        return float(it.starred)
    return {"display_name": it.name}.get(name) or getattr(it, name, None) or None


def _number(of: Any) -> float | None:
    """None for what is no number: missing, a text, NaN."""
    return None if not isinstance(of, int | float) or math.isnan(of) else float(of)


def _reckoned(operator: str, one: Any, other: Any) -> float | None:
    left, right = _number(one), _number(other)
    if left is None or right is None:
        return None
    if operator == "//":
        return _floor(_reckoned("/", left, right))
    if operator == "%":
        whole = _reckoned("*", right, _reckoned("//", left, right))
        return _reckoned("-", left, whole)
    if operator == "/":
        return None if right == 0 else _number(left / right)
    if operator == "**":
        return _power(left, right)
    return _number({"+": left + right, "-": left - right, "*": left * right}[operator])


def _floor(of: float | None) -> float | None:
    return of if of is None or math.isinf(of) else float(math.floor(of))


def _power(left: float, right: float) -> float | None:
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and right % 2 == 1 else math.inf
    except ValueError:
        return math.inf if left == 0 else None


def _called(function: str, values: list[Any]) -> Any:
    if function in ("lower", "upper", "len"):
        if not isinstance(values[0], str):
            return None
        return {"lower": _lower, "upper": _upper, "len": len}[function](values[0])
    numbers = [_number(each) for each in values]
    if None in numbers:
        return None
    one = numbers[0]
    if function in ("min", "max"):
        return {"min": min, "max": max}[function](numbers)
    if function in ("log", "log10"):
        return {"log": math.log, "log10": math.log10}[function](one) if one > 0 else None
    if function == "sqrt":
        return math.sqrt(one) if one >= 0 else None
    if function == "exp":
        return math.exp(one) if one < 709 else math.inf
    if function in ("floor", "ceil"):
        return one if math.isinf(one) else float(getattr(math, function)(one))
    return -one if function == "negative" else abs(one)


def _lower(text: str) -> str:
    return "".join(each.lower() if each.isascii() else each for each in text)


def _upper(text: str) -> str:
    return "".join(each.upper() if each.isascii() else each for each in text)
