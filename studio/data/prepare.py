"""Training channels from a data set: CSV without header, the label first, numbers only.

That is what SageMaker's built-in algorithms read ("Common Data Formats for Training", AWS).
"""

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from studio.data import filters, objects, store
from studio.data.cells import cell
from studio.data.errors import DataError
from studio.data.plain import TIME
from studio.data.protocol.data import Cell
from studio.data.protocol.tables import Channel, LeftOut, PrepareAnswer, PrepareRequest
from studio.data.room import Room

_MOST_VALUES = 50
_NUMBERS = (pa.int64(), pa.float64(), pa.bool_())


def prepare(request: PrepareRequest, room: Room) -> PrepareAnswer:
    """Writes train/train.csv, validation/validation.csv and columns.json below `to`."""
    bucket, prefix = _place(request.to)
    if not 0 <= request.validation < 1:
        raise DataError("BadRequest", "The share for validation is from 0 to less than 1.")
    data = store.load(request.source, room)
    table = _chosen(request, data.table)
    label, classes, table = _label(request, table)
    names, columns, left_out = _features(request, table)
    if not names:
        raise DataError("BadRequest", "No column is left that an algorithm can learn from.")
    dropped = len(data.table) - len(table)
    if request.missing == "drop":
        kept = np.logical_and.reduce([np.asarray(pc.is_valid(it)) for it in columns])
        columns, label = [it.filter(kept) for it in columns], label and label.filter(kept)
        dropped += int(len(table) - kept.sum())
    columns = [_filled(it) for it in columns] if request.missing == "median" else columns
    made = pa.table([*([label] if label else []), *columns], [*([""] if label else []), *names])
    if not len(made):
        raise DataError("BadRequest", "No row is left to train on.")
    room.progress(0.5, f"writing {len(made):,} rows to {request.to}")
    described = {
        "label": request.target,
        "classes": classes,
        "features": names,
        "left_out": {it.column: it.why for it in left_out},
    }
    channels = _written(request, bucket, prefix, made, described)
    return PrepareAnswer(
        channels=channels,
        features=names,
        classes=classes,
        left_out=left_out,
        rows=len(made),
        dropped=dropped,
        data=data.facts,
        code=_code(request, data, classes, columns=names),
    )


def _place(to: str) -> tuple[str, str]:
    bucket, _, prefix = to.removeprefix("s3://").partition("/")
    if not to.startswith("s3://") or not bucket:
        raise DataError("BadRequest", f"{to} is no place in S3; it looks like s3://bucket/folder/.")
    return bucket, prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _chosen(request: PrepareRequest, table: Any) -> Any:
    filters.checked(table, request.target, *(request.features or ()))
    kept = filters.kept(table, request.filters)
    return table if kept is None else table.filter(pa.array(kept))


def _label(request: PrepareRequest, table: Any) -> tuple[Any, list[Cell], Any]:
    """The label's column, what its numbers stand for, and the rows that have one."""
    if request.target is None:
        return None, [], table
    table = table.filter(pc.is_valid(table.column(request.target)))
    column = table.column(request.target).combine_chunks()
    if column.type in _NUMBERS[:2]:
        return column, [], table
    if column.type == TIME:
        raise DataError("BadRequest", f"{request.target} is a time, no label to learn.")
    values = pc.unique(column).sort()
    classes = [cell(it) for it in values.to_pylist()]
    if len(classes) > _MOST_VALUES:
        raise DataError(
            "BadRequest",
            f"{request.target} has {len(classes):,} different texts: too many for classes.",
        )
    return pc.index_in(column, values), classes, table


def _features(request: PrepareRequest, table: Any) -> tuple[list[str], list[Any], list[LeftOut]]:
    names: list[str] = []
    columns: list[Any] = []
    left_out: list[LeftOut] = []
    wanted = request.features if request.features is not None else table.column_names
    for name in wanted:
        if name == request.target:
            continue
        found, why = _encoded(name, table.column(name).combine_chunks())
        if why:
            left_out.append(LeftOut(name, why))
        for title, column in found:
            names.append(title)
            columns.append(column)
    return names, columns, left_out


