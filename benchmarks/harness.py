"""What a benchmark says: figures, what was promised of each, and a peer in the same run."""

import statistics
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Floor:
    """A promise: `bound` in the unit of the figure, or times better than the peer (`of_ratio`)."""

    bound: float
    least: bool
    of_ratio: bool = False

    def holds(self, row: "Row") -> bool:
        found = row.ratio if self.of_ratio else row.value
        if found is None:
            raise ValueError(f"{row.name} has no peer to be compared with")
        return found >= self.bound if self.least else found <= self.bound

    def __str__(self) -> str:
        return f"{'at least' if self.least else 'at most'} {self.bound:g}"


@dataclass(frozen=True)
class Row:
    """One figure; `ratio` says how it stands to the peer's, as the benchmark reckons it."""

    name: str
    value: float
    unit: str
    floor: Floor | None = None
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None


@dataclass(frozen=True)
class Result:
    """What came of a benchmark: `failed` says why there are no rows.

    `load` is the number of processes that wanted a CPU just before, this one left out: the most
    of all its runs.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    runs: int
    seconds: float
    load: float
    cpus: int
    when: str
    failed: str = ""

    @property
    def busy(self) -> bool:
        """Whether others took so much of the machine that a miss says nothing."""
        return self.load > 2 * self.cpus

    def verdict(self, row: Row) -> str:
        if row.floor is None:
            return ""
        if row.floor.holds(row):
            return "holds"
        return "inconclusive" if self.busy else "**missed**"


def at_most(bound: float) -> Floor:
    return Floor(bound, least=False)


def at_least(bound: float) -> Floor:
    return Floor(bound, least=True)


def times(bound: float) -> Floor:
    """A ratio of at least that."""
    return Floor(bound, least=True, of_ratio=True)


def times_at_most(bound: float) -> Floor:
    """A ratio of at most that."""
    return Floor(bound, least=False, of_ratio=True)


def middle(runs: list[list[Row]]) -> tuple[Row, ...]:
    """The median of each figure: shared machines are noisy. Runs have the same figures."""
    return tuple(_median(same) for same in zip(*runs, strict=True))


def _median(same: tuple[Row, ...]) -> Row:
    peers = [row.peer_value for row in same if row.peer_value is not None]
    ratios = [row.ratio for row in same if row.ratio is not None]
    return replace(
        same[0],
        value=statistics.median(row.value for row in same),
        peer_value=statistics.median(peers) if peers else None,
        ratio=statistics.median(ratios) if ratios else None,
    )


def table(results: list[Result]) -> str:
    """All figures as a Markdown table."""
    lines = ["| figure | value | floor | | peer | ratio |", "| --- | --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *(_line(each, row) for each in results for row in each.rows)])


def times_taken(results: list[Result]) -> str:
    """How each benchmark went as a Markdown table."""
    lines = [
        "| benchmark | what it is | when | runs | took | load before |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for it in results:
        runs = f"**failed**: {it.failed}" if it.failed else str(it.runs)
        what = f"`{it.name}` | {it.title} | {it.when}"
        lines.append(f"| {what} | {runs} | {it.seconds:.0f} s | {it.load:.1f} |")
    return "\n".join(lines)


def _line(result: Result, row: Row) -> str:
    unit = "x" if row.floor is not None and row.floor.of_ratio else f" {row.unit}"
    floor = "" if row.floor is None else f"{row.floor}{unit}".strip()
    peer = "" if row.peer_value is None else f"{row.peer}: {_number(row.peer_value, row.unit)}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
    value, verdict = _number(row.value, row.unit), result.verdict(row)
    return f"| {row.name} | {value} | {floor} | {verdict} | {peer} | {ratio} |"


def _number(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".strip()
