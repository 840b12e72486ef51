"""What to look at in the table as a whole, and with a target."""

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from studio.data import fixes, texts
from studio.data.cells import cell
from studio.data.findings import named, of_rows
from studio.data.power import Target
from studio.data.protocol.data import Condition, DataFacts
from studio.data.protocol.profiles import ClassShare, Finding, Severity, TargetReport

_MANY_COPIES = 0.1
_LEAK = 0.9
_RARE, _VERY_RARE = 0.1, 0.01
_SHOWN_CLASSES = 20
_DRIFT = 0.1
_FILE_LEAST = 100  # rows


def duplicate_rows(marks: NDArray[np.uint64]) -> list[Finding]:
    """Fingerprints of 64 bits: for a million rows the odds of a wrong count are 1 to 10**7."""
    rows = len(marks)
    ordered = np.sort(marks)
    count = int(np.count_nonzero(ordered[1:] == ordered[:-1]))
    if not count:
        return []
    severity: Severity = "high" if count > _MANY_COPIES * rows else "medium"
    words = f"{of_rows(count, rows)} are exact copies of an earlier row."
    return [
        _finding("duplicate_rows", severity, words, [], (count, rows), [Condition("duplicated")])
    ]


def duplicate_columns(table: Any, prints: dict[str, int]) -> list[Finding]:
    """Columns of one fingerprint, compared cell by cell."""
    same = defaultdict(list)
    for name, it in prints.items():
        same[it].append(name)
    copies = [
        (first, name)
        for first, *others in same.values()
        for name in others
        if table.column(name).equals(table.column(first))
        and table.column(name).null_count < len(table)
    ]
    if not copies:
        return []
    words = f"{named([f'{name} equals {first}' for first, name in copies])}."
    columns = [name for _, name in copies]
    return [_finding("duplicate_columns", "medium", words, columns, (len(table), len(table)))]


def of_target(
    table: Any,
    column: str,
    target: Target | None,
    powers: list[tuple[str, float]],
    facts: DataFacts,
) -> list[Finding]:
    """What to look at because of the target."""
    rows = len(table)
    found = [_leak(name, column, power, rows) for name, power in powers if power >= _LEAK]
    missing = table.column(column).null_count
    if missing:
        words = f"{column} is missing in {of_rows(missing, rows)}."
        there = [Condition("missing", column)]
        found.append(_finding("target_missing", "high", words, [column], (missing, rows), there))
    if target is not None and target.classes:
        found += _imbalance(column, target, rows)
        found += _drift(table, column, facts)
    return found


def report(column: str, target: Target, powers: list[tuple[str, float]]) -> TargetReport:
    """The target itself; `powers` strongest first."""
    what = "numbers" if target.task == "regression" else f"{len(target.classes)} classes"
    words = f"{column}: {what}; prediction power found on {len(target.rows):,} rows."
    return TargetReport(column, target.task, _classes(target), powers, len(target.rows), words)


def _classes(target: Target) -> list[ClassShare]:
    if not target.classes:
        return []
    counts = np.bincount(target.values, minlength=len(target.classes))
    order = np.argsort(-counts, kind="stable")[:_SHOWN_CLASSES]
    shares = counts / counts.sum()
    return [
        ClassShare(cell(target.classes[it]), int(counts[it]), float(shares[it])) for it in order
    ]


def _finding(
    kind: str,
    severity: Severity,
    words: str,
    columns: list[str],
    span: tuple[int, int],
    filters: list[Condition] | None = None,
) -> Finding:
    """`span`: how many rows, of how many."""
    which = {"duplicate_columns": "drop", "leakage": "drop", "target_drift": None}.get(kind, kind)
    return Finding(
        kind=kind,
        severity=severity,
        title=fixes.TITLES[kind],
        words=words,
        columns=columns,
        count=span[0],
        share=span[0] / max(span[1], 1),
        fix=fixes.fix(which, columns),
        filters=filters,
        exact=True,
    )


def _leak(name: str, column: str, power: float, rows: int) -> Finding:
    words = (
        f"{name} alone tells {power:.0%} of {column}. Was it made from {column}, or is it known "
        "only after it?"
    )
    return _finding("leakage", "high", words, [name], (rows, rows))


def _imbalance(column: str, target: Target, rows: int) -> list[Finding]:
    counts = np.bincount(target.values, minlength=len(target.classes))
    least = int(np.argmin(counts))
    share = counts[least] / counts.sum()
    if share >= _RARE:
        return []
    severity: Severity = "high" if share < _VERY_RARE else "medium"
    words = f"{cell(target.classes[least])} has only {share:.2%} of the rows that have a {column}."
    return [_finding("imbalance", severity, words, [column], (round(share * rows), rows))]


def _drift(table: Any, column: str, facts: DataFacts) -> list[Finding]:
    """Files whose classes have other shares than all files together."""
    if facts.file_count < 2 or sum(it.rows or 0 for it in facts.files) != len(table):
        return []
    found = texts.counted(table.column(column).cast(pa.string()))
    whole = found.counts / max(found.count, 1)
    apart, start = [], 0
    for file in facts.files:
        codes = found.codes[start : start + (file.rows or 0)]
        start += len(codes)
        counts = np.bincount(codes[codes >= 0], minlength=len(whole))
        if counts.sum() >= _FILE_LEAST:
            apart.append((float(np.abs(counts / counts.sum() - whole).sum() / 2), file.name))
    far = sorted((it for it in apart if it[0] > _DRIFT), reverse=True)
    if not far:
        return []
    words = f"{named([f'{name} (by {distance:.2f})' for distance, name in far])}."
    return [_finding("target_drift", "medium", words, [column], (len(table), len(table)))]