def _encoded(name: str, column: Any) -> tuple[list[tuple[str, Any]], str]:
    """A column as columns of numbers, or why not."""
    if column.null_count == len(column):
        return [], "It is empty."
    if column.type == pa.bool_():
        return [(name, column.cast(pa.int64()))], ""
    if column.type == pa.float64():
        finite = pc.is_finite(column)
        return [(name, pc.if_else(finite, column, pa.scalar(None, pa.float64())))], ""
    if column.type == pa.int64():
        return [(name, column)], ""
    if column.type == TIME:
        return [], "It is a time: make numbers of it first (hour, weekday ...)."
    values = pc.unique(column.drop_null()).sort().to_pylist()
    most = min(_MOST_VALUES, len(column) // 2)
    if len(values) > most:
        return [], f"It has {len(values):,} different texts, too many to make a column of each."
    here = pc.fill_null(column, "")
    absent = pc.is_null(column)
    return [
        (
            f"{name}={value}",
            pc.and_(pc.equal(here, value), pc.invert(absent)).cast(pa.int64()),
        )
        for value in values
    ], ""


def _filled(column: Any) -> Any:
    if not column.null_count:
        return column
    median = float(np.median(np.asarray(column.drop_null(), dtype=np.float64)))
    return pc.fill_null(column.cast(pa.float64(), safe=False), median)


def _written(
    request: PrepareRequest, bucket: str, prefix: str, table: Any, described: dict[str, Any]
) -> list[Channel]:
    s3 = objects.client()
    order = np.random.default_rng(request.seed).permutation(len(table))
    cut = len(table) - round(request.validation * len(table))
    parts = {"train": order[:cut]} | ({"validation": order[cut:]} if cut < len(table) else {})
    channels = []
    for channel, places in parts.items():
        body = _csv(table.take(pa.array(places)))
        key = f"{prefix}{channel}/{channel}.csv"
        with objects.told(f"s3://{bucket}/{key}"):
            s3.upload_fileobj(io.BytesIO(body), bucket, key, {"ContentType": "text/csv"})
        uri = f"s3://{bucket}/{prefix}{channel}/"
        channels.append(Channel(channel, uri, len(places), len(body)))
    with objects.told(f"s3://{bucket}/{prefix}columns.json"):
        text = json.dumps(described, indent=2, ensure_ascii=False)
        s3.put_object(Bucket=bucket, Key=f"{prefix}columns.json", Body=text.encode())
    return channels


def _csv(table: Any) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue()


def _code(
    request: PrepareRequest, data: store.Data, classes: list[Cell], columns: list[str]
) -> str:
    """Pandas that makes the same tables `train` and `validation`, label first."""
    types = {it.name: it.type for it in data.table.schema}
    lines = [data.facts.code, filters.pandas(request.filters, types).rstrip(), "import numpy as np"]
    if request.target is not None:
        lines.append(f"df = df[df[{request.target!r}].notna()].reset_index(drop=True)")
    used = list(dict.fromkeys(_origin(it, types) for it in columns))
    texts = [it for it in used if types[it] == pa.string()]
    lines.append(f"features = pd.get_dummies(df[{used!r}], columns={texts!r}, prefix_sep='=')")
    lines.append(f"features = features[{columns!r}]")
    lines.append("features = features.replace([np.inf, -np.inf], np.nan)")
    if request.target is None:
        lines.append("table = features")
    else:
        label = f"df[{request.target!r}]"
        label += f".map({{value: i for i, value in enumerate({classes!r})}})" if classes else ""
        lines.append(f"table = pd.concat([{label}, features], axis=1)")
    if request.missing == "drop":
        lines.append("table = table.dropna()")
    elif request.missing == "median":
        lines.append("table = table.fillna(features.median())")
    share = request.validation
    lines += [
        f"order = np.random.default_rng({request.seed}).permutation(len(table))",
        f"cut = len(table) - round({share!r} * len(table))",
        "train, validation = table.iloc[order[:cut]] * 1, table.iloc[order[cut:]] * 1",
        "train.to_csv('train.csv', header=False, index=False)",
        "validation.to_csv('validation.csv', header=False, index=False)",
    ]
    return "\n".join(it for it in lines if it)


def _origin(name: str, types: dict[str, Any]) -> str:
    """The column of the data from which a feature was made."""
    if name in types:
        return name
    at = name.find("=")
    while name[:at] not in types or types[name[:at]] != pa.string():
        at = name.index("=", at + 1)
    return name[:at]
