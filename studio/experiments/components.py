"""Trial components as queries see them: a row each, their values, and the trials they belong to.

The documents of a component are its resource. What is told here of it follows in the transaction
that stores the resource, whoever stores it; see `resources.follow`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, bindparam, select

from studio.db import resources
from studio.db.experiment_tables import COMPONENT, MEMBERSHIP, TRIAL, VALUE
from studio.db.prepared import Prepared
from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE
from studio.errors import ValidationException
from studio.experiments import fields, series
from studio.experiments.fields import Field

EXPERIMENT_KIND = "experiment"
TRIAL_KIND = "experiment-trial"
KIND = "experiment-trial-component"

_PAGE = 500
_FIXED = ("number", "resource_id")

Value = tuple[float | None, str | None]
"""A number or a text."""


# Built once: putting a statement together costs more than running it.
_NUMBER = Prepared(
    select(COMPONENT.c.number).where(COMPONENT.c.resource_id == bindparam("resource"))
)
_NUMBERS = Prepared(
    select(COMPONENT.c.resource_id, COMPONENT.c.number).where(
        COMPONENT.c.resource_id.in_(bindparam("resources", expanding=True))
    )
)
_INSERT = COMPONENT.insert()
_UPDATE = (
    COMPONENT.update()
    .where(COMPONENT.c.number == bindparam("stored"))
    .values({it.name: bindparam(it.name) for it in COMPONENT.c if it.name not in _FIXED})
)
_INSERT_VALUE = VALUE.insert()
_DELETE_VALUES = VALUE.delete().where(VALUE.c.id.in_(bindparam("ids", expanding=True)))
_THESE: BindParameter[Any] = bindparam("components", expanding=True)
_MEMBERS = select(MEMBERSHIP.c.component).where(MEMBERSHIP.c.component.in_(_THESE))
_LEAVE = MEMBERSHIP.delete().where(MEMBERSHIP.c.component.in_(_THESE))
_DELETE = COMPONENT.delete().where(COMPONENT.c.number.in_(_THESE))


class Parent(NamedTuple):
    """A trial that a component belongs to, and the trial's experiment; by name."""

    trial: str
    experiment: str


def number(connection: Connection, resource_id: str) -> int:
    """The number of the component that this resource is."""
    (found,) = _NUMBER.all(connection, {"resource": resource_id})
    return int(found[0])


def numbers(connection: Connection, resource_ids: Sequence[str]) -> dict[str, int]:
    """The numbers of the components that these resources are, by the ids of the resources."""
    found: dict[str, int] = {}
    for first in range(0, len(resource_ids), _PAGE):
        page = {"resources": resource_ids[first : first + _PAGE]}
        found |= {resource: number for resource, number in _NUMBERS.all(connection, page)}
    return found


def associate(connection: Connection, component: Resource, trial: Resource, now: int) -> bool:
    """Make the component part of the trial; False when it was before."""
    place = {"trial_id": trial.id, "component": number(connection, component.id)}
    found = select(MEMBERSHIP.c.component).where(*(MEMBERSHIP.c[k] == v for k, v in place.items()))
    if connection.execute(found).first():
        return False
    query = select(TRIAL.c.experiment_id).where(TRIAL.c.resource_id == trial.id)
    experiment = connection.execute(query).scalar_one()
    row = {**place, "experiment_id": experiment, "created_at": now}
    connection.execute(MEMBERSHIP.insert().values(row))
    return True


def disassociate(connection: Connection, component: Resource, trial: Resource) -> bool:
    """Take the component out of the trial; False when it was not in it."""
    place = {"trial_id": trial.id, "component": number(connection, component.id)}
    gone = MEMBERSHIP.delete().where(*(MEMBERSHIP.c[name] == it for name, it in place.items()))
    return connection.execute(gone).rowcount > 0


def leave_all(connection: Connection, resource_ids: Sequence[str]) -> None:
    """Take the components that these resources are out of all their trials."""
    known = numbers(connection, resource_ids)
    connection.execute(_LEAVE, {"components": list(known.values())})


