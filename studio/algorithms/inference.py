"""Bodies of inference requests as arrays, and predictions as bodies of answers.

It knows no algorithm: an algorithm says which content types it takes and answers.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from studio.algorithms import csv_text, libsvm, recordio
from studio.algorithms.base import UserError
from studio.algorithms.server import RequestError

CSV, LIBSVM, RECORDIO = "text/csv", "text/libsvm", "application/x-recordio-protobuf"
JSON, JSON_LINES = "application/json", "application/jsonlines"

_ALIASES = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "recordio-protobuf": RECORDIO,
    "json": JSON,
    "jsonlines": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
}

# A few bytes of JSON must not claim more memory than that of this many features, each and in all.
_WIDEST, _MOST_CELLS = 10_000_000, 50_000_000
_LARGE = 2**16
"""Bytes of CSV from which on Arrow is worth its import."""

Row = Mapping[str, Any]
"""One prediction: key -> number or list of numbers."""
_Model = TypeVar("_Model")


@dataclass(frozen=True)
class LibsvmColumns:
    """How a model counts libsvm's columns: `base` is the number of the first of `width`."""

    base: int
    width: int


def load(read: Callable[[Path], _Model], folder: Path) -> _Model:
    """The model of a folder, by `read`, which raises ValueError. Raises UserError."""
    try:
        return read(folder)
    except ValueError as error:
        raise UserError(f"Unable to load the model: {error}") from error


def content_type(header: str, accepted: Sequence[str]) -> str:
    """The content type of a request, without parameters; the first one accepted when it says none.
    Raises RequestError 415."""
    name = _plain(header) or accepted[0]
    if name not in accepted:
        raise RequestError(
            415, f"Content-type {name} not supported. Supported content-type is "
            f"{', '.join(accepted)}."
        )  # fmt: skip
    return name


def accept(header: str, offered: Sequence[str], default: str) -> str:
    """The content type to answer: the first of the Accept header that is offered; RequestError 406
    when none is."""
    names = [_plain(part) for part in header.split(",")] if header else ["*/*"]
    for name in names:
        if name in ("*/*", "", "application/*", "text/*"):
            return default
        if name in offered:
            return name
    raise RequestError(406, f"Accept type {header} is not supported: use {', '.join(offered)}.")


@np.errstate(over="ignore")
def decode(body: bytes, kind: str, columns: LibsvmColumns | None = None) -> Any:
    """float32 [n, d], dense or CSR, of a body of content type `kind`; a number beyond float32 is
    infinite. Raises RequestError 400."""
    try:
        if kind == CSV:
            rows = _large_csv(body) if len(body) >= _LARGE else None
            return decode_csv(_text(body)) if rows is None else rows
        if kind == LIBSVM:
            return decode_libsvm(_text(body), columns)
        if kind == RECORDIO:
            return recordio.read(body).features
        return decode_json(_text(body), kind == JSON_LINES)
    except UserError as error:
        raise RequestError(400, str(error)) from error


def check(features: Any, width: int, advice: str = "") -> None:
    """As many features as the model has, all finite; RequestError 400, which ends with the
    advice where their number is another."""
    found = int(features.shape[1])
    if found != width:
        raise RequestError(
            400,
            f"The rows of the payload have {found} features, but the model was trained on "
            f"{width}.{advice}",
        )
    values = features.data if sparse.issparse(features) else features
    if not np.isfinite(values).all():
        raise RequestError(400, "The payload has a feature that is missing or not finite.")


def decode_csv(text: str) -> Any:
    """Rows of numbers; an empty cell is NaN."""
    lines = [line for line in text.replace("\r", "").split("\n") if line.strip()]
    if not lines:
        raise RequestError(400, "The CSV payload has no row.")
    delimiter = max(",;\t|", key=lines[0].count)
    width = lines[0].count(delimiter) + 1
    for number, line in enumerate(lines, start=1):
        if line.count(delimiter) + 1 != width:
            raise RequestError(
                400,
                f"Row {number} of the CSV payload has {line.count(delimiter) + 1} columns where "
                f"the first row has {width}.",
            )
    cells = delimiter.join(lines).split(delimiter)
    if "_" in text:
        # Python reads 1_0 as ten; no other reader of CSV does.
        raise _no_number(cells, width)
    try:
        return np.array(cells, np.float32).reshape(-1, width)
    except ValueError:
        return _csv_with_gaps(cells, width)


def _large_csv(body: bytes) -> Any:
    """As `decode_csv`, three times as fast; None for rows that it does not understand, and for
    those that are at fault."""
    import pyarrow
    from pyarrow import csv

    if body.count(b"\r") != body.count(b"\r\n"):
        return None
    first = body[: body.find(b"\n") + 1].decode("utf-8-sig", "replace")
    delimiter = max(",;\t|", key=first.count)
    names = [f"f{number}" for number in range(first.count(delimiter) + 1)]
    try:
        table = csv.read_csv(
            pyarrow.BufferReader(body),
            # Requests are read side by side.
            read_options=csv.ReadOptions(use_threads=False, column_names=names),
            parse_options=csv.ParseOptions(delimiter=delimiter, quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.float32()), null_values=[""]
            ),
        )
    except pyarrow.ArrowException:
        return None
    return csv_text.from_arrow(table)


