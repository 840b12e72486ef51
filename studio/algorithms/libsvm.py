"""libsvm text: `label[:weight] [qid:group] column:value ...` per line, as sparse rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from studio.algorithms.base import UserError

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_COLUMN_DIGITS = 9


@dataclass(frozen=True)
class SparseRows:
    """Rows as the text has them: `columns` and `values` of row i are [starts[i]:starts[i + 1]]."""

    starts: Integers
    columns: Integers
    values: Floats
    labels: Floats
    weights: Floats | None
    groups: Integers | None

    @property
    def lowest(self) -> int:
        """The smallest column; 0 when there is none."""
        return int(self.columns.min()) if len(self.columns) else 0

    @property
    def highest(self) -> int:
        """The largest column; 0 when there is none."""
        return int(self.columns.max()) if len(self.columns) else 0

    def matrix(self, base: int, width: int) -> Any:
        """CSR float32 [n, width]; column `base` of the text is column 0."""
        from scipy import sparse

        return sparse.csr_matrix(
            (self.values, self.columns - base, self.starts),
            shape=(len(self.starts) - 1, width),
            dtype=np.float32,
        )


@np.errstate(over="ignore")
def parse(text: str, name: str, labelled: bool = True, first_line: int = 1) -> SparseRows:
    """The rows of a text that is called `name` in errors; the label may be absent when `labelled`
    is false. A text that goes on from another begins with the line `first_line` and may have no
    row. Raises UserError that names the line."""
    heads: list[str] = []
    groups: list[str] = []
    pairs: list[str] = []
    starts = [0]
    for number, line in enumerate(text.split("\n"), start=first_line):
        tokens = line.partition("#")[0].split()
        if not tokens:
            continue
        headed = labelled or ":" not in tokens[0]
        if headed:
            heads.append(tokens.pop(0))
        if tokens and tokens[0].startswith("qid:"):
            groups.append(tokens.pop(0)[4:])
        if not all(map(_is_pair, tokens)) or (headed and not _is_label(heads[-1])):
            raise _fault(line, number, name)
        pairs += (part for token in tokens for part in token.split(":"))
        starts.append(len(pairs) // 2)
    if len(starts) == 1 and first_line == 1:
        raise UserError(f"There is no row in {name}.")
    labels, weights = _labels(heads, name)
    if groups and (len(groups) != len(starts) - 1 or not all(map(_is_group, groups))):
        raise UserError(f"Every row of {name} needs a qid that is a whole number, or none has one.")
    return SparseRows(
        np.asarray(starts, np.int64),
        np.asarray(pairs[::2], np.int64) if pairs else np.empty(0, np.int64),
        np.asarray(pairs[1::2], np.float32) if pairs else np.empty(0, np.float32),
        labels,
        weights,
        np.asarray(groups, np.int64) if groups else None,
    )


def join(parts: Sequence[SparseRows]) -> tuple[SparseRows, int, int]:
    """(rows of several files, number of the first column, number of columns).

    Columns count from 1 when no file has a column 0.
    """
    parts = [part for part in parts if len(part.starts) > 1]
    base = 1 if min(part.lowest for part in parts) >= 1 else 0
    width = max(part.highest for part in parts) - base + 1
    weights = [part.weights for part in parts if part.weights is not None]
    groups = [part.groups for part in parts if part.groups is not None]
    if len(weights) not in (0, len(parts)) or len(groups) not in (0, len(parts)):
        raise UserError("Some libsvm files have weights or a qid and others have none.")
    offsets = np.cumsum([0, *(len(part.columns) for part in parts)])
    starts = [part.starts[1:] + offset for part, offset in zip(parts, offsets, strict=False)]
    rows = SparseRows(
        np.concatenate([np.zeros(1, np.int64), *starts]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate(weights) if weights else None,
        np.concatenate(groups) if groups else None,
    )
    return rows, base, width


def _is_pair(token: str) -> bool:
    column, _, value = token.partition(":")
    return (
        column.isdecimal()
        and column.isascii()
        and len(column) <= _COLUMN_DIGITS
        and _is_number(value)
    )


def _is_group(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= 2 * _COLUMN_DIGITS


def _is_label(head: str) -> bool:
    parts = head.split(":")
    return len(parts) <= 2 and all(map(_is_number, parts))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    # Python reads 1_0 as ten; no other reader of libsvm does.
    return "_" not in text


def _labels(heads: list[str], name: str) -> tuple[Floats, Floats | None]:
    if not heads:
        return np.empty(0, np.float32), None
    parts = [head.split(":") for head in heads]
    if len({len(part) for part in parts}) > 1:
        raise UserError(f"Some labels of {name} have a weight and others have none.")
    values = np.asarray(parts, np.float32)
    return values[:, 0], values[:, 1] if values.shape[1] == 2 else None


def _fault(line: str, number: int, name: str) -> UserError:
    if number == 1:
        return UserError(
            f"First line '{line[:50]}...' of {name} is not 'LIBSVM' format. "
            "Please ensure the file is in 'LIBSVM' format, or set the ContentType of the channel: "
            "without one the data is read as libsvm."
        )
    return UserError(f"Line {number} '{line[:50]}...' of {name} is not 'LIBSVM' format.")
