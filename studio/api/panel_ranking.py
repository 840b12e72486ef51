"""Which parameters say most about a metric."""

import math
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.api.panel_queries import scope, told
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.experiments.query import catalog, columns, importance, parser, windows
from studio.experiments.query.columns import Column, Floats
from studio.experiments.query.syntax import Field, Value
from studio.experiments.query.vocabulary import written

_FEWEST = 10
_PARAMETERS = 100
_KINDS_OF_TEXT = 50
# The machine is there for jobs: one at a time.
_ONE = threading.Lock()


@dataclass(frozen=True)
class _Used:
    """A parameter that may matter; texts are numbered. `values`: NaN where there is none."""

    field: Value
    text: str
    values: Floats
    is_text: bool


@operation("studio", "RankParameters")
def rank_parameters(ctx: Context, request: Doc) -> Doc:
    with told():
        asked, metric = parser.condition(request.get("Query", "")), parser.value(request["Metric"])
        given = [parser.value(text) for text in request.get("Parameters", [])]
        whose = scope(ctx)
        with ctx.db.read() as connection:
            if "Parameters" not in request:
                place = 0, _PARAMETERS
                given = [*catalog.listed(connection, whose, ["parameter"], "", place)[1]]
            found = windows.window(
                connection, whose, asked, [], (0, importance.MOST), request.get("Names")
            )
            numbers = [it.number for it in found.found]
            cells = columns.columns(connection, whose, numbers, [metric, *given])
    target = cells[0].numbers
    known = np.isfinite(target)
    if known.sum() < _FEWEST:
        text = f"{known.sum()} trial components have {request['Metric']}: {_FEWEST} are needed."
        raise ValidationException(text)
    texts = request.get("Parameters") or [written(it) for it in given if isinstance(it, Field)]
    used = [
        it
        for it in (_used(*each, known) for each in zip(given, texts, cells[1:], strict=True))
        if it is not None
    ]
    answer: Doc = {
        "Method": importance.METHOD,
        "Components": int(known.sum()),
        "Matched": found.matched,
        "Parameters": [],
        "Left": len(given) - len(used),
    }
    if used and np.ptp(target[known]) > 0:
        answer |= _ranked(used, target[known])
    return answer


def _ranked(used: list[_Used], target: Floats) -> Doc:
    table = np.stack([it.values for it in used], 1)
    try:
        with _ONE:
            ranking = importance.ranked(table, [it.is_text for it in used], target)
    except TimeoutError as error:
        text = "This takes too long: ask of fewer trial components, or of fewer parameters."
        raise ValidationException(text) from error
    rows: list[Doc] = [
        {
            "Field": it.text,
            "Name": it.field.name if isinstance(it.field, Field) else it.text,
            "Importance": worth,
            "Correlation": None if math.isnan(correlation) else correlation,
        }
        for it, worth, correlation in zip(
            used, ranking.importances, ranking.correlations, strict=True
        )
    ]
    rows.sort(key=lambda row: -row["Importance"])
    return {"Score": ranking.score, "Parameters": rows}


def _used(field: Value, text: str, given: Column, known: NDArray[np.bool_]) -> _Used | None:
    """None for what does not vary, or half of them have not, or is a text that names each."""
    column = given.numbers.copy()
    texts = sorted({it for at, it in given.texts.items() if known[at]})
    places = {it: float(number) for number, it in enumerate(texts)}
    for at, it in given.texts.items():  # a number among texts is one more text
        column[at] = places.get(it, math.nan)
    column = column[known]
    present = column[np.isfinite(column)]
    if len(present) * 2 < len(column) or not len(present) or not np.ptp(present):
        return None
    if len(texts) > min(_KINDS_OF_TEXT, len(present) / 2):
        return None
    return _Used(field, text, np.where(np.isfinite(column), column, math.nan), bool(texts))
