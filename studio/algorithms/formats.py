"""Training channels as arrays: CSV, libsvm, Parquet and RecordIO-protobuf, from files or pipes.

It names the file, line and column of what cannot be read. It knows no algorithm; what an algorithm
accepts it says in `inputs.Accepted`.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from studio.algorithms import csv_text, libsvm, recordio, streams
from studio.algorithms.base import Channel, UserError
from studio.algorithms.inputs import CSV, LIBSVM, PARQUET, RECORDIO, Accepted, negotiate

Opened = Iterator[tuple[str, BinaryIO]]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """A table: `features` float32 [n, d], dense or CSR; `labels` and `weights` float32 [n] or None.

    `groups` int64 [n] (libsvm's `qid:`) or None. `base` is the number of the first libsvm column.
    """

    features: Any
    labels: Floats | None
    weights: Floats | None = None
    groups: npt.NDArray[np.int64] | None = None
    base: int = 0

    @property
    def rows(self) -> int:
        return int(self.features.shape[0])

    @property
    def columns(self) -> int:
        return int(self.features.shape[1])

    def take(self, start: int, end: int) -> "Data":
        """Some rows of a table without groups."""
        rows = slice(start, end)
        return Data(
            self.features[rows],
            None if self.labels is None else self.labels[rows],
            None if self.weights is None else self.weights[rows],
        )


def read_channel(channel: Channel, accepted: Accepted) -> Data:
    """All of a channel as one table; of one with the input mode Pipe, all of its first epoch.

    Raises EmptyChannel, and UserError for a content type that is not accepted and for data that
    cannot be read.
    """
    kind, label_size = negotiate(channel.content_type, accepted)
    if kind == RECORDIO and channel.input_mode != "Pipe":
        # Whole files are looked into where they lie, not copied.
        parts = [recordio.read_file(path) for path in streams.files(channel)]
        return _data(recordio.concatenate(parts))
    with streams.opened(channel, 0) as opened:
        if kind == LIBSVM:
            data = _read_libsvm(channel, opened)
        elif kind == PARQUET:
            data = _read_parquet(channel, opened)
        else:
            accepted = replace(accepted, label_size=label_size)
            data = _joined(channel, list(_parts(opened, kind, accepted)))
    return data


def batches(channel: Channel, accepted: Accepted, rows: int, epoch: int = 0) -> Iterator[Data]:
    """A channel of CSV or RecordIO as tables of `rows` rows, the last one of fewer.

    No more than a batch and a block are in memory. Raises as `read_channel` does.
    """
    kind, label_size = negotiate(channel.content_type, accepted)
    with streams.opened(channel, epoch) as opened:
        waiting: list[Data] = []
        wanted = rows
        for part in _parts(opened, kind, replace(accepted, label_size=label_size)):
            start = 0
            while part.rows - start >= wanted:
                yield _joined(channel, [*waiting, part.take(start, start + wanted)])
                start, wanted, waiting = start + wanted, rows, []
            if start < part.rows:
                waiting.append(part.take(start, part.rows))
                wanted -= part.rows - start
        if wanted < rows:
            yield _joined(channel, waiting)


def _parts(opened: Opened, kind: str, accepted: Accepted) -> Iterator[Data]:
    """A table for each block of each stream."""
    for name, file in opened:
        if kind == CSV:
            yield from _csv_parts(file, name, accepted)
        else:
            first = 0
            for block in streams.blocks(file, recordio.whole, name):
                records = recordio.read(block, name, first)
                first += records.features.shape[0]
                yield _data(records)


def _csv_parts(file: BinaryIO, name: str, accepted: Accepted) -> Iterator[Data]:
    form: csv_text.Dialect | None = None
    line = 1
    skip = accepted.label_size + accepted.weights
    for block in streams.blocks(file, streams.lines, name):
        if form is None:
            block = csv_text.without_mark(block)
            form = csv_text.dialect(block, name, accepted.delimiters, accepted.missing)
            if form.columns <= skip:
                raise UserError(
                    f"{name[0].upper()}{name[1:]} has {form.columns} columns: "
                    f"{skip + 1} or more are needed, the label first."
                )
        table = csv_text.parse(block, form, line)
        line += block.count(b"\n")
        labels = table[:, 0] if accepted.label_size else None
        weights = table[:, accepted.label_size] if accepted.weights else None
        yield Data(table[:, skip:], labels, weights)


def _joined(channel: Channel, parts: Sequence[Data]) -> Data:
    """One table of several. Raises UserError when their widths or labels do not agree."""
    if not parts:
        raise streams.EmptyChannel(channel)
    if len(parts) == 1:
        return parts[0]
    widths = sorted({part.columns for part in parts})
    if len(widths) > 1 and all(isinstance(part.features, np.ndarray) for part in parts):
        raise UserError(f"The files of the channel have different numbers of columns: {widths}.")
    records = recordio.concatenate([recordio.Records(it.features, it.labels) for it in parts])
    weights = [part.weights for part in parts if part.weights is not None]
    return Data(records.features, records.labels, np.concatenate(weights) if weights else None)


def _data(records: recordio.Records) -> Data:
    return Data(records.features, records.labels)


def _read_libsvm(channel: Channel, opened: Opened) -> Data:
    parts = []
    for name, file in opened:
        line = 1
        for block in streams.blocks(file, streams.lines, name):
            text = block.decode("utf-8", "replace")
            parts.append(libsvm.parse(text, name, first_line=line))
            line += block.count(b"\n")
    if not parts:
        raise streams.EmptyChannel(channel)
    rows, base, width = libsvm.join(parts)
    return Data(rows.matrix(base, width), rows.labels, rows.weights, rows.groups, base)


# Parquet

_PARQUET_SEAM = b"PAR1PAR1"
"""Where a file ends and the next one begins, in a pipe of several."""


def _read_parquet(channel: Channel, opened: Opened) -> Data:
    tables = [
        _parquet_table(file, name)
        for name, stream in opened
        for file in (_parquet_files(stream) if channel.input_mode == "Pipe" else [stream])
    ]
    widths = {table.shape[1] for table in tables}
    if len(widths) > 1:
        raise UserError(f"The Parquet files have different numbers of columns: {sorted(widths)}.")
    if widths and widths <= {0, 1}:
        raise UserError(
            f"The Parquet files have {max(widths)} columns: 2 or more are needed, the label first."
        )
    if not tables:
        raise streams.EmptyChannel(channel)
    table = np.concatenate(tables)
    return Data(table[:, 1:], table[:, 0])


def _parquet_files(stream: BinaryIO) -> list[BinaryIO]:
    """Parquet is read from its end: the files of a pipe are taken into memory and parted."""
    data = stream.read()
    parts = data.split(_PARQUET_SEAM) if data else []
    last = len(parts) - 1
    return [
        io.BytesIO((b"PAR1" if number else b"") + part + (b"PAR1" if number < last else b""))
        for number, part in enumerate(parts)
    ]


def _parquet_table(file: BinaryIO, name: str) -> Floats:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(file).read()
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(
            f"{name[0].upper()}{name[1:]} cannot be read as Parquet: {error}"
        ) from error
    for column, column_type in zip(table.column_names, table.schema.types, strict=True):
        is_number = pyarrow.types.is_integer(column_type) or pyarrow.types.is_floating(column_type)
        if not is_number and not pyarrow.types.is_boolean(column_type):
            raise UserError(
                f"Column '{column}' of {name} holds {column_type}: every column must hold numbers."
            )
    return csv_text.from_arrow(table)
