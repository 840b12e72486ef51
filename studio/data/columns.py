"""One column's profile."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from studio.data import marks, numbers, texts
from studio.data.cells import cell, iso, type_name
from studio.data.numbers import Numbers
from studio.data.plain import TIME
from studio.data.protocol.data import Cell
from studio.data.protocol.profiles import ColumnProfile, Histogram, Lengths, Semantic, Top
from studio.data.texts import Texts

_EXAMPLES = 5
_CATEGORIES = 50  # so many distinct texts are categories, in however few rows
_COMMON = 0.5  # ... or a smaller share than that of the cells
_ID_LEAST = 20  # cells that are all different
_ID_LENGTH, _CATEGORY_LENGTH = 64, 50
_TWO = [{"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"}, {"on", "off"}]


@dataclass(frozen=True)
class Looked:
    """A column's profile, and what findings are made of; `marks` of two rows are the same where
    their cells are."""

    profile: ColumnProfile
    marks: NDArray[np.uint64]
    numbers: Numbers | None = None
    texts: Texts | None = None

    @property
    def counts(self) -> NDArray[Any]:
        """How often each distinct value is there."""
        of = self.texts or self.numbers
        return np.zeros(0, np.int64) if of is None else of.counts


def looked_at(name: str, index: int, column: Any, exact: bool) -> Looked:
    """`column`: a chunked array of a plain type."""
    kind = column.type
    facts = {
        "name": name,
        "index": index,
        "type": type_name(kind),
        "exact": exact,
        "rows": len(column),
        "count": len(column) - column.null_count,
        "missing": column.null_count,
        "missing_share": column.null_count / max(len(column), 1),
        "examples": _examples(column),
        "distinct_exact": exact,
    }
    if column.null_count == len(column):
        empty = ColumnProfile(**facts, semantic="empty", distinct=0)
        return Looked(empty, np.zeros(len(column), np.uint64))
    if kind == pa.string():
        return _text(facts, column)
    if kind == pa.bool_():
        return _boolean(facts, column)
    return _number(facts, column)


def _text(facts: dict[str, Any], column: Any) -> Looked:
    found = texts.counted(column)
    common = texts.top(found, numbers.MOST_TOP)
    lengths = found.lengths
    profile = ColumnProfile(
        **facts,
        semantic=text_semantic(found),
        distinct=len(found.values),
        top=[Top(cell(value), count) for value, count in common],
        other=found.count - sum(count for _, count in common),
        lengths=Lengths(
            int(lengths.min()),
            float(np.dot(lengths, found.counts) / found.count),
            int(lengths.max()),
        ),
    )
    return Looked(profile, marks.of_codes(found.codes), texts=found)


def text_semantic(it: Texts) -> Semantic:
    """What texts are."""
    if not it.count:
        return "empty"
    distinct, count = len(it.values), it.count
    if distinct == 2 and {v.strip().lower() for v in it.values.to_pylist()} in _TWO:
        return "boolean"
    mean = float(np.dot(it.lengths, it.counts) / count)
    few = it.values.slice(0, 100).to_pylist()
    if distinct == count >= _ID_LEAST and mean <= _ID_LENGTH and not any(" " in v for v in few):
        return "id"
    if (
        mean <= _CATEGORY_LENGTH
        and distinct < max(_CATEGORIES, _COMMON * count)
        and distinct < count
    ):
        return "category"
    return "text"


def _boolean(facts: dict[str, Any], column: Any) -> Looked:
    there = marks.as_numpy(column.drop_null().cast(pa.int64()))
    true = int(there.sum())
    counts = [(True, true), (False, len(there) - true)]
    found = sorted((it for it in counts if it[1]), key=lambda it: -it[1])
    profile = ColumnProfile(
        **facts,
        semantic="boolean",
        distinct=len(found),
        top=[Top(value, count) for value, count in found],
    )
    return Looked(profile, marks.of_numbers(column.cast(pa.int64())), numbers.counted(there))


def _number(facts: dict[str, Any], column: Any) -> Looked:
    time = column.type == TIME
    column = column.cast(pa.int64()) if time else column
    found = numbers.counted(marks.as_numpy(column.drop_null() if column.null_count else column))
    own = marks.of_numbers(column)
    if not len(found.values):  # only infinities
        profile = ColumnProfile(**facts, semantic="number", distinct=0, infinite=found.infinite)
        return Looked(profile, own, found)
    quantiles = numbers.quantiles(found)
    quartiles = quantiles[3], quantiles[5]
    edges = numbers.bin_edges(found, quartiles)
    counts = numbers.bin_counts(found, edges).tolist()
    common = numbers.top(found)
    shown = _time_cell if time else cell
    profile = ColumnProfile(
        **facts,
        semantic=number_semantic(found, TIME if time else column.type),
        distinct=len(found.values),
        min=shown(found.values[0].item()),
        max=shown(found.values[-1].item()),
        quantiles=[shown(it) for it in quantiles],
        histogram=Histogram((edges / 1000 if time else edges).tolist(), counts),
        top=[Top(shown(value), count) for value, count in common],
        other=found.count - sum(count for _, count in common),
        **({} if time else _figures(found, quartiles)),
    )
    return Looked(profile, own, found)


def _figures(it: Numbers, quartiles: tuple[float, float]) -> dict[str, Any]:
    moments = numbers.moments(it)
    zero = np.searchsorted(it.values, 0)
    there = zero < len(it.values) and it.values[zero] == 0
    return {
        "mean": moments.mean,
        "std": moments.std,
        "skew": moments.skew,
        "zeros": int(it.counts[zero]) if there else 0,
        "negative": int(it.counts[:zero].sum()),
        "infinite": it.infinite,
        "outliers": numbers.outliers(it, quartiles)[0],
    }


def number_semantic(it: Numbers, kind: Any) -> Semantic:
    """What numbers of that type, or times, are."""
    if kind == TIME:
        return "datetime"
    values, count = it.values, it.count
    if len(values) == 2 and values[0] == 0 and values[1] == 1:
        return "boolean"
    counter = values.dtype.kind == "i" and len(values) == count >= _ID_LEAST
    return "id" if counter and int(values[-1]) - int(values[0]) == count - 1 else "number"


def _time_cell(microseconds: float) -> Cell:
    return iso(microseconds)


def _examples(column: Any) -> list[Cell]:
    """Spread over the rows; missing ones are passed over."""
    if not len(column):
        return []
    places = np.linspace(0, len(column) - 1, 4 * _EXAMPLES).astype(int).tolist()
    found: dict[Cell, None] = dict.fromkeys(cell(column[it].as_py()) for it in places)
    known: list[Cell] = [it for it in found if it is not None]
    return known[:_EXAMPLES]
