"""Figures of a column of text, from its distinct values."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from studio.data.numbers import commonest

Array = NDArray[Any]

_NUMBER = r"^\s*[-+]?[$€£]?(\d+(,\d{3})+|\d+)?(\.\d*)?([eE][-+]?\d+)?\s*%?$"
_DIGIT = r"\d"
_DATE = (
    r"^\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})"
    r"|\d{1,2}[ -][A-Za-z]{3,9}[ -,]+\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})"
    r"([T ]\d{1,2}:\d{2}.*)?\s*$"
)
_LOOK = 20_000  # distinct values; only when some of them fit are the others looked at
_VARIANTS = 100_000  # more distinct values are no categories


@dataclass(frozen=True)
class Texts:
    """`values`: the distinct ones as they come; `counts` of each; `codes`: of each row its place
    in `values`, -1 where it is missing."""

    values: Any
    counts: Array
    codes: Array

    @property
    def count(self) -> int:
        return int(self.counts.sum())

    @cached_property
    def lengths(self) -> Array:
        """Characters of each distinct value."""
        return np.asarray(pc.utf8_length(self.values), np.int64)


def counted(column: Any) -> Texts:
    """Of a chunked array of strings."""
    coded = column.dictionary_encode()
    values = coded.chunk(0).dictionary if coded.num_chunks else pa.array([], pa.string())
    parts = [it.indices.fill_null(-1).to_numpy(zero_copy_only=False) for it in coded.chunks]
    codes = np.concatenate(parts) if parts else np.zeros(0, np.int32)
    return Texts(values, np.bincount(codes + 1, minlength=len(values) + 1)[1:], codes)


def top(it: Texts, most: int) -> list[tuple[str, int]]:
    """The commonest values, commonest first; none when all are different and many."""
    if not len(it.counts) or (len(it.counts) > most and it.counts.max() == 1):
        return []
    places = commonest(it.counts, most)
    return [(it.values[int(place)].as_py(), int(it.counts[place])) for place in places]


def cells_like(it: Texts, pattern: str) -> Array:
    """Which distinct values match."""
    if not len(it.values):
        return np.zeros(0, bool)
    if len(it.values) > _LOOK:
        few = pc.match_substring_regex(it.values.slice(0, _LOOK), pattern)
        if not pc.any(few).as_py():
            return np.zeros(len(it.values), bool)
    return np.asarray(pc.match_substring_regex(it.values, pattern))


def numeric(it: Texts) -> Array:
    """Which distinct values are numbers, also with a currency, thousands or per cent."""
    return cells_like(it, _NUMBER) & cells_like(it, _DIGIT)


def dates(it: Texts) -> Array:
    """Which distinct values are dates or times."""
    return cells_like(it, _DATE)


def untrimmed(it: Texts) -> Array:
    """Which distinct values begin or end with white space."""
    trimmed = pc.utf8_trim_whitespace(it.values)
    return np.asarray(pc.not_equal(trimmed, it.values)) if len(it.values) else np.zeros(0, bool)


def variants(it: Texts) -> list[list[str]]:
    """Groups of values that differ only in case or in white space, at most 20 of them."""
    if not 1 < len(it.values) <= _VARIANTS:
        return []
    bare = pc.utf8_lower(pc.utf8_trim_whitespace(it.values)).dictionary_encode()
    if len(bare.dictionary) == len(it.values):
        return []
    codes = np.asarray(bare.indices)
    several = np.flatnonzero(np.bincount(codes) > 1)[:20]
    return [it.values.take(np.flatnonzero(codes == code)).to_pylist() for code in several]
