"""What the two databases spell differently. Results are the same: those of the reference in tests.

Reckoning never fails: what has no result is missing. PostgreSQL would end the whole query where
SQLite goes on with infinity or NULL, so its functions are from the migration, and do the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    String,
    Subquery,
    bindparam,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import Grouping

Sql = ColumnElement[Any]

_POSTGRESQL = {
    "+": "studio_add",
    "-": "studio_subtract",
    "*": "studio_multiply",
    "/": "studio_divide",
    "**": "studio_power",
}


@dataclass(frozen=True)
class Dialect:
    """`name`: sqlite or postgresql."""

    name: str

    @property
    def _sqlite(self) -> bool:
        return self.name == "sqlite"

    def stored(self, number: Sql) -> Sql:
        """A column that may hold NaN, which is missing; SQLite keeps it as NULL."""
        return number if self._sqlite else func.nullif(number, cast("NaN", Double))

    def arithmetic(self, operator: str, left: Sql, right: Sql) -> Sql:
        if operator == "//":
            return self.call("floor", [self.arithmetic("/", left, right)])
        if operator == "%":
            return self.arithmetic(
                "-", left, self.arithmetic("*", right, self.arithmetic("//", left, right))
            )
        if not self._sqlite:
            return _function(_POSTGRESQL[operator], left, right)
        if operator == "**":
            return _function("pow", left, right)
        return Grouping(Grouping(left).op(operator, return_type=Double())(Grouping(right)))

    def call(self, function: str, values: list[Sql]) -> Sql:
        """A function of numbers, missing when one of them is."""
        if function == "negative":
            return -Grouping(values[0])
        if function == "floor" and self._sqlite:
            return -_function(
                "ceil", -Grouping(values[0])
            )  # SQLAlchemy's own floor knows no infinity
        if function in ("abs", "floor", "ceil"):
            return _function(function, values[0])
        name = {"log": "ln"}.get(function, function)
        if self._sqlite:
            return _function(name, *values)
        found = values[0] if len(values) > 1 else _function(f"studio_{name}", values[0])
        for each in values[1:]:
            found = _function(f"studio_{name}", found, each)
        return found

    def matches(self, text: Sql, pattern: str) -> Sql:
        if self._sqlite:
            return func.studio_matches(pattern, text) == 1
        return text.regexp_match(pattern)

    def contains(self, text: Sql, part: str) -> Sql:
        return (func.instr(text, part) if self._sqlite else func.strpos(text, part)) > 0

    def ends(self, text: Sql, end: str) -> Sql:
        tail = func.substr(text, -len(end)) if self._sqlite else func.right(text, len(end))
        return tail == end

    def natural(self, name: Sql) -> Sql:
        """What names are sorted by so that m2 comes before m10: their numbers have 20 digits.

        Of long names the start: ten thousand numbers in each would take seconds.
        """
        start = func.substr(name, 1, 200)
        if self._sqlite:
            return func.studio_natural(start)
        padded = func.regexp_replace(start, "([0-9]+)", "0" * 20 + r"\1", "g")
        return func.regexp_replace(padded, "0*([0-9]{20,})", r"\1", "g")

    def numbers(self, name: str, given: Iterable[int] | None = None) -> Subquery:
        """A table of whole numbers, with the column `number`: those given, or, without, those of
        the parameter `name` when it is run, which `listed` writes."""
        text: Sql = bindparam(name, type_=String) if given is None else literal(listed(given))
        if self._sqlite:
            table = func.json_each("[" + text + "]").table_valued("value", name=f"{name}_json")
            return select(table.c.value.label("number")).subquery(name)
        array = cast(func.string_to_array(text, ","), ARRAY(BigInteger))
        each = func.unnest(array).column_valued(f"{name}_each")
        return select(each.label("number")).subquery(name)


def listed(numbers: Iterable[int]) -> str:
    """Whole numbers as a parameter of a statement."""
    return ",".join(map(str, numbers))


def _function(name: str, *values: Sql) -> Sql:
    found: Sql = getattr(func, name)(*values, type_=Double())
    return found
