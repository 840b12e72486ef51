"""The metrics of trial components in short, as AWS tells them."""

import math
from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from studio.db.resources import Doc, Resource
from studio.experiments import components, fields, system
from studio.experiments.fields import Field
from studio.experiments.series.summaries import Summary, of_components, of_series


def of(
    connection: Connection, rows: Sequence[Resource], names: Collection[str] | None = None
) -> dict[str, list[Doc]]:
    """Of each of the components that has any, by the ids of their resources; all metrics but those
    of the machine, or those of these names."""
    known = components.numbers(connection, [it.id for it in rows])
    found: dict[str, list[Doc]] = {}
    for row, measured in zip(rows, _measured(connection, rows, known, names), strict=True):
        if measured:
            found[row.id] = [_document(row, name, it) for name, it in measured.items()]
    return found


def _measured(
    connection: Connection,
    rows: Sequence[Resource],
    known: dict[str, int],
    names: Collection[str] | None,
) -> list[dict[str, Summary]]:
    if names is None:
        measured = of_components(connection, known.values())
        every = (measured.get(known[it.id], {}) for it in rows)
        return [{name: it for name, it in found.items() if system.is_own(name)} for found in every]
    asked = {Field(it.account, it.region, "metric", name) for it in rows for name in names}
    series = {
        fields.value_id(number, known[it.id]): (it.id, field.name)
        for field, number in fields.find(connection, asked).items()
        for it in rows
    }
    found: dict[str, dict[str, Summary]] = {}
    for each, summary in of_series(connection, series).items():
        component, name = series[each]
        found.setdefault(component, {})[name] = summary
    return [found.get(it.id, {}) for it in rows]


def _document(component: Resource, name: str, summary: Summary) -> Doc:
    spread = summary.spread
    finite = (
        {}
        if spread is None
        else {
            "Max": spread.high,
            "Min": spread.low,
            "Avg": spread.mean,
            "StdDev": spread.deviation,
        }
    )
    return {
        "MetricName": name,
        "SourceArn": component.arn,
        "TimeStamp": summary.last_at,
        "Last": summary.last if math.isfinite(summary.last) else None,
        "Count": summary.count,
        **finite,
    }
