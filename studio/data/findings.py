"""What to look at in a data set, worst first, each with a cell that mends it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from studio.data import fixes, numbers, texts
from studio.data.columns import Looked
from studio.data.numbers import Numbers
from studio.data.protocol.data import Condition
from studio.data.protocol.profiles import Finding, Severity
from studio.data.texts import Texts

_ORDER: dict[Severity, int] = {"high": 0, "medium": 1, "low": 2}
_ALMOST = 0.995  # of the cells have one value
_MISSING: tuple[tuple[float, Severity], ...] = ((0.5, "high"), (0.2, "medium"), (0.05, "low"))
_SKEWED = 2.0
_MANY_VALUES = 100
_MIXED = 0.05  # of the cells are numbers, not all
_DATES = 0.9
_FAR_SHARE = 0.01
_FEW, _VERY_FAR = 1e-4, 6.0  # of the cells; interquartile ranges
_OF_ALL_ROWS = {"constant", "almost_constant", "empty", "id"}  # of which a sample cannot tell
_GROUP = 3  # more columns with the same finding share one
_NAMED = 5  # columns or values that words name
_FILTERED = 50  # values that a filter names
_LEAST_SKEW = 20  # cells; fewer say nothing
_HALF = 0.5
_SHORT = 40  # characters of a value within words

DEFINITIONS = {
    "constant": "Every row has the same value: nothing can be learned from the column.",
    "almost_constant": "At least 99.5 % of the cells have one value.",
    "empty": "No row has a value.",
    "missing": "Cells that are empty or spelled as pandas reads missing: NA, NaN, null, None, ...",
    "duplicate_rows": "Rows that equal an earlier row in every column.",
    "duplicate_columns": "Columns that equal another one in every row.",
    "id": "Every row has a value of its own: a model learns rows by heart from it.",
    "leakage": "One column alone predicts the target almost perfectly (prediction power of at "
    "least 0.9): often it was made from the target, or is known only after it.",
    "imbalance": "The rarest class has less than 10 % of the rows: accuracy says little, and a "
    "model may ignore the class.",
    "high_cardinality": "More than 100 categories: one-hot columns would be many, and most rare.",
    "skewed": "Skewness (adjusted for n, as pandas) beyond 2: few large values dominate the mean "
    "and squared errors.",
    "outliers": "Values more than 3 interquartile ranges beyond the quartiles (Tukey's far out).",
    "mixed": "Some cells of the column are numbers, others are not.",
    "numbers_as_text": "Every cell is a number, but written with a currency, thousands or %.",
    "whitespace": "Text that begins or ends with white space.",
    "variants": "Values that differ only in upper and lower case or in white space around.",
    "dates_as_text": "At least 90 % of the cells are dates that were not read as times.",
    "infinite": "Infinite numbers: most algorithms refuse them.",
    "target_missing": "Rows that have no value of the target cannot be learned from.",
    "target_drift": "The target is distributed differently in some of the files: total variation "
    "distance to all files together above 0.1.",
    "power": "Prediction power, 0 to 1: how much of what is not known about the target one column "
    "alone tells, on rows it was not learned from. Half of the rows (at most 100,000) teach each "
    "of up to 32 bins or 100 values its class shares, or mean; the other half is asked. "
    "Classes: 1 - log loss / log loss without the column; numbers: R2.",
    "distinct": "Different values, missing ones aside.",
    "quantiles": "Between the two nearest values linearly, as pandas has it.",
    "std": "Standard deviation of a sample: divided by n - 1.",
    "skew": "Adjusted Fisher-Pearson coefficient G1, as pandas has it.",
    "histogram": "Bins by Freedman and Diaconis (2 IQR / cube root of n), at most 60; a bin has "
    "its lower edge, the last one both.",
}


@dataclass(frozen=True)
class Noted:
    """A finding of one column, before those of several columns are put together."""

    kind: str
    severity: Severity
    column: str
    count: int
    share: float
    words: str
    fix: str | None  # see fixes.py
    filters: tuple[Condition, ...] = ()


def of_column(it: Looked) -> list[Noted]:
    """All that is to be said of one column."""
    if it.profile.semantic == "empty":
        return [_noted(it, "empty", "medium", it.profile.rows, "has no value.", "drop")]
    found = [*_missing(it), *_constant(it), *_identity(it)]
    if it.texts is not None:
        found += _texts(it, it.texts)
    elif it.profile.semantic == "number":
        found += _numbers(it)
    return found


def together(noted: Iterable[Noted], exact: bool) -> list[Finding]:
    """Findings, worst first; the same one of many columns is one."""
    groups: dict[tuple[str, Severity], list[Noted]] = defaultdict(list)
    for it in noted:
        if exact or it.kind not in _OF_ALL_ROWS:
            groups[it.kind, it.severity].append(it)
    found = []
    for (kind, severity), them in groups.items():
        if len(them) > _GROUP:
            found.append(_group(kind, severity, them, exact))
        else:
            found += [_single(it, exact) for it in them]
    return ordered(found)


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """Worst first, then those that concern most rows."""
    return sorted(found, key=lambda it: (_ORDER[it.severity], -(it.share or 0), it.kind))


def _single(it: Noted, exact: bool) -> Finding:
    return Finding(
        kind=it.kind,
        severity=it.severity,
        title=fixes.TITLES[it.kind],
        words=f"{it.column} {it.words}",
        columns=[it.column],
        count=it.count,
        share=it.share,
        fix=fixes.fix(it.fix, [it.column]),
        filters=list(it.filters) or None,
        exact=exact,
    )


def _group(kind: str, severity: Severity, them: list[Noted], exact: bool) -> Finding:
    columns = [it.column for it in them]
    shares = sorted(it.share for it in them)
    low, high = f"{shares[0]:.1%}", f"{shares[-1]:.1%}"
    span = f"{low} of the rows each" if low == high else f"{low} to {high} of the rows each"
    return Finding(
        kind=kind,
        severity=severity,
        title=fixes.TITLES[kind],
        words=f"{len(them):,} columns, {span}: {named(columns)}.",
        columns=columns,
        count=max(it.count for it in them),
        share=shares[-1],
        fix=fixes.fix(them[0].fix, columns),
        filters=None,
        exact=exact,
    )


def named(values: list[Any]) -> str:
    """The first few, and how many more there are."""
    more = len(values) - _NAMED
    return ", ".join(str(it) for it in values[:_NAMED]) + (
        f" and {more:,} more" if more > 0 else ""
    )


def of_rows(count: int, rows: int) -> str:
    return f"{count:,} of {rows:,} rows ({count / max(rows, 1):.2%})"


def _noted(
    it: Looked,
    kind: str,
    severity: Severity,
    count: int,
    words: str,
    fix: str | None,
    *filters: Condition,
) -> Noted:
    profile = it.profile
    share = count / max(profile.rows, 1)
    return Noted(kind, severity, profile.name, count, share, words, fix, filters)


def _missing(it: Looked) -> list[Noted]:
    profile = it.profile
    severity = next((name for least, name in _MISSING if profile.missing_share >= least), None)
    if severity is None:
        return []
    words = f"is missing in {of_rows(profile.missing, profile.rows)}."
    fix = "median" if profile.semantic == "number" else "mode"
    fix = "drop" if severity == "high" else fix
    rows = Condition("missing", profile.name)
    return [_noted(it, "missing", severity, profile.missing, words, fix, rows)]


def _constant(it: Looked) -> list[Noted]:
    profile, counts = it.profile, it.counts
    if profile.count < 2 or not len(counts):
        return []
    most, value = int(counts.max()), profile.top[0].value if profile.top else None
    if most == profile.rows:
        words = f"is {_short(value)} in every row."
        return [_noted(it, "constant", "medium", profile.rows, words, "drop")]
    if most < _ALMOST * profile.count or len(counts) == 1:
        return []
    words = f"is {_short(value)} in {most / profile.count:.2%} of the cells."
    others = Condition("differs", profile.name, value), Condition("present", profile.name)
    return [_noted(it, "almost_constant", "low", most, words, "drop", *others)]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _identity(it: Looked) -> list[Noted]:
    if it.profile.semantic != "id":
        return []
    words = "has another value in every row."
    return [_noted(it, "id", "medium", it.profile.count, words, "drop")]


def _numbers(it: Looked) -> list[Noted]:
    profile, found = it.profile, []
    if profile.infinite:
        words = f"is infinite in {of_rows(profile.infinite, profile.rows)}."
        rows = Condition("infinite", profile.name)
        found.append(_noted(it, "infinite", "high", profile.infinite, words, "infinite", rows))
    if profile.skew is not None and abs(profile.skew) > _SKEWED and profile.count >= _LEAST_SKEW:
        side = "right" if profile.skew > 0 else "left"
        words = f"leans to the {side}: its skewness is {profile.skew:.1f}."
        fix = None if side == "left" else "signed" if profile.negative else "log"
        found.append(_noted(it, "skewed", "low", profile.count, words, fix))
    if profile.outliers and it.numbers is not None:
        found += _outliers(it, it.numbers)
    return found


def _outliers(it: Looked, of: Numbers) -> list[Noted]:
    low, high = numbers.quantiles(of, (0.25, 0.75))
    count, least, most = numbers.outliers(of, (low, high))
    farthest = max(low - float(of.values[0]), float(of.values[-1]) - high)
    if count < _FEW * of.count and farthest < _VERY_FAR * (high - low):
        return []  # a million normal values have two
    words = f"is outside {least:.4g} to {most:.4g} in {of_rows(count, it.profile.rows)}."
    severity: Severity = "medium" if count > _FAR_SHARE * it.profile.rows else "low"
    rows = Condition("outside", it.profile.name, [least, most])
    return [_noted(it, "outliers", severity, count, words, "outliers", rows)]


def _texts(it: Looked, of: Texts) -> list[Noted]:
    return [*_mixed(it, of), *_dates(it, of), *_white(it, of), *_variants(it, of), *_many(it)]


def _mixed(it: Looked, of: Texts) -> list[Noted]:
    numeric = texts.numeric(of)
    share = int(of.counts[numeric].sum()) / of.count
    if share == 1:
        words = f"has only numbers, but written as text, as {_short(it.profile.examples[0])}."
        return [_noted(it, "numbers_as_text", "medium", of.count, words, "numbers")]
    if share < _MIXED:
        return []
    mostly = share >= _HALF
    fewer = ~numeric if mostly else numeric
    count = int(of.counts[fewer].sum())
    values = of.values.take(np.flatnonzero(fewer)[:_FILTERED]).to_pylist()
    what, examples = "no numbers" if mostly else "numbers", named([_short(v) for v in values])
    words = f"has {what} in {of_rows(count, it.profile.rows)}: {examples}."
    rows = Condition("in", it.profile.name, values)
    fix = "numbers" if mostly else "texts"
    return [_noted(it, "mixed", "high" if mostly else "low", count, words, fix, rows)]


def _dates(it: Looked, of: Texts) -> list[Noted]:
    count = int(of.counts[texts.dates(of)].sum())
    if not count or count < _DATES * of.count:
        return []
    words = f"has dates, but written as text, as {_short(it.profile.examples[0])}."
    return [_noted(it, "dates_as_text", "low", count, words, "dates")]


def _white(it: Looked, of: Texts) -> list[Noted]:
    count = int(of.counts[texts.untrimmed(of)].sum())
    if not count:
        return []
    words = f"begins or ends with white space in {of_rows(count, it.profile.rows)}."
    rows = Condition("matches", it.profile.name, r"^\s|\s$")
    return [_noted(it, "whitespace", "low", count, words, "strip", rows)]


def _variants(it: Looked, of: Texts) -> list[Noted]:
    groups = texts.variants(of) if it.profile.semantic in ("category", "boolean") else []
    if not groups:
        return []
    values = [value for group in groups for value in group][:_FILTERED]
    count = int(of.counts[np.asarray(pc.is_in(of.values, pa.array(values)))].sum())
    words = f"spells one value in several ways, as {' and '.join(map(repr, groups[0][:2]))}."
    rows = Condition("in", it.profile.name, values)
    return [_noted(it, "variants", "medium", count, words, "lower", rows)]


def _many(it: Looked) -> list[Noted]:
    if it.profile.semantic != "category" or it.profile.distinct <= _MANY_VALUES:
        return []
    words = f"has {it.profile.distinct:,} categories."
    return [_noted(it, "high_cardinality", "low", it.profile.count, words, "rare")]
