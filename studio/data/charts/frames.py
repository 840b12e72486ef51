"""The rows that a chart is made of: filtered, perhaps sampled, as NumPy arrays."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from studio.data import filters, texts
from studio.data.cells import iso, type_name
from studio.data.errors import DataError
from studio.data.plain import TIME
from studio.data.protocol.charts import ChartSpec
from studio.data.protocol.data import Cell

Array = NDArray[Any]


@dataclass(frozen=True)
class Categories:
    """`codes`: of each row its place in `labels`, -1 where it has none of them; `distinct`: how
    many there are in all."""

    labels: list[str]
    codes: Array
    distinct: int


@dataclass
class Frame:
    """`total` rows match the filters, `rows` there are; `table` may be a sample of them."""

    table: Any
    total: int
    rows: int
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def types(self) -> dict[str, Any]:
        return {it.name: it.type for it in self.table.schema}

    def is_time(self, name: str) -> bool:
        return bool(self.types[name] == TIME)

    def is_number(self, name: str) -> bool:
        return self.types[name] in (pa.int64(), pa.float64())

    def is_whole(self, name: str) -> bool:
        return bool(self.types[name] == pa.int64())

    def distinct(self, name: str) -> int:
        return len(self.table.column(name).drop_null().unique())

    def numbers(self, name: str, what: str) -> Array:
        """As float64, NaN where missing; times in milliseconds since 1970, booleans 0 and 1."""
        column = self.table.column(name)
        if column.type == pa.string():
            raise DataError("BadRequest", f"{what} needs numbers, and {name} is text.")
        if column.type == TIME:
            return _floats(column.cast(pa.int64())) / 1000
        return _floats(column)

    def finite(self, name: str, what: str, told: bool = True) -> Array:
        """As numbers, NaN where infinite, too. `told`: that rows without one are left out."""
        found = self.numbers(name, what)
        missing = self.table.column(name).null_count
        if missing and told:
            self.note(f"{missing:,} rows without {name} are left out.")
        strange = np.isinf(found)
        if strange.any() and told:
            self.note(f"{int(strange.sum()):,} rows with infinite {name} are left out.")
        return np.where(strange, np.nan, found)

    def note(self, text: str) -> None:
        """To be said below the chart, once."""
        if text not in self.notes:
            self.notes.append(text)

    def categories(self, name: str, most: int, other: bool = False) -> Categories:
        """The commonest values; numbers, times and booleans in their order, texts the commonest
        first. With `other` the rest is one more."""
        column = self.table.column(name)
        found = texts.counted(column.cast(pa.string()) if column.type != pa.string() else column)
        order = np.argsort(-found.counts, kind="stable")[:most]
        if column.type != pa.string():
            order = order[np.argsort(_values(found, order, column.type), kind="stable")]
        places = np.full(len(found.counts) + 1, -1, np.int64)
        places[order] = np.arange(len(order))
        labels = [_label(it, column.type) for it in found.values.take(order).to_pylist()]
        left = len(found.counts) - len(order)
        if left and other:
            rest = np.setdiff1d(np.arange(len(found.counts)), order)
            places[rest] = len(labels)
            labels.append(f"{left:,} others")
        elif left:
            values = f"{len(labels):,} commonest of {len(found.counts):,} values"
            self.note(f"The {values} of {name} are shown.")
        if column.null_count:
            self.note(f"{column.null_count:,} rows without {name} are left out.")
        return Categories(labels, places[found.codes], len(found.counts))


def framed(table: Any, spec: ChartSpec, names: list[str], most: int | None = None) -> Frame:
    """The rows that match, with these columns: spec.sample or `most` of them, spread evenly."""
    filters.checked(table, *names)
    kept = filters.kept(table, spec.filters)
    chosen = table.select(list(dict.fromkeys(names)))
    if kept is not None:
        chosen = chosen.filter(pa.array(kept))
    frame = Frame(chosen, len(chosen), len(table))
    sample = spec.sample or most
    if sample is not None and sample < len(chosen):
        frame.table = chosen.take(pa.array(spread(len(chosen), sample)))
        frame.notes.append(f"Of {sample:,} of {len(chosen):,} rows, spread evenly.")
    return frame


def spread(count: int, most: int) -> Array:
    """Places of at most that many of `count`, spread evenly."""
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).astype(np.int64)


def shown(value: float, time: bool) -> Cell:
    """A number of a chart as a cell."""
    if not np.isfinite(value):
        return None
    return iso(value * 1000) if time else float(value)


def typed(frame: Frame, name: str) -> str:
    return str(type_name(frame.types[name]))


def _floats(column: Any) -> Array:
    array = column.cast(pa.float64(), safe=False).combine_chunks()
    found: Array = array.to_numpy(zero_copy_only=False)
    return found


def _values(found: texts.Texts, order: Array, kind: Any) -> Array:
    values: Any = found.values.take(pa.array(order))
    if kind == TIME:
        return np.asarray(pc.cast(values, TIME).cast(pa.int64()))
    if kind == pa.bool_():
        return np.array([it == "true" for it in values.to_pylist()])
    return np.asarray(values.cast(pa.float64()))


def _label(text: str, kind: Any) -> str:
    if kind == pa.float64() and text.endswith(".0"):
        return text[:-2]
    return text.replace(" ", "T").removesuffix(".000000") if kind == TIME else text
