"""`DataProcessing`: what of a record the model gets, and what of record and answer is kept.

A row of CSV is an array of texts; a line of JSON Lines, and a JSON document, what they say.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.container.transform.paths import Path, PathError, parse
from studio.container.transform.records import Payload

CSV, LINES, JSON = "text/csv", "application/jsonlines", "application/json"
_ALIASES = {
    "csv": CSV,
    "application/csv": CSV,
    "jsonlines": LINES,
    "application/x-jsonlines": LINES,
    "application/jsonl": LINES,
    "json": JSON,
}
_WHOLE = Path(())


class Unfit(ValueError):
    """Record and answer do not fit together, or not with a filter; the text says how."""


@dataclass(frozen=True)
class Processing:
    """The filters and the join of a job. `content` and `accept` are media types, "" if not said."""

    content: str = ""
    accept: str = ""
    before: Path = _WHOLE
    join: bool = False
    after: Path = _WHOLE

    @property
    def idle(self) -> bool:
        """Nothing is to be done: records and answers pass as they are."""
        return not (self.before.steps or self.join or self.after.steps)

    def request(self, payload: Payload) -> bytes:
        """What the model gets of the records. Raises Unfit."""
        if not self.before.steps:
            return payload.data
        records = _parsed(_text(payload.data), self.content)
        return _written([_selected(self.before, it) for it in records], self.content)

    def result(self, payload: Payload, answer: bytes, media: str) -> bytes:
        """What is kept of the records and the model's answer to them, which has the media type
        `media` unless the job says another. Raises Unfit."""
        if not (self.join or self.after.steps):
            return answer
        form = self.accept or kind(media) or self.content
        records = _parsed(_text(answer), form)
        if self.join:
            given = _parsed(_text(payload.data), self.content)
            if len(given) != len(records):
                raise Unfit(
                    f"the model answered {len(records)} records to {len(given)}, which cannot be "
                    "joined"
                )
            form = self.content
            records = [_joined(form, *both) for both in zip(given, records, strict=True)]
        return _written([_selected(self.after, it) for it in records], form)


def of(document: dict[str, Any]) -> Processing:
    """Of `content_type`, `accept`, `input_filter`, `join` and `output_filter`.

    Raises PathError."""
    return Processing(
        kind(document["content_type"]),
        kind(document["accept"]),
        parse(document["input_filter"]),
        document["join"],
        parse(document["output_filter"]),
    )


def kind(media: str) -> str:
    """CSV, LINES or JSON, or another media type as it is, in lower case without parameters."""
    name = media.partition(";")[0].strip().lower()
    return _ALIASES.get(name, name)


def _parsed(text: str, form: str) -> list[Any]:
    if form == CSV:
        return [_cells(line) for line in text.split("\n") if line.strip()]
    try:
        if form == LINES:
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        if form == JSON:
            return [json.loads(text)]
    except (ValueError, RecursionError) as error:
        raise Unfit(f"it is not {'JSON Lines' if form == LINES else 'JSON'}: {error}") from error
    raise Unfit(f"data of type {form or 'unknown'} cannot be filtered or joined")


def _written(records: Sequence[Any], form: str) -> bytes:
    if form == CSV:
        return "\n".join(map(_row, records)).encode()
    texts = (json.dumps(it, separators=(",", ":"), ensure_ascii=False) for it in records)
    return "\n".join(texts).encode()


def _cells(line: str) -> list[str]:
    line = line.rstrip("\r")
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line]))
    except csv.Error as error:
        raise Unfit(f"it is not CSV: {error}") from error


def _row(record: Any) -> str:
    cells = record if isinstance(record, list) else [record]
    texts = [it if isinstance(it, str) else json.dumps(it) for it in cells]
    row = ",".join(texts)
    # A comma more than between cells, a quote or a line's end: only then a cell needs quotes.
    if row.count(",") == len(texts) - 1 and not any(mark in row for mark in '"\r\n'):
        return row
    made = io.StringIO()
    csv.writer(made, lineterminator="").writerow(texts)
    return made.getvalue()


def _joined(form: str, record: Any, answer: Any) -> Any:
    if form == CSV:
        return [*record, *answer]
    if isinstance(record, dict):
        return {**record, "SageMakerOutput": answer}
    return {"SageMakerInput": record, "SageMakerOutput": answer}


def _selected(path: Path, record: Any) -> Any:
    try:
        return path.select(record)
    except PathError as error:
        raise Unfit(f"the filter does not fit: {error}") from error


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unfit(f"it is not UTF-8 text: {error}") from error