def decode_libsvm(text: str, columns: LibsvmColumns | None) -> Any:
    """CSR matrix. Without `columns` it is as wide as its highest column."""
    rows = libsvm.parse(text, "the payload", labelled=False)
    if columns is None:
        return rows.matrix(0, rows.highest + 1)
    base = columns.base
    if base == 0 and rows.lowest >= 1 and rows.highest == columns.width:
        base = 1
    if len(rows.columns) and not base <= rows.lowest <= rows.highest < base + columns.width:
        bad = rows.lowest if rows.lowest < base else rows.highest
        raise RequestError(
            400,
            f"Feature {bad} of the libsvm payload is not a feature of the model: they count from "
            f"{base} to {base + columns.width - 1}.",
        )
    return rows.matrix(base, columns.width)


def decode_json(text: str, lines: bool) -> Any:
    """`{"instances": [...]}`, or one instance per line. See `_instance` for what one may be."""
    try:
        if lines:
            # A string may hold what Python calls the end of a line besides this one.
            instances = [json.loads(line) for line in text.split("\n") if line.strip()]
        else:
            instances = json.loads(text)["instances"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        shape = "one JSON object per line" if lines else 'a JSON object with a list "instances"'
        raise RequestError(400, f"The payload is not {shape}.") from error
    if not isinstance(instances, list) or not instances:
        raise RequestError(400, "The payload has no instance.")
    rows: list[Any] = []
    taken = 0
    for number, instance in enumerate(instances, start=1):
        row = _instance(instance, number, _MOST_CELLS - taken)
        taken += len(row)
        rows.append(row)
        if len(row) != len(rows[0]):
            raise RequestError(
                400,
                f"Instance {number} has {len(row)} features where the first has {len(rows[0])}.",
            )
    return np.stack(rows)


def encode(rows: Sequence[Row], kind: str, wrapper: str = "predictions") -> bytes:
    """Predictions as JSON, JSON lines or RecordIO-protobuf."""
    if kind == JSON:
        return json.dumps({wrapper: list(rows)}).encode()
    if kind == JSON_LINES:
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    return recordio.write_labels(
        {key: value if isinstance(value, list) else [value] for key, value in row.items()}
        for row in rows
    )


def _plain(header: str) -> str:
    """A media type without parameters, lower case, by its full name."""
    name = header.partition(";")[0].strip().lower()
    return _ALIASES.get(name, name)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(400, f"The payload is not UTF-8 text: {error}.") from error


def _csv_with_gaps(cells: list[str], width: int) -> Any:
    filled = [cell if cell.strip() else "nan" for cell in cells]
    try:
        return np.array(filled, np.float32).reshape(-1, width)
    except ValueError as error:
        raise _no_number(filled, width) from error


def _no_number(cells: list[str], width: int) -> RequestError:
    """The error that names the first cell that is neither empty nor a number."""
    bad = next(n for n, cell in enumerate(cells) if cell.strip() and not _is_number(cell))
    return RequestError(
        400,
        f"Row {bad // width + 1}, column {bad % width + 1} of the CSV payload is not a number: "
        f"'{cells[bad].strip()[:40]}'.",
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _instance(instance: Any, number: int, widest: int) -> Any:
    """float32 [d] of `{"features": [...]}`, `{"data": {"features": {"values": [...]}}}`, the latter
    with `keys` and `shape` (`widest` at most) when sparse, or a bare list."""
    value = instance
    if isinstance(value, dict) and "data" in value:
        value = value["data"]
    if isinstance(value, dict) and "features" in value:
        value = value["features"]
    try:
        if isinstance(value, dict) and "keys" in value:
            width = int(np.ravel(value["shape"])[-1])
            return _dense(value["keys"], value["values"], width, widest)
        row = np.asarray(value["values"] if isinstance(value, dict) else value, np.float32)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise _not_an_instance(number) from error
    if row.ndim != 1:
        raise _not_an_instance(number)
    return row


def _dense(keys: Any, values: Any, width: int, widest: int) -> Any:
    """float32 [width]; ValueError for a key or a width that cannot be."""
    positions = np.asarray(keys, np.int64)
    whole = np.array_equal(positions, keys)
    if not 0 < width <= min(widest, _WIDEST) or not whole or (positions < 0).any():
        raise ValueError("no such feature")
    dense = np.zeros(width, np.float32)
    dense[positions] = values
    return dense


def _not_an_instance(number: int) -> RequestError:
    return RequestError(
        400, f'Instance {number} has no list of numbers "features" or "data.features.values".'
    )
