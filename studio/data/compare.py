"""Two data sets side by side: what is missing, what is new, what is distributed differently."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from studio.data import code, store
from studio.data.distances import drift
from studio.data.protocol.comparisons import ComparePart, CompareRequest, Drift
from studio.data.room import Room
from studio.data.threads import ahead

_PAUSE = 0.3  # seconds between two parts
_CODE = """
from scipy import stats

rows = []
for name in [it for it in reference.columns if it in current.columns]:
    one, other = reference[name].dropna(), current[name].dropna()
    if pd.api.types.is_numeric_dtype(one) and pd.api.types.is_numeric_dtype(other):
        test = stats.ks_2samp(one, other)
        effect, p = test.statistic, test.pvalue
    else:
        counts = [it.astype(str).value_counts() for it in (one, other)]
        counts = pd.concat(counts, axis=1).fillna(0)
        chi2, p = stats.chi2_contingency(counts, correction=False)[:2]
        effect = (chi2 / counts.to_numpy().sum()) ** 0.5
    missing = other.size / len(current) - one.size / len(reference)
    rows.append((name, effect, p, -missing))
drifts = pd.DataFrame(rows, columns=["column", "effect", "p", "missing change"])
drifts.sort_values("effect", ascending=False)
"""


def compare(request: CompareRequest, room: Room) -> ComparePart:
    """Tells what is known from time to time; returns the whole."""
    one, other = store.load(request.source, room), store.load(request.other, room)
    names = [it for it in one.table.column_names if it in other.table.column_names]
    drifts: list[Drift] = []
    told = time.monotonic()
    for found in _drifts(one.table, other.table, names):
        drifts.append(found)
        if time.monotonic() - told > _PAUSE:
            room.tell(_part(one, other, drifts, len(drifts) / len(names)))
            told = time.monotonic()
    return _part(one, other, _adjusted(drifts), 1.0)


def _drifts(one: Any, other: Any, names: list[str]) -> Iterator[Drift]:
    return ahead(lambda name: drift(name, one.column(name), other.column(name)), names)


def _part(one: store.Data, other: store.Data, drifts: list[Drift], progress: float) -> ComparePart:
    ours, theirs = one.table.column_names, other.table.column_names
    return ComparePart(
        progress=progress,
        doing="" if progress == 1 else "Comparing",
        data=one.facts,
        other=other.facts,
        missing=[it for it in ours if it not in theirs],
        added=[it for it in theirs if it not in ours],
        retyped=[it.name for it in drifts if it.type != it.other_type],
        drifts=sorted(drifts, key=lambda it: -it.effect),
        code=code.gathered(
            [
                f"{one.facts.code}\nreference = df",
                f"{other.facts.code}\ncurrent = df",
                _CODE,
            ]
        ),
    )


def _adjusted(drifts: list[Drift]) -> list[Drift]:
    """With p adjusted for the number of tests, by Benjamini and Hochberg (1995)."""
    tests = sorted((it.test.p, place) for place, it in enumerate(drifts) if it.test is not None)
    ps = np.array([p for p, _ in tests])
    raised = ps * len(ps) / np.arange(1, len(ps) + 1)
    lowest = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    adjusted = {place: float(p) for (_, place), p in zip(tests, lowest, strict=True)}
    return [_with(it, adjusted.get(place)) for place, it in enumerate(drifts)]


def _with(it: Drift, adjusted: float | None) -> Drift:
    if it.test is None or adjusted is None:
        return it
    return replace(it, test=replace(it.test, adjusted=adjusted))