def parents(connection: Connection, resource_ids: Sequence[str]) -> dict[str, list[Parent]]:
    """The trials of each of the components that are in any, oldest membership first."""
    trial, experiment = RESOURCE.alias(), RESOURCE.alias()
    query = (
        select(COMPONENT.c.resource_id, trial.c.name, experiment.c.name)
        .join(MEMBERSHIP, MEMBERSHIP.c.component == COMPONENT.c.number)
        .join(trial, trial.c.id == MEMBERSHIP.c.trial_id)
        .join(experiment, experiment.c.id == MEMBERSHIP.c.experiment_id)
        .order_by(MEMBERSHIP.c.created_at, trial.c.name)
    )
    found: dict[str, list[Parent]] = {}
    for first in range(0, len(resource_ids), _PAGE):
        page = COMPONENT.c.resource_id.in_(resource_ids[first : first + _PAGE])
        for component, *names in connection.execute(query.where(page)):
            found.setdefault(component, []).append(Parent(*names))
    return found


def primary_status(spec: Doc) -> str:
    """The status of a component that was described so; "" without one."""
    return str(spec.get("Status", {}).get("PrimaryStatus", ""))


def _follow(connection: Connection, before: Resource | None, after: Resource) -> None:
    if before is None:
        connection.execute(_INSERT, {"resource_id": after.id, **_columns(after)})
        _store(connection, number(connection, after.id), {}, _values(after))
        return
    if after.deleted_at is not None:
        return
    component = number(connection, after.id)
    connection.execute(_UPDATE, {"stored": component, **_columns(after)})
    _store(connection, component, _values(before), _values(after))


def _columns(it: Resource) -> dict[str, object]:
    source = it.spec.get("Source", {}).get("SourceArn", "").lower()
    return {
        "account": it.account,
        "region": it.region,
        "owner": it.owner,
        "name": it.name,
        "display_name": it.spec.get("DisplayName", it.name),
        "source": source,
        "source_kind": source.split(":", 5)[-1].partition("/")[0],
        "status": it.status,
        "created_at": it.created_at,
        "modified_at": it.modified_at,
        "started_at": it.spec.get("StartTime"),
        "ended_at": it.spec.get("EndTime"),
        "starred": it.state.get("Starred", False),
        "color": it.state.get("Color", ""),
        "note": fields.text(it.state.get("Note", "")),
    }


def _values(it: Resource) -> dict[Field, Value]:
    parameters: Doc = it.spec.get("Parameters", {})
    found: dict[Field, Value] = {}
    for name, value in parameters.items():
        given = value.get("NumberValue")
        text = None if given is not None else fields.text(value.get("StringValue", ""))
        found[Field(it.account, it.region, "parameter", fields.text(name))] = (given, text)
    for tag in it.tags:
        field = Field(it.account, it.region, "tag", fields.text(tag["Key"]))
        found[field] = (None, fields.text(tag["Value"]))
    return found


def _store(
    connection: Connection, component: int, before: dict[Field, Value], after: dict[Field, Value]
) -> None:
    """Make the stored values, which are those of `before`, those of `after`."""
    gone = [field for field, value in before.items() if after.get(field) != value]
    new = {field: value for field, value in after.items() if before.get(field) != value}
    _remove(connection, [(component, field) for field in gone])
    ids = fields.made(connection, new)
    rows = [
        {"id": fields.value_id(ids[field], component), "number": given, "text": text}
        for field, (given, text) in new.items()
    ]
    if rows:
        connection.execute(_INSERT_VALUE, rows)


def _remove(connection: Connection, gone: Sequence[tuple[int, Field]]) -> None:
    """The values of fields of components."""
    known = fields.find(connection, {field for _, field in gone})
    ids = [fields.value_id(known[field], component) for component, field in gone if field in known]
    for first in range(0, len(ids), _PAGE):
        connection.execute(_DELETE_VALUES, {"ids": ids[first : first + _PAGE]})


def _drop(connection: Connection, gone: Sequence[Resource]) -> None:
    known = numbers(connection, [it.id for it in gone])
    these = {"components": list(known.values())}
    linked = set(connection.execute(_MEMBERS, these).scalars())
    for it in gone:
        if known[it.id] in linked:
            raise ValidationException(
                f"TrialComponent '{it.arn}' is linked to 1 or more trials and cannot be deleted. "
                "Disassociate it first."
            )
    _remove(connection, [(known[it.id], field) for it in gone for field in _values(it)])
    series.forget(connection, these["components"])
    connection.execute(_DELETE, these)


resources.follow(KIND, _follow)
resources.drop_with(KIND, _drop)
