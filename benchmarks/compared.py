"""A store with as many trial components as a team makes in years."""

import random
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table

from studio.db.experiment_tables import COMPONENT, SUMMARY, VALUE
from studio.db.resources import Doc
from studio.db.session import Database
from studio.db.tables import RESOURCE
from studio.experiments import components, fields
from studio.experiments.fields import Field
from studio.settings import Settings

PLACE = {"account": Settings.account, "region": Settings.region}
_BATCH = 20_000
_OPTIMIZERS = ("adam", "adamw", "sgd", "lion")


def fill(database: Database, count: int, parameters: int, metrics: int) -> None:
    """`count` components with so many parameters each, every fourth a text, and metrics."""
    now = time.time_ns() // 1_000_000
    _store(database, RESOURCE, (_resource(number, count, now) for number in range(1, count + 1)))
    _store(database, COMPONENT, (_component(number, count, now) for number in range(1, count + 1)))
    names = [("parameter", f"p{n}") for n in range(parameters)]
    names += [("metric", f"m{n}") for n in range(metrics)]
    made = [Field(PLACE["account"], PLACE["region"], kind, name) for kind, name in names]  # type: ignore[arg-type]
    numbers = database.write(partial(fields.made, fields=made))
    for field, number in sorted(numbers.items(), key=lambda it: it[1]):
        place = int(field.name[1:])
        if field.kind == "metric":
            _store(database, SUMMARY, _summaries(number, count, place, now))
        else:
            _store(database, VALUE, _values(number, count, place))


def widen(database: Database, count: int, metrics: range) -> None:
    """More metrics, for the first `count` components."""
    now = time.time_ns() // 1_000_000
    made = [Field(PLACE["account"], PLACE["region"], "metric", f"m{n}") for n in metrics]
    numbers = database.write(partial(fields.made, fields=made))
    for place, number in enumerate(numbers.values()):
        _store(database, SUMMARY, _summaries(number, count, place, now))


def _store(database: Database, table: Table, rows: Iterator[Doc]) -> None:
    def insert(connection: Connection, some: Any) -> None:
        connection.execute(table.insert(), some)

    while some := list(islice(rows, _BATCH)):
        database.write(partial(insert, some=some))


def _resource(number: int, count: int, now: int) -> Doc:
    at, name = now - 60_000 * (count - number), f"run-{number:06d}"
    arn = f"arn:aws:sagemaker:{PLACE['region']}:{PLACE['account']}:{components.KIND}/{name}"
    return {
        **PLACE,
        "id": f"bench-{number}",
        "kind": components.KIND,
        "name": name,
        "arn": arn,
        "status": "Completed",
        "spec": {"TrialComponentName": name, "DisplayName": name},
        "state": {},
        "tags": [],
        "desired": "",
        "generation": 1,
        "created_at": at,
        "modified_at": at,
    }


def _component(number: int, count: int, now: int) -> Doc:
    at, name = now - 60_000 * (count - number), f"run-{number:06d}"
    return {
        **PLACE,
        "number": number,
        "resource_id": f"bench-{number}",
        "owner": "",
        "name": name,
        "display_name": name,
        "source": "",
        "source_kind": "",
        "status": "Completed" if number % 10 else "Failed",
        "created_at": at,
        "modified_at": at,
        "started_at": at,
        "ended_at": at + number % 3_600 * 1000,
        "starred": False,
        "color": "",
        "note": "",
    }


def _values(field: int, count: int, place: int) -> Iterator[Doc]:
    """A text for every fourth field; a whole number below 10 for every other, else a fraction."""
    chance = random.Random(place)
    for number in range(1, count + 1):
        text = chance.choice(_OPTIMIZERS) if place % 4 == 3 else None
        value = float(chance.randrange(10)) if place % 2 else chance.random()
        yield {
            "id": fields.value_id(field, number),
            "number": None if text else value,
            "text": text,
        }


def _summaries(field: int, count: int, place: int, now: int) -> Iterator[Doc]:
    chance = random.Random(place)
    for number in range(1, count + 1):
        value = chance.random()
        yield {
            "id": fields.value_id(field, number),
            "component": number,
            "chunks": 0,
            "count": 100,
            "finite": 100,
            "last": value,
            "low": value / 2,
            "high": value + 0.1,
            "mean": value,
            "squares": 1.0,
            "last_step": 99,
            "last_at": now,
            "low_step": 3,
            "high_step": 98,
        }
