"""Trial components of a test: described as plain values, stored as the house stores them."""

from dataclasses import dataclass, field

from sqlalchemy import Connection

from studio.db import resources
from studio.db.experiment_tables import COMPONENT, SUMMARY, TRIAL
from studio.db.resources import Resource
from studio.experiments import components, fields
from studio.experiments.fields import Field
from studio.experiments.query.scope import Scope

ACCOUNT, REGION = "000000000000", "us-east-1"
NOW = 1_800_000_000_000
EVERYBODY = Scope(ACCOUNT, REGION, None, NOW)


@dataclass(frozen=True)
class Metric:
    """As a row of summaries has it."""

    last: float | None
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    squares: float | None = None
    count: int = 1
    finite: int = 1
    last_step: int | None = None
    low_step: int | None = None
    high_step: int | None = None
    last_at: int = NOW


@dataclass(frozen=True)
class Component:
    name: str
    parameters: dict[str, float | str] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    trials: tuple[str, ...] = ()
    status: str = "Completed"
    created_at: int = NOW
    started_at: int | None = None
    ended_at: int | None = None
    starred: bool = False
    note: str = ""
    owner: str = ""


def store(connection: Connection, made: list[Component]) -> None:
    """In this order; trial `t` is of experiment `of-t`."""
    trials = {name: _trial(connection, name) for it in made for name in it.trials}
    for it in made:
        resource = _resource(connection, components.KIND, it.name, _spec(it), it)
        for name in it.trials:
            components.associate(connection, resource, trials[name], NOW)
        number = components.number(connection, resource.id)
        wanted = [Field(ACCOUNT, REGION, "metric", name) for name in it.metrics]
        ids = fields.made(connection, wanted)
        for each in wanted:
            row = {"id": fields.value_id(ids[each], number), "component": number, "chunks": 0}
            values = vars(it.metrics[each.name])
            connection.execute(SUMMARY.insert().values(**row, **values))
        here = COMPONENT.c.number == number
        changed = {"starred": it.starred, "note": it.note}
        connection.execute(COMPONENT.update().where(here).values(**changed))


def _trial(connection: Connection, name: str) -> Resource:
    found = resources.find(connection, ACCOUNT, REGION, components.TRIAL_KIND, name)
    if found is not None:
        return found
    experiment = _resource(connection, components.EXPERIMENT_KIND, f"of-{name}", {})
    trial = _resource(connection, components.TRIAL_KIND, name, {})
    connection.execute(TRIAL.insert().values(resource_id=trial.id, experiment_id=experiment.id))
    return trial


def _spec(it: Component) -> dict[str, object]:
    parameters = {
        name: {"StringValue": value} if isinstance(value, str) else {"NumberValue": value}
        for name, value in it.parameters.items()
    }
    times = {"StartTime": it.started_at, "EndTime": it.ended_at}
    known = {name: at for name, at in times.items() if at is not None}
    return {"Parameters": parameters, "Status": {"PrimaryStatus": it.status}, **known}


def _resource(
    connection: Connection,
    kind: str,
    name: str,
    spec: dict[str, object],
    of: Component | None = None,
) -> Resource:
    made = Resource(
        ACCOUNT,
        REGION,
        kind,
        name,
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}",
        of.status if of else "",
        spec,
        of.created_at if of else NOW,
        NOW,
        tags=[{"Key": key, "Value": value} for key, value in of.tags.items()] if of else [],
        owner=of.owner if of else "",
    )
    resources.insert(connection, made)
    return made
