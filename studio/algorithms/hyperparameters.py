"""Hyperparameters as a table: one row says what a value may be, so that a program can parse it
and a form can be drawn from it. It knows no algorithm.
"""

import ast
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.algorithms.base import UserError


@dataclass(frozen=True)
class Interval:
    """The numbers from `low` to `high`; an open end does not belong to it."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        left = "(-inf" if self.low == -math.inf else f"{'(' if self.open_low else '['}{self.low}"
        right = "+inf)" if self.high == math.inf else f"{self.high}{')' if self.open_high else ']'}"
        return f"{left}, {right}"


NO_EFFECT = "Accepted without effect."


@dataclass(frozen=True)
class When:
    """The hyperparameter `name` has one of `values`, or has one of them by default."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Hyperparameter:
    """One row of a table.

    `kind`: integer, float, boolean, text, choice, choices (comma-separated), names (a JSON list of
    choices) or literal (nested lists and tuples of numbers). `words` are accepted as they are,
    beside the kind ("auto").
    """

    name: str
    kind: str
    default: Any = None
    help: str = ""
    required: bool = False
    range: Interval | None = None
    """What a number, or every number of a literal, may be."""
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    tunable: Interval | tuple[str, ...] | None = None
    """What a tuning job is advised to search; None: not tunable."""
    valid: Callable[[str], bool] | None = None
    """For a choice or choices with more values than can be listed: `error@0.3`."""
    common: bool = False
    """Whether many jobs set it: forms show it first."""
    when: When | None = None
    """Without this it has no effect."""

    @property
    def hidden(self) -> bool:
        """Whether it is only there for what the service and AWS's own containers add."""
        return self.name.startswith("_") or self.help == NO_EFFECT

    @property
    def default_text(self) -> str:
        """The default as a request would give it; "" without one."""
        if self.default is None:
            return ""
        if isinstance(self.default, tuple):
            return json.dumps(self.default)
        return str(self.default).lower() if self.kind == "boolean" else str(self.default)

    def describe(self) -> str:
        """The valid values, as error messages show them."""
        parts = [repr(word) for word in self.words]
        if self.choices:
            parts.append(str(list(self.choices)))
        elif self.range is not None:
            parts.append(str(self.range))
        elif self.kind == "boolean":
            parts.append("['true', 'false']")
        return " or ".join(parts)


@dataclass(frozen=True)
class Wording:
    """Templates of the errors of one family of algorithms.

    Fields: name, value (as given), expected (a noun), valid (`Hyperparameter.describe`).
    """

    unknown: str
    missing: str
    ill_typed: str
    out_of_range: str


@dataclass(frozen=True)
class Fault:
    """What is wrong, and with which hyperparameter."""

    name: str
    text: str


class Invalid(UserError):
    """Hyperparameters that are not valid: one line for each fault."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.text for fault in self.faults))


FIRST_PARTY = Wording(
    unknown="Additional hyperparameters are not allowed ('{name}' was unexpected) "
    "(caused by ValidationError)",
    missing="No value(s) were specified for '{name}' which are required hyperparameter(s) "
    "(caused by ValidationError)",
    ill_typed="'{value}' is not {expected} for hyperparameter '{name}' (caused by ValidationError)",
    out_of_range="'{value}' is not valid for hyperparameter '{name}': it must be in {valid} "
    "(caused by ValidationError)",
)

_EXPECTED = {
    "integer": "an integer",
    "float": "a number",
    "boolean": "true or false",
    "literal": "a list",
    "names": "a list",
}


def parse(
    table: Sequence[Hyperparameter], given: Mapping[str, str], wording: Wording
) -> dict[str, Any]:
    """The values of the hyperparameters that were given, by name (aliases resolved).

    Raises Invalid with every fault.
    """
    rows = {name: row for row in table for name in (row.name, *row.aliases)}
    known = {rows[name]: _unquoted(text) for name, text in given.items() if name in rows}
    faults = [
        *(Fault(name, wording.unknown.format(name=name)) for name in given if name not in rows),
        *(Fault(row.name, wording.missing.format(name=row.name)) for row in _missing(table, known)),
    ]
    values: dict[str, Any] = {}
    for row, text in known.items():
        try:
            values[row.name] = _value(row, text)
        except ValueError:
            expected = _EXPECTED.get(row.kind, "valid")
            wrong = wording.ill_typed.format(name=row.name, value=text, expected=expected)
            faults.append(Fault(row.name, wrong))
        except _OutOfRange:
            wrong = wording.out_of_range.format(name=row.name, value=text, valid=row.describe())
            faults.append(Fault(row.name, wrong))
    if faults:
        raise Invalid(faults)
    return values


def with_defaults(table: Sequence[Hyperparameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` and the default of every other row (None where it has none)."""
    return {row.name: values.get(row.name, row.default) for row in table}


class _OutOfRange(Exception):
    """The value has the right type and is not allowed."""


def _missing(
    table: Sequence[Hyperparameter], known: Mapping[Hyperparameter, str]
) -> Iterable[Hyperparameter]:
    return (row for row in table if row.required and row not in known)


def _unquoted(text: str) -> str:
    """Some clients send strings as JSON: `"reg:squarederror"`, quotes included."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text


def _value(row: Hyperparameter, text: str) -> Any:
    """The parsed value; ValueError when ill-typed, _OutOfRange when not allowed."""
    if text in row.words:
        return text
    if row.kind in ("integer", "float"):
        number = _number(row.kind, text)
        return _allowed(not math.isnan(number) and _within(row, number), number)
    if row.kind == "boolean":
        return _boolean(text)
    if row.kind == "literal":
        nested = _literal(text)
        return _allowed(all(_within(row, number) for number in _numbers(nested)), nested)
    if row.kind == "names":
        names = _literal(text)
        return _allowed(bool(names) and all(name in row.choices for name in names), names)
    if row.kind == "choices":
        items = [item.strip() for item in text.split(",")]
        return _allowed(all(_chosen(row, item) for item in items), items)
    return _allowed(row.kind == "text" or _chosen(row, text), text)


def _allowed(allowed: bool, value: Any) -> Any:
    if not allowed:
        raise _OutOfRange
    return value


def _within(row: Hyperparameter, number: float) -> bool:
    return row.range is None or number in row.range


def _chosen(row: Hyperparameter, text: str) -> bool:
    return text in row.choices or (row.valid is not None and row.valid(text))


def _number(kind: str, text: str) -> float:
    # Python reads 1_0 as ten; nothing else does.
    if "_" in text:
        raise ValueError(text)
    return int(text) if kind == "integer" else float(text)


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise ValueError(text)
    return lowered == "true"


def _literal(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ValueError(text) from error
    if not isinstance(value, list | tuple):
        raise ValueError(text)
    return value


def _numbers(value: Any) -> Iterable[float]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(value)
    else:
        yield value
