"""How differently one column is distributed in two data sets."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from studio.data import marks, numbers, texts
from studio.data.cells import cell, type_name
from studio.data.columns import number_semantic, text_semantic
from studio.data.numbers import Numbers
from studio.data.plain import TIME
from studio.data.protocol.comparisons import Drift, Overlay, TwoSampleTest
from studio.data.protocol.profiles import Semantic

Array = NDArray[Any]

_LEAST = 5  # cells on either side: fewer say nothing
_BINS, _TINY = 10, 1e-4  # of PSI; a bin's least share
_SHOWN_BINS = 40
_VALUES, _SHOWN_VALUES = 50, 20  # of texts; the others are one
_CHANCE = 0.05
_LEVELS: tuple[tuple[float, Literal["none", "small", "moderate", "large"]], ...] = (
    (0.3, "large"),
    (0.15, "moderate"),
    (0.05, "small"),
)


@dataclass(frozen=True)
class _Measured:
    """Without a test there are too few cells."""

    semantic: Semantic
    effect: float = 0.0
    psi: float | None = None
    test: TwoSampleTest | None = None
    overlay: Overlay | None = None


def drift(name: str, one: Any, other: Any) -> Drift:
    """Columns of numbers, or of times, by their distributions; anything else by its values."""
    numeric = _both(one, other, (pa.int64(), pa.float64())) or _both(one, other, (TIME,))
    it = _of_numbers(one, other) if numeric else _of_texts(one, other)
    ours, theirs = (it.null_count / max(len(it), 1) for it in (one, other))
    missing = abs(theirs - ours)
    by_chance = it.test is not None and it.test.p > _CHANCE
    felt = missing if by_chance else max(it.effect, missing)
    return Drift(
        name=name,
        type=type_name(one.type),
        other_type=type_name(other.type),
        semantic=it.semantic,
        effect=max(it.effect, missing),
        level=next((word for least, word in _LEVELS if felt >= least), "none"),
        psi=it.psi,
        test=it.test,
        missing_share=ours,
        other_missing_share=theirs,
        overlay=it.overlay,
        words=_words(it, theirs - ours),
    )


def _both(one: Any, other: Any, kinds: tuple[Any, ...]) -> bool:
    return one.type in kinds and other.type in kinds


def _of_numbers(one: Any, other: Any) -> _Measured:
    ours, theirs = _counted(one), _counted(other)
    kind = number_semantic(ours, one.type)
    if min(ours.count, theirs.count) < _LEAST:
        return _Measured(kind)
    both, n, m = numbers.merged(ours, theirs), ours.count, theirs.count
    statistic = float(np.abs(both.one / n - both.other / m).max())
    p = float(special.kolmogorov(np.sqrt(n * m / (n + m)) * statistic))
    test = TwoSampleTest("Kolmogorov-Smirnov", statistic, p, None, n, m)
    edges = np.unique(np.array(numbers.quantiles(ours, tuple(np.linspace(0, 1, _BINS + 1)[1:-1]))))
    psi = population_stability(_shares(ours, edges), _shares(theirs, edges))
    overlay = _overlay(both.both, (ours, theirs), one.type == TIME)
    return _Measured(kind, statistic, psi, test, overlay)


def _counted(column: Any) -> Numbers:
    column = column.drop_null()
    kind = pa.float64() if column.type == pa.float64() else pa.int64()
    return numbers.counted(marks.as_numpy(column.cast(kind)))


def _below(it: Numbers, at: Array) -> Array:
    """The share of values that are at most that."""
    ends = np.concatenate(([0], np.cumsum(it.counts)))
    found: Array = ends[np.searchsorted(it.values, at, side="right")] / it.count
    return found


def _shares(it: Numbers, edges: Array) -> Array:
    """Of the bins between the edges and beyond them."""
    below = np.concatenate(([0.0], _below(it, edges), [1.0]))
    return np.diff(below)


def population_stability(one: Array, other: Array) -> float:
    """PSI: sum of (q - p) ln(q / p) over the bins; empty ones count as 0.01 %."""
    p, q = np.maximum(one, _TINY), np.maximum(other, _TINY)
    return float(((q - p) * np.log(q / p)).sum())


def _overlay(both: Numbers, sides: tuple[Numbers, Numbers], time: bool) -> Overlay:
    low, high = numbers.quantiles(both, (0.25, 0.75))
    edges = numbers.bin_edges(both, (low, high))
    if len(edges) > _SHOWN_BINS + 1:
        edges = numbers.bin_edges(both, (low, high), _SHOWN_BINS)
    ours, theirs = (numbers.bin_counts(it, edges) / it.count for it in sides)
    shown = edges / 1000 if time else edges
    return Overlay(shown.tolist(), None, ours.tolist(), theirs.tolist())


def _of_texts(one: Any, other: Any) -> _Measured:
    ours, theirs = (texts.counted(it.cast(pa.string())) for it in (one, other))
    kind, n, m = text_semantic(ours), ours.count, theirs.count
    if min(n, m) < _LEAST:
        return _Measured(kind)
    labels, table = _table(ours, theirs)
    statistic = _chi2(table)
    degrees = table.shape[1] - 1
    p = float(special.chdtrc(degrees, statistic)) if degrees else 1.0
    test = TwoSampleTest("chi-squared", statistic, p, None, n, m)
    shares = table / table.sum(1, keepdims=True)
    effect = float(np.sqrt(statistic / (n + m)))
    shown = [*(cell(it) for it in labels[:_SHOWN_VALUES])]
    overlay = Overlay(None, shown, *(row[: len(shown)].tolist() for row in shares))
    return _Measured(kind, effect, population_stability(shares[0], shares[1]), test, overlay)


def _table(one: texts.Texts, other: texts.Texts) -> tuple[list[str], Array]:
    """Counts of the values that are commonest in both together; what is left is one."""
    coded = pa.chunked_array([one.values, other.values]).dictionary_encode().unify_dictionaries()
    labels = coded.chunk(0).dictionary
    table = np.zeros((2, len(labels)))
    for row, (side, chunk) in enumerate(zip((one, other), coded.chunks, strict=True)):
        table[row, np.asarray(chunk.indices)] = side.counts
    order = np.argsort(-table.sum(0), kind="stable")
    shown = labels.take(pa.array(order[:_VALUES])).to_pylist()
    if len(order) <= _VALUES:
        return shown, table[:, order]
    rest = table[:, order[_VALUES:]].sum(1, keepdims=True)
    return [*shown, "other"], np.hstack([table[:, order[:_VALUES]], rest])


def _chi2(table: Array) -> float:
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    return float((np.square(table - expected) / expected).sum())


def _words(it: _Measured, missing: float) -> str:
    if it.test is None:
        return "Too few cells on one side to say anything."
    measure = "D" if it.test.name == "Kolmogorov-Smirnov" else "Cramer's V"
    cells = f"{it.test.n:,} and {it.test.other_n:,} cells"
    parts = [f"{it.test.name}: {measure} = {it.effect:.3f} of {cells}, PSI {it.psi:.3f}"]
    if abs(missing) >= _LEVELS[-1][0]:
        parts.append(f"{abs(missing):.1%} {'more' if missing > 0 else 'fewer'} cells are missing")
    if it.test.p > _CHANCE:
        parts.append("may well be chance")
    return "; ".join(parts) + "."
