"""The profile of a data set: of a sample at once, then exact, column by column."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.data import findings, store, table_findings
from studio.data.columns import Looked, looked_at
from studio.data.errors import DataError
from studio.data.marks import factor
from studio.data.power import Target, power, target
from studio.data.protocol.profiles import (
    ColumnProfile,
    Finding,
    ProfilePart,
    ProfileRequest,
    TargetReport,
)
from studio.data.room import Room
from studio.data.threads import ahead

_PAUSE = 0.3  # seconds between two parts
_SMALL = 10 << 20  # bytes: what is smaller is read whole at once


def profile(request: ProfileRequest, room: Room) -> ProfilePart:
    """Tells the sample's part and those of finished columns; returns the last one."""
    it = store.opened(request.source, room)
    definitions = findings.DEFINITIONS
    if sum(item.size for item in it.found.items) > _SMALL:
        first = Profiler(store.sampled(it, room), request.target, exact=False)
        columns = list(first.looked())
        room.tell(first.part("sample", 0.0, columns, definitions))
        definitions = {}
    full = Profiler(_whole(it, room), request.target, exact=True)
    columns, told = [], time.monotonic()
    for column in full.looked():
        columns.append(column)
        if time.monotonic() - told > _PAUSE:
            share = column.index / full.data.table.num_columns
            room.tell(full.part("full", share, columns, definitions))
            columns, told, definitions = [], time.monotonic(), {}
    return full.part("full", 1.0, columns, definitions)


def _whole(it: store.Opened, room: Room) -> store.Data:
    """All rows. What need not be converted for this is converted for the charts, afterwards."""
    data = store.column_by_column(it, room)
    if data is None:
        return store.loaded(it, room)
    room.afterwards.append(lambda: store.loaded(it, room))
    return data


@dataclass
class Profiler:
    """Looks at one table, column by column; `marks` are the rows' fingerprints, `prints` the
    columns'."""

    data: store.Data
    target_name: str | None
    exact: bool
    noted: list[findings.Noted] = field(default_factory=list)
    powers: list[tuple[str, float]] = field(default_factory=list)
    prints: dict[str, int] = field(default_factory=dict)
    marks: NDArray[np.uint64] = field(init=False)
    target: Target | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        table, name = self.data.table, self.target_name
        self.marks = np.zeros(len(table), np.uint64)
        if name is None:
            return
        if name not in table.column_names:
            raise DataError("BadRequest", f"{self.data.facts.name} has no column {name}.")
        self.target = target(table.column(name))

    def looked(self) -> Iterator[ColumnProfile]:
        """All columns, in order."""
        table = self.data.table
        of_rows = factor(np.arange(len(table), dtype=np.uint64))
        for looked, told in ahead(self._look, enumerate(table.column_names)):
            profile = looked.profile
            self.marks += looked.marks * factor(np.uint64(profile.index))
            self.prints[profile.name] = int(np.dot(looked.marks, of_rows))
            self.noted += findings.of_column(looked)
            if told is not None:
                self.powers.append((profile.name, told))
            yield replace(profile, power=told)

    def part(
        self, phase: Any, progress: float, columns: list[ColumnProfile], definitions: dict[str, str]
    ) -> ProfilePart:
        """What is known now, with these columns. Findings only when all columns were looked at."""
        whole = len(self.prints) == self.data.table.num_columns
        doing = "" if progress == 1 else f"Reading {self.data.facts.name}"
        return ProfilePart(
            phase=phase,
            progress=progress,
            doing=doing,
            data=self.data.facts,
            columns=columns,
            findings=self._findings() if whole else None,
            target=self._report() if whole else None,
            definitions=definitions,
        )

    def _look(self, it: tuple[int, str]) -> tuple[Looked, float | None]:
        index, name = it
        column = self.data.table.column(index)
        predicts = self.target is not None and name != self.target_name
        told = power(column, self.target) if self.target is not None and predicts else None
        return looked_at(name, index, column, self.exact), told

    def _findings(self) -> list[Finding]:
        table, found = self.data.table, findings.together(self.noted, self.exact)
        if self.target_name is not None:
            facts, powers = self.data.facts, self._strongest()
            of_target = table_findings.of_target(
                table, self.target_name, self.target, powers, facts
            )
            found += [replace(it, exact=self.exact) for it in of_target]
        if self.exact:  # a sample has fewer copies than the whole
            found += table_findings.duplicate_rows(self.marks)
            found += table_findings.duplicate_columns(table, self.prints)
        return findings.ordered(found)

    def _report(self) -> TargetReport | None:
        if self.target is None or self.target_name is None:
            return None
        return table_findings.report(self.target_name, self.target, self._strongest())

    def _strongest(self) -> list[tuple[str, float]]:
        return sorted(self.powers, key=lambda it: -it[1])
